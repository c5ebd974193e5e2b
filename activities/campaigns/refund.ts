/** All that was paid for an order that will not be shipped is asked back, once. */
import type { Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { requestRefund } from '../refund.ts'

/** An order that nobody has paid, or whose amount nobody knows, has nothing to be refunded by itself. */
export async function refundWhatWasPaid(
  tx: Tx,
  record: OrderRecord,
  { key, reason }: { key: string; reason: string },
): Promise<void> {
  const { payment, totals } = record.doc
  const amountMinor = totals.totalMinor ?? totals.itemsMinor ?? 0
  if (payment.method !== 'prepaid' || payment.state !== 'paid' || amountMinor <= 0) return
  const lines = record.lines.map(({ lineId, sku, externalSku, ordered, cancelled }) => ({
    lineId,
    sku,
    externalSku,
    quantity: ordered - cancelled,
  }))
  await requestRefund(tx, record, { key, amountMinor, lines, reason })
}
