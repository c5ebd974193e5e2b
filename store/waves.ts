/** Waves as people see them: what is ready, what is in a wave, where it lies. */
import type { ForBox } from '../domain/sharedBoxes.ts'
import type { Ready } from '../domain/waves.ts'
import type { Queryable } from './db.ts'

/** The city of an order (table alias o), or its convenience-store chain. */
const REGION = `coalesce(o.doc->'delivery'->'cvs'->>'chain', o.doc->'recipient'->'address'->>'city', '')`

/** What waits at a location, with what waves are sorted by and boxes are shared by. */
export type ReadyRow = Omit<Ready, 'boxKey'> & Omit<ForBox, 'service'>
export async function readyUnits(db: Queryable, location: string): Promise<ReadyRow[]> {
  const { rows } = await db.query<Omit<ReadyRow, 'readyAt'> & { readyAt: Date }>(
    `select u.id, u.order_id as "orderId", u.priority, coalesce(u.ready_at, u.made_at) as "readyAt", o.kind, ${REGION} as region,
       case when o.doc->'delivery'->>'service' = 'channel' then o.connection
         when o.doc->'delivery'->>'method' = 'cvs' then coalesce(l.courier_cvs, '') else coalesce(l.courier_home, '') end as courier,
       coalesce((select max(p.temperature) from unit_lines ul join products p on p.sku = ul.sku
         where ul.unit_id = u.id and p.temperature <> 'ambient'), 'ambient') as temperature,
       exists (select from unit_lines ul join products p on p.sku = ul.sku where ul.unit_id = u.id and p.fragile) as fragile,
       u.notes, jsonb_build_object('recipient', o.doc->'recipient', 'delivery', o.doc->'delivery', 'payment', o.doc->'payment',
         'customs', o.doc->'customs') as order
     from units u join orders o on o.id = u.order_id join locations l on l.id = u.location
     where u.location = $1 and u.state = 'ready' order by u.priority desc, u.ready_at limit 2000`,
    [location],
  )
  return rows.map((row) => ({ ...row, readyAt: row.readyAt.toISOString() }))
}

export interface WaveShown {
  id: string
  location: string
  /** The warehouse connection; null: picked and packed by people of ours. */
  connection: string | null
  state: string
  sortedBy: Record<string, string>
  createdAt: string
  /** Units in it, struck ones included, and how many of them are packed or gone on. */
  units: number
  packed: number
  /** Boxes to be packed: orders that share one count once, struck units not at all. */
  boxes: number
  /** What its orders are: how many units of each kind, each region, and of at least which priority. */
  kinds: Record<string, number>
  regions: Record<string, number>
  highestPriority: number | null
}

const COUNTED = (what: string) => `coalesce((select jsonb_object_agg(n.what, n.units) from (
      select ${what} as what, count(*) as units from units v join orders o on o.id = v.order_id
      where v.wave_id = w.id and v.state <> 'cancelled' group by 1) n), '{}')`
const WAVE = `select w.id, w.location, w.connection, w.state, w.sorted_by as "sortedBy", w.created_at as "createdAt",
    count(u.id)::integer as units,
    count(u.id) filter (where u.state in ('packed', 'shipped', 'delivered', 'returned'))::integer as packed,
    (count(distinct coalesce(u.shared_box, u.id)) filter (where u.state <> 'cancelled'))::integer as boxes,
    ${COUNTED('o.kind')} as kinds, ${COUNTED(REGION)} as regions,
    max(u.priority) filter (where u.state <> 'cancelled') as "highestPriority"
  from waves w left join units u on u.wave_id = w.id`

const shown = (row: Omit<WaveShown, 'createdAt'> & { createdAt: Date }): WaveShown => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
})

/** Newest first. */
export async function listWaves(db: Queryable, filter: { location?: string | undefined; limit: number }): Promise<WaveShown[]> {
  const { rows } = await db.query<Omit<WaveShown, 'createdAt'> & { createdAt: Date }>(
    `${WAVE} where $1::text is null or w.location = $1 group by w.id order by w.created_at desc, w.id limit $2`,
    [filter.location ?? null, filter.limit],
  )
  return rows.map(shown)
}

export async function getWave(db: Queryable, id: string): Promise<WaveShown | null> {
  const { rows } = await db.query<Omit<WaveShown, 'createdAt'> & { createdAt: Date }>(`${WAVE} where w.id = $1 group by w.id`, [
    id,
  ])
  return rows[0] ? shown(rows[0]) : null
}

export interface WaveLine {
  unitId: string
  /** The same for all units that go into one box. */
  box: string
  orderNumber: string
  kind: string
  region: string
  state: string
  priority: number
  sku: string
  name: string | null
  variant: string | null
  barcode: string | null
  shelf: string | null
  /** What should be on the shelf: what was found short is left out. */
  quantity: number
}

/** Every line of every unit of a wave, in the order of its boxes: the most urgent first. Struck units are left out. */
export async function waveLines(db: Queryable, waveId: string): Promise<WaveLine[]> {
  const { rows } = await db.query<WaveLine>(
    `select u.id as "unitId", coalesce(u.shared_box, u.id) as box, o.external_id as "orderNumber", o.kind, ${REGION} as region, u.state,
       u.priority, ul.sku, coalesce(p.name, l.name) as name, l.variant,
       p.barcode, s.shelf, ul.quantity - ul.short as quantity
     from units u join orders o on o.id = u.order_id join unit_lines ul on ul.unit_id = u.id
     join order_lines l on l.order_id = u.order_id and l.line_id = ul.line_id
     left join products p on p.sku = ul.sku left join shelves s on s.sku = ul.sku and s.location = u.location
     where u.wave_id = $1 and u.state <> 'cancelled'
     order by max(u.priority) over (partition by coalesce(u.shared_box, u.id)) desc, min(u.id) over (partition by coalesce(u.shared_box, u.id)),
       u.id, l.position`,
    [waveId],
  )
  return rows
}
