import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { woocommerce } from '../../connectors/woocommerce/index.ts'
import { fetchOrders, pullOrders, receiveWebhook } from '../../connectors/woocommerce/pull.ts'
import { cancelOrder, refund, writeDelivered, writeTracking } from '../../connectors/woocommerce/writeback.ts'
import { seedOrders, startWooSimulator, type SimOrder, type WooSimulator } from '../../simulators/woocommerce/index.ts'
import { collect, context, KEY, NOW } from './woocommerce-fixtures.ts'

const hour = 3_600_000
const window = { from: new Date(NOW.getTime() - 24 * hour), to: NOW }
let sim: WooSimulator
let clock = NOW
beforeEach(async () => {
  clock = new Date(NOW.getTime() + 60_000)
  sim = await startWooSimulator({ ...KEY, pageCap: 10, statuses: ['arrived'], now: () => clock })
})
afterEach(() => sim.stop())

const ctx = (config: Record<string, unknown> = {}) => context({ config: { baseUrl: sim.url, ...config }, now: () => clock })
const seeded = (count: number): SimOrder[] => {
  const orders = seedOrders(count, { newest: NOW })
  sim.seed(orders)
  return orders
}
const only = (): SimOrder => {
  const [order] = seeded(1)
  if (!order) throw new Error('no order')
  return order
}

describe('the pull', () => {
  it('reads 25 orders on three pages, and the two in the trash after them', async () => {
    const orders = seeded(25)
    const trashed = seedOrders(2, { newest: NOW, startAt: 50 }).map((order) => ({ ...order, status: 'trash' }))
    sim.seed(trashed)
    const pages = await collect(pullOrders(ctx(), window))
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5, 2])
    expect(pages.flat().map((record) => record.externalId)).toEqual([...orders, ...trashed].map((order) => String(order.id)))
  })

  it('takes both ends of the window in', async () => {
    const [first, , last] = seedOrders(3, { newest: NOW, apartSeconds: 60 })
    sim.seed([first!, last!])
    const records = await collect(pullOrders(ctx(), { from: new Date(NOW.getTime() - 120_000), to: NOW }))
    expect(records.flat()).toHaveLength(2)
  })

  it('an order edited between two pages does not push another one out of sight', async () => {
    const orders = seeded(25)
    const given: string[] = []
    let edits = 0
    for await (const page of pullOrders(ctx(), window)) {
      given.push(...page.map((record) => record.externalId))
      if (edits++ === 0) sim.edit(orders[0]?.id ?? 0, (order) => void (order.customer_note = 'edited'))
    }
    expect(given.toSorted()).toEqual(orders.map((order) => String(order.id)).toSorted())
  })

  it('leaves carts out that were never sent', async () => {
    const order = only()
    sim.seed([{ ...order, id: 1, status: 'checkout-draft' }])
    expect((await collect(pullOrders(ctx(), window))).flat().map((record) => record.externalId)).toEqual([String(order.id)])
    expect(await fetchOrders(ctx(), ['1'])).toEqual([])
  })

  it('an order that was deleted for good is kept with what happened to it', async () => {
    const [record] = await fetchOrders(ctx(), ['999'])
    expect(record).toMatchObject({ externalId: '999', version: 'deleted', payload: { failure: 'it was deleted in the shop' } })
  })

  it('a signature from a clock that is 20 minutes off is refused, and the remedy names the clock', async () => {
    const late = context({ config: { baseUrl: sim.url }, now: () => new Date(clock.getTime() - 20 * 60_000) })
    const result = await woocommerce.check(late)
    expect(result.ok).toBe(false)
    expect(result.problems[0]?.remedy).toContain('clocks')
  })
})

describe('webhooks', () => {
  const receive = (topic: string, id: number) => {
    const { headers, body } = sim.signedWebhook(topic, id)
    return receiveWebhook(ctx(), { headers, rawBody: Buffer.from(body) }).records
  }
  it('carry the order; a deletion is a reason to look; other topics are dropped', async () => {
    const order = only()
    expect(receive('order.created', order.id)).toMatchObject([
      { externalId: String(order.id), payload: { status: 'processing' } },
    ])
    expect(receive('order.deleted', order.id)).toMatchObject([
      { payload: { lookAt: { id: String(order.id), topic: 'order.deleted' } } },
    ])
    expect(receive('product.updated', order.id)).toEqual([])
    const [pulled] = await fetchOrders(ctx(), [String(order.id)])
    expect(receive('order.updated', order.id)[0]?.version).toBe(pulled?.version)
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
  const meta = (id: number) => Object.fromEntries(sim.order(id).meta_data.map(({ key, value }) => [key, value]))

  it('the number is in the meta and in one note to the buyer, and the order is completed', async () => {
    const order = only()
    await writeTracking(ctx({ trackingMetaKey: '_tracking_number' }), told(order))
    await writeTracking(ctx({ trackingMetaKey: '_tracking_number' }), told(order))
    expect(sim.order(order.id).status).toBe('completed')
    expect(meta(order.id)).toMatchObject({ _omnisaga_parcel_900123456785: 'TCAT', _tracking_number: '900123456785' })
    expect(sim.notes(order.id)).toMatchObject([{ note: '已出貨 TCAT：900123456785', customer_note: true }])
    expect(sim.calls().filter((call) => call.method === 'PUT')).toHaveLength(1)
  })

  it('an order in two parcels is completed with the second, and arrives with the second', async () => {
    const order = only()
    const [line] = order.line_items
    if (!line) throw new Error('no line')
    sim.seed([{ ...order, line_items: [{ ...line, quantity: 2 }] }])
    const lines = [{ lineId: String(line.id), sku: null, externalSku: null, quantity: 1 }]
    await writeTracking(ctx(), told(order, { lines }))
    expect(sim.order(order.id).status).toBe('processing')
    await writeTracking(ctx(), told(order, { lines, waybill: 'SECOND' }))
    expect(sim.order(order.id).status).toBe('completed')
    const config = { deliveredStatus: 'arrived' }
    await writeDelivered(ctx(config), { externalId: String(order.id), waybill: 'SECOND', at: '2026-11-23T10:00:00+08:00' })
    expect(sim.order(order.id).status).toBe('completed')
    await writeDelivered(ctx(config), { externalId: String(order.id), waybill: '900123456785', at: '2026-11-24T10:00:00+08:00' })
    expect(sim.order(order.id).status).toBe('arrived')
    expect(meta(order.id)).toMatchObject({ _omnisaga_delivered_SECOND: '2026-11-23T10:00:00+08:00' })
  })

  it('without a status for it, delivery is kept in the meta alone', async () => {
    const order = only()
    await writeTracking(ctx(), told(order))
    for (let time = 0; time < 2; time++)
      await writeDelivered(ctx(), { externalId: String(order.id), waybill: '900123456785', at: '2026-11-24T10:00:00+08:00' })
    expect(sim.order(order.id).status).toBe('completed')
    expect(meta(order.id)._omnisaga_delivered_900123456785).toBe('2026-11-24T10:00:00+08:00')
    expect(sim.calls().filter((call) => call.method === 'PUT')).toHaveLength(2)
  })

  it('a cancelled order takes no number, a completed one no cancellation', async () => {
    const [first, second] = seeded(2)
    if (!first || !second) throw new Error('no orders')
    const cancel = (order: SimOrder) => cancelOrder(ctx(), { externalId: String(order.id), reason: 'out of stock' })
    await cancel(first)
    await cancel(first)
    expect(sim.order(first.id).status).toBe('cancelled')
    expect(sim.calls().filter((call) => call.method === 'PUT')).toHaveLength(1)
    await expect(writeTracking(ctx(), told(first))).rejects.toMatchObject({ kind: 'Rejected', code: 'cancelled' })
    await writeTracking(ctx(), told(second))
    await expect(cancel(second)).rejects.toMatchObject({ kind: 'Rejected', code: 'shipped' })
  })

  it('a refund is paid once for its key, also after a lost answer; too large a one is refused before it is sent', async () => {
    const order = only()
    const ask = (key: string, amountMinor: number) =>
      refund(ctx(), { externalId: String(order.id), key, amountMinor, currency: 'TWD', lines: [], reason: 'damaged' })
    sim.faults.add({ kind: 'lostAnswer', path: '/refunds', method: 'POST' })
    await expect(ask('r1', 10_000)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    const first = await ask('r1', 10_000)
    expect(await ask('r1', 10_000)).toEqual(first)
    expect(sim.refunds(order.id)).toMatchObject([{ amount: '100.00', reason: 'damaged [r1]', refunded_payment: false }])
    await expect(ask('r2', 57_001)).rejects.toMatchObject({ kind: 'Rejected', code: 'refund-too-large' })
    await ask('r2', 57_000)
    expect(sim.order(order.id).status).toBe('refunded')
  })
})

describe('levels', () => {
  const variation = (id: number, sku: string) => ({
    id,
    sku,
    manage_stock: true,
    stock_quantity: 5,
    attributes: [{ id: 1, name: '尺寸', option: sku.slice(-1) }],
  })
  beforeEach(() =>
    sim.stock([
      { id: 10, name: '帽 &amp; 子', type: 'simple', sku: 'CAP', manage_stock: false, stock_quantity: null, variations: [] },
      {
        id: 20,
        name: '上衣',
        type: 'variable',
        sku: '',
        manage_stock: false,
        stock_quantity: null,
        variations: [variation(21, 'TEE-S'), variation(22, 'TEE-M')],
      },
      { id: 30, name: '組', type: 'grouped', sku: 'SET', manage_stock: false, stock_quantity: null, variations: [] },
    ]),
  )
  const level = (listingId: string, variantId: string | null, quantity: number) => ({
    listingId,
    variantId,
    externalSku: null,
    title: null,
    quantity,
    version: 1,
  })

  it('are listed by product, or by variation where there are any', async () => {
    expect((await collect(woocommerce.stock!.listListings!(ctx()))).flat()).toEqual([
      { listingId: '10', variantId: null, externalSku: 'CAP', title: '帽 & 子' },
      { listingId: '20', variantId: '21', externalSku: 'TEE-S', title: '上衣 S' },
      { listingId: '20', variantId: '22', externalSku: 'TEE-M', title: '上衣 M' },
    ])
  })

  it('are pushed in one batch for products and one a product with variations; an unknown one is its own outcome', async () => {
    const outcomes = await woocommerce.stock!.push!(ctx(), [level('20', '21', 7), level('10', null, 3), level('20', '99', 1)])
    expect(outcomes.map((each) => each.error?.code ?? null)).toEqual([null, null, 'woocommerce_rest_product_invalid_id'])
    const [cap, tee] = sim.products()
    expect(cap).toMatchObject({ manage_stock: true, stock_quantity: 3 })
    expect(tee?.variations[0]).toMatchObject({ stock_quantity: 7 })
    expect(sim.calls().map((call) => call.path.replace('/wp-json/wc/v3', ''))).toEqual([
      '/products/20/variations/batch',
      '/products/batch',
    ])
  })

  it('a batch holds a hundred, and no more is asked for', async () => {
    expect(woocommerce.stock!.batchSize).toBe(100)
    const hundred = Array.from({ length: 100 }, () => level('10', null, 4))
    expect((await woocommerce.stock!.push!(ctx(), hundred)).every((each) => each.error === null)).toBe(true)
  })

  it('are read where they are kept', async () => {
    const read = async () => (await collect(woocommerce.stock!.read!(ctx({ stockLocation: 'wh-north' })))).flat()
    expect((await read()).map((each) => [each.externalSku, each.onHand])).toEqual([
      ['TEE-S', 5],
      ['TEE-M', 5],
    ])
    await woocommerce.stock!.push!(ctx(), [level('10', null, 3)])
    expect((await read())[0]).toEqual({ externalSku: 'CAP', externalLocation: 'shop', location: 'wh-north', onHand: 3, at: null })
  })
})
