import { afterEach, expect, test } from 'vitest'
import { createPool } from '../../store/db.ts'
import { migrate } from '../../store/migrate.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

let db: FreshDatabase
afterEach(() => db.drop())

test('a template copy has every table and the first settings', async () => {
  db = await freshDatabase()
  const { rows } = await db.pool.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public'`,
  )
  expect(rows.map((row) => row.name)).toEqual(
    expect.arrayContaining(['orders', 'inbox', 'stock', 'holds', 'movements', 'tasks', 'outbox']),
  )
  expect((await db.pool.query('select version from settings')).rows).toEqual([{ version: 1 }])
})

test('a second migrate applies nothing', async () => {
  db = await freshDatabase({ migrated: false })
  expect(await migrate(db.pool)).toContain('0001_spine.sql')
  expect(await migrate(db.pool)).toEqual([])
})

test('eight processes that migrate at once apply each migration once', async () => {
  db = await freshDatabase({ migrated: false })
  const pools = Array.from({ length: 8 }, () => createPool(db.url, { max: 1 }))
  const applied = await Promise.all(pools.map((pool) => migrate(pool)))
  await Promise.all(pools.map((pool) => pool.end()))
  expect(applied.filter((names) => names.length > 0)).toHaveLength(1)
})

test('movements can be neither changed nor removed', async () => {
  db = await freshDatabase()
  await db.pool.query(`insert into movements (key, sku, location, quantity, reason) values ('m1', 'S', 'L', 3, 'count')`)
  await expect(db.pool.query('update movements set quantity = 4')).rejects.toThrow('append-only')
  await expect(db.pool.query('delete from movements')).rejects.toThrow('append-only')
  await expect(db.pool.query('truncate movements')).rejects.toThrow('append-only')
})
