/** What a configuration file names must exist, in the file or from an earlier one, and be of the right kind. */
import type { Routing } from '../domain/routing/types.ts'
import type { Queryable, Tx } from './db.ts'
import type { ConfigurationDocument, ConfigurationProblem, ConnectorDefinition } from './configuration-schema.ts'

type Check = (path: string, name: string) => ConfigurationProblem[]

const listed = (names: Iterable<string>) => [...names].sort().join(', ') || '(none yet)'
const problem = (path: string, name: string, message: string, remedy: string): ConfigurationProblem => ({
  path,
  value: JSON.stringify(name),
  message,
  remedy,
})

interface Checks {
  connection: Check
  courier: Check
  warehouse: Check
  location: Check
}

async function checksOf(
  tx: Queryable,
  document: Pick<ConfigurationDocument, 'connections' | 'locations'>,
  connectors: Record<string, ConnectorDefinition>,
): Promise<Checks> {
  const stored = await tx.query<{ name: string; connector: string }>('select name, connector from connections')
  const connections = new Map([...stored.rows, ...document.connections].map(({ name, connector }) => [name, connector]))
  const places = await tx.query<{ id: string }>('select id from locations')
  const locations = new Set([...places.rows, ...document.locations].map(({ id }) => id))

  const connection: Check = (path, name) =>
    connections.has(name)
      ? []
      : [
          problem(
            path,
            name,
            'there is no such connection',
            `Add it to "connections", or use one of ${listed(connections.keys())}.`,
          ),
        ]
  const withSide =
    (side: 'courier' | 'warehouse', message: string): Check =>
    (path, name) => {
      const missing = connection(path, name)
      if (missing.length > 0) return missing
      const can = (connector: string) => !Object.hasOwn(connectors, connector) || connectors[connector]?.[side] !== undefined
      if (can(connections.get(name) ?? '')) return [] // one of an unknown connector is complained of where it is configured
      const able = [...connections].filter(([, connector]) => can(connector)).map(([other]) => other)
      return [problem(path, name, message, able.length > 0 ? `Use one of ${listed(able)}.` : 'Add one to "connections" first.')]
    }
  const courier = withSide('courier', 'this connection books no parcels')
  const warehouse = withSide('warehouse', 'this connection is no warehouse')
  const location: Check = (path, id) =>
    locations.has(id)
      ? []
      : [problem(path, id, 'there is no such location', `Add it to "locations", or use one of ${listed(locations)}.`)]
  return { connection, courier, warehouse, location }
}

/** A wrong name in a rule or a tariff would never be an error later: it would just not be thought of. */
function ofRouting({ rules, tariffs, places }: Routing, { location, courier }: Checks, path: string): ConfigurationProblem[] {
  return [
    ...rules.flatMap((rule, index) =>
      'locations' in rule ? rule.locations.flatMap((id, at) => location(`${path}rules[${index}].locations[${at}]`, id)) : [],
    ),
    ...tariffs.flatMap((tariff, index) => courier(`${path}tariffs[${index}].courier`, tariff.courier)),
    ...Object.entries(places).flatMap(([id, place]) => [
      ...location(`${path}places.${id}`, id),
      ...place.couriers.flatMap((name, at) => courier(`${path}places.${id}.couriers[${at}]`, name)),
    ]),
  ]
}

/** Of rules that are tried before they are applied. */
export const missingInRouting = async (
  db: Queryable,
  routing: Routing,
  connectors: Record<string, ConnectorDefinition>,
): Promise<ConfigurationProblem[]> => ofRouting(routing, await checksOf(db, { connections: [], locations: [] }, connectors), '')

export async function missingReferences(
  tx: Tx,
  document: ConfigurationDocument,
  connectors: Record<string, ConnectorDefinition>,
): Promise<ConfigurationProblem[]> {
  const checks = await checksOf(tx, document, connectors)
  const { connection, courier, warehouse, location } = checks
  const stocked = await tx.query<{ sku: string }>('select sku from products where sku = any($1)', [
    document.aliases.map(({ sku }) => sku),
  ])
  const products = new Set([...stocked.rows, ...document.products].map(({ sku }) => sku))

  return [
    ...document.locations.flatMap((entry, index) => [
      ...(entry.warehouseConnection === null
        ? []
        : warehouse(`locations[${index}].warehouseConnection`, entry.warehouseConnection)),
      ...(['courierHome', 'courierCvs'] as const).flatMap((field) =>
        entry[field] === null ? [] : courier(`locations[${index}].${field}`, entry[field]),
      ),
    ]),
    ...document.listings.flatMap((entry, index) => connection(`listings[${index}].connection`, entry.connection)),
    ...document.aliases.flatMap(({ sku }, index) =>
      products.has(sku)
        ? []
        : [problem(`aliases[${index}].sku`, sku, 'there is no such product', 'Correct it, or add it to "products".')],
    ),
    ...document.connections.flatMap(({ stock }, index) =>
      (stock?.locations ?? []).flatMap((id, at) => location(`connections[${index}].stock.locations[${at}]`, id)),
    ),
    ...(document.policy?.routing === undefined ? [] : ofRouting(document.policy.routing, checks, 'policy.routing.')),
  ]
}
