/** The engine seen from outside the workflow: the doorbell, and commands with their answers. */
import { WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client'
import { workflowIdOf } from '../domain/ids.ts'
import { getCommand } from '../store/commands.ts'
import type { Workflow } from '@temporalio/common'
import { OmnisagaError } from '../domain/errors.ts'
import type { Runtime } from './runtime.ts'

const RING_AGAIN_AFTER = '20 seconds'
/** Whoever wakes an order does not wait for an engine that is away: the sweep does it later. */
const ENGINE_WITHIN_MS = 3_000
/** After it did not answer it is not asked for so long, or each of a hundred records would wait in turn. */
const ENGINE_REST_MS = 3_000
const awayUntil = new WeakMap<Runtime, number>()

/** @throws OmnisagaError Transient at once when the engine was away a moment ago. */
async function wake(runtime: Runtime, call: () => Promise<unknown>): Promise<void> {
  if (Date.now() < (awayUntil.get(runtime) ?? 0))
    throw new OmnisagaError('Transient', 'the engine was away a moment ago', { code: 'engine' })
  try {
    await runtime.temporal.withDeadline(Date.now() + ENGINE_WITHIN_MS, call)
  } catch (error) {
    awayUntil.set(runtime, Date.now() + ENGINE_REST_MS)
    throw error
  }
}

/**
 * Rings an order's workflow, starting it where there is none. No second ring while one is pending; a closed order is not rung.
 * @returns false when nothing was to be rung.
 */
export async function ring(runtime: Runtime, orderId: string): Promise<boolean> {
  const pending = await runtime.pool.query({
    name: 'ring',
    text: `update orders set rung_at = now() where id = $1 and not closed
             and (rung_at is null or rung_at < now() - interval '${RING_AGAIN_AFTER}')`,
    values: [orderId],
  })
  if (pending.rowCount === 0) return false
  try {
    await wake(runtime, () =>
      runtime.temporal.workflow.signalWithStart('order', {
        taskQueue: runtime.taskQueue,
        workflowId: workflowIdOf(orderId),
        args: [orderId],
        signal: 'doorbell',
        signalArgs: [],
      }),
    )
  } catch (error) {
    // Nobody was rung: the next one need not wait until this ring is forgotten.
    await runtime.pool.query('update orders set rung_at = null where id = $1', [orderId])
    throw error
  }
  return true
}

/** Starts what is new without a ring: one Action instead of two. A workflow that runs already is left alone. */
export async function start(runtime: Runtime, orderId: string): Promise<void> {
  await wake(runtime, () =>
    runtime.temporal.workflow.start('order', {
      taskQueue: runtime.taskQueue,
      workflowId: workflowIdOf(orderId),
      args: [orderId],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  )
}

export interface Obeyed {
  state: 'done' | 'refused' | 'waiting'
  answer: string | null
}

/**
 * Brings a command (its row is there already) to the order's workflow and waits for its answer.
 * @returns `waiting` when no answer came in time; the sweep rings again, nothing is lost.
 */
export async function ask(runtime: Runtime, commandId: string, options: { timeoutMs?: number } = {}): Promise<Obeyed> {
  const command = await getCommand(runtime.pool, commandId)
  if (command === null) throw new OmnisagaError('Invalid', `there is no command ${commandId}`, { code: 'notFound' })
  if (command.state !== 'waiting') return { state: command.state, answer: command.answer }
  const timeoutMs = options.timeoutMs ?? 3_000
  try {
    const startOperation = new WithStartWorkflowOperation('order', {
      taskQueue: runtime.taskQueue,
      workflowId: workflowIdOf(command.orderId),
      args: [command.orderId],
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
    return await runtime.temporal.withDeadline(Date.now() + timeoutMs, () =>
      runtime.temporal.workflow.executeUpdateWithStart<Workflow, { state: 'done' | 'refused'; answer: string }, [string]>('ask', {
        args: [commandId],
        updateId: commandId,
        startWorkflowOperation: startOperation,
      }),
    )
  } catch (error) {
    // No answer in time, or the engine is away: the row stays, and whoever comes first (this Update, a ring, the sweep) obeys it.
    const settled = await getCommand(runtime.pool, commandId)
    if (settled !== null && settled.state !== 'waiting') return { state: settled.state, answer: settled.answer }
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError))
      runtime.log.warn({ commandId, error: (error as Error).name }, 'no answer to a command yet')
    return { state: 'waiting', answer: null }
  }
}
