/**
 * A stand-in for CYBERBIZ v1 (web shop and POS), written from the unofficial reference and its recorded answers. Loopback only.
 * Control: GET/POST /_sim/orders · /_sim/faults.
 */
import { createHmac } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'
import { createCalls, type ShopState } from './calls.ts'
import { seedOrders, taipei, type SeedOptions } from './seed.ts'
import type { CyberbizSimulatorOptions, SimOrder, SimVariant } from './types.ts'

export { seedOrders, taipei, type SeedOptions } from './seed.ts'
export type { CyberbizSimulatorOptions, SimOrder, SimVariant } from './types.ts'

export interface CyberbizSimulator {
  url: string
  seed(orders: SimOrder[]): void
  stock(variants: SimVariant[], posShops?: { id: number; name: string }[]): void
  /** Any change moves the update time. */
  edit(id: number, change: (order: SimOrder) => void): SimOrder
  cancel(id: number): SimOrder
  order(id: number): SimOrder
  orders(): SimOrder[]
  variants(): SimVariant[]
  /** The next `times` requests are answered with 401. */
  refuseToken(times?: number): void
  /** What was asked, oldest first. */
  calls(): { method: string; path: string; status: number }[]
  /** A webhook, signed, not sent; production signs in hex, the documents say base64. */
  signedWebhook(event: string, id: number, encoding?: 'hex' | 'base64'): { headers: Record<string, string>; body: string }
  faults: FaultPlan
  stop(): Promise<void>
}

export async function startCyberbizSimulator(options: CyberbizSimulatorOptions): Promise<CyberbizSimulator> {
  const now = options.now ?? (() => new Date())
  const orders = new Map<number, SimOrder>()
  const shop: ShopState = {
    orders,
    variants: new Map(),
    posShops: [],
    clock: () => taipei(now()),
    edit(id, change) {
      const order = orders.get(id)
      if (!order) throw new RangeError(`no order ${id}`)
      change(order)
      order.updated_at = taipei(now())
      return structuredClone(order)
    },
  }
  const work = createCalls(shop, options)
  let refusals = 0
  let log: { method: string; path: string; status: number }[] = []
  let second = { at: 0, asked: 0 }

  function gate(request: SimRequest): SimAnswer | null {
    const at = Math.floor(now().getTime() / 1000)
    second = second.at === at ? { at, asked: second.asked + 1 } : { at, asked: 1 }
    if (options.perSecond && second.asked > options.perSecond)
      return { status: 429, headers: { 'retry-after': '1' }, body: { error: 'Rate limit exceeded' } }
    const refused = refusals > 0
    if (refused) refusals -= 1
    if (refused || request.headers.authorization !== `Bearer ${options.token}`)
      return { status: 401, body: { error: 'Unauthorized' } }
    if (request.rawBody.length > 2 * 1024 * 1024) return { status: 413, body: { error: 'too large' } }
    return null
  }

  const seed = (added: SimOrder[]) => {
    for (const order of added) orders.set(order.id, structuredClone(order))
  }
  const server = await startSimServer({
    port: options.port ?? 0,
    handle(request) {
      const answer = gate(request) ?? work(request)
      log = [...log.slice(-9_999), { method: request.method, path: request.path, status: answer.status ?? 200 }]
      return answer
    },
    refuse: (fault) => ({ status: fault.status ?? 422, body: { error: [fault.message ?? '參數錯誤'] } }),
    control(request) {
      if (request.route !== '/orders') return null
      if (request.method === 'POST') {
        const body = (request.json ?? {}) as { count?: number; options?: SeedOptions; orders?: SimOrder[] }
        const added = body.orders ?? seedOrders(body.count ?? 1, body.options)
        seed(added)
        return { body: { ids: added.map((order) => order.id) } }
      }
      return { body: { orders: [...orders.values()] } }
    },
  })
  const order = (id: number): SimOrder => {
    const found = orders.get(id)
    if (!found) throw new RangeError(`no order ${id}`)
    return structuredClone(found)
  }
  return {
    url: server.url,
    faults: server.faults,
    stop: server.stop,
    seed,
    stock(variants, posShops = []) {
      for (const variant of variants) shop.variants.set(variant.id, structuredClone(variant))
      shop.posShops.push(...posShops)
    },
    edit: shop.edit,
    cancel: (id) =>
      shop.edit(id, (each) => {
        each.statuses.order_status = 'cancelled'
        each.timings.cancelled_at = taipei(now())
      }),
    order,
    orders: () => structuredClone([...orders.values()]),
    variants: () => structuredClone([...shop.variants.values()]),
    refuseToken: (times = 1) => {
      refusals = times
    },
    calls: () => [...log],
    signedWebhook(event, id, encoding = 'hex') {
      if (!options.appSecret) throw new RangeError('the simulator was started without an app secret')
      const body = JSON.stringify(order(id))
      const sign = (text: string) =>
        createHmac('sha256', options.appSecret ?? '')
          .update(text)
          .digest(encoding)
      const domain = options.shopDomain ?? 'example.cyberbiz.co'
      return {
        headers: {
          'content-type': 'application/json',
          'x-cyberbiz-event': event,
          'x-cyberbiz-domain': domain,
          'x-cyberbiz-shop-domain': 'www.example.com',
          'x-cyberbiz-hmac-sha256': sign(body),
          'x-cyberbiz-domain-hmac-sha256': sign(domain),
        },
        body,
      }
    },
  }
}
