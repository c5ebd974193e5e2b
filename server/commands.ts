/** A command: a row first, then the workflow is asked; what it says within 3 seconds is the answer, else it stays asked for. */
import { createHash } from 'node:crypto'
import { ask } from '../activities/ask.ts'
import type { Runtime } from '../activities/runtime.ts'
import { getCommand, giveCommand, type Verb } from '../store/commands.ts'
import { getOrder } from '../store/orders.ts'
import { changeOf } from './change.ts'
import { unstorableText, pathText } from './issues.ts'
import { invalidInput, notFound, Problem, PROBLEM_TYPE } from './problem.ts'
import type { Answer } from './route.ts'
import { ChangeRequest, verbOf } from './verbs.ts'

export const ANSWER_WITHIN_MS = 3_000

export interface Asked {
  commandId: string
  orderId: string
  verb: Verb
  state: 'done' | 'refused' | 'waiting'
  answer: string | null
}

export interface Given {
  orderId: string
  verb: Verb
  detail: Record<string, unknown>
  who: string
  taskId?: number
  idempotencyKey?: string | string[] | undefined
}

/** The same key for the same order is the same command; who did it stays the first. */
const idOf = ({ orderId, idempotencyKey }: Given): string | undefined =>
  typeof idempotencyKey === 'string'
    ? `k-${createHash('sha256').update(`${orderId}\u0000${idempotencyKey}`).digest('hex').slice(0, 32)}`
    : undefined

/** @throws Problem 400 when the verb is not told what it must know. */
export async function detailOf(runtime: Runtime, { orderId, verb, detail }: Given): Promise<Record<string, unknown>> {
  const bad = unstorableText(detail)
  if (bad) throw new Problem(400, 'Invalid input', `The body holds a character that cannot be stored at ${pathText(bad)}.`)
  const parsed = (verbOf(verb)?.body ?? ChangeRequest).safeParse(detail)
  if (!parsed.success) throw invalidInput(parsed.error, detail, 'body')
  if (verb !== 'change') return parsed.data
  const order = await getOrder(runtime.pool, orderId)
  if (!order) throw notFound('order', orderId)
  return changeOf(order, parsed.data as ChangeRequest)
}

/** @throws Problem 400 for a wrong detail, 422 when the key was used for another command. */
export async function command(runtime: Runtime, given: Given): Promise<Asked> {
  const { orderId, verb, who, taskId } = given
  const detail = await detailOf(runtime, given)
  const id = idOf(given)
  const { id: commandId, isNew } = await giveCommand(runtime.pool, {
    ...(id === undefined ? {} : { id }),
    orderId,
    verb,
    detail,
    who,
    ...(taskId === undefined ? {} : { taskId }),
  })
  if (!isNew) {
    const known = await getCommand(runtime.pool, commandId)
    if (known && known.verb !== verb) {
      throw new Problem(422, 'Key used before', `This Idempotency-Key was sent with the command '${known.verb}'. Use a new one.`)
    }
  }
  const { state, answer } = await ask(runtime, commandId, { timeoutMs: ANSWER_WITHIN_MS })
  return { commandId, orderId, verb, state, answer: answer ?? null }
}

/** 200 done, 202 still waiting; refused is a problem (409) that carries the command's own answer beside. */
export async function commandAnswer(runtime: Runtime, given: Given): Promise<Answer> {
  const asked = await command(runtime, given)
  if (asked.state === 'done') return { status: 200, body: asked }
  if (asked.state === 'waiting') return { status: 202, body: asked }
  const problem = new Problem(409, 'Refused', asked.answer ?? 'The order cannot do this now.')
  return { status: 409, contentType: PROBLEM_TYPE, body: { ...problem.body, ...asked } }
}
