/**
 * What becomes of a parcel that does not get to its recipient: who is asked, and what is settled by later news. A closed pickup store is
 * the customer's to choose anew, a wrong address a person's to correct; what was refused comes back by itself.
 */
import type { ParcelMeaning, ParcelReport } from '../connectors/kit/types.ts'
import type { Tx } from '../store/db.ts'
import type { OrderRecord, ParcelRecord } from '../store/orderRecord.ts'
import { openTask } from '../store/tasks.ts'
import { askForStore, storeIsSettled } from './order/closedStore.ts'
import { askForAddress, addressIsSettled } from './order/wrongAddress.ts'

/** Of news that a person should look into. */
const TITLES: Partial<Record<ParcelMeaning, string>> = {
  lost: 'The courier has lost a parcel',
  problem: 'The courier reports a problem with a parcel',
}

const REMEDY: Partial<Record<ParcelMeaning, string>> = {
  lost: 'Claim it from the courier; pay the customer back or send it again by a new order. Then skip.',
  unknown: 'Nothing was concluded from it. Ask the courier what it means, then skip.',
}

/** @param isNewest no later news of the parcel is known: old trouble is over. */
export async function tellOfTrouble(
  tx: Tx,
  record: OrderRecord,
  parcel: ParcelRecord,
  { report, isNewest }: { report: ParcelReport; isNewest: boolean },
): Promise<void> {
  const isUnderWay = parcel.state === 'booked' || parcel.state === 'shipped'
  switch (report.meaning) {
    case 'storeClosed':
      if (isUnderWay && isNewest) return askForStore(record, parcel)
      // On its way back it is our own store that is closed.
      if (parcel.state === 'returning')
        await askPerson(tx, record, parcel, report, 'The store where a parcel comes back is closed')
      return
    case 'wrongAddress':
      if (isUnderWay && isNewest) await askForAddress(tx, record, parcel, `${report.code} ${report.detail}`.trim())
      return
    case 'refused':
      record.tellCustomer({ key: `${parcel.id}:refused`, template: 'parcelRefused', data: { parcelId: parcel.id } })
      return
    case 'unknown':
      return await askPerson(tx, record, parcel, report, `The courier sent a status that is not known: ${report.code}`)
    default:
      if (TITLES[report.meaning] !== undefined) await askPerson(tx, record, parcel, report, TITLES[report.meaning] ?? '')
  }
}

const OVER: ReadonlySet<ParcelMeaning> = new Set([
  'arrivedAtPickup',
  'outForDelivery',
  'delivered',
  'refused',
  'returning',
  'returned',
])

/** It goes on, or goes back: neither store nor address is asked for any more. */
export async function endTrouble(tx: Tx, record: OrderRecord, meaning: ParcelMeaning): Promise<void> {
  if (!OVER.has(meaning)) return
  await storeIsSettled(tx, record, `the parcel: ${meaning}`)
  await addressIsSettled(tx, record, `the parcel: ${meaning}`)
}

/** Why it comes back, from what the courier said before; null: not collected, or nobody says. */
export async function keepWhy(tx: Tx, parcel: ParcelRecord): Promise<string | null> {
  const { rows } = await tx.query<{ why: string | null }>(
    `update parcels set back_because = coalesce(back_because, (
       select case when meaning in ('refused', 'wrongAddress', 'storeClosed') then meaning end from parcel_events
       where parcel_id = $1 and meaning in ('refused', 'wrongAddress', 'storeClosed', 'arrivedAtPickup')
       order by event_at desc, inbox_id desc limit 1)) where id = $1 returning back_because as why`,
    [parcel.id],
  )
  return rows[0]?.why ?? null
}

export const WHY: Readonly<Record<string, string>> = {
  refused: 'the recipient refused it',
  wrongAddress: 'the address was wrong',
  storeClosed: 'the pickup store was closed',
}

/** One task a meaning and code. */
export async function askPerson(
  tx: Tx,
  record: OrderRecord,
  parcel: ParcelRecord,
  report: ParcelReport,
  title: string,
): Promise<void> {
  await openTask(tx, {
    kind: `parcel.${report.meaning}`,
    key: `parcel:${parcel.id}:${report.meaning}:${report.code}`,
    orderId: record.id,
    connection: parcel.courier,
    subject: record.doc.externalId,
    title,
    detail:
      `Waybill ${parcel.waybill ?? parcel.reference} of order ${record.doc.externalId}: ${report.code} ${report.detail}`.trim(),
    remedy: REMEDY[report.meaning] ?? 'Ask the courier, and tell the customer. Then skip.',
    field: 'waybill',
    value: parcel.waybill,
    actions: ['skip'],
  })
}
