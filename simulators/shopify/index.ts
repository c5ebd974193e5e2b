/**
 * A stand-in for a Shopify shop's Admin GraphQL API and its webhooks, written from shopify.dev. It reads the documents and gives what they
 * select; a field that it does not know is refused, as by the vendor. Loopback only. Control: GET/POST /_sim/orders · /_sim/faults.
 */
import { createHmac, randomUUID } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'
import { connection, GraphqlError, parseOperation, project, type Field } from './graphql.ts'
import { createMutations, type Shop } from './mutations.ts'
import { seconds, seedOrders } from './seed.ts'
import type { ShopifySimulatorOptions, SimOrder, SimVariant } from './types.ts'
import { gid, orderView, quantitiesOf, variantView, workView } from './views.ts'

export { seedOrders } from './seed.ts'
export type { ShopifySimulatorOptions, SimOrder, SimVariant } from './types.ts'

export interface ShopifySimulator {
  url: string
  seed(orders: SimOrder[]): void
  stock(variants: SimVariant[]): void
  /** Any change moves updatedAt. */
  edit(id: string, change: (order: SimOrder) => void): void
  order(id: string): SimOrder
  variant(id: string): SimVariant
  /** Runs once, between the next reading of levels and their writing. */
  meanwhile(work: () => void): void
  /** The bucket holds nothing for the next call. */
  throttleOnce(cost: { requestedQueryCost: number; currentlyAvailable: number; restoreRate: number }): void
  /** All tokens given so far are refused. */
  expireTokens(): void
  tokensGiven(): number
  /** A webhook, signed, not sent. */
  signedWebhook(topic: string, id: string): { headers: Record<string, string>; body: string }
  faults: FaultPlan
  stop(): Promise<void>
}

const SCOPES = [
  'write_orders',
  'write_fulfillments',
  'write_merchant_managed_fulfillment_orders',
  'read_products',
  'write_inventory',
  'read_locations',
]
const numberOf = (id: unknown): string => String(id).split('/').at(-1) ?? ''
const failed = (message: string, code: string, extensions: Record<string, unknown> = {}): SimAnswer => ({
  body: { errors: [{ message, extensions: { code } }], ...extensions },
})

/** `updated_at:>='…' AND updated_at:<='…'`; anything else is not understood. */
function timesOf(search: unknown): { from: number; to: number } {
  const match = /^updated_at:>='([^']+)' AND updated_at:<='([^']+)'$/.exec(String(search))
  const [from, to] = [Date.parse(match?.[1] ?? ''), Date.parse(match?.[2] ?? '')]
  if (Number.isNaN(from) || Number.isNaN(to)) throw new GraphqlError('the search is not understood', 'BAD_REQUEST')
  return { from, to }
}

export async function startShopifySimulator(options: ShopifySimulatorOptions): Promise<ShopifySimulator> {
  const { scopes = SCOPES, locations = [{ id: '77', name: '台北倉' }] } = options
  const now = options.now ?? (() => new Date())
  const shop: Shop = { orders: new Map(), variants: new Map(), meanwhile: null, now }
  const [{ id: locationId } = { id: '77' }] = locations
  const tokens = new Set<string>()
  let given = 0
  let throttle: { requestedQueryCost: number; currentlyAvailable: number; restoreRate: number } | null = null
  const mutations = createMutations(shop)
  const seen = (order: SimOrder) => {
    // The job of a cancellation is done by the next look.
    if (order.cancelling) {
      order.cancelling = false
      order.cancelledAt = order.updatedAt = seconds(now())
    }
    return orderView(order, locationId)
  }
  const nodeOf = (id: unknown): unknown => {
    const order = /\/Order\//.test(String(id)) ? shop.orders.get(numberOf(id)) : undefined
    const variant = /\/ProductVariant\//.test(String(id)) ? shop.variants.get(numberOf(id)) : undefined
    return order ? seen(order) : variant ? variantView(variant) : null
  }
  const root: Record<string, (args: Record<string, unknown>) => unknown> = {
    shop: () => ({ myshopifyDomain: options.shop }),
    currentAppInstallation: () => ({ accessScopes: scopes.map((handle) => ({ handle })) }),
    locations: connection(
      locations.map((each) => ({ id: gid('Location', each.id), name: each.name })),
      ({ id }) => id,
    ),
    nodes: ({ ids }) => (ids as unknown[]).map(nodeOf),
    order: ({ id }) => nodeOf(id),
    fulfillmentOrder: ({ id }) => {
      const order = shop.orders.get(numberOf(id))
      return order ? workView(order, locationId) : null
    },
    orders: ({ first, query, sortKey, after }) => {
      const { from, to } = timesOf(query)
      if (sortKey !== 'UPDATED_AT') throw new GraphqlError('sortKey', 'BAD_REQUEST')
      const found = [...shop.orders.values()]
        .filter(({ updatedAt }) => Date.parse(updatedAt) >= Math.floor(from / 1000) * 1000 && Date.parse(updatedAt) <= to)
        .sort((a, b) => a.updatedAt.localeCompare(b.updatedAt) || a.id.localeCompare(b.id))
      return connection(
        found.map((order) => orderView(order, locationId)),
        ({ id }) => id,
      )({ first, after })
    },
    productVariants: (args) => connection([...shop.variants.values()].map(variantView), ({ id }) => id)(args),
    location: ({ id }) => ({
      inventoryLevels: connection(
        [...shop.variants.values()].flatMap((variant) => {
          const level = variant.levels[numberOf(id)]
          return level ? [{ id: variant.id, item: variantView(variant).inventoryItem, quantities: quantitiesOf(level) }] : []
        }),
        (level) => level.id,
      ),
    }),
  }

  function execute(request: SimRequest): SimAnswer {
    const body = request.json as { query?: string; operationName?: string; variables?: Record<string, unknown> } | null
    if (typeof body?.query !== 'string')
      return { status: 400, body: { errors: { query: 'Required parameter missing or invalid' } } }
    if (throttle) {
      const { requestedQueryCost, ...status } = throttle
      throttle = null
      const cost = { requestedQueryCost, actualQueryCost: null, throttleStatus: { maximumAvailable: 2000, ...status } }
      return failed('Throttled', 'THROTTLED', { extensions: { cost } })
    }
    try {
      const operation = parseOperation(body.query, body.variables ?? {})
      if (operation.name !== body.operationName) throw new GraphqlError('No operation of that name', 'BAD_REQUEST')
      const data: Record<string, unknown> = {}
      for (const field of operation.fields) {
        const work = operation.kind === 'mutation' ? mutations[field.name] : root[field.name]
        if (!work) throw new GraphqlError(`Field '${field.name}' doesn't exist on ${operation.kind}`, 'undefinedField')
        data[field.name] = project(
          (work as (args: Record<string, unknown>, field: Field) => unknown)(field.args, field),
          field.fields,
          field.name,
        )
      }
      return { body: { data } }
    } catch (error) {
      if (error instanceof GraphqlError) return failed(error.message, error.code)
      throw error
    }
  }

  const server = await startSimServer({
    port: options.port ?? 0,
    handle(request) {
      if (request.path === '/admin/oauth/access_token' && request.method === 'POST') {
        const { client_id: id, client_secret: secret, grant_type: grant } = request.fields
        if (id !== options.clientId || secret !== options.clientSecret || grant !== 'client_credentials')
          return { status: 400, body: { error: 'invalid_client' } }
        const token = `shpat_${++given}_${randomUUID()}`
        tokens.add(token)
        return { body: { access_token: token, scope: scopes.join(','), expires_in: 86_399 } }
      }
      if (!/^\/admin\/api\/\d{4}-\d{2}\/graphql\.json$/.test(request.path)) return { status: 404, body: { errors: 'Not Found' } }
      if (!tokens.has(request.headers['x-shopify-access-token'] ?? ''))
        return { status: 401, body: { errors: '[API] Invalid API key or access token' } }
      return execute(request)
    },
    refuse: (fault) => failed(fault.message ?? 'Access denied', fault.code ?? 'ACCESS_DENIED'),
    control(request) {
      if (request.route !== '/orders') return null
      if (request.method === 'POST')
        for (const order of seedOrders(Number(request.fields.count ?? 1))) shop.orders.set(order.id, order)
      return { body: { orders: [...shop.orders.values()] } }
    },
  })
  const order = (id: string): SimOrder => {
    const found = shop.orders.get(id)
    if (!found) throw new RangeError(`no order ${id}`)
    return found
  }
  return {
    url: server.url,
    faults: server.faults,
    stop: server.stop,
    seed: (orders) => orders.forEach((each) => shop.orders.set(each.id, structuredClone(each))),
    stock: (variants) => variants.forEach((each) => shop.variants.set(each.id, structuredClone(each))),
    edit(id, change) {
      change(order(id))
      order(id).updatedAt = seconds(now())
    },
    order: (id) => structuredClone(order(id)),
    variant: (id) => structuredClone(shop.variants.get(id)!),
    meanwhile: (work) => void (shop.meanwhile = work),
    throttleOnce: (cost) => void (throttle = cost),
    expireTokens: () => tokens.clear(),
    tokensGiven: () => given,
    signedWebhook(topic, id) {
      // The body is written as text: ids are larger than a double holds.
      const body = `{"id":${id},"admin_graphql_api_id":"${gid('Order', id)}","updated_at":"${order(id).updatedAt}","test":false}`
      return {
        headers: {
          'content-type': 'application/json',
          'x-shopify-topic': topic,
          'x-shopify-shop-domain': options.shop,
          'x-shopify-api-version': '2026-07',
          'x-shopify-webhook-id': randomUUID(),
          'x-shopify-event-id': randomUUID(),
          'x-shopify-triggered-at': now().toISOString(),
          'x-shopify-hmac-sha256': createHmac('sha256', options.clientSecret).update(body).digest('base64'),
        },
        body,
      }
    },
  }
}
