/** What to offer for an article that is out at a place: when it comes, its sisters, the same elsewhere, a substitute. */
import { OmnisagaError } from '../../domain/errors.ts'
import { distanceKm } from '../../domain/routing/distance.ts'
import { levels } from '../../store/ledger/operations.ts'
import type { Runtime } from '../runtime.ts'

export interface Alternatives {
  sku: string
  location: string
  /** Pieces that can be had here now. */
  available: number
  /** Soonest first. */
  expected: { expectedOn: string; quantity: number; location: string; from: 'receipt' | 'transfer'; reference: string }[]
  /** Others of its family that are here. */
  variants: { sku: string; variant: string | null; available: number }[]
  /** The same, nearest first. */
  elsewhere: { location: string; name: string; available: number; distanceKm: number | null }[]
  /** As configured, that can be had here or where parcels leave. */
  substitutes: { sku: string; name: string | null; available: number; location: string }[]
}

interface Known {
  sku: string
  name: string | null
  family: string | null
  variant: string | null
  substitutes: string[]
}
interface Place {
  id: string
  name: string
  postalCode: string | null
  kind: string
  ships: boolean
}

/** As a person asks. @throws Invalid for an article or a location that nobody knows. */
export async function alternativesAt(runtime: Runtime, sku: string, location: string): Promise<Alternatives> {
  const { rows } = await runtime.pool.query<{ sku: boolean; location: boolean }>(
    `select exists (select from products where sku = $1) as sku, exists (select from locations where id = $2) as location`,
    [sku, location],
  )
  const unknown = !rows[0]?.sku ? `the article ${sku}` : !rows[0].location ? `the location ${location}` : null
  if (unknown !== null)
    throw new OmnisagaError('Invalid', `nobody knows ${unknown}`, { code: 'alternatives', remedy: 'Name a configured one.' })
  return await alternatives(runtime, sku, location)
}

export async function alternatives(runtime: Runtime, sku: string, location: string): Promise<Alternatives> {
  const { pool } = runtime
  const products = (
    await pool.query<Known>(
      `select p.sku, p.name, p.family, p.variant, p.substitutes from products p left join products o on o.sku = $1
       where p.sku = $1 or p.family = o.family or p.sku = any(o.substitutes)`,
      [sku],
    )
  ).rows
  const own = products.find((product) => product.sku === sku)
  const { routing } = await runtime.policy()
  const places = (
    await pool.query<Place>(
      `select id, name, nullif(sender->>'postalCode', '') as "postalCode", kind, ships from locations where kind in ('warehouse', 'store')`,
    )
  ).rows.map((place) => ({ ...place, postalCode: routing.places[place.id]?.postalCode ?? place.postalCode }))
  const stock = await levels(pool, { skus: products.map((product) => product.sku).concat(sku) })
  const at = (of: string, where: string) => stock.find((level) => level.sku === of && level.location === where)?.available ?? 0
  const here = places.find((place) => place.id === location)?.postalCode ?? null
  const far = (km: number | null) => km ?? Number.MAX_SAFE_INTEGER
  return {
    sku,
    location,
    available: at(sku, location),
    expected: await expectedAt(runtime, sku, location),
    variants: products
      .filter((product) => product.sku !== sku && product.family !== null && product.family === own?.family)
      .map((product) => ({ sku: product.sku, variant: product.variant, available: at(product.sku, location) }))
      .filter((variant) => variant.available > 0)
      .sort((a, b) => a.sku.localeCompare(b.sku)),
    elsewhere: places
      .filter((place) => place.id !== location && at(sku, place.id) > 0)
      .map(({ id, name, postalCode }) => ({
        location: id,
        name,
        available: at(sku, id),
        distanceKm: distanceKm(here, postalCode),
      }))
      .sort((a, b) => far(a.distanceKm) - far(b.distanceKm) || a.location.localeCompare(b.location)),
    substitutes: (own?.substitutes ?? []).flatMap((other) => {
      const place = [location, ...places.filter((each) => each.ships).map((each) => each.id)].find((id) => at(other, id) > 0)
      return place === undefined
        ? []
        : [
            {
              sku: other,
              name: products.find((product) => product.sku === other)?.name ?? null,
              available: at(other, place),
              location: place,
            },
          ]
    }),
  }
}

/** Receipts and transfers of stock that come here; else receipts elsewhere, from where it can be brought. */
async function expectedAt(runtime: Runtime, sku: string, location: string): Promise<Alternatives['expected']> {
  const { rows } = await runtime.pool.query<Alternatives['expected'][number]>(
    `select * from (
       select expected_on::text as "expectedOn", quantity, location, 'receipt' as "from", reference from expected_receipts
       where sku = $1 and expected_on >= current_date - 1
       union all
       select t.expected_on::text, (l.quantity - l.arrived)::int, t.to_location, 'transfer', coalesce(t.waybill, t.id)
       from transfers t join transfer_lines l on l.transfer_id = t.id
       where l.sku = $1 and t.state in ('requested', 'shipped') and t.purpose <> 'order' and t.expected_on is not null
     ) e order by location <> $2, "expectedOn", quantity desc limit 20`,
    [sku, location],
  )
  return rows
}
