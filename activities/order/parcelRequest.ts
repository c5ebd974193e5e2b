/** What a courier must know of a parcel, from the order, its unit and the location that sends it. */
import type { ParcelRequest } from '../../connectors/kit/types.ts'
import type { Queryable } from '../../store/db.ts'
import type { OrderRecord, ParcelRecord } from '../../store/orderRecord.ts'
import { goodsBeside } from '../../store/sharedBoxes.ts'
import { insuredOf } from './insurance.ts'

interface Sender {
  name: string
  phone: string
  postalCode: string
  address: string
}

export async function parcelRequest(db: Queryable, record: OrderRecord, parcel: ParcelRecord): Promise<ParcelRequest> {
  const unit = record.unit(parcel.unitId)
  const rows = await db.query<{
    sender: Partial<Sender>
    weight_grams: number | null
    notes: string | null
    temperature: ParcelRequest['temperature'] | null
    insureAbove: number | null
  }>(
    `select l.sender, u.weight_grams, u.notes,
       (select (policy->>'insureAboveMinor')::bigint from settings order by version desc limit 1) as "insureAbove",
       (select max(p.temperature) from unit_lines ul join products p on p.sku = ul.sku where ul.unit_id = u.id and p.temperature <> 'ambient') as temperature
     from units u join locations l on l.id = u.location where u.id = $1`,
    [unit.id],
  )
  const at = rows.rows[0]
  const { recipient, delivery, payment } = record.doc
  const packed = unit.lines
    .filter((line) => line.quantity > line.short)
    .map(({ lineId, sku, quantity, short }) => {
      const { name, unitPriceMinor } = record.line(lineId)
      return { sku, name, unitPriceMinor, quantity: quantity - short }
    })
    .concat(await goodsBeside(db, unit))
  const value = packed.reduce((sum, line) => sum + line.quantity * (line.unitPriceMinor ?? 0), 0)
  return {
    reference: parcel.reference,
    service: parcel.service,
    method: delivery.method === 'cvs' ? 'cvs' : 'home',
    cvs:
      delivery.cvs === null || delivery.cvs.storeId === null
        ? null
        : { chain: delivery.cvs.chain, storeId: delivery.cvs.storeId },
    sender: {
      name: at?.sender.name ?? '',
      phone: at?.sender.phone ?? '',
      postalCode: at?.sender.postalCode ?? '',
      address: at?.sender.address ?? '',
    },
    recipient: {
      name: recipient.name ?? '',
      phone: recipient.phone ?? '',
      postalCode: recipient.address?.postalCode ?? null,
      city: recipient.address?.city ?? null,
      district: recipient.address?.district ?? null,
      address: recipient.address?.line ?? null,
      country: recipient.address?.country ?? null,
      province: recipient.address?.province ?? null,
    },
    goodsName: packed.map((line) => line.name ?? line.sku).join(' '),
    // Insured and declared at its value; a file that tells no prices still needs an amount above zero.
    goodsAmountMinor: parcel.amountDueMinor > 0 ? parcel.amountDueMinor : Math.max(100, value),
    amountDueMinor: payment.method === 'cod' ? parcel.amountDueMinor : 0,
    insured: insuredOf(value, payment.currency, at?.insureAbove),
    weightGrams: at?.weight_grams ?? null,
    temperature: at?.temperature ?? 'ambient',
    askedTime: delivery.askedTime ?? null,
    notes: at?.notes ?? null,
    channelOrder: parcel.service === 'channel' ? { externalId: record.doc.externalId } : null,
  }
}
