/** Goods that left or came back without an order of ours (a sale at the till, one that a platform shipped) become movements of stock. */
import type { ExternalSale } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { transaction, type Pool, type Tx } from '../store/db.ts'
import { move } from '../store/ledger/operations.ts'
import { meaningsOf } from '../store/listings.ts'

interface SaleRecord {
  id: number
  connection: string
  eventAt: string | null
  /** Whose article numbers it uses. */
  channel: string
}
interface Booked {
  sku: string
  location: string
  /** Positive: sold. */
  quantity: number
}

/**
 * A sale told twice is booked once; of a newer version the difference is booked. What is known of it is booked also when a line is not.
 * @throws OmnisagaError Invalid that names what is missing: an article, a location, or the stock.
 */
export async function bookSale(pool: Pool, record: SaleRecord, sale: ExternalSale): Promise<void> {
  const problem = await transaction(pool, async (tx) => {
    const before = await lockSale(tx, record, sale)
    if (before === null) return null
    const { wanted, unknown } = await resolve(tx, record, sale)
    for (const [key, quantity] of differences(before.booked, wanted)) {
      const [sku = '', location = ''] = key.split('\u0000')
      await move(tx, {
        key: `sale:${record.connection}:${sale.externalId}:${before.revision + 1}:${sku}:${location}`,
        sku,
        location,
        quantity: -quantity,
        reason: 'sale',
        reference: `${record.connection}:${sale.externalId}`,
      })
    }
    await tx.query(
      `update sales set revision = $3, event_at = $4, inbox_id = $5, booked = $6, updated_at = now() where connection = $1 and external_id = $2`,
      [record.connection, sale.externalId, before.revision + 1, record.eventAt ?? sale.at, record.id, JSON.stringify(wanted)],
    )
    return unknown
  })
  if (problem !== null && problem.length > 0)
    throw new OmnisagaError('Invalid', `sale ${sale.externalId}: ${problem.join('; ')}; the rest is booked`, {
      code: 'sale',
      remedy: 'Name the article (an alias of this channel) or the location in a configuration, then retry.',
    })
}

/** @returns what is booked of it; null when a newer version is booked already. */
async function lockSale(tx: Tx, record: SaleRecord, sale: ExternalSale): Promise<{ revision: number; booked: Booked[] } | null> {
  await tx.query('insert into sales (connection, external_id, inbox_id) values ($1, $2, $3) on conflict do nothing', [
    record.connection,
    sale.externalId,
    record.id,
  ])
  const rows = await tx.query<{ revision: number; booked: Booked[]; isOlder: boolean }>(
    `select revision, booked, coalesce((event_at, inbox_id) > ($3::timestamptz, $4::bigint), false) as "isOlder" from sales
     where connection = $1 and external_id = $2 for update`,
    [record.connection, sale.externalId, record.eventAt ?? sale.at, record.id],
  )
  const row = rows.rows[0]
  return row === undefined || row.isOlder ? null : row
}

async function resolve(
  tx: Tx,
  { connection, channel }: SaleRecord,
  sale: ExternalSale,
): Promise<{ wanted: Booked[]; unknown: string[] }> {
  if (sale.location === null)
    return { wanted: [], unknown: [`connection ${connection} maps location ${sale.externalLocation} to none of ours`] }
  const rows = await tx.query<{ asked: string; sku: string }>(
    `select a.asked, coalesce(s.sku, p.sku) as sku from unnest($2::text[]) as a(asked)
     left join sku_aliases s on s.channel = $1 and s.external_sku = a.asked left join products p on p.sku = a.asked
     where s.sku is not null or p.sku is not null`,
    [channel, [...new Set(sale.lines.map((line) => line.externalSku))]],
  )
  const meanings = new Map(rows.rows.map(({ asked, sku }) => [asked, [{ sku, quantity: 1 }]]))
  const numbers = [...new Set(sale.lines.map((line) => line.externalSku))]
  for (const [number, parts] of await meaningsOf(tx, connection, numbers)) meanings.set(number, parts)
  const wanted: Booked[] = []
  const unknown: string[] = []
  for (const { lineId, externalSku, quantity } of sale.lines) {
    const parts = meanings.get(externalSku)
    if (parts === undefined) unknown.push(`line ${lineId}: article ${externalSku} is not known`)
    for (const part of parts ?? []) wanted.push({ sku: part.sku, location: sale.location, quantity: quantity * part.quantity })
  }
  return { wanted, unknown }
}

const totals = (booked: Booked[]): Map<string, number> => {
  const sums = new Map<string, number>()
  for (const { sku, location, quantity } of booked) {
    const key = `${sku}\u0000${location}`
    sums.set(key, (sums.get(key) ?? 0) + quantity)
  }
  return sums
}

/** By SKU and location what is to be booked out on top; in key order, as the ledger locks. */
function differences(before: Booked[], wanted: Booked[]): [string, number][] {
  const [was, is] = [totals(before), totals(wanted)]
  return [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .map((key): [string, number] => [key, (is.get(key) ?? 0) - (was.get(key) ?? 0)])
    .filter(([, quantity]) => quantity !== 0)
}
