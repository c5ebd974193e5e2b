/**
 * The quota of a connection: a token bucket in one PostgreSQL row, shared by every process. A request books its token at once,
 * also a future one (the balance goes below zero), and waits until that token has dripped in: one statement a request, first
 * come first served, no polling.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Queryable } from '../../store/db.ts'
import { OmnisagaError } from '../../domain/errors.ts'

export interface QuotaRate {
  perSecond: number
  burst: number
  maxWaitMs: number
}
export interface Quota {
  /** Returns when the request may go. @throws OmnisagaError RateLimited when its turn would come after `maxWaitMs`. */
  take(): Promise<void>
  /** The vendor asked for a pause: every process of this connection waits it out. */
  pause(forMs: number): Promise<void>
}

/** A vendor's pause is believed up to here, so that one wrong header cannot stop a connection for days. */
const MAX_PAUSE_MS = 10 * 60_000

const TAKE = {
  name: 'quota-take',
  text: `
    insert into quotas as q (connection, tokens, refilled_at) values ($1, $3::float8 - 1, clock_timestamp())
    on conflict (connection) do update set
      tokens = least($3::float8, q.tokens + greatest(0, extract(epoch from clock_timestamp() - q.refilled_at)) * $2::float8) - 1,
      refilled_at = greatest(q.refilled_at, clock_timestamp())
    where least($3::float8, q.tokens + greatest(0, extract(epoch from clock_timestamp() - q.refilled_at)) * $2::float8) - 1
      >= -$4::float8
    returning tokens`,
}
const BALANCE = `select least($3::float8, tokens + greatest(0, extract(epoch from clock_timestamp() - refilled_at)) * $2::float8) as tokens
  from quotas where connection = $1`
const PAUSE = `
  insert into quotas as q (connection, tokens, refilled_at) values ($1, -$2::float8, clock_timestamp())
  on conflict (connection) do update set
    tokens = least(q.tokens + greatest(0, extract(epoch from clock_timestamp() - q.refilled_at)) * $3::float8, -$2::float8),
    refilled_at = greatest(q.refilled_at, clock_timestamp())`

export function createQuota(db: Queryable, connection: string, rate: QuotaRate): Quota {
  const msOf = (tokens: number) => Math.ceil((tokens / rate.perSecond) * 1000)
  return {
    async take() {
      const debt = (rate.maxWaitMs / 1000) * rate.perSecond
      const { rows } = await db.query<{ tokens: number }>(TAKE, [connection, rate.perSecond, rate.burst, debt])
      const booked = rows[0]
      if (booked) {
        if (booked.tokens < 0) await wait(msOf(-booked.tokens))
        return
      }
      const { rows: balances } = await db.query<{ tokens: number }>(BALANCE, [connection, rate.perSecond, rate.burst])
      throw new OmnisagaError(
        'RateLimited',
        `connection ${connection} has used up its quota of ${rate.perSecond} requests a second`,
        {
          code: 'quota',
          retryAfterMs: Math.max(1, msOf(1 - (balances[0]?.tokens ?? 0))),
          remedy: 'It goes on by itself. If the vendor allows more, raise quota.perSecond of the connection.',
        },
      )
    },
    async pause(forMs) {
      const tokens = (Math.min(forMs, MAX_PAUSE_MS) / 1000) * rate.perSecond
      await db.query(PAUSE, [connection, tokens, rate.perSecond])
    },
  }
}
