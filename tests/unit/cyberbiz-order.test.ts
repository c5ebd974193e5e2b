import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseAnswer, requestOf, isLastPage, isoOf, taipeiTime } from '../../connectors/cyberbiz/api.ts'
import { mapOrder, vendorLineId } from '../../connectors/cyberbiz/order.ts'
import { orderListRequest, orderRecord } from '../../connectors/cyberbiz/pull.ts'
import { receiveWebhook } from '../../connectors/cyberbiz/push.ts'
import { FINANCIAL, FULFILMENT, ORDER, RETURN } from '../../connectors/cyberbiz/status.ts'
import { cancelReason, cancelRequest, carrierOf, customShippingRequest } from '../../connectors/cyberbiz/writeback.ts'
import { toWholes } from '../../domain/bundle.ts'
import { IncomingOrder } from '../../domain/order.ts'
import { ACCOUNT, context, recorded } from './cyberbiz-fixtures.ts'

const { connection } = context()
const golden = recorded('order-golden')
const paid = recorded('webhook-orders-paid')
const map = (payload: Record<string, unknown>, config: Record<string, unknown> = {}) =>
  IncomingOrder.parse(mapOrder(context({ config }).connection, { externalId: String(payload.id), payload }))
const withStatus = (change: Record<string, unknown>) =>
  map({ ...paid.body, statuses: { ...(paid.body.statuses as object), ...change } })

describe('the recorded order', () => {
  it('maps to what a person reads in it', () => {
    expect(map(golden.body)).toMatchObject({
      channel: 'cyberbiz',
      shop: 'example.cyberbiz.co',
      externalId: '56943817',
      externalVersion: '2026-09-07T12:35:06+08:00',
      placedAt: '2026-09-07T12:35:05+08:00',
      recipient: { phone: '+886912345678' },
      delivery: { method: 'home', service: null, cvs: null },
      payment: { method: 'prepaid', state: 'pending', amountDueMinor: 0, currency: 'TWD' },
      totals: { itemsMinor: 999_900, shippingMinor: 0, discountMinor: 0, totalMinor: 999_900 },
      onHold: true,
      cancelled: false,
      fulfilled: false,
      notes: null,
    })
  })

  it('is a bundle: its parts are what is picked, and their shares add up to its price', () => {
    const { lines } = map(golden.body)
    expect(lines.map(({ lineId, sku, quantity, unitPriceMinor }) => ({ lineId, sku, quantity, unitPriceMinor }))).toEqual([
      { lineId: '126360067+1xSKU-a4eb96', sku: 'SKU-a4eb96', quantity: 1, unitPriceMinor: 499_900 },
      { lineId: '126360067+1xSKU-d76be1', sku: 'SKU-d76be1', quantity: 1, unitPriceMinor: 500_000 },
    ])
    expect(lines.reduce((sum, line) => sum + (line.unitPriceMinor ?? 0), 0)).toBe(999_900)
  })

  it('ordered twice holds each part twice; the shop is told of the whole', () => {
    const [line] = golden.body.line_items as { quantity: number; related_items: { quantity: number; items: object[] }[] }[]
    const [set] = line?.related_items ?? []
    const twice = (sets: object[]) => map({ ...golden.body, line_items: [{ ...line, quantity: 2, related_items: sets }] }).lines
    const parts = (lines: { lineId: string; quantity: number }[]) => lines.map(({ lineId, quantity }) => [lineId, quantity])
    expect(parts(twice([{ ...set, quantity: 2 }]))).toEqual([
      ['126360067+1xSKU-a4eb96', 2],
      ['126360067+1xSKU-d76be1', 2],
    ])
    const told = toWholes(
      twice([{ ...set, quantity: 2 }]).map(({ lineId, sku, quantity }) => ({ lineId, sku, quantity })),
      twice([{ ...set, quantity: 2 }]),
    )
    expect(told).toMatchObject([{ lineId: '126360067', quantity: 2 }])
    // Two sets of different choice: no piece of the line is like the other.
    expect(
      parts(
        twice([
          { ...set, items: set?.items.slice(0, 1) },
          { ...set, items: set?.items.slice(1) },
        ]),
      ),
    ).toEqual([
      ['126360067.83653662', 1],
      ['126360067.83730772', 1],
    ])
    expect(['126360067+1xSKU-a4eb96', '126360067.83653662', '126360067'].map(vendorLineId)).toEqual(Array(3).fill('126360067'))
  })

  it('came as one of 46 pages, the next named in its headers', () => {
    const headers = Object.fromEntries(Object.entries(golden.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
    expect(isLastPage(headers, 2, 2)).toBe(false)
    expect(isLastPage({ ...headers, 'x-next-page': '' }, 2, 2)).toBe(true)
  })
})

describe('the recorded webhook', () => {
  it('is paid, to a 7-ELEVEN, with a gift and a coupon', () => {
    expect(map(paid.body)).toMatchObject({
      externalId: '500001',
      buyer: { name: 'Test Customer', phone: '+886900000000', email: 'customer@example.com', memberId: '900001' },
      recipient: { name: 'Test Receiver', phone: '+886900000000' },
      delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '000001' } },
      payment: { method: 'prepaid', state: 'paid' },
      lines: [
        { lineId: '800000', sku: 'SKU-1', quantity: 1, unitPriceMinor: 96_000, gift: false },
        { lineId: '800001', sku: 'SKU-2', quantity: 1, unitPriceMinor: 0, gift: true },
      ],
      totals: { itemsMinor: 96_000, shippingMinor: 8_000, discountMinor: 48_000, totalMinor: 56_000 },
      onHold: false,
    })
  })

  it.each(['hex', 'base64'] as const)('is taken when signed in %s', (encoding) => {
    const rawBody = Buffer.from(JSON.stringify(paid.body))
    const signature = createHmac('sha256', ACCOUNT.appSecret).update(rawBody).digest(encoding)
    const headers = { 'X-Cyberbiz-Event': 'orders/paid', 'X-Cyberbiz-Hmac-Sha256': signature }
    const { records } = receiveWebhook(context(), { headers, rawBody })
    expect(records).toMatchObject([{ kind: 'order', externalId: '500001', eventAt: '2026-01-09T13:10:50+08:00' }])
    expect(records[0]?.version).toBe(orderRecord('500001', paid.body).version)
  })

  it('signed with the hex of another body, with the hex text as base64, or not at all, is refused', () => {
    const rawBody = Buffer.from(JSON.stringify(paid.body))
    const hex = createHmac('sha256', ACCOUNT.appSecret).update(rawBody).digest('hex')
    for (const given of [hex.replace(/^./, (first) => (first === '0' ? '1' : '0')), Buffer.from(hex).toString('base64'), '']) {
      const headers = { 'x-cyberbiz-event': 'orders/paid', 'x-cyberbiz-hmac-sha256': given }
      expect(() => receiveWebhook(context(), { headers, rawBody })).toThrow(
        expect.objectContaining({ kind: 'Rejected', code: 'forged' }) as Error,
      )
    }
  })

  const received = (body: Record<string, unknown>, more: Record<string, string> = {}) => {
    const rawBody = Buffer.from(JSON.stringify(body))
    const signature = createHmac('sha256', ACCOUNT.appSecret).update(rawBody).digest('hex')
    const headers = { 'x-cyberbiz-event': 'orders/paid', 'x-cyberbiz-hmac-sha256': signature, ...more }
    return receiveWebhook(context(), { headers, rawBody }).records
  }
  it('about a customer, of another shop, or of a sale at the till is answered and dropped', () => {
    expect(received(paid.body, { 'x-cyberbiz-event': 'customers/update' })).toEqual([])
    expect(received(paid.body, { 'x-cyberbiz-domain': 'other.cyberbiz.co' })).toEqual([])
    expect(received({ ...paid.body, pos_info: { pos_shop_id: 3 } })).toEqual([])
  })
  it('that is not a whole order is a reason to look at it', () => {
    expect(received({ id: 7 })).toMatchObject([{ externalId: '7', payload: { lookAt: { id: '7' } } }])
  })
})

describe('statuses', () => {
  const states = (text: string) => text.split(',').toSorted()
  it('are all of the reference', () => {
    expect([...ORDER.keys()].toSorted()).toEqual(states('open,closed,cancelled'))
    expect([...FINANCIAL.keys()].toSorted()).toEqual(
      states(
        'paid,pending,cod,failed,abandoned,refunded,no_refunded,pending_refund,processing,remitted,pending_partial_refund,partial_refunded,refunding,refund_failed',
      ),
    )
    expect([...FULFILMENT.keys()].toSorted()).toEqual(
      states('unshipped,preparing,cancel,fulfilled,partial,arrived,received,returned,expired,problem,no_need'),
    )
    expect([...RETURN.keys()].toSorted()).toEqual(
      states('no_need,request_return,returning,checking,returned,in_hub,problem,processing,in_origin_cvs,refused,partial_return'),
    )
  })

  it('that nobody told us of hold the order and are shown', () => {
    for (const name of ['order_status', 'financial_status', 'fulfillment_status', 'return_status']) {
      const order = withStatus({ [name]: 'teleported' })
      expect(order.onHold, name).toBe(true)
      expect(order.notes).toBe(`CYBERBIZ ${name} teleported`)
    }
  })

  it('of an unpaid or refunded order keep the goods here', () => {
    for (const status of ['pending', 'failed', 'abandoned', 'remitted', 'refunded', 'refunding', 'pending_refund'])
      expect(withStatus({ financial_status: status }).onHold, status).toBe(true)
    for (const status of ['paid', 'partial_refunded', 'no_refunded'])
      expect(withStatus({ financial_status: status }).onHold, status).toBe(false)
    expect(
      map(
        { ...paid.body, statuses: { ...(paid.body.statuses as object), financial_status: 'remitted' } },
        { remittedIsPaid: true },
      ),
    ).toMatchObject({ onHold: false, payment: { state: 'paid' } })
  })

  it('say when the goods have left, when the buyer wants to give them back, and when all is off', () => {
    for (const status of ['fulfilled', 'arrived', 'received', 'expired', 'returned', 'problem', 'no_need'])
      expect(withStatus({ fulfillment_status: status }).fulfilled, status).toBe(true)
    expect(withStatus({ fulfillment_status: 'partial' })).toMatchObject({ fulfilled: false, onHold: false })
    expect(withStatus({ return_status: 'request_return' }).onHold).toBe(true)
    expect(withStatus({ order_status: 'cancelled' }).cancelled).toBe(true)
  })
})

describe('an order', () => {
  it('paid on delivery is collected in full, whatever says so', () => {
    const cod = { method: 'cod', state: 'due', amountDueMinor: 56_000 }
    expect(withStatus({ financial_status: 'cod' })).toMatchObject({ payment: cod, onHold: false })
    const statuses = { ...(paid.body.statuses as object), financial_status: 'pending' }
    expect(map({ ...paid.body, shipping_type: 'seven_cod', statuses })).toMatchObject({ payment: cod, onHold: false })
    expect(map({ ...paid.body, payment_method: '貨到付款', statuses })).toMatchObject({ payment: cod })
    expect(map({ ...paid.body, shipping_type: 'seven_cod' })).toMatchObject({ payment: { method: 'cod', state: 'collected' } })
  })

  it('paid on delivery without an amount is no guess', () => {
    const body = { ...paid.body, shipping_type: 'seven_cod', prices: null }
    expect(() => map(body)).toThrow(expect.objectContaining({ kind: 'Invalid', code: 'prices.total_price' }) as Error)
  })

  it('to a store of the shop waits there, at our location', () => {
    const body = { ...paid.body, branch_store: { store_no: 'A01', name: '信義店' } }
    expect(map(body, { locations: { A01: 'store-taipei' } }).delivery).toMatchObject({
      method: 'storePickup',
      location: 'store-taipei',
    })
    expect(map(body).delivery).toMatchObject({ method: 'storePickup', location: null })
  })

  it.each([
    ['family', 'FAMI'],
    ['hilife_c2c', 'HILIFE'],
    ['seven_c2c', 'UNIMART'],
  ])('by %s goes to %s', (type, chain) => {
    const body = { ...paid.body, shipping_type: type, shipping_vendor: { type, name: null }, shipping_name: null }
    expect(map(body).delivery.cvs?.chain).toBe(chain)
  })

  it('wishes for the courier that the shop named, and for the day that the buyer asked', () => {
    const body = {
      ...golden.body,
      shipping_vendor: { type: 'ezcat', name: '黑貓' },
      delivery_date: '2026-11-24',
      delivery_time: 2,
    }
    expect(map(body).delivery).toMatchObject({ method: 'home', service: 'TCAT', askedTime: '2026-11-24 slot 2' })
    expect(map(body, { services: { ezcat: 'OTHER' } }).delivery.service).toBe('OTHER')
  })

  it('with a wrong field is Invalid and names it', () => {
    expect(() => map({ ...paid.body, line_items: [] })).toThrow(
      expect.objectContaining({ kind: 'Invalid', code: 'line_items' }) as Error,
    )
    expect(() => mapOrder(connection, { externalId: '7', payload: { lookAt: { id: '7' } } })).toThrow(/no order/)
  })
})

describe('requests', () => {
  it('say the time in Taipei and carry the token', () => {
    const window = { from: Date.parse('2026-11-22T02:00:00Z') / 1000, to: Date.parse('2026-11-22T03:00:00Z') / 1000 }
    const request = requestOf(connection.config, orderListRequest(window, 'ec', 2, 50))
    expect(request).toMatchObject({ method: 'GET', write: false, headers: { authorization: 'Bearer a.jwt.token' } })
    expect(request.url).toBe(
      'https://app-store-api.cyberbiz.io/v1/orders?updated_at_start_time=2026-11-22+10%3A00%3A00&updated_at_end_time=2026-11-22+11%3A00%3A00&data_source=ec&page=2&per_page=50',
    )
    expect(taipeiTime(window.from)).toBe('2026-11-22 10:00:00')
    expect(isoOf('2026-11-22 10:00:00')).toBe('2026-11-22T10:00:00+08:00')
  })

  it('of a fulfilment name the lines as one text, as the vendor wants them', () => {
    const told = { externalId: '42', key: 'k', waybill: 'TRK-1', courier: 'TCAT', lines: [] }
    expect(customShippingRequest({ ...connection.config, notifyCustomer: false }, told, ['1', '2'])).toEqual({
      method: 'POST',
      path: '/v1/orders/42/fulfillments/custom_shipping',
      body: { line_item_ids: '1,2', tracking_number: 'TRK-1', tracking_company: 'ezcat', notify_customer: false },
      write: true,
    })
    expect(carrierOf({ carriers: {} }, 'ACME')).toBe('other')
    expect(carrierOf({ carriers: { ACME: 'lalamove' } }, 'ACME')).toBe('lalamove')
  })

  it('of a cancellation give one of the reasons there are', () => {
    expect(cancelRequest('42', 'out of stock')).toMatchObject({
      path: '/v1/orders/42/cancelled',
      body: { cancel_reason: 'inventory' },
    })
    expect(['duplicate order', 'buyer changed their mind', 'whatever'].map(cancelReason)).toEqual([
      'duplicate',
      'customer',
      'other',
    ])
  })
})

describe('answers', () => {
  const call = { method: 'GET' as const, path: '/v1/orders/1' }
  const answer = (status: number, body: string) => ({ status, headers: {}, body })
  it.each([
    [404, '{"error":["找不到訂單"]}', 'Rejected', '找不到訂單'],
    [422, '{"messages":"參數錯誤"}', 'Rejected', '參數錯誤'],
    [403, '{"message":"scope"}', 'Misconfigured', 'scope'],
    [200, '{"error":"no"}', 'Rejected', 'no'],
    [502, '<html>', 'Transient', '502'],
  ])('%i %s is %s', (status, body, kind, words) => {
    expect(() => parseAnswer(call, answer(status, body))).toThrow(expect.objectContaining({ kind }) as Error)
    expect(() => parseAnswer(call, answer(status, body))).toThrow(words)
  })
  it('a write that the state of the order forbids is no fault of the connection', () => {
    expect(() => parseAnswer({ ...call, method: 'PUT', write: true }, answer(403, '{"error":"no"}'))).toThrow(
      expect.objectContaining({ kind: 'Rejected' }) as Error,
    )
  })
  it('an empty 202 and a null are no error', () => {
    expect(parseAnswer(call, answer(202, ''))).toBeNull()
    expect(parseAnswer(call, answer(200, 'null'))).toBeNull()
  })
})
