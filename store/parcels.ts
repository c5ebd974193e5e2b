/** Parcels as a courier knows them: for labels and changes after the booking. */
import type { Queryable } from './db.ts'

export interface KnownParcel {
  id: string
  orderId: string
  /** The channel's own order number. */
  number: string
  courier: string
  service: string
  reference: string
  state: string
  courierBookingId: string | null
  waybill: string | null
  label: Record<string, unknown>
}

/**
 * By parcel id, our reference or the waybill; or every parcel of an order, by its id or the channel's own number. Not those refused. What
 * goes along in the box of another order is found as that one's parcel: it has the booking and the label.
 */
export async function findParcels(db: Queryable, named: string): Promise<KnownParcel[]> {
  const { rows } = await db.query<KnownParcel & { exact: boolean }>(
    `select distinct on (p.order_id, p.id) n.id = $1 or n.reference = $1 as exact, p.id, p.order_id as "orderId", o.external_id as number, p.courier, p.service, p.reference, p.state,
       p.courier_booking_id as "courierBookingId", p.waybill, coalesce(p.label, '{}') as label
     from parcels n join orders m on m.id = n.order_id
     join parcels p on p.id = coalesce(n.rides_in, n.id) join orders o on o.id = p.order_id
     where n.state <> 'refused'
       and (n.id = $1 or n.reference = $1 or n.waybill = $1 or n.order_id = $1 or m.external_id = $1)
     order by p.order_id, p.id, exact desc`,
    [named],
  )
  const known = rows.map(({ exact, ...parcel }) => ({ exact, parcel }))
  const exact = known.filter((each) => each.exact)
  // A cancelled booking of an order that was booked again is not what is asked for.
  const alive = known.filter(({ parcel }) => parcel.state !== 'void')
  const best = exact.length > 0 ? exact : alive.length > 0 ? alive : known
  return best.map(({ parcel }) => parcel)
}

/** Where the customer picks the parcels of this order up: by the unit's location, else the first that ships. */
export async function storeCourierOf(db: Queryable, orderId: string): Promise<string | null> {
  const { rows } = await db.query<{ courier: string }>(
    `select l.courier_cvs as courier from locations l
     left join units u on u.location = l.id and u.order_id = $1 and u.state <> 'cancelled'
     left join holds h on h.location = l.id and h.order_id = $1 and h.state = 'active'
     where l.courier_cvs is not null and (u.id is not null or h.id is not null or l.ships)
     order by (u.id is null), (h.id is null), l.priority, l.id limit 1`,
    [orderId],
  )
  return rows[0]?.courier ?? null
}
