/**
 * The unofficial SDK as a second opinion: its client against our stand-in, and each of its requests beside the one that our connector
 * would send. Both were written by others from the same documents.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  cancelOrderRequest,
  orderDetailRequest,
  orderListRequest,
  shippingParameterRequest,
  shipOrderRequest,
  trackingNumberRequest,
  type ShopeeCall,
} from '../../connectors/shopee/api.ts'
import { ShopeeConfig } from '../../connectors/shopee/config.ts'
import { signedUrl } from '../../connectors/shopee/transport.ts'
import { seedOrders, startShopeeSimulator, type ShopeeSimulator } from '../../simulators/shopee/index.ts'

type Sdk = InstanceType<(typeof import('@congminh1254/shopee-sdk'))['ShopeeSDK']>

const account = { partnerId: 2001887, partnerKey: 'partner-key', shopId: 600000 }
const sent: { method: string; url: URL; body: unknown }[] = []
const realFetch = globalThis.fetch
let sim: ShopeeSimulator
let sdk: Sdk

beforeAll(async () => {
  sim = await startShopeeSimulator({ ...account, pageCap: 20 })
  sim.seed(seedOrders(3))
  // The SDK takes fetch when it is loaded.
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    sent.push({
      method: init?.method ?? 'GET',
      url,
      body: typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : null,
    })
    return await realFetch(input, init)
  }
  const { ShopeeSDK } = await import('@congminh1254/shopee-sdk')
  sdk = new ShopeeSDK({
    partner_id: account.partnerId,
    partner_key: account.partnerKey,
    base_url: `${sim.url}/api/v2`,
    shop_id: account.shopId,
  })
  const { accessToken, refreshToken } = sim.tokens()
  const expire_in = 4 * 3600
  const storage = (sdk as unknown as { tokenStorage: { store(token: unknown): Promise<void> } }).tokenStorage
  await storage.store({
    access_token: accessToken,
    refresh_token: refreshToken,
    expire_in,
    expired_at: Date.now() + expire_in * 1000,
    shop_id: account.shopId,
  })
})
afterAll(async () => {
  globalThis.fetch = realFetch
  await sim.stop()
})

/** What our connector would send at the very second of that request. */
function ours(call: ShopeeCall, at: URL): { method: string; path: string; query: Record<string, string>; body: unknown } {
  const config = ShopeeConfig.parse({ ...account, baseUrl: sim.url, refreshToken: 'r' })
  const now = new Date(Number(at.searchParams.get('timestamp')) * 1000)
  const url = new URL(signedUrl(config, call, at.searchParams.get('access_token'), now))
  return { method: call.method, path: url.pathname, query: Object.fromEntries(url.searchParams), body: call.body }
}
const theirs = () => {
  const last = sent.at(-1)
  if (!last) throw new Error('the SDK sent nothing')
  return {
    url: last.url,
    shape: { method: last.method, path: last.url.pathname, query: Object.fromEntries(last.url.searchParams), body: last.body },
  }
}
const orderSn = () => sim.orders()[0]?.orderSn ?? ''

describe('the SDK and our connector send the same', () => {
  it('list of orders, which the stand-in answers', async () => {
    const to = Math.floor(Date.now() / 1000) + 60
    const answer = await sdk.order.getOrderList({
      time_range_field: 'update_time' as never,
      time_from: to - 86_400,
      time_to: to,
      page_size: 20,
      cursor: '',
      response_optional_fields: 'order_status',
      request_order_status_pending: true,
    } as never)
    expect(answer.response?.order_list?.map((order) => order.order_sn).toSorted()).toEqual(
      sim
        .orders()
        .map((order) => order.orderSn)
        .toSorted(),
    )
    const { url, shape } = theirs()
    expect(shape).toEqual(ours(orderListRequest({ from: to - 86_400, to, pageSize: 20, cursor: '' }), url))
  })

  // One: of several the SDK repeats the parameter, the document wants them in one, with commas.
  it('details of an order', async () => {
    const wanted = [orderSn()]
    const call = orderDetailRequest(wanted)
    const answer = await sdk.order.getOrderDetail({
      order_sn_list: wanted,
      response_optional_fields: call.query['response_optional_fields'],
      request_order_status_pending: true,
    } as never)
    expect(answer.response?.order_list).toHaveLength(1)
    const { url, shape } = theirs()
    expect(shape).toEqual(ours(call, url))
  })

  it('what shipping wants to know, the shipment and its number', async () => {
    await sdk.logistics.getShippingParameter({ order_sn: orderSn() } as never)
    let their = theirs()
    expect(their.shape).toEqual(ours(shippingParameterRequest(orderSn()), their.url))
    const by = { dropoff: {} }
    await sdk.logistics.shipOrder({ order_sn: orderSn(), ...by } as never).catch(() => undefined) // refused or not: what was sent counts
    their = theirs()
    expect(their.shape).toEqual(ours(shipOrderRequest(orderSn(), by), their.url))
    await sdk.logistics.getTrackingNumber({ order_sn: orderSn() } as never).catch(() => undefined)
    their = theirs()
    expect(their.shape).toEqual(ours(trackingNumberRequest(orderSn()), their.url))
  })

  it('a cancellation', async () => {
    await sdk.order.cancelOrder({ order_sn: orderSn(), cancel_reason: 'CUSTOMER_REQUEST' } as never).catch(() => undefined)
    const { url, shape } = theirs()
    expect(shape).toEqual(ours(cancelOrderRequest(orderSn(), 'CUSTOMER_REQUEST', []), url))
  })
})

it('the stand-in never found fault with a signature of theirs', () => {
  expect(sim.calls().filter((call) => /sign/i.test(call.error))).toEqual([])
})
