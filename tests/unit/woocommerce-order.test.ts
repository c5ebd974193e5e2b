import type { InternalAxiosRequestConfig } from 'axios'
import imported from '@woocommerce/woocommerce-rest-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAnswer, requestOf, type Call } from '../../connectors/woocommerce/api.ts'
import { signedAddress } from '../../connectors/woocommerce/oauth.ts'
import { mapOrder, plainText, STATUS } from '../../connectors/woocommerce/order.ts'
import { orderListRequest, orderRecord, receiveWebhook } from '../../connectors/woocommerce/pull.ts'
import { Batch, Created, Notes, Order, Products, Refunds, Variations } from '../../connectors/woocommerce/schemas.ts'
import { isAllShipped, parcelText, refundRequest } from '../../connectors/woocommerce/writeback.ts'
import { IncomingOrder } from '../../domain/order.ts'
import { context, example, examples, KEY, NOW } from './woocommerce-fixtures.ts'

type Json = Record<string, unknown>
/** CommonJS: the class, or the module that has it as its default. */
const WooCommerceClient = (imported.default ?? imported) as typeof imported.default
const map = (payload: Json, config: Json = {}) =>
  IncomingOrder.parse(mapOrder(context({ config }).connection, { externalId: String(payload.id), payload }))
const retrieved = example('_orders.md', 'Retrieve an order') as Json
const taiwan = (over: Json = {}): Json => ({
  ...retrieved,
  currency: 'TWD',
  total: '670.00',
  shipping_total: '80.00',
  billing: { first_name: '怡君', last_name: '陳', email: 'a@example.com', phone: '0912-345-678', country: 'TW' },
  shipping: {
    first_name: '怡君',
    last_name: '陳',
    address_1: '重慶南路一段1號',
    city: '中正區',
    state: '台北市',
    postcode: '100',
    country: 'TW',
  },
  ...over,
})

it('the statuses that we set ourselves are known when they come back', () => {
  const arrived = taiwan({ status: 'arrived' })
  expect(map(arrived)).toMatchObject({ onHold: true, notes: expect.stringContaining('WooCommerce status arrived') })
  for (const own of [{ deliveredStatus: 'arrived' }, { shippedStatus: 'arrived' }])
    expect(map(arrived, own)).toMatchObject({ onHold: false, fulfilled: true, notes: null })
})

it("tells what was paid back: the documents' order with two refunds; ours with our key", () => {
  const listed = example('_orders.md', 'List all orders') as Json[]
  const { refunds } = listed.find(({ id }) => id === 723) as { refunds: Json[] }
  expect(map(taiwan({ refunds })).paidBack).toEqual([
    { id: '726', amountMinor: 1_000, key: null },
    { id: '724', amountMinor: 900, key: null },
  ])
  const ours = { id: 9, reason: '[S] 破損 [refund:o-1:rt-1/2]', total: '-590.00' }
  expect(map(taiwan({ refunds: [ours] })).paidBack).toEqual([{ id: '9', amountMinor: 59_000, key: 'refund:o-1:rt-1/2' }])
  expect(map(taiwan({ refunds: undefined })).paidBack).toBeUndefined()
})

describe("the documents' examples", () => {
  const all = Object.entries(examples).flatMap(([page, entries]) => entries.map((entry) => ({ page, ...entry })))
  it('are all there', () => expect(all).toHaveLength(45))

  const one = { '_orders.md': Order, '_order-notes.md': Created, '_order-refunds.md': Created }
  const many = {
    '_orders.md': Order.array(),
    '_order-notes.md': Notes,
    '_order-refunds.md': Refunds,
    '_products.md': Products,
    '_product-variations.md': Variations,
  }
  it.each(all)('$page, $section, is read by what reads such an answer', ({ page, section, json }) => {
    const schema = Array.isArray(json)
      ? many[page as keyof typeof many]
      : section.startsWith('Batch')
        ? Batch
        : (one[page as keyof typeof one] ?? many[page as keyof typeof many]?.element)
    // Customers, webhooks, gateways and shipping methods are not read: they only must not be taken for something else.
    if (!schema) return expect(Order.safeParse(json).success).toBe(false)
    const parsed = schema.safeParse(json)
    return expect(parsed.error?.issues ?? []).toEqual([])
  })

  it.each(all.filter((each) => each.page === '_orders.md').flatMap(({ json }) => ordersIn(json)))('order $id maps', (order) => {
    const mapped = map(order)
    expect(mapped.lines.length).toBe((order.line_items as unknown[]).length)
    expect(mapped.totals.totalMinor).toBe(Math.round(Number(order.total) * 100))
  })
})
function ordersIn(json: unknown): Json[] {
  if (Array.isArray(json)) return json as Json[]
  const batch = json as { create?: Json[]; update?: Json[] } & Json
  return batch.create ? [...batch.create, ...(batch.update ?? [])] : [batch]
}

describe('the retrieved order of the documents', () => {
  it('is read as a person reads it', () => {
    expect(map(retrieved)).toMatchObject({
      channel: 'woocommerce',
      shop: 'shop.example',
      externalId: '727',
      externalVersion: '2017-03-22T19:28:08',
      placedAt: '2017-03-22T19:28:02Z',
      buyer: { name: 'John Doe', email: 'john.doe@example.com' },
      recipient: { name: 'John Doe', address: { line: '969 Market', city: 'San Francisco', country: 'US', postalCode: '94103' } },
      delivery: { method: 'home', service: null },
      payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'USD' },
      totals: { itemsMinor: 1_935, shippingMinor: 1_000, discountMinor: 0, totalMinor: 2_935 },
    })
    expect(map(retrieved).lines).toEqual([
      {
        lineId: '315',
        sku: null,
        externalSku: '93',
        name: 'Woo Single #1',
        variant: null,
        quantity: 2,
        unitPriceMinor: 323,
        gift: false,
      },
      {
        lineId: '316',
        sku: 'Bar3',
        externalSku: 'Bar3',
        name: 'Ship Your Idea – Color: Black, Size: M Test',
        variant: 'black / M Test',
        quantity: 1,
        unitPriceMinor: 1_290,
        gift: false,
      },
    ])
  })
})

describe('an order from Taiwan', () => {
  it('has its city in the state, its family name first and the phone of the bill', () => {
    expect(map(taiwan()).recipient).toMatchObject({
      name: '陳怡君',
      phone: '+886912345678',
      address: { postalCode: '100', city: '臺北市', district: '中正區', line: '重慶南路一段1號', country: 'TW' },
    })
  })

  const store = (method: string, key: string, title = '超商取貨') =>
    map(
      taiwan({
        shipping_lines: [{ id: 1, method_id: method, method_title: title, total: '60.00' }],
        meta_data: [{ id: 1, key, value: '991182' }],
      }),
    ).delivery
  it.each([
    ['ry_ecpay_shipping_cvs_711', '_shipping_cvs_store_ID', 'UNIMART'],
    ['ry_ecpay_shipping_cvs_family', '_shipping_cvs_store_ID', 'FAMI'],
    ['ry_ecpay_shipping_cvs_hilife', '_shipping_cvs_store_ID', 'HILIFE'],
    ['ry_ecpay_shipping_cvs_okmart', '_shipping_cvs_store_ID', 'OKMART'],
    ['Wooecpay_Logistic_CVS_711', '_ecpay_logistic_cvs_store_id', 'UNIMART'],
    ['Wooecpay_Logistic_CVS_Family', '_ecpay_logistic_cvs_store_id', 'FAMI'],
    ['Wooecpay_Logistic_CVS_Hilife', '_ecpay_logistic_cvs_store_id', 'HILIFE'],
    ['Wooecpay_Logistic_CVS_Okmart', '_ecpay_logistic_cvs_store_id', 'OKMART'],
  ])('by %s goes to the store in %s', (method, key, chain) => {
    expect(store(method, key)).toMatchObject({ method: 'cvs', cvs: { chain, storeId: '991182' } })
  })

  it('with a store of a chain nobody named asks a person; a configured method names it', () => {
    expect(store('my_plugin', '_shipping_cvs_store_ID', '取貨')).toMatchObject({ method: 'cvs', cvs: null })
    const payload = taiwan({ shipping_lines: [{ id: 1, method_id: 'my_plugin', method_title: '取貨' }] })
    expect(map(payload, { cvsMethods: { my_plugin: 'HILIFE' } }).delivery.cvs).toEqual({ chain: 'HILIFE', storeId: null })
  })

  it('with local pick-up waits at our location; another method wishes for its courier', () => {
    const pickup = taiwan({ shipping_lines: [{ id: 1, method_id: 'local_pickup', method_title: '門市自取' }] })
    expect(map(pickup, { pickupLocation: 'store-taipei' }).delivery).toMatchObject({
      method: 'storePickup',
      location: 'store-taipei',
    })
    expect(map(taiwan(), { services: { flat_rate: 'TCAT' } }).delivery.service).toBe('TCAT')
  })

  it('paid on delivery is due in full, and stays so when the shop calls it completed', () => {
    for (const status of ['processing', 'completed'])
      expect(map(taiwan({ payment_method: 'cod', status, date_paid_gmt: '2017-03-22T19:28:08' })).payment).toEqual({
        method: 'cod',
        state: 'due',
        amountDueMinor: 67_000,
        currency: 'TWD',
      })
  })
})

describe('statuses', () => {
  it("are all of core's", () => {
    const core = 'pending,processing,on-hold,completed,cancelled,refunded,failed,trash'
    expect(Object.keys(STATUS).toSorted()).toEqual(core.split(',').toSorted())
  })
  it.each([
    ['pending', { onHold: true, cancelled: false, fulfilled: false }],
    ['processing', { onHold: false, cancelled: false, fulfilled: false }],
    ['on-hold', { onHold: true, cancelled: false, fulfilled: false }],
    ['completed', { onHold: false, cancelled: false, fulfilled: true }],
    ['cancelled', { onHold: false, cancelled: true, fulfilled: false }],
    ['refunded', { onHold: true, cancelled: false, fulfilled: false }],
    ['failed', { onHold: true, cancelled: false, fulfilled: false }],
    ['trash', { onHold: false, cancelled: true, fulfilled: false }],
    ['teleported', { onHold: true, cancelled: false, fulfilled: false }],
    ['constructor', { onHold: true, cancelled: false, fulfilled: false }],
  ])('%s', (status, expected) => expect(map({ ...retrieved, status })).toMatchObject(expected))
  it("a plugin's is what the configuration says, and shown when it says nothing", () => {
    expect(map({ ...retrieved, status: 'packing' })).toMatchObject({ onHold: true, notes: 'WooCommerce status packing' })
    expect(map({ ...retrieved, status: 'packing' }, { statuses: { packing: 'ship' } })).toMatchObject({
      onHold: false,
      notes: null,
    })
  })
})

describe('texts and amounts', () => {
  it('names lose the entities of a web page', () => {
    expect(plainText('A &amp; B &#8211; &#x4e0a;&#19979; &unknown; &#9999999;')).toBe('A & B – 上下 &unknown; &#9999999;')
  })
  it('amounts follow their currency', () => {
    expect(map({ ...retrieved, currency: 'JPY', total: '2935' }).totals.totalMinor).toBe(2_935)
    expect(map({ ...retrieved, currency: 'KWD', total: '2.935' }).totals.totalMinor).toBe(2_935)
  })
  it('what is wrong is named, and a webhook is no order', () => {
    expect(() => map({ ...retrieved, total: 'free' })).toThrow(
      expect.objectContaining({ kind: 'Invalid', code: 'total' }) as Error,
    )
    expect(() => map({ id: 7, lookAt: { id: '7' } })).toThrow(expect.objectContaining({ code: 'look-at' }) as Error)
  })
})

/** What the official client would send. */
async function official(url: string, call: Call) {
  const sent: InternalAxiosRequestConfig[] = []
  const client = new WooCommerceClient({
    url,
    ...KEY,
    axiosConfig: {
      adapter: async (config: InternalAxiosRequestConfig) => {
        sent.push(config)
        return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
      },
    },
  })
  const method = call.method.toLowerCase() as 'get'
  if (method === 'get') await client.get(call.path.slice(1), call.query)
  else await client[method as 'post'](call.path.slice(1), call.body ?? {}, call.query)
  const [request] = sent
  if (!request) throw new Error('nothing was sent')
  return request
}

describe('signing, held against the official client', () => {
  const calls: Call[] = [
    orderListRequest({ from: 1_795_226_400, to: 1_795_230_000 }, 'any', 2, 100),
    { method: 'GET', path: '/orders/727' },
    { method: 'PUT', path: '/orders/727', body: { status: 'completed' } },
    { method: 'POST', path: '/orders/727/notes', body: { note: '已出貨' } },
  ]
  it.each(calls)('$method $path over HTTP has the same signature', async (call) => {
    const theirs = await official('http://www.example.com', call)
    const params = theirs.params as Record<string, string>
    const ours = new URL(
      signedAddress({
        method: call.method,
        address: `http://www.example.com/wp-json/wc/v3${call.path}`,
        query: call.query ?? {},
        ...KEY,
        timestamp: Number(params.oauth_timestamp),
        nonce: String(params.oauth_nonce),
      }),
    )
    expect(ours.searchParams.get('oauth_signature')).toBe(params.oauth_signature)
    expect(ours.searchParams.get('oauth_signature_method')).toBe(params.oauth_signature_method)
    for (const [name, value] of Object.entries(call.query ?? {})) expect(ours.searchParams.get(name)).toBe(value)
  })

  it('and so have any parameters, of any characters', async () => {
    const word = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(..."abzAZ09 -._~!*'(),:/?&=+%#@上é") })
    await fc.assert(
      fc.asyncProperty(word, word, async (search, sku) => {
        const query = { search, sku }
        const theirs = (await official('http://www.example.com', { method: 'GET', path: '/products', query })).params as Record<
          string,
          string
        >
        const address = 'http://www.example.com/wp-json/wc/v3/products'
        const { oauth_timestamp: timestamp, oauth_nonce: nonce = '' } = theirs
        const ours = new URL(signedAddress({ method: 'GET', address, query, ...KEY, timestamp: Number(timestamp), nonce }))
        expect(ours.searchParams.get('oauth_signature')).toBe(theirs.oauth_signature)
      }),
      { numRuns: 100 },
    )
  })

  it('over HTTPS goes by Basic, with the same name and password and no secret in the address', async () => {
    const call = calls[0]!
    const theirs = await official('https://shop.example', call)
    const ours = requestOf(context().connection.config, call, NOW, 'nonce')
    expect(ours.headers?.authorization).toBe(
      `Basic ${Buffer.from(`${theirs.auth?.username}:${theirs.auth?.password}`).toString('base64')}`,
    )
    expect(ours.url).toBe(
      'https://shop.example/wp-json/wc/v3/orders?modified_after=2026-11-21T01%3A59%3A59&modified_before=2026-11-21T03%3A00%3A01&dates_are_gmt=true&status=any&orderby=id&order=asc&page=2&per_page=100',
    )
    expect(ours.url).not.toContain(KEY.consumerSecret)
  })
})

describe('answers', () => {
  const call: Call = { method: 'GET', path: '/orders/1' }
  const answer = (status: number, body: unknown) => ({ status, headers: {}, body: JSON.stringify(body) })
  it.each([
    [404, { code: 'woocommerce_rest_shop_order_invalid_id', message: 'Invalid ID.' }, 'Rejected'],
    [400, { code: 'rest_invalid_param', message: 'Invalid parameter(s): status' }, 'Rejected'],
    [403, { code: 'woocommerce_rest_cannot_edit', message: 'Sorry' }, 'Misconfigured'],
  ])('%i %o is %s', (status, body, kind) => {
    expect(() => parseAnswer(call, answer(status, body))).toThrow(expect.objectContaining({ kind, code: body.code }) as Error)
  })
  it('a redirect is a wrong address, and a page of HTML is not the API', () => {
    expect(() => parseAnswer(call, { status: 301, headers: {}, body: '' })).toThrow(/redirects/)
    expect(() => parseAnswer(call, { status: 200, headers: {}, body: '<html>' })).toThrow(
      expect.objectContaining({ kind: 'Transient' }) as Error,
    )
  })
})

describe('webhooks', () => {
  const ping = Buffer.from('webhook_id=142')
  const receive = (headers: Record<string, string>, rawBody: Buffer, config = {}) =>
    receiveWebhook(context({ config }), { headers, rawBody })
  it('the first ping, form-encoded and unsigned, is answered, unless there is no secret', () => {
    expect(receive({ 'content-type': 'application/x-www-form-urlencoded' }, ping)).toMatchObject({
      records: [],
      answer: { status: 200 },
    })
    expect(() => receive({}, ping, { webhookSecret: null })).toThrow(expect.objectContaining({ code: 'forged' }) as Error)
    expect(() => receive({}, Buffer.from('webhook_id=142&status=x'))).toThrow(
      expect.objectContaining({ code: 'forged' }) as Error,
    )
  })
})

describe('parcels of an order', () => {
  const order = Order.parse(retrieved)
  const lines = (...given: [string, number][]) =>
    given.map(([lineId, quantity]) => ({ lineId, sku: null, externalSku: null, quantity }))
  it('hold all of it only together', () => {
    const first = parcelText('TCAT', lines(['315', 1], ['316', 1]))
    expect(first).toBe('TCAT 315×1 316×1')
    expect(isAllShipped(order, [first])).toBe(false)
    expect(isAllShipped(order, [first, parcelText('POST', lines(['315', 1]))])).toBe(true)
    expect(isAllShipped(order, ['TCAT'])).toBe(true)
    expect(isAllShipped(order, [])).toBe(false)
  })
  it('a refund names its key and leaves stock and money alone unless told', () => {
    const told = { externalId: '727', key: 'r1', amountMinor: 1_050, currency: 'USD', lines: [], reason: 'damaged' }
    expect(refundRequest(told, false)).toMatchObject({
      path: '/orders/727/refunds',
      body: { amount: '10.50', reason: 'damaged [r1]', api_refund: false, api_restock: false },
    })
  })
  it('the same content has one version wherever the site was reached', () => {
    const version = (host: string) => orderRecord('727', { ...retrieved, _links: { self: host } }).version
    expect(version('http://a')).toBe(version('http://b'))
  })
})
