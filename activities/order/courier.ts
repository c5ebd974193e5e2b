/** Calls to a courier: booked once whatever happens, looked up before anything is sent again. */
import { Context } from '@temporalio/activity'
import type { ConnectorContext, Connector, Booking, ParcelRequest } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { isRebooked, labelsOff } from '../../domain/labels.ts'
import type { OrderView } from '../../domain/view.ts'
import { changeOrder, readOrder, type OrderRecord, type ParcelRecord } from '../../store/orderRecord.ts'
import { saveParcel } from '../../store/units.ts'
import { toFailure } from '../failure.ts'
import { leaveBookingToOthers, takeAlong } from '../packing/sharedBox.ts'
import type { Runtime } from '../runtime.ts'
import { stopAndTell } from '../stopped.ts'
import { keepBooked } from './booked.ts'
import { askForStore } from './closedStore.ts'
import { keepInsured } from './insurance.ts'
import { amountDueFor, leaveBookingToPerson } from './parcel.ts'
import { parcelRequest } from './parcelRequest.ts'
import { giveBack, isWrongLabel } from './wrongLabel.ts'

/** The parcel of a worker that died is taken up by another within seconds; a call that is answered quickly beats never. */
const HEARTBEAT_MS = 5_000

export interface CourierSteps {
  book(orderId: string, parcelId: string): Promise<OrderView>
  cancelBooking(orderId: string, parcelId: string): Promise<OrderView>
}

export function createCourierSteps(runtime: Runtime): CourierSteps {
  const guarded =
    (step: (runtime: Runtime, orderId: string, parcelId: string) => Promise<OrderView>) =>
    async (orderId: string, parcelId: string) => {
      const { heartbeat } = Context.current()
      const beat = setInterval(() => heartbeat(), HEARTBEAT_MS)
      try {
        return await step(runtime, orderId, parcelId)
      } catch (error) {
        throw toFailure(error)
      } finally {
        clearInterval(beat)
      }
    }
  return { book: guarded(book), cancelBooking: guarded(cancelBooking) }
}

type Courier = NonNullable<Connector['courier']>
interface Desk {
  courier: Courier
  context: ConnectorContext
  request: ParcelRequest
  parcel: ParcelRecord
}

async function desk(runtime: Runtime, record: OrderRecord, parcel: ParcelRecord): Promise<Desk> {
  const { connector, context } = await runtime.connection(parcel.courier)
  if (connector.courier === undefined) throw new OmnisagaError('Misconfigured', `connection ${parcel.courier} is not a courier`)
  return { courier: connector.courier, context, request: await parcelRequest(runtime.pool, record, parcel), parcel }
}

const parcelIn = (record: OrderRecord, parcelId: string): ParcelRecord | undefined =>
  record.parcels.find((parcel) => parcel.id === parcelId)

/** The booking of a box is that of all who share it. */
async function book(runtime: Runtime, orderId: string, parcelId: string): Promise<OrderView> {
  const before = await readOrder(runtime.pool, orderId)
  const view = await bookOwn(runtime, orderId, before, parcelIn(before, parcelId))
  if (before.units.every(({ sharedBox }) => sharedBox === null)) return view
  const record = await readOrder(runtime.pool, orderId)
  const parcel = parcelIn(record, parcelId)
  if (parcel !== undefined) await takeAlong(runtime, record.unit(parcel.unitId), parcel)
  return record.view()
}

async function bookOwn(runtime: Runtime, orderId: string, record: OrderRecord, parcel?: ParcelRecord): Promise<OrderView> {
  if (parcel === undefined || (parcel.state !== 'intended' && parcel.state !== 'sent')) return record.view()
  const at = await desk(runtime, record, parcel)
  if (at.context.connection.paused)
    throw new OmnisagaError('Misconfigured', `connection ${parcel.courier} is paused`, { code: 'paused' })
  try {
    const earlier = parcel.state === 'sent' ? await at.courier.lookUp(at.context, at.request) : null
    const booking = earlier ?? (await sendOnce(runtime, orderId, at))
    if (booking !== null && isWrongLabel(parcel, booking)) return await giveBack(runtime, orderId, at, booking)
    return booking === null ? (await readOrder(runtime.pool, orderId)).view() : await booked(runtime, orderId, at, booking)
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    if (error.kind === 'Misconfigured') await stopAndTell(runtime.pool, parcel.courier, error)
    if (error.kind === 'Rejected' || error.kind === 'Invalid') return await refused(runtime, orderId, parcel.id, error)
    throw error
  }
}

/**
 * That it was sent is written first; whoever finds it so looks it up before sending again.
 * @returns null when it is no longer to be sent (cancelled or booked by another meanwhile).
 */
async function sendOnce(runtime: Runtime, orderId: string, { courier, context, request, parcel }: Desk): Promise<Booking | null> {
  const { result: wanted } = await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
    const current = parcelIn(record, parcel.id)
    if (current?.state !== 'intended') return current?.state === 'sent'
    if (wouldBeOff(record, current)) {
      // What is due has changed since: nothing was sent yet, so another one is intended.
      current.state = 'void'
      record.unit(current.unitId).bookingsAllowed += 1
      await saveParcel(tx, current)
      return false
    }
    current.state = 'sent'
    await saveParcel(tx, current)
    return true
  })
  if (!wanted) return null
  try {
    return await courier.book(context, request)
  } catch (error) {
    // A lost answer that came late, or a worker that was given up but had sent it: either makes this try a duplicate, and its
    // refusal hides a booking.
    const isRefusal = error instanceof OmnisagaError && (error.kind === 'Rejected' || error.kind === 'Invalid')
    const hidden = isRefusal ? await courier.lookUp(context, request) : null
    if (hidden !== null) return hidden
    throw error
  }
}

async function booked(
  runtime: Runtime,
  orderId: string,
  { request, parcel: { id: parcelId } }: Desk,
  booking: Booking,
): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      const parcel = parcelIn(record, parcelId)
      if (parcel?.state === 'void' && parcel.courierBookingId === null) {
        // Cancelled by another run while this call was under way: what was booked must not be forgotten.
        Object.assign(parcel, { state: 'sent', waybill: booking.waybill, courierBookingId: booking.courierBookingId })
        return await leaveBookingToPerson(record, tx, parcelId, 'it was booked while it was being cancelled')
      }
      if (parcel === undefined || (parcel.state !== 'intended' && parcel.state !== 'sent')) return
      Object.assign(parcel, {
        state: 'booked',
        waybill: booking.waybill,
        courierBookingId: booking.courierBookingId,
        labelAmountMinor: booking.labelAmountMinor,
      })
      await keepBooked(runtime, tx, record, parcel, booking.label)
      await keepInsured(tx, record, parcel, request, booking)
    })
  ).view
}

async function refused(runtime: Runtime, orderId: string, parcelId: string, error: OmnisagaError): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      const parcel = parcelIn(record, parcelId)
      // Another run may have booked or cancelled it meanwhile.
      if (parcel === undefined || (parcel.state !== 'intended' && parcel.state !== 'sent')) return
      parcel.state = 'refused'
      await saveParcel(tx, parcel, { refusal: [error.message, error.remedy].filter(Boolean).join(' - ') })
      // Our own data is wrong, or the store is closed: the same parcel would be refused again, so a person is asked at once.
      if (error.kind === 'Invalid' || error.code === 'storeClosed') record.unit(parcel.unitId).bookingsAllowed = parcel.attempt
      if (error.code === 'storeClosed') askForStore(record, parcel)
    })
  ).view
}

/** With it the labels would collect another amount than is due, and made anew it would collect another one itself. */
const wouldBeOff = (record: OrderRecord, parcel: ParcelRecord): boolean => {
  if (amountDueFor(record, record.unit(parcel.unitId)) === parcel.amountDueMinor) return false
  const parcels = record.parcels.map((each) => (each === parcel ? { ...each, state: 'booked' as const } : each))
  return labelsOff({ ...record, parcels, payment: record.doc.payment, missing: record.view().missing }) !== null
}

async function cancelBooking(runtime: Runtime, orderId: string, parcelId: string): Promise<OrderView> {
  const record = await readOrder(runtime.pool, orderId)
  const parcel = parcelIn(record, parcelId)
  if (parcel === undefined || !['intended', 'sent', 'booked'].includes(parcel.state)) return record.view()
  // Neither given up nor to be made anew: let go meanwhile.
  if (!record.is('cancelRequested') && !isRebooked(parcel)) return record.view()
  if (record.is('cancelRequested') && (await leaveBookingToOthers(runtime, record, parcel)))
    return (await readOrder(runtime.pool, orderId)).view()
  let refusal: string | null = null
  if (parcel.state !== 'intended' && parcel.ridesIn === null) {
    const { courier, context, request } = await desk(runtime, record, parcel)
    const booking = parcel.state === 'sent' ? await courier.lookUp(context, request) : null
    const courierBookingId = parcel.courierBookingId ?? booking?.courierBookingId
    try {
      if (courierBookingId !== undefined)
        await courier.cancel(context, {
          reference: parcel.reference,
          courierBookingId,
          waybill: parcel.waybill ?? booking?.waybill ?? null,
          service: parcel.service,
        })
    } catch (error) {
      if (!(error instanceof OmnisagaError) || error.kind !== 'Rejected') throw error
      refusal = error.message
    }
  }
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (current, tx) => {
      const mine = parcelIn(current, parcelId)
      // It may have left meanwhile.
      if (mine === undefined || !['intended', 'sent', 'booked'].includes(mine.state)) return
      if (refusal !== null && current.is('cancelRequested')) return await leaveBookingToPerson(current, tx, parcelId, refusal)
      if (refusal !== null) {
        mine.rebook = 'refused'
        return await saveParcel(tx, mine)
      }
      mine.state = 'void'
      await saveParcel(tx, mine)
    })
  ).view
}
