/** Stations, boxes on the bench, scans. */
import type { Packed } from '../domain/boxes.ts'
import type { Queryable, Tx } from './db.ts'

/** What is in these boxes, for their handling and size: what was found short is left out. */
export async function goodsOfUnits(db: Queryable, unitIds: readonly string[]): Promise<Map<string, Packed[]>> {
  const { rows } = await db.query<Packed & { unitId: string }>(
    `select ul.unit_id as "unitId", ul.quantity - ul.short as quantity, p.size_mm as "sizeMm", p.weight_grams as grams,
       coalesce(p.fragile, false) as fragile, coalesce(p.temperature, 'ambient') as temperature
     from unit_lines ul left join products p on p.sku = ul.sku where ul.unit_id = any($1) and ul.quantity > ul.short`,
    [unitIds],
  )
  const goods = new Map<string, Packed[]>()
  for (const { unitId, ...packed } of rows) goods.set(unitId, [...(goods.get(unitId) ?? []), packed])
  return goods
}

export interface UnitFound {
  id: string
  orderId: string
  orderNumber: string
  state: string
  location: string
  waveId: string | null
  /** Packed by people of ours with scanners. */
  ours: boolean
  /** The station that has it. */
  station: string | null
}

/** By unit, order (its id or the channel's number), waybill, our reference, or wave: what can be packed first, the most urgent first. */
export async function findUnits(db: Queryable, code: string, only: string | null = null): Promise<UnitFound[]> {
  const { rows } = await db.query<UnitFound>(
    `with named as (
       select id from units where id = $1 or order_id = $1 or wave_id = $1
       union select u.id from units u join orders o on o.id = u.order_id where o.external_id = $1
       union select unit_id from parcels where waybill = $1 or reference = $1 or id = $1
     )
     select u.id, u.order_id as "orderId", o.external_id as "orderNumber", u.state, u.location, u.wave_id as "waveId",
       l.warehouse_connection is null and l.packing is not null as ours,
       case when k.finished_at is null then k.station end as station
     from named n join units u on u.id = n.id join orders o on o.id = u.order_id join locations l on l.id = u.location
     left join packing k on k.unit_id = u.id
     where $2::text is null or u.location = $2
     order by u.state not in ('handedOver', 'picked'), k.station is not null and k.finished_at is null, u.state = 'cancelled',
       u.priority desc, u.id limit 300`,
    [code, only],
  )
  return rows
}

/** The lines that belong into a box, of all its units. */
export async function linesToPack(db: Queryable, unitIds: readonly string[]) {
  const { rows } = await db.query<{
    unitId: string
    orderNumber: string
    lineId: string
    sku: string
    name: string | null
    barcode: string | null
    shelf: string | null
    quantity: number
  }>(
    `select ul.unit_id as "unitId", o.external_id as "orderNumber", ul.line_id as "lineId", ul.sku, coalesce(p.name, l.name) as name, p.barcode, s.shelf, ul.quantity - ul.short as quantity
     from unit_lines ul join units u on u.id = ul.unit_id join orders o on o.id = u.order_id
     join order_lines l on l.order_id = u.order_id and l.line_id = ul.line_id
     left join products p on p.sku = ul.sku left join shelves s on s.sku = ul.sku and s.location = u.location
     where ul.unit_id = any($1) and ul.quantity > ul.short order by ul.unit_id, l.position`,
    [unitIds],
  )
  return rows
}

/** Name and SKU of a product, by SKU or barcode. */
export async function productNamed(db: Queryable, code: string): Promise<string | null> {
  const { rows } = await db.query<{ name: string }>(
    `select coalesce(name, sku) as name from products where lower(sku) = lower($1) or barcode = $1 limit 1`,
    [code],
  )
  return rows[0]?.name ?? null
}

/** One scan of a station after the other. */
export async function lockStation(tx: Tx, station: string): Promise<{ lastUnit: string | null }> {
  const { rows } = await tx.query<{ lastUnit: string | null }>(
    `insert into stations (station) values ($1) on conflict (station) do update set seen_at = now()
     returning last_unit as "lastUnit"`,
    [station],
  )
  return { lastUnit: rows[0]?.lastUnit ?? null }
}

export interface OnBench<B> {
  /** The first of the units in the box. */
  unitId: string
  orderId: string
  orderNumber: string
  waveId: string | null
  state: string
  bench: B
}

/** What a station has on its bench. */
export async function onBench<B>(db: Queryable, station: string, lock = ''): Promise<OnBench<B> | null> {
  const { rows } = await db.query<OnBench<B>>(
    `select k.unit_id as "unitId", k.order_id as "orderId", o.external_id as "orderNumber", u.wave_id as "waveId", u.state, k.bench
     from packing k join units u on u.id = k.unit_id join orders o on o.id = k.order_id
     where k.station = $1 and k.finished_at is null ${lock}`,
    [station],
  )
  return rows[0] ?? null
}
