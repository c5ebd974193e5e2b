/** Cash paid out by couriers: every line kept once, matched to its parcel; what does not fit is a task. */
import type { Queryable, Tx } from './db.ts'
import { closeTasks, openTask } from './tasks.ts'

/** As a courier reports it; amounts in minor units, `paidOutOn` an ISO 8601 date. */
export interface RemittanceLine {
  reference: string | null
  courierBookingId: string
  collectedMinor: number
  feeMinor: number
  paidOutOn: string
}
export type Matched = 'known' | 'matched' | 'differs' | 'unknown'

export interface OpenParcel {
  reference: string
  courierBookingId: string
  waybill: string | null
  service: string
  label: Record<string, unknown>
}

/** Parcels of half a year, with the courier or delivered, whose cash is not all paid out; delivered first, the oldest first. */
export async function unpaidParcels(db: Queryable, connection: string, limit: number): Promise<OpenParcel[]> {
  const { rows } = await db.query<OpenParcel>(
    `select reference, courier_booking_id as "courierBookingId", waybill, service, coalesce(label, '{}') as label from parcels
     where courier = $1 and amount_due_minor > 0 and coalesce(collected_minor, 0) < amount_due_minor and state in ('shipped', 'delivered')
       and courier_booking_id is not null and coalesce(delivered_at, created_at) > now() - interval '180 days'
     order by delivered_at nulls last, id limit $2`,
    [connection, limit],
  )
  return rows
}

interface Parcel {
  id: string
  orderId: string
  number: string
  waybill: string | null
  dueMinor: number
}

async function parcelOf(tx: Tx, connection: string, line: RemittanceLine): Promise<Parcel | undefined> {
  const { rows } = await tx.query<Parcel>(
    `select p.id, p.order_id as "orderId", o.external_id as number, coalesce(p.waybill, p.reference) as waybill,
       p.amount_due_minor as "dueMinor"
     from parcels p join orders o on o.id = p.order_id
     where p.courier = $1 and (p.courier_booking_id = $2 or p.reference = $3)
     order by (p.state in ('void', 'refused')), p.id limit 1`,
    [connection, line.courierBookingId, line.reference],
  )
  return rows[0]
}

/** The parts of a parcel's cash, added up. */
async function settle(tx: Tx, parcelId: string): Promise<number> {
  const { rows } = await tx.query<{ collected: number }>(
    `update parcels p set collected_minor = s.collected, fee_minor = s.fee, remitted_on = s.last
     from (select sum(collected_minor) as collected, sum(fee_minor) as fee, max(paid_out_on) as last from remittances where parcel_id = $1) s
     where p.id = $1 returning p.collected_minor as collected`,
    [parcelId],
  )
  return Number(rows[0]?.collected ?? 0)
}

const money = (minor: number) => `NT$ ${(minor / 100).toLocaleString('en')}`

/** The same line again changes nothing, and opens no task that a person has settled; a corrected line is judged anew. */
export async function recordRemittance(tx: Tx, connection: string, line: RemittanceLine): Promise<Matched> {
  const parcel = await parcelOf(tx, connection, line)
  const written = await tx.query(
    `insert into remittances as r (connection, courier_booking_id, paid_out_on, reference, collected_minor, fee_minor, parcel_id)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (connection, courier_booking_id, paid_out_on) do update
       set reference = excluded.reference, collected_minor = excluded.collected_minor, fee_minor = excluded.fee_minor,
         parcel_id = excluded.parcel_id, seen_at = now()
     where (r.collected_minor, r.fee_minor, r.parcel_id) is distinct from (excluded.collected_minor, excluded.fee_minor, excluded.parcel_id)`,
    [connection, line.courierBookingId, line.paidOutOn, line.reference, line.collectedMinor, line.feeMinor, parcel?.id ?? null],
  )
  if (written.rowCount === 0) return 'known'
  const unknownKey = `remittance:${connection}:${line.courierBookingId}`
  if (!parcel) {
    await openTask(tx, {
      kind: 'remittance.unknown',
      key: unknownKey,
      connection,
      subject: line.reference ?? line.courierBookingId,
      title: 'Money was paid out for a parcel that nobody knows here',
      detail: `${connection} paid out ${money(line.collectedMinor)} on ${line.paidOutOn} for its parcel ${line.courierBookingId}.`,
      remedy: 'Ask the courier whose parcel it is; book the money by hand.',
      field: 'courierBookingId',
      value: line.courierBookingId,
      actions: ['skip'],
    })
    return 'unknown'
  }
  await closeTasks(tx, { key: unknownKey }, 'its parcel is known now')
  await closeTasks(tx, { key: `parcel:${parcel.id}:unpaid` }, `paid out on ${line.paidOutOn}`)
  const collected = await settle(tx, parcel.id)
  const differenceKey = `parcel:${parcel.id}:remittance`
  if (collected === Number(parcel.dueMinor)) {
    await closeTasks(tx, { key: differenceKey }, 'paid out in full')
    return 'matched'
  }
  await openTask(tx, {
    kind: 'remittance.difference',
    key: differenceKey,
    orderId: parcel.orderId,
    connection,
    subject: parcel.number,
    title: collected < Number(parcel.dueMinor) ? 'Less cash was paid out than was due' : 'More cash was paid out than was due',
    detail: `Parcel ${parcel.waybill} of order ${parcel.number}: due ${money(Number(parcel.dueMinor))}, paid out ${money(collected)} (last on ${line.paidOutOn}).`,
    remedy: 'Settle it with the courier. The task closes by itself when the rest is paid out.',
    field: 'parcel',
    value: parcel.id,
    actions: ['skip'],
  })
  return 'differs'
}

/** Delivered against cash and still not paid out: one task a parcel, once. @returns how many were opened. */
export async function askForUnpaid(db: Queryable, connections: readonly string[], dueMs: number, limit = 500): Promise<number> {
  const { rows } = await db.query<{
    id: string
    orderId: string
    courier: string
    waybill: string
    number: string
    due: number
    on: string
  }>(
    `select p.id, p.order_id as "orderId", p.courier, coalesce(p.waybill, p.reference) as waybill, o.external_id as number,
       p.amount_due_minor as due, to_char(p.delivered_at, 'YYYY-MM-DD') as on
     from parcels p join orders o on o.id = p.order_id
     where p.courier = any($1) and p.state = 'delivered' and p.amount_due_minor > 0 and p.remitted_on is null
       and p.delivered_at < now() - $2 * interval '1 millisecond'
       and not exists (select from tasks t where t.key = 'parcel:' || p.id || ':unpaid')
     order by p.delivered_at limit $3`,
    [connections, dueMs, limit],
  )
  for (const parcel of rows) {
    await openTask(db, {
      kind: 'remittance.overdue',
      key: `parcel:${parcel.id}:unpaid`,
      orderId: parcel.orderId,
      connection: parcel.courier,
      subject: parcel.number,
      title: 'Cash was collected, but not paid out',
      detail: `Parcel ${parcel.waybill} of order ${parcel.number} was delivered on ${parcel.on} against ${money(Number(parcel.due))}; ${parcel.courier} has not paid it out.`,
      remedy: 'Ask the courier. The task closes by itself when it is paid out.',
      field: 'parcel',
      value: parcel.id,
      actions: ['skip'],
    })
  }
  return rows.length
}
