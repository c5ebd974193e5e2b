/** PostgreSQL access: one pool a process, small helpers, nothing that hides SQL. */
import type { Writable } from 'node:stream'
import pg from 'pg'

export type Pool = pg.Pool
/** A pool or one client within a transaction; functions that take it run inside their caller's transaction. */
export type Queryable = Pick<pg.Pool | pg.PoolClient, 'query'>
export type Tx = pg.PoolClient

pg.types.setTypeParser(pg.types.builtins.INT8, Number) // ids and amounts stay below 2^53

export interface PoolOptions {
  max?: number
  applicationName?: string
}

export function createPool(databaseUrl: string, options: PoolOptions = {}): Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.max ?? 10,
    application_name: options.applicationName ?? 'omnisaga',
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    // What is asked of one client without waiting in between goes to the server together.
    pipeline: true,
  })
  // A broken idle connection is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => undefined)
  // One that is lent out and breaks between two queries tells only itself; its borrower hears of it at the next query.
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
  })
  return pool
}

/** Serialisation failure, deadlock, lock timeout: the transaction did nothing and may be run again. */
const RETRIABLE = new Set(['40001', '40P01', '55P03'])

/** What `send` asks before it waits leaves in one system call: with many transactions a second those calls are what a thread does most. */
function inOneWrite<T>(tx: Tx, send: () => T): T {
  // Not told by the driver's types; without it the statements leave one by one.
  const { connection } = tx as unknown as { connection?: { stream?: Partial<Pick<Writable, 'cork' | 'uncork'>> } }
  connection?.stream?.cork?.()
  try {
    return send()
  } finally {
    connection?.stream?.uncork?.()
  }
}

const BEGIN = `begin; set local lock_timeout = '500ms'; set local statement_timeout = '2s'`

/** Runs `work` in one transaction; rolls back on any error; runs it again (twice at most) after a deadlock or lock time-out. */
export async function transaction<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await framedTransaction(pool, { read: () => Promise.resolve(), work, write: () => Promise.resolve() })
}

/**
 * A `transaction` that starts with reading and ends with writing: what is read goes out in one round trip with the begin, what is
 * written in one with the commit.
 * @param parts.read only reads and locks: nothing that must not happen were it outside of the transaction.
 * @param parts.write sends all its statements at once. A failure of one of them makes the commit that follows a rollback.
 */
export async function framedTransaction<R, T>(
  pool: Pool,
  parts: {
    read: (tx: Tx) => Promise<R>
    work: (tx: Tx, read: R) => Promise<T>
    write: (tx: Tx, read: R) => Promise<unknown>
  },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const tx = await pool.connect()
    try {
      const [, read] = await inOneWrite(tx, () => Promise.all([tx.query(BEGIN), parts.read(tx)]))
      const result = await parts.work(tx, read)
      await inOneWrite(tx, () => Promise.all([parts.write(tx, read), tx.query('commit')]))
      tx.release()
      return result
    } catch (error) {
      const broken = await tx.query('rollback').then(
        () => false,
        () => true,
      )
      tx.release(broken)
      if (attempt < 3 && RETRIABLE.has((error as { code?: string }).code ?? '')) continue
      throw error
    }
  }
}

export const one = <T>(rows: T[]): T => {
  const [row] = rows
  if (row === undefined) throw new Error('expected one row, found none')
  return row
}
