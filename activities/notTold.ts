/** A fact that could not be told: again later, or, when no repeat mends it, a person's. */
import { isRetriable, OmnisagaError } from '../domain/errors.ts'
import { markDead, retryOwed, type OwedRow } from '../store/outbox.ts'
import { openTask } from '../store/tasks.ts'
import type { Runtime } from './runtime.ts'
import { stopAndTell } from './stopped.ts'

const ATTEMPTS = 10
const backoffMs = (attempts: number) => Math.min(10 * 60_000, 1_000 * 2 ** attempts)

export async function notTold(runtime: Runtime, fact: OwedRow, error: unknown): Promise<void> {
  const known = error instanceof OmnisagaError ? error : new OmnisagaError('Transient', (error as Error).message)
  if (known.kind === 'Misconfigured' && known.code !== 'stopped') await stopAndTell(runtime.pool, fact.connection, known)
  if ((isRetriable(known.kind) && fact.attempts < ATTEMPTS) || known.kind === 'Misconfigured') {
    return await retryOwed(runtime.pool, fact.id, known.retryAfterMs ?? backoffMs(fact.attempts), known.message)
  }
  await markDead(runtime.pool, fact.id, known.message)
  await openTask(runtime.pool, {
    kind: `${fact.kind}.notTold`,
    key: `outbox:${fact.key}`,
    orderId: fact.orderId,
    connection: fact.connection,
    subject: fact.orderId,
    title: `${fact.connection} could not be told: ${fact.kind}`,
    detail: known.message,
    remedy: known.remedy ?? 'Tell them by hand and skip, or mend the cause and retry.',
    actions: ['retry', 'skip'],
  })
}
