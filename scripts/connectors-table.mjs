// Writes docs/connectors.md and the configuration tables of docs/connectors/*.md: runs the acceptance suite and writes down what it saw.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { register } from 'tsx/esm/api'
import { root, setupOrExit } from './setup.mjs'

await setupOrExit({ tests: true })
register()
const { connectors } = await import('../connectors/registry.ts')
const { checks } = await import('../tests/acceptance/checks.ts')
const { connectorsPage, pageOf, pages, withConfigTables } = await import('../tests/acceptance/page.ts')

const folder = mkdtempSync(join(tmpdir(), 'omnisaga-table-'))
const output = join(folder, 'results.json')
const suite = ['run', '--project', 'db', 'tests/db/acceptance.test.ts', '--reporter=json', `--outputFile=${output}`]
spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...suite], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
})
const results = JSON.parse(readFileSync(output, 'utf8')).testResults.flatMap((file) => file.assertionResults)
rmSync(folder, { recursive: true })

const columns = new Map(checks.map(({ title, column }) => [title, column]))
const marks = { passed: '✓', failed: '✗' }
const seen = new Map()
const failed = []
for (const { ancestorTitles, title, status } of results) {
  const name = /^connector (\S+)$/.exec(ancestorTitles[0] ?? '')?.[1]
  const column = columns.get(title)
  if (name === undefined || column === undefined) continue
  if (!seen.has(name)) seen.set(name, new Map())
  seen.get(name).set(column, marks[status] ?? '-')
  if (status === 'failed') failed.push(`${name}: ${title}`)
}
writeFileSync(join(root, 'docs/connectors.md'), connectorsPage(connectors, seen))
for (const name of Object.keys(connectors)) {
  const file = pageOf(name)
  if (file === null) console.error(`missing docs/connectors/${name}.md`)
  else if (!pages().some(({ text }) => text.includes(`<!-- config:${name} -->`)))
    appendFileSync(
      join(root, 'docs/connectors', file),
      `\n## Configuration of \`${name}\`\n\n<!-- config:${name} -->\n<!-- /config -->\n`,
    )
}
for (const { path, text } of pages()) writeFileSync(path, withConfigTables(text, connectors))
const { profile } = await import('../connectors/wms-rest/shapes.ts')
writeFileSync(join(root, 'docs/connectors/wms-rest.openapi.json'), `${JSON.stringify(profile(), null, 2)}\n`)
for (const line of failed) console.error(`failed  ${line}`)
process.exit(failed.length > 0 ? 1 : 0)
