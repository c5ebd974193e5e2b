/** All that was paid for an order that will not be shipped is asked back, once. */
import type { Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { requestRefund } from '../refund.ts'

/** An order that nobody has paid has nothing to be refunded; what an order cost that nobody knows, a person finds out. */
export async function refundWhatWasPaid(
  tx: Tx,
  record: OrderRecord,
  { key, reason }: { key: string; reason: string },
): Promise<void> {
  const { payment } = record.doc
  if (payment.method !== 'prepaid' || payment.state !== 'paid') return
  const amountMinor = costOf(record)
  if (amountMinor === 0) return
  if (amountMinor === null)
    return await openTask(tx, {
      kind: 'refund.byHand',
      key: `refund:${record.id}:${key}`,
      orderId: record.id,
      connection: record.connection,
      subject: record.doc.externalId,
      title: 'Transfer money back to the customer',
      detail: `Order ${record.doc.externalId} is paid, and ${reason}; its source told no amount.`,
      remedy: 'Find out what was paid and transfer it once; then skip this.',
      field: 'amountMinor',
      actions: ['skip'],
    })
  const lines = record.lines.map(({ lineId, sku, externalSku, ordered, cancelled }) => ({
    lineId,
    sku,
    externalSku,
    quantity: ordered - cancelled,
  }))
  await requestRefund(tx, record, { key, amountMinor, lines, reason })
}

function costOf({ doc: { totals }, lines }: OrderRecord): number | null {
  if (totals.totalMinor !== null) return totals.totalMinor
  const items =
    totals.itemsMinor ??
    lines.reduce<number | null>((sum, line) => {
      const each = line.unitPriceMinor ?? (line.gift ? 0 : null)
      return sum === null || each === null ? null : sum + each * (line.ordered - line.cancelled)
    }, 0)
  return items === null ? null : items + (totals.shippingMinor ?? 0) - (totals.discountMinor ?? 0)
}
