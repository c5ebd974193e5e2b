/** What `omnisaga connector new` writes is good as it is: it compiles, is clean, and passes the acceptance suite. */
import { spawn } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { newConnector } from '../../cli/commands/connectorNew.ts'
import { register, scaffold } from '../../cli/connectorTemplate.ts'
import { root } from '../harness/paths.ts'
import { removeTestFolder, testFolder } from '../harness/testFolders.ts'

const NAME = 'acme-wms'
const SOURCES = [
  'activities',
  'cli',
  'connectors',
  'domain',
  'mappings',
  'simulators',
  'store',
  'tests/acceptance',
  'tests/harness',
]
const OWN = ['connectors', 'simulators'].map((folder) => `${folder}/${NAME}`)
const TESTS = [`tests/acceptance/subjects/${NAME}.ts`, `tests/unit/${NAME}.test.ts`]
let clone = ''

/** @returns what it printed. @throws Error with it when it ends badly */
async function run(script: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: clone })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await new Promise((resolve) => child.once('close', resolve))
  const text = Buffer.concat(said).toString()
  if (code !== 0) throw new Error(`${script} ended with ${String(code)}:\n${text}`)
  return text
}

beforeAll(async () => {
  clone = testFolder()
  for (const folder of SOURCES) cpSync(join(root, folder), join(clone, folder), { recursive: true })
  for (const file of ['package.json', 'tsconfig.json', '.oxlintrc.json', '.prettierrc', 'vitest.config.ts', 'runtime.ts'])
    cpSync(join(root, file), join(clone, file))
  cpSync(join(root, 'tests/db/acceptance.test.ts'), join(clone, 'tests/db/acceptance.test.ts'))
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  await newConnector(NAME, clone)
  vi.restoreAllMocks()
})
afterAll(() => {
  removeTestFolder(clone)
})

it('compiles, and is as the linter and the formatter want it', async () => {
  const include = ['connectors/registry.ts', ...OWN.map((folder) => `${folder}/*.ts`), ...TESTS]
  writeFileSync(join(clone, 'tsconfig.new.json'), JSON.stringify({ extends: './tsconfig.json', include }))
  await Promise.all([
    run('typescript/bin/tsc', '-p', 'tsconfig.new.json'),
    run('prettier/bin/prettier.cjs', '--check', 'connectors/registry.ts', ...OWN, ...TESTS),
    run('oxlint/bin/oxlint', '--deny-warnings', ...OWN, ...TESTS),
  ])
}, 120_000)

it('passes the acceptance suite and its own test', async () => {
  const names = ['tests/db/acceptance.test.ts', '-t', `connector ${NAME} `]
  const said = await run('vitest/vitest.mjs', 'run', '--project', 'db', '--reporter', 'json', ...names)
  const { numPassedTests, numFailedTests } = JSON.parse(said.slice(said.indexOf('{"'))) as Record<string, number>
  expect({ numPassedTests, numFailedTests }).toEqual({ numPassedTests: 7, numFailedTests: 0 })
  await run('vitest/vitest.mjs', 'run', '--project', 'unit', `tests/unit/${NAME}.test.ts`)
}, 120_000)

it('is at most six files and two lines of the registry', () => {
  const { files } = scaffold(NAME)
  expect(Object.keys(files).filter((path) => path.startsWith('connectors/')).length).toBeLessThanOrEqual(6)
  const before = readFileSync(join(root, 'connectors/registry.ts'), 'utf8').split('\n')
  const after = readFileSync(join(clone, 'connectors/registry.ts'), 'utf8').split('\n')
  expect(after.filter((line) => !before.includes(line))).toEqual([
    `import { acmeWms } from './acme-wms/index.ts'`,
    `  'acme-wms': acmeWms,`,
  ])
})

it('overwrites nothing, and takes no name that is none', async () => {
  await expect(newConnector(NAME, clone)).rejects.toThrow(/there already/)
  await expect(newConnector('../evil', clone)).rejects.toThrow(/lower-case/)
  await expect(newConnector('acme', relative(root, '/'))).rejects.toThrow(/clone/)
  expect(() => register('', scaffold('x'))).toThrow(RangeError)
})
