/** The outbox's dispatcher: every fact owed is told until it is acknowledged; what cannot be told becomes a task. */
import { acknowledge, leaseOutbox, postponeOwed, skipOwed, type OwedRow } from '../store/outbox.ts'
import { closeTasks } from '../store/tasks.ts'
import { eachLane } from './intake.ts'
import { notTold } from './notTold.ts'
import { refunded } from './refund.ts'
import type { Runtime } from './runtime.ts'
import { tell } from './telling.ts'
import { writeWorkbooks } from './workbook.ts'

const LEASE_MS = 60_000

/**
 * One round. Each connection has lanes of its own, so that a slow one takes none from the others; what it did not get to within half the
 * lease is given back. @returns how many facts were taken.
 */
export async function dispatchOutbox(runtime: Runtime, options: { limit?: number; leaseMs?: number } = {}): Promise<number> {
  const leaseMs = options.leaseMs ?? LEASE_MS
  const until = Date.now() + leaseMs / 2
  const owed = await leaseOutbox(runtime.pool, options.limit ?? 200, 50, leaseMs)
  const workbooks = owed.filter((fact) => fact.payload.workbook === true)
  const others = owed.filter((fact) => !workbooks.includes(fact))
  await Promise.all([
    writeWorkbooks(runtime, workbooks),
    ...[...new Set(others.map(({ connection }) => connection))].map((connection) =>
      eachLane(
        others.filter((fact) => fact.connection === connection),
        (fact) => fact.orderId,
        (fact) =>
          Date.now() > until
            ? postponeOwed(runtime.pool, fact.id, 'its turn comes in the next round', 0)
            : dispatch(runtime, fact),
      ),
    ),
  ])
  return owed.length
}

async function dispatch(runtime: Runtime, fact: OwedRow): Promise<void> {
  try {
    const outcome = await tell(runtime, fact)
    if ('later' in outcome) return await postponeOwed(runtime.pool, fact.id, outcome.later, outcome.delayMs)
    if ('person' in outcome) return
    if ('skipped' in outcome) await skipOwed(runtime.pool, fact.id, outcome.skipped)
    else if (fact.kind === 'refund') await refunded(runtime.pool, fact.orderId, (tx) => acknowledge(tx, fact.id, outcome.told))
    else await acknowledge(runtime.pool, fact.id, outcome.told)
    await closeTasks(runtime.pool, { key: `outbox:${fact.key}` }, 'told')
  } catch (error) {
    await notTold(runtime, fact, error)
  }
}
