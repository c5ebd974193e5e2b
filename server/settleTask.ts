/** Tasks that are not about an order's saga: a fact that nobody took, a record that nobody understood, a connection that stopped. */
import type { Runtime } from '../activities/runtime.ts'
import { acknowledge, reviveOwed } from '../store/outbox.ts'
import type { Task } from '../store/tasks.ts'

const OWED = 'outbox:'

/** True when the task is settled here, and not by a command to the workflow of its order. */
export const isSettledHere = (task: Task): boolean => task.orderId === null || task.key.startsWith(OWED)

/** @returns what was done, in words. */
export async function settleTask({ pool }: Runtime, task: Task, action: string): Promise<string> {
  if (!task.key.startsWith(OWED)) return `${action}: settled by a person`
  const key = task.key.slice(OWED.length)
  if (action === 'retry') {
    await reviveOwed(pool, key)
    return 'it is told once more'
  }
  // A person has told them: the fact is no longer owed.
  const owed = await pool.query<{ id: number }>(`select id from outbox where key = $1 and state = 'dead'`, [key])
  for (const { id } of owed.rows) await acknowledge(pool, id)
  return 'told by a person'
}
