/** What a change says, and how an order takes it over. */
import { z } from 'zod'
import { Address, Buyer, Delivery, OrderLine, Payment, Recipient, Totals } from '../../domain/order.ts'
import { zeroCounters } from '../../domain/phase.ts'
import type { Tx } from '../../store/db.ts'
import { release } from '../../store/ledger/operations.ts'
import { insertLines } from '../../store/orders.ts'
import type { OrderDoc, OrderRecord } from '../../store/orderRecord.ts'
import { closeTasks } from '../../store/tasks.ts'
import { Refusal } from './refusal.ts'

export const Patch = z.strictObject({
  buyer: Buyer.partial().optional(),
  recipient: Recipient.partial().extend({ address: Address.partial().nullable().optional() }).optional(),
  delivery: Delivery.partial().optional(),
  payment: Payment.partial().optional(),
  totals: Totals.partial().optional(),
  lines: z.array(OrderLine).min(1).optional(),
  notes: z.string().nullable().optional(),
  /** Says what a line's article is called here: `{"lineId": "sku"}`; remembered for the channel. */
  skus: z.record(z.string(), z.string()).optional(),
  customs: z.object({ invoiceNumber: z.string(), hsCodes: z.array(z.string()).min(1) }).optional(),
  /** What the warehouse has is called back first. */
  recall: z.boolean().optional(),
})
export type Patch = z.infer<typeof Patch>

/** Whether it is about nothing else. */
export const names = (patch: Patch, field: keyof Patch): boolean => Object.keys(patch).every((key) => key === field)

export function patched(doc: OrderDoc, patch: Patch): OrderDoc {
  const recipient = { ...doc.recipient, ...patch.recipient }
  const address = patch.recipient?.address
  return {
    ...doc,
    buyer: { ...doc.buyer, ...patch.buyer },
    recipient: {
      ...recipient,
      address:
        address === undefined
          ? doc.recipient.address
          : address === null
            ? null
            : { ...emptyAddress, ...doc.recipient.address, ...address },
    },
    delivery: { ...doc.delivery, ...patch.delivery },
    payment: { ...doc.payment, ...patch.payment },
    totals: { ...doc.totals, ...patch.totals },
    notes: patch.notes === undefined ? doc.notes : patch.notes,
    customs: patch.customs ?? doc.customs,
  }
}

const emptyAddress: Address = { postalCode: null, city: null, district: null, line: null, raw: null, country: null }

/** @throws Refusal */
export function refuseUnknownLines(record: OrderRecord, skus: Record<string, string> = {}): void {
  const known = record.lines.map(({ lineId }) => lineId)
  for (const lineId of Object.keys(skus))
    if (!known.includes(lineId)) throw new Refusal(`there is no line ${lineId}; lines are ${known.join(', ')}`)
}

export async function learnSkus(tx: Tx, record: OrderRecord, skus: Record<string, string>): Promise<void> {
  for (const [lineId, sku] of Object.entries(skus)) {
    const line = record.line(lineId)
    const told = line.sku ?? line.externalSku
    line.sku = sku
    if (told !== null && told !== sku) {
      await tx.query(
        `insert into sku_aliases (channel, external_sku, sku) values ($1, $2, $3) on conflict (channel, external_sku) do update set sku = excluded.sku`,
        [record.doc.channel, told, sku],
      )
    }
  }
}

/** The goods change: what was held and planned is undone, and the saga begins again at the check. */
export async function startOver(tx: Tx, record: OrderRecord, lines: OrderLine[] | undefined): Promise<void> {
  await release(tx, { orderId: record.id })
  for (const unit of record.units) unit.state = 'cancelled'
  record.withdraw('reserved', 'routed', 'shortage', 'confirmed', 'confirmAsked', 'handedToWarehouse')
  for (const about of ['pick:', 'missing', 'route', 'stock', 'confirm'])
    await closeTasks(tx, { prefix: `order:${record.id}:${about}` }, 'the order was changed')
  if (lines === undefined) {
    for (const line of record.lines) line.held = 0
    return
  }
  await replaceLines(tx, record, lines)
}

/** Nothing of the old lines is held, picked or shipped. */
export async function replaceLines(tx: Tx, record: OrderRecord, lines: OrderLine[]): Promise<void> {
  await tx.query('delete from order_lines where order_id = $1', [record.id])
  await insertLines(tx, record.id, lines)
  record.lines = lines.map((line) => ({
    lineId: line.lineId,
    sku: line.sku,
    externalSku: line.externalSku,
    name: line.name,
    variant: line.variant,
    unitPriceMinor: line.unitPriceMinor,
    gift: line.gift,
    ...zeroCounters(line.quantity),
  }))
}
