/** What the lines of an order mean, by the listing map of the connection it came through. */
import { explodeAll, isBundle, wholeOf, type Part } from '../domain/bundle.ts'
import { orderIdOf } from '../domain/ids.ts'
import type { IncomingOrder, OrderLine } from '../domain/order.ts'
import type { Queryable, Tx } from '../store/db.ts'
import { meaningsOf } from '../store/listings.ts'
import type { OrderRecord } from '../store/orderRecord.ts'
import { replaceLines } from './order/patch.ts'

const numberOf = (line: { sku: string | null; externalSku: string | null }) => line.externalSku ?? line.sku

/**
 * Bundles of a new order become their parts. An order that is known is told in the parts it was taken apart into then, whatever its
 * listing means by now: else every later telling would look like a change.
 */
export async function takeApart(db: Queryable, incoming: IncomingOrder): Promise<IncomingOrder> {
  const numbers = incoming.lines.map(numberOf).filter((number) => number !== null)
  const meanings = await meaningsOf(db, incoming.connection, [...new Set(numbers)])
  const id = orderIdOf(incoming.channel, incoming.shop, incoming.externalId)
  const known = await db.query<{ lineId: string; sku: string | null; externalSku: string | null }>({
    name: 'lines-as-known',
    text: `select line_id as "lineId", sku, external_sku as "externalSku" from order_lines where order_id = $1 order by position`,
    values: [id],
  })
  if (known.rows.length === 0)
    return { ...incoming, lines: explodeAll(incoming.lines, (line) => meanings.get(numberOf(line) ?? '')) }
  const byLine = new Map<string, Part[]>()
  const byNumber = new Map<string, Part[]>()
  for (const line of known.rows) {
    const whole = wholeOf(line)
    if (whole === null || line.sku === null) continue
    const parts = byLine.get(whole.lineId) ?? []
    parts.push({ sku: line.sku, quantity: whole.per })
    byLine.set(whole.lineId, parts)
    if (line.externalSku !== null) byNumber.set(line.externalSku, parts)
  }
  return {
    ...incoming,
    lines: explodeAll(incoming.lines, (line) => byLine.get(line.lineId) ?? byNumber.get(numberOf(line) ?? '')),
  }
}

/** Before anything is held: SKUs by the listing map, and bundles that were mapped after the order had come. */
export async function resolveListings(tx: Tx, record: OrderRecord): Promise<void> {
  const numbers = record.lines.map(numberOf).filter((number) => number !== null)
  const meanings = await meaningsOf(tx, record.connection, [...new Set(numbers)])
  if (meanings.size === 0) return
  const untouched = record.units.every((unit) => unit.state === 'cancelled') && record.lines.every((line) => line.held === 0)
  const meaning = (line: { lineId: string; sku: string | null; externalSku: string | null }) =>
    wholeOf(line) === null ? meanings.get(numberOf(line) ?? '') : undefined
  const lines: OrderLine[] = record.lines.map(({ lineId, sku, externalSku, name, variant, unitPriceMinor, gift, ordered }) => {
    return { lineId, sku, externalSku, name, variant, unitPriceMinor, gift, quantity: ordered }
  })
  if (untouched && lines.some((line) => isBundle(meaning(line) ?? []))) {
    await replaceLines(tx, record, explodeAll(lines, meaning))
  }
  for (const line of record.lines) {
    const parts = meaning(line)
    if (parts !== undefined && !isBundle(parts) && parts[0]) line.sku = parts[0].sku
  }
}
