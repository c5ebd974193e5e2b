/**
 * Adds up the reports that .ci/run left in a folder: `tests.json` (vitest) and `checks.json`, each with the exit code of what wrote
 * it (`tests.exit`, `checks.exit`). A report that is missing, or an exit code that contradicts it, counts as one failure.
 * Prints what failed and where to look, then the one line `N passed, N failed`.
 */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const folder = process.argv[2]
if (folder === undefined) {
  console.error('usage: node .ci/count.mjs FOLDER')
  process.exit(2)
}

let passed = 0
let skipped = 0
const failures = []

/** @returns the parsed report, or null after counting its absence as a failure. */
function report(name) {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
  } catch {
    failures.push(`${name}: ended without a report; see the first error above`)
    return null
  }
}
function exitCode(name) {
  try {
    return Number(readFileSync(join(folder, `${name}.exit`), 'utf8'))
  } catch {
    return 1 // never written: it did not end
  }
}

const tests = report('tests')
if (tests !== null) {
  const before = failures.length
  for (const suite of tests.testResults) {
    const file = relative(process.cwd(), suite.name)
    const failed = suite.assertionResults.filter(({ status }) => status === 'failed')
    for (const test of failed) failures.push(`${file}: ${test.fullName}`)
    // A file that could not be loaded fails without any test of its own.
    if (suite.status === 'failed' && failed.length === 0) failures.push(`${file}: ${String(suite.message).split('\n')[0]}`)
    passed += suite.assertionResults.filter(({ status }) => status === 'passed').length
    skipped += suite.assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').length
  }
  if (tests.testResults.length === 0) failures.push('tests: not one test was found')
  else if (exitCode('tests') !== 0 && failures.length === before)
    failures.push(`tests: npm test ended with ${exitCode('tests')} though each test passed`)
}

const checks = report('checks')
if (checks !== null) {
  for (const { name, ok } of checks) {
    if (ok) passed++
    else failures.push(`check ${name}: node scripts/check.mjs ${name}`)
  }
  if (exitCode('checks') !== 0 && checks.every(({ ok }) => ok)) failures.push(`checks: ended with ${exitCode('checks')}`)
}

console.log('')
if (skipped > 0) console.log(`Not run: ${skipped} tests (skipped)`)
if (failures.length > 0) console.log(`Failed:\n${failures.map((line) => `  ${line}`).join('\n')}\nReports: ${folder}`)
console.log(`${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 ? 0 : 1
