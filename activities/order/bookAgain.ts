/** A booking that somebody asks for: it is one more than the saga's own tries, and does not wait as those do. */
import type { Tx } from '../../store/db.ts'
import type { OrderRecord, ParcelRecord } from '../../store/orderRecord.ts'
import { saveParcel } from '../../store/units.ts'

/** Instead of this parcel; a booking that stands is cancelled first. Asked twice it is asked once. */
export async function bookAgain(tx: Tx, record: OrderRecord, parcel: ParcelRecord): Promise<void> {
  if (parcel.rebook === null) record.unit(parcel.unitId).bookingsAllowed += 1
  parcel.rebook = 'asked'
  await saveParcel(tx, parcel)
}

/** What a courier refused is sent once more, as it is or as it was corrected. */
export async function bookRefusedAgain(tx: Tx, record: OrderRecord): Promise<void> {
  for (const unit of record.units) {
    const parcel = record.parcelOf(unit.id)
    if (parcel?.state === 'refused') await bookAgain(tx, record, parcel)
  }
}
