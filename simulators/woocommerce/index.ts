/**
 * A stand-in for a WooCommerce shop (REST v3) without HTTPS, written from the documents. Loopback only.
 * Control: GET/POST /_sim/orders · /_sim/faults.
 */
import { createHmac } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer } from '../kit/server.ts'
import { createGate, failure } from './auth.ts'
import { createCalls, type ShopState } from './calls.ts'
import { gmt, seedOrders, type SeedOptions } from './seed.ts'
import type { SimNote, SimOrder, SimProduct, SimRefund, WooSimulatorOptions } from './types.ts'

export { gmt, seedOrders, type SeedOptions } from './seed.ts'
export type { SimOrder, SimProduct, WooSimulatorOptions } from './types.ts'

export interface WooSimulator {
  url: string
  seed(orders: SimOrder[]): void
  stock(products: SimProduct[]): void
  /** Any change moves the time of modification. */
  edit(id: number, change: (order: SimOrder) => void): SimOrder
  order(id: number): SimOrder
  notes(id: number): SimNote[]
  refunds(id: number): SimRefund[]
  /** Made by the shop's owner in the back office; `amount` is decimal text. */
  refundInOffice(id: number, amount: string, reason?: string): SimRefund
  products(): SimProduct[]
  /** From now on every key is refused. */
  revokeKey(): void
  calls(): { method: string; path: string; status: number }[]
  /** A webhook, signed, not sent. */
  signedWebhook(topic: string, id: number): { headers: Record<string, string>; body: string }
  faults: FaultPlan
  stop(): Promise<void>
}

export async function startWooSimulator(options: WooSimulatorOptions): Promise<WooSimulator> {
  const now = options.now ?? (() => new Date())
  const shop: ShopState = {
    orders: new Map(),
    notes: new Map(),
    refunds: new Map(),
    products: new Map(),
    clock: () => gmt(now()),
  }
  let origin = ''
  let revoked = false
  let deliveries = 0
  let log: { method: string; path: string; status: number }[] = []
  const gate = createGate(options.consumerKey, options.consumerSecret, () => origin, now)
  const work = createCalls(shop, options)
  const seed = (orders: SimOrder[]) => {
    for (const order of orders) shop.orders.set(order.id, structuredClone(order))
  }
  const server = await startSimServer({
    port: options.port ?? 0,
    handle(request) {
      const refused = revoked ? failure(401, 'woocommerce_rest_authentication_error', 'Consumer key is invalid.') : gate(request)
      const answer = refused ?? work.answer(request)
      log = [...log.slice(-9_999), { method: request.method, path: request.path, status: answer.status ?? 200 }]
      return answer
    },
    refuse: (fault) => failure(fault.status ?? 400, fault.code ?? 'rest_invalid_param', fault.message ?? 'Invalid parameter(s).'),
    control(request) {
      if (request.route !== '/orders') return null
      if (request.method === 'POST') {
        const body = (request.json ?? {}) as { count?: number; options?: SeedOptions; orders?: SimOrder[] }
        const added = body.orders ?? seedOrders(body.count ?? 1, body.options)
        seed(added)
        return { body: { ids: added.map((order) => order.id) } }
      }
      return { body: { orders: [...shop.orders.values()] } }
    },
  })
  origin = server.url
  const order = (id: number): SimOrder => {
    const found = shop.orders.get(id)
    if (!found) throw new RangeError(`no order ${id}`)
    return found
  }
  return {
    url: server.url,
    faults: server.faults,
    stop: server.stop,
    seed,
    stock(products) {
      for (const product of products) shop.products.set(product.id, structuredClone(product))
    },
    edit(id, change) {
      const found = order(id)
      change(found)
      found.date_modified_gmt = gmt(now())
      return structuredClone(found)
    },
    order: (id) => structuredClone(order(id)),
    notes: (id) => structuredClone(shop.notes.get(id) ?? []),
    refunds: (id) => structuredClone(shop.refunds.get(id) ?? []),
    refundInOffice(id, amount, reason = '') {
      const { status, body } = work.refund(order(id), { amount, reason, api_refund: true })
      if (status !== 201) throw new RangeError(JSON.stringify(body))
      return body as unknown as SimRefund
    },
    products: () => structuredClone([...shop.products.values()]),
    revokeKey: () => {
      revoked = true
    },
    calls: () => [...log],
    signedWebhook(topic, id) {
      if (!options.webhookSecret) throw new RangeError('the simulator was started without a webhook secret')
      const body = JSON.stringify(topic === 'order.deleted' ? { id } : order(id))
      const [resource = '', event = ''] = topic.split('.')
      return {
        headers: {
          'content-type': 'application/json',
          'x-wc-webhook-source': `${origin}/`,
          'x-wc-webhook-topic': topic,
          'x-wc-webhook-resource': resource,
          'x-wc-webhook-event': event,
          'x-wc-webhook-signature': createHmac('sha256', options.webhookSecret).update(body).digest('base64'),
          'x-wc-webhook-id': '142',
          'x-wc-webhook-delivery-id': `delivery-${++deliveries}`,
        },
        body,
      }
    },
  }
}
