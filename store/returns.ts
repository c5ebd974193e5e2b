/** Returns as rows. All writing happens under the lock of the return's order (orderRecord.ts). */
import { OmnisagaError } from '../domain/errors.ts'
import { contentHash, courierReferenceOf } from '../domain/ids.ts'
import type { Disposition, Product, ReturnWay } from '../domain/returns.ts'
import type { OrderLine } from '../domain/order.ts'
import type { Queryable } from './db.ts'

export interface Pickup {
  name: string
  /** E.164. */
  phone: string
  postalCode: string | null
  address: string
}
export type ReturnState = 'asked' | 'approved' | 'refused' | 'cancelled' | 'expired' | 'received' | 'done'
export interface ReturnLine {
  lineId: string
  sku: string
  quantity: number
  received: number
}
export interface DisposedPieces {
  lineId: string
  quantity: number
  disposition: Disposition
  location: string
  /** Of the movement that put them there; null: scrapped. */
  movement: string | null
  note: string | null
  by: string
  at: string
}
export type ReturnParcelState = 'intended' | 'sent' | 'booked' | 'refused' | 'shipped' | 'arrived' | 'void'
export interface ReturnParcel {
  id: string
  courier: string
  service: string
  reference: string
  state: ReturnParcelState
  waybill: string | null
  courierBookingId: string | null
  refusal: string | null
  lastStatus: string | null
  attempts: number
}
export interface ReturnRow {
  id: string
  orderId: string
  /** The unit whose parcel came back by itself. */
  unitId: string | null
  state: ReturnState
  way: ReturnWay
  reason: string
  location: string | null
  /** Why a person must decide. */
  because: string[]
  by: string
  decidedBy: string | null
  refundedPieces: number
  /** Whence a courier fetches them, when not from the order's recipient. */
  pickup: Pickup | null
  exchange: { lines: OrderLine[] } | null
  exchangeOrderId: string | null
  exchangeState: 'held' | 'released' | 'cancelled' | null
  /** As the channel knows it, when it was asked for there. `paysBack`: the channel pays the customer by itself. */
  channel: { number: string; status: string; paysBack: boolean } | null
  /** ISO 8601. */
  dueAt: string | null
  createdAt: string
  updatedAt: string
  lines: ReturnLine[]
  dispositions: DisposedPieces[]
  parcels: ReturnParcel[]
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
const SELECT = `select r.id, r.order_id as "orderId", r.unit_id as "unitId", r.state, r.way, r.reason, r.location, r.because, r.by,
  r.decided_by as "decidedBy", r.refunded_pieces as "refundedPieces", r.pickup, r.exchange, r.exchange_order_id as "exchangeOrderId",
  r.exchange_state as "exchangeState", r.channel, ${ISO('r.due_at')} as "dueAt", ${ISO('r.created_at')} as "createdAt", ${ISO('r.updated_at')} as "updatedAt",
  (select jsonb_agg(jsonb_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'received', l.received) order by l.line_id)
   from return_lines l where l.return_id = r.id) as lines,
  (select coalesce(jsonb_agg(jsonb_build_object('lineId', d.line_id, 'quantity', d.quantity, 'disposition', d.disposition, 'location', d.location,
     'movement', d.movement, 'note', d.note, 'by', d.by, 'at', ${ISO('d.at')}) order by d.id), '[]')
   from return_dispositions d where d.return_id = r.id) as dispositions,
  (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'courier', p.courier, 'service', p.service, 'reference', p.reference, 'state', p.state,
     'waybill', p.waybill, 'courierBookingId', p.courier_booking_id, 'refusal', p.refusal, 'lastStatus', p.last_status, 'attempts', p.attempts)
     order by p.created_at, p.id), '[]')
   from return_parcels p where p.return_id = r.id) as parcels
  from returns r`

export const returnIdOf = (key: string): string => `rt-${contentHash(key).slice(0, 16)}`

export async function addReturn(
  db: Queryable,
  args: Pick<ReturnRow, 'orderId' | 'unitId' | 'state' | 'way' | 'reason' | 'location' | 'because' | 'by' | 'dueAt'> & {
    key: string
    pickup?: Pickup | null
    exchange?: ReturnRow['exchange']
    channel?: ReturnRow['channel']
    lines: { lineId: string; sku: string; quantity: number; received?: number }[]
  },
): Promise<ReturnRow> {
  const id = returnIdOf(args.key)
  await db.query(
    `insert into returns (id, key, order_id, unit_id, state, way, reason, location, because, by, due_at, pickup, exchange, channel)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      id,
      args.key,
      args.orderId,
      args.unitId,
      args.state,
      args.way,
      args.reason,
      args.location,
      JSON.stringify(args.because),
      args.by,
      args.dueAt,
      args.pickup ?? null,
      args.exchange ?? null,
      args.channel ?? null,
    ],
  )
  await db.query(
    `insert into return_lines (return_id, line_id, sku, quantity, received)
     select $1, l."lineId", l.sku, l.quantity, coalesce(l.received, 0)
     from jsonb_to_recordset($2::jsonb) as l("lineId" text, sku text, quantity int, received int)`,
    [id, JSON.stringify(args.lines)],
  )
  return await readReturn(db, id)
}

/** @throws Invalid, code `notFound`. */
export async function readReturn(db: Queryable, id: string): Promise<ReturnRow> {
  const found = await findReturn(db, id)
  if (found === null)
    throw new OmnisagaError('Invalid', `there is no return ${id}`, { code: 'notFound', remedy: '`omnisaga returns` lists them.' })
  return found
}

export async function findReturn(db: Queryable, id: string): Promise<ReturnRow | null> {
  return (await db.query<ReturnRow>(`${SELECT} where r.id = $1`, [id])).rows[0] ?? null
}

export async function findReturnByKey(db: Queryable, key: string): Promise<ReturnRow | null> {
  return await findReturn(db, returnIdOf(key))
}

export async function returnOfUnit(db: Queryable, unitId: string): Promise<ReturnRow | null> {
  return (await db.query<ReturnRow>(`${SELECT} where r.unit_id = $1`, [unitId])).rows[0] ?? null
}

export async function listReturns(
  db: Queryable,
  filter: { orderId?: string; state?: string; limit?: number } = {},
): Promise<ReturnRow[]> {
  const rows = await db.query<ReturnRow>(
    `${SELECT} where ($1::text is null or r.order_id = $1) and ($2::text is null or r.state = $2) order by r.created_at, r.id limit $3`,
    [filter.orderId ?? null, filter.state ?? null, filter.limit ?? 500],
  )
  return rows.rows
}

/** Pieces of each line that are asked back or are back. */
export async function claimedPieces(db: Queryable, orderId: string): Promise<Map<string, number>> {
  const rows = await db.query<{ lineId: string; n: number }>(
    `select l.line_id as "lineId",
       sum(case when r.state in ('asked', 'approved', 'received') then l.quantity else l.received end)::int as n
     from return_lines l join returns r on r.id = l.return_id
     where r.order_id = $1 and r.way <> 'cameBack' group by l.line_id`,
    [orderId],
  )
  return new Map(rows.rows.map(({ lineId, n }) => [lineId, n]))
}

const COLUMNS = {
  state: 'state',
  location: 'location',
  decidedBy: 'decided_by',
  refundedPieces: 'refunded_pieces',
  exchangeOrderId: 'exchange_order_id',
  exchangeState: 'exchange_state',
  dueAt: 'due_at',
  channel: 'channel',
} as const

export async function updateReturn(
  db: Queryable,
  id: string,
  change: Partial<Pick<ReturnRow, keyof typeof COLUMNS>>,
): Promise<void> {
  const given = Object.entries(change) as [keyof typeof COLUMNS, unknown][]
  const sets = given.map(([name], index) => `${COLUMNS[name]} = $${index + 2}`)
  await db.query(`update returns set ${[...sets, 'updated_at = now()'].join(', ')} where id = $1`, [
    id,
    ...given.map(([, value]) => value),
  ])
}

export async function addReceived(db: Queryable, id: string, pieces: { lineId: string; quantity: number }[]): Promise<void> {
  for (const { lineId, quantity } of pieces)
    await db.query('update return_lines set received = received + $3 where return_id = $1 and line_id = $2', [
      id,
      lineId,
      quantity,
    ])
}

export async function addDisposition(db: Queryable, id: string, pieces: Omit<DisposedPieces, 'at'>): Promise<void> {
  await db.query(
    `insert into return_dispositions (return_id, line_id, quantity, disposition, location, movement, note, by)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, pieces.lineId, pieces.quantity, pieces.disposition, pieces.location, pieces.movement, pieces.note, pieces.by],
  )
}

/** The intent to book: each try is a row of its own, with the number by which the courier may know it. */
export async function addReturnParcel(db: Queryable, row: ReturnRow, args: { courier: string; service: string }): Promise<void> {
  const id = `${row.id}-p${row.parcels.length + 1}`
  await db.query(
    'insert into return_parcels (id, return_id, courier, service, reference) values ($1, $2, $3, $4, $5) on conflict do nothing',
    [id, row.id, args.courier, args.service, courierReferenceOf(id)],
  )
}

/** The channel had it sent: its number is known, and nothing is to be booked. */
export async function addChannelParcel(
  db: Queryable,
  row: ReturnRow,
  { connection, waybill }: { connection: string; waybill: string },
): Promise<void> {
  if (row.parcels.some((parcel) => parcel.waybill === waybill)) return
  await db.query(`update return_parcels set state = 'void' where return_id = $1 and state not in ('refused', 'void')`, [row.id])
  const id = `${row.id}-p${row.parcels.length + 1}`
  await db.query(
    `insert into return_parcels (id, return_id, courier, service, reference, state, waybill) values ($1, $2, $3, 'channel', $4, 'booked', $5)
     on conflict do nothing`,
    [id, row.id, connection, courierReferenceOf(id), waybill],
  )
}

export async function productsOf(db: Queryable, skus: string[]): Promise<Product[]> {
  const rows = await db.query<Product>('select sku, category from products where sku = any($1)', [skus])
  return skus.map((sku) => rows.rows.find((row) => row.sku === sku) ?? { sku, category: null })
}

/** What the customer said of the delivery last. */
export interface Feedback {
  /** 1 (bad) to 5. */
  score: number
  text: string | null
  by: string
  at: string
}

export async function feedbackOf(db: Queryable, orderId: string): Promise<Feedback | null> {
  const rows = await db.query<Feedback>(`select score, text, by, ${ISO('at')} as at from feedback where order_id = $1`, [orderId])
  return rows.rows[0] ?? null
}

/** When the last piece of the order reached its customer; null: nobody said. */
export async function deliveredAt(db: Queryable, orderId: string): Promise<Date | null> {
  const rows = await db.query<{ at: Date | null }>(
    `select max(at) as at from (
       select p.delivered_at as at from parcels p where p.order_id = $1 and p.state = 'delivered'
       union all
       select m.at from movements m join units u on u.id = m.reference where u.order_id = $1 and m.reason = 'handedOver') d`,
    [orderId],
  )
  return rows.rows[0]?.at ?? null
}

/** Whom a courier's report is about, when it is a parcel on its way back to us. */
export async function findReturnParcel(
  db: Queryable,
  report: { reference: string | null; courierBookingId: string | null; waybill: string | null },
  couriers: readonly string[] | null,
): Promise<{ parcelId: string; returnId: string; orderId: string } | null> {
  const rows = await db.query<{ parcelId: string; returnId: string; orderId: string }>(
    `select p.id as "parcelId", p.return_id as "returnId", r.order_id as "orderId"
     from return_parcels p join returns r on r.id = p.return_id
     where (p.reference = $1 or p.courier_booking_id = $2 or p.waybill = $3) and p.state not in ('refused', 'void')
       and ($4::text[] is null or p.courier = any($4)) order by p.reference = $1 desc nulls last, p.created_at desc limit 1`,
    [report.reference, report.courierBookingId, report.waybill, couriers],
  )
  return rows.rows[0] ?? null
}
