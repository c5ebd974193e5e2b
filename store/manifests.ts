/** Hand-over manifests: what a courier was given at one place, each parcel once. */
import type { Queryable, Tx } from './db.ts'

export interface ManifestParcel {
  parcelId: string
  orderId: string
  unitId: string
  /** Of a box with several orders, all their numbers. */
  orderNumber: string
  service: string
  waybill: string
  reference: string
  state: string
  courierBookingId: string | null
  label: Record<string, unknown>
  weightGrams: number | null
  amountDueMinor: number
  currency: string
}
export interface Proof {
  kind: 'photo' | 'receipt' | 'signature'
  reference: string
  at: string
  by: string
}
/** The courier was asked to come; `id` and `confirmation` are its own. */
export interface ManifestPickup {
  state: 'asked' | 'unknown' | 'confirmed'
  id: string | null
  confirmation: string | null
  from: string
  until: string
}
export interface ManifestShown {
  id: string
  location: string
  courier: string
  parcels: number
  /** Whether the courier's own paper is kept; else ours is printed. */
  courierPaper: boolean
  problem: string | null
  /** Null: it was not asked, or does not come. */
  pickup: ManifestPickup | null
  handedOverAt: string | null
  handedOverBy: string | null
  proofs: Proof[]
  createdAt: string
}

const MOST = 1_000

/**
 * Takes every booked parcel of a courier at a location that is on no manifest yet.
 * @returns how many; nothing is written for none. Two at once share the parcels out, none is on both.
 */
export async function addManifest(tx: Tx, args: { id: string; location: string; courier: string; who: string }): Promise<number> {
  await tx.query('insert into manifests (id, location, courier, created_by) values ($1, $2, $3, $4)', [
    args.id,
    args.location,
    args.courier,
    args.who,
  ])
  const taken = await tx.query(
    `with free as (
       select p.id from parcels p join units u on u.id = p.unit_id
       where u.location = $2 and p.courier = $3 and p.state = 'booked' and u.state = 'packed' and p.rides_in is null
         and not exists (select from manifest_parcels m where m.parcel_id = p.id)
       order by p.service, p.booked_at, p.id limit $4 for update of p skip locked
     )
     insert into manifest_parcels (parcel_id, manifest_id, position)
     select id, $1, row_number() over () from free on conflict (parcel_id) do nothing`,
    [args.id, args.location, args.courier, MOST],
  )
  const count = taken.rowCount ?? 0
  if (count === 0) await tx.query('delete from manifests where id = $1', [args.id])
  return count
}

const SHOWN = `select m.id, m.location, m.courier, (select count(*)::integer from manifest_parcels p where p.manifest_id = m.id) as parcels,
    m.document is not null as "courierPaper", m.problem, m.handed_over_at as "handedOverAt", m.handed_over_by as "handedOverBy",
    m.proofs, m.created_at as "createdAt", m.pickup_state as "pickupState", m.pickup_id as "pickupId",
    m.pickup_confirmation as "pickupConfirmation", m.pickup_from as "pickupFrom", m.pickup_until as "pickupUntil" from manifests m`
interface Row extends Omit<ManifestShown, 'handedOverAt' | 'createdAt' | 'pickup'> {
  handedOverAt: Date | null
  createdAt: Date
  pickupState: ManifestPickup['state'] | null
  pickupId: string | null
  pickupConfirmation: string | null
  pickupFrom: Date | null
  pickupUntil: Date | null
}
const shown = ({ pickupState, pickupId, pickupConfirmation, pickupFrom, pickupUntil, ...row }: Row): ManifestShown => ({
  ...row,
  pickup:
    pickupState && pickupFrom && pickupUntil
      ? {
          state: pickupState,
          id: pickupId,
          confirmation: pickupConfirmation,
          from: pickupFrom.toISOString(),
          until: pickupUntil.toISOString(),
        }
      : null,
  handedOverAt: row.handedOverAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
})

export async function getManifest(db: Queryable, id: string): Promise<ManifestShown | null> {
  const { rows } = await db.query<Row>(`${SHOWN} where m.id = $1`, [id])
  return rows[0] ? shown(rows[0]) : null
}

/** Newest first. */
export async function listManifests(
  db: Queryable,
  filter: { location?: string | undefined; courier?: string | undefined; limit: number },
): Promise<ManifestShown[]> {
  const { rows } = await db.query<Row>(
    `${SHOWN} where ($1::text is null or m.location = $1) and ($2::text is null or m.courier = $2)
     order by m.created_at desc, m.id limit $3`,
    [filter.location ?? null, filter.courier ?? null, filter.limit],
  )
  return rows.map(shown)
}

/** @param pickup null: the courier does not come. */
export async function writePickup(
  db: Queryable,
  id: string,
  pickup: {
    state: ManifestPickup['state']
    pickupId?: string
    confirmation?: string | null
    fromIso: string
    untilIso: string
  } | null,
): Promise<void> {
  await db.query(
    `update manifests set pickup_state = $2, pickup_id = $3, pickup_confirmation = $4, pickup_from = $5, pickup_until = $6 where id = $1`,
    [
      id,
      pickup?.state ?? null,
      pickup?.pickupId ?? null,
      pickup?.confirmation ?? null,
      pickup?.fromIso ?? null,
      pickup?.untilIso ?? null,
    ],
  )
}

/** In the order of the paper. */
export async function manifestParcels(db: Queryable, id: string): Promise<ManifestParcel[]> {
  const { rows } = await db.query<ManifestParcel>(
    `select p.id as "parcelId", p.order_id as "orderId", p.unit_id as "unitId", p.service,
       concat_ws(', ', o.external_id, (select string_agg(b.external_id, ', ' order by r.id) from parcels r join orders b on b.id = r.order_id
         where r.rides_in = p.id and r.state not in ('refused', 'void'))) as "orderNumber",
       coalesce(p.waybill, p.courier_booking_id, p.reference) as waybill, p.reference, p.state, p.courier_booking_id as "courierBookingId",
       coalesce(p.label, '{}') as label, u.weight_grams as "weightGrams", p.amount_due_minor as "amountDueMinor",
       coalesce(o.doc->'payment'->>'currency', 'TWD') as currency
     from manifest_parcels m join parcels p on p.id = m.parcel_id join units u on u.id = p.unit_id join orders o on o.id = p.order_id
     where m.manifest_id = $1 order by m.position`,
    [id],
  )
  return rows
}
