/** The outbox's dispatcher: every fact owed is told until it is acknowledged; what cannot be told becomes a task. */
import { acknowledge, leaseOutbox, postponeOwed, skipOwed, type OwedRow } from '../store/outbox.ts'
import { closeTasks } from '../store/tasks.ts'
import { eachLane } from './intake.ts'
import { notTold } from './notTold.ts'
import { refunded } from './refund.ts'
import type { Runtime } from './runtime.ts'
import { tell } from './telling.ts'
import { writeWorkbooks } from './workbook.ts'

/** One round. Connections are served side by side, so that a slow one holds up nobody else. @returns how many facts were taken. */
export async function dispatchOutbox(runtime: Runtime, options: { limit?: number; leaseMs?: number } = {}): Promise<number> {
  const owed = await leaseOutbox(runtime.pool, options.limit ?? 200, 50, options.leaseMs)
  const workbooks = owed.filter((fact) => fact.payload.workbook === true)
  await Promise.all([
    writeWorkbooks(runtime, workbooks),
    eachLane(
      owed.filter((fact) => !workbooks.includes(fact)),
      (fact) => `${fact.connection}/${fact.orderId}`,
      (fact) => dispatch(runtime, fact),
    ),
  ])
  return owed.length
}

async function dispatch(runtime: Runtime, fact: OwedRow): Promise<void> {
  try {
    const outcome = await tell(runtime, fact)
    if ('later' in outcome) return await postponeOwed(runtime.pool, fact.id, outcome.later, outcome.delayMs)
    if ('skipped' in outcome) await skipOwed(runtime.pool, fact.id, outcome.skipped)
    else if (fact.kind === 'refund') await refunded(runtime.pool, fact.orderId, (tx) => acknowledge(tx, fact.id, outcome.told))
    else await acknowledge(runtime.pool, fact.id, outcome.told)
    await closeTasks(runtime.pool, { key: `outbox:${fact.key}` }, 'told')
  } catch (error) {
    await notTold(runtime, fact, error)
  }
}
