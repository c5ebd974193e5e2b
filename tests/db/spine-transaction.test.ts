import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { framedTransaction } from '../../store/db.ts'
import { freshDatabase } from '../harness/postgres.ts'

type Database = Awaited<ReturnType<typeof freshDatabase>>
let db: Database
beforeAll(async () => {
  db = await freshDatabase()
})
afterAll(async () => await db.drop())

const skus = async () =>
  (await db.pool.query<{ sku: string }>('select sku from products order by sku')).rows.map((row) => row.sku)
const add = (tx: { query: Database['pool']['query'] }, sku: string) => tx.query('insert into products (sku) values ($1)', [sku])

describe('a transaction whose last writes go out with the commit', () => {
  it('leaves nothing behind when one of them fails, and the connection is as good as before', async () => {
    const attempt = framedTransaction(db.pool, {
      read: (tx) => tx.query('select 1'),
      work: async (tx) => await add(tx, 'first'),
      write: (tx) => Promise.all([add(tx, 'second'), add(tx, 'first')]),
    })
    await expect(attempt).rejects.toMatchObject({ code: '23505' })
    expect(await skus()).toEqual([])
    await framedTransaction(db.pool, {
      read: (tx) => tx.query('select 1'),
      work: async (tx) => await add(tx, 'first'),
      write: (tx) => add(tx, 'second'),
    })
    expect(await skus()).toEqual(['first', 'second'])
  })

  it('writes nothing when what it reads first cannot be read', async () => {
    const attempt = framedTransaction(db.pool, {
      read: (tx) => tx.query('select 1 / 0'),
      work: async (tx) => await add(tx, 'third'),
      write: (tx) => add(tx, 'fourth'),
    })
    await expect(attempt).rejects.toMatchObject({ code: '22012' })
    expect(await skus()).not.toContain('third')
  })
})
