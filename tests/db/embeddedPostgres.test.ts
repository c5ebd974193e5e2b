import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPostgres } from '../../cli/embedded/postgres.ts'
import { isAlive } from '../../cli/embedded/processes.ts'
import { ownPostgres } from '../harness/postgres.ts'
import { removeTestFolder, testFolder } from '../harness/testFolders.ts'

let folder: string
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => removeTestFolder(folder))

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('a committed row is there after SIGKILL, and the address stays', async () => {
  const own = await ownPostgres()
  await query(own.url, `insert into products (sku) values ('S1')`)
  await own.kill9()
  await expect(query(own.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  await own.start()
  expect(await query(own.url, 'select sku from products')).toEqual([{ sku: 'S1' }])
  await own.stop()
})

test('an orphan of an earlier run is stopped, and its data goes on', async () => {
  const orphan = await startPostgres({ dataDir: folder })
  await query(orphan.url, 'create table kept (a int)')
  const next = await startPostgres({ dataDir: folder })
  expect(isAlive(orphan.pid)).toBe(false)
  expect(next.url).toBe(orphan.url)
  expect(await query(next.url, 'select count(*)::int as n from kept')).toEqual([{ n: 0 }])
  await next.stop()
})

test('a pid file that names somebody else’s process does not hinder the start, and that process lives on', async () => {
  const first = await startPostgres({ dataDir: folder })
  const pidFile = join(first.cluster, 'postmaster.pid')
  const content = readFileSync(pidFile, 'utf8')
  await first.stop()
  writeFileSync(pidFile, content.replace(/^\d+/, String(process.pid)))
  const next = await startPostgres({ dataDir: folder })
  expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await next.stop()
})

test('the password is readable by its owner alone, and a wrong one is refused', async () => {
  const server = await startPostgres({ dataDir: folder })
  const url = new URL(server.url)
  url.password = 'guessed'
  await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed')
  await server.stop()
})

test('a first start that was cut off begins anew', async () => {
  const server = await startPostgres({ dataDir: folder })
  await server.stop()
  rmSync(join(server.cluster, 'PG_VERSION'))
  const next = await startPostgres({ dataDir: folder })
  expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await next.stop()
})
