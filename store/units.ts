/** Fulfilment units and their parcels: rows that an order's unit of work adds. */
import { courierReferenceOf, parcelIdOf, unitIdOf } from '../domain/ids.ts'
import type { UnitState } from '../domain/view.ts'
import type { Tx } from './db.ts'
import type { OrderRecord, ParcelRecord, UnitLineRecord, UnitRecord } from './orderRecord.ts'

export async function addUnit(
  tx: Tx,
  record: OrderRecord,
  args: {
    location: string
    state: UnitState
    lines: { lineId: string; sku: string; quantity: number }[]
    bookingsAllowed: number
    notes: string | null
    priority: number
  },
): Promise<UnitRecord> {
  const serial = record.units.length + 1
  const id = unitIdOf(record.id, serial)
  await tx.query({
    name: 'add-unit',
    text: `insert into units (id, order_id, serial, location, state, notes, priority, bookings_allowed) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [id, record.id, serial, args.location, args.state, args.notes, args.priority, args.bookingsAllowed],
  })
  await tx.query({
    name: 'add-unit-lines',
    text: `insert into unit_lines (unit_id, line_id, sku, quantity)
           select $1, l."lineId", l.sku, l.quantity from jsonb_to_recordset($2::jsonb) as l("lineId" text, sku text, quantity int)`,
    values: [id, JSON.stringify(args.lines)],
  })
  const lines: UnitLineRecord[] = args.lines.map((line) => ({ ...line, picked: 0, packed: 0, short: 0 }))
  const unit: UnitRecord = {
    id,
    serial,
    location: args.location,
    state: args.state,
    bookingsAllowed: args.bookingsAllowed,
    sharedBox: null,
    lines,
  }
  record.units.push(unit)
  return unit
}

/** The intent to book: written before anything is sent, with the reference by which the courier can be asked later. */
export async function addParcel(
  tx: Tx,
  record: OrderRecord,
  args: { unitId: string; courier: string; connector: string; service: string; amountDueMinor: number },
): Promise<ParcelRecord> {
  const attempt = (record.parcelOf(args.unitId)?.attempt ?? 0) + 1
  const id = parcelIdOf(args.unitId, attempt)
  const reference = courierReferenceOf(id)
  await tx.query({
    name: 'add-parcel',
    text: `insert into parcels (id, order_id, unit_id, attempt, courier, service, reference, amount_due_minor) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [id, record.id, args.unitId, attempt, args.courier, args.service, reference, args.amountDueMinor],
  })
  const parcel: ParcelRecord = {
    id,
    unitId: args.unitId,
    attempt,
    courier: args.courier,
    connector: args.connector,
    service: args.service,
    reference,
    state: 'intended',
    waybill: null,
    courierBookingId: null,
    amountDueMinor: args.amountDueMinor,
    labelAmountMinor: null,
    ridesIn: null,
    rebook: null,
  }
  record.parcels.push(parcel)
  return parcel
}

/** Writes a parcel's state and whatever else is now known of it; what is not given stays. */
export async function saveParcel(
  tx: Tx,
  parcel: ParcelRecord,
  more: {
    label?: Record<string, unknown>
    refusal?: string
    lastStatus?: string
    newsAt?: string
    newsDueInMs?: number | null
  } = {},
): Promise<void> {
  await tx.query({
    name: 'save-parcel',
    text: `update parcels set state = $2, waybill = $3, courier_booking_id = $4, label_amount_minor = $5, rebook = $11,
             label = coalesce($6, label), refusal = coalesce($7, refusal), last_status = coalesce($8, last_status),
             last_news_at = greatest(last_news_at, $9::timestamptz),
             news_due_at = case when $10::bigint is null then news_due_at else now() + $10 * interval '1 millisecond' end,
             booked_at = case when $2 = 'booked' then coalesce(booked_at, now()) else booked_at end,
             shipped_at = case when $2 = 'shipped' then coalesce(shipped_at, now()) else shipped_at end,
             delivered_at = case when $2 = 'delivered' then coalesce(delivered_at, now()) else delivered_at end
           where id = $1`,
    values: [
      parcel.id,
      parcel.state,
      parcel.waybill,
      parcel.courierBookingId,
      parcel.labelAmountMinor,
      more.label ?? null,
      more.refusal ?? null,
      more.lastStatus ?? null,
      more.newsAt ?? null,
      more.newsDueInMs ?? null,
      parcel.rebook,
    ],
  })
}
