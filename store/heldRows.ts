/** Rows of orders that wait because another row of theirs is wrong: what is good of them need not be sent again. */
import type { Queryable } from './db.ts'

export interface KeptRow {
  row: number
  cells: Record<string, string>
}
export interface KeptOrder {
  externalId: string
  profile: string
  rows: KeptRow[]
  /** Wrong cells: the row's place in `rows`, and the header. */
  flagged: { at: number; column: string }[]
}

export async function keepRows(db: Queryable, connection: string, importId: string, orders: KeptOrder[]): Promise<void> {
  if (orders.length === 0) return
  await db.query(
    `insert into held_rows (connection, external_id, import_id, profile, rows, flagged)
     select $1, r."externalId", $2, r.profile, r.rows, r.flagged
     from jsonb_to_recordset($3::jsonb) as r("externalId" text, profile text, rows jsonb, flagged jsonb) order by 2
     on conflict (connection, external_id) do update
       set import_id = excluded.import_id, profile = excluded.profile, rows = excluded.rows, flagged = excluded.flagged, at = now()`,
    [connection, importId, JSON.stringify(orders)],
  )
}

/** Those whose task is still open: what a person has skipped is not waited for any longer. */
export async function keptRows(
  db: Queryable,
  connection: string,
  externalIds: string[],
  taskKeys: string[],
): Promise<Map<string, KeptOrder>> {
  const rows = await db.query<KeptOrder>({
    name: 'kept-rows',
    text: `select h.external_id as "externalId", h.profile, h.rows, h.flagged
           from unnest($2::text[], $3::text[]) as asked(external_id, key)
           join held_rows h on h.connection = $1 and h.external_id = asked.external_id
           where exists (select from tasks t where t.key = asked.key and t.state = 'open')`,
    values: [connection, externalIds, taskKeys],
  })
  return new Map(rows.rows.map((row) => [row.externalId, row]))
}

export async function dropKeptRows(db: Queryable, connection: string, externalIds: string[]): Promise<void> {
  if (externalIds.length === 0) return
  await db.query({
    name: 'drop-kept-rows',
    text: 'delete from held_rows where connection = $1 and external_id = any($2)',
    values: [connection, externalIds],
  })
}

/** The rows that an order was last taken in with; orders that came by no file have none. */
export async function takenRows(db: Queryable, connection: string, externalIds: string[]): Promise<Map<string, KeptRow[]>> {
  const rows = await db.query<{ externalId: string; rows: KeptRow[] | null }>({
    name: 'taken-rows',
    text: `select distinct on (external_id) external_id as "externalId", payload #> '{raw,rows}' as rows from inbox
           where connection = $1 and kind = 'order' and external_id = any($2) and payload ? 'fromFile' order by external_id, id desc`,
    values: [connection, externalIds],
  })
  return new Map(rows.rows.flatMap(({ externalId, rows: taken }) => (taken ? [[externalId, taken] as const] : [])))
}
