/** Another size or colour instead of what was tried on: held at once where there is one, as a line of its own. */
import type { Tx } from '../../store/db.ts'
import { holdAtFirst } from '../../store/ledger/between.ts'
import type { LineRecord, OrderRecord } from '../../store/orderRecord.ts'
import { zeroCounters } from '../../domain/phase.ts'
import { Refusal } from '../order/refusal.ts'
import { lowerAmounts } from '../order/tryOn.ts'
import { askForTransfers } from './bringing.ts'

/**
 * The pieces of these lines that are not kept are exchanged for as many of the other article, at the same price.
 * @param keep is extended by the new lines. @throws Refusal: nothing is left to exchange, or there is none of the other article.
 */
export async function exchangeLines(
  tx: Tx,
  record: OrderRecord,
  keep: Map<string, number>,
  exchange: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [lineId, sku] of Object.entries(exchange)) {
    const line = record.lines.find((candidate) => candidate.lineId === lineId)
    if (line === undefined)
      throw new Refusal(`there is no line ${lineId}; lines are ${record.lines.map((l) => l.lineId).join(', ')}`)
    const quantity = line.ordered - line.cancelled - (keep.get(lineId) ?? 0)
    if (quantity <= 0) throw new Refusal(`line ${lineId} is kept whole; keep fewer of it to exchange the rest`)
    if (sku === line.sku) throw new Refusal(`line ${lineId} is ${sku} already`)
    const added = await addLine(tx, record, line, sku, quantity)
    await holdOther(tx, record, added)
    keep.set(added.lineId, quantity)
    lowerAmounts(record, -quantity * (line.unitPriceMinor ?? 0))
  }
}

/** What leaves by courier is held where it can leave; else at the store, or where it can be brought from. */
async function holdOther(tx: Tx, record: OrderRecord, { lineId, sku, ordered }: LineRecord): Promise<void> {
  const { method, location: store } = record.doc.delivery
  const byCourier = method === 'home' || method === 'cvs'
  const { rows } = await tx.query<{ id: string }>(
    `select id from locations where ships or ($1::text = id and not $2)
     order by case when id = $1 and not $2 then 0 else 1 end, priority, id`,
    [store, byCourier],
  )
  const places = rows.map((row) => row.id)
  const wanted = {
    key: `${record.id}/exchange/${lineId}`,
    orderId: record.id,
    lineId,
    sku: sku ?? '',
    quantity: ordered,
    expiresAt: null,
  }
  const at = await holdAtFirst(tx, wanted, places)
  if (at === null)
    throw new Refusal(`there are not ${ordered} of ${sku} to be had; GET /api/v1/stock/alternatives shows what would do`)
  if (!byCourier && at !== store) await askForTransfers(tx, record)
}

async function addLine(
  tx: Tx,
  record: OrderRecord,
  { lineId: from, unitPriceMinor, gift }: LineRecord,
  sku: string,
  quantity: number,
): Promise<LineRecord> {
  const product = await tx.query<{ name: string | null; variant: string | null }>(
    'select name, variant from products where sku = $1',
    [sku],
  )
  if (product.rows[0] === undefined) throw new Refusal(`nobody knows the article ${sku}`)
  const serial = record.lines.filter((line) => line.lineId.startsWith(`${from}-x`)).length + 1
  const line: LineRecord = {
    ...zeroCounters(quantity),
    lineId: `${from}-x${serial}`,
    sku,
    externalSku: null,
    name: product.rows[0].name,
    variant: product.rows[0].variant,
    unitPriceMinor,
    gift,
    held: quantity,
  }
  await tx.query(
    `insert into order_lines (order_id, line_id, position, sku, external_sku, name, variant, unit_price_minor, gift, ordered, held)
     select $1, $2, coalesce(max(position), 0) + 1, $3, null, $4, $5, $6, $7, $8, $8 from order_lines where order_id = $1`,
    [record.id, line.lineId, sku, line.name, line.variant, unitPriceMinor, gift, quantity],
  )
  record.lines.push(line)
  return line
}
