/**
 * npm run test:peers [NAME...]: installs and starts the real systems that our connectors must agree with, runs the connectors and
 * whole orders through them, and prints what came of each. A peer that cannot start is a failure. Further
 * arguments that begin with a dash go to vitest.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root, setupOrExit } from './setup.mjs'

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))
const flags = args.filter((arg) => arg.startsWith('-'))

await setupOrExit({ tests: true })
const folder = join(root, '.cache', 'peers')
mkdirSync(folder, { recursive: true })
const results = join(folder, 'results.json')
rmSync(results, { force: true })

const vitest = spawn(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--config',
    join(root, 'tests', 'peers', 'vitest.config.ts'),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...flags,
    ...names.map((name) => `tests/peers/${name}.`),
  ],
  { cwd: root, stdio: 'inherit' },
)
// The terminal sends Ctrl-C to both; vitest stops its servers first, we wait for it.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => vitest.kill('SIGTERM'))
const code = await new Promise((done) => vitest.once('exit', (status) => done(status ?? 1)))

/** One line a file: its peer's name, what passed, what failed first. */
function rows() {
  let report
  try {
    report = JSON.parse(readFileSync(results, 'utf8'))
  } catch {
    return [] // vitest did not get so far; it has said why
  }
  return report.testResults.map((file) => {
    const tests = file.assertionResults
    const passed = tests.filter(({ status }) => status === 'passed').length
    const failed = tests.find(({ status }) => status === 'failed')
    const why = (failed ? `${failed.title}: ${failed.failureMessages[0]}` : file.message || 'it did not start').split('\n')[0]
    const good = file.status === 'passed' && passed === tests.length && passed > 0
    const seconds = ((file.endTime - file.startTime) / 1000).toFixed(0)
    return { name: basename(file.name).replace('.peer.test.ts', ''), good, passed, of: tests.length, seconds, why }
  })
}
const table = rows().toSorted((a, b) => a.name.localeCompare(b.name))
const width = Math.max(4, ...table.map(({ name }) => name.length))
console.log(`\n${'peer'.padEnd(width)}  result  passed  seconds`)
for (const { name, good, passed, of, seconds, why } of table)
  console.log(
    `${name.padEnd(width)}  ${good ? 'ok    ' : 'FAILED'}  ${`${passed}/${of}`.padEnd(6)}  ${seconds}${good ? '' : `  ${why}`}`,
  )
const wanted = names.length > 0 ? names : ['karrio', 'medusa', 'story', 'tryton', 'vendure']
const missing = wanted.filter((name) => !table.some((row) => row.name.includes(name)))
for (const name of missing) console.log(`${name.padEnd(width)}  FAILED  it was not run`)
process.exit(code !== 0 || missing.length > 0 || table.some(({ good }) => !good) ? 1 : 0)
