/** Commands with their answers: brought to the order's workflow, or obeyed here when the order is finished and none runs. */
import { WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client'
import type { Workflow } from '@temporalio/common'
import { OmnisagaError } from '../domain/errors.ts'
import { workflowIdOf } from '../domain/ids.ts'
import { getCommand } from '../store/commands.ts'
import { obey } from './order/obey.ts'
import type { Runtime } from './runtime.ts'

export interface Obeyed {
  state: 'done' | 'refused' | 'waiting'
  answer: string | null
}

/**
 * Has a command (its row is there already) obeyed and waits for its answer.
 * @returns `waiting` when no answer came in time; the sweep rings again, nothing is lost.
 */
export async function ask(runtime: Runtime, commandId: string, options: { timeoutMs?: number } = {}): Promise<Obeyed> {
  const command = await getCommand(runtime.pool, commandId)
  if (command === null) throw new OmnisagaError('Invalid', `there is no command ${commandId}`, { code: 'notFound' })
  if (command.state !== 'waiting') return { state: command.state, answer: command.answer }
  try {
    if (await isClosed(runtime, command.orderId)) {
      const { state, answer } = await obey(runtime, command.orderId, commandId)
      return { state, answer }
    }
    return await askWorkflow(runtime, command.orderId, commandId, options.timeoutMs ?? 3_000)
  } catch (error) {
    // No answer in time, or the engine is away: the row stays, and whoever comes first (this Update, a ring, the sweep) obeys it.
    const settled = await getCommand(runtime.pool, commandId)
    if (settled !== null && settled.state !== 'waiting') return { state: settled.state, answer: settled.answer }
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError))
      runtime.log.warn({ commandId, error: (error as Error).name }, 'no answer to a command yet')
    return { state: 'waiting', answer: null }
  }
}

async function isClosed({ pool }: Runtime, orderId: string): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'is-closed',
    text: 'select from orders where id = $1 and closed',
    values: [orderId],
  })
  return rowCount === 1
}

async function askWorkflow(runtime: Runtime, orderId: string, commandId: string, timeoutMs: number): Promise<Obeyed> {
  const startOperation = new WithStartWorkflowOperation('order', {
    taskQueue: runtime.taskQueue,
    workflowId: workflowIdOf(orderId),
    args: [orderId],
    workflowIdConflictPolicy: 'USE_EXISTING',
  })
  return await runtime.temporal.withDeadline(Date.now() + timeoutMs, () =>
    runtime.temporal.workflow.executeUpdateWithStart<Workflow, { state: 'done' | 'refused'; answer: string }, [string]>('ask', {
      args: [commandId],
      updateId: commandId,
      startWorkflowOperation: startOperation,
    }),
  )
}
