/** A check that finds nothing in clean code proves little: each must find what is planted for it. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const repository = join(import.meta.dirname, '../..')
const timeout = 120_000
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'house-'))
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  for (const name of ['package.json', 'tsconfig.json', '.oxlintrc.json', '.dependency-cruiser.cjs'])
    copyFileSync(join(repository, name), join(folder, name))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const plant = (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}
const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}
const lint = () => run('node_modules/oxlint/bin/oxlint', '--deny-warnings')
const arrows = () => run('node_modules/dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', '.')
const determinism = () => run(join(repository, 'scripts/check-determinism.mjs'), join(folder, 'workflows/index.ts'))

describe('lint', { timeout }, () => {
  const planted: Record<string, string> = {
    'no-floating-promises': 'export const f = async (): Promise<void> => {}\nexport function g(): void {\n  f()\n}\n',
    'no-misused-promises': 'export const f = (): void => [1].forEach(async () => {\n  await Promise.resolve()\n})\n',
    'no-explicit-any': 'export const x: any = 1\n',
    'ban-ts-comment': '// @ts-ignore\nexport const x: number = "1"\n',
    'no-console': 'console.log(1)\n',
    'no-empty': 'try {\n  process.exit()\n} catch {}\n',
    'no-default-export': 'export default 1\n',
    'no-cycle': "import { other } from './other.ts'\nexport const x = (): number => other()\n",
    'no-focused-tests': "import { it, expect } from 'vitest'\nit.only('x', () => expect(1).toBe(1))\n",
    'no-disabled-tests': "import { it, expect } from 'vitest'\nit.skip('x', () => expect(1).toBe(1))\n",
  }

  it('finds each of what it forbids, in the file where it is', () => {
    plant(Object.fromEntries(Object.entries(planted).map(([rule, text]) => [`store/${rule}.test.ts`, text])))
    plant({ 'store/other.ts': "import { x } from './no-cycle.test.ts'\nexport const other = (): number => x()\n" })
    const { status, said } = run('node_modules/oxlint/bin/oxlint', '--deny-warnings', '--format=unix')
    const found = said.split('\n').flatMap((line) => /store\/([\w-]+)\.test\.ts:.*\(\1\)\]$/.exec(line)?.[1] ?? [])
    expect(new Set(found)).toEqual(new Set(Object.keys(planted)))
    expect(status).toBe(1)
  })

  it('lets commands print', () => {
    plant({ 'cli/a.ts': 'console.log(1)\n' })
    expect(lint()).toMatchObject({ status: 0 })
  })
})

describe('arrows', { timeout }, () => {
  const leaf = 'export const leaf = 1\nexport type Leaf = number\n'
  const importing = (path: string) => `import { leaf } from '${path}'\nexport const x = leaf\n`

  it('are found when they point the wrong way', () => {
    plant({
      'store/leaf.ts': leaf,
      'activities/leaf.ts': leaf,
      'connectors/b/leaf.ts': leaf,
      'server/leaf.ts': leaf,
      'tests/leaf.ts': leaf,
      'simulators/leaf.ts': leaf,
      'connectors/kit/leaf.ts': leaf,
      'domain/a.ts': importing('../store/leaf.ts'),
      'domain/io.ts': "import { readFileSync } from 'node:fs'\nexport const x = readFileSync\n",
      'store/a.ts': importing('../connectors/b/leaf.ts'),
      'mappings/a.ts': importing('../store/leaf.ts'),
      'connectors/a/store.ts': importing('../../store/leaf.ts'),
      'connectors/a/twin.ts': importing('../b/leaf.ts'),
      'workflows/a.ts': importing('../activities/leaf.ts'),
      'workflows/b.ts': "import { createHash } from 'node:crypto'\nexport const x = createHash\n",
      'workflows/c.ts': "import { z } from 'zod'\nexport const x = z\n",
      'activities/a.ts': importing('../server/leaf.ts'),
      'simulators/a.ts': importing('../connectors/kit/leaf.ts'),
      'server/a.ts': importing('../simulators/leaf.ts'),
      'cli/a.ts': importing('../tests/leaf.ts'),
      'server/dev.ts': "import { it } from 'vitest'\nexport const x = it\n",
      'server/lost.ts': importing('./nowhere.ts'),
      'store/cycle.ts': "import { b } from './cycle2.ts'\nexport const a = b\n",
      'store/cycle2.ts': "import { a } from './cycle.ts'\nexport const b = a\n",
    })
    const { status, said } = arrows()
    const found = said.split('\n').flatMap((line) => /error ([\w-]+): (\S+)/.exec(line)?.slice(1).join(' ') ?? [])
    expect(found.toSorted()).toEqual(
      [
        'domain-is-the-bottom domain/a.ts',
        'domain-does-no-io domain/io.ts',
        'store-above-domain store/a.ts',
        'mappings-above-domain mappings/a.ts',
        'connectors-above-domain connectors/a/store.ts',
        'connectors-stand-alone connectors/a/twin.ts',
        'workflows-know-activity-types-only workflows/a.ts',
        'workflows-have-one-library workflows/b.ts',
        'workflows-have-one-library workflows/c.ts',
        'activities-above-connectors activities/a.ts',
        'the-top-is-the-top activities/a.ts',
        'simulators-stand-alone simulators/a.ts',
        'simulators-are-for-demo-and-tests server/a.ts',
        'nobody-imports-tests cli/a.ts',
        'no-development-packages-in-the-product server/dev.ts',
        'resolvable server/lost.ts',
        'no-cycles store/cycle.ts',
      ].toSorted(),
    )
    expect(status).not.toBe(0)
  })

  it('are content with the right way, and with types of activities in workflows', () => {
    plant({
      'domain/leaf.ts': leaf,
      'store/a.ts': importing('../domain/leaf.ts'),
      'activities/leaf.ts': leaf,
      'activities/a.ts': importing('../store/a.ts').replace('leaf', 'x as leaf'),
      'workflows/a.ts': `import { sleep } from '@temporalio/workflow'\nimport type { Leaf } from '../activities/leaf.ts'\n${importing('../domain/leaf.ts')}export const y: Leaf = 1\nexport { sleep }\n`,
    })
    expect(arrows()).toMatchObject({ status: 0 })
  })
})

describe('determinism', { timeout }, () => {
  const workflow =
    "import { sleep } from '@temporalio/workflow'\nimport { x } from '../domain/x.ts'\nexport async function order(): Promise<unknown> {\n  await sleep(1)\n  return x()\n}\n"

  it('finds a Node built-in in what workflows import', () => {
    plant({
      'workflows/index.ts': workflow,
      'domain/x.ts': "import { createHash } from 'node:crypto'\nexport const x = (): unknown => createHash('md5')\n",
    })
    const { status, said } = determinism()
    expect(said).toContain('domain/x.ts')
    expect(said).toContain('node:crypto')
    expect(status).toBe(1)
  })

  it('finds globals that are not replayed in what workflows import', () => {
    const globals = ['process', 'performance', 'fetch', 'globalThis', 'Buffer', 'crypto', 'setInterval', 'console', 'WeakRef']
    plant({ 'workflows/index.ts': workflow, 'domain/x.ts': `export const x = (): unknown => [${globals.join(', ')}]\n` })
    const { status, said } = determinism()
    for (const name of globals) expect(said).toContain(`Unexpected use of '${name}'`)
    expect(status).toBe(1)
  })

  it('lets workflows use the time and the chance that the sandbox replays', () => {
    plant({ 'workflows/index.ts': workflow, 'domain/x.ts': 'export const x = (): number => Date.now() + Math.random()\n' })
    expect(determinism()).toMatchObject({ status: 0, said: expect.stringContaining('2 files in the workflow bundle') })
  })

  it('fails where there are no workflows', () => {
    expect(determinism()).toMatchObject({ status: 1, said: expect.stringContaining('no workflows at') })
  })
})

describe('the count at the end of .ci/run', () => {
  const suite = (name: string, ...tests: [string, string][]) => ({
    name: join(folder, name),
    status: tests.some(([, status]) => status === 'failed') ? 'failed' : 'passed',
    message: '',
    assertionResults: tests.map(([fullName, status]) => ({ fullName, status })),
  })
  const count = (files: Record<string, unknown>) => {
    plant(Object.fromEntries(Object.entries(files).map(([name, content]) => [`reports/${name}`, JSON.stringify(content)])))
    const { status, said } = run(join(repository, '.ci/count.mjs'), 'reports')
    return { status, said, last: said.trimEnd().split('\n').at(-1) }
  }
  const good = () => ({
    'tests.json': { testResults: [suite('a.test.ts', ['one', 'passed'], ['two', 'passed'])] },
    'tests.exit': 0,
    'checks.json': [{ name: 'types', ok: true }],
    'checks.exit': 0,
  })

  it('adds tests and checks', () => {
    expect(count(good())).toMatchObject({ status: 0, last: '3 passed, 0 failed' })
  })

  it('names each failed test and check', () => {
    const failing = {
      'tests.json': { testResults: [suite('a.test.ts', ['one', 'passed'], ['two', 'failed'])] },
      'tests.exit': 1,
      'checks.json': [
        { name: 'types', ok: true },
        { name: 'lint', ok: false },
      ],
      'checks.exit': 1,
    }
    const counted = count(failing)
    expect(counted).toMatchObject({ status: 1, last: '2 passed, 2 failed' })
    expect(counted.said).toContain('a.test.ts: two')
    expect(counted.said).toContain('node scripts/check.mjs lint')
  })

  it.each([
    ['a report that is missing', { 'tests.json': undefined }],
    [
      'a file that could not be loaded',
      {
        'tests.json': {
          testResults: [
            { name: 'b', status: 'failed', message: 'no such module', assertionResults: [] },
            suite('a.test.ts', ['one', 'passed'], ['two', 'passed']),
          ],
        },
        'tests.exit': 1,
      },
    ],
    ['an exit code that contradicts the report', { 'tests.exit': 1 }],
    ['a run that never ended', { 'checks.exit': undefined }],
  ])('counts %s as a failure', (_what, changed) => {
    const files = Object.fromEntries(Object.entries({ ...good(), ...changed }).filter(([, content]) => content !== undefined))
    const counted = count(files)
    expect(counted.status).toBe(1)
    expect(counted.last).toMatch(/^\d+ passed, 1 failed$/)
  })

  it('counts a run without tests as a failure', () => {
    expect(count({ ...good(), 'tests.json': { testResults: [] } })).toMatchObject({ status: 1, last: '1 passed, 1 failed' })
  })
})
