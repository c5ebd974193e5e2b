/** Parcels that should be with their customer by now: the customer is told, and a person asks the courier. */
import { changeOrder } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'

const BATCH = 200

/** Each parcel is told once. */
export async function lateParcels(runtime: Runtime): Promise<void> {
  const { lateParcelMs } = await runtime.policy()
  const rows = await runtime.pool.query<{ id: string; orderId: string }>(
    `select p.id, p.order_id as "orderId" from parcels p join orders o on o.id = p.order_id
     where p.state in ('booked', 'shipped') and p.late_told_at is null and p.booked_at is not null
       and ((o.doc->'delivery'->>'promisedBy')::timestamptz < now()
         or p.shipped_at < now() - $1::float8 * interval '1 millisecond')
     order by p.booked_at limit $2`,
    [lateParcelMs, BATCH],
  )
  for (const { id, orderId } of rows.rows)
    await changeOrder(runtime.pool, orderId, 'world', async (record, tx) => {
      const marked = await tx.query('update parcels set late_told_at = now() where id = $1 and late_told_at is null', [id])
      const parcel = record.parcels.find((each) => each.id === id)
      if (marked.rowCount === 0 || parcel === undefined || !['booked', 'shipped'].includes(parcel.state)) return
      const { promisedBy } = record.doc.delivery
      record.tellCustomer({ key: `${id}:late`, template: 'parcelLate', data: { parcelId: id } })
      await openTask(tx, {
        kind: 'parcel.late',
        key: `parcel:${id}:late`,
        orderId,
        connection: parcel.courier,
        subject: record.doc.externalId,
        title: 'A parcel is late',
        detail: `Waybill ${parcel.waybill ?? parcel.reference} of order ${record.doc.externalId} is ${parcel.state}; ${promisedBy === null ? 'it left long ago' : `it was promised by ${promisedBy}`}.`,
        remedy: 'Ask the courier and tell the customer. The task closes by itself when it is delivered or back.',
        field: 'waybill',
        value: parcel.waybill,
        actions: ['skip'],
      })
    })
}
