/** A booking whose label would collect another amount than was asked for: it is given back at once, and nothing of it is told or printed. */
import type { Booking, Connector, ConnectorContext } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { moneyText } from '../../domain/money.ts'
import type { OrderView } from '../../domain/view.ts'
import { changeOrder, type ParcelRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { saveParcel } from '../../store/units.ts'
import type { Runtime } from '../runtime.ts'

/** What a channel carries itself collects what the channel says: its label is judged when it is printed. */
export const isWrongLabel = (parcel: ParcelRecord, booking: Booking): boolean =>
  parcel.service !== 'channel' && booking.labelAmountMinor !== parcel.amountDueMinor

interface Desk {
  courier: NonNullable<Connector['courier']>
  context: ConnectorContext
  parcel: ParcelRecord
}

/** Not tried again by itself: the courier would print the same once more. */
export async function giveBack(runtime: Runtime, orderId: string, desk: Desk, booking: Booking): Promise<OrderView> {
  const whyItStands = await cancel(desk, booking)
  const { view } = await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
    const parcel = record.parcels.find(({ id }) => id === desk.parcel.id)
    if (parcel === undefined || (parcel.state !== 'intended' && parcel.state !== 'sent')) return
    const money = (minor: number) => moneyText(minor, record.doc.payment.currency)
    const wrong = `its label would collect ${money(booking.labelAmountMinor)}, and ${money(parcel.amountDueMinor)} is due`
    Object.assign(parcel, {
      state: 'refused',
      waybill: booking.waybill,
      courierBookingId: booking.courierBookingId,
      labelAmountMinor: booking.labelAmountMinor,
    })
    const outcome = whyItStands === null ? 'its booking was cancelled' : 'its booking still stands there'
    await saveParcel(tx, parcel, { label: booking.label, refusal: `${wrong}; ${outcome}` })
    record.unit(parcel.unitId).bookingsAllowed = parcel.attempt
    if (whyItStands === null) return
    await openTask(tx, {
      kind: 'booking.cancel',
      key: `parcel:${parcel.id}:cancel`,
      orderId,
      connection: parcel.courier,
      subject: record.doc.externalId,
      title: 'A waybill with a wrong amount could not be cancelled',
      detail: `Waybill ${booking.waybill ?? parcel.reference} of order ${record.doc.externalId} still stands at ${parcel.courier} (${whyItStands}): ${wrong}. It is not printed.`,
      remedy: 'Have the courier cancel it, and let nobody hand it over; then skip.',
      field: 'waybill',
      value: booking.waybill,
      actions: ['skip'],
    })
  })
  return view
}

/** @returns null when it is cancelled, else why not. */
async function cancel({ courier, context, parcel }: Desk, { courierBookingId, waybill }: Booking): Promise<string | null> {
  try {
    await courier.cancel(context, { reference: parcel.reference, courierBookingId, waybill, service: parcel.service })
    return null
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    return error.message
  }
}
