/** Doing what a task allows: a command for its order, or, where there is no order, settling the thing itself. */
import { chooseSkuOfTask } from '../activities/aliases.ts'
import type { Runtime } from '../activities/runtime.ts'
import { isRetriable, OmnisagaError } from '../domain/errors.ts'
import { VERBS, type Verb } from '../store/commands.ts'
import type { Queryable } from '../store/db.ts'
import { closeTasks, getTask, type Task } from '../store/tasks.ts'
import { goOn, onStage, preview, type Preview } from '../activities/order/preview.ts'
import { differencesOf, stateOf } from '../activities/order/previewState.ts'
import { command, detailOf, type Asked } from './commands.ts'
import { notFound, Problem, PROBLEM_TYPE } from './problem.ts'
import type { Answer } from './route.ts'
import { isSettledHere, settleTask } from './settleTask.ts'
import { withPossible } from './taskView.ts'

export interface Acted extends Omit<Asked, 'commandId' | 'orderId' | 'verb'> {
  commandId: string | null
  orderId: string | null
  verb: string
}

const isVerb = (action: string): action is Verb => (VERBS as readonly string[]).includes(action)

async function refuse(db: Queryable, task: Task, action: string): Promise<void> {
  const [view] = await withPossible(db, [task])
  const refused = refusal(task, action, view?.actions ?? task.actions)
  if (refused) throw refused
}

const refusal = (task: Task, action: string, possible: readonly string[]): Problem | null => {
  if (task.state === 'done') {
    return new Problem(
      409,
      'Task is closed',
      `Task ${task.id} was closed${task.closedBy ? ` by ${task.closedBy}` : ''}: ${task.outcome ?? 'done'}.`,
    )
  }
  if (task.actions.includes(action)) return null
  return new Problem(409, 'Not an action of this task', `Task ${task.id} does not allow '${action}'.`, {
    errors: [
      {
        path: 'action',
        value: action,
        message: 'is not allowed',
        remedy: possible.length > 0 ? `Use one of: ${possible.join(', ')}.` : 'Nothing can be done now; look again later.',
      },
    ],
  })
}

interface By {
  who: string
  idempotencyKey?: string | string[] | undefined
}

/** @throws Problem 404 for an unknown task, 409 for one that is closed or does not allow the action. */
export async function takeAction(
  runtime: Runtime,
  taskId: number,
  action: string,
  detail: Record<string, unknown>,
  by: By,
): Promise<Acted> {
  const task = await getTask(runtime.pool, taskId)
  if (!task) throw notFound('task', String(taskId))
  await refuse(runtime.pool, task, action)
  if (action === 'chooseSku') return await chosen(runtime, task, detail.sku, by.who)
  if (task.orderId !== null && isVerb(action) && !isSettledHere(task)) {
    return await command(runtime, { orderId: task.orderId, verb: action, detail, taskId, ...by })
  }
  const outcome = await settled(runtime, task, action, detail, by.who)
  return { commandId: null, orderId: task.orderId, verb: action, state: 'done', answer: outcome }
}

/** @throws Problem 409 when somebody else was first: what they did is done once, and the second hears of it. */
async function settled(
  runtime: Runtime,
  task: Task,
  action: string,
  detail: Record<string, unknown>,
  who: string,
): Promise<string> {
  const unlessSecond = async () => {
    const now = await getTask(runtime.pool, task.id)
    const refused = now !== null && now.closedBy !== who && refusal(now, action, now.actions)
    if (refused) throw refused
  }
  try {
    const outcome = await settleTask(runtime, task, action, detail, who)
    if ((await closeTasks(runtime.pool, { id: task.id }, outcome, who)) === 0) await unlessSecond()
    return outcome
  } catch (error) {
    await unlessSecond()
    throw error
  }
}

/**
 * What the action would change; nothing is done and nobody is called.
 * @throws Problem as {@link takeAction} does; what only the order refuses is told as `possible: false`.
 */
export async function previewAction(
  runtime: Runtime,
  taskId: number,
  action: string,
  detail: Record<string, unknown>,
  who: string,
): Promise<Preview> {
  const task = await getTask(runtime.pool, taskId)
  if (!task) throw notFound('task', String(taskId))
  await refuse(runtime.pool, task, action)
  if (action !== 'chooseSku' && task.orderId !== null && isVerb(action) && !isSettledHere(task)) {
    const given = { orderId: task.orderId, verb: action, detail, who, taskId }
    return await preview(runtime, { ...given, detail: await detailOf(runtime, given) })
  }
  return await previewSettled(runtime, { task, action, detail, who })
}

/** Of what is settled here: what becomes of its order, as far as it has one, and of the task. */
const previewSettled = async (
  runtime: Runtime,
  { task, action, detail, who }: { task: Task; action: string; detail: Record<string, unknown>; who: string },
): Promise<Preview> =>
  await onStage(runtime, async (stage) => {
    const look = async () => (task.orderId === null ? null : await stateOf(stage.pool, task.orderId))
    if (task.orderId !== null) await stage.pool.query('select from orders where id = $1 for update', [task.orderId])
    const before = await look()
    try {
      const { answer } =
        action === 'chooseSku'
          ? await chosen(stage, task, detail.sku, who)
          : { answer: await settleTask(stage, task, action, detail, who) }
      await closeTasks(stage.pool, { id: task.id }, answer ?? '', who)
      const asks = action === 'chooseSku' && task.orderId !== null ? await goOn(stage, task.orderId) : []
      const after = await look()
      const closes = { of: 'taskCloses', name: `${task.id} ${task.title}`, from: 'open', to: null }
      const changes = before === null || after === null ? [closes] : differencesOf(before, after)
      return { action, possible: true, answer: answer ?? '', changes, later: [], asks }
    } catch (error) {
      if (!(error instanceof OmnisagaError) || isRetriable(error.kind)) throw error
      return {
        action,
        possible: false,
        answer: [error.message, error.remedy].filter(Boolean).join('. '),
        changes: [],
        later: [],
        asks: [],
      }
    }
  })

/** What an article is called here: remembered, and every order that waits for it goes on. @throws Problem 400 with the remedy. */
async function chosen(runtime: Runtime, task: Task, sku: unknown, who: string): Promise<Acted> {
  try {
    const { externalSku, sku: name, orders } = await chooseSkuOfTask(runtime, task, sku, who)
    const answer = `${externalSku} is ${name} from now on; ${orders.length} waiting ${orders.length === 1 ? 'order goes' : 'orders go'} on`
    return { commandId: null, orderId: task.orderId, verb: 'chooseSku', state: 'done', answer }
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'Invalid') throw refusedSku(error, typeof sku === 'string' ? sku : null)
    throw error
  }
}

const refusedSku = (error: OmnisagaError, value: string | null): Problem =>
  new Problem(400, 'Invalid input', error.message, {
    errors: [{ path: 'body.sku', value, message: error.message, remedy: error.remedy ?? '' }],
  })

export async function actOnTask(
  runtime: Runtime,
  { id, action }: { id: number; action: string },
  detail: Record<string, unknown>,
  by: By,
): Promise<Answer> {
  const acted = await takeAction(runtime, id, action, detail, by)
  if (acted.state === 'done') return { status: 200, body: acted }
  if (acted.state === 'waiting') return { status: 202, body: acted }
  const problem = new Problem(409, 'Refused', acted.answer ?? 'The order cannot do this now.')
  return { status: 409, contentType: PROBLEM_TYPE, body: { ...problem.body, ...acted } }
}
