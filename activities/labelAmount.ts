/** Before a label is printed, the first time or again: what it makes the courier collect is what is due, or it is not printed. */
import type { Queryable } from '../store/db.ts'
import type { KnownParcel } from '../store/parcels.ts'
import { closeTasks, openTask } from '../store/tasks.ts'

interface Amounts {
  connection: string
  currency: string
  label: number
  due: number
  /** Of the order now: nothing when it is paid, or was collected. */
  owed: number
  /** On the labels of all its parcels that are with us or the courier. */
  onLabels: number
}

/** @returns what is wrong, null when the label is right. The task it opens closes when the label is right again. */
export async function wrongLabelAmount(db: Queryable, parcel: KnownParcel): Promise<string | null> {
  const { rows } = await db.query<Amounts>(
    `select o.connection, o.doc->'payment'->>'currency' as currency, coalesce(p.label_amount_minor, 0)::bigint as label,
       p.amount_due_minor as due,
       case when o.doc->'payment'->>'method' = 'cod' then (o.doc->'payment'->>'amountDueMinor')::bigint else 0 end as owed,
       (select coalesce(sum(q.label_amount_minor), 0)::bigint from parcels q
        where q.order_id = o.id and q.state in ('booked', 'shipped', 'delivered', 'returning', 'returned')) as "onLabels"
     from parcels p join orders o on o.id = p.order_id where p.id = $1 and p.state in ('booked', 'shipped')`,
    [parcel.id],
  )
  const row = rows[0]
  if (row === undefined) return null
  const key = `parcel:${parcel.id}:amount`
  const money = (minor: number) => `${row.currency} ${(Number(minor) / 100).toFixed(2)}`
  const wrong =
    Number(row.label) !== Number(row.due)
      ? `its label collects ${money(row.label)}, and ${money(row.due)} is due for it`
      : Number(row.label) > 0 && Number(row.onLabels) > Number(row.owed)
        ? `the labels of its order collect ${money(row.onLabels)}, and ${money(row.owed)} is due`
        : null
  if (wrong === null) {
    await closeTasks(db, { key }, 'the label is right')
    return null
  }
  await openTask(db, {
    kind: 'label.amount',
    key,
    orderId: parcel.orderId,
    connection: row.connection,
    subject: parcel.number,
    title: 'A label would collect the wrong amount',
    detail: `Parcel ${parcel.id} of order ${parcel.number} was not printed: ${wrong}.`,
    remedy: 'Stop the parcel. Cancel its booking at the courier and send it again, or settle the difference with the customer.',
    field: 'amountDueMinor',
    value: String(row.owed),
    actions: ['skip'],
  })
  return wrong
}
