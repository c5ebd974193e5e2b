/** Tasks that are not about an order's saga: a fact that nobody took, a record that nobody understood, a connection that stopped. */
import type { Runtime } from '../activities/runtime.ts'
import { refunded } from '../activities/refund.ts'
import { isReturnTask, settleReturnTask } from '../activities/returns/tasks.ts'
import { retryFailed } from '../store/inbox.ts'
import { reviveOwed, settleOwed } from '../store/outbox.ts'
import type { Task } from '../store/tasks.ts'

const OWED = 'outbox:'
const RECORD = 'inbox:'

/** True when the task is settled here, and not by a command to the workflow of its order. */
export const isSettledHere = (task: Task): boolean => task.orderId === null || task.key.startsWith(OWED) || isReturnTask(task)

/** @returns what was done, in words. */
export async function settleTask(
  runtime: Runtime,
  task: Task,
  action: string,
  detail: Record<string, unknown> = {},
  who = 'omnisaga',
): Promise<string> {
  const { pool } = runtime
  if (isReturnTask(task)) return await settleReturnTask(runtime, task, action, detail, who)
  if (task.key.startsWith(RECORD) && action === 'retry') {
    await retryFailed(pool, task.key.slice(RECORD.length))
    return 'it is read once more'
  }
  if (!task.key.startsWith(OWED)) return `${action}: settled by a person`
  const key = task.key.slice(OWED.length)
  if (action === 'retry') {
    await reviveOwed(pool, key)
    return key.startsWith('refund:') ? 'the channel is asked to pay it back' : 'it is told once more'
  }
  const isPaid = action === 'done' && key.startsWith('refund:')
  // A person has told them, or says that they need not hear it: the fact is no longer owed.
  if (isPaid && task.orderId !== null) await refunded(pool, task.orderId, (tx) => settleOwed(tx, key, 'done'))
  else await settleOwed(pool, key, key.startsWith('refund:') ? 'skipped' : 'done')
  if (isPaid) return 'paid by a person'
  return key.startsWith('refund:') ? 'nothing is paid for it' : 'told by a person'
}
