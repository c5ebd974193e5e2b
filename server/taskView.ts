/** Tasks as people see them: with the actions that their order would take now, who waits, and what has been asked already. */
import { isPossible, type Standing } from '../domain/possible.ts'
import { commandsOf } from '../store/commands.ts'
import type { Queryable } from '../store/db.ts'
import { getTask, listTasks, type Task, type TaskFilter } from '../store/tasks.ts'
import { isSettledHere } from './settleTask.ts'

export interface TaskView extends Task {
  /** ISO 8601. */
  waitingSince: string
}
export interface TaskDetail extends TaskView {
  /** The customer whose order it is; null: nobody outside waits. Shown here alone, never logged. */
  whoWaits: string | null
  /** Who asked what because of this task, oldest first. */
  done: { verb: string; who: string; state: string; answer: string | null; at: string }[]
}

interface Row extends Standing {
  id: string
}

/** How the orders stand, in one statement. */
async function standings(db: Queryable, orderIds: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
  if (orderIds.length === 0) return new Map()
  const { rows } = await db.query<Row>({
    name: 'task-standings',
    text: `select o.id, o.closed, o.kind, o.doc->'delivery'->>'method' as method, coalesce((o.doc->>'onHold')::boolean, false) as "onHold",
        array(select jsonb_object_keys(o.facts)) as facts,
        (select coalesce(json_agg(json_build_object('state', u.state)), '[]') from units u where u.order_id = o.id) as units,
        (select coalesce(json_agg(json_build_object('state', p.state, 'amountDueMinor', p.amount_due_minor)), '[]')
          from parcels p where p.order_id = o.id) as parcels,
        (select coalesce(sum(l.shipped), 0)::int from order_lines l where l.order_id = o.id) as shipped,
        (select coalesce(sum(greatest(0, l.ordered - l.cancelled - coalesce((
          select sum(v.quantity - v.short) from unit_lines v join units u on u.id = v.unit_id
          where u.order_id = o.id and v.line_id = l.line_id and u.state <> 'cancelled'), 0))), 0)::int
          from order_lines l where l.order_id = o.id) as missing
      from orders o where o.id = any($1)`,
    values: [orderIds],
  })
  return new Map(rows.map((row) => [row.id, row]))
}

/** An action that would be refused is not offered. */
export async function withPossible(db: Queryable, tasks: readonly Task[]): Promise<TaskView[]> {
  const open = tasks.filter((task) => task.state === 'open' && !isSettledHere(task))
  const at = await standings(db, [...new Set(open.flatMap(({ orderId }) => orderId ?? []))])
  return tasks.map((task) => {
    const standing = open.includes(task) && task.orderId !== null ? at.get(task.orderId) : undefined
    const actions = standing === undefined ? task.actions : task.actions.filter((action) => isPossible(action, standing))
    return { ...task, actions, waitingSince: task.openedAt }
  })
}

export const viewTasks = async (db: Queryable, filter: TaskFilter): Promise<TaskView[]> =>
  await withPossible(db, await listTasks(db, filter))

export async function viewTask(db: Queryable, id: number): Promise<TaskDetail | null> {
  const task = await getTask(db, id)
  if (task === null) return null
  const [view] = await withPossible(db, [task])
  if (view === undefined) return null
  if (task.orderId === null) return { ...view, whoWaits: null, done: [] }
  const [person, commands] = await Promise.all([
    db.query<{ name: string | null }>(
      `select coalesce(doc->'recipient'->>'name', doc->'buyer'->>'name') as name from orders where id = $1`,
      [task.orderId],
    ),
    commandsOf(db, task.orderId),
  ])
  const done = commands
    .filter(({ taskId }) => taskId === id)
    .map(({ verb, who, state, answer, at }) => ({ verb, who, state, answer, at: at.toISOString() }))
  return { ...view, whoWaits: person.rows[0]?.name ?? null, done }
}
