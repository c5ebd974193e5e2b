/** The inbox: every raw record, stored before it is answered and before it is mapped. */
import type { Queryable } from './db.ts'

export interface InboxRecord {
  kind: string
  externalId: string
  version: string
  eventAt: string | null
  payload: Record<string, unknown>
}

export interface InboxRow {
  id: number
  connection: string
  kind: string
  externalId: string
  payload: Record<string, unknown>
  eventAt: string | null
  attempts: number
}

const COLUMNS = `id, connection, kind, external_id as "externalId", payload, attempts,
  to_char(event_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "eventAt"`

/**
 * Stores raw records; one that is known by connection, kind, external id and version is dropped.
 * `leaseMs` keeps the mapping loop away for so long, for a caller that maps them itself.
 * `asOfNow`: the source was just asked, so an order that is back to an earlier version (edited there and back, within the one
 * second of its update time, or by a source whose versions are contents) is news, and is stored anew under `VERSION~ROW`.
 * @returns the ids of the new rows, and how many were known.
 */
export async function storeRaw(
  db: Queryable,
  connection: string,
  records: InboxRecord[],
  options: { importId?: string; leaseMs?: number; asOfNow?: boolean } = {},
): Promise<{ stored: number; known: number; ids: number[] }> {
  if (records.length === 0) return { stored: 0, known: 0, ids: [] }
  const told = options.asOfNow ? await namedAnew(db, connection, records) : records
  const rows = await db.query<{ id: number }>({
    name: 'store-raw',
    // The doorbell goes with the commit: one round trip and one sync to disk, not two.
    text: `with stored as (
             insert into inbox (connection, kind, external_id, version, event_at, payload, import_id, lease_until)
             select $1, r.kind, r."externalId", r.version, r."eventAt", r.payload, $3, now() + $4::float8 * interval '1 millisecond'
             from jsonb_to_recordset($2::jsonb) as r(kind text, "externalId" text, version text, "eventAt" timestamptz, payload jsonb)
             on conflict (connection, kind, external_id, version) do nothing returning id
           ), rung as (
             select pg_notify('omnisaga_inbox', '') from (select from stored limit 1) any_stored where $4::float8 is null
           )
           select stored.id from stored left join rung on true order by stored.id`,
    values: [connection, JSON.stringify(told), options.importId ?? null, options.leaseMs ?? null],
  })
  return { stored: rows.rows.length, known: records.length - rows.rows.length, ids: rows.rows.map((row) => row.id) }
}

/** Orders whose version is known, but is not the last one told, get that last one's row into their version. */
async function namedAnew(db: Queryable, connection: string, records: InboxRecord[]): Promise<InboxRecord[]> {
  const orders = records.filter((record) => record.kind === 'order')
  const { rows } = await db.query<{ externalId: string; version: string; last: number }>({
    name: 'orders-told-again',
    text: `select told."externalId", told.version, last.id as last
           from jsonb_to_recordset($2::jsonb) as told("externalId" text, version text)
           join inbox known on known.connection = $1 and known.kind = 'order' and known.external_id = told."externalId"
             and known.version = told.version
           cross join lateral (select id, version from inbox where connection = $1 and kind = 'order'
             and external_id = told."externalId" and not payload ? 'lookAt' order by id desc limit 1) as last
           where split_part(last.version, '~', 1) <> told.version`,
    values: [connection, JSON.stringify(orders.map(({ externalId, version }) => ({ externalId, version })))],
  })
  const lastOf = new Map(rows.map((row) => [`${row.externalId} ${row.version}`, row.last]))
  return records.map((record) => {
    const last = record.kind === 'order' ? lastOf.get(`${record.externalId} ${record.version}`) : undefined
    return last === undefined ? record : { ...record, version: `${record.version}~${last}` }
  })
}

/** Takes unmapped rows for `leaseMs`; other processes take others. Mapping is harmless twice: a short lease only costs work. */
export async function leaseInbox(db: Queryable, limit: number, leaseMs = 20_000): Promise<InboxRow[]> {
  const rows = await db.query<InboxRow>({
    name: 'lease-inbox',
    text: `update inbox set lease_until = now() + $2 * interval '1 millisecond', attempts = attempts + 1
           where id in (select id from inbox where state = 'new' and (lease_until is null or lease_until < now())
                          and not payload ? 'lookAt' -- a push that only says "look at this": the pull fetches it
                        order by id limit $1 for update skip locked) returning ${COLUMNS}`,
    values: [limit, leaseMs],
  })
  return rows.rows.sort((a, b) => a.id - b.id)
}

export async function readInbox(db: Queryable, ids: number[]): Promise<InboxRow[]> {
  return (await db.query<InboxRow>(`select ${COLUMNS} from inbox where id = any($1) order by id`, [ids])).rows
}

export async function settleInbox(
  db: Queryable,
  id: number,
  outcome: { state: 'mapped' | 'failed' | 'ignored'; orderId?: string | null; error?: string },
): Promise<void> {
  await db.query({
    name: 'settle-inbox',
    text: `update inbox set state = $2, order_id = $3, error = $4, lease_until = null where id = $1`,
    values: [id, outcome.state, outcome.orderId ?? null, outcome.error ?? null],
  })
}

/** Puts a row back, to be tried again after `delayMs`. */
export async function postponeInbox(db: Queryable, id: number, delayMs: number, error: string): Promise<void> {
  await db.query(`update inbox set lease_until = now() + $2 * interval '1 millisecond', error = $3 where id = $1`, [
    id,
    delayMs,
    error,
  ])
}

/** Maps a record anew after what it lacked was mended. `about`: connection, kind and external id with colons between, as its task's key. */
export async function retryFailed(db: Queryable, about: string): Promise<void> {
  await db.query(
    `update inbox set state = 'new', attempts = 0, lease_until = null, error = null
     where id = (select max(id) from inbox where state = 'failed' and connection || ':' || kind || ':' || external_id = $1
       and connection = split_part($1, ':', 1))`,
    [about],
  )
}

export async function inboxBacklog(db: Queryable): Promise<number> {
  return Number((await db.query<{ n: number }>(`select count(*) as n from inbox where state = 'new'`)).rows[0]?.n ?? 0)
}
