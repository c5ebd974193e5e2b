/**
 * One box with the goods of several orders. Each order keeps its own workflow, unit and parcel row; one of the parcels is booked, the
 * others go along in it. Nobody is appointed: whoever has a parcel of its own leads, else the first that is packed.
 */
import type { ParcelMeaning } from '../../connectors/kit/types.ts'
import type { ParcelState } from '../../domain/view.ts'
import type { Tx } from '../../store/db.ts'
import { changeOrder, changeOrders, type OrderRecord, type ParcelRecord, type UnitRecord } from '../../store/orderRecord.ts'
import { ridersIn, sharersOf, type Sharer } from '../../store/sharedBoxes.ts'
import { addParcel } from '../../store/units.ts'
import { ring } from '../engine.ts'
import { keepBooked } from '../order/booked.ts'
import { hear } from '../parcelNews.ts'
import type { Runtime } from '../runtime.ts'

const IN_THE_BOX: ReadonlySet<string> = new Set(['packed', 'shipped', 'delivered', 'returned'])
const BOOKED: ReadonlySet<ParcelState> = new Set(['booked', 'shipped', 'delivered', 'returning', 'returned'])

const packedSharers = async (db: Parameters<typeof sharersOf>[0], sharedBox: string): Promise<Sharer[]> =>
  (await sharersOf(db, sharedBox)).filter(({ state }) => IN_THE_BOX.has(state))

const leaderOf = (sharers: Sharer[]): Sharer | undefined =>
  sharers.find((each) => each.parcelId !== null && each.ridesIn === null) ?? sharers[0]

/** @returns true when another unit of the box books it; what is booked already is gone along in at once. */
export async function goesAlong(runtime: Runtime, tx: Tx, record: OrderRecord, unit: UnitRecord): Promise<boolean> {
  if (unit.sharedBox === null) return false
  const leader = leaderOf(await packedSharers(tx, unit.sharedBox))
  if (leader === undefined || leader.unitId === unit.id) return false
  if (leader.parcelId !== null) await goAlongIn(runtime, tx, record, unit, leader.parcelId)
  return true
}

/** After a booking, whoever else is in the box goes along; done again it changes nothing. */
export async function takeAlong(runtime: Runtime, unit: UnitRecord, parcel: ParcelRecord): Promise<void> {
  if (unit.sharedBox === null || parcel.ridesIn !== null || !BOOKED.has(parcel.state)) return
  for (const other of await packedSharers(runtime.pool, unit.sharedBox)) {
    if (other.unitId === unit.id || other.parcelId !== null) continue
    await changeOrder(runtime.pool, other.orderId, 'world', (record, tx) =>
      goAlongIn(runtime, tx, record, record.unit(other.unitId), parcel.id),
    )
    await ringLater(runtime, other.orderId)
  }
}

interface Carrier {
  id: string
  courier: string
  connector: string
  service: string
  waybill: string | null
  courierBookingId: string | null
}

async function goAlongIn(runtime: Runtime, tx: Tx, record: OrderRecord, unit: UnitRecord, carrierId: string): Promise<void> {
  const newest = record.parcelOf(unit.id)
  if (unit.state !== 'packed' || (newest !== null && !['refused', 'void'].includes(newest.state))) return
  // Held until this is written: nobody gives the booking away meanwhile.
  const { rows } = await tx.query<Carrier>(
    `select p.id, p.courier, c.connector, p.service, p.waybill, p.courier_booking_id as "courierBookingId"
     from parcels p join connections c on c.name = p.courier
     where p.id = $1 and p.rides_in is null and p.state = any($2) for share of p`,
    [carrierId, [...BOOKED]],
  )
  const [carrier] = rows
  if (carrier === undefined) return
  const { courier, connector, service, waybill, courierBookingId } = carrier
  const parcel = await addParcel(tx, record, { unitId: unit.id, courier, connector, service, amountDueMinor: 0 })
  await tx.query('update parcels set rides_in = $2 where id = $1', [parcel.id, carrier.id])
  Object.assign(parcel, { ridesIn: carrier.id, state: 'booked', waybill, courierBookingId, labelAmountMinor: 0 })
  await keepBooked(runtime, tx, record, parcel)
  await catchUp(runtime, tx, record, parcel, carrier.id)
  record.wake()
}

/** What the courier said of the box before this parcel was written. */
async function catchUp(runtime: Runtime, tx: Tx, record: OrderRecord, parcel: ParcelRecord, carrierId: string): Promise<void> {
  const { rows } = await tx.query<{ inboxId: number; code: string; meaning: ParcelMeaning; detail: string | null; at: Date }>(
    `select inbox_id as "inboxId", code, meaning, detail, event_at as at from parcel_events where parcel_id = $1
     order by event_at, inbox_id`,
    [carrierId],
  )
  const { stuckParcelMs } = await runtime.policy()
  for (const { inboxId, code, meaning, detail, at } of rows) {
    const report = { ...parcel, code, meaning, detail: detail ?? '', eventAt: at.toISOString() }
    await hear(record, tx, parcel, { inboxId, report, stuckParcelMs })
  }
}

/**
 * An order is cancelled whose parcel carries others: the box, its label and its booking stay and are the next one's.
 * @returns false when nobody is left in the box, and the booking is to be cancelled.
 */
export async function leaveBookingToOthers(runtime: Runtime, record: OrderRecord, parcel: ParcelRecord): Promise<boolean> {
  const { sharedBox } = record.unit(parcel.unitId)
  if (sharedBox === null || parcel.state !== 'booked' || parcel.ridesIn !== null) return false
  const heir = (await packedSharers(runtime.pool, sharedBox)).find((each) => isHeir(each, parcel))
  if (heir === undefined) return false
  const left = await changeOrders(runtime.pool, [record.id, heir.orderId], async (records, tx) => {
    const [mine, theirs] = [records.get(record.id), records.get(heir.orderId)]
    const booked = mine?.parcels.find(({ id }) => id === parcel.id)
    const unit = theirs?.unit(heir.unitId)
    if (booked?.state !== 'booked' || theirs === undefined || unit?.state !== 'packed') return false
    await goAlongIn(runtime, tx, theirs, unit, booked.id)
    const next = theirs.parcelOf(unit.id)
    if (next?.ridesIn !== booked.id || next.state !== 'booked') return false
    await inherit(tx, booked, next)
    theirs.wake()
    return true
  })
  if (left) await ringLater(runtime, heir.orderId)
  return left
}

const isHeir = (each: Sharer, parcel: ParcelRecord) =>
  each.unitId !== parcel.unitId && each.state === 'packed' && (each.parcelId === null || each.ridesIn === parcel.id)

/** What the courier knows of the box, its reference above all, changes hands; the riders and the manifest follow. */
async function inherit(tx: Tx, from: ParcelRecord, to: ParcelRecord): Promise<void> {
  await tx.query(
    `update parcels set state = 'void', reference = reference || '-', waybill = null, courier_booking_id = null,
       refusal = 'the box and its waybill went on with another order' where id = $1`,
    [from.id],
  )
  await tx.query(
    `update parcels n set reference = $3, rides_in = null, label = p.label from parcels p where n.id = $2 and p.id = $1`,
    [from.id, to.id, from.reference],
  )
  await tx.query('update parcels set reference = $2 where id = $1', [from.id, to.reference])
  await tx.query('update parcels set rides_in = $2 where rides_in = $1', [from.id, to.id])
  await tx.query('update manifest_parcels set parcel_id = $2 where parcel_id = $1', [from.id, to.id])
  const reference = to.reference
  Object.assign(to, { reference: from.reference, ridesIn: null })
  Object.assign(from, { reference, state: 'void', waybill: null, courierBookingId: null })
}

/** Who led is struck off before anything was booked: whoever waited for it looks again who leads. */
export async function findNewLeaders(runtime: Runtime, orderId: string): Promise<void> {
  const { rows } = await runtime.pool.query<{ orderId: string }>(
    `select distinct u.order_id as "orderId" from units s join units u on u.shared_box = s.shared_box and u.order_id <> s.order_id
     where s.order_id = $1 and s.state = 'cancelled' and u.state = 'packed'
       and not exists (select from parcels p where p.unit_id = u.id and p.state not in ('refused', 'void'))`,
    [orderId],
  )
  for (const waiting of rows) {
    await changeOrder(runtime.pool, waiting.orderId, 'world', (record) => record.changeCourse())
    await ringLater(runtime, waiting.orderId)
  }
}

/** For whoever takes a unit's pieces out of a box that others share. */
export async function besideIt(tx: Tx, unit: UnitRecord): Promise<string> {
  if (unit.sharedBox === null) return ''
  const others = (await sharersOf(tx, unit.sharedBox)).filter(({ unitId }) => unitId !== unit.id)
  if (others.length === 0) return ''
  return ` The box goes on with order ${others.map(({ orderNumber }) => orderNumber).join(', ')}: only these pieces come out.`
}

/** Every order that is in a box: the one whose parcel this is, and those that go along. */
export async function unitsIn(
  db: Parameters<typeof ridersIn>[0],
  parcel: { parcelId: string; orderId: string; unitId: string },
): Promise<{ parcelId: string; orderId: string; unitId: string }[]> {
  return [parcel, ...(await ridersIn(db, parcel.parcelId))]
}

/** The sweep rings when this one is not heard. */
async function ringLater(runtime: Runtime, orderId: string): Promise<void> {
  await ring(runtime, orderId).catch((error: Error) =>
    runtime.log.warn({ order: orderId, error: error.name }, 'an order that shares a box will be rung for later'),
  )
}
