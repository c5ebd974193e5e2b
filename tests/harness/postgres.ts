/** Databases for tests: a fresh one a test from the run's template, or a whole PostgreSQL of one's own to crash. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import pg from 'pg'
import { inject } from 'vitest'
import { startPostgres } from '../../cli/embedded/postgres.ts'
import { createPool, type Pool } from '../../store/db.ts'
import { migrate } from '../../store/migrate.ts'
import { removeTestFolder, testFolder } from './testFolders.ts'
import type {} from './globalPostgres.ts'

export interface FreshDatabase {
  url: string
  pool: Pool
  /** Ends the pool, ends what is still connected, removes the database. */
  drop(): Promise<void>
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A migrated, empty database of the caller's own. `max`: connections of its pool, 10 by default. */
export async function freshDatabase(options: { max?: number; migrated?: boolean } = {}): Promise<FreshDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdmin(`create database ${name}${options.migrated === false ? '' : ` template ${inject('templateDatabase')}`}`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  const pool = createPool(url.href, { max: options.max ?? 10 })
  return {
    url: url.href,
    pool,
    drop: async () => {
      if (!pool.ended) await pool.end()
      await asAdmin(`drop database ${name} with (force)`)
    },
  }
}

export interface OwnPostgres {
  /** Stays the same through kill and start. */
  url: string
  /** SIGKILL to the server and all its children. */
  kill9(): Promise<void>
  /** Starts it again, at the same port. */
  start(): Promise<void>
  /** Stops it, if it runs, and removes its data. */
  stop(): Promise<void>
}

/** A durable (fsync on), migrated PostgreSQL that the test may crash and start again. Takes about a second. */
export async function ownPostgres(): Promise<OwnPostgres> {
  const folder = testFolder()
  let running = await startPostgres({ dataDir: folder })
  const { url, cluster } = running
  const pool = createPool(url, { max: 1 })
  await migrate(pool)
  await pool.end()
  return {
    url,
    kill9: () => running.kill9(),
    start: async () => {
      running = await startPostgres({ dataDir: folder })
      if (running.url !== url) throw new Error(`port ${new URL(url).port} was taken by another process while PostgreSQL was down`)
    },
    stop: async () => {
      await running.stop()
      rmSync(cluster, { recursive: true, force: true })
      removeTestFolder(folder)
    },
  }
}
