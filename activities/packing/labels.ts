/** Our own label, for couriers that print none by a call: the same parcel as it was booked, so printing again books nothing. */
import { parcelRequest } from '../order/parcelRequest.ts'
import type { Document } from '../../connectors/kit/types.ts'
import { shippingLabels, type ShippingLabel } from '../../documents/shippingLabel.ts'
import { handlingOf } from '../../domain/boxes.ts'
import type { Queryable } from '../../store/db.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { goodsOfUnits } from '../../store/packing.ts'
import type { KnownParcel } from '../../store/parcels.ts'

async function labelOf(db: Queryable, known: KnownParcel): Promise<ShippingLabel | null> {
  const record = await readOrder(db, known.orderId)
  const parcel = record.parcels.find(({ id }) => id === known.id)
  if (parcel === undefined) return null
  const request = await parcelRequest(db, record, parcel)
  const goods = (await goodsOfUnits(db, [parcel.unitId])).get(parcel.unitId) ?? []
  const alive = record.units.filter(({ state }) => state !== 'cancelled')
  const place = alive.findIndex(({ id }) => id === parcel.unitId) + 1
  return {
    courier: known.courier,
    service: known.service,
    waybill: known.waybill ?? known.courierBookingId ?? known.reference,
    reference: known.reference,
    orderNumber: known.number,
    sender: request.sender,
    recipient: { ...request.recipient, address: request.recipient.address ?? '' },
    pickup: request.cvs === null ? null : `${request.cvs.chain} ${request.cvs.storeId}`,
    // What the courier was told to collect, not what is due now.
    amountDueMinor: parcel.labelAmountMinor ?? parcel.amountDueMinor,
    currency: record.doc.payment.currency,
    temperature: request.temperature,
    fragile: handlingOf(goods).fragile,
    askedTime: request.askedTime,
    notes: request.notes,
    parcelOf: alive.length > 1 ? `${place}/${alive.length}` : null,
  }
}

/** One page a parcel. */
export async function ownLabels(db: Queryable, parcels: readonly KnownParcel[], now: Date): Promise<Document> {
  const labels: ShippingLabel[] = []
  for (const parcel of parcels) {
    const label = await labelOf(db, parcel)
    if (label !== null) labels.push(label)
  }
  return { contentType: 'application/pdf', bytes: await shippingLabels(labels, now) }
}
