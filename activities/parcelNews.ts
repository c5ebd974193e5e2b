/** What a courier reports of a parcel, merged in event time; late and repeated news change nothing that is further already. */
import type { ParcelMeaning, ParcelReport } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import type { ParcelState } from '../domain/view.ts'
import type { Pool, Tx } from '../store/db.ts'
import { consume } from '../store/ledger/operations.ts'
import { changeOrder, type OrderRecord, type ParcelRecord, type UnitRecord } from '../store/orderRecord.ts'
import { ridersIn } from '../store/sharedBoxes.ts'
import { openTask } from '../store/tasks.ts'
import { saveParcel } from '../store/units.ts'
import { changeAwaited, whyCalledBack } from './order/recall.ts'
import { askPerson, endTrouble, keepWhy, tellOfTrouble, WHY } from './parcelTrouble.ts'
import { cameBack } from './returns/cameBack.ts'
import { applyReturnReport } from './returns/news.ts'

const FURTHER: ParcelState[] = ['intended', 'sent', 'booked', 'shipped', 'returning', 'delivered', 'returned']
const STATE_OF: Partial<Record<ParcelMeaning, ParcelState>> = {
  shipped: 'shipped',
  inTransit: 'shipped',
  arrivedAtPickup: 'shipped',
  outForDelivery: 'shipped',
  attemptFailed: 'shipped',
  delivered: 'delivered',
  wrongAddress: 'shipped',
  refused: 'returning',
  returning: 'returning',
  returned: 'returned',
  lost: 'shipped',
  problem: 'booked',
}

/**
 * @returns the order and whether it should be rung, or null when no parcel answers to the report (yet).
 * A parcel whose booking's answer was lost is known by our own reference; `early`: what became of its booking is being looked up, and
 * its news wait until that is written (number, label and the channel's word come with it).
 * @param couriers of whose parcels it can speak: the courier's own connection, or those that a tracker follows; null: of any.
 * @throws OmnisagaError Invalid when parcels of several couriers have this waybill.
 */
export async function applyParcelReport(
  pool: Pool,
  inboxId: number,
  report: ParcelReport,
  stuckParcelMs: number,
  couriers: readonly string[] | null = null,
): Promise<Heard | 'early' | null> {
  const found = await findParcel(pool, report, couriers)
  if (found === null) return await applyReturnReport(pool, inboxId, report, couriers)
  const { parcelId, orderId } = found
  const tell = async (to: { parcelId: string; orderId: string }) =>
    await changeOrder(pool, to.orderId, 'world', async (record, tx) => {
      const parcel = record.parcels.find((candidate) => candidate.id === to.parcelId)
      if (parcel === undefined) throw new OmnisagaError('Invalid', `parcel ${to.parcelId} is gone`)
      if (parcel.state === 'intended' || parcel.state === 'sent') return 'early' as const
      return await hear(record, tx, parcel, { inboxId, report, stuckParcelMs })
    })
  const { result, record } = await tell(found)
  if (result === 'early') return 'early'
  const beside: string[] = []
  if (record.units.some(({ sharedBox }) => sharedBox !== null))
    for (const rider of await ridersIn(pool, parcelId)) if ((await tell(rider)).result === true) beside.push(rider.orderId)
  return { orderId, wake: result, beside }
}

export interface Heard {
  orderId: string
  wake: boolean
  /** Other orders in the same box that should be rung. */
  beside?: string[]
}
interface News {
  inboxId: number
  report: ParcelReport
  stuckParcelMs: number
}

/** What the courier says of one parcel. @returns whether its workflow has something to do; told again it changes nothing. */
export async function hear(record: OrderRecord, tx: Tx, parcel: ParcelRecord, news: News): Promise<boolean> {
  const { inboxId, report } = news
  const isNew = await tx.query(
    `insert into parcel_events (parcel_id, inbox_id, code, meaning, detail, event_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [parcel.id, inboxId, report.code, report.meaning, report.detail, report.eventAt],
  )
  if (isNew.rowCount === 0) return false
  const wake = await accept(record, tx, parcel, news)
  if (wake) record.wake()
  return wake
}

/** Two couriers may give out one waybill: our own reference and the courier's booking number say more. */
async function findParcel(
  pool: Pool,
  report: ParcelReport,
  couriers: readonly string[] | null,
): Promise<{ parcelId: string; orderId: string } | null> {
  const { rows } = await pool.query<{ parcelId: string; orderId: string; rank: number }>({
    name: 'find-parcel',
    text: `select id as "parcelId", order_id as "orderId",
             case when reference = $1 then 0 when courier_booking_id = $2 then 1 when state not in ('void', 'refused') then 2 else 3 end as rank
           from parcels where (reference = $1 or courier_booking_id = $2 or waybill = $3) and ($4::text[] is null or courier = any($4))
             and rides_in is null and (state <> 'void' or reference = $1 or courier_booking_id = $2) order by rank, created_at desc limit 2`,
    values: [report.reference, report.courierBookingId, report.waybill, couriers],
  })
  const [best, other] = rows
  if (best === undefined) return null
  if (other !== undefined && other.rank === best.rank && best.rank > 0)
    throw new OmnisagaError('Invalid', `parcels of two couriers have the number ${report.waybill ?? report.courierBookingId}`, {
      code: 'ambiguousParcel',
      remedy: 'Let the tracker follow one courier of the two, and settle this parcel by hand.',
    })
  return best
}

async function accept(
  record: OrderRecord,
  tx: Tx,
  parcel: ParcelRecord,
  { inboxId, report, stuckParcelMs }: News,
): Promise<boolean> {
  const unit = record.unit(parcel.unitId)
  if (parcel.state === 'void' || parcel.state === 'refused' || unit.state === 'cancelled') {
    if (STATE_OF[report.meaning] === 'shipped') await askPerson(tx, record, parcel, report, 'A cancelled parcel is on its way')
    return false
  }
  await record.closeTasks(tx, { key: `parcel:${parcel.id}:stuck` }, 'there is news')
  // Some couriers give the waybill only later, with the first report.
  parcel.waybill ??= report.waybill
  const target = STATE_OF[report.meaning]
  const latest = await tx.query<{ code: string; inboxId: number }>(
    'select code, inbox_id as "inboxId" from parcel_events where parcel_id = $1 order by event_at desc, inbox_id desc limit 1',
    [parcel.id],
  )
  const isNewest = Number(latest.rows[0]?.inboxId) === inboxId
  await tellOfTrouble(tx, record, parcel, { report, isNewest })
  if (isNewest) await endTrouble(tx, record, report.meaning)
  const advances = target !== undefined && FURTHER.indexOf(target) > FURTHER.indexOf(parcel.state)
  if (advances) await advance(record, tx, unit, parcel, target)
  await saveParcel(tx, parcel, {
    lastStatus: latest.rows[0]?.code ?? report.code,
    newsAt: report.eventAt,
    newsDueInMs: stuckParcelMs,
  })
  if (report.meaning === 'arrivedAtPickup')
    record.tellCustomer({ key: `${parcel.id}:arrived`, template: 'arrivedAtPickup', data: { parcelId: parcel.id } })
  return advances && (target === 'delivered' || target === 'returned')
}

async function advance(record: OrderRecord, tx: Tx, unit: UnitRecord, parcel: ParcelRecord, target: ParcelState): Promise<void> {
  // The courier can only deliver or bring back what it was given.
  if (target !== 'booked') await markShipped(record, tx, unit)
  parcel.state = target
  const packed = unit.lines.filter((line) => line.packed > 0)
  if (target === 'delivered') {
    unit.state = 'delivered'
    for (const line of packed) record.line(line.lineId).delivered += line.packed
    if (record.doc.payment.method === 'cod' && isCollected(record))
      record.doc = { ...record.doc, payment: { ...record.doc.payment, state: 'collected' } }
    record.tellCustomer({ key: `${parcel.id}:delivered`, template: 'delivered', data: { parcelId: parcel.id } })
  }
  if (target === 'delivered' || target === 'returned')
    await record.closeTasks(tx, { key: `parcel:${parcel.id}:late` }, `it is ${target}`)
  if (target === 'returning') record.record('returning', { parcel: parcel.id })
  if (target === 'returned') {
    unit.state = 'returned'
    for (const line of packed) record.line(line.lineId).returned += line.packed
    const why = WHY[(await keepWhy(tx, parcel)) ?? ''] ?? 'it was not collected, or not taken'
    await cameBack(tx, record, unit, why)
    record.tellCustomer({ key: `${parcel.id}:cameBack`, template: 'cameBack', data: { parcelId: parcel.id } })
    await openTask(tx, {
      kind: 'return.receive',
      key: `unit:${unit.id}:returned`,
      orderId: record.id,
      connection: record.connection,
      subject: record.doc.externalId,
      title: 'A parcel came back',
      detail: `${parcel.waybill ?? parcel.reference} of order ${record.doc.externalId}: ${packed.map((line) => `${line.packed} × ${line.sku}`).join(', ')}; ${why}.`,
      remedy: 'Look at the goods. restocked puts them on sale again; skip leaves them off sale.',
      field: 'unit',
      value: unit.id,
      actions: ['restocked', 'skip'],
    })
  }
}

/** All the cash: one parcel of several that was paid at the door leaves the others to be paid. */
function isCollected(record: OrderRecord): boolean {
  const collected = record.parcels
    .filter(({ state }) => state === 'delivered')
    .reduce((sum, each) => sum + each.amountDueMinor, 0)
  return collected >= record.doc.payment.amountDueMinor
}

/** The goods have left: on hand falls by what was packed, once, whoever says so first. */
export async function markShipped(record: OrderRecord, tx: Tx, unit: UnitRecord): Promise<void> {
  if (unit.state !== 'packed' && unit.state !== 'recalling') return
  const packed = unit.lines.filter((line) => line.packed > 0)
  await consume(tx, {
    key: `${unit.id}:shipped`,
    orderId: record.id,
    reason: 'shipped',
    reference: unit.id,
    lines: packed.map((line) => ({ lineId: line.lineId, location: unit.location, quantity: line.packed })),
  })
  for (const line of packed) record.line(line.lineId).shipped += line.packed
  unit.state = 'shipped'
  const parcel = record.parcelOf(unit.id)
  if (parcel?.state === 'booked') {
    parcel.state = 'shipped'
    await saveParcel(tx, parcel)
  }
  if (record.is('cancelRequested')) {
    await openTask(tx, {
      kind: 'recall.refused',
      key: `order:${record.id}:recall:${unit.id}`,
      orderId: record.id,
      connection: record.connection,
      subject: record.doc.externalId,
      title: `A parcel left although the order ${whyCalledBack(record)}`,
      detail: `The goods of order ${record.doc.externalId} are with the courier, so nothing of it can be ${changeAwaited(record) === null ? 'cancelled' : 'changed'} any more.`,
      remedy: 'Let the order go on as it is (letGo), or have the courier bring it back and skip: what comes back is told here.',
      field: 'unit',
      value: unit.id,
      actions: ['letGo', 'skip'],
    })
  }
}
