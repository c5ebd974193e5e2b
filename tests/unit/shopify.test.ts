import '@shopify/shopify-api/adapters/node'
import { LogSeverity, shopifyApi } from '@shopify/shopify-api'
import { createSHA256HMAC, HashFormat } from '@shopify/shopify-api/runtime'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAnswer, throttleDelayMs, type ShopifyContext } from '../../connectors/shopify/api.ts'
import { ShopifyConfig } from '../../connectors/shopify/config.ts'
import { amountText, mapOrder, minorOf } from '../../connectors/shopify/order.ts'
import { fetchOrders, orderRecord, pullOrders, receiveWebhook } from '../../connectors/shopify/pull.ts'
import { idempotencyKey, refund, refundParts } from '../../connectors/shopify/refund.ts'
import { FINANCIAL, FULFILMENT } from '../../connectors/shopify/status.ts'
import { stock } from '../../connectors/shopify/stock.ts'
import { cancelOrder, cancelReason, sharesOf, writeDelivered, writeTracking } from '../../connectors/shopify/writeback.ts'
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits } from '../../connectors/kit/limits.ts'
import type { Tokens } from '../../connectors/kit/types.ts'
import { IncomingOrder } from '../../domain/order.ts'
import { seedOrders, startShopifySimulator, type ShopifySimulator } from '../../simulators/shopify/index.ts'

type Json = Record<string, unknown>
const SECRET = 'shpss_unit_secret'
const SHOP = 'omnisaga-test.myshopify.com'
const config = (over: Json = {}): ShopifyConfig =>
  ShopifyConfig.parse({ shop: SHOP, accessToken: 'shpat_unit', clientSecret: SECRET, ...over })
const connection = (over: Json = {}) => ({
  name: 'shopify-main',
  connector: 'shopify',
  version: 1,
  config: config(over),
  paused: false,
})

const order = (over: Json = {}): Json => ({
  id: 'gid://shopify/Order/5001',
  name: '#1001',
  updatedAt: '2026-11-22T02:00:00Z',
  processedAt: '2026-11-22T01:59:58Z',
  currencyCode: 'TWD',
  displayFinancialStatus: 'PAID',
  displayFulfillmentStatus: 'UNFULFILLED',
  paymentGatewayNames: ['ecpay'],
  email: 'yi@example.com',
  shippingLine: { title: '宅配', code: 'home' },
  shippingAddress: {
    firstName: '怡君',
    lastName: '陳',
    name: '怡君 陳',
    phone: '0912-345-678',
    address1: '中正區重慶南路一段1號',
    city: '台北市',
    zip: '100',
    countryCodeV2: 'TW',
  },
  totalPriceSet: { shopMoney: { amount: '670.0' } },
  totalOutstandingSet: { shopMoney: { amount: '650.0' } },
  lineItems: {
    nodes: [
      {
        id: 'gid://shopify/LineItem/71',
        title: '上衣',
        sku: 'TEE-S',
        quantity: 2,
        currentQuantity: 2,
        requiresShipping: true,
        variant: { id: 'gid://shopify/ProductVariant/44' },
        discountedUnitPriceAfterAllDiscountsSet: { shopMoney: { amount: '295.0' } },
      },
    ],
  },
  ...over,
})
const line = (over: Json): Json => ({ ...(order().lineItems as { nodes: Json[] }).nodes[0], ...over })
const map = (payload: Json, over: Json = {}) => IncomingOrder.parse(mapOrder(connection(over), { externalId: '5001', payload }))

describe('the official SDK', () => {
  const sdk = shopifyApi({
    apiKey: 'key',
    apiSecretKey: SECRET,
    hostName: 'app.example',
    isEmbeddedApp: false,
    apiVersion: '2026-07' as never,
    logger: { level: LogSeverity.Error, log: () => undefined },
  })
  const body = '{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508","name":"#9999 陳"}'
  const headersOf = (signature: string): Record<string, string> => ({
    'X-Shopify-Topic': 'orders/cancelled',
    'X-Shopify-Shop-Domain': SHOP,
    'X-Shopify-API-Version': '2026-07',
    'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    'X-Shopify-Event-Id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
    'X-Shopify-Triggered-At': '2026-11-22T02:00:00.123456789Z',
    'X-Shopify-Hmac-Sha256': signature,
  })
  const ours = (headers: Record<string, string>, raw: string) =>
    receiveWebhook({ connection: connection() }, { headers, rawBody: Buffer.from(raw) })
  const theirs = (headers: Record<string, string>, raw: string) =>
    sdk.webhooks.validate({ rawBody: raw, rawRequest: { headers, method: 'POST', url: '/' }, rawResponse: {} } as never)

  it('accepts what our stand-in signs', async () => {
    const sim = await startShopifySimulator({ shop: SHOP, clientId: 'id', clientSecret: SECRET })
    try {
      const [seeded] = seedOrders(1)
      sim.seed([seeded!])
      const signed = sim.signedWebhook('orders/create', seeded!.id)
      expect(await theirs(signed.headers, signed.body)).toMatchObject({ valid: true, topic: 'ORDERS_CREATE', domain: SHOP })
      expect(await theirs(signed.headers, `${signed.body} `)).toMatchObject({ valid: false, reason: 'invalid_hmac' })
    } finally {
      await sim.stop()
    }
  })

  it('signs what we accept, and we refuse what it refuses', async () => {
    const signature = await createSHA256HMAC(SECRET, body, HashFormat.Base64)
    expect(await theirs(headersOf(signature), body)).toMatchObject({ valid: true })
    const { records } = ours(headersOf(signature), body)
    expect(records).toEqual([
      {
        kind: 'order',
        // Larger than a double holds: as a number it would be 820982911946154500.
        externalId: '820982911946154508',
        version: 'webhook-b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
        eventAt: '2026-11-22T02:00:00.123Z',
        payload: { lookAt: { id: '820982911946154508', topic: 'orders/cancelled' } },
      },
    ])
    const other = await createSHA256HMAC('another secret', body, HashFormat.Base64)
    const hex = await createSHA256HMAC(SECRET, body, HashFormat.Hex)
    for (const [headers, raw] of [
      [headersOf(signature), body.replace('9999', '9998')],
      [headersOf(other), body],
      [headersOf(hex), body],
      [headersOf(''), body],
    ] as const) {
      expect(await theirs(headers, raw)).toMatchObject({ valid: false })
      expect(() => ours(headers, raw)).toThrow(expect.objectContaining({ kind: 'Rejected', code: 'forged' }) as Error)
    }
  })

  it.each([
    ['another topic', { 'X-Shopify-Topic': 'products/update' }],
    ['another shop of the same app', { 'X-Shopify-Shop-Domain': 'other.myshopify.com' }],
  ])('a webhook of %s holds nothing for us', async (_, over) => {
    const signature = await createSHA256HMAC(SECRET, body, HashFormat.Base64)
    expect(ours({ ...headersOf(signature), ...over }, body).records).toEqual([])
  })
})

describe('an order', () => {
  it('is read as a person reads it', () => {
    expect(map(order())).toMatchObject({
      channel: 'shopify',
      shop: SHOP,
      externalId: '5001',
      externalVersion: '2026-11-22T02:00:00Z',
      placedAt: '2026-11-22T01:59:58Z',
      recipient: {
        name: '陳怡君',
        phone: '+886912345678',
        address: { postalCode: '100', city: '臺北市', district: '中正區', line: '重慶南路一段1號', country: 'TW' },
      },
      payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
      lines: [{ lineId: '71', sku: 'TEE-S', quantity: 2, unitPriceMinor: 29_500 }],
      totals: { totalMinor: 67_000 },
      onHold: false,
      fulfilled: false,
      cancelled: false,
    })
  })

  it('that the courier collects for is due for what is outstanding', () => {
    const cod = order({ displayFinancialStatus: 'PENDING', paymentGatewayNames: ['Cash on Delivery (COD)'] })
    expect(map(cod)).toMatchObject({ payment: { method: 'cod', state: 'due', amountDueMinor: 65_000 }, onHold: false })
    expect(map(order({ displayFinancialStatus: 'PENDING' })).onHold).toBe(true)
  })

  it('whose money is only reserved waits, unless the shop says otherwise', () => {
    const reserved = order({ displayFinancialStatus: 'AUTHORIZED' })
    expect(map(reserved).onHold).toBe(true)
    expect(map(reserved, { shipWhenAuthorized: true })).toMatchObject({ onHold: false, payment: { state: 'pending' } })
  })

  it('counts what was not taken out of it, and leaves gift cards out', () => {
    const nodes = [
      line({ currentQuantity: 1 }),
      line({ id: 'gid://shopify/LineItem/72', currentQuantity: 0 }),
      line({ id: 'gid://shopify/LineItem/73', requiresShipping: false }),
    ]
    expect(map(order({ lineItems: { nodes } })).lines.map(({ lineId, quantity }) => [lineId, quantity])).toEqual([['71', 1]])
    const gone = order({ lineItems: { nodes: [line({ currentQuantity: 0 })] } })
    expect(map(gone)).toMatchObject({ onHold: true, lines: [{ quantity: 2 }] })
    expect(map({ ...gone, cancelledAt: '2026-11-22T03:00:00Z' })).toMatchObject({ cancelled: true, onHold: false })
  })

  it('goes to the store, the counter or the till that it names', () => {
    const work = (methodType: string) =>
      order({
        fulfillmentOrders: {
          nodes: [{ deliveryMethod: { methodType }, assignedLocation: { location: { id: 'gid://shopify/Location/77' } } }],
        },
      })
    expect(map(work('PICK_UP'), { pickupLocations: { 77: 'store-taipei' } }).delivery).toMatchObject({
      method: 'storePickup',
      location: 'store-taipei',
    })
    expect(map(work('RETAIL'))).toMatchObject({ kind: 'store', fulfilled: true, onHold: false })
    const store = order({
      customAttributes: [{ key: '門市代號', value: '991182' }],
      shippingLine: { title: '7-11 取貨', code: 'x' },
    })
    expect(map(store, { cvsMethods: { '7-11 取貨': 'UNIMART' }, cvsStoreAttributes: ['門市代號'] }).delivery).toMatchObject({
      method: 'cvs',
      cvs: { chain: 'UNIMART', storeId: '991182' },
    })
    expect(map(order(), { services: { home: 'TCAT' } }).delivery.service).toBe('TCAT')
  })

  it.each([...FINANCIAL.keys()])('with the financial status %s maps without a note', (displayFinancialStatus) => {
    expect(map(order({ displayFinancialStatus })).notes).toBeNull()
  })
  it.each([...FULFILMENT.keys()])('with the fulfilment status %s maps without a note', (displayFulfillmentStatus) => {
    expect(map(order({ displayFulfillmentStatus })).notes).toBeNull()
  })
  it('with a status that nobody knows is held and shows it; free of charge it has none', () => {
    const unknown = map(order({ displayFulfillmentStatus: 'BEAMED' }))
    expect(unknown).toMatchObject({ onHold: true, notes: 'Shopify status BEAMED' })
    expect(map(order({ displayFinancialStatus: null }))).toMatchObject({ onHold: false, payment: { state: 'paid' } })
  })

  it('that is not there, or no order, is Invalid with a remedy', () => {
    for (const payload of [orderRecord('1', null).payload, { lookAt: { id: '1' } }, order({ lineItems: 'none' })])
      expect(() => map(payload)).toThrow(expect.objectContaining({ kind: 'Invalid', remedy: expect.any(String) }) as Error)
  })
})

describe('what an answer means', () => {
  const answer = (body: unknown, status = 200) => ({ status, headers: {}, body: JSON.stringify(body) })
  const call = { operation: 'orders', write: false }
  const refused = (code: string, extensions?: unknown) => () =>
    parseAnswer(answer({ errors: [{ message: 'no', extensions: { code } }], extensions }), call)

  it('THROTTLED waits until the bucket holds what the query costs', () => {
    const cost = {
      requestedQueryCost: 502,
      throttleStatus: { maximumAvailable: 2000, currentlyAvailable: 52, restoreRate: 100 },
    }
    expect(throttleDelayMs({ cost })).toBe(4_500)
    expect(refused('THROTTLED', { cost })).toThrow(expect.objectContaining({ kind: 'RateLimited', retryAfterMs: 4_500 }) as Error)
    expect(refused('THROTTLED')).toThrow(expect.objectContaining({ kind: 'RateLimited', retryAfterMs: 1_000 }) as Error)
  })

  it.each([
    ['ACCESS_DENIED', 'Misconfigured'],
    ['SHOP_INACTIVE', 'Misconfigured'],
    ['MAX_COST_EXCEEDED', 'Misconfigured'],
    ['INTERNAL_SERVER_ERROR', 'Transient'],
    ['undefinedField', 'Rejected'],
  ])('%s is %s', (code, kind) => expect(refused(code)).toThrow(expect.objectContaining({ kind, code }) as Error))

  it.each([
    [301, 'Misconfigured'],
    [402, 'Misconfigured'],
    [404, 'Misconfigured'],
    [423, 'Misconfigured'],
    [403, 'Misconfigured'],
    [400, 'Rejected'],
  ])('HTTP %i is %s', (status, kind) =>
    expect(() => parseAnswer(answer({ errors: 'no' }, status), call)).toThrow(expect.objectContaining({ kind }) as Error),
  )

  it('an internal error of a write leaves open what became of it', () => {
    const told = answer({ errors: [{ message: 'oops', extensions: { code: 'INTERNAL_SERVER_ERROR' } }] })
    const write = { operation: 'refundCreate', write: true }
    expect(() => parseAnswer(told, write)).toThrow(expect.objectContaining({ kind: 'OutcomeUnknown' }) as Error)
  })
})

describe('small things', () => {
  it('amounts go and come in the currency’s own digits', () => {
    expect([minorOf('590.0', 'TWD'), minorOf('1200', 'JPY'), amountText(59_000, 'TWD'), amountText(1_200, 'JPY')]).toEqual([
      59_000,
      1_200,
      '590.00',
      '1200',
    ])
  })
  it('the key of a refund is a UUID and always the same', () => {
    expect(idempotencyKey('shop', '1', 'r1')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    expect(idempotencyKey('shop', '1', 'r1')).toBe(idempotencyKey('shop', '1', 'r1'))
    expect(idempotencyKey('shop', '1', 'r2')).not.toBe(idempotencyKey('shop', '1', 'r1'))
  })
  it.each([
    ['out of stock', 'INVENTORY'],
    ['customer changed mind', 'CUSTOMER'],
    ['not paid in time', 'DECLINED'],
    ['fraud', 'FRAUD'],
    ['because', 'OTHER'],
  ])('cancelled because "%s" is %s', (reason, code) => expect(cancelReason(reason)).toBe(code))

  const paid = (id: string, amount: string, over: Json = {}) => ({
    id,
    kind: 'SALE',
    status: 'SUCCESS',
    gateway: 'card',
    parentTransaction: null,
    amountSet: { shopMoney: { amount, currencyCode: 'TWD' } },
    ...over,
  })
  it('a refund goes back to the payments that it came from, less what went back before', () => {
    const transactions = [
      paid('a', '100.0', { kind: 'AUTHORIZATION' }),
      paid('b', '100.0', { kind: 'CAPTURE' }),
      paid('r', '40.0', { kind: 'REFUND', parentTransaction: { id: 'b' } }),
      paid('f', '40.0', { kind: 'REFUND', status: 'FAILURE', parentTransaction: { id: 'b' } }),
      paid('c', '50.0'),
    ]
    const all = { currencyCode: 'TWD', transactions, refunds: [] }
    expect(refundParts(all, 8_000)?.map(({ parentId, amountMinor }) => [parentId, amountMinor])).toEqual([
      ['b', 6_000],
      ['c', 2_000],
    ])
    expect(refundParts(all, 11_001)).toBeNull()
  })

  it('a parcel takes its lines from each location’s work, one fulfilment a location, less what stands under its number', () => {
    const work = (id: string, location: string, lines: [string, number][]) => ({
      id,
      supportedActions: [],
      assignedLocation: { location: { id: location } },
      lineItems: {
        nodes: lines.map(([lineId, remainingQuantity]) => ({
          id: `${id}-${lineId}`,
          remainingQuantity,
          lineItem: { id: `gid://shopify/LineItem/${lineId}` },
        })),
        pageInfo: { hasNextPage: false },
      },
    })
    const open = [work('f1', 'A', [['1', 2]]), work('f2', 'B', [['1', 2]]), work('f3', 'A', [['2', 1]])]
    const told = (lineId: string, quantity: number) => ({ lineId, quantity, sku: null, externalSku: null })
    expect(sharesOf(open, { lines: [told('1', 3), told('2', 1)] }, new Map())).toEqual([
      [
        { fulfillmentOrderId: 'f1', fulfillmentOrderLineItems: [{ id: 'f1-1', quantity: 2 }] },
        { fulfillmentOrderId: 'f3', fulfillmentOrderLineItems: [{ id: 'f3-2', quantity: 1 }] },
      ],
      [{ fulfillmentOrderId: 'f2', fulfillmentOrderLineItems: [{ id: 'f2-1', quantity: 1 }] }],
    ])
    expect(sharesOf(open, { lines: [told('1', 2)] }, new Map([['1', 2]]))).toEqual([])
    expect(sharesOf(open, { lines: [] }, new Map()).flat()).toHaveLength(3)
  })
})

describe('against the stand-in', () => {
  let sim: ShopifySimulator
  afterEach(() => sim.stop())
  async function start(count: number, options: Parameters<typeof seedOrders>[1] = {}) {
    sim = await startShopifySimulator({ shop: SHOP, clientId: 'id', clientSecret: SECRET })
    const orders = seedOrders(count, options)
    sim.seed(orders)
    let tokens: Tokens | null = null
    const ctx: ShopifyContext = {
      connection: connection({ baseUrl: sim.url, accessToken: null, clientId: 'id' }),
      http: createHttpClient({
        connection: 'shopify-main',
        limits: defaultLimits,
        quota: { take: async () => undefined, pause: async () => undefined },
      }),
      tokens: { read: async () => tokens, refresh: async (_, exchange) => (tokens = await exchange(tokens)) },
      now: () => new Date(),
    }
    return { ctx, orders, id: orders[0]?.id ?? '' }
  }
  const told = (id: string, waybill: string, quantity: number) => ({
    externalId: id,
    key: waybill,
    waybill,
    courier: 'POST',
    lines: [{ lineId: sim.order(id).lines[0]!.id, quantity, sku: null, externalSku: null }],
  })

  it('an order with more lines than one page comes whole', async () => {
    const { ctx, id } = await start(1)
    sim.edit(id, (each) => {
      each.lines = Array.from({ length: 130 }, (_, at) => ({ ...each.lines[0]!, id: String(900 + at) }))
    })
    const [record] = await fetchOrders(ctx, [id])
    const mapped = IncomingOrder.parse(mapOrder(ctx.connection, record!))
    expect(new Set(mapped.lines.map(({ lineId }) => lineId)).size).toBe(130)
    expect(await fetchOrders(ctx, ['123'])).toMatchObject([{ version: 'gone' }])
  })

  it('orders of one second, more than a page of them, all come', async () => {
    const { ctx, orders } = await start(230, { apartSeconds: 0 })
    const found: string[] = []
    const window = { from: new Date(Date.now() - 60_000), to: new Date() }
    for await (const page of pullOrders(ctx, window)) found.push(...page.map(({ externalId }) => externalId))
    expect(found.toSorted()).toEqual(orders.map(({ id }) => id).toSorted())
  })

  it('two parcels are two fulfilments, each told twice; a third has nothing left', async () => {
    const { ctx, id } = await start(1, { quantity: 3 })
    for (const parcel of [told(id, 'W1', 1), told(id, 'W1', 1), told(id, 'W2', 2), told(id, 'W2', 2)])
      await writeTracking(ctx, parcel)
    expect(sim.order(id).parcels).toMatchObject([
      { number: 'W1', company: 'Chunghwa Post', lines: [{ quantity: 1 }] },
      { number: 'W2', lines: [{ quantity: 2 }] },
    ])
    await expect(writeTracking(ctx, told(id, 'W3', 1))).rejects.toMatchObject({ kind: 'Rejected', code: 'no-lines' })
    await expect(cancelOrder(ctx, { externalId: id, reason: 'x' })).rejects.toMatchObject({ kind: 'Rejected', code: 'shipped' })
    const delivered = { externalId: id, waybill: 'W2', at: '2026-11-22T10:00:00+08:00' }
    for (let time = 0; time < 2; time++) await writeDelivered(ctx, delivered)
    expect(sim.order(id).parcels.map(({ deliveredAt }) => deliveredAt)).toEqual([null, '2026-11-22T10:00:00+08:00'])
    await expect(writeDelivered(ctx, { ...delivered, waybill: 'W9' })).rejects.toMatchObject({ code: 'no-parcel' })
  })

  it('a refund of more than is left, or in another currency, is refused before it is asked for', async () => {
    const { ctx, id } = await start(1)
    const wanted = { externalId: id, key: 'r1', amountMinor: 50_000, currency: 'TWD', lines: [], reason: 'damaged' }
    const first = await refund(ctx, wanted)
    expect(await refund(ctx, wanted)).toEqual(first)
    await expect(refund(ctx, { ...wanted, key: 'r2' })).rejects.toMatchObject({ code: 'refund-too-large' })
    await expect(refund(ctx, { ...wanted, key: 'r3', amountMinor: 1, currency: 'USD' })).rejects.toMatchObject({
      code: 'refund-too-large',
    })
    expect(sim.order(id).refunds).toHaveLength(1)
  })

  it("tells in its orders what was paid back: ours with our key, the shop's own without, and beyond ten their sum", async () => {
    const { ctx, id } = await start(1)
    const told = async () => mapOrder(ctx.connection, (await fetchOrders(ctx, [id]))[0]!).paidBack
    expect(await told()).toEqual([])
    await refund(ctx, {
      externalId: id,
      key: 'refund:o-1:r1',
      amountMinor: 5_000,
      currency: 'TWD',
      lines: [],
      reason: '[S] 破損',
    })
    const ours = { id: expect.stringMatching(/^\d+$/) as string, amountMinor: 5_000, key: 'refund:o-1:r1' }
    expect(await told()).toEqual([ours])
    sim.edit(id, (order) => {
      for (let at = 0; at < 11; at++) order.refunds.push({ id: String(900 + at), note: '老闆退的', amount: '10.50' })
    })
    const all = await told()
    expect(all).toHaveLength(11)
    expect(all?.slice(0, 2)).toEqual([ours, { id: '900', amountMinor: 1_050, key: null }])
    expect(all?.at(-1)).toEqual({ id: 'others', amountMinor: 2_100, key: null })
  })

  it('a call that is throttled says how long to wait', async () => {
    const { ctx, id } = await start(1)
    sim.throttleOnce({ requestedQueryCost: 300, currentlyAvailable: 100, restoreRate: 50 })
    await expect(fetchOrders(ctx, [id])).rejects.toMatchObject({ kind: 'RateLimited', retryAfterMs: 4_000 })
  })

  const level = (variantId: string, quantity: number) => ({
    listingId: '440',
    variantId,
    externalSku: null,
    title: null,
    quantity,
    version: 1,
  })
  const variant = (id: string, over: Json = {}) => ({
    id,
    productId: '440',
    sku: `SKU-${id}`,
    title: id,
    tracked: true,
    levels: { 77: { available: 3, onHand: 5 } },
    ...over,
  })

  it('a sale between reading and writing a level is seen, and the level written all the same', async () => {
    const { ctx } = await start(0)
    sim.stock([variant('1'), variant('2')])
    // What sold meanwhile: the first write is stale.
    sim.meanwhile(() => sim.stock([variant('1', { levels: { 77: { available: 2, onHand: 5 } } })]))
    expect(await stock.push!(ctx, [level('1', 10), level('2', 20)])).toMatchObject([{ error: null }, { error: null }])
    expect([sim.variant('1').levels['77'], sim.variant('2').levels['77']]).toEqual([
      { available: 10, onHand: 13 },
      { available: 20, onHand: 22 },
    ])
  })

  it('what is refused of single listings is theirs alone', async () => {
    const { ctx } = await start(0)
    sim.stock([variant('1'), variant('2', { tracked: false }), variant('3', { levels: {} })])
    const wanted = [level('1', 10), level('2', 1), level('3', 1), level('4', 1), level('1', 10)]
    const outcomes = await stock.push!(ctx, [...wanted, { ...level('1', 5), variantId: null }])
    expect(outcomes.map(({ error }) => error?.code ?? null)).toEqual([
      null,
      'not-tracked',
      'not-stocked',
      'no-variant',
      null,
      'no-variant',
    ])
    const negative = await stock.push!(ctx, [level('1', -1)])
    expect(negative[0]?.error?.code).toBe('INVALID_QUANTITY_NEGATIVE')
  })

  it('levels are read by location, what is not counted left out; listings are all there', async () => {
    const { ctx } = await start(0)
    sim.stock([variant('1'), variant('2', { tracked: false })])
    const levels = []
    for await (const page of stock.read!({
      ...ctx,
      connection: { ...ctx.connection, config: { ...ctx.connection.config, locations: { 77: 'wh-north' } } },
    }))
      levels.push(...page)
    expect(levels).toEqual([
      { externalSku: 'SKU-1', externalLocation: '77', location: 'wh-north', onHand: 5, at: '2026-11-22T00:00:00Z' },
    ])
    const listings = []
    for await (const page of stock.listListings!(ctx)) listings.push(...page)
    expect(listings.map(({ listingId, variantId }) => [listingId, variantId])).toEqual([
      ['440', '1'],
      ['440', '2'],
    ])
  })
})
