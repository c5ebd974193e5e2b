import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectors } from '../../connectors/registry.ts'
import { configFields } from '../../connectors/kit/describe.ts'
import { capabilityTable, pageOf, pages, withConfigTables } from '../acceptance/page.ts'
import { root } from '../harness/paths.ts'

const HOW = 'node scripts/connectors-table.mjs writes it'

test('docs/connectors.md says what each connector in the registry can do', () => {
  const page = readFileSync(join(root, 'docs/connectors.md'), 'utf8').split('\n')
  expect(
    capabilityTable(connectors).filter((row) => !page.includes(row)),
    HOW,
  ).toEqual([])
})

test('every connector has a page, with the table of its configuration', () => {
  const without = Object.keys(connectors).filter(
    (name) => pageOf(name) === null || !pages().some(({ text }) => text.includes(`<!-- config:${name} -->`)),
  )
  expect(without).toEqual([])
  for (const { path, text } of pages()) expect(text, `${path}: ${HOW}`).toBe(withConfigTables(text, connectors))
})

test('every key of a configuration is described', () => {
  const silent = Object.values(connectors).flatMap((connector) =>
    configFields(connector).flatMap(({ name, description }) => (description === '' ? [`${connector.name}.${name}`] : [])),
  )
  expect(silent).toEqual([])
})

test('a misspelt key of a configuration or of its quota is refused by name', () => {
  for (const connector of Object.values(connectors)) {
    const hasQuota = configFields(connector).some(({ name }) => name === 'quota')
    const given = { pullEveryMillis: 1, ...(hasQuota ? { quota: { perMinute: 1 } } : {}) }
    const refused = connector.configSchema
      .safeParse(given)
      .error?.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []))
    expect(refused?.toSorted(), connector.name).toEqual(hasQuota ? ['perMinute', 'pullEveryMillis'] : ['pullEveryMillis'])
  }
})
