/** Tasks: what a machine cannot decide, with what happened, what can be done now, and who did it. */
import type { Action } from '../domain/actions.ts'
import type { Queryable } from './db.ts'

export interface NewTask {
  kind: string
  /** One open task a key: opening it again refreshes the text. */
  key: string
  orderId?: string | null
  connection?: string | null
  /** What it is about, as a person would name it: the channel's order number, a file. */
  subject: string
  /** What happened, in a few words. */
  title: string
  /** What happened, to what, and what became of the goods and the money meanwhile. No personal data. */
  detail: string
  /** What to do now, and what closes it. */
  remedy: string
  field?: string | null
  value?: string | null
  /** What may be done, as `omnisaga task ID ACTION` takes it. */
  actions: readonly Action[]
}

export interface Task extends Required<Omit<NewTask, 'actions'>> {
  id: number
  actions: string[]
  state: 'open' | 'done'
  openedAt: string
  closedAt: string | null
  closedBy: string | null
  outcome: string | null
}

const COLUMNS = `id, kind, key, order_id as "orderId", connection, subject, title, detail, remedy, field, value, actions, state,
  to_char(opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "openedAt",
  to_char(closed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "closedAt", closed_by as "closedBy", outcome`

export async function openTask(db: Queryable, task: NewTask): Promise<void> {
  await db.query({
    name: 'open-task',
    text: `insert into tasks (kind, key, order_id, connection, subject, title, detail, remedy, field, value, actions)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           on conflict (key) where state = 'open' do update
             set title = excluded.title, detail = excluded.detail, remedy = excluded.remedy, value = excluded.value, actions = excluded.actions`,
    values: [
      task.kind,
      task.key,
      task.orderId ?? null,
      task.connection ?? null,
      task.subject,
      task.title,
      task.detail,
      task.remedy,
      task.field ?? null,
      task.value ?? null,
      task.actions,
    ],
  })
}

/** Closes open tasks by key (or every one whose key starts with `prefix`); closing what is not open does nothing. */
export async function closeTasks(
  db: Queryable,
  which: { key?: string; prefix?: string; orderId?: string; id?: number },
  outcome: string,
  who = 'omnisaga',
): Promise<number> {
  const closed = await db.query({
    name: 'close-tasks',
    text: `update tasks set state = 'done', closed_at = now(), closed_by = $6, outcome = $5
           where state = 'open' and ($1::text is null or key = $1) and ($2::text is null or starts_with(key, $2))
             and ($3::text is null or order_id = $3) and ($4::bigint is null or id = $4)
             and coalesce($1, $2, $3, $4::text) is not null`,
    values: [which.key ?? null, which.prefix ?? null, which.orderId ?? null, which.id ?? null, outcome, who],
  })
  return closed.rowCount ?? 0
}

export interface TaskFilter {
  state?: 'open' | 'done' | undefined
  kind?: string | undefined
  connection?: string | undefined
  orderId?: string | undefined
  /** Opened at least so many hours ago. */
  olderThanHours?: number | undefined
  limit?: number | undefined
}

/** Oldest first. */
export async function listTasks(db: Queryable, filter: TaskFilter = {}): Promise<Task[]> {
  const rows = await db.query<Task>(
    `select ${COLUMNS} from tasks where ($1::text is null or state = $1) and ($2::text is null or kind = $2)
       and ($3::text is null or order_id = $3) and ($5::text is null or connection = $5)
       and ($6::float8 is null or opened_at <= now() - $6 * interval '1 hour') order by id limit $4`,
    [
      filter.state ?? null,
      filter.kind ?? null,
      filter.orderId ?? null,
      filter.limit ?? 500,
      filter.connection ?? null,
      filter.olderThanHours ?? null,
    ],
  )
  return rows.rows
}

export async function getTask(db: Queryable, id: number): Promise<Task | null> {
  const rows = await db.query<Task>(`select ${COLUMNS} from tasks where id = $1`, [id])
  return rows.rows[0] ?? null
}
