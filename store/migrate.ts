/** Applies store/migrations/*.sql in order, each once, under a lock so that any number of processes may call it. */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { defaultPolicy } from '../domain/policy.ts'
import type { Pool } from './db.ts'

const folder = fileURLToPath(new URL('./migrations', import.meta.url))
const LOCK = 7_401_922

/** @returns the names of the migrations that were applied by this call. */
export async function migrate(pool: Pool): Promise<string[]> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    await client.query(
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
    )
    const done = new Set((await client.query<{ name: string }>('select name from migrations')).rows.map((row) => row.name))
    const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
    const applied: string[] = []
    for (const name of names.filter((n) => !done.has(n))) {
      await client.query('begin')
      try {
        await client.query(await readFile(join(folder, name), 'utf8'))
        await client.query('insert into migrations (name) values ($1)', [name])
        await client.query('commit')
      } catch (error) {
        await client.query('rollback')
        throw new Error(`migration ${name} failed: ${(error as Error).message}`, { cause: error })
      }
      applied.push(name)
    }
    await client.query('insert into settings (version, policy) values (1, $1) on conflict do nothing', [defaultPolicy])
    return applied
  } finally {
    await client.query('select pg_advisory_unlock($1)', [LOCK]).catch(() => undefined)
    client.release()
  }
}
