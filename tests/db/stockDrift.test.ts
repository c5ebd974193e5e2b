/** Levels inward: a difference that lasts is reported by SKU and location, and repaired by a movement where that is the policy. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readStock } from '../../activities/stockRead.ts'
import { audit } from '../../store/audit.ts'
import { transaction } from '../../store/db.ts'
import { levels, move } from '../../store/ledger/operations.ts'
import { listDrift } from '../../store/stockDrift.ts'
import { nextKey } from './ledgerFixture.ts'
import { connection, listing, startStockWorld, type StockWorld } from './stockFixture.ts'

let world: StockWorld
beforeEach(async () => {
  world = await startStockWorld()
  await world.count('TEE', 10)
  await world.count('CAP', 7)
})
afterEach(async () => {
  const { violations } = await audit(world.runtime.pool)
  await world.stop()
  if (violations.length > 0) throw new Error(JSON.stringify(violations))
})

const reads = (drift: Record<string, unknown> = {}) =>
  world.apply({ connections: [connection('web', { read: true, drift: { mode: 'report', ...drift } })] })
const there = (counts: [sku: string, onHand: number, location?: string | null, at?: string | null][]) => {
  world.web.counts = counts.map(([externalSku, onHand, location = 'W1', at = null]) => {
    return { externalSku, externalLocation: location ?? 'their-shelf', location, onHand, at }
  })
}
const read = () => readStock(world.runtime, 'web')
const drift = async () =>
  (await listDrift(world.runtime.pool)).map(({ sku, location, difference, state }) => [sku, location, difference, state])
const onHand = async (sku: string, location = 'W1') => (await levels(world.runtime.pool, { sku, location }))[0]?.onHand

test('a difference is a task once two readings agree on it, one for all SKUs, and closes when both count the same', async () => {
  await reads()
  there([
    ['TEE', 8],
    ['CAP', 9],
    ['MUG', 1],
  ])
  expect(await read()).toMatchObject({ levels: 3, drifting: 3, repaired: 0 })
  expect([await drift(), await world.tasks('stock.drift')]).toEqual([
    [
      ['CAP', 'W1', 2, 'seen'],
      ['MUG', 'W1', 1, 'seen'],
      ['TEE', 'W1', -2, 'seen'],
    ],
    [],
  ])
  there([
    ['TEE', 8],
    ['CAP', 10],
    ['MUG', 1],
  ]) // CAP differs otherwise than before: looked at again
  await read()
  expect(await world.tasks('stock.drift')).toEqual([
    { title: 'web counts 2 SKUs differently', detail: 'MUG at W1: 1 there, 0 here; TEE at W1: 8 there, 10 here' },
  ])
  expect(await onHand('TEE')).toBe(10)
  there([
    ['TEE', 10],
    ['CAP', 7],
    ['MUG', 0],
  ])
  await read()
  expect([await drift(), await world.tasks('stock.drift')]).toEqual([[], []])
})

test('goods whose word has not come yet are no drift', async () => {
  await reads({ mode: 'repair' })
  there([['TEE', 7]])
  await read()
  await transaction(world.runtime.pool, (tx) =>
    move(tx, { key: nextKey(), sku: 'TEE', location: 'W1', quantity: -3, reason: 'sale' }),
  )
  expect(await read()).toMatchObject({ drifting: 0, repaired: 0 })
  expect(await onHand('TEE')).toBe(7)
})

test('what was counted before our own movements is compared with what we had then', async () => {
  await reads()
  const at = (await world.runtime.pool.query<{ at: string }>('select clock_timestamp()::text as at')).rows[0]?.at ?? ''
  await transaction(world.runtime.pool, (tx) =>
    move(tx, { key: nextKey(), sku: 'TEE', location: 'W1', quantity: -3, reason: 'sale' }),
  )
  there([['TEE', 10, 'W1', new Date(at).toISOString().replace(/\.\d+Z$/, '.999Z')]])
  world.web.counts = world.web.counts.map((level) => ({ ...level, at }))
  expect(await read()).toMatchObject({ drifting: 0 })
})

test('by policy it is repaired by one movement with its reason, and the channels hear of it', async () => {
  await reads({ mode: 'repair' })
  await world.apply({
    connections: [connection('mall', { push: true })],
    listings: [listing('mall', 'M1', { TEE: 1 }), listing('web', 'x', { TEE: 1 }, 'their-tee')],
  })
  await world.turn()
  there([['their-tee', 12]])
  await read()
  expect(await read()).toMatchObject({ drifting: 0, repaired: 1 })
  await world.turn()
  expect([await onHand('TEE'), world.mall.shows.get('M1')]).toEqual([12, 12])
  const booked = await world.runtime.pool.query(`select quantity, reason, reference from movements where reason = 'drift'`)
  expect(booked.rows).toEqual([{ quantity: 2, reason: 'drift', reference: 'web' }])
  expect(await read()).toMatchObject({ drifting: 0, repaired: 0 })
})

test("it is never repaired below what is held for orders: that is a person's", async () => {
  await reads({ mode: 'repair' })
  await world.hold('TEE', 6)
  there([
    ['TEE', 4],
    ['CAP', 5],
  ])
  await read()
  expect(await read()).toMatchObject({ drifting: 1, repaired: 1 })
  expect([await onHand('TEE'), await onHand('CAP')]).toEqual([10, 5])
  expect(await world.tasks('stock.drift')).toEqual([
    {
      title: 'web counts 1 SKU differently',
      detail: 'TEE at W1: 4 there, 10 here, of which 6 are held for orders',
    },
  ])
})

test('a difference within the tolerance is none', async () => {
  await reads({ toleranceQuantity: 2 })
  there([
    ['TEE', 12],
    ['CAP', 4],
  ])
  await read()
  expect(await drift()).toEqual([['CAP', 'W1', -3, 'seen']])
})

test('several places of theirs that are one location of ours are added up; what nobody here knows is told and not judged', async () => {
  await reads()
  there([
    ['TEE', 4],
    ['TEE', 6],
    ['NO-SUCH', 3],
    ['CAP', 7, null],
    ['CAP', 7, 'no-such-location'],
  ])
  expect(await read()).toMatchObject({
    drifting: 0,
    unknownSkus: ['NO-SUCH'],
    unknownSkuCount: 1,
    unmappedLocations: ['no-such-location', 'their-shelf'],
  })
})
