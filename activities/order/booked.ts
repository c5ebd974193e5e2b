/** What follows when a parcel is booked: it is kept, its tasks close, and whoever is told by other ways than `store/owed.ts` is owed it. */
import { importOf } from '../../store/imports.ts'
import type { Tx } from '../../store/db.ts'
import type { OrderRecord, ParcelRecord } from '../../store/orderRecord.ts'
import { owe } from '../../store/outbox.ts'
import { saveParcel } from '../../store/units.ts'
import type { Runtime } from '../runtime.ts'

/** @param parcel is `booked` in memory already. */
export async function keepBooked(
  runtime: Runtime,
  tx: Tx,
  record: OrderRecord,
  parcel: ParcelRecord,
  label?: Record<string, unknown>,
): Promise<void> {
  const { stuckParcelMs } = await runtime.policy()
  await saveParcel(tx, parcel, { ...(label === undefined ? {} : { label }), newsDueInMs: stuckParcelMs })
  await record.closeTasks(tx, { key: `order:${record.id}:booking:${parcel.unitId}` }, 'booked')
  await record.closeTasks(tx, { key: `order:${record.id}:courier:${parcel.unitId}` }, 'booked')
  if (parcel.service !== 'channel') await oweWorkbook(runtime, tx, record, parcel.id)
  const data = { parcelId: parcel.id, waybill: parcel.waybill }
  record.tellCustomer({ key: `${parcel.id}:booked`, template: 'onItsWay', data })
}

/** A channel without an API that takes it (store/owed.ts) hears of the parcel by the workbook that its order came in. */
async function oweWorkbook(runtime: Runtime, tx: Tx, record: OrderRecord, parcelId: string): Promise<void> {
  const connector = await runtime.connectorOf(record.connection)
  if (connector.writeTracking !== undefined) return
  const source = await importOf(tx, record.id)
  if (source === null || !source.takesWaybills) return
  await owe(tx, {
    key: `tracking:${parcelId}`,
    participant: 'channel',
    connection: record.connection,
    kind: 'tracking',
    orderId: record.id,
    payload: { parcelId, workbook: true, importId: source.id },
  })
}
