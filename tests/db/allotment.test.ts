/** Allotments in the ledger's own decision: who may hold what, also in a crowd and over time. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeAllotment, closeDueAllotments, listAllotments, setAllotment } from '../../store/allotments.ts'
import { createPool, transaction, type Pool } from '../../store/db.ts'
import { consume, levels, move, release, sweep } from '../../store/ledger/operations.ts'
import { createReserver } from '../../store/ledger/reserver.ts'
import type { Reserver } from '../../store/ledger/types.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'
import { addLocations, ledgerFaults, line, nextKey, request, stockUp } from './ledgerFixture.ts'

let db: FreshDatabase
let otherPool: Pool
let reserver: Reserver
let other: Reserver
beforeAll(async () => {
  db = await freshDatabase({ max: 40 })
  otherPool = createPool(db.url, { max: 10 })
  await addLocations(db.pool)
  reserver = createReserver(db.pool)
  other = createReserver(otherPool, { maxBatch: 5, lanes: 4 })
})
afterAll(async () => {
  await reserver.close()
  await other.close()
  await otherPool.end()
  await db.drop()
})

const allot = (sku: string, quantity: number, more: Partial<Parameters<typeof setAllotment>[1]> = { channel: 'mall' }) =>
  transaction(db.pool, (tx) => setAllotment(tx, { sku, location: 'W1', quantity, ...more }))
const availableTo = async (sku: string, who: { channel?: string; campaign?: string } = {}) =>
  (await levels(db.pool, { sku, location: 'W1', ...who }))[0]?.available
const hold = (sku: string, quantity: number, who: { channel?: string; campaign?: string; expiresAt?: Date } = {}) =>
  reserver.reserve(request([line(sku, quantity)], who))
const usedOf = async (sku: string) => (await listAllotments(db.pool, { sku })).map(({ used, kept }) => [used, kept])

test('what is kept for one channel is sold to nobody else, and its own orders sell it first', async () => {
  await stockUp(db.pool, 'kept', 10)
  await allot('kept', 4)
  expect([await availableTo('kept'), await availableTo('kept', { channel: 'mall' })]).toEqual([6, 10])
  expect((await hold('kept', 7, { channel: 'web' })).complete).toBe(false)
  expect((await hold('kept', 3, { channel: 'mall' })).complete).toBe(true)
  expect(await usedOf('kept')).toEqual([[3, 1]])
  // The pieces that are nobody's are still there for everybody.
  expect(await availableTo('kept')).toBe(6)
  expect((await hold('kept', 6)).complete).toBe(true)
  expect([await availableTo('kept'), await availableTo('kept', { channel: 'mall' })]).toEqual([0, 1])
})

test('one line out of an allotment and out of the rest is given back to both', async () => {
  await stockUp(db.pool, 'both', 10)
  await allot('both', 4)
  const asked = request([line('both', 7)], { channel: 'mall' })
  expect((await reserver.reserve(asked)).lines).toEqual([{ ...line('both', 7), held: 7, available: 10 }])
  expect(await reserver.reserve(asked)).toEqual(await other.reserve(asked))
  expect(await usedOf('both')).toEqual([[4, 0]])
  await transaction(db.pool, (tx) =>
    release(tx, { key: nextKey(), orderId: asked.orderId, lines: [{ lineId: '1', quantity: 5 }] }),
  )
  expect(await availableTo('both', { channel: 'mall' })).toBe(8)
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('what has left of an allotment stays sold, what expires is sold again', async () => {
  await stockUp(db.pool, 'left', 10)
  await allot('left', 5)
  const gone = request([line('left', 2)], { channel: 'mall' })
  await reserver.reserve(gone)
  await transaction(db.pool, (tx) =>
    consume(tx, {
      key: nextKey(),
      orderId: gone.orderId,
      reason: 'shipped',
      reference: 'r',
      lines: [{ lineId: '1', location: 'W1', quantity: 2 }],
    }),
  )
  await hold('left', 3, { channel: 'mall', expiresAt: new Date(Date.now() - 1000) })
  expect(await usedOf('left')).toEqual([[2, 3]])
  expect([await availableTo('left'), await availableTo('left', { channel: 'mall' })]).toEqual([5, 8])
  await sweep(db.pool)
  expect(await usedOf('left')).toEqual([[2, 3]])
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('a campaign sells its allotment and nothing else, and leftovers return at its closing time', async () => {
  await stockUp(db.pool, 'group', 10)
  const closesAt = new Date(Date.now() + 700)
  await allot('group', 6, { campaign: 'autumn', closesAt: closesAt.toISOString() })
  expect((await hold('group', 7, { campaign: 'autumn' })).complete).toBe(false)
  expect((await hold('group', 4, { campaign: 'autumn' })).complete).toBe(true)
  expect(await availableTo('group', { channel: 'web' })).toBe(4)
  await expect.poll(() => availableTo('group', { channel: 'web' }), { timeout: 10_000 }).toBe(6) // by the time alone
  expect((await hold('group', 6, { channel: 'web' })).complete).toBe(true)
  expect(await closeDueAllotments(db.pool)).toBe(1)
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('by a strict product a channel sells its allotment only', async () => {
  await db.pool.query(`insert into products (sku, stock_policy) values ('strict', 'strict')`)
  await stockUp(db.pool, 'strict', 10)
  await allot('strict', 3)
  expect([await availableTo('strict', { channel: 'mall' }), await availableTo('strict')]).toEqual([3, 7])
  expect((await hold('strict', 4, { channel: 'mall' })).complete).toBe(false)
})

test('with fewer goods than allotments the first in order of priority is covered first', async () => {
  await stockUp(db.pool, 'scarce', 5)
  await allot('scarce', 4, { channel: 'mall', priority: 2 })
  await allot('scarce', 3, { channel: 'web', priority: 1 })
  expect([
    await availableTo('scarce', { channel: 'web' }),
    await availableTo('scarce', { channel: 'mall' }),
    await availableTo('scarce'),
  ]).toEqual([3, 2, 0])
  expect((await hold('scarce', 3, { channel: 'mall' })).complete).toBe(false)
  expect((await hold('scarce', 3, { channel: 'web' })).complete).toBe(true)
})

test('32 callers of three channels on two allotments sell exactly what each may, from two processes', async () => {
  await stockUp(db.pool, 'crowd', 60)
  await allot('crowd', 25, { channel: 'mall' })
  await allot('crowd', 15, { campaign: 'autumn' })
  const held = { mall: 0, autumn: 0, web: 0 }
  const caller = async (number: number) => {
    const who = (['mall', 'autumn', 'web'] as const)[number % 3] ?? 'web'
    const by = who === 'autumn' ? { campaign: who } : { channel: who }
    for (let at = 0; at < 8; at++) {
      const answer = await (number % 2 ? reserver : other).reserve(
        request([line('crowd', 1 + (at % 2))], { ...by, mode: 'asMuchAsThereIs' }),
      )
      held[who] += answer.lines[0]?.held ?? 0
    }
  }
  await Promise.all(Array.from({ length: 32 }, (_, number) => caller(number)))
  expect(held.autumn).toBe(15)
  expect(held.mall).toBeGreaterThanOrEqual(25)
  expect(held.web).toBeLessThanOrEqual(20)
  expect(held.mall + held.web).toBe(45)
  expect(await ledgerFaults(db.pool)).toEqual([])
  expect((await usedOf('crowd')).map(([used]) => used)).toEqual([25, 15])
})

test('a closed allotment leaves the row to the fast path again', async () => {
  await stockUp(db.pool, 'closed', 5)
  const id = await allot('closed', 5)
  expect(await availableTo('closed')).toBe(0)
  expect([await closeAllotment(db.pool, id), await closeAllotment(db.pool, id)]).toEqual([true, false])
  const row = await db.pool.query(`select allotted from stock where sku = 'closed'`)
  expect(row.rows).toEqual([{ allotted: false }])
  expect((await hold('closed', 5)).complete).toBe(true)
})

test('consigned goods and goods in transit are counted and never held, whatever is asked', async () => {
  await db.pool.query(
    `insert into locations (id, name, kind, ships) values ('C1', 'Marketplace', 'consigned', false), ('T1', 'On the way', 'transit', false)`,
  )
  for (const location of ['C1', 'T1']) {
    await stockUp(db.pool, 'away', 9, location)
    expect(await levels(db.pool, { sku: 'away', location })).toMatchObject([{ onHand: 9, available: 0 }])
    const answers = await Promise.all(
      (['allOrNothing', 'asMuchAsThereIs'] as const).map((mode) =>
        reserver.reserve(request([line('away', 1, '1', location)], { mode })),
      ),
    )
    expect(answers.flatMap((answer) => answer.lines.map((l) => [l.held, l.available]))).toEqual([
      [0, 0],
      [0, 0],
    ])
  }
  // A sale that the platform ships itself is a movement.
  await transaction(db.pool, (tx) => move(tx, { key: 'sale', sku: 'away', location: 'C1', quantity: -2, reason: 'sold' }))
  expect(await levels(db.pool, { sku: 'away', location: 'C1' })).toMatchObject([{ onHand: 7 }])
  await expect(db.pool.query(`update locations set ships = true where id = 'C1'`)).rejects.toThrow('locations_only_own_ship')
})

test('a location that becomes consigned sells no more', async () => {
  await db.pool.query(`insert into locations (id, name, kind, ships) values ('X1', 'Was ours', 'warehouse', false)`)
  await stockUp(db.pool, 'turned', 3, 'X1')
  expect(await levels(db.pool, { sku: 'turned' })).toMatchObject([{ available: 3 }])
  await db.pool.query(`update locations set kind = 'consigned' where id = 'X1'`)
  expect(await levels(db.pool, { sku: 'turned' })).toMatchObject([{ available: 0 }])
})
