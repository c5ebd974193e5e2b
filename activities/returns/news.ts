/** What a courier reports of a parcel on its way from the customer to us. */
import type { ParcelMeaning, ParcelReport } from '../../connectors/kit/types.ts'
import type { Pool, Tx } from '../../store/db.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { findReturnParcel, readReturn, type ReturnParcel, type ReturnParcelState, type ReturnRow } from '../../store/returns.ts'
import { openTask } from '../../store/tasks.ts'

const FURTHER: ReturnParcelState[] = ['intended', 'sent', 'booked', 'shipped', 'arrived']
const STATE_OF: Partial<Record<ParcelMeaning, ReturnParcelState>> = {
  shipped: 'shipped',
  inTransit: 'shipped',
  arrivedAtPickup: 'shipped',
  outForDelivery: 'shipped',
  attemptFailed: 'shipped',
  delivered: 'arrived',
  returned: 'arrived',
}
/** What a person should look into. */
const TROUBLE: Partial<Record<ParcelMeaning, string>> = {
  lost: 'The courier has lost a return',
  problem: 'The courier reports a problem with a return',
  returning: 'A return goes back to the customer',
  unknown: 'The courier sent a status of a return that is not known',
}

/** @returns null when no return answers to the report. Repeated and late news change nothing that is further already. */
export async function applyReturnReport(
  pool: Pool,
  inboxId: number,
  report: ParcelReport,
  couriers: readonly string[] | null,
): Promise<{ orderId: string; wake: false } | null> {
  const found = await findReturnParcel(pool, report, couriers)
  if (found === null) return null
  await changeOrder(pool, found.orderId, 'world', async (record, tx) => {
    const isNew = await tx.query(
      `insert into return_parcel_events (parcel_id, inbox_id, code, meaning, detail, event_at) values ($1, $2, $3, $4, $5, $6)
       on conflict do nothing`,
      [found.parcelId, inboxId, report.code, report.meaning, report.detail, report.eventAt],
    )
    if (isNew.rowCount === 0) return
    const row = await readReturn(tx, found.returnId)
    const parcel = row.parcels.find(({ id }) => id === found.parcelId)
    if (parcel !== undefined) await accept(tx, record, row, parcel, report)
  })
  return { orderId: found.orderId, wake: false }
}

async function accept(tx: Tx, record: OrderRecord, row: ReturnRow, parcel: ReturnParcel, report: ParcelReport): Promise<void> {
  const target = STATE_OF[report.meaning]
  const advances = target !== undefined && FURTHER.indexOf(target) > FURTHER.indexOf(parcel.state)
  await tx.query(
    `update return_parcels set state = $2, waybill = coalesce(waybill, $3),
       last_status = (select code from return_parcel_events where parcel_id = $1 order by event_at desc, inbox_id desc limit 1) where id = $1`,
    [parcel.id, advances ? target : parcel.state, report.waybill],
  )
  const number = parcel.waybill ?? report.waybill ?? parcel.courierBookingId ?? parcel.reference
  const trouble = TROUBLE[report.meaning]
  if (trouble !== undefined)
    await openTask(tx, {
      kind: 'return.parcel',
      key: `return:${row.id}:parcel:${report.meaning}:${report.code}`,
      orderId: record.id,
      connection: parcel.courier,
      subject: record.doc.externalId,
      title: trouble,
      detail: `${number} of order ${record.doc.externalId}: ${report.code} ${report.detail}`,
      remedy: 'Ask the courier; then settle it with the customer.',
      field: 'return',
      value: row.id,
      actions: ['skip'],
    })
  if (advances && target === 'arrived' && row.lines.some(({ quantity, received }) => received < quantity))
    await openTask(tx, {
      kind: 'return.receive',
      key: `return:${row.id}:receive`,
      orderId: record.id,
      connection: parcel.courier,
      subject: record.doc.externalId,
      title: `A return has arrived at ${row.location}`,
      detail: `${number} of order ${record.doc.externalId}: ${row.lines.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ')}.`,
      remedy: 'Look into the box, then say received; single pieces go by POST /api/v1/returns/ID/received.',
      field: 'return',
      value: row.id,
      actions: ['received', 'skip'],
    })
}
