/** Transfers: goods on their way between two of our locations, as rows; what they mean for an order is in activities/store/transfers.ts. */
import { OmnisagaError } from '../domain/errors.ts'
import { transferIdOf } from '../domain/ids.ts'
import type { Queryable } from './db.ts'

export type TransferState = 'requested' | 'shipped' | 'arrived' | 'cancelled'
export interface TransferLine {
  lineId: string
  sku: string
  quantity: number
  shipped: number
  arrived: number
}
export interface Transfer {
  id: string
  /** `order`: for an order that waits for it. `back`: what an order did not want. `stock`: replenishment. */
  purpose: 'order' | 'back' | 'stock'
  orderId: string | null
  from: string
  to: string
  /** The transit location; null until shipped. */
  via: string | null
  state: TransferState
  carrier: string | null
  waybill: string | null
  /** Local date. */
  expectedOn: string | null
  note: string | null
  by: string
  madeAt: string
  shippedAt: string | null
  arrivedAt: string | null
  endedBecause: string | null
  lines: TransferLine[]
}
export interface NewTransfer {
  /** Asked twice, it is one. */
  key: string
  purpose: Transfer['purpose']
  orderId: string | null
  from: string
  to: string
  lines: { lineId: string; sku: string; quantity: number }[]
  expectedOn?: string | null
  note?: string | null
  by: string
}

const TIME = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
const SELECT = `select t.id, purpose, order_id as "orderId", from_location as "from", to_location as "to", via, state, carrier, waybill,
  expected_on::text as "expectedOn", note, by, ${TIME('made_at')} as "madeAt", ${TIME('shipped_at')} as "shippedAt",
  ${TIME('arrived_at')} as "arrivedAt", ended_because as "endedBecause",
  (select coalesce(json_agg(json_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'shipped', l.shipped,
    'arrived', l.arrived) order by l.line_id), '[]') from transfer_lines l where l.transfer_id = t.id) as lines
  from transfers t`

/** @returns its id; a key that is known changes nothing. @throws Invalid: a location nobody knows. */
export async function askTransfer(db: Queryable, asked: NewTransfer): Promise<string> {
  const id = transferIdOf(asked.key)
  const known = await db.query<{ id: string }>('select id from locations where id = any($1)', [[asked.from, asked.to]])
  const missing = [asked.from, asked.to].find((each) => !known.rows.some((row) => row.id === each))
  if (missing !== undefined || asked.from === asked.to)
    throw new OmnisagaError(
      'Invalid',
      missing === undefined ? `${asked.from} is both ends of the transfer` : `there is no location ${missing}`,
      { code: 'location', remedy: 'Name two configured locations.' },
    )
  const made = await db.query(
    `insert into transfers (id, key, purpose, order_id, from_location, to_location, expected_on, note, by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (key) do nothing`,
    [id, asked.key, asked.purpose, asked.orderId, asked.from, asked.to, asked.expectedOn ?? null, asked.note ?? null, asked.by],
  )
  if (made.rowCount === 0) return id
  await db.query(
    `insert into transfer_lines (transfer_id, line_id, sku, quantity)
     select $1, l."lineId", l.sku, l.quantity from jsonb_to_recordset($2::jsonb) as l("lineId" text, sku text, quantity int)`,
    [id, JSON.stringify(asked.lines)],
  )
  return id
}

const nobodyKnows = (id: string) =>
  new OmnisagaError('Invalid', `there is no transfer ${id}`, {
    code: 'no-transfer',
    remedy: 'omnisaga transfers lists the open ones.',
  })

/** By its id or its waybill. @throws Invalid when there is none. */
export async function getTransfer(db: Queryable, id: string): Promise<Transfer> {
  const { rows } = await db.query<Transfer>(`${SELECT} where t.id = $1 or t.waybill = $1 order by made_at desc limit 1`, [id])
  if (rows[0] === undefined) throw nobodyKnows(id)
  return rows[0]
}

/** @throws Invalid when there is none. */
export async function lockTransfer(db: Queryable, id: string): Promise<Transfer> {
  const locked = await db.query('select from transfers where id = $1 for update', [id])
  if (locked.rowCount === 0) throw nobodyKnows(id)
  return await getTransfer(db, id)
}

export async function listTransfers(
  db: Queryable,
  filter: { state?: TransferState; location?: string; orderId?: string; open?: boolean } = {},
): Promise<Transfer[]> {
  const { rows } = await db.query<Transfer>(
    `${SELECT} where ($1::text is null or state = $1) and ($2::text is null or $2 in (from_location, to_location))
       and ($3::text is null or order_id = $3) and (not $4 or state in ('requested', 'shipped')) order by made_at, t.id limit 500`,
    [filter.state ?? null, filter.location ?? null, filter.orderId ?? null, filter.open ?? false],
  )
  return rows
}

/** Goods on the way stand here; made where no configuration names one. */
export async function transitLocation(db: Queryable): Promise<string> {
  const find = () => db.query<{ id: string }>(`select id from locations where kind = 'transit' order by priority, id limit 1`)
  const [known] = (await find()).rows
  if (known !== undefined) return known.id
  await db.query(
    `insert into locations (id, name, kind, ships) values ('in-transit', 'In transit', 'transit', false) on conflict (id) do nothing`,
  )
  return (await find()).rows[0]?.id ?? 'in-transit'
}

/** From where parcels leave by this way of delivery, the first choice first; a closed place sends none, and what is there waits. */
export async function parcelsLeaveFrom(db: Queryable, method: string): Promise<{ id: string; isClosed: boolean }[]> {
  const { rows } = await db.query<{ id: string; isClosed: boolean }>(
    `select l.id, coalesce((s.policy->'routing'->'places'->l.id->>'closed')::boolean, false) as "isClosed"
     from locations l left join lateral (select policy from settings order by version desc limit 1) s on true
     where l.ships and l.kind in ('warehouse', 'store')
     order by (case when $1 = 'cvs' then l.courier_cvs else l.courier_home end) is null, l.priority, l.id`,
    [method],
  )
  return rows
}

/** Writes state, tracking and the counters of its lines back. */
export async function saveTransfer(db: Queryable, transfer: Transfer): Promise<void> {
  await db.query(
    `update transfers set state = $2, via = $3, carrier = $4, waybill = $5, expected_on = $6, ended_because = $7,
       shipped_at = case when $2 in ('shipped', 'arrived') then coalesce(shipped_at, now()) end,
       arrived_at = case when $2 = 'arrived' then coalesce(arrived_at, now()) end where id = $1`,
    [transfer.id, transfer.state, transfer.via, transfer.carrier, transfer.waybill, transfer.expectedOn, transfer.endedBecause],
  )
  await db.query(
    `update transfer_lines l set shipped = n.shipped, arrived = n.arrived
     from jsonb_to_recordset($2::jsonb) as n("lineId" text, shipped int, arrived int) where l.transfer_id = $1 and l.line_id = n."lineId"`,
    [transfer.id, JSON.stringify(transfer.lines)],
  )
}

/** The newest word of the policy, for what is decided inside an order's transaction. */
export async function unwantedGoBack(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ word: string | null }>(
    `select policy->>'unwantedTransfer' as word from settings order by version desc limit 1`,
  )
  return rows[0]?.word !== 'sell'
}
