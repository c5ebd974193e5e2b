/**
 * A stand-in for the Shopee Open Platform v2, written from the vendor's documents. Loopback only.
 * Control: GET/POST /_sim/orders · POST /_sim/orders/{order_sn}/{edit|cancel|pay|advance} · POST /_sim/expire-tokens ·
 * POST /_sim/push · GET /_sim/calls · /_sim/faults.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'
import { createGate, type Refusal } from './auth.ts'
import { createCalls, type Outcome } from './calls.ts'
import { createReturns, type SimReturn, type SimReturnEdit } from './returns.ts'
import { seedOrders, type SeedOptions } from './seed.ts'
import { createShop, logisticsFor } from './state.ts'
import type { ShopeeSimulatorOptions, SimEdit, SimOrder } from './types.ts'

export { seedOrders, type SeedOptions, type SeedSku } from './seed.ts'
export type { ShopeeSimulatorOptions, SimEdit, SimOrder } from './types.ts'

export interface SignedPush {
  url: string
  headers: Record<string, string>
  body: string
}

export interface ShopeeSimulator {
  url: string
  /** Orders of one's own making (see seedOrders); an order number that is known is replaced. */
  seed(orders: SimOrder[]): void
  edit(orderSn: string, change: SimEdit): SimOrder
  cancel(orderSn: string, reason?: string): SimOrder
  pay(orderSn: string): SimOrder
  /** The parcel moves: PROCESSED, SHIPPED, TO_CONFIRM_RECEIVE, COMPLETED. */
  advance(orderSn: string, status: string): SimOrder
  orders(): SimOrder[]
  /** The buyer asks to give it back: all of it unless `given` says otherwise. */
  askReturn(orderSn: string, given?: SimReturnEdit): SimReturn
  editReturn(returnSn: string, change: SimReturnEdit): SimReturn
  /** Every access token given so far stops being valid. */
  expireTokens(): void
  tokens(): { accessToken: string; refreshToken: string }
  /** What was asked, oldest first: path and whether it was refused. Kept to the last 10,000. */
  calls(): { path: string; error: string }[]
  /** A push about an order, signed, not sent. Code 3: order status; 4: tracking number. */
  signedPush(orderSn: string, code?: 3 | 4): SignedPush
  faults: FaultPlan
  stop(): Promise<void>
}

const REFRESH = '/api/v2/auth/access_token/get'
const requestId = () => randomBytes(16).toString('hex')
const isRefusal = (outcome: object): outcome is Refusal => 'error' in outcome

function answerOf(outcome: Outcome): SimAnswer {
  if (isRefusal(outcome))
    return { status: outcome.status, body: { error: outcome.error, message: outcome.message, request_id: requestId() } }
  return {
    body: { error: '', message: '', ...(outcome.response ? { response: outcome.response } : {}), request_id: requestId() },
  }
}

export async function startShopeeSimulator(options: ShopeeSimulatorOptions): Promise<ShopeeSimulator> {
  const now = options.now ?? (() => new Date())
  const shop = createShop(now, options.stateFile)
  const gate = createGate(options, now)
  const returns = createReturns(shop, now)
  const calls: ReturnType<typeof createCalls> = {
    ...createCalls(shop, options),
    '/api/v2/returns/get_return_list': { method: 'GET', call: returns.list },
  }
  let log: { path: string; error: string }[] = []

  function refreshTokens(request: SimRequest): SimAnswer {
    const refused = gate.check(request, false)
    if (refused) return answerOf(refused)
    const body = request.json as { refresh_token?: unknown; partner_id?: unknown; shop_id?: unknown } | null
    if (body?.partner_id !== options.partnerId || body.shop_id !== options.shopId || typeof body.refresh_token !== 'string')
      return answerOf({
        status: 200,
        error: 'error_param',
        message: 'Wrong parameters, detail: partner_id, shop_id and refresh_token are required.',
      })
    const traded = gate.refresh(body.refresh_token)
    if (isRefusal(traded)) return answerOf(traded)
    return {
      body: {
        error: '',
        message: '',
        request_id: requestId(),
        partner_id: options.partnerId,
        shop_id: options.shopId,
        access_token: traded.accessToken,
        refresh_token: traded.refreshToken,
        expire_in: traded.expireIn,
      },
    }
  }

  function handle(request: SimRequest): SimAnswer {
    if (request.path === REFRESH && request.method === 'POST') return refreshTokens(request)
    const known = calls[request.path]
    if (!known || known.method !== request.method)
      return answerOf({
        status: 404,
        error: 'error_param',
        message: 'Permission denied. This API is currently offline or the request path is incorrect.',
      })
    return answerOf(gate.check(request, true) ?? known.call(request))
  }

  function signedPush(orderSn: string, code: 3 | 4 = 3): SignedPush {
    const order = shop.find(orderSn)
    if (!order) throw new RangeError(`no order ${orderSn}`)
    if (!options.push) throw new RangeError('the simulator was started without push')
    const data =
      code === 3
        ? { completed_scenario: null, items: [], ordersn: orderSn, status: order.status, update_time: order.updateTime }
        : {
            ordersn: orderSn,
            forder_id: order.packageNumber,
            package_number: order.packageNumber,
            tracking_no: order.trackingNumber ?? '',
          }
    const body = JSON.stringify({
      msg_id: requestId(),
      data,
      shop_id: options.shopId,
      code,
      timestamp: Math.floor(now().getTime() / 1000),
    })
    const { callbackUrl, partnerKey } = options.push
    const authorization = createHmac('sha256', partnerKey).update(`${callbackUrl}|${body}`).digest('hex')
    return { url: callbackUrl, headers: { 'content-type': 'application/json', authorization }, body }
  }

  const actions: Record<string, (orderSn: string, body: Record<string, unknown>) => SimOrder> = {
    edit: (orderSn, body) => shop.edit(orderSn, body as SimEdit),
    cancel: (orderSn, body) =>
      shop.edit(orderSn, {
        status: 'CANCELLED',
        cancelReason: String(body.reason ?? 'changed my mind'),
        ...logisticsFor('CANCELLED'),
      }),
    pay: (orderSn) => shop.edit(orderSn, { status: 'READY_TO_SHIP', payTime: Math.floor(now().getTime() / 1000) }),
    advance: (orderSn, body) => shop.edit(orderSn, { status: String(body.status), ...logisticsFor(String(body.status)) }),
  }
  const act = (action: string, orderSn: string, body: Record<string, unknown> = {}): SimOrder => {
    const known = actions[action]
    if (!known) throw new RangeError(`no action ${action}`)
    return known(orderSn, body)
  }

  async function control(request: SimRequest & { route: string }): Promise<SimAnswer | null> {
    const body = (request.json ?? {}) as Record<string, unknown>
    const post = request.method === 'POST'
    const order = /^\/orders\/([^/]+)\/(edit|cancel|pay|advance)$/.exec(request.route)
    if (order?.[1] && order[2] && post) return { body: { order: act(order[2], decodeURIComponent(order[1]), body) } }
    if (request.route === '/orders' && post) {
      const added = Array.isArray(body.orders)
        ? (body.orders as SimOrder[])
        : seedOrders(Number(body.count ?? 1), (body.options ?? {}) as SeedOptions)
      shop.seed(added)
      return { body: { orderSns: added.map((entry) => entry.orderSn) } }
    }
    if (request.route === '/orders') return { body: { orders: shop.orders() } }
    if (request.route === '/calls') return { body: { calls: log } }
    if (request.route === '/expire-tokens' && post) {
      gate.expireTokens()
      return { body: { ok: true } }
    }
    if (request.route === '/push' && post) {
      const push = signedPush(String(body.orderSn), body.code === 4 ? 4 : 3)
      const answer = await fetch(push.url, { method: 'POST', headers: push.headers, body: push.body })
      return { body: { status: answer.status } }
    }
    return null
  }

  const server = await startSimServer({
    port: options.port ?? 0,
    handle(request) {
      const answer = handle(request)
      log = [...log.slice(-9_999), { path: request.path, error: String((answer.body as { error?: unknown }).error ?? '') }]
      return answer
    },
    refuse: (fault) =>
      answerOf({
        status: fault.status ?? 200,
        error: fault.code ?? 'error_param',
        message: fault.message ?? 'parameter invalid',
      }),
    control,
  })
  return {
    url: server.url,
    faults: server.faults,
    stop: server.stop,
    seed: shop.seed,
    orders: shop.orders,
    edit: shop.edit,
    cancel: (orderSn, reason) => act('cancel', orderSn, { reason }),
    pay: (orderSn) => act('pay', orderSn),
    advance: (orderSn, status) => act('advance', orderSn, { status }),
    askReturn: returns.ask,
    editReturn: returns.edit,
    expireTokens: gate.expireTokens,
    tokens: gate.current,
    calls: () => [...log],
    signedPush,
  }
}
