/** The outbox: facts owed to a participant until acknowledged. A dead one becomes a task, never a log line. */
import type { Queryable } from './db.ts'

export interface Owed {
  /** Owing the same thing twice is owing it once. */
  key: string
  participant: 'channel' | 'warehouse'
  connection: string
  kind: 'tracking' | 'cancelled' | 'label' | 'recall'
  orderId: string
  payload: Record<string, unknown>
}
export interface OwedRow extends Owed {
  id: number
  attempts: number
}

export async function owe(db: Queryable, fact: Owed): Promise<void> {
  await db.query({
    name: 'owe',
    text: `insert into outbox (key, participant, connection, kind, order_id, payload) values ($1, $2, $3, $4, $5, $6) on conflict (key) do nothing`,
    values: [fact.key, fact.participant, fact.connection, fact.kind, fact.orderId, fact.payload],
  })
}

/** Takes what is due of connections that are neither paused nor stopped, for `leaseMs`; at most `perConnection` of each. */
export async function leaseOutbox(db: Queryable, limit: number, perConnection: number, leaseMs = 60_000): Promise<OwedRow[]> {
  const rows = await db.query<OwedRow>({
    name: 'lease-outbox',
    text: `update outbox set lease_until = now() + $3 * interval '1 millisecond', attempts = attempts + 1
           where id in (
             select o.id from outbox o where o.id in (
               select id from (
                 select b.id, row_number() over (partition by b.connection order by b.due_at, b.id) as place from outbox b
                 left join connections c on c.name = b.connection left join connection_state s on s.connection = b.connection
                 where b.state = 'due' and b.due_at <= now() and (b.lease_until is null or b.lease_until < now())
                   and not coalesce(c.paused, false) and s.stopped_reason is null
               ) fair where place <= $2 limit $1)
             and o.state = 'due' and (o.lease_until is null or o.lease_until < now()) for update skip locked)
           returning id, key, participant, connection, kind, order_id as "orderId", payload, attempts`,
    values: [limit, perConnection, leaseMs],
  })
  return rows.rows.sort((a, b) => a.id - b.id)
}

export async function acknowledge(db: Queryable, id: number): Promise<void> {
  await db.query({
    name: 'acknowledge',
    text: `update outbox set state = 'done', done_at = now(), lease_until = null, error = null where id = $1`,
    values: [id],
  })
}

export async function retryOwed(db: Queryable, id: number, delayMs: number, error: string): Promise<void> {
  await db.query(
    `update outbox set lease_until = null, due_at = now() + $2 * interval '1 millisecond', error = $3 where id = $1`,
    [id, delayMs, error],
  )
}

export async function markDead(db: Queryable, id: number, error: string): Promise<void> {
  await db.query(`update outbox set state = 'dead', lease_until = null, error = $2 where id = $1`, [id, error])
}

/** A person says: try once more. */
export async function reviveOwed(db: Queryable, key: string): Promise<void> {
  await db.query(
    `update outbox set state = 'due', due_at = now(), attempts = 0, error = null where key = $1 and state = 'dead'`,
    [key],
  )
}

/** Customer notices go into a table of their own; a channel that really sends them takes them from there. */
export async function notify(
  db: Queryable,
  args: { key: string; orderId: string; template: string; data?: Record<string, unknown> },
): Promise<void> {
  await db.query({
    name: 'notify',
    text: `insert into notices (key, order_id, template, data) values ($1, $2, $3, $4) on conflict (key) do nothing`,
    values: [args.key, args.orderId, args.template, args.data ?? {}],
  })
}
