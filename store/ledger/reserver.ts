/**
 * Coalescing reserver. What arrives while batches are under way forms the next one, so a lone caller waits for nobody and a crowd on
 * one SKU shares one lock, one set of statements and one commit. Batches under way never share a stock row or an idempotency key:
 * within the process nobody waits for a lock, and each row is served first come, first served.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import type { Pool } from '../db.ts'
import { reserveBatch } from './batch.ts'
import { rowKey, validateRequest } from './decide.ts'
import { databaseError, isConnectionLoss, sqlState } from './errors.ts'
import type { ReserveAnswer, ReserveRequest, Reserver, ReserverOptions } from './types.ts'

interface Waiting {
  request: ReserveRequest
  /** Stock rows and the idempotency key: what no other batch may touch meanwhile. */
  claims: string[]
  resolve: (answer: ReserveAnswer) => void
  reject: (error: Error) => void
}

/** How far a free lane looks past requests that must wait for another lane. */
const LOOKAHEAD = 1_000
const ATTEMPTS = 3
/** Serialisation failure, deadlock, and a key that another process answered between our look and our write. */
const RUN_AGAIN = new Set(['40001', '40P01', '23505'])
const LOCK_TIMEOUT = '55P03'

export function createReserver(pool: Pool, options: ReserverOptions = {}): Reserver {
  const maxBatch = options.maxBatch ?? 64
  const lanes = options.lanes ?? 4
  const claimed = new Set<string>()
  const idle: (() => void)[] = []
  let waiting: Waiting[] = []
  let running = 0
  let inFlight = 0
  let scheduled = false
  let closed = false

  /**
   * The oldest requests that touch nothing under way, a fair share for each lane; beyond the share only those that touch what this
   * batch touches, since they could not run beside it. Nobody overtakes an older request for the same row.
   */
  function takeBatch(): Waiting[] {
    const share = Math.ceil((waiting.length + inFlight) / lanes)
    const batch: Waiting[] = []
    const kept: Waiting[] = []
    const mine = new Set<string>()
    const passedOver = new Set<string>()
    let looked = 0
    while (looked < waiting.length && looked < LOOKAHEAD && batch.length < maxBatch) {
      const next = waiting[looked++] as Waiting
      const free = next.claims.every((claim) => !claimed.has(claim) && !passedOver.has(claim))
      if (free && (batch.length < share || next.claims.some((claim) => mine.has(claim)))) {
        batch.push(next)
        for (const claim of next.claims) mine.add(claim)
      } else {
        kept.push(next)
        for (const claim of next.claims) passedOver.add(claim)
      }
    }
    waiting = looked === waiting.length ? kept : [...kept, ...waiting.slice(looked)]
    return batch
  }

  function pump(): void {
    scheduled = false
    while (running < lanes && waiting.length > 0) {
      const batch = takeBatch()
      if (batch.length === 0) break
      for (const { claims } of batch) for (const claim of claims) claimed.add(claim)
      running++
      inFlight += batch.length
      void settle(pool, batch).finally(() => {
        for (const { claims } of batch) for (const claim of claims) claimed.delete(claim)
        running--
        inFlight -= batch.length
        schedule()
      })
    }
    if (running === 0 && waiting.length === 0) for (const wake of idle.splice(0)) wake()
  }

  // After the turn of the event loop: callers that were just answered and ask again join the same batch.
  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(pump)
  }

  return {
    async reserve(request) {
      if (closed)
        throw new OmnisagaError('Transient', 'the reserver is closed', { code: 'closed', remedy: 'another worker takes it' })
      validateRequest(request)
      const claims = [...new Set([`key ${request.key}`, ...request.lines.map((line) => `row ${rowKey(line)}`)])]
      return new Promise((resolve, reject) => {
        waiting.push({ request, claims, resolve, reject })
        schedule()
      })
    },
    async close() {
      closed = true
      if (running === 0 && waiting.length === 0) return
      await new Promise<void>((resolve) => idle.push(resolve))
    },
  }
}

/** Answers every member of the batch, one way or the other; never throws. */
async function settle(pool: Pool, batch: Waiting[]): Promise<void> {
  try {
    const answers = await withRetries(
      () =>
        reserveBatch(
          pool,
          batch.map(({ request }) => request),
        ),
      batch.length === 1,
    )
    batch.forEach((member, index) => member.resolve(answers[index] as ReserveAnswer))
  } catch (error) {
    if (batch.length === 1 || isConnectionLoss(error)) {
      for (const { request, reject } of batch)
        reject(databaseError(error, `reservation ${request.key} of order ${request.orderId}`))
      return
    }
    // One bad request, or one locked row, must not fail its neighbours.
    const queue = [...batch]
    const runSingly = async () => {
      for (let member = queue.shift(); member; member = queue.shift()) await settle(pool, [member])
    }
    await Promise.all([runSingly(), runSingly(), runSingly(), runSingly()])
  }
}

async function withRetries<T>(work: () => Promise<T>, alone: boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const state = sqlState(error)
      const again = RUN_AGAIN.has(state) || isConnectionLoss(error) || (alone && state === LOCK_TIMEOUT)
      if (!again || attempt === ATTEMPTS) throw error
    }
  }
}
