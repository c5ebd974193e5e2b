/** The engine seen from outside the workflow: the start and the doorbell. */
import { workflowIdOf } from '../domain/ids.ts'
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
