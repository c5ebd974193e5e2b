/** The outbox: facts owed to a participant until acknowledged. A dead one becomes a task, never a log line. */
import type { Queryable } from './db.ts'

/** Who is told facts of an order. A channel that is a till is `pos`. */
export type Participant = 'channel' | 'pos' | 'erp' | 'warehouse' | 'courier' | 'tracker' | 'customer'
export type OwedKind =
  | 'placed' // the channel: it is stored here
  | 'tracking'
  | 'delivered'
  | 'cancelled'
  | 'refund'
  | 'sale' // the ERP
  | 'shipment'
  | 'saleCancelled'
  | 'goodsReturned'
  | 'label' // the warehouse
  | 'recall'
  | 'pickupStore' // the courier: another store for a booked parcel
  | 'registered' // a tracker
  | 'notice' // the customer

export interface Owed {
  /** Owing the same thing twice is owing it once. */
  key: string
  participant: Participant
  /** Null for a customer: through which connection is chosen when there is something to tell. */
  connection: string | null
  kind: OwedKind
  orderId: string
  payload: Record<string, unknown>
}
export interface OwedRow extends Owed {
  id: number
  attempts: number
}

export async function owe(db: Queryable, fact: Owed): Promise<boolean> {
  const owed = await db.query({
    name: 'owe',
    text: `insert into outbox (key, participant, connection, kind, order_id, payload) values ($1, $2, $3, $4, $5, $6) on conflict (key) do nothing`,
    values: [fact.key, fact.participant, fact.connection, fact.kind, fact.orderId, fact.payload],
  })
  return owed.rowCount === 1
}

/** An ERP hears of an order's facts one after another, and a channel of a delivery after its parcel: what comes before is not told yet. */
const WAITS = (row: string) => `(${row}.participant = 'erp' or ${row}.kind = 'delivered') and exists (
  select from outbox e where e.order_id = ${row}.order_id and e.connection = ${row}.connection and e.id < ${row}.id
    and e.state in ('due', 'dead') and (${row}.participant = 'erp' or e.kind = 'tracking'))`

/** Takes what is due of connections that are neither paused nor stopped, for `leaseMs`; at most `perConnection` of each. */
export async function leaseOutbox(db: Queryable, limit: number, perConnection: number, leaseMs = 60_000): Promise<OwedRow[]> {
  const rows = await db.query<OwedRow>({
    name: 'lease-outbox',
    text: `update outbox set lease_until = now() + $3 * interval '1 millisecond', attempts = attempts + 1, tried_at = now()
           where id in (
             select o.id from outbox o where o.id in (
               select id from (
                 select b.id, row_number() over (partition by b.connection order by b.due_at, b.id) as place from outbox b
                 left join connections c on c.name = b.connection left join connection_state s on s.connection = b.connection
                 where b.state = 'due' and b.due_at <= now() and (b.lease_until is null or b.lease_until < now())
                   and not coalesce(c.paused, false) and s.stopped_reason is null and not (${WAITS('b')})
               ) fair where place <= $2 limit $1)
             and o.state = 'due' and (o.lease_until is null or o.lease_until < now()) for update skip locked)
           returning id, key, participant, connection, kind, order_id as "orderId", payload, attempts`,
    values: [limit, perConnection, leaseMs],
  })
  return rows.rows.sort((a, b) => a.id - b.id)
}

/** @param document what the participant made of it. */
export async function acknowledge(db: Queryable, id: number, document: Record<string, unknown> | null = null): Promise<void> {
  await db.query({
    name: 'acknowledge',
    text: `update outbox set state = 'done', done_at = now(), lease_until = null, error = null, document = coalesce($2, document) where id = $1`,
    values: [id, document],
  })
}

/** Nobody needs to be told any more, for a reason that is kept. */
export async function skipOwed(db: Queryable, id: number, reason: string): Promise<void> {
  await db.query(`update outbox set state = 'skipped', done_at = now(), lease_until = null, error = $2 where id = $1`, [
    id,
    reason,
  ])
}

export async function retryOwed(db: Queryable, id: number, delayMs: number, error: string): Promise<void> {
  await db.query(
    `update outbox set lease_until = null, due_at = now() + $2 * interval '1 millisecond', error = $3 where id = $1`,
    [id, delayMs, error],
  )
}

/** Not its turn yet: no attempt was made. Without `delayMs` it is looked at again after a quarter of its age, a minute at most. */
export async function postponeOwed(db: Queryable, id: number, reason: string, delayMs: number | null = null): Promise<void> {
  await db.query(
    `update outbox set lease_until = null, attempts = greatest(0, attempts - 1), error = $2,
       tried_at = case when attempts <= 1 then null else tried_at end,
       due_at = now() + coalesce($3::float8 * interval '1 millisecond',
         least(interval '1 minute', greatest(interval '1 second', (now() - created_at) / 4)))
     where id = $1`,
    [id, reason, delayMs],
  )
}

export async function markDead(db: Queryable, id: number, error: string): Promise<void> {
  await db.query(`update outbox set state = 'dead', lease_until = null, error = $2 where id = $1`, [id, error])
}

/** A person says: try once more, now. */
export async function reviveOwed(db: Queryable, key: string): Promise<void> {
  await db.query(
    `update outbox set state = 'due', due_at = now(), attempts = 0, error = null where key = $1 and state in ('due', 'dead')`,
    [key],
  )
}

/** A person has told them, or says that they need not hear it. @returns the order whose fact it was, null when it was settled before. */
export async function settleOwed(
  db: Queryable,
  key: string,
  as: 'done' | 'skipped',
): Promise<{ orderId: string; kind: OwedKind } | null> {
  const rows = await db.query<{ orderId: string; kind: OwedKind }>(
    `update outbox set state = $2, done_at = now(), lease_until = null where key = $1 and state in ('due', 'dead')
     returning order_id as "orderId", kind`,
    [key, as],
  )
  return rows.rows[0] ?? null
}
