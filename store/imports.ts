/** Imports: the uploaded file is kept first, as it came; then what was read from it, and what it did. */
import { createHash, randomUUID } from 'node:crypto'
import type { Queryable } from './db.ts'

export interface RowError {
  row: number
  column: string
  value: string
  code: string
  message: string
}

export interface ImportResult {
  profile: string
  rows: number
  /** Orders taken in: new ones, known ones, ones that the file changed or filled in. */
  new: number
  known: number
  changed: number
  filled: number
  /** Orders that could not be mapped after all; each has a task. */
  failed: number
  /** Orders whose goods had left before they were first seen: nothing is to be done for them. */
  gone: number
  /** Orders held back because a row of theirs is wrong. */
  heldOrders: string[]
  errors: RowError[]
}

export interface ImportProgress {
  rowsRead: number
  /** Known once the file has been looked through. */
  rowsTotal: number | null
  /** Orders taken in, or found to be known. */
  ordersStored: number
}

export interface Import {
  id: string
  connection: string
  profile: string
  fileName: string
  state: 'received' | 'running' | 'done' | 'failed' | 'cancelled'
  /** How sure the guessed profile is, 0 to 1; null when it was named. */
  confidence: number | null
  progress: ImportProgress | null
  /** The file goes back to its channel with the tracking numbers filled in. */
  takesWaybills: boolean
  result: ImportResult | null
  error: string | null
  createdAt: string
  finishedAt: string | null
  /** The channel's own workbook with tracking numbers is ready. */
  workbook: boolean
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
/** momo's file always went back, also before that was noted. */
const TAKES_WAYBILLS = `coalesce(i.takes_waybills, i.profile = 'momo')`
const SELECT = `select i.id, i.connection, i.profile, u.file_name as "fileName", i.state, i.result, i.error, i.confidence,
  ${TAKES_WAYBILLS} as "takesWaybills", i.progress,
  ${ISO('i.created_at')} as "createdAt", ${ISO('i.finished_at')} as "finishedAt", (w.import_id is not null) as workbook
  from imports i join uploads u on u.id = i.upload_id left join workbooks w on w.import_id = i.id`

/** Keeps the file (once, by its content) and the wish to import it. */
export async function keepUpload(
  db: Queryable,
  args: { bytes: Buffer; fileName: string; connection: string; profile: string },
): Promise<string> {
  const sha256 = createHash('sha256').update(args.bytes).digest('hex')
  const upload = await db.query<{ id: string }>(
    `insert into uploads (id, sha256, file_name, bytes) values ($1, $2, $3, $4)
     on conflict (sha256) do update set file_name = excluded.file_name returning id`,
    [`f-${sha256.slice(0, 16)}`, sha256, args.fileName, args.bytes],
  )
  const id = `i-${randomUUID().slice(0, 13)}`
  await db.query('insert into imports (id, connection, profile, upload_id) values ($1, $2, $3, $4)', [
    id,
    args.connection,
    args.profile,
    upload.rows[0]?.id,
  ])
  return id
}

export async function getImport(db: Queryable, id: string): Promise<Import | null> {
  return (await db.query<Import>(`${SELECT} where i.id = $1`, [id])).rows[0] ?? null
}

export async function uploadOf(db: Queryable, importId: string): Promise<{ bytes: Buffer; fileName: string }> {
  const rows = await db.query<{ bytes: Buffer; file_name: string }>(
    'select u.bytes, u.file_name from imports i join uploads u on u.id = i.upload_id where i.id = $1',
    [importId],
  )
  const [row] = rows.rows
  if (row === undefined) throw new Error(`there is no import ${importId}`)
  return { bytes: row.bytes, fileName: row.file_name }
}

export async function setImport(
  db: Queryable,
  id: string,
  to: { state: Import['state']; result?: ImportResult; error?: string },
): Promise<void> {
  await db.query(
    `update imports set state = $2, result = $3, error = $4, heartbeat_at = now(),
       finished_at = case when $2 in ('done', 'failed', 'cancelled') then now() end where id = $1`,
    [id, to.state, to.result ?? null, to.error ?? null],
  )
}

/** What the file turned out to be. */
export async function setImportProfile(
  db: Queryable,
  id: string,
  file: { profile: string; confidence: number | null; takesWaybills: boolean },
): Promise<void> {
  await db.query('update imports set profile = $2, confidence = $3, takes_waybills = $4 where id = $1', [
    id,
    file.profile,
    file.confidence,
    file.takesWaybills,
  ])
}

/** A sign of life of the process that takes it in. @returns true when somebody wants it to stop. */
export async function beat(db: Queryable, id: string, progress?: ImportProgress): Promise<boolean> {
  const rows = await db.query<{ asked: boolean }>({
    name: 'import-beat',
    text: `update imports set heartbeat_at = now(), progress = coalesce($2, progress) where id = $1
           returning cancel_requested_at is not null as asked`,
    values: [id, progress ?? null],
  })
  return rows.rows[0]?.asked ?? false
}

/** Asks whoever takes it in to stop. @returns false when it is finished already. */
export async function requestCancel(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.query(
    `update imports set cancel_requested_at = coalesce(cancel_requested_at, now()) where id = $1 and state in ('received', 'running')`,
    [id],
  )
  return rows.rowCount === 1
}

/**
 * Takes over imports whose process has given no sign of life for two minutes; another process that asks gets none of them.
 * A password is never stored, so an encrypted one must be sent again.
 */
export async function interruptedImports(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `update imports set heartbeat_at = now() where id in (
       select id from imports where state in ('received', 'running')
         and coalesce(heartbeat_at, created_at) < now() - interval '2 minutes' for update skip locked) returning id`,
  )
  return rows.rows.map((row) => row.id)
}

export async function saveWorkbook(db: Queryable, importId: string, bytes: Buffer, parcels: number): Promise<void> {
  await db.query(
    `insert into workbooks (import_id, bytes, parcels) values ($1, $2, $3)
     on conflict (import_id) do update set bytes = excluded.bytes, parcels = excluded.parcels, updated_at = now()`,
    [importId, bytes, parcels],
  )
}

export async function getWorkbook(
  db: Queryable,
  importId: string,
): Promise<{ bytes: Buffer; parcels: number; fileName: string } | null> {
  const rows = await db.query<{ bytes: Buffer; parcels: number; fileName: string }>(
    `select w.bytes, w.parcels, u.file_name as "fileName" from workbooks w join imports i on i.id = w.import_id join uploads u on u.id = i.upload_id where w.import_id = $1`,
    [importId],
  )
  return rows.rows[0] ?? null
}

/** The newest import that an order came in. */
export async function importOf(db: Queryable, orderId: string): Promise<{ id: string; takesWaybills: boolean } | null> {
  const rows = await db.query<{ id: string; takesWaybills: boolean }>(
    `select i.id, ${TAKES_WAYBILLS} as "takesWaybills" from inbox b join imports i on i.id = b.import_id where b.order_id = $1 order by b.id desc limit 1`,
    [orderId],
  )
  return rows.rows[0] ?? null
}
