/** Levels inward: what WMS, POS and ERP count, compared with the ledger; a difference is repaired or becomes a person's. */
import type { ExternalLevel } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { meaningsOf } from '../store/listings.ts'
import { leaveDrift, listDrift, noteDrift, repairDrift, type ReadingReport, type ReadLevel } from '../store/stockDrift.ts'
import { takeDue } from '../store/stockSides.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import type { Runtime } from './runtime.ts'
import { inLane, soonerAfterFailure } from './stockLanes.ts'
import { stopAndTell } from './stopped.ts'

export async function startReading(runtime: Runtime): Promise<number> {
  for (const connection of await takeDue(runtime.pool, 'read'))
    inLane(runtime, 'read', connection, () =>
      soonerAfterFailure(runtime, 'read', connection, () => readStock(runtime, connection)),
    )
  return 0
}

/** One reading of one connection, to its end. What it does not mention is not judged. */
export async function readStock(runtime: Runtime, connection: string): Promise<ReadingReport> {
  const { connector, context } = await runtime.connection(connection)
  if (connector.stock?.read === undefined)
    throw new OmnisagaError('Invalid', `${connector.title} tells no stock levels`, {
      code: 'no-read',
      remedy: 'Set "read": false in the section "stock" of this connection.',
    })
  const channel = connector.identity?.(context.connection).channel ?? connector.name
  const ours = new Set((await runtime.pool.query<{ id: string }>('select id from locations')).rows.map(({ id }) => id))
  const sums = new Map<string, ReadLevel>()
  const unmapped = new Set<string>()
  const unknown = new Set<string>()
  let levels = 0
  try {
    for await (const page of connector.stock.read(context)) {
      levels += page.length
      const skuOf = await skusOf(runtime, connection, channel, page)
      for (const level of page) {
        const sku = skuOf.get(level.externalSku)
        if (level.location === null || !ours.has(level.location)) unmapped.add(level.externalLocation)
        else if (sku === undefined) unknown.add(level.externalSku)
        else add(sums, sku, level.location, level)
      }
    }
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'Misconfigured' && error.code !== 'stopped')
      await stopAndTell(runtime.pool, connection, error)
    throw error
  }
  const { drifting, repaired } = await settleDrift(runtime, connection, [...sums.values()])
  const report = {
    at: new Date().toISOString(),
    levels,
    unmappedLocations: [...unmapped].sort(),
    unknownSkus: [...unknown].sort().slice(0, 20),
    unknownSkuCount: unknown.size,
    drifting,
    repaired,
  }
  await runtime.pool.query('update stock_sides set last_read = $2 where connection = $1', [connection, report])
  return { connection, ...report }
}

/** Several places of theirs may be one location of ours; the oldest count of them is what the sum is good for. */
function add(sums: Map<string, ReadLevel>, sku: string, location: string, { onHand, at }: ExternalLevel): void {
  const key = `${location}\u0000${sku}`
  const known = sums.get(key)
  if (known === undefined) sums.set(key, { sku, location, onHand, at })
  else {
    known.onHand += onHand
    if (at !== null && (known.at === null || Date.parse(at) < Date.parse(known.at))) known.at = at
  }
}

/** By the listing map (single pieces), an alias of the channel, our own SKU; what none of them knows is not in the answer. */
async function skusOf(
  runtime: Runtime,
  connection: string,
  channel: string,
  page: ExternalLevel[],
): Promise<Map<string, string>> {
  const numbers = [...new Set(page.map(({ externalSku }) => externalSku))]
  const known = await runtime.pool.query<{ number: string; sku: string }>(
    `select n.number, coalesce(a.sku, p.sku) as sku from unnest($1::text[]) as n(number)
     left join sku_aliases a on a.channel = $2 and a.external_sku = n.number left join products p on p.sku = n.number
     where coalesce(a.sku, p.sku) is not null`,
    [numbers, channel],
  )
  const found = new Map(known.rows.map(({ number, sku }) => [number, sku]))
  for (const [number, parts] of await meaningsOf(runtime.pool, connection, numbers)) {
    const [part] = parts
    if (parts.length === 1 && part?.quantity === 1) found.set(number, part.sku)
    else found.delete(number)
  }
  return found
}

async function settleDrift(runtime: Runtime, connection: string, levels: ReadLevel[]) {
  const side = await runtime.pool.query<{ mode: 'report' | 'repair'; tolerance: number }>(
    'select drift_mode as mode, drift_tolerance as tolerance from stock_sides where connection = $1',
    [connection],
  )
  const { mode, tolerance } = side.rows[0] ?? { mode: 'report' as const, tolerance: 0 }
  const counts = await noteDrift(runtime.pool, connection, levels, tolerance)
  let repaired = 0
  if (mode === 'repair') {
    for (const row of counts) if (await repairDrift(runtime.pool, row)) repaired += 1
  } else if (counts.length > 0) await leaveDrift(runtime.pool, counts, 'open', null)
  await tellDrift(runtime, connection)
  return { drifting: (await listDrift(runtime.pool, { connection })).length, repaired }
}

/** One task a connection, with the SKUs in it. */
async function tellDrift(runtime: Runtime, connection: string): Promise<void> {
  const key = `stock:${connection}:drift`
  const open = (await listDrift(runtime.pool, { connection })).filter(({ state }) => state !== 'seen')
  if (open.length === 0) {
    await closeTasks(runtime.pool, { key }, 'both count the same')
    return
  }
  const named = open.slice(0, 20).map(({ sku, location, theirs, ours, held, state }) => {
    return `${sku} at ${location}: ${theirs} there, ${ours} here${state === 'refused' ? `, of which ${held} are held for orders` : ''}`
  })
  await openTask(runtime.pool, {
    kind: 'stock.drift',
    key,
    connection,
    subject: connection,
    title: `${connection} counts ${open.length} ${open.length === 1 ? 'SKU' : 'SKUs'} differently`,
    detail: named.join('; ') + (open.length > named.length ? `; and ${open.length - named.length} more` : ''),
    remedy:
      'Count the shelf, then omnisaga stock set, or correct it there. Where goods are held for orders that are not there, change or cancel an order first. ' +
      'It closes by itself once both agree (omnisaga stock drift shows all of them).',
    field: 'skus',
    value: open
      .slice(0, 20)
      .map(({ sku }) => sku)
      .join(', '),
    actions: ['skip'],
  })
}
