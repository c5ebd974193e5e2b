/** Parcels: the intent to book one, and what is asked of people when a courier will not. */
import { OmnisagaError } from '../../domain/errors.ts'
import { isRebooked } from '../../domain/labels.ts'
import { chooseCourier, courierRule } from '../../domain/routing/decide.ts'
import type { CourierChoice } from '../../domain/routing/types.ts'
import type { OrderView } from '../../domain/view.ts'
import type { Tx } from '../../store/db.ts'
import { changeOrder, type OrderRecord, type ParcelRecord, type UnitRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { addParcel, saveParcel } from '../../store/units.ts'
import { goodsBeside } from '../../store/sharedBoxes.ts'
import { goesAlong } from '../packing/sharedBox.ts'
import type { Runtime } from '../runtime.ts'
import { insuring } from './insurance.ts'
import { goodsOf, routedOrder, routingFor } from './place.ts'
import { whyCalledBack } from './recall.ts'

const LIVE: ReadonlySet<ParcelRecord['state']> = new Set(['intended', 'sent', 'booked', 'shipped', 'delivered', 'returning'])

/** Its label says what it collects; one that came back is not collected by another. */
const LABELLED: ReadonlySet<ParcelRecord['state']> = new Set([...LIVE, 'returned'])

export async function intendParcel(runtime: Runtime, orderId: string, unitId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      const newest = record.parcelOf(unitId)
      if (newest !== null && LIVE.has(newest.state)) return
      if (record.is('cancelRequested')) return
      if (await goesAlong(runtime, tx, record, record.unit(unitId))) return
      const courier = await courierFor(runtime, tx, record, record.unit(unitId)).catch((error: unknown) => {
        if (error instanceof OmnisagaError) return error
        throw error
      })
      if (courier instanceof OmnisagaError) return await askForCourier(record, tx, unitId, courier)
      await record.closeTasks(tx, { key: `order:${orderId}:courier:${unitId}` }, 'a courier serves it')
      await addParcel(tx, record, { unitId, ...courier, amountDueMinor: amountDueFor(record, record.unit(unitId)) })
    })
  ).view
}

async function askForCourier(record: OrderRecord, tx: Tx, unitId: string, problem: OmnisagaError): Promise<void> {
  await openTask(tx, {
    kind: 'courier.missing',
    key: `order:${record.id}:courier:${unitId}`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'No courier can be booked for this order',
    detail: `The goods of order ${record.doc.externalId} are packed and stay held, but ${problem.message}.`,
    remedy: problem.remedy ?? 'Apply a configuration that names the courier of this location, then retry.',
    actions: ['retry', 'change', 'cancel'],
  })
}

/** The channel's own logistics where the order says so, else the courier of the location for this way of delivery. */
async function courierFor(
  runtime: Runtime,
  tx: Tx,
  record: OrderRecord,
  unit: UnitRecord,
): Promise<{ courier: string; connector: string; service: string }> {
  const { method, service, cvs } = record.doc.delivery
  const kind = method === 'cvs' ? 'cvs' : 'home'
  const configured = await tx.query<{ courier: string | null }>(
    `select courier_${kind} as courier from locations where id = $1`,
    [unit.location],
  )
  const chosen = service === 'channel' ? null : await byTariff(runtime, record, unit, configured.rows[0]?.courier ?? null)
  const name = service === 'channel' ? record.connection : (chosen?.courier ?? configured.rows[0]?.courier)
  if (!name) throw new OmnisagaError('Misconfigured', `location ${unit.location} has no courier for ${kind} delivery`)
  const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
  if (connector.courier === undefined) throw new OmnisagaError('Misconfigured', `connection ${name} is not a courier`)
  return {
    courier: name,
    connector: connector.name,
    service: connector.courier.serviceFor(context.connection.config, {
      method: kind,
      chain: cvs?.chain ?? null,
      wished: service ?? chosen?.service ?? null,
    }),
  }
}

/** The tariffs' choice for what is really in the box; a courier that refused this unit is passed over while another is left. */
async function byTariff(
  runtime: Runtime,
  record: OrderRecord,
  unit: UnitRecord,
  configured: string | null,
): Promise<CourierChoice | null> {
  const routing = await routingFor(runtime, record)
  if (routing.tariffs.length === 0) return null
  const own = unit.lines.map(({ lineId, sku, quantity, short }) => ({ lineId, sku, quantity: quantity - short }))
  const beside = (await goodsBeside(runtime.pool, unit)).map(({ sku, quantity }) => ({ lineId: `beside:${sku}`, sku, quantity }))
  const demand = [...own, ...beside]
  const order = { ...routedOrder(record), ...(await goodsOf(runtime.pool, routing, demand)), demand }
  const named = [...new Set([configured, ...(routing.places[unit.location]?.couriers ?? [])].flatMap((each) => each ?? []))]
  const couriers = await goingThere(runtime, record, named)
  const refusing = new Set(
    record.parcels.filter((each) => each.unitId === unit.id && each.state === 'refused').map((each) => each.courier),
  )
  const willing = couriers.filter((each) => !refusing.has(each))
  const among = { couriers: await insuring(runtime, record, unit, willing.length > 0 ? willing : couriers) }
  const choice = chooseCourier(order, among, routing.tariffs, courierRule(routing.rules, order))
  if (choice === null && order.fragile && among.couriers.length > 0)
    throw new OmnisagaError('Misconfigured', `no courier of location ${unit.location} takes goods that break`, {
      remedy: `Name one that does among the couriers of policy.routing.places.${unit.location}, then retry.`,
    })
  return choice
}

/** Those that deliver this way at all; all of them where none does, so that the chosen one says why. */
async function goingThere(runtime: Runtime, { doc: { delivery } }: OrderRecord, couriers: string[]): Promise<string[]> {
  if (couriers.length < 2) return couriers
  const method = delivery.method === 'cvs' ? 'cvs' : 'home'
  const going: string[] = []
  for (const name of couriers) {
    const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
    try {
      connector.courier?.serviceFor(context.connection.config, { method, chain: delivery.cvs?.chain ?? null, wished: null })
      going.push(name)
    } catch (error) {
      if (!(error instanceof OmnisagaError)) throw error // its no is the answer
    }
  }
  return going.length > 0 ? going : couriers
}

/**
 * What this parcel must collect, so that the labels of an order add up to what is due, also when a part is struck off later: the
 * first one collects shipping less discounts beside the value of what is in it, the last one whatever is left.
 */
export function amountDueFor(record: OrderRecord, unit: UnitRecord): number {
  const { payment } = record.doc
  if (payment.method !== 'cod' || payment.state === 'collected') return 0
  const others = record.units.filter((other) => other.id !== unit.id && other.state !== 'cancelled')
  const labelled = record.parcels.filter(
    (parcel) => parcel.unitId !== unit.id && LABELLED.has(parcel.state) && !isRebooked(parcel),
  )
  const left = Math.max(0, payment.amountDueMinor - labelled.reduce((sum, parcel) => sum + parcel.amountDueMinor, 0))
  const isLast = others.every((other) => LABELLED.has(record.parcelOf(other.id)?.state ?? 'void'))
  if (isLast && record.view().missing === 0) return left
  const value = unit.lines.reduce(
    (sum, line) => sum + (line.quantity - line.short) * (record.line(line.lineId).unitPriceMinor ?? 0),
    0,
  )
  const share = labelled.length === 0 ? value + beyondGoods(record) : value
  return Math.min(left, Math.max(0, share))
}

/** Shipping less discounts: what is due beside the goods. Unknown prices leave it, with the rest, to the last parcel. */
function beyondGoods(record: OrderRecord): number {
  const wanted = record.lines.filter((line) => line.ordered > line.cancelled)
  if (wanted.some((line) => line.unitPriceMinor === null && !line.gift)) return 0
  const goods = wanted.reduce((sum, line) => sum + (line.ordered - line.cancelled) * (line.unitPriceMinor ?? 0), 0)
  return record.doc.payment.amountDueMinor - goods
}

export async function askAboutRefusal(runtime: Runtime, orderId: string, unitId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      // The customer is asked first.
      if (record.is('storeClosed')) return
      const parcel = record.parcelOf(unitId)
      const refusal = await tx.query<{ refusal: string | null }>('select refusal from parcels where id = $1', [parcel?.id])
      await openTask(tx, {
        kind: 'booking.refused',
        key: `order:${orderId}:booking:${unitId}`,
        orderId,
        connection: parcel?.courier ?? null,
        subject: record.doc.externalId,
        title: 'The courier refuses this parcel',
        detail: `${parcel?.courier} does not take the parcel of order ${record.doc.externalId}: ${refusal.rows[0]?.refusal ?? 'it names no reason'} (tried ${parcel?.attempt === 1 ? 'once' : `${parcel?.attempt} times`}). Nothing is booked; the goods are packed and stay held.`,
        remedy: 'Correct what the courier names (change): it is booked once more then. Or retry as it is, or cancel.',
        field: record.doc.delivery.method === 'cvs' ? 'delivery.cvs' : 'recipient',
        actions: ['retry', 'change', 'cancel'],
      })
    })
  ).view
}

/** A connection that is paused or stopped needs no word for each of its orders: they go on when it does. */
async function isSwitchedOff(tx: Tx, connection: string | undefined): Promise<boolean> {
  const off = await tx.query(
    `select 1 from connections c left join connection_state s on s.connection = c.name
     where c.name = $1 and (c.paused or s.stopped_reason is not null)`,
    [connection ?? null],
  )
  return off.rowCount === 1
}

export async function courierUnreachable(runtime: Runtime, orderId: string, unitId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      const parcel = record.parcelOf(unitId)
      if (await isSwitchedOff(tx, parcel?.courier)) return
      await openTask(tx, {
        kind: 'courier.unreachable',
        key: `order:${orderId}:courier:${unitId}`,
        orderId,
        connection: parcel?.courier ?? null,
        subject: record.doc.externalId,
        title: 'The courier cannot be reached',
        detail: `${parcel?.state === 'booked' ? 'Cancelling the booking' : 'Booking the parcel'} of order ${record.doc.externalId} with ${parcel?.courier} has not worked for a while; it is being tried again, and looked up first, so that nothing is booked twice.`,
        remedy: 'Check the connection (omnisaga connections check). The task closes by itself once the parcel is booked.',
        actions: ['retry', 'cancel'],
      })
    })
  ).view
}

/** The courier could not be asked to cancel: a person takes the parcel out, and the order says so. */
export async function bookingNotCancelled(runtime: Runtime, orderId: string, parcelId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', (record, tx) =>
      leaveBookingToPerson(record, tx, parcelId, 'the courier cannot be reached'),
    )
  ).view
}

export async function leaveBookingToPerson(record: OrderRecord, tx: Tx, parcelId: string, reason: string): Promise<void> {
  const parcel = record.parcels.find((candidate) => candidate.id === parcelId)
  if (parcel === undefined || parcel.state === 'void') return
  parcel.state = 'void'
  await saveParcel(tx, parcel, { refusal: `not cancelled: ${reason}` })
  record.record('undoFailed', { parcel: parcelId, reason })
  await openTask(tx, {
    kind: 'booking.cancel',
    key: `parcel:${parcelId}:cancel`,
    orderId: record.id,
    connection: parcel.courier,
    subject: record.doc.externalId,
    title: 'A waybill could not be cancelled',
    detail: `Waybill ${parcel.waybill ?? parcel.reference} of order ${record.doc.externalId} still stands at ${parcel.courier}, though the order ${whyCalledBack(record)}: ${reason}.`,
    remedy: 'Take the parcel out of the hand-over, destroy the label, and tell the courier.',
    field: 'waybill',
    value: parcel.waybill,
    actions: ['skip'],
  })
}
