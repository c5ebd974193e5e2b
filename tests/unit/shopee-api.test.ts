/** Every call: the request made, the address called, the answer parsed, the error parsed. Real axios, caught by nock. */
import nock from 'nock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as api from '../../connectors/shopee/api.ts'
import { shopSign } from '../../connectors/shopee/sign.ts'
import { exchangeRefreshToken, shopCall } from '../../connectors/shopee/transport.ts'
import { BASE_URL, context, NOW, PARTNER } from './shopee-fixtures.ts'

interface Case {
  name: string
  call: api.ShopeeCall
  method: 'GET' | 'POST'
  path: string
  query?: Record<string, string>
  body?: Record<string, unknown>
  answer: unknown
  parse: (response: unknown) => unknown
  parsed: unknown
  error: { error: string; message: string; kind: string; status?: number }
}

const cases: Case[] = [
  {
    name: 'get_order_list',
    call: api.orderListRequest({ from: 1607235072, to: 1608271872, pageSize: 20, cursor: '20' }),
    method: 'GET',
    path: '/api/v2/order/get_order_list',
    query: {
      time_range_field: 'update_time',
      time_from: '1607235072',
      time_to: '1608271872',
      page_size: '20',
      cursor: '20',
      response_optional_fields: 'order_status',
      request_order_status_pending: 'true',
    },
    answer: {
      more: true,
      next_cursor: '40',
      order_list: [{ order_sn: '201218V2Y6E59M', order_status: 'READY_TO_SHIP' }, { order_sn: '201218V2W2SG1E' }],
    },
    parse: api.parseOrderList,
    parsed: { orderSns: ['201218V2Y6E59M', '201218V2W2SG1E'], nextCursor: '40' },
    error: {
      error: 'order.order_list_invalid_time',
      message: 'Start time must be earlier than end time and diff in 15days.',
      kind: 'Rejected',
    },
  },
  {
    name: 'get_order_detail',
    call: api.orderDetailRequest(['201214JAJXU6G7', '201214JASXYXY6']),
    method: 'GET',
    path: '/api/v2/order/get_order_detail',
    query: {
      order_sn_list: '201214JAJXU6G7,201214JASXYXY6',
      request_order_status_pending: 'true',
      response_optional_fields:
        'buyer_user_id,buyer_username,recipient_address,note,item_list,pay_time,cancel_by,cancel_reason,' +
        'fulfillment_flag,pickup_done_time,package_list,shipping_carrier,payment_method,total_amount',
    },
    answer: { order_list: [{ order_sn: '201214JAJXU6G7', anything: 1 }] },
    parse: api.parseOrderDetail,
    parsed: [{ order_sn: '201214JAJXU6G7', anything: 1 }],
    error: { error: 'error_not_found', message: 'Wrong parameters, detail: the order is not found.', kind: 'Rejected' },
  },
  {
    name: 'get_shipping_parameter',
    call: api.shippingParameterRequest('201214JASXYXY6'),
    method: 'GET',
    path: '/api/v2/logistics/get_shipping_parameter',
    query: { order_sn: '201214JASXYXY6' },
    answer: {
      info_needed: { dropoff: [], pickup: ['address_id'] },
      dropoff: null,
      pickup: { address_list: [{ address_id: 123, time_slot_list: null }] },
    },
    parse: (response) => api.parseShippingParameter(response).pickup?.address_list?.[0]?.address_id,
    parsed: 123,
    error: {
      error: 'error_param',
      message: 'Shipping parameters can only be obtained when package is ready to be shipped',
      kind: 'Invalid',
    },
  },
  {
    name: 'ship_order',
    call: api.shipOrderRequest('201212DCXHJUIKJ', { non_integrated: { tracking_number: '907812345678' } }),
    method: 'POST',
    path: '/api/v2/logistics/ship_order',
    body: { order_sn: '201212DCXHJUIKJ', non_integrated: { tracking_number: '907812345678' } },
    answer: undefined,
    parse: (response) => response,
    parsed: undefined,
    error: {
      error: 'logistics.ship_order_need_sender_real_name',
      message: 'Parameter sender_real_name can not be null.',
      kind: 'Rejected',
    },
  },
  {
    name: 'get_tracking_number',
    call: api.trackingNumberRequest('201214JASXYXY6'),
    method: 'GET',
    path: '/api/v2/logistics/get_tracking_number',
    query: { order_sn: '201214JASXYXY6' },
    answer: { tracking_number: 'MY200448706479IT', first_mile_tracking_number: 'CNF877146678717210312' },
    parse: api.parseTrackingNumber,
    parsed: { waybill: 'MY200448706479IT', hint: null },
    error: { error: 'logistics.invalid_error', message: 'The order is not exist.', kind: 'Rejected' },
  },
  {
    name: 'cancel_order',
    call: api.cancelOrderRequest('201020SQQ5K2EP', 'OUT_OF_STOCK', [{ item_id: 1680783, model_id: 327890123 }]),
    method: 'POST',
    path: '/api/v2/order/cancel_order',
    body: { order_sn: '201020SQQ5K2EP', cancel_reason: 'OUT_OF_STOCK', item_list: [{ item_id: 1680783, model_id: 327890123 }] },
    answer: { update_time: 1603184533 },
    parse: (response) => response,
    parsed: { update_time: 1603184533 },
    error: { error: 'order.error_limit', message: 'Can not cancel this order', kind: 'Rejected' },
  },
]

beforeEach(() => nock.disableNetConnect())
afterEach(() => {
  nock.cleanAll()
  nock.enableNetConnect()
})

describe.each(cases)('$name', (entry) => {
  const timestamp = String(NOW.getTime() / 1000)
  const expected = {
    ...entry.query,
    partner_id: String(PARTNER.partnerId),
    timestamp,
    access_token: 'sim-access-0',
    shop_id: String(PARTNER.shopId),
    sign: shopSign(PARTNER, entry.path, NOW.getTime() / 1000, 'sim-access-0', PARTNER.shopId),
  }
  const intercept = (status: number, body: nock.Body) => {
    const at = nock(BASE_URL)
    const asked = entry.method === 'GET' ? at.get(entry.path) : at.post(entry.path, entry.body as nock.DataMatcherMap)
    return asked.query(expected).reply(status, body)
  }

  it('sends what its document asks for, signed, to its address, and reads the answer', async () => {
    const scope = intercept(200, { error: '', message: '', response: entry.answer, request_id: 'r' } as nock.Body)
    expect(entry.parse(await shopCall(context(), entry.call))).toEqual(entry.parsed)
    expect(scope.isDone()).toBe(true)
  })

  it('reads the documented error', async () => {
    intercept(entry.error.status ?? 200, { error: entry.error.error, message: entry.error.message, request_id: 'abc' })
    await expect(shopCall(context(), entry.call)).rejects.toMatchObject({
      kind: entry.error.kind,
      code: entry.error.error,
      message: expect.stringContaining(entry.error.message) as string,
    })
  })

  it('keeps secrets out of every error', async () => {
    intercept(403, { error: 'error_sign', message: 'Wrong sign.', request_id: 'abc' })
    const error = await shopCall(context(), entry.call).then(
      () => null,
      (reason: Error) => reason,
    )
    expect(JSON.stringify({ ...error, message: error?.message })).not.toMatch(/sim-access|a1b2c3|sign=[0-9a-f]/)
  })

  it('takes an answer that is no JSON for an outage', async () => {
    intercept(200, '<html>maintenance</html>')
    await expect(shopCall(context(), entry.call)).rejects.toMatchObject({
      kind: entry.method === 'POST' ? 'OutcomeUnknown' : 'Transient',
    })
  })
})

describe('refresh_access_token', () => {
  const path = '/api/v2/auth/access_token/get'
  const body = { refresh_token: 'old', partner_id: PARTNER.partnerId, shop_id: PARTNER.shopId }

  it('is a public call and gives a new pair with its end', async () => {
    nock(BASE_URL)
      .post(path, body)
      .query((query) => !('access_token' in query) && 'sign' in query)
      .reply(200, { error: '', message: '', request_id: 'r', access_token: 'new', refresh_token: 'next', expire_in: 14400 })
    expect(await exchangeRefreshToken(context(), 'old')).toEqual({
      accessToken: 'new',
      refreshToken: 'next',
      expiresAt: new Date(NOW.getTime() + 14_400_000),
    })
  })

  it.each([
    ['error_auth', 'Invalid refresh_token.'],
    ['refresh_token_expired', 'Your refresh_token expired.'],
    ['error_shop_refresh_token', 'Your refresh token is error ,please check refresh token or shopid.'],
    ['shop_access_expired', 'Your access to shop has expired.'],
  ])('%s asks for a new authorisation', async (error, message) => {
    nock(BASE_URL).post(path, body).query(true).reply(403, { error, message, request_id: 'r' })
    await expect(exchangeRefreshToken(context(), 'old')).rejects.toMatchObject({
      kind: 'Misconfigured',
      remedy: expect.stringContaining('uthorise') as string,
    })
  })
})

describe('answers that are not as documented', () => {
  it('name the field', () => {
    expect(() => api.parseOrderList({ more: 'yes', order_list: [] })).toThrow(/more/)
    expect(() => api.parseOrderList({ more: true, next_cursor: '', order_list: [] })).toThrow(/no cursor/)
    expect(() => api.parseTrackingNumber({ tracking_number: 5 })).toThrow(/tracking_number/)
  })

  it('a number that is not there yet is null, not empty', () => {
    expect(api.parseTrackingNumber({ tracking_number: '', hint: ' CVS closed ' })).toEqual({ waybill: null, hint: 'CVS closed' })
  })

  it('never asks for more details than 50', () => {
    expect(() => api.orderDetailRequest(Array.from({ length: 51 }, (_, n) => String(n)))).toThrow(RangeError)
    expect(() => api.orderDetailRequest([])).toThrow(RangeError)
  })
})
