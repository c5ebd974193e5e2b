/** Try-on: goods kept at the store for a customer who may keep some, all or nothing of them. */
import { paidMinor } from '../../domain/paid.ts'
import type { OrderView } from '../../domain/view.ts'
import { appointmentOf, noShowAt, settleAppointment } from '../../store/appointments.ts'
import type { Tx } from '../../store/db.ts'
import { keepAside, prolong, release } from '../../store/ledger/operations.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { payBackDifference } from '../refund.ts'
import { sendBackUnwanted } from '../store/bringing.ts'

export async function holdForTryOn(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      const policy = await runtime.policy(record.settingsVersion)
      const appointment = await appointmentOf(tx, orderId)
      const until =
        appointment !== null && ['booked', 'late'].includes(appointment.state)
          ? noShowAt(appointment, await runtime.policy()).toISOString()
          : (record.doc.delivery.promisedBy ?? new Date(Date.now() + policy.tryOnNoShowMs).toISOString())
      record.record('tryOnHeld', { until })
      // The appointment may be weeks ahead; the no-show gives the goods back, the hold's own end is only its guard.
      await prolong(tx, { orderId, expiresAt: new Date(Math.max(Date.parse(until), Date.now()) + policy.holdTtlMs) })
      record.tellCustomer({
        key: `${orderId}:tryOnHeld`,
        template: 'tryOnHeld',
        data: { until, location: record.doc.delivery.location },
      })
    })
  ).view
}

export async function noShow(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      if (!waitsForCustomer(record)) return
      await settleAppointment(tx, orderId, 'noShow')
      await missTryOn(record, tx, 'noShow')
    })
  ).view
}

export const waitsForCustomer = (record: OrderRecord): boolean =>
  record.is('tryOnHeld') && !record.is('tryOnArrived') && !record.is('tryOnDecided') && !record.is('cancelRequested')

/** From now on the goods stay until it is decided. */
export async function customerCame(record: OrderRecord, tx: Tx): Promise<void> {
  await keepAside(tx, { orderId: record.id })
  record.record('tryOnArrived')
}

/** Nobody comes: everything goes back on sale. */
export async function missTryOn(record: OrderRecord, tx: Tx, reason: 'noShow' | 'appointmentCancelled'): Promise<void> {
  await keepOnly(tx, record, new Map(), reason)
  if (reason === 'noShow') record.tellCustomer({ key: `${record.id}:noShow`, template: 'tryOnMissed' })
}

export async function remindOfTryOn(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      if (record.is('tryOnDecided')) return
      const wanted = record.lines.filter((line) => line.ordered > line.cancelled)
      await openTask(tx, {
        kind: 'tryOn.undecided',
        key: `order:${orderId}:tryOn`,
        orderId,
        connection: record.connection,
        subject: record.doc.externalId,
        title: 'Nobody has recorded what the customer keeps',
        detail: `The customer of order ${record.doc.externalId} came; its goods are kept aside at ${record.doc.delivery.location}: ${wanted.map((line) => `line ${line.lineId}: ${line.ordered - line.cancelled} × ${line.sku}`).join('; ')}.`,
        remedy: 'Say how many of each line are kept; the rest goes back on sale.',
        field: 'keep',
        value: wanted.map((line) => line.lineId).join(','),
        actions: ['decide', 'cancel'],
      })
    })
  ).view
}

/**
 * Keeps the named pieces (lineId -> quantity), puts the others back on sale and takes them off what is owed.
 * Nothing kept means the order is over.
 */
export async function keepOnly(
  tx: Tx,
  record: OrderRecord,
  keep: ReadonlyMap<string, number>,
  reason: 'decided' | 'noShow' | 'appointmentCancelled',
): Promise<void> {
  rememberPaid(record)
  let releasedMinor = 0
  for (const line of record.lines) {
    const kept = Math.min(keep.get(line.lineId) ?? 0, line.ordered - line.cancelled)
    const back = line.ordered - line.cancelled - kept
    if (back === 0) continue
    await release(tx, { orderId: record.id, lines: [{ lineId: line.lineId, quantity: back }] })
    line.cancelled += back
    line.held = kept
    releasedMinor += back * (line.unitPriceMinor ?? 0)
  }
  lowerAmounts(record, releasedMinor)
  await sendBackUnwanted(tx, record)
  record.record('tryOnDecided', { reason })
  if (record.lines.every((line) => line.cancelled === line.ordered)) record.record('cancelled', { reason })
  await payBackDifference(tx, record, {
    key: 'notKept',
    reason: reason === 'decided' ? 'not kept after trying on' : 'not tried on',
  })
}

/** Before an order that was paid is lowered: what was paid is known afterwards too. */
export function rememberPaid(record: OrderRecord): void {
  const { payment, totals, toldAmounts } = record.doc
  const paid = paidMinor(record.doc, record.lines)
  if (paid === null || paid === 0 || toldAmounts?.paidMinor !== undefined) return
  const { itemsMinor, totalMinor } = totals
  const told = toldAmounts ?? { amountDueMinor: payment.amountDueMinor, itemsMinor, totalMinor }
  record.doc = { ...record.doc, toldAmounts: { ...told, paidMinor: paid } }
}

/** What is no longer bought is no longer to be collected. */
export function lowerAmounts(record: OrderRecord, byMinor: number): void {
  if (byMinor === 0) return
  const { payment, totals, toldAmounts } = record.doc
  const { itemsMinor, totalMinor } = totals
  const less = (amount: number | null) => (amount === null ? null : Math.max(0, amount - byMinor))
  record.doc = {
    ...record.doc,
    toldAmounts: toldAmounts ?? { amountDueMinor: payment.amountDueMinor, itemsMinor, totalMinor },
    totals: { ...totals, itemsMinor: less(itemsMinor), totalMinor: less(totalMinor) },
    payment: payment.method === 'cod' ? { ...payment, amountDueMinor: less(payment.amountDueMinor) ?? 0 } : payment,
  }
}
