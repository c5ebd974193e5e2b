/** A fact that could not be told: again later; a person hears of it when that goes on for long, or when no repeat mends it. */
import { isRetriable, OmnisagaError } from '../domain/errors.ts'
import { transaction, type Queryable, type Tx } from '../store/db.ts'
import { markDead, retryOwed, type OwedKind, type OwedRow } from '../store/outbox.ts'
import { openTask } from '../store/tasks.ts'
import type { Runtime } from './runtime.ts'
import { stopAndTell } from './stopped.ts'

const ATTEMPTS = 10
const WORDS: Record<OwedKind, string> = {
  placed: 'that the order is taken in',
  tracking: 'the tracking number',
  delivered: 'that it is delivered',
  cancelled: 'that it is cancelled',
  refund: 'to pay the customer back',
  sale: 'the sale',
  shipment: 'that it was sent',
  saleCancelled: 'that the sale is cancelled',
  goodsReturned: 'that the goods came back',
  label: 'the waybill and the label',
  recall: 'to give the goods back',
  registered: 'which parcel to follow',
  pickupStore: 'the new pickup store of a parcel',
  notice: 'how it goes on',
}
const backoffMs = (attempts: number) => Math.min(10 * 60_000, 1_000 * 2 ** attempts)

export async function notTold(runtime: Runtime, fact: OwedRow, error: unknown): Promise<void> {
  const known = error instanceof OmnisagaError ? error : new OmnisagaError('Transient', (error as Error).message)
  if (known.kind === 'Misconfigured') {
    if (known.code !== 'stopped' && fact.connection !== null) await stopAndTell(runtime.pool, fact.connection, known)
    return await retryOwed(runtime.pool, fact.id, backoffMs(fact.attempts), known.message)
  }
  if (isRetriable(known.kind) && fact.attempts < ATTEMPTS)
    return await retryOwed(runtime.pool, fact.id, known.retryAfterMs ?? backoffMs(fact.attempts), known.message)
  // Together: a dead fact whose task was never opened would be nobody's.
  await transaction(runtime.pool, async (tx) => {
    if (isRetriable(known.kind)) await retryOwed(tx, fact.id, known.retryAfterMs ?? backoffMs(fact.attempts), known.message)
    else await markDead(tx, fact.id, known.message)
    await askPerson(tx, fact, known)
  })
}

async function askPerson(tx: Tx, fact: OwedRow, known: OmnisagaError): Promise<void> {
  const number = await numberOf(tx, fact.orderId)
  await openTask(tx, {
    kind: `${fact.kind}.notTold`,
    key: `outbox:${fact.key}`,
    orderId: fact.orderId,
    connection: fact.connection,
    subject: number ?? fact.key, // a notice to who has no order
    title: `${fact.connection ?? 'The customer'} could not be told ${WORDS[fact.kind]}`,
    detail: `${number === null ? '' : `Order ${number}: `}${known.message} (tried ${fact.attempts} ${fact.attempts === 1 ? 'time' : 'times'}; ${isRetriable(known.kind) ? 'it goes on being tried' : 'it is not tried again by itself'}).`,
    remedy: `${known.remedy ?? 'Mend the cause.'} Then retry; or tell them by hand and skip.`,
    actions: ['retry', 'skip'],
  })
}

async function numberOf(db: Queryable, orderId: string | null): Promise<string | null> {
  const { rows } = await db.query<{ number: string }>('select external_id as number from orders where id = $1', [orderId])
  return rows[0]?.number ?? null
}
