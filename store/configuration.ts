/** Applies a configuration file: all of it or nothing; an entry that did not change keeps its version. */
import { isDeepStrictEqual } from 'node:util'
import { defaultPolicy, Policy } from '../domain/policy.ts'
import { one, transaction, type Pool, type Tx } from './db.ts'
import { seal, unseal, type SecretKey } from './secrets.ts'
import { sidesOf, type Side } from './sides.ts'
import { secretsContext, stoppedTaskKey } from './connections.ts'
import { applyStockSide } from './stockSides.ts'
import { setCampaign } from './campaigns.ts'
import { setListing } from './listings.ts'
import { applyPacking } from './packingConfiguration.ts'
import { missingReferences } from './references.ts'
import { closeTasks } from './tasks.ts'
import {
  ConfigurationDocument,
  fromEnvironment,
  InvalidConfiguration,
  problemsOf,
  type ConfigurationProblem,
  type ConnectorDefinition,
} from './configuration-schema.ts'

export { InvalidConfiguration, type ConfigurationProblem, type ConnectorDefinition } from './configuration-schema.ts'

export interface ApplyOptions {
  env?: Record<string, string | undefined>
}
export interface ApplyResult {
  connections: { name: string; connector: string; version: number; change: 'created' | 'changed' | 'unchanged' }[]
  locations: number
  products: number
  aliases: number
  settingsVersion: number
}

type Json = Record<string, unknown>
interface Prepared {
  name: string
  connector: string
  config: Json
  secrets: Json | null
  paused: boolean | undefined
  sides: Side[]
}

const LOCK = 7_401_923

/** As JSON would bring it back, so that it compares equal with what the database holds. */
const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json

function prepare(
  document: ConfigurationDocument,
  connectors: Record<string, ConnectorDefinition>,
  env: Record<string, string | undefined>,
) {
  const problems: ConfigurationProblem[] = []
  const seen = new Set<string>()
  const prepared: Prepared[] = []
  for (const [index, entry] of document.connections.entries()) {
    const path = `connections[${index}]`
    if (seen.has(entry.name)) {
      problems.push({
        path: `${path}.name`,
        value: JSON.stringify(entry.name),
        message: 'appears twice',
        remedy: 'Give each connection its own name.',
      })
    }
    seen.add(entry.name)
    const connector = Object.hasOwn(connectors, entry.connector) ? connectors[entry.connector] : undefined
    if (!connector) {
      problems.push({
        path: `${path}.connector`,
        value: JSON.stringify(entry.connector),
        message: 'there is no such connector',
        remedy: `Use one of ${Object.keys(connectors).sort().join(', ')}.`,
      })
      continue
    }
    for (const [field, what] of [
      ['push', 'takes no stock levels'],
      ['read', 'tells no stock levels'],
    ] as const) {
      if (entry.stock?.[field] !== true || connector.stock?.[field] !== undefined) continue
      problems.push({
        path: `${path}.stock.${field}`,
        value: 'true',
        message: `the connector ${entry.connector} ${what}`,
        remedy: 'Leave it out, or set it to false.',
      })
    }
    const before = problems.length
    const raw = fromEnvironment(entry.config, `${path}.config`, env, problems)
    if (problems.length > before) continue // its schema would complain of the same places
    const parsed = connector.configSchema.safeParse(raw)
    if (!parsed.success) {
      problems.push(...problemsOf(parsed.error, raw, `${path}.config`, connector.secretFields))
      continue
    }
    const entries = Object.entries(plain(parsed.data))
    const secrets = entries.filter(([field]) => connector.secretFields.includes(field))
    prepared.push({
      name: entry.name,
      connector: entry.connector,
      paused: entry.paused,
      sides: sidesOf(connector),
      config: Object.fromEntries(entries.filter(([field]) => !connector.secretFields.includes(field))),
      secrets: secrets.length ? Object.fromEntries(secrets) : null,
    })
  }
  return { problems, prepared }
}

async function applyConnection(tx: Tx, secretKey: SecretKey, entry: Prepared): Promise<ApplyResult['connections'][number]> {
  const { rows } = await tx.query<{ connector: string; version: number; config: Json; secrets: Buffer | null }>(
    'select connector, version, config, secrets from connections where name = $1 for update',
    [entry.name],
  )
  const old = rows[0]
  const oldSecrets = old?.secrets ? opened(secretKey, entry.name, old.secrets) : null
  const sameSecrets = old !== undefined && old.connector === entry.connector && isDeepStrictEqual(oldSecrets, entry.secrets)
  const change = !old ? 'created' : sameSecrets && isDeepStrictEqual(old.config, entry.config) ? 'unchanged' : 'changed'
  const version = !old ? 1 : change === 'changed' ? old.version + 1 : old.version
  if (change !== 'unchanged') {
    await tx.query(
      `insert into connections (name, connector, version, config, secrets) values ($1, $2, $3, $4, $5)
       on conflict (name) do update set connector = excluded.connector, version = excluded.version, config = excluded.config,
         secrets = excluded.secrets, updated_at = now()`,
      [
        entry.name,
        entry.connector,
        version,
        entry.config,
        entry.secrets && seal(secretKey, secretsContext(entry.name), entry.secrets),
      ],
    )
    await tx.query('insert into connection_versions (name, version, connector, config) values ($1, $2, $3, $4)', [
      entry.name,
      version,
      entry.connector,
      entry.config,
    ])
  }
  await tx.query('update connections set sides = $2 where name = $1 and sides <> $2', [entry.name, entry.sides])
  if (entry.paused !== undefined)
    await tx.query('update connections set paused = $2 where name = $1 and paused <> $2', [entry.name, entry.paused])
  await tx.query('update connection_state set stopped_reason = null where connection = $1', [entry.name])
  await closeTasks(tx, { key: stoppedTaskKey(entry.name) }, 'applied again')
  // New credentials: tokens made with the old ones are void. Otherwise they stay, since a rotated refresh token exists only there.
  if (old && !sameSecrets) {
    await tx.query(
      'update connection_state set tokens = null, tokens_expire_at = null, tokens_version = tokens_version + 1 where connection = $1',
      [entry.name],
    )
  }
  return { name: entry.name, connector: entry.connector, version, change }
}

/** Null when the stored secrets do not open (the key was changed): applying the file again is the remedy we promise. */
function opened(secretKey: SecretKey, name: string, sealed: Buffer): Json | null {
  try {
    return unseal(secretKey, secretsContext(name), sealed) as Json
  } catch {
    return null
  }
}

async function applyLocations(tx: Tx, locations: ConfigurationDocument['locations']): Promise<void> {
  if (locations.length === 0) return
  await tx.query(
    `insert into locations (id, name, kind, zone, ships, priority, warehouse_connection, courier_home, courier_cvs, sender)
     select id, name, kind, zone, ships and kind in ('warehouse', 'store'), priority, "warehouseConnection", "courierHome", "courierCvs", sender
     from jsonb_to_recordset($1) as l(id text, name text, kind text, zone text, ships boolean, priority integer,
       "warehouseConnection" text, "courierHome" text, "courierCvs" text, sender jsonb)
     on conflict (id) do update set name = excluded.name, kind = excluded.kind, zone = excluded.zone, ships = excluded.ships,
       priority = excluded.priority, warehouse_connection = excluded.warehouse_connection, courier_home = excluded.courier_home,
       courier_cvs = excluded.courier_cvs, sender = excluded.sender`,
    [JSON.stringify(locations)],
  )
  for (const { id, openingHours } of locations) {
    if (openingHours === null) await tx.query('delete from store_hours where location = $1', [id])
    else if (openingHours !== undefined)
      await tx.query(
        'insert into store_hours (location, hours) values ($1, $2) on conflict (location) do update set hours = excluded.hours',
        [id, openingHours],
      )
  }
}

async function applyProducts(tx: Tx, products: ConfigurationDocument['products']): Promise<void> {
  if (products.length === 0) return
  await tx.query(
    `insert into products (sku, name, barcode, weight_grams, temperature, stock_policy, low_stock, backorder_days, hold_ttl_ms, category, family, variant, substitutes)
     select sku, name, barcode, "weightGrams", temperature, "stockPolicy", "lowStockQuantity", "backorderDays", "holdTtlMs", category, family, variant,
       array(select jsonb_array_elements_text(substitutes))
     from jsonb_to_recordset($1) as p(sku text, name text, barcode text, "weightGrams" integer, temperature text,
       "stockPolicy" text, "lowStockQuantity" integer, "backorderDays" integer, "holdTtlMs" bigint, category text, family text, variant text, substitutes jsonb)
     on conflict (sku) do update set name = excluded.name, barcode = excluded.barcode, weight_grams = excluded.weight_grams,
       temperature = excluded.temperature, stock_policy = excluded.stock_policy, low_stock = excluded.low_stock,
       backorder_days = excluded.backorder_days, hold_ttl_ms = excluded.hold_ttl_ms, category = excluded.category,
       family = excluded.family, variant = excluded.variant, substitutes = excluded.substitutes`,
    [JSON.stringify(products)],
  )
}

async function applyAliases(tx: Tx, aliases: ConfigurationDocument['aliases']): Promise<void> {
  if (aliases.length === 0) return
  await tx.query(
    `insert into sku_aliases (channel, external_sku, sku) select channel, "externalSku", sku
     from jsonb_to_recordset($1) as a(channel text, "externalSku" text, sku text)
     on conflict (channel, external_sku) do update set sku = excluded.sku`,
    [JSON.stringify(aliases)],
  )
}

async function applyPolicy(tx: Tx, policy: ConfigurationDocument['policy']): Promise<number> {
  const { rows } = await tx.query<{ version: number; policy: unknown }>(
    'select version, policy from settings order by version desc limit 1',
  )
  const current = rows[0]
  if (!policy) return current?.version ?? 1
  const wanted = Policy.parse({ ...defaultPolicy, ...policy })
  if (current && isDeepStrictEqual(Policy.parse(current.policy), wanted)) return current.version
  return one(
    (
      await tx.query<{ version: number }>('insert into settings (version, policy) values ($1, $2) returning version', [
        (current?.version ?? 0) + 1,
        wanted,
      ])
    ).rows,
  ).version
}

function duplicates(path: string, field: string, keys: string[]): ConfigurationProblem[] {
  const seen = new Set<string>()
  return keys.flatMap((key, index) =>
    seen.size < seen.add(key).size
      ? []
      : [
          {
            path: `${path}[${index}].${field}`,
            value: JSON.stringify(key),
            message: 'appears twice',
            remedy: 'Keep one of them.',
          },
        ],
  )
}

/**
 * @param document the parsed content of a configuration file.
 * @param connectors the registry: which connectors there are, their schemas and secret fields.
 * @throws InvalidConfiguration with every problem; nothing was applied then.
 */
export async function applyConnections(
  pool: Pool,
  secretKey: SecretKey,
  document: unknown,
  connectors: Record<string, ConnectorDefinition>,
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  const parsed = ConfigurationDocument.safeParse(document)
  if (!parsed.success) throw new InvalidConfiguration(problemsOf(parsed.error, document))
  const file = parsed.data
  const { problems, prepared } = prepare(file, connectors, options.env ?? process.env)
  problems.push(
    ...duplicates(
      'locations',
      'id',
      file.locations.map((l) => l.id),
    ),
    ...duplicates(
      'aliases',
      'externalSku',
      file.aliases.map((a) => `${a.channel} ${a.externalSku}`),
    ),
  )
  return transaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = '60s'; set local lock_timeout = '10s'`)
    await tx.query('select pg_advisory_xact_lock($1)', [LOCK]) // two files at once would fight over versions
    const all = [...problems, ...(await missingReferences(tx, file, connectors))]
    if (all.length > 0) throw new InvalidConfiguration(all)
    const connections: ApplyResult['connections'] = []
    for (const entry of prepared) connections.push(await applyConnection(tx, secretKey, entry))
    await applyLocations(tx, file.locations)
    await applyProducts(tx, [...new Map(file.products.map((p) => [p.sku, p])).values()]) // the last word counts
    await applyPacking(tx, file)
    await applyAliases(tx, file.aliases)
    // One that is closed stays as it was judged.
    for (const campaign of file.campaigns) await setCampaign(tx, campaign)
    for (const listing of file.listings) await setListing(tx, listing, 'file')
    for (const { name, stock } of file.connections) if (stock !== undefined) await applyStockSide(tx, name, stock)
    // Locations, products and aliases may have changed what any channel is to show, and its own config its channel's name.
    await tx.query('update stock_sides set recompute = true, channel = null, list_due_at = now()')
    await tx.query('insert into stock_changes (sku) select sku from products where low_stock is not null')
    return {
      connections,
      locations: file.locations.length,
      products: file.products.length,
      aliases: file.aliases.length,
      settingsVersion: await applyPolicy(tx, file.policy),
    }
  })
}
