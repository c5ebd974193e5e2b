/** Access and refresh tokens of a connection, encrypted in connection_state. */
import { z } from 'zod'
import type { Pool, Queryable } from '../../store/db.ts'
import { seal, unseal, type SecretKey } from '../../store/secrets.ts'
import type { Tokens, TokenStore } from './types.ts'

const Stored = z.object({ accessToken: z.string(), refreshToken: z.string(), expiresAt: z.coerce.date() })
/** How long another process may be at its refresh before we give up waiting (a Transient failure of the caller). */
const LOCK_TIMEOUT = '30s'

export function createTokenStore(pool: Pool, secretKey: SecretKey, connection: string): TokenStore {
  const context = `tokens:${connection}`
  /** One refresh of this process at a time too, so that callers do not wait for the row with a pool connection each. */
  let running: Promise<Tokens> | null = null

  async function load(db: Queryable, lock = ''): Promise<Tokens | null> {
    const { rows } = await db.query<{ tokens: Buffer | null }>(
      `select tokens from connection_state where connection = $1 ${lock}`,
      [connection],
    )
    const sealed = rows[0]?.tokens
    return sealed ? Stored.parse(unseal(secretKey, context, sealed)) : null
  }

  async function refreshLocked(stale: Tokens | null, exchange: (current: Tokens | null) => Promise<Tokens>): Promise<Tokens> {
    await pool.query('insert into connection_state (connection) values ($1) on conflict do nothing', [connection])
    const tx = await pool.connect()
    let broken = false
    try {
      await tx.query(`begin; set local lock_timeout = '${LOCK_TIMEOUT}'; set local idle_in_transaction_session_timeout = '120s'`)
      const current = await load(tx, 'for update')
      if (current && current.accessToken !== stale?.accessToken) {
        // somebody was quicker
        await tx.query('commit')
        return current
      }
      const fresh = await exchange(current)
      await tx.query(
        'update connection_state set tokens = $2, tokens_version = tokens_version + 1, tokens_expire_at = $3 where connection = $1',
        [connection, seal(secretKey, context, fresh), fresh.expiresAt],
      )
      await tx.query('commit')
      return fresh
    } catch (error) {
      broken = await tx.query('rollback').then(
        () => false,
        () => true,
      )
      throw error
    } finally {
      tx.release(broken)
    }
  }

  return {
    read: () => load(pool),
    async refresh(stale, exchange) {
      if (running) {
        const fresh = await running
        if (fresh.accessToken !== stale?.accessToken) return fresh
      }
      const mine = refreshLocked(stale, exchange)
      running = mine
      try {
        return await mine
      } finally {
        if (running === mine) running = null
      }
    },
  }
}
