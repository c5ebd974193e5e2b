/** The documents say what the code says: names that both hold are compared, links lead somewhere, the first steps' files work. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { connectors } from '../../connectors/registry.ts'
import { FACTS } from '../../domain/facts.ts'
import { Phase } from '../../domain/order.ts'
import { Policy } from '../../domain/policy.ts'
import { readOrders } from '../../mappings/files/index.ts'
import { invariants } from '../../store/auditInvariants.ts'
import { VERBS } from '../../store/commands.ts'
import { ConfigurationDocument } from '../../store/configuration-schema.ts'
import { root } from '../harness/paths.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')

const filesBelow = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))

const sources = ['activities', 'cli', 'connectors', 'server', 'store']
  .flatMap((folder) => filesBelow(folder, '.ts'))
  .concat('runtime.ts')

const missingIn = (document: string, names: Iterable<string>) => {
  const text = read(document)
  return [...names].filter((name) => !text.includes(name))
}

const quoted = (names: Iterable<string>) => [...names].map((name) => `\`${name}\``)

test('the README names every variable of the environment that the code reads', () => {
  const variables = new Set(sources.flatMap((file) => read(file).match(/\bOMNISAGA_[A-Z_]+[A-Z]/g) ?? []))
  expect(variables.size).toBeGreaterThan(4)
  expect(missingIn('README.md', quoted(variables))).toEqual([])
})

test('the architecture names every fact, phase, command and time limit', () => {
  const names = [...FACTS, ...Phase.options, ...VERBS, ...Object.keys(Policy.shape)]
  expect(missingIn('docs/architecture.md', quoted(names))).toEqual([])
})

test('the architecture names every kind of task', () => {
  const kinds = new Set(sources.flatMap((file) => read(file).match(/(?<=kind: .*)(?<=')[a-zA-Z]+\.[a-zA-Z]+(?=')/g) ?? []))
  expect(kinds.size).toBeGreaterThan(20)
  expect(missingIn('docs/architecture.md', quoted(kinds))).toEqual([])
})

test('the operations page says what to do for every invariant', () => {
  const ofTheEngine = ['every order not finished has a running workflow or an open task', 'no workflow fails its tasks']
  const names = [...Object.keys(invariants), 'stored phase equals derived phase', ...ofTheEngine]
  expect(
    missingIn(
      'docs/operations.md',
      names.map((name) => `| ${name} |`),
    ),
  ).toEqual([])
})

test('every link between the documents leads to a file', () => {
  const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...filesBelow('docs', '.md')]
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map((link) => link[1] ?? '')
      .filter((target) => !existsSync(join(root, dirname(document), target)))
      .map((target) => `${document}: ${target}`),
  )
  expect(broken).toEqual([])
})

test("the first steps' shop is a configuration that can be applied", () => {
  const shop = ConfigurationDocument.parse(JSON.parse(read('docs/first-steps/shop.json')))
  for (const { connector, config } of shop.connections)
    expect(connectors[connector]?.configSchema.safeParse(config).success).toBe(true)
  expect(shop.locations.map(({ id }) => id)).toEqual(['warehouse', 'store-xinyi'])
})

test("the first steps' file has two orders that can be read and one wrong quantity", async () => {
  const path = join(root, 'docs/first-steps/orders.csv')
  const found = await readOrders(
    { path },
    { profile: 'momo', connection: 'momo', channel: 'momo', shop: 'TP000123', zone: 'Asia/Taipei' },
  )
  expect(found.orders.map(({ order }) => order.externalId)).toEqual(['M-1001', 'M-1003'])
  expect(found.errors.map(({ row, column, value }) => ({ row, column, value }))).toEqual([
    { row: 3, column: '數量', value: '兩件' },
  ])
})
