import { readFileSync } from 'node:fs'
import { WebhooksHelper } from 'square'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits } from '../../connectors/kit/limits.ts'
import { hmac } from '../../connectors/kit/signature.ts'
import { keyOf, refusal, requestOf, type Call, type SquareContext } from '../../connectors/square/api.ts'
import { SquareConfig } from '../../connectors/square/config.ts'
import { FULFILMENT, mapOrder, mapSale, ORDER } from '../../connectors/square/order.ts'
import {
  catalogRequest,
  fetchOrders,
  kindOf,
  ordersRequest,
  parseOrders,
  parseSkus,
  pullOrders,
  pullSales,
  receiveWebhook,
  recordOf,
  searchRequest,
} from '../../connectors/square/pull.ts'
import { Catalog, Locations, OneOrder } from '../../connectors/square/schemas.ts'
import { countsRequest, parseCounts, setRequest, stock } from '../../connectors/square/stock.ts'
import { cancelOrder, refund, refundRequest, updateRequest, writeTracking } from '../../connectors/square/writeback.ts'
import { IncomingOrder } from '../../domain/order.ts'
import { seedOrders, startSquareSimulator, type SquareSimulator } from '../../simulators/square/index.ts'

type Json = Record<string, unknown>
const spec = JSON.parse(readFileSync(new URL('fixtures/square/openapi-excerpt.json', import.meta.url), 'utf8')) as {
  examples: Record<string, Json>
  properties: Record<string, string[]>
  enums: Record<string, string[]>
}
const example = (name: string): Json => spec.examples[name]!

const KEY = 'asdf1234'
const URL_OF_HOOK = 'https://example.com/webhook'
const connection = (over: Json = {}) => ({
  name: 'square-main',
  connector: 'square',
  version: 1,
  config: SquareConfig.parse({
    merchantId: '5S9MXCS9Y99KK',
    accessToken: 'token',
    webhookSignatureKey: KEY,
    notificationUrl: URL_OF_HOOK,
    locations: { L1: 'store-one' },
    ...over,
  }),
  paused: false,
})

describe('the official SDK', () => {
  const ours = (body: string, signature: string, over: Json = {}) =>
    receiveWebhook(
      { connection: connection(over) },
      { headers: { 'X-Square-HmacSha256-Signature': signature }, rawBody: Buffer.from(body) },
    )
  const theirs = (requestBody: string, signatureHeader: string) =>
    WebhooksHelper.verifySignature({ requestBody, signatureHeader, signatureKey: KEY, notificationUrl: URL_OF_HOOK })

  it.each(['OrderCreatedEvent', 'OrderUpdatedEvent', 'OrderFulfillmentUpdatedEvent'])(
    'accepts the signature that we accept of the documented %s, and refuses what we refuse',
    async (name) => {
      const event = example(name)
      const body = JSON.stringify(event)
      const signature = hmac('sha256', KEY, URL_OF_HOOK + body, 'base64')
      expect(await theirs(body, signature)).toBe(true)
      expect(ours(body, signature).records).toEqual([
        {
          kind: 'order',
          externalId: 'eA3vssLHKJrv9H0IdJCM3gNqfdcZY',
          version: `webhook-${event.event_id}`,
          eventAt: event.created_at,
          payload: { lookAt: { id: 'eA3vssLHKJrv9H0IdJCM3gNqfdcZY', type: event.type } },
        },
      ])
      for (const [altered, given] of [
        [`${body} `, signature],
        [body, hmac('sha256', 'another', URL_OF_HOOK + body, 'base64')],
        [body, hmac('sha256', KEY, body, 'base64')],
        [body, hmac('sha256', KEY, URL_OF_HOOK + body, 'hex')],
      ] as const) {
        expect(await theirs(altered, given)).toBe(false)
        expect(() => ours(altered, given)).toThrow(expect.objectContaining({ code: 'forged' }) as Error)
      }
      expect(() => ours(body, signature, { notificationUrl: null })).toThrow(expect.objectContaining({ code: 'forged' }) as Error)
      // One subscription tells of every seller of the app.
      expect(ours(body, signature, { merchantId: 'OTHER' }).records).toEqual([])
    },
  )

  it('accepts what the stand-in signs', async () => {
    const sim = await startSquareSimulator({
      accessToken: 't',
      merchantId: 'm',
      signatureKey: KEY,
      notificationUrl: URL_OF_HOOK,
    })
    try {
      sim.seed(seedOrders(1))
      const { headers, body } = sim.signedWebhook('order.updated', 'ORDER0000')
      expect(await theirs(body, headers['x-square-hmacsha256-signature']!)).toBe(true)
    } finally {
      await sim.stop()
    }
  })
})

describe('the OpenAPI specification', () => {
  /** Every key of a request is one of the schema's. */
  const isOf = (value: unknown, schema: string, parts: Record<string, string> = {}) => {
    for (const [key, part] of Object.entries(value as Json)) {
      expect(spec.properties[schema], `${schema}.${key}`).toContain(key)
      const named = parts[`${schema}.${key}`]
      if (named) for (const each of [part].flat()) isOf(each, named, parts)
    }
  }
  const now = new Date('2026-11-22T02:00:00Z')
  const parts = {
    'SearchOrdersRequest.query': 'SearchOrdersQuery',
    'SearchOrdersQuery.filter': 'SearchOrdersFilter',
    'SearchOrdersQuery.sort': 'SearchOrdersSort',
    'SearchOrdersFilter.date_time_filter': 'SearchOrdersDateTimeFilter',
    'SearchOrdersDateTimeFilter.updated_at': 'TimeRange',
    'UpdateOrderRequest.order': 'Order',
    'Order.fulfillments': 'Fulfillment',
    'Fulfillment.shipment_details': 'FulfillmentShipmentDetails',
    'RefundPaymentRequest.amount_money': 'Money',
    'BatchChangeInventoryRequest.changes': 'InventoryChange',
    'InventoryChange.physical_count': 'InventoryPhysicalCount',
  }
  const told = { externalId: 'O', key: 'r1', amountMinor: 500, currency: 'USD', lines: [], reason: 'damaged' }
  const level = { variantId: 'V', quantity: 3, version: 1 }
  const change = { fulfillments: [{ uid: 'u', state: 'COMPLETED', shipment_details: { tracking_number: 'W', carrier: 'UPS' } }] }
  const calls: [string, Call][] = [
    ['SearchOrdersRequest', searchRequest(['L1'], { start: now, end: now, take: 5 })],
    ['BatchRetrieveOrdersRequest', ordersRequest(['O'])],
    ['BatchRetrieveCatalogObjectsRequest', catalogRequest(['V'])],
    ['BatchRetrieveInventoryCountsRequest', countsRequest({ ids: ['V'], locations: ['L1'], cursor: 'c' })],
    ['BatchChangeInventoryRequest', setRequest({ key: 'k', location: 'L1', occurredAt: now, levels: [level] })],
    ['UpdateOrderRequest', updateRequest({ id: 'O', location_id: 'L1', version: 1 }, change, 'k')],
    ['RefundPaymentRequest', refundRequest(told, 'P')],
  ]
  it.each(calls)('%s knows every field that we send', (schema, call) => {
    isOf(call.body, schema, parts)
    expect(requestOf(connection().config, call).headers).toMatchObject({
      authorization: 'Bearer token',
      'square-version': '2026-09-16',
    })
  })

  it('its states are all known here', () => {
    expect([...ORDER.keys()].toSorted()).toEqual(spec.enums.OrderState!.toSorted())
    expect([...FULFILMENT.keys()].toSorted()).toEqual(spec.enums.FulfillmentState!.toSorted())
  })

  it('its examples are read', () => {
    expect(parseCounts(example('BatchRetrieveInventoryCountsResponse')).items).toMatchObject([
      { catalog_object_id: 'W62UWFY35CWMYGVWK6TWJDNI', quantity: '79' },
    ])
    expect(parseOrders(example('BatchRetrieveOrdersResponse'))).toHaveLength(1)
    expect(OneOrder.parse(example('RetrieveOrderResponse')).order).toMatchObject({ id: 'CAISENgvlJ6jLWAzERDzjyHVybY' })
    expect(Locations.parse(example('ListLocationsResponse')).locations).toHaveLength(2)
    expect(Catalog.parse(example('BatchRetrieveCatalogObjectsResponse')).objects).toHaveLength(2)
    // None of them has a SKU.
    expect(parseSkus(example('BatchRetrieveCatalogObjectsResponse'))).toEqual([])
    const count = example('BatchChangeInventoryRequest').changes as { type: string; physical_count: Json }[]
    const ours = calls.find(([name]) => name === 'BatchChangeInventoryRequest')![1].body!.changes as typeof count
    expect(ours[0]).toMatchObject({ type: count[0]!.type, physical_count: { state: count[0]!.physical_count.state } })
  })

  it('the retrieved order, once completed, is a sale of its two items', () => {
    const order = { location_id: 'L1', state: 'COMPLETED', ...(example('RetrieveOrderResponse').order as Json) }
    order.state = 'COMPLETED'
    order.location_id = 'L1'
    expect(kindOf(order)).toBe('sale')
    expect(mapSale(connection(), recordOf(order, 'sale', new Map())).lines).toEqual([
      { lineId: 'ULkg0tQTRK2bkU9fNv3IJD', externalSku: 'Item 1', quantity: 1 },
      { lineId: 'mumY8Nun4BC5aKe2yyx5a', externalSku: 'Item 2', quantity: 2 },
    ])
  })
})

describe('an order', () => {
  const [seeded] = seedOrders(1, { newest: new Date('2026-11-22T02:00:00Z'), quantity: 2 })
  const map = (over: Json = {}, config: Json = {}) =>
    IncomingOrder.parse(
      mapOrder(connection(config), { externalId: 'ORDER0000', payload: { ...seeded, skus: { VAR1: 'TEE-S' }, ...over } }),
    )
  const fulfilment = (over: Json) => ({ fulfillments: [{ ...seeded!.fulfillments![0], ...over }] })

  it('is read as a person reads it', () => {
    expect(map()).toMatchObject({
      channel: 'square',
      shop: '5S9MXCS9Y99KK',
      recipient: {
        name: 'Amelia Grant',
        phone: '+14155552000',
        address: { country: 'US', province: 'CA', city: 'San Francisco' },
      },
      payment: { state: 'paid', currency: 'USD' },
      lines: [{ lineId: 'line-0', sku: 'TEE-S', quantity: 2, unitPriceMinor: 1_500, name: 'T-shirt', variant: 'Small' }],
      totals: { totalMinor: 3_000 },
      delivery: { method: 'home', location: null },
      onHold: false,
    })
  })

  it('that is not paid, drafted, failed or of an unknown state is held; an unknown one is shown', () => {
    expect(map({ net_amount_due_money: { amount: 1, currency: 'USD' } })).toMatchObject({
      onHold: true,
      payment: { state: 'pending' },
    })
    expect(map({ state: 'DRAFT' }).onHold).toBe(true)
    expect(map(fulfilment({ state: 'FAILED' })).onHold).toBe(true)
    expect(map(fulfilment({ state: 'BEAMED' }))).toMatchObject({ onHold: true, notes: 'Square state BEAMED' })
    expect(map(fulfilment({ type: 'DRONE' }))).toMatchObject({ onHold: true, notes: 'Square state DRONE' })
  })

  it('has left when its fulfilments are completed, and is cancelled when they all are', () => {
    expect(map(fulfilment({ state: 'COMPLETED' }))).toMatchObject({ fulfilled: true, onHold: false })
    expect(map(fulfilment({ state: 'CANCELED' }))).toMatchObject({ cancelled: true, onHold: false })
    expect(map({ state: 'CANCELED' })).toMatchObject({ cancelled: true, fulfilled: false })
  })

  it('is picked up, or handed to the channel’s courier, at our location', () => {
    expect(map(fulfilment({ type: 'PICKUP', pickup_details: { pickup_at: '2026-11-23T02:00:00Z' } })).delivery).toMatchObject({
      method: 'storePickup',
      location: 'store-one',
      promisedBy: '2026-11-23T02:00:00.000Z',
    })
    const managed = fulfilment({ type: 'DELIVERY', shipment_details: null, delivery_details: { managed_delivery: true } })
    expect(map(managed).delivery).toMatchObject({ method: 'handOver', location: 'store-one' })
  })

  it('that is sold by weight is for a person', () => {
    const line_items = [{ ...seeded!.line_items[0]!, quantity: '1.5' }]
    expect(() => map({ line_items })).toThrow(expect.objectContaining({ kind: 'Invalid', code: 'quantity' }) as Error)
  })
})

describe('what a refusal means', () => {
  it.each([
    ['INVALID_REQUEST_ERROR', 'VERSION_MISMATCH', 409, 'Transient'],
    ['INVALID_REQUEST_ERROR', 'NOT_FOUND', 404, 'Rejected'],
    ['AUTHENTICATION_ERROR', 'INSUFFICIENT_SCOPES', 403, 'Misconfigured'],
    ['REFUND_ERROR', 'REFUND_AMOUNT_INVALID', 400, 'Rejected'],
  ])('%s %s is told as it is', (category, code, status, kind) => {
    expect(refusal(status, 'Square POST /v2/refunds', [{ category, code, field: null }])).toMatchObject({ kind, code })
  })
  it('a key is a UUID of 36 letters and always the same', () => {
    expect(keyOf('a', 1)).toMatch(/^[0-9a-f-]{36}$/)
    expect(keyOf('a', 1)).toBe(keyOf('a', 1))
    expect(keyOf('a', 2)).not.toBe(keyOf('a', 1))
  })
})

describe('against the stand-in', () => {
  let sim: SquareSimulator
  afterEach(() => sim.stop())
  async function start(over: Json = {}): Promise<SquareContext> {
    sim = await startSquareSimulator({ accessToken: 'token', merchantId: 'm', signatureKey: KEY, notificationUrl: URL_OF_HOOK })
    sim.stock([{ id: 'VAR1', itemId: 'ITEM1', name: 'Small', sku: 'TEE-S' }], { VAR1: 3 })
    return {
      connection: connection({ baseUrl: sim.url, ...over }),
      http: createHttpClient({
        connection: 'square-main',
        limits: defaultLimits,
        quota: { take: async () => undefined, pause: async () => undefined },
      }),
      tokens: { read: async () => null, refresh: () => Promise.reject(new Error('there is nothing to refresh')) },
      now: () => new Date(),
    }
  }
  const window = () => ({ from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 1_000) })
  async function all<T>(pages: AsyncGenerator<T[]>): Promise<T[]> {
    const found: T[] = []
    for await (const page of pages) found.push(...page)
    return found
  }

  it('orders with a fulfilment are orders, completed ones without are sales, returns are negative', async () => {
    const ctx = await start()
    const [sale, back] = seedOrders(2, { atTill: true })
    const returned = { uid: 'back-line', quantity: '1', catalog_object_id: 'VAR1', item_type: 'ITEM' }
    const voucher = { uid: 'v', name: 'Voucher', quantity: '1', catalog_object_id: '', item_type: 'GIFT_CARD' }
    sim.seed([
      ...seedOrders(2),
      { ...sale!, line_items: [...sale!.line_items, voucher] },
      { ...back!, line_items: [], returns: [{ source_order_id: sale!.id, return_line_items: [returned] }] },
      { ...seedOrders(1, { atTill: true })[0]!, id: 'TICKET', state: 'OPEN' },
    ])
    expect((await all(pullOrders(ctx, window()))).map(({ kind, externalId }) => [kind, externalId])).toEqual([
      ['order', 'ORDER0000'],
      ['order', 'ORDER0001'],
    ])
    const sales = await all(pullSales(ctx, window()))
    expect(sales.map((record) => mapSale(ctx.connection, record))).toMatchObject([
      { externalId: 'SALE0000', location: 'store-one', lines: [{ lineId: 'line-0', externalSku: 'TEE-S', quantity: 1 }] },
      { externalId: 'SALE0001', lines: [{ lineId: 'back-line', externalSku: 'TEE-S', quantity: -1 }] },
    ])
    // An edited note of a sale is no news.
    sim.edit('SALE0000', (order) => void (order.note = 'x'))
    const again = (await all(pullSales(ctx, window()))).find(({ externalId }) => externalId === 'SALE0000')
    expect(again?.version).toBe(sales[0]?.version)
    const fetched = await fetchOrders(ctx, ['ORDER0000', 'SALE0000', 'TICKET', 'GONE'])
    expect(fetched.map(({ kind, externalId }) => [kind, externalId])).toEqual([
      ['order', 'ORDER0000'],
      ['sale', 'SALE0000'],
    ])
  })

  it('two parcels share a shipment’s number; it is completed with the last piece, and cancelled no more', async () => {
    const ctx = await start()
    sim.seed(seedOrders(1, { quantity: 3 }))
    const told = (waybill: string, quantity: number) => ({
      externalId: 'ORDER0000',
      key: waybill,
      waybill,
      courier: 'UPS',
      lines: [{ lineId: 'line-0', quantity, sku: null, externalSku: null }],
    })
    for (let time = 0; time < 2; time++) await writeTracking(ctx, told('W1', 1))
    expect(sim.order('ORDER0000')).toMatchObject({ version: 2, state: 'OPEN', fulfillments: [{ state: 'PREPARED' }] })
    for (let time = 0; time < 2; time++) await writeTracking(ctx, told('W2', 2))
    expect(sim.order('ORDER0000')).toMatchObject({
      version: 3,
      state: 'COMPLETED',
      fulfillments: [{ state: 'COMPLETED', shipment_details: { tracking_number: 'W1, W2', carrier: 'UPS' } }],
    })
    await expect(writeTracking(ctx, told('W3', 1))).rejects.toMatchObject({ kind: 'Rejected', code: 'no-shipment' })
    await expect(cancelOrder(ctx, { externalId: 'ORDER0000', reason: 'x' })).rejects.toMatchObject({ code: 'shipped' })
  })

  it('a refund is paid once for its key, and one that is too large is refused', async () => {
    const ctx = await start()
    sim.seed(seedOrders(1))
    const wanted = { externalId: 'ORDER0000', key: 'r1', amountMinor: 1_000, currency: 'USD', lines: [], reason: 'damaged' }
    const first = await refund(ctx, wanted)
    expect(await refund(ctx, wanted)).toEqual(first)
    await expect(refund(ctx, { ...wanted, key: 'r2' })).rejects.toMatchObject({ code: 'REFUND_AMOUNT_INVALID' })
    await expect(refund(ctx, { ...wanted, key: 'r3', amountMinor: 9_999 })).rejects.toMatchObject({ code: 'no-payment' })
    expect(sim.refunds()).toHaveLength(1)
  })

  it("tells in its orders what was paid back: ours with our key however long the reason, the seller's own without", async () => {
    const ctx = await start()
    sim.seed(seedOrders(1))
    const told = async () => mapOrder(ctx.connection, (await fetchOrders(ctx, ['ORDER0000']))[0]!).paidBack
    const wanted = { externalId: 'ORDER0000', key: 'refund:o-1:r1', amountMinor: 300, currency: 'USD', lines: [] }
    const { refundId } = await refund(ctx, { ...wanted, reason: 'damaged '.repeat(40) })
    const money = { amount: 200, currency: 'USD' }
    const byHand = (id: string, status: string) => ({ id, tender_id: 'PAY0', reason: '', status, amount_money: money })
    sim.edit('ORDER0000', (order) => order.refunds?.push(byHand('R1', 'APPROVED'), byHand('R2', 'FAILED')))
    expect(await told()).toEqual([
      { id: refundId, amountMinor: 300, key: 'refund:o-1:r1' },
      { id: 'R1', amountMinor: 200, key: null },
    ])
  })

  it('a level that is shown already is not counted again; what is refused is that listing’s alone', async () => {
    const ctx = await start()
    const level = (variantId: string | null, quantity: number) => ({
      listingId: 'ITEM1',
      variantId,
      externalSku: null,
      title: null,
      quantity,
      version: 1,
    })
    const outcomes = await stock.push!(ctx, [level('GONE', 5), level('VAR1', 8), level(null, 1)])
    expect(outcomes.map(({ error }) => error?.code ?? null)).toEqual(['NOT_FOUND', null, 'no-variant'])
    await stock.push!(ctx, [level('VAR1', 8)])
    expect([sim.count('VAR1'), sim.countings()]).toEqual([8, 1])
    expect(await all(stock.read!(ctx))).toMatchObject([{ externalSku: 'TEE-S', location: 'store-one', onHand: 8 }])
    expect(await all(stock.listListings!(ctx))).toEqual([
      { listingId: 'ITEM1', variantId: 'VAR1', externalSku: 'TEE-S', title: 'ITEM1 Small' },
    ])
  })
})
