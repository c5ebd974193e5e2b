import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../store/db.ts'
import { consume, keepAside, levels, move, prolong, release, setOnHand } from '../../store/ledger/operations.ts'
import { createReserver } from '../../store/ledger/reserver.ts'
import type { ConsumeLine, ReserveLine, Reserver } from '../../store/ledger/types.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'
import { addLocations, ledgerFaults, line, nextKey, request, stockUp } from './ledgerFixture.ts'

let db: FreshDatabase
let reserver: Reserver
beforeAll(async () => {
  db = await freshDatabase()
  await addLocations(db.pool)
  reserver = createReserver(db.pool)
})
afterAll(async () => {
  await reserver.close()
  await db.drop()
})

const levelOf = async (sku: string, location = 'W1') => (await levels(db.pool, { sku, location }))[0]
const holdFor = async (lines: ReserveLine[], expiresAt: Date | null = null) => {
  const asked = request(lines, { expiresAt })
  await reserver.reserve(asked)
  return asked.orderId
}
const take = (orderId: string, lines: ConsumeLine[], key = nextKey()) =>
  transaction(db.pool, (tx) => consume(tx, { key, orderId, lines, reason: 'shipped', reference: orderId }))
const past = () => new Date(Date.now() - 60_000)
const later = () => new Date(Date.now() + 600_000)

test('released goods are available again, and releasing twice gives back once', async () => {
  await stockUp(db.pool, 'rel', 5)
  const orderId = await holdFor([line('rel', 3), line('rel', 2, '2')])
  expect(await transaction(db.pool, (tx) => release(tx, { orderId, lines: [{ lineId: '1' }] }))).toEqual({ released: 3 })
  expect(await transaction(db.pool, (tx) => release(tx, { orderId, lines: [{ lineId: '1' }] }))).toEqual({ released: 0 })
  expect(await transaction(db.pool, (tx) => release(tx, { orderId }))).toEqual({ released: 2 })
  expect(await levelOf('rel')).toMatchObject({ onHand: 5, held: 0, available: 5 })
})

test('a part of a hold is released, once for its key, and the rest stays held', async () => {
  await stockUp(db.pool, 'part', 5)
  const orderId = await holdFor([line('part', 5)])
  const args = { key: 'decided', orderId, lines: [{ lineId: '1', location: 'W1', quantity: 2 }] }
  expect(await transaction(db.pool, (tx) => release(tx, args))).toEqual({ released: 2 })
  expect(await transaction(db.pool, (tx) => release(tx, args))).toEqual({ released: 0 })
  expect(await levelOf('part')).toMatchObject({ held: 3, available: 2 })
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('an expired hold gives nothing back when it is released', async () => {
  await stockUp(db.pool, 'relLate', 2)
  const orderId = await holdFor([line('relLate', 2)], past())
  expect(await transaction(db.pool, (tx) => release(tx, { orderId }))).toEqual({ released: 0 })
  expect(await levelOf('relLate')).toMatchObject({ held: 0, available: 2 })
})

test('consumed goods leave by one movement, once for a key, also when both calls run at once', async () => {
  await stockUp(db.pool, 'out', 5)
  const orderId = await holdFor([line('out', 3)])
  const lines = [{ lineId: '1', location: 'W1', quantity: 3 }]
  await Promise.all([take(orderId, lines, 'c1'), take(orderId, lines, 'c1'), take(orderId, lines, 'c1')])
  expect(await levelOf('out')).toMatchObject({ onHand: 2, held: 0, available: 2 })
  const { rows } = await db.pool.query(`select key, quantity, reason from movements where reference = $1`, [orderId])
  expect(rows).toEqual([{ key: 'c1/W1/out', quantity: -3, reason: 'shipped' }])
})

test('a part of a hold is consumed and the rest stays held', async () => {
  await stockUp(db.pool, 'outPart', 5)
  const orderId = await holdFor([line('outPart', 2), line('outPart', 3, '2')])
  await take(orderId, [
    { lineId: '1', location: 'W1', quantity: 1 },
    { lineId: '2', location: 'W1', quantity: 3 },
  ])
  expect(await levelOf('outPart')).toMatchObject({ onHand: 1, held: 1, available: 0 })
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('a hold that expired meanwhile is consumed when the goods are there', async () => {
  await stockUp(db.pool, 'outLate', 2)
  const orderId = await holdFor([line('outLate', 2)], past())
  await take(orderId, [{ lineId: '1', location: 'W1', quantity: 2 }])
  expect(await levelOf('outLate')).toMatchObject({ onHand: 0, held: 0 })
})

test('a hold that expired meanwhile never takes what others hold; the refused call may be made again', async () => {
  await stockUp(db.pool, 'outGone', 2)
  const orderId = await holdFor([line('outGone', 2)], past())
  await holdFor([line('outGone', 1)])
  const args = { key: 'again', orderId, lines: [{ lineId: '1', location: 'W1', quantity: 2 }], reason: 'shipped', reference: 'u' }
  const refusal = await transaction(db.pool, (tx) =>
    consume(tx, args).then(
      () => null,
      (error: unknown) => error,
    ),
  )
  expect(refusal).toMatchObject({ kind: 'Invalid', message: expect.stringContaining('only 1 more are free') })
  expect(await levelOf('outGone')).toMatchObject({ onHand: 2, held: 1 })
  await stockUp(db.pool, 'outGone', 1)
  await transaction(db.pool, (tx) => consume(tx, args))
  expect(await levelOf('outGone')).toMatchObject({ onHand: 1, held: 1 })
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('a line that was never held cannot be consumed', async () => {
  await expect(take('o-unheard', [{ lineId: '1', location: 'W1', quantity: 1 }])).rejects.toMatchObject({ kind: 'Invalid' })
})

test('prolong moves the end of live holds, reports expired ones and revives none', async () => {
  await stockUp(db.pool, 'pro', 5)
  const live = await holdFor([line('pro', 1)], later())
  const dead = await holdFor([line('pro', 2)], past())
  expect(await transaction(db.pool, (tx) => prolong(tx, { orderId: live, expiresAt: null }))).toEqual({ expired: [] })
  const expired = [{ lineId: '1', sku: 'pro', location: 'W1', quantity: 2 }]
  expect(await transaction(db.pool, (tx) => prolong(tx, { orderId: dead, expiresAt: null }))).toEqual({ expired })
  expect(await levelOf('pro')).toMatchObject({ held: 1, available: 4 })
  await reserver.reserve(request([line('pro', 2)], { orderId: dead }))
  expect(await transaction(db.pool, (tx) => prolong(tx, { orderId: dead, expiresAt: null }))).toEqual({ expired: [] })
})

test('goods kept aside are prolonged by nobody and consumed first', async () => {
  await stockUp(db.pool, 'keep', 4)
  const orderId = await holdFor([line('keep', 1)])
  await transaction(db.pool, (tx) => keepAside(tx, { orderId, lines: [{ lineId: '1' }] }))
  await reserver.reserve(request([line('keep', 1)], { orderId, expiresAt: later() }))
  await transaction(db.pool, (tx) => prolong(tx, { orderId, expiresAt: later() }))
  await take(orderId, [{ lineId: '1', location: 'W1', quantity: 1 }])
  const { rows } = await db.pool.query(`select kept_aside, state from holds where order_id = $1 order by id`, [orderId])
  expect(rows).toEqual([
    { kept_aside: true, state: 'consumed' },
    { kept_aside: false, state: 'active' },
  ])
})

test('a movement is booked once for its key and never takes what is held or not there', async () => {
  const args = { key: 'm1', sku: 'mov', location: 'W1', quantity: 5, reason: 'received' }
  expect(
    await Promise.all([1, 2, 3].map(() => transaction(db.pool, (tx) => move(tx, args)))).then((all) => all.filter(Boolean)),
  ).toHaveLength(1)
  await holdFor([line('mov', 3)])
  const out = (quantity: number) =>
    transaction(db.pool, (tx) => move(tx, { ...args, key: nextKey(), quantity, reason: 'damaged' }))
  await expect(out(-6)).rejects.toMatchObject({ kind: 'Invalid', message: expect.stringContaining('only 5 are on hand') })
  await expect(out(-3)).rejects.toMatchObject({ kind: 'Invalid', message: expect.stringContaining('3 are held') })
  expect(await out(-2)).toBe(true)
  expect(await levelOf('mov')).toMatchObject({ onHand: 3, held: 3, available: 0 })
})

test('a movement at an unknown location is refused by name', async () => {
  const lost = { key: 'm2', sku: 'mov', location: 'Mars', quantity: 1, reason: 'received' }
  await expect(transaction(db.pool, (tx) => move(tx, lost))).rejects.toMatchObject({
    kind: 'Invalid',
    message: expect.stringContaining('Mars'),
  })
})

test('a count sets on hand by a movement, once for its key, and not below what is held', async () => {
  const count = (key: string, onHand: number) =>
    transaction(db.pool, (tx) => setOnHand(tx, { key, sku: 'cnt', location: 'S1', onHand, reason: 'counted' }))
  await count('count1', 7)
  await count('count2', 7)
  await transaction(db.pool, (tx) => move(tx, { key: nextKey(), sku: 'cnt', location: 'S1', quantity: -2, reason: 'sold' }))
  await count('count2', 7)
  expect(await levelOf('cnt', 'S1')).toMatchObject({ onHand: 5 })
  await holdFor([line('cnt', 4, '1', 'S1')])
  await expect(count('count3', 3)).rejects.toMatchObject({ kind: 'Invalid', message: expect.stringContaining('4 are held') })
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('movements can only be added', async () => {
  await stockUp(db.pool, 'append', 1)
  await expect(db.pool.query(`update movements set quantity = 2 where sku = 'append'`)).rejects.toThrow('append-only')
  await expect(db.pool.query(`delete from movements where sku = 'append'`)).rejects.toThrow('append-only')
  await expect(db.pool.query('truncate movements')).rejects.toThrow('append-only')
})

test('levels are filtered by SKU, SKUs and location', async () => {
  await stockUp(db.pool, 'f1', 1)
  await stockUp(db.pool, 'f1', 2, 'S1')
  await stockUp(db.pool, 'f2', 3)
  const names = async (filter: Parameters<typeof levels>[1]) =>
    (await levels(db.pool, filter)).map((level) => `${level.sku}@${level.location}`)
  expect(await names({ sku: 'f1' })).toEqual(['f1@S1', 'f1@W1'])
  expect(await names({ skus: ['f1', 'f2'], location: 'W1' })).toEqual(['f1@W1', 'f2@W1'])
})
