/** docs/connectors.md and the configuration tables of docs/connectors/*.md, from the registry and from what the suite saw. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { capabilitiesOf, capabilityNames, titleOf } from '../../connectors/kit/capabilities.ts'
import { configFields } from '../../connectors/kit/describe.ts'
import type { Connector } from '../../connectors/kit/types.ts'
import { root } from '../harness/paths.ts'
import { checks } from './checks.ts'

export type Mark = '✓' | '-' | '✗'
/** By connector, then by column. */
export type Seen = Map<string, Map<string, Mark>>
type Registry = Readonly<Record<string, Connector>>

const FOLDER = join(root, 'docs/connectors')

/** Its own page, or that of its family (`cyberbiz-pos` is told in cyberbiz.md). Null when there is none. */
export const pageOf = (name: string): string | null =>
  [name, name.split('-')[0] ?? name].map((each) => `${each}.md`).find((file) => existsSync(join(FOLDER, file))) ?? null

const cells = (values: string[]): string => `| ${values.join(' | ')} |`
const head = (titles: string[]): string[] => [cells(titles), `|${titles.map(() => '---').join('|')}|`]
const linked = (name: string): string => `[${name}](connectors/${pageOf(name) ?? `${name}.md`})`

export const checkRow = (name: string, marks: ReadonlyMap<string, Mark>): string =>
  cells([linked(name), ...checks.map(({ column }) => marks.get(column) ?? '?')])

export function capabilityTable(connectors: Registry): string[] {
  const all = Object.values(connectors)
  const shown = capabilityNames.filter((name) => all.some((connector) => capabilitiesOf(connector).includes(name)))
  return [
    ...head(['Connector', 'System', ...shown.map(titleOf)]),
    ...all
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((connector) => {
        const has = new Set(capabilitiesOf(connector))
        return cells([linked(connector.name), connector.title, ...shown.map((name) => (has.has(name) ? '✓' : ''))])
      }),
  ]
}

export const connectorsPage = (connectors: Registry, seen: Seen): string =>
  [
    '# Connectors',
    '',
    '<!-- Written by scripts/connectors-table.mjs; tests compare it with the registry and with what the suite saw. -->',
    '',
    'How one is written: [add-a-connector.md](add-a-connector.md). The same at the command line: `npx omnisaga connectors`,',
    '`npx omnisaga connector show NAME [--json]`; over HTTP: `GET /api/v1/connectors/{name}`.',
    '',
    '## What each can do',
    '',
    ...capabilityTable(connectors),
    '',
    '## What each was seen to do',
    '',
    'Every connector runs the same suite against its stand-in, over a real PostgreSQL (`npm test -- --project db acceptance`).',
    '✓ did it; - has nothing of the kind, so it cannot be asked. A capability that is not shown fails the suite.',
    '',
    ...checks.map(({ column, title }) => `- **${column}**: ${title.replace(/^[\w-]+: /, '')}`),
    '',
    ...head(['Connector', ...checks.map(({ column }) => column)]),
    ...[...seen.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, marks]) => checkRow(name, marks)),
    '',
  ].join('\n')

const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``

export const configTable = (connector: Connector): string[] => [
  ...head(['Key', 'Type', 'Default', 'What it is']),
  ...configFields(connector).map((field) =>
    cells([
      code(field.name),
      field.type.replaceAll('|', '\\|'),
      field.required ? 'required' : field.default === null ? '' : code(field.default),
      [field.secret ? 'Secret.' : '', field.description.replaceAll('|', '\\|').replaceAll('\n', ' ')].filter(Boolean).join(' '),
    ]),
  ),
]

const CONFIG = /<!-- config:([\w-]+) -->\n[\s\S]*?<!-- \/config -->/g

/** A page with its configuration tables as they should be. */
export const withConfigTables = (page: string, connectors: Registry): string =>
  page.replaceAll(CONFIG, (whole, name: string) => {
    const connector = connectors[name]
    return connector ? [`<!-- config:${name} -->`, ...configTable(connector), '<!-- /config -->'].join('\n') : whole
  })

export const pages = (): { path: string; text: string }[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.md'))
    .map((file) => ({ path: join(FOLDER, file), text: readFileSync(join(FOLDER, file), 'utf8') }))
