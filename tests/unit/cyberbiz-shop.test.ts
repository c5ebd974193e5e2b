import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cyberbiz, cyberbizPos } from '../../connectors/cyberbiz/index.ts'
import { fetchOrders, pullOrders } from '../../connectors/cyberbiz/pull.ts'
import { cancelOrder, writeDelivered, writeTracking } from '../../connectors/cyberbiz/writeback.ts'
import type { ListingLevel } from '../../connectors/kit/types.ts'
import {
  seedOrders,
  startCyberbizSimulator,
  taipei,
  type CyberbizSimulator,
  type SimOrder,
} from '../../simulators/cyberbiz/index.ts'
import { ACCOUNT, collect, context, ids, NOW, posContext } from './cyberbiz-fixtures.ts'

const hour = 3_600_000
const window = { from: new Date(NOW.getTime() - 24 * hour), to: NOW }
let sim: CyberbizSimulator
let clock = NOW
beforeEach(async () => {
  clock = new Date(NOW.getTime() + 60_000)
  sim = await startCyberbizSimulator({ ...ACCOUNT, pageCap: 10, now: () => clock })
})
afterEach(() => sim.stop())

const ctx = (config: Record<string, unknown> = {}) => context({ config: { baseUrl: sim.url, ...config } })
const posCtx = () => posContext({ config: { baseUrl: sim.url, posShops: { 3: 'store-taipei' } } })
const seeded = (count: number): SimOrder[] => {
  const orders = seedOrders(count, { newest: NOW })
  sim.seed(orders)
  return orders
}
const variant = (id: number, sku: string, over = {}) => ({
  id,
  product_id: Math.floor(id / 10),
  title: '上衣',
  name: String(id),
  sku,
  inventory_management: true,
  inventory_quantity: 5,
  posShopId: null,
  ...over,
})

describe('the pull', () => {
  it('reads 25 orders on three pages, and not the sales at the till', async () => {
    const orders = seeded(25)
    sim.seed(seedOrders(3, { newest: NOW, startAt: 100, posShopId: 3 }))
    const pages = await collect(pullOrders(ctx(), window))
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
    expect(ids(pages)).toEqual(orders.map((order) => String(order.id)))
  })

  it('an order edited between two pages does not push another one out of sight', async () => {
    const orders = seeded(25)
    const given: string[] = []
    let edits = 0
    for await (const page of pullOrders(ctx(), window)) {
      given.push(...page.map((record) => record.externalId))
      if (edits++ === 0) sim.edit(orders[0]?.id ?? 0, (order) => void (order.note = 'edited'))
    }
    expect(new Set(given)).toEqual(new Set(orders.map((order) => String(order.id))))
    expect(given).toHaveLength(25)
  })

  it('says so when the shop does not limit its answer to the time asked for', async () => {
    const [order] = seedOrders(1, { newest: new Date(NOW.getTime() - 48 * hour) })
    const unfiltered = {
      request: async () => ({ status: 200, headers: { 'x-next-page': '2' }, body: JSON.stringify([order]) }),
    }
    const pages = collect(pullOrders(context({ http: unfiltered }), window))
    await expect(pages).rejects.toMatchObject({ kind: 'Invalid', code: 'filter-ignored' })
  })

  it('an order that is not there any more is kept with its failure', async () => {
    const [order] = seeded(1)
    const records = await fetchOrders(ctx(), ['1', String(order?.id)])
    expect(records.map((record) => record.version === 'missing')).toEqual([true, false])
  })

  it('two edits within one second are two versions, and NUL is left out', async () => {
    const [order] = seeded(1)
    const [before] = await fetchOrders(ctx(), [String(order?.id)])
    sim.edit(order?.id ?? 0, (each) => void (each.note = 'a\u0000b'))
    const [after] = await fetchOrders(ctx(), [String(order?.id)])
    expect(after?.version).not.toBe(before?.version)
    expect(after?.payload.note).toBe('ab')
  })

  it('a token refused once is tried again; refused twice it stops the connection', async () => {
    seeded(1)
    sim.refuseToken(1)
    expect(await collect(pullOrders(ctx(), window))).toHaveLength(1)
    sim.refuseToken(2)
    await expect(collect(pullOrders(ctx(), window))).rejects.toMatchObject({ kind: 'Misconfigured', code: '401' })
  })
})

describe('writing back', () => {
  const told = (order: SimOrder, over = {}) => ({
    externalId: String(order.id),
    key: 'k1',
    waybill: '900123456785',
    courier: 'TCAT',
    lines: [],
    ...over,
  })

  it('two parcels are two fulfilments, over the lines in each', async () => {
    const [order] = seedOrders(1, { newest: NOW })
    if (!order) throw new Error('no order')
    const [line] = order.line_items
    if (!line) throw new Error('no line')
    sim.seed([{ ...order, line_items: [line, { ...line, id: 5, sku: 'CAP' }] }])
    const lineOf = (lineId: string) => [{ lineId, sku: null, externalSku: null, quantity: 1 }]
    await writeTracking(ctx(), told(order, { lines: lineOf(`${line.id}.77`) }))
    expect(sim.order(order.id).statuses.fulfillment_status).toBe('partial')
    await writeTracking(ctx(), told(order, { waybill: 'SECOND', lines: lineOf('5') }))
    expect(sim.order(order.id)).toMatchObject({
      statuses: { fulfillment_status: 'fulfilled' },
      fulfillments: [
        { tracking_number: '900123456785', tracking_company: 'ezcat', line_items: [{ id: line.id }] },
        { tracking_number: 'SECOND', line_items: [{ id: 5 }] },
      ],
    })
    await expect(writeTracking(ctx(), told(order, { waybill: 'THIRD' }))).rejects.toMatchObject({ code: 'no-lines' })
    // Delivery is known of the whole order only.
    await writeDelivered(ctx(), { externalId: String(order.id), waybill: 'SECOND' })
    expect(sim.order(order.id).statuses.fulfillment_status).toBe('fulfilled')
  })

  it('the same number again does nothing; what CYBERBIZ refuses is a refusal', async () => {
    const [order] = seeded(1)
    if (!order) throw new Error('no order')
    await writeTracking(ctx(), told(order))
    await writeTracking(ctx(), told(order))
    expect(sim.order(order.id).fulfillments).toHaveLength(1)
    await expect(writeTracking(ctx(), told(order, { waybill: 'OTHER' }))).rejects.toMatchObject({ kind: 'Rejected' })
    await writeDelivered(ctx(), { externalId: String(order.id), waybill: '900123456785' })
    expect(sim.order(order.id).statuses.fulfillment_status).toBe('received')
  })

  it('a shipped order is not cancelled, a cancelled one is left as it is', async () => {
    const [first, second] = seeded(2)
    if (!first || !second) throw new Error('no orders')
    await writeTracking(ctx(), told(first))
    const cancel = (order: SimOrder) => cancelOrder(ctx(), { externalId: String(order.id), reason: 'out of stock' })
    await expect(cancel(first)).rejects.toMatchObject({ kind: 'Rejected', code: 'shipped' })
    await cancel(second)
    await cancel(second)
    expect(sim.order(second.id)).toMatchObject({ statuses: { order_status: 'cancelled' }, cancel_reason: 'inventory' })
    expect(sim.calls().filter((call) => call.path.endsWith('/cancelled'))).toHaveLength(1)
  })

  it('an order is acknowledged only where that is wished, and only once untouched', async () => {
    const [order] = seeded(1)
    const told = { externalId: String(order?.id), orderId: 'o' }
    await cyberbiz.acknowledgeOrder?.(ctx(), told)
    expect(sim.calls()).toEqual([])
    await cyberbiz.acknowledgeOrder?.(ctx({ acknowledge: true }), told)
    expect(sim.order(order?.id ?? 0).statuses.fulfillment_status).toBe('preparing')
    sim.edit(order?.id ?? 0, (each) => void (each.statuses.fulfillment_status = 'fulfilled'))
    await cyberbiz.acknowledgeOrder?.(ctx({ acknowledge: true }), told)
    expect(sim.order(order?.id ?? 0).statuses.fulfillment_status).toBe('fulfilled')
  })
})

describe('levels', () => {
  const level = (variantId: string | null, quantity: number): ListingLevel => ({
    listingId: '1',
    variantId,
    externalSku: 'TEE-S',
    title: null,
    quantity,
    version: 1,
  })

  it('what is listed is the web shop, variant by variant', async () => {
    sim.stock([variant(10, 'TEE-S'), variant(11, 'TEE-M'), variant(90, 'TEE-S', { posShopId: 3 })])
    const listings = (await collect(cyberbiz.stock!.listListings!(ctx()))).flat()
    expect(listings).toEqual([
      { listingId: '1', variantId: '10', externalSku: 'TEE-S', title: '上衣 10' },
      { listingId: '1', variantId: '11', externalSku: 'TEE-M', title: '上衣 11' },
    ])
  })

  it('are set one by one; what the vendor refuses is the outcome of that one', async () => {
    sim.stock([variant(10, 'TEE-S')])
    const outcomes = await cyberbiz.stock!.push!(ctx(), [level('99', 3), level('10', 7), level(null, 1)])
    expect(outcomes.map((each) => each.error?.kind ?? null)).toEqual(['Rejected', null, 'Rejected'])
    expect(sim.variants()[0]?.inventory_quantity).toBe(7)
  })

  it('of a shop with POS are not taken by the variant, which is told, but by adjustment', async () => {
    await sim.stop()
    sim = await startCyberbizSimulator({ ...ACCOUNT, hasPos: true })
    sim.stock([variant(10, 'TEE-S')])
    expect((await cyberbiz.stock!.push!(ctx(), [level('10', 7)]))[0]?.error).toMatchObject({ code: 'level-ignored' })
    const byAdjustment = ctx({ stockBy: 'adjustment' })
    for (const quantity of [7, 7, 2]) {
      expect((await cyberbiz.stock!.push!(byAdjustment, [level('10', quantity)]))[0]?.error).toBeNull()
      expect(sim.variants()[0]?.inventory_quantity).toBe(quantity)
    }
    expect(sim.calls().filter((call) => call.path === '/v1/stock_adjustments')).toHaveLength(2)
  })

  it('an adjustment whose answer was lost is not made twice', async () => {
    sim.stock([variant(10, 'TEE-S')])
    sim.faults.add({ kind: 'lostAnswer', path: '/v1/stock_adjustments' })
    const push = () => cyberbiz.stock!.push!(ctx({ stockBy: 'adjustment' }), [level('10', 8)])
    await expect(push()).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    await push()
    expect(sim.variants()[0]?.inventory_quantity).toBe(8)
  })

  it('are read of the web shop and of each POS shop, with our location where it is known', async () => {
    sim.stock(
      [
        variant(10, 'TEE-S'),
        variant(20, 'CAP', { inventory_management: false }),
        variant(90, 'TEE-S', { posShopId: 3, inventory_quantity: 36 }),
      ],
      [
        { id: 3, name: '信義店' },
        { id: 4, name: '新店' },
      ],
    )
    const web = (await collect(cyberbiz.stock!.read!(ctx({ stockLocation: 'wh-north' })))).flat()
    expect(web).toEqual([{ externalSku: 'TEE-S', externalLocation: 'ec', location: 'wh-north', onHand: 5, at: null }])
    const tills = (await collect(cyberbizPos.stock!.read!(posCtx()))).flat()
    expect(tills).toEqual([{ externalSku: 'TEE-S', externalLocation: '3', location: 'store-taipei', onHand: 36, at: null }])
  })
})

describe('sales at the till', () => {
  const pulled = async () => (await collect(cyberbizPos.pullSales!(posCtx(), { from: window.from, to: clock }))).flat()
  const sold = () => {
    const [sale] = seedOrders(1, { newest: NOW, posShopId: 3 })
    if (!sale) throw new Error('no sale')
    sim.seed([sale, ...seedOrders(1, { newest: NOW, startAt: 9 })])
    return sale
  }

  it('are told once, whatever is edited about them, at the location of their shop', async () => {
    const sale = sold()
    const [record, ...rest] = await pulled()
    expect(rest).toEqual([])
    if (!record) throw new Error('no record')
    expect(cyberbizPos.mapSale?.(posCtx().connection, record)).toEqual({
      externalId: String(sale.id),
      externalLocation: '3',
      location: 'store-taipei',
      at: sale.created_at.replace(' ', 'T') + '+08:00',
      lines: [{ lineId: String(sale.line_items[0]?.id), externalSku: 'TEE-S', quantity: 1 }],
    })
    sim.edit(sale.id, (each) => void (each.note = 'invoice sent'))
    expect((await pulled())[0]?.version).toBe(record.version)
  })

  it('brought back are told beside the sale, with the goods', async () => {
    const sale = sold()
    sim.edit(sale.id, (each) => {
      each.statuses.order_status = 'cancelled'
      each.timings.cancelled_at = taipei(clock)
    })
    const [kept, back] = await pulled()
    const line = sale.line_items[0]?.id
    expect([kept?.externalId, back?.externalId]).toEqual([String(sale.id), `${sale.id}-back-${line}`])
    if (!back) throw new Error('nothing came back')
    expect(cyberbizPos.mapSale?.(posCtx().connection, back)).toMatchObject({
      at: '2026-11-22T10:01:00+08:00',
      lines: [{ lineId: String(line), quantity: -1 }],
    })
  })

  it('that cannot be read are kept with what is wrong', async () => {
    const sale = sold()
    sim.seed([{ ...sale, line_items: [] }])
    const [record] = await pulled()
    if (!record) throw new Error('no record')
    expect(() => cyberbizPos.mapSale?.(posCtx().connection, record)).toThrow(/line_items/)
  })
})
