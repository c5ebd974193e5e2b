/** The value of a parcel that a rule wants insured (policy `insureAboveMinor`): who can insure it, and what became of it. */
import type { Booking, ParcelRequest } from '../../connectors/kit/types.ts'
import { moneyText } from '../../domain/money.ts'
import type { Tx } from '../../store/db.ts'
import type { OrderRecord, ParcelRecord, UnitRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'

/** @returns what the parcel's request names; null when it is worth no more than the rule lets go uninsured. */
export const insuredOf = (
  valueMinor: number,
  currency: string,
  aboveMinor: number | null | undefined,
): ParcelRequest['insured'] => (aboveMinor != null && valueMinor > aboveMinor ? { valueMinor, currency } : null)

/** Minor units of what is in the unit's box. */
export const valueOf = (record: OrderRecord, unit: UnitRecord): number =>
  unit.lines.reduce((sum, line) => sum + (line.quantity - line.short) * (record.line(line.lineId).unitPriceMinor ?? 0), 0)

/** Those of the couriers that insure, where the unit is to be insured and one of them does; else all. */
export async function insuring(runtime: Runtime, record: OrderRecord, unit: UnitRecord, couriers: string[]): Promise<string[]> {
  const { insureAboveMinor } = await runtime.policy()
  if (insuredOf(valueOf(record, unit), record.doc.payment.currency, insureAboveMinor) == null) return couriers
  const able: string[] = []
  for (const name of couriers) {
    const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
    if (connector.courier?.insures?.(context.connection.config) === true) able.push(name)
  }
  return able.length > 0 ? able : couriers
}

/** It is booked: what the courier insures of it is kept; nothing of it is a person's matter before it leaves. */
export async function keepInsured(
  tx: Tx,
  record: OrderRecord,
  parcel: ParcelRecord,
  { insured }: Pick<ParcelRequest, 'insured'>,
  booking: Booking,
): Promise<void> {
  if (insured == null) return
  await tx.query('update parcels set insured_minor = $2 where id = $1', [parcel.id, booking.insuredMinor ?? null])
  if (booking.insuredMinor != null) return
  await openTask(tx, {
    kind: 'parcel.uninsured',
    key: `parcel:${parcel.id}:uninsured`,
    orderId: record.id,
    connection: parcel.courier,
    subject: record.doc.externalId,
    title: 'A parcel that is to be insured is not',
    detail: `Waybill ${parcel.waybill ?? parcel.reference} of order ${record.doc.externalId} is worth ${moneyText(insured.valueMinor, insured.currency)}; ${parcel.courier} insures nothing.`,
    remedy:
      'Insure it by hand before it is handed over, or let it go as it is; then skip. A courier that insures, beside this one in the routing, is chosen by itself.',
    field: 'waybill',
    value: parcel.waybill,
    actions: ['skip'],
  })
}
