/** Behind scripts/connectors-table.mjs: runs the acceptance suite and writes down what it saw. Exit 1 when a check failed. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectors } from '../../connectors/registry.ts'
import { profile } from '../../connectors/wms-rest/shapes.ts'
import { root } from '../harness/paths.ts'
import { checks } from './checks.ts'
import { connectorsPage, pageOf, pages, withConfigTables, type Mark } from './page.ts'

interface Results {
  testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[]
}

const folder = mkdtempSync(join(tmpdir(), 'omnisaga-table-'))
const output = join(folder, 'results.json')
const suite = ['run', '--project', 'db', 'tests/db/acceptance.test.ts', '--reporter=json', `--outputFile=${output}`]
spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...suite], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
})
const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Results
const results = testResults.flatMap((file) => file.assertionResults)
rmSync(folder, { recursive: true })

const columns = new Map(checks.map(({ title, column }) => [title, column]))
const marks: Record<string, Mark> = { passed: '✓', failed: '✗' }
const seen = new Map<string, Map<string, Mark>>()
const failed: string[] = []
for (const { ancestorTitles, title, status } of results) {
  const name = /^connector (\S+)$/.exec(ancestorTitles[0] ?? '')?.[1]
  const column = columns.get(title)
  if (name === undefined || column === undefined) continue
  seen.set(name, (seen.get(name) ?? new Map<string, Mark>()).set(column, marks[status] ?? '-'))
  if (status === 'failed') failed.push(`${name}: ${title}`)
}
writeFileSync(join(root, 'docs/connectors.md'), connectorsPage(connectors, seen))
for (const name of Object.keys(connectors)) {
  const file = pageOf(name)
  if (file === null) process.stderr.write(`missing docs/connectors/${name}.md\n`)
  else if (!pages().some(({ text }) => text.includes(`<!-- config:${name} -->`)))
    appendFileSync(
      join(root, 'docs/connectors', file),
      `\n## Configuration of \`${name}\`\n\n<!-- config:${name} -->\n<!-- /config -->\n`,
    )
}
for (const { path, text } of pages()) writeFileSync(path, withConfigTables(text, connectors))
writeFileSync(join(root, 'docs/connectors/wms-rest.openapi.json'), `${JSON.stringify(profile(), null, 2)}\n`)
for (const line of failed) process.stderr.write(`failed  ${line}\n`)
process.exit(failed.length > 0 ? 1 : 0)
