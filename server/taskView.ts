/** Tasks as people see them: with the actions that their order would take now, who waits, and what has been asked already. */
import { ACTIONS, type Action } from '../domain/actions.ts'
import { isPossible } from '../domain/possible.ts'
import { commandsOf } from '../store/commands.ts'
import type { Queryable } from '../store/db.ts'
import { standings } from '../store/standing.ts'
import { getTask, listTasks, type Task, type TaskFilter } from '../store/tasks.ts'
import { isSettledHere } from './settleTask.ts'

export interface TaskView extends Task {
  /** ISO 8601. */
  waitingSince: string
}
export interface TaskDetail extends TaskView {
  /** The customer whose order it is; null: nobody outside waits. Shown here alone, never logged. */
  whoWaits: string | null
  /** Since when that customer waits for the order. ISO 8601. */
  orderedAt: string | null
  /** What can be done now, and what that means. */
  can: { action: string; does: string }[]
  /** Who asked what because of this task, oldest first. */
  done: { verb: string; who: string; state: string; answer: string | null; at: string }[]
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

const isAction = (name: string): name is Action => Object.hasOwn(ACTIONS, name)

export async function viewTask(db: Queryable, id: number): Promise<TaskDetail | null> {
  const task = await getTask(db, id)
  if (task === null) return null
  const [view] = await withPossible(db, [task])
  if (view === undefined) return null
  const can =
    task.state === 'open' ? view.actions.map((action) => ({ action, does: isAction(action) ? ACTIONS[action] : '' })) : []
  if (task.orderId === null) return { ...view, can, whoWaits: null, orderedAt: null, done: [] }
  const [order, commands] = await Promise.all([
    db.query<{ name: string | null; at: Date }>(
      `select coalesce(doc->'recipient'->>'name', doc->'buyer'->>'name') as name, coalesce(placed_at, created_at) as at from orders where id = $1`,
      [task.orderId],
    ),
    commandsOf(db, task.orderId),
  ])
  const done = commands
    .filter(({ taskId }) => taskId === id)
    .map(({ verb, who, state, answer, at }) => ({ verb, who, state, answer, at: at.toISOString() }))
  const { name = null, at } = order.rows[0] ?? {}
  return { ...view, can, whoWaits: name, orderedAt: at?.toISOString() ?? null, done }
}
