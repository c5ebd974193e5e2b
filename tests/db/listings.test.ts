/** What a channel's item means: found, said by a file, said by a person; and what that makes of an order's lines. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connector } from '../../connectors/kit/types.ts'
import { bookSale } from '../../activities/sales.ts'
import { applyConnections } from '../../store/configuration.ts'
import { levels } from '../../store/ledger/operations.ts'
import { check } from '../../activities/order/check.ts'
import { takeApart } from '../../activities/stockLines.ts'
import { findListings, leaveListing, mapListing } from '../../activities/stockListings.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import { transaction } from '../../store/db.ts'
import { listListings, setListing } from '../../store/listings.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { receiveOrder } from '../../store/orders.ts'
import { connection, listing, startStockWorld, type StockWorld } from './stockFixture.ts'

let world: StockWorld
beforeAll(async () => {
  world = await startStockWorld()
  await world.apply({
    connections: [connection('web', {}), connection('mall')],
    aliases: [{ channel: 'web', externalSku: 'old-tee', sku: 'TEE' }],
    listings: [listing('web', 'set', { TEE: 2, CAP: 1 }, 'SET')],
  })
})
afterAll(() => world.stop())

const offered = (...all: [id: string, externalSku: string | null, variantId?: string][]) => {
  world.web.listings = all.map(([listingId, externalSku, variantId = null]) => ({
    listingId,
    variantId: variantId as string | null,
    externalSku,
    title: `Item ${listingId}`,
  }))
}
const known = async () =>
  (await listListings(world.runtime.pool, { connection: 'web' })).map(({ listingId, state, skus }) => [
    listingId,
    state,
    ...skus.map(({ sku, quantity }) => `${quantity}×${sku}`),
  ])

test('what is offered under our SKU or a known alias means it; the rest is one task that closes by itself', async () => {
  offered(['a', 'TEE'], ['b', 'old-tee'], ['c', 'mystery'], ['d', null], ['set', 'TEE'])
  expect(await findListings(world.runtime, 'web')).toEqual({ seen: 5, forgotten: 0, unmapped: 2 })
  expect(await known()).toEqual([
    ['a', 'mapped', '1×TEE'],
    ['b', 'mapped', '1×TEE'],
    ['c', 'unmapped'],
    ['d', 'unmapped'],
    ['set', 'mapped', '2×TEE', '1×CAP'], // what a file said is not overwritten
  ])
  expect(await world.tasks('listings.unmapped')).toMatchObject([{ title: '2 listings of web mean none of our SKUs' }])
  await mapListing(world.runtime, { ...listing('web', 'c', { MUG: 1 }), variantId: null, title: null })
  await leaveListing(world.runtime, { connection: 'web', listingId: 'd', variantId: null })
  expect(await world.tasks('listings.unmapped')).toEqual([])
  expect(await findListings(world.runtime, 'web')).toMatchObject({ unmapped: 0 })
})

test('what is not offered any more is forgotten, unless a person or a file has spoken of it', async () => {
  offered(['a', 'TEE'])
  expect(await findListings(world.runtime, 'web')).toMatchObject({ seen: 1, forgotten: 1 })
  expect((await known()).map(([id]) => id)).toEqual(['a', 'c', 'd', 'set'])
})

test('a look through that finds nothing at all forgets nothing', async () => {
  offered()
  expect(await findListings(world.runtime, 'web')).toMatchObject({ seen: 0, forgotten: 0 })
})

test('an SKU that is no product is not taken', async () => {
  await expect(mapListing(world.runtime, { ...listing('web', 'c', { NOPE: 1 }), variantId: null, title: null })).rejects.toThrow(
    'NOPE is no product here',
  )
})

test('a file that names a connection that does not exist is refused as a whole', async () => {
  await expect(world.apply({ listings: [listing('nowhere', 'x', { TEE: 1 })] })).rejects.toThrow('listings[0].connection')
})

test('a connector that takes no levels is not told to take any', async () => {
  const { 'stand-in': shop } = world.runtime.connectors
  const deaf = { ...shop, stock: { batchSize: 1 } } as Connector
  await expect(
    applyConnections(
      world.runtime.pool,
      world.runtime.secretKey,
      { connections: [{ ...connection('deaf', { push: true, read: true }), connector: 'deaf' }] },
      { deaf },
    ),
  ).rejects.toThrow(/connections\[0\].stock.push: the connector deaf takes no stock levels.*\n.*stock.read/)
})

test('what a platform ships itself from consigned goods moves them, a set by its parts', async () => {
  await world.apply({ locations: [{ id: 'C1', name: 'Their own', kind: 'consigned' }] })
  await world.count('TEE', 10, 'C1')
  await world.count('CAP', 10, 'C1')
  const sale = (quantity: number) => ({
    externalId: 'sale-1',
    externalLocation: 'fulfilment',
    location: 'C1',
    at: '2026-11-22T10:00:00+08:00',
    lines: [{ lineId: '1', externalSku: 'SET', quantity }],
  })
  const record = (id: number) => ({ id, connection: 'web', eventAt: null, channel: 'web' })
  await bookSale(world.runtime.pool, record(1), sale(2))
  await bookSale(world.runtime.pool, record(2), sale(3)) // told again, one more
  const onHand = async (sku: string) => (await levels(world.runtime.pool, { sku, location: 'C1' }))[0]
  expect([await onHand('TEE'), await onHand('CAP')]).toMatchObject([
    { onHand: 4, available: 0 },
    { onHand: 7, available: 0 },
  ])
})

let serial = 0
const order = (lines: Partial<IncomingOrder['lines'][number]>[], change: Partial<IncomingOrder> = {}): IncomingOrder => ({
  channel: 'web',
  shop: 'main',
  connection: 'web',
  externalId: `L-${++serial}`,
  externalVersion: null,
  placedAt: null,
  kind: 'online',
  buyer: { name: '測試', phone: '+886912345678', email: null, memberId: null },
  recipient: { name: '測試', phone: '+886912345678', address: null },
  delivery: { method: 'storePickup', service: null, cvs: null, location: 'S1', promisedBy: null },
  payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
  lines: lines.map((line, index) => ({
    lineId: String(index + 1),
    sku: null,
    externalSku: null,
    name: null,
    variant: null,
    quantity: 1,
    unitPriceMinor: 100_000,
    gift: false,
    ...line,
  })),
  totals: { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null },
  notes: null,
  priority: 0,
  ...change,
})
const take = async (incoming: IncomingOrder) =>
  await receiveOrder(world.runtime.pool, await takeApart(world.runtime.pool, incoming), { connectionVersion: 1 })
const linesOf = async (orderId: string) =>
  (await readOrder(world.runtime.pool, orderId)).lines.map((line) => [line.lineId, line.sku, line.ordered, line.unitPriceMinor])

test('a bundle of an order becomes its parts, and the same order told again is no change', async () => {
  const incoming = order([
    { externalSku: 'SET', quantity: 3 },
    { externalSku: 'TEE', sku: 'TEE' },
  ])
  const { orderId } = await take(incoming)
  expect(await linesOf(orderId)).toEqual([
    ['1+2xTEE', 'TEE', 6, 50_000],
    ['1+1xCAP', 'CAP', 3, 0],
    ['2', 'TEE', 1, 100_000],
  ])
  expect(await take({ ...incoming, externalVersion: '2', priority: 1 })).toMatchObject({ received: 'filled' })
  // Also when the set means something else by now.
  await transaction(world.runtime.pool, (tx) =>
    setListing(tx, { ...listing('web', 'set', { MUG: 2 }, 'SET'), variantId: null, title: null }, 'file'),
  )
  expect((await take({ ...incoming, externalVersion: '3', priority: 2 })).received).toBe('filled')
  expect((await world.runtime.pool.query('select verb from commands where order_id = $1', [orderId])).rows).toEqual([])
  await transaction(world.runtime.pool, (tx) =>
    setListing(tx, { ...listing('web', 'set', { TEE: 2, CAP: 1 }, 'SET'), variantId: null, title: null }, 'file'),
  )
})

test('an order that was blocked by an unknown listing goes on once somebody has said what it means', async () => {
  const { orderId } = await take(order([{ externalSku: 'NEW-SET', quantity: 2 }, { externalSku: 'NEW-MUG' }]))
  await check(world.runtime, orderId)
  expect((await readOrder(world.runtime.pool, orderId)).is('blocked')).toBe(true)
  await mapListing(world.runtime, { ...listing('web', 'n1', { TEE: 1, MUG: 2 }, 'NEW-SET'), variantId: null, title: null })
  await mapListing(world.runtime, { ...listing('web', 'n2', { MUG: 1 }, 'NEW-MUG'), variantId: null, title: null })
  await check(world.runtime, orderId)
  expect((await readOrder(world.runtime.pool, orderId)).is('checked')).toBe(true)
  expect(await linesOf(orderId)).toEqual([
    ['1+1xTEE', 'TEE', 2, 100_000],
    ['1+2xMUG', 'MUG', 4, 0],
    ['2', 'MUG', 1, 100_000],
  ])
})

test('the same number means another thing in another channel', async () => {
  await mapListing(world.runtime, { ...listing('mall', 'm1', { CAP: 1 }, 'NEW-MUG'), variantId: null, title: null })
  const { orderId } = await take(order([{ externalSku: 'NEW-MUG' }], { connection: 'mall', channel: 'mall' }))
  await check(world.runtime, orderId)
  expect((await linesOf(orderId)).map(([, sku]) => sku)).toEqual(['CAP'])
})
