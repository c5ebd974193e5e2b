/** Before a label is printed, the first time or again: what it makes the courier collect is what is due, or it is not printed. */
import { isRebooked } from '../domain/labels.ts'
import { moneyText } from '../domain/money.ts'
import type { Queryable } from '../store/db.ts'
import { isSettled, labelsOffOf } from '../store/labelAmounts.ts'
import { readOrder } from '../store/orderRecord.ts'
import type { KnownParcel } from '../store/parcels.ts'
import { closeTasks, openTask } from '../store/tasks.ts'

/** @returns what is wrong, null when the label is right. The task it opens closes when the label is right again. */
export async function wrongLabelAmount(db: Queryable, named: KnownParcel): Promise<string | null> {
  const record = await readOrder(db, named.orderId)
  const parcel = record.parcels.find(({ id }) => id === named.id)
  if (parcel === undefined || (parcel.state !== 'booked' && parcel.state !== 'shipped')) return null
  const money = (minor: number) => moneyText(minor, record.doc.payment.currency)
  if (isRebooked(parcel)) return 'its label is being made anew, since another amount is due'
  const key = `parcel:${parcel.id}:amount`
  const label = parcel.labelAmountMinor ?? 0
  if (label === parcel.amountDueMinor) {
    await closeTasks(db, { key }, 'the label is right')
    // Its task was opened when the amounts parted (store/labelAmounts.ts).
    const off = labelsOffOf(record)
    return off === null || (await isSettled(db, record.id, off))
      ? null
      : `the labels of its order collect ${money(off.onLabels)}, and ${money(off.due)} is due`
  }
  const wrong = `its label collects ${money(label)}, and ${money(parcel.amountDueMinor)} is due for it`
  await openTask(db, {
    kind: 'label.amount',
    key,
    orderId: record.id,
    connection: record.connection,
    subject: named.number,
    title: 'A label would collect the wrong amount',
    detail: `Parcel ${parcel.id} of order ${named.number} was not printed: ${wrong}.`,
    remedy: 'Stop the parcel. Cancel its booking at the courier and send it again, or settle the difference with the customer.',
    field: 'amountDueMinor',
    value: String(parcel.amountDueMinor),
    actions: ['skip'],
  })
  return wrong
}
