/** Confirm: prepaid at once when paid; cash on delivery when the customer has said so. */
import type { OrderView } from '../../domain/view.ts'
import type { Tx } from '../../store/db.ts'
import { prolong } from '../../store/ledger/operations.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { openCampaign } from '../campaigns/standing.ts'
import { warnOfUncollected } from '../returns/uncollected.ts'
import type { Runtime } from '../runtime.ts'

export async function askConfirmation(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      // A change that came first has sent the order back to an earlier stage.
      if (record.is('confirmed') || !record.is('reserved') || record.is('cancelRequested')) return
      const { payment, onHold } = record.doc
      const isPaid = payment.method === 'prepaid' && payment.state === 'paid'
      const waitsForCampaign = (await openCampaign(tx, record)) !== null
      if (isPaid && onHold !== true && !waitsForCampaign) return await confirmNow(tx, record, 'prepaid')
      if (record.is('confirmAsked')) return
      if (record.doc.exchangeOf != null && onHold === true) {
        record.record('confirmAsked', { for: 'return' })
        record.tellCustomer({ key: `${orderId}:confirm`, template: 'exchangeHeld' })
        return
      }
      await warnOfUncollected(runtime, tx, record)
      if (waitsForCampaign) {
        record.record('confirmAsked', { for: 'campaign' })
        if (payment.method === 'prepaid' && !isPaid) record.tellCustomer({ key: `${orderId}:confirm`, template: 'awaitPayment' })
        return
      }
      record.record('confirmAsked', { for: onHold === true ? 'channel' : payment.method === 'cod' ? 'customer' : 'payment' })
      record.tellCustomer({ key: `${orderId}:confirm`, template: payment.method === 'cod' ? 'confirmCod' : 'awaitPayment' })
    })
  ).view
}

/** From here on the goods stay held. A hold that ran out meanwhile must be won again first. */
export async function confirmNow(tx: Tx, record: OrderRecord, by: string): Promise<void> {
  const { expired } = await prolong(tx, { orderId: record.id, expiresAt: null })
  record.withdraw('confirmAsked')
  record.record('confirmed', { by })
  await record.closeTasks(tx, { key: `order:${record.id}:confirm` }, 'confirmed')
  // What expired of a line that is no longer wanted is no loss.
  const wanted = new Map(record.lines.filter((line) => line.ordered > line.cancelled).map((line) => [line.lineId, line]))
  const lost = expired.filter(({ lineId }) => wanted.has(lineId))
  if (lost.length === 0) return
  for (const { lineId, quantity } of lost) {
    const line = record.line(lineId)
    line.held = Math.max(0, line.held - quantity)
  }
  record.withdraw('reserved')
  record.changeCourse()
}

export async function remindOfConfirmation(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      if (record.is('confirmed') || record.facts.confirmAsked?.for === 'campaign' || record.facts.confirmAsked?.for === 'return')
        return
      await openTask(tx, {
        kind: 'order.confirm',
        key: `order:${orderId}:confirm`,
        orderId,
        connection: record.connection,
        subject: record.doc.externalId,
        title: 'Not confirmed in time',
        detail: `Order ${record.doc.externalId} still waits for ${awaited(record)}; its goods are held meanwhile.`,
        remedy: 'Call the customer, then confirm, say paid when the money is here, or cancel.',
        actions: record.doc.payment.method === 'prepaid' ? ['paid', 'confirm', 'cancel'] : ['confirm', 'cancel'],
      })
    })
  ).view
}

function awaited(record: OrderRecord): string {
  const { currency, amountDueMinor } = record.doc.payment
  switch (record.facts.confirmAsked?.for) {
    case 'customer':
      return `the customer's yes to pay ${currency} ${amountDueMinor / 100} at the door`
    case 'payment':
      return 'its payment'
    case 'channel':
      return `${record.doc.channel}, which has not released it`
    default:
      return 'its confirmation'
  }
}
