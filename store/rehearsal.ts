/** A rehearsal: work that believes it commits, in one transaction that never does. */
import type { Pool, Tx } from './db.ts'

/** What a caller of `transaction` says to the server, alone or with other statements, and what it means within a rehearsal. */
const meant = (said: string, name: string): string =>
  said
    .replace(/^\s*begin\b/i, `savepoint ${name}`)
    .replace(/\bcommit\s*$/i, `release savepoint ${name}`)
    .replace(/^\s*rollback\s*$/i, `rollback to savepoint ${name}`)

/**
 * Runs `work` with a pool whose transactions are savepoints of one that is rolled back in the end, whatever happens. Exact for all
 * that is in the database; who calls other systems from within is calling them.
 */
export async function rehearse<T>(pool: Pool, work: (pool: Pool) => Promise<T>): Promise<T> {
  const tx = await pool.connect()
  let broken = false
  try {
    await tx.query(`begin; set local lock_timeout = '500ms'; set local statement_timeout = '2s'`)
    return await work(stage(tx))
  } finally {
    await tx.query('rollback').catch(() => {
      broken = true
    })
    tx.release(broken)
  }
}

function stage(tx: Tx): Pool {
  let depth = 0
  let busy: Promise<unknown> = Promise.resolve()
  /** One transaction after another: savepoints that interleave would undo each other. */
  const connect = async (): Promise<Tx> => {
    const before = busy
    let done: () => void = () => undefined
    busy = new Promise<void>((resolve) => {
      done = resolve
    })
    await before
    const name = `rehearsal_${(depth += 1)}`
    const query = (statement: unknown, ...more: unknown[]): unknown =>
      (tx.query as (...all: unknown[]) => unknown)(typeof statement === 'string' ? meant(statement, name) : statement, ...more)
    return { query, release: () => done() } as unknown as Tx
  }
  return { query: tx.query.bind(tx), connect } as unknown as Pool
}
