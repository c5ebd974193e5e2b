/** Boxes with the goods of several orders. */
import type { ParcelState, UnitState } from '../domain/view.ts'
import type { Queryable } from './db.ts'

export interface Sharer {
  unitId: string
  orderId: string
  /** The channel's own order number. */
  orderNumber: string
  state: UnitState
  /** The parcel that is not refused or void. */
  parcelId: string | null
  parcelState: ParcelState | null
  /** The parcel that this one goes along in. */
  ridesIn: string | null
}

/** Who still goes into (or is in) this box, always in the same order: struck units are not in it any more. */
export async function sharersOf(db: Queryable, sharedBox: string): Promise<Sharer[]> {
  const { rows } = await db.query<Sharer>(
    `select u.id as "unitId", u.order_id as "orderId", o.external_id as "orderNumber", u.state, p.id as "parcelId",
       p.state as "parcelState", p.rides_in as "ridesIn"
     from units u join orders o on o.id = u.order_id
     left join parcels p on p.unit_id = u.id and p.state not in ('refused', 'void')
     where u.shared_box = $1 and u.state <> 'cancelled' order by u.id`,
    [sharedBox],
  )
  return rows
}

/** The same, by one of the units; it alone when it shares with nobody. */
export async function inBoxWith(db: Queryable, unitId: string): Promise<Sharer[]> {
  const { rows } = await db.query<{ box: string | null }>('select shared_box as box from units where id = $1', [unitId])
  const box = rows[0]?.box ?? null
  if (box !== null) return await sharersOf(db, box)
  const alone = await db.query<Sharer>(
    `select u.id as "unitId", u.order_id as "orderId", o.external_id as "orderNumber", u.state, null as "parcelId", null as "parcelState",
       null as "ridesIn" from units u join orders o on o.id = u.order_id where u.id = $1`,
    [unitId],
  )
  return alone.rows
}

/** Parcels that go along in this one. */
export async function ridersIn(
  db: Queryable,
  parcelId: string,
): Promise<{ parcelId: string; orderId: string; unitId: string }[]> {
  const { rows } = await db.query<{ parcelId: string; orderId: string; unitId: string }>(
    `select id as "parcelId", order_id as "orderId", unit_id as "unitId" from parcels
     where rides_in = $1 and state not in ('refused', 'void') order by id`,
    [parcelId],
  )
  return rows
}

/** What else is in the box of a unit, by what couriers are told of it. */
export async function goodsBeside(
  db: Queryable,
  unit: { id: string; sharedBox: string | null },
): Promise<{ sku: string; name: string | null; quantity: number; unitPriceMinor: number | null }[]> {
  if (unit.sharedBox === null) return []
  const { rows } = await db.query<{ sku: string; name: string | null; quantity: number; unitPriceMinor: number | null }>(
    `select ul.sku, l.name, ul.quantity - ul.short as quantity, l.unit_price_minor as "unitPriceMinor"
     from units u join unit_lines ul on ul.unit_id = u.id
     join order_lines l on l.order_id = u.order_id and l.line_id = ul.line_id
     where u.shared_box = $1 and u.id <> $2 and u.state <> 'cancelled' and ul.quantity > ul.short order by u.id, l.position`,
    [unit.sharedBox, unit.id],
  )
  return rows
}
