/** A fact that could not be told: again later; a person hears of it when that goes on for long, or when no repeat mends it. */
import { isRetriable, OmnisagaError } from '../domain/errors.ts'
import { markDead, retryOwed, type OwedRow } from '../store/outbox.ts'
import { openTask } from '../store/tasks.ts'
import type { Runtime } from './runtime.ts'
import { stopAndTell } from './stopped.ts'

const ATTEMPTS = 10
const backoffMs = (attempts: number) => Math.min(10 * 60_000, 1_000 * 2 ** attempts)

export async function notTold(runtime: Runtime, fact: OwedRow, error: unknown): Promise<void> {
  const known = error instanceof OmnisagaError ? error : new OmnisagaError('Transient', (error as Error).message)
  if (known.kind === 'Misconfigured') {
    if (known.code !== 'stopped' && fact.connection !== null) await stopAndTell(runtime.pool, fact.connection, known)
    return await retryOwed(runtime.pool, fact.id, backoffMs(fact.attempts), known.message)
  }
  if (!isRetriable(known.kind)) await markDead(runtime.pool, fact.id, known.message)
  else await retryOwed(runtime.pool, fact.id, known.retryAfterMs ?? backoffMs(fact.attempts), known.message)
  if (isRetriable(known.kind) && fact.attempts < ATTEMPTS) return
  await openTask(runtime.pool, {
    kind: `${fact.kind}.notTold`,
    key: `outbox:${fact.key}`,
    orderId: fact.orderId,
    connection: fact.connection,
    subject: fact.orderId ?? fact.key, // a notice to who has no order
    title: `${fact.connection ?? 'The customer'} could not be told: ${fact.kind}`,
    detail: isRetriable(known.kind) ? `${known.message} (tried ${fact.attempts} times; it goes on being tried)` : known.message,
    remedy: known.remedy ?? 'Tell them by hand and skip, or mend the cause and retry.',
    actions: ['retry', 'skip'],
  })
}
