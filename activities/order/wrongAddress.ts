/**
 * The courier does not find the recipient: the customer is told, a person corrects the address and says it to the courier, by telephone,
 * since none of our couriers takes another address by a call. What is not corrected in time comes back and is received like every other.
 */
import type { Tx } from '../../store/db.ts'
import type { OrderRecord, ParcelRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'

const askedKey = (orderId: string) => `order:${orderId}:wrongAddress`
const toldKey = (orderId: string) => `order:${orderId}:newAddress`

export async function askForAddress(tx: Tx, record: OrderRecord, parcel: ParcelRecord, told: string): Promise<void> {
  record.withdraw('wrongAddress')
  record.record('wrongAddress', { parcel: parcel.id })
  record.tellCustomer({ key: `${parcel.id}:wrongAddress`, template: 'wrongAddress', data: { parcelId: parcel.id } })
  await openTask(tx, {
    kind: 'parcel.wrongAddress',
    key: askedKey(record.id),
    orderId: record.id,
    connection: parcel.courier,
    subject: record.doc.externalId,
    title: 'The courier does not find the recipient',
    detail: `Waybill ${parcel.waybill ?? parcel.reference} of order ${record.doc.externalId}: ${told}. The courier keeps it for a few days, then brings it back.`,
    remedy:
      'Ask the customer for the right address and enter it (change); then call the courier. The task closes by itself when the parcel goes out again or comes back.',
    field: 'recipient.address',
    value: null,
    actions: ['change', 'skip'],
  })
}

/** The order has the right address; that the courier hears of it stays a person's. */
export async function addressIsCorrected(tx: Tx, record: OrderRecord): Promise<string> {
  const id = record.facts.wrongAddress?.parcel
  const parcel = record.parcels.find((each) => each.id === id)
  await record.closeTasks(tx, { key: askedKey(record.id) }, 'the address is corrected')
  await openTask(tx, {
    kind: 'parcel.newAddress',
    key: toldKey(record.id),
    orderId: record.id,
    connection: parcel?.courier ?? null,
    subject: record.doc.externalId,
    title: 'The courier must be told the right address',
    detail: `The address of order ${record.doc.externalId} is corrected; ${parcel?.courier} takes no other address by a call for waybill ${parcel?.waybill ?? parcel?.reference}.`,
    remedy:
      'Call the courier and give the address that the order shows now; skip when it is done. The task closes by itself when the parcel goes out again or comes back.',
    field: 'recipient.address',
    value: null,
    actions: ['skip'],
  })
  return 'the address is corrected; call the courier'
}

export async function addressIsSettled(tx: Tx, record: OrderRecord, outcome: string): Promise<void> {
  record.withdraw('wrongAddress')
  for (const key of [askedKey(record.id), toldKey(record.id)]) await record.closeTasks(tx, { key }, outcome)
}
