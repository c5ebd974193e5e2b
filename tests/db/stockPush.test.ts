/** Levels outward: what each channel shows is what the ledger says, told as changes, newest wins. */
import { judgeAlerts } from '../../activities/stockAlerts.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { refreshLevels, startTelling, tellChannels } from '../../activities/stockLevels.ts'
import { stockLanesDone } from '../../activities/stockLanes.ts'
import { audit } from '../../store/audit.ts'
import { closeAllotment, setAllotment } from '../../store/allotments.ts'
import { transaction } from '../../store/db.ts'
import { release, setSafety, sweep } from '../../store/ledger/operations.ts'
import { ignoreListing } from '../../store/listings.ts'
import { connection, listing, startStockWorld, type StockWorld } from './stockFixture.ts'

let world: StockWorld
beforeEach(async () => {
  world = await startStockWorld(2)
  await world.count('TEE', 10)
  await world.count('TEE', 5, 'W2')
  await world.count('TEE', 50, 'S1') // a store that does not ship serves no channel unless it is named
  await world.count('CAP', 7)
})
afterEach(async () => {
  const { violations } = await audit(world.runtime.pool)
  await world.stop()
  if (violations.length > 0) throw new Error(JSON.stringify(violations))
})

const open = (stock: Record<string, unknown> = {}) =>
  world.apply({
    connections: [connection('web', { push: true, ...stock }), connection('mall')],
    listings: [listing('web', 'tee', { TEE: 1 }), listing('web', 'cap', { CAP: 1 }), listing('web', 'set', { TEE: 2, CAP: 1 })],
  })
const told = () => world.web.pushes.flat().map(({ listingId, quantity }) => `${listingId}=${quantity}`)

test('a channel is told every listing once, and afterwards only what changed', async () => {
  await open()
  await world.turn()
  expect(Object.fromEntries(world.web.shows)).toEqual({ tee: 15, cap: 7, set: 7 })
  expect(world.web.pushes.map((levels) => levels.length)).toEqual([2, 1])
  await world.turn()
  expect(world.web.pushes).toHaveLength(2)
  await world.hold('TEE', 1)
  await world.turn()
  expect(told().slice(3)).toEqual(['tee=14'])
})

test('a bundle shows what its scarcest part gives', async () => {
  await open()
  await world.turn()
  await world.hold('TEE', 9)
  await world.turn()
  expect(Object.fromEntries(world.web.shows)).toEqual({ tee: 6, cap: 7, set: 3 })
})

test('safety stock, share, cap and the locations that serve it make what a channel shows', async () => {
  await open({ locations: ['W1', 'S1'], safetyQuantity: 4, sharePercent: 50, maxQuantity: 20 })
  await world.turn()
  expect(Object.fromEntries(world.web.shows)).toEqual({ tee: 20, cap: 1, set: 1 }) // (60−4)/2 capped, (7−4)/2
  await transaction(world.runtime.pool, (tx) => setSafety(tx, { sku: 'CAP', location: 'W1', safety: 2 }))
  await world.turn()
  expect(world.web.shows.get('cap')).toBe(0)
})

test('many movements between two turns are one push, and one that changes nothing in the end is none', async () => {
  await open()
  await world.turn()
  for (let at = 0; at < 5; at++) await world.hold('CAP', 1)
  const orderId = await world.hold('TEE', 3)
  await transaction(world.runtime.pool, (tx) => release(tx, { orderId }))
  await world.turn()
  expect(told().slice(3)).toEqual(['cap=2', 'set=2'])
})

test('back to what the channel shows before anybody was told is nothing to tell', async () => {
  await open()
  await world.turn()
  const orderId = await world.hold('TEE', 15 - 5)
  await refreshLevels(world.runtime)
  await transaction(world.runtime.pool, (tx) => release(tx, { orderId }))
  await world.turn()
  expect(told()).toHaveLength(3)
})

test('a hold that ends by time is told once the sweep has passed', async () => {
  await open()
  await world.hold('CAP', 7, { expiresAt: new Date(Date.now() + 300) })
  await world.turn()
  expect(world.web.shows.get('cap')).toBe(0)
  await expect.poll(() => sweep(world.runtime.pool), { timeout: 10_000 }).toBe(1)
  await world.turn()
  expect(world.web.shows.get('cap')).toBe(7)
})

test('a channel that is down gets only the newest level once it is back', async () => {
  await open()
  await world.turn()
  world.web.otherwise = 'down'
  for (let at = 0; at < 3; at++) {
    await world.hold('CAP', 1)
    await world.turn()
    await world.noPauses()
  }
  expect(world.web.shows.get('cap')).toBe(7)
  world.web.otherwise = 'ok'
  world.web.pushes.length = 0
  await world.turn()
  expect(told()).toEqual(['cap=4', 'set=4'])
})

test('while it cannot be reached a channel is not asked again before its pause is over', async () => {
  await open()
  world.web.fates = ['limited']
  await world.turn()
  await world.hold('CAP', 1)
  await world.turn()
  expect(world.web.pushes).toHaveLength(1)
  await world.noPauses()
  await world.turn()
  expect(Object.fromEntries(world.web.shows)).toEqual({ tee: 15, cap: 6, set: 6 })
})

test('an answer that was lost is asked for by telling the level again', async () => {
  await open()
  world.web.fates = ['lost']
  await world.turn()
  await world.noPauses()
  await world.turn()
  expect(told()).toEqual(['cap=7', 'set=7', 'cap=7', 'set=7', 'tee=15'])
})

test('a push that is still under way while the level changes is followed by the newer one', async () => {
  await open()
  await refreshLevels(world.runtime)
  const { came, release: go } = world.web.hold()
  await startTelling(world.runtime)
  await came
  await world.hold('CAP', 2)
  await refreshLevels(world.runtime)
  go()
  await stockLanesDone(world.runtime)
  await tellChannels(world.runtime)
  expect(world.web.shows.get('cap')).toBe(5)
})

test('an older push that arrives after a newer one of another worker does not stay', async () => {
  await open()
  await refreshLevels(world.runtime)
  const { came, release: go } = world.web.hold()
  await startTelling(world.runtime)
  await came // the first worker hangs with cap=7 and set=7
  await world.hold('CAP', 2)
  await refreshLevels(world.runtime)
  await world.runtime.pool.query(`update listing_levels set lease_until = now() - interval '1 second' where lease is not null`)
  const other = { ...world.runtime } // another process: lanes of its own
  await tellChannels(other)
  expect(world.web.shows.get('cap')).toBe(5)
  go()
  await stockLanesDone(world.runtime)
  // The older push has overwritten the newer one, and was followed by it once more.
  expect(told().filter((each) => each.startsWith('cap'))).toEqual(['cap=5', 'cap=7', 'cap=5'])
  await tellChannels(world.runtime)
  expect(world.web.shows.get('cap')).toBe(5)
})

test('a worker that dies between the push and its acknowledgement leaves a level that is told again', async () => {
  await open()
  await world.turn()
  await world.hold('CAP', 2)
  await refreshLevels(world.runtime)
  // What a killed worker leaves: the lease, and nothing known of what the channel shows.
  await world.runtime.pool.query(
    `update listing_levels set lease = 'dead', lease_until = now() + interval '1 hour', told = null where listing_id = 'cap'`,
  )
  await world.turn()
  expect(told().slice(3)).toEqual(['set=5'])
  await world.runtime.pool.query(`update listing_levels set lease_until = now() where lease = 'dead'`)
  await world.turn()
  expect(told().slice(4)).toEqual(['cap=5'])
})

test('one listing that the channel refuses keeps none of the others, and becomes one task that closes by itself', async () => {
  await open()
  world.web.refuses.add('cap')
  world.web.refuses.add('set')
  for (let at = 0; at < 3; at++) {
    await world.turn()
    await world.noPauses()
  }
  expect(Object.fromEntries(world.web.shows)).toEqual({ tee: 15 })
  expect(await world.tasks('stock.refused')).toMatchObject([
    { title: 'web refuses the stock level of 2 listings', detail: expect.stringContaining('cap (archived: it is archived)') },
  ])
  world.web.refuses.clear()
  await transaction(world.runtime.pool, (tx) => ignoreListing(tx, 'web', 'set', null))
  await world.turn()
  expect(world.web.shows.get('cap')).toBe(7)
  expect(await world.tasks('stock.refused')).toEqual([])
})

test('a batch that is refused as a whole is told one by one', async () => {
  await open()
  world.web.otherwise = 'refuseAll'
  world.web.refuses.add('set')
  await world.turn()
  expect(Object.fromEntries(world.web.shows)).toEqual({ tee: 15, cap: 7 })
})

test('a channel that hangs, is paused or stopped holds up nobody', async () => {
  await open()
  await world.apply({
    connections: [connection('mall', { push: true }), connection('third', { push: true }, { paused: true })],
    listings: [listing('mall', 'M1', { TEE: 1 }), listing('third', 'T1', { TEE: 1 })],
  })
  const { came, release: go } = world.web.hold()
  await refreshLevels(world.runtime)
  await startTelling(world.runtime)
  await came
  await expect.poll(() => world.mall.shows.get('M1'), { timeout: 10_000 }).toBe(15)
  await world.hold('TEE', 1)
  await refreshLevels(world.runtime)
  await expect
    .poll(
      async () => {
        await startTelling(world.runtime)
        return world.mall.shows.get('M1')
      },
      { timeout: 10_000 },
    )
    .toBe(14)
  expect(world.shops.account('third').pushes).toEqual([])
  go()
  await stockLanesDone(world.runtime)
  await world.apply({ connections: [connection('third', undefined, { paused: false })] })
  await world.turn()
  expect(world.shops.account('third').shows.get('T1')).toBe(14)
})

test('a channel that cannot work as configured is stopped with a task, and goes on once it is applied again', async () => {
  await open()
  world.web.fates = ['misconfigured']
  await world.turn()
  expect(await world.tasks('connection.stopped')).toHaveLength(1)
  await world.noPauses()
  await world.turn()
  expect(world.web.pushes).toHaveLength(1)
  await open()
  await world.turn()
  expect(Object.fromEntries(world.web.shows)).toEqual({ tee: 15, cap: 7, set: 7 })
})

test("each channel shows its own allotment and what is nobody's, until the allotment closes", async () => {
  await open()
  await world.apply({
    connections: [connection('mall', { push: true })],
    listings: [listing('mall', 'M1', { TEE: 1 })],
  })
  const id = await transaction(world.runtime.pool, (tx) =>
    setAllotment(tx, { sku: 'TEE', location: 'W1', channel: 'mall', quantity: 6 }),
  )
  await world.turn()
  expect([world.web.shows.get('tee'), world.mall.shows.get('M1')]).toEqual([9, 15])
  await world.hold('TEE', 4, { channel: 'mall' })
  await world.turn()
  expect([world.web.shows.get('tee'), world.mall.shows.get('M1')]).toEqual([9, 11])
  await closeAllotment(world.runtime.pool, id)
  await world.turn()
  expect([world.web.shows.get('tee'), world.mall.shows.get('M1')]).toEqual([11, 11])
})

test('SKUs that no channel lists leave no trace of their changes', async () => {
  await open()
  await world.turn()
  await world.count('MUG', 5)
  await world.hold('MUG', 1)
  const changes = await world.runtime.pool.query('select sku from stock_changes')
  expect(changes.rows).toEqual([])
})

test('low stock and no stock are told once for each crossing, and closed when there is enough again', async () => {
  await world.apply({ products: [{ sku: 'CAP', name: 'Cap', lowStockQuantity: 3 }] })
  await world.turn()
  expect(await world.tasks('stock.low')).toEqual([])
  await world.hold('CAP', 5)
  await world.turn()
  expect(await world.tasks('stock.low')).toMatchObject([{ title: 'CAP runs low: 2 left' }])
  await world.runtime.pool.query(`update tasks set state = 'done' where kind = 'stock.low'`)
  await world.hold('CAP', 1)
  await world.turn()
  expect(await world.tasks('stock.low')).toEqual([]) // still the same crossing
  await world.hold('CAP', 1)
  await world.turn()
  expect(await world.tasks('stock.low')).toMatchObject([{ title: 'CAP is out of stock' }])
  await world.count('CAP', 20)
  await world.turn()
  expect(await world.tasks('stock.low')).toEqual([])
})

test('a level that is crossed is told once, however many look at it at once, also while it goes on falling', async () => {
  const { pool } = world.runtime
  await world.apply({ products: [{ sku: 'CAP', name: 'Cap', lowStockQuantity: 3 }] })
  const opened = async () =>
    (await pool.query<{ title: string }>(`select title from tasks where kind = 'stock.low' order by id`)).rows.map(
      ({ title }) => title,
    )
  const look = () => Promise.all(Array.from({ length: 8 }, () => judgeAlerts(pool, ['CAP', 'MUG'])))
  await look()
  expect(await opened()).toEqual([])
  await world.hold('CAP', 5)
  await look()
  await look()
  expect(await opened()).toEqual(['CAP runs low: 2 left'])
  await pool.query(`update tasks set state = 'done' where kind = 'stock.low'`)
  await look()
  expect((await opened()).length).toBe(1)
  await Promise.all([look(), world.hold('CAP', 2), look()])
  await look()
  expect(await opened()).toEqual(['CAP runs low: 2 left', 'CAP is out of stock'])
  expect((await pool.query(`select level from stock_alerts where sku = 'CAP'`)).rows).toEqual([{ level: 'out' }])
  await world.count('CAP', 20)
  await look()
  expect(await world.tasks('stock.low')).toEqual([])
})
