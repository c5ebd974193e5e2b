/**
 * A stand-in for Square's Orders, Inventory, Catalog, Refunds and Locations APIs and its webhooks, written from the OpenAPI specification.
 * Loopback only. Control: GET/POST /_sim/orders · /_sim/faults.
 */
import { createHmac, randomUUID } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'
import { seedOrders, type SimFulfilment, type SimOrder } from './seed.ts'

export { seedOrders, type SimOrder } from './seed.ts'

export interface SquareSimulatorOptions {
  accessToken: string
  merchantId: string
  signatureKey: string
  notificationUrl: string
  port?: number
  locations?: string[]
  now?: () => Date
}
export interface SimVariation {
  id: string
  itemId: string
  name: string
  sku: string
}
export interface SimRefund {
  id: string
  payment_id: string
  amount_money: { amount: number; currency: string }
}
export interface SquareSimulator {
  url: string
  seed(orders: SimOrder[]): void
  stock(variations: SimVariation[], counts?: Record<string, number>): void
  /** Any change moves updated_at and the version. */
  edit(id: string, change: (order: SimOrder) => void): void
  order(id: string): SimOrder
  refunds(): SimRefund[]
  /** In stock at a location. */
  count(variationId: string, location?: string): number | undefined
  /** How often a count was made. */
  countings(): number
  revokeToken(): void
  /** A webhook, signed, not sent. */
  signedWebhook(type: string, orderId: string): { headers: Record<string, string>; body: string }
  faults: FaultPlan
  stop(): Promise<void>
}

type Json = Record<string, unknown>
const fail = (status: number, category: string, code: string, field?: string): SimAnswer => ({
  status,
  body: { errors: [{ category, code, detail: 'see the documents', ...(field === undefined ? {} : { field }) }] },
})
const bad = (code: string, field?: string) => fail(400, 'INVALID_REQUEST_ERROR', code, field)
const PAGE = 100

export async function startSquareSimulator(options: SquareSimulatorOptions): Promise<SquareSimulator> {
  const { locations = ['L1'] } = options
  const now = options.now ?? (() => new Date())
  const orders = new Map<string, SimOrder>()
  const variations = new Map<string, SimVariation>()
  const counts = new Map<string, { quantity: number; at: string }>()
  const refunds: SimRefund[] = []
  /** By idempotency key: what was asked and what was answered. */
  const kept = new Map<string, { asked: string; answer: SimAnswer }>()
  let countings = 0
  let revoked = false
  let lastTime = 0
  /** No two changes at one millisecond, as a server would write them. */
  const clock = () => new Date((lastTime = Math.max(now().getTime(), lastTime + 1))).toISOString()

  function once(request: SimRequest, work: (body: Json) => SimAnswer): SimAnswer {
    const body = (request.json ?? {}) as Json
    const key = body.idempotency_key
    if (typeof key !== 'string' || key.length === 0) return bad('MISSING_REQUIRED_PARAMETER', 'idempotency_key')
    if (key.length > 45) return bad('VALUE_TOO_LONG', 'idempotency_key')
    const name = `${request.method} ${request.path} ${key}`
    const before = kept.get(name)
    const asked = JSON.stringify(body)
    if (before) return before.asked === asked ? before.answer : bad('IDEMPOTENCY_KEY_REUSED', 'idempotency_key')
    const answer = work(body)
    if ((answer.status ?? 200) < 400) kept.set(name, { asked, answer: structuredClone(answer) })
    return answer
  }

  function search(body: Json): SimAnswer {
    const ids = body.location_ids as string[] | undefined
    if (!ids?.length) return bad('MISSING_REQUIRED_PARAMETER', 'location_ids')
    if (ids.length > 10) return bad('ARRAY_LENGTH_TOO_LONG', 'location_ids')
    const limit = Number(body.limit ?? 500)
    if (limit < 1 || limit > 1000) return bad('VALUE_TOO_HIGH', 'limit')
    const query = body.query as
      | {
          filter?: { date_time_filter?: { updated_at?: { start_at?: string; end_at?: string } } }
          sort?: { sort_field?: string; sort_order?: string }
        }
      | undefined
    const range = query?.filter?.date_time_filter?.updated_at
    if (range && query?.sort?.sort_field !== 'UPDATED_AT') return bad('BAD_REQUEST', 'query.sort.sort_field')
    const [start, end] = [
      Date.parse(range?.start_at ?? '1970-01-01T00:00:00Z'),
      Date.parse(range?.end_at ?? '9999-12-31T00:00:00Z'),
    ]
    if (Number.isNaN(start) || Number.isNaN(end)) return bad('INVALID_TIME', 'query.filter.date_time_filter')
    const sign = query?.sort?.sort_order === 'ASC' ? 1 : -1
    const found = [...orders.values()]
      .filter((order) => ids.includes(order.location_id))
      // Whether the first instant belongs to it is not told: here it does not.
      .filter(({ updated_at: at }) => Date.parse(at) > start && Date.parse(at) <= end)
      .sort((a, b) => sign * (Date.parse(a.updated_at) - Date.parse(b.updated_at) || a.id.localeCompare(b.id)))
    return { body: found.length === 0 ? {} : { orders: found.slice(0, limit) } }
  }

  function update(order: SimOrder, body: Json): SimAnswer {
    const change = (body.order ?? {}) as Partial<SimOrder>
    if (order.state === 'COMPLETED' || order.state === 'CANCELED') return bad('BAD_REQUEST', 'order.state')
    if (change.version !== order.version) return fail(409, 'INVALID_REQUEST_ERROR', 'VERSION_MISMATCH', 'order.version')
    for (const part of change.fulfillments ?? []) {
      const known = order.fulfillments?.find(({ uid }) => uid === part.uid)
      if (!known) return bad('NOT_FOUND', 'order.fulfillments.uid')
      const { shipment_details: details, ...rest } = part as SimFulfilment
      if ((details?.tracking_number?.length ?? 0) > 100) return bad('VALUE_TOO_LONG', 'tracking_number')
      Object.assign(known, rest)
      if (details) known.shipment_details = { ...known.shipment_details, ...details }
    }
    if (change.state === 'CANCELED') {
      if ((order.fulfillments ?? []).some(({ state }) => state !== 'CANCELED')) return bad('BAD_REQUEST', 'order.fulfillments')
      order.state = 'CANCELED'
    } else if ((order.fulfillments ?? []).every(({ state }) => state === 'COMPLETED' || state === 'CANCELED'))
      order.state = 'COMPLETED'
    order.version += 1
    order.updated_at = clock()
    return { body: { order } }
  }

  function refund(body: Json): SimAnswer {
    const {
      payment_id: id,
      amount_money: amount,
      reason,
    } = body as {
      payment_id?: string
      amount_money?: { amount: number; currency: string }
      reason?: string
    }
    const tender = [...orders.values()].flatMap(({ tenders }) => tenders).find((each) => each.payment_id === id)
    if (!tender || !id) return fail(404, 'INVALID_REQUEST_ERROR', 'NOT_FOUND', 'payment_id')
    if (!amount || !Number.isInteger(amount.amount)) return bad('MISSING_REQUIRED_PARAMETER', 'amount_money')
    if ((reason?.length ?? 0) > 192) return bad('VALUE_TOO_LONG', 'reason')
    const back = refunds.filter((each) => each.payment_id === id).reduce((sum, each) => sum + each.amount_money.amount, 0)
    if (amount.amount > tender.amount_money.amount - back || amount.currency !== tender.amount_money.currency)
      return fail(400, 'REFUND_ERROR', 'REFUND_AMOUNT_INVALID', 'amount_money')
    const made = { id: `REFUND${refunds.length + 1}`, payment_id: id, amount_money: amount }
    refunds.push(made)
    const order = [...orders.values()].find(({ tenders }) => tenders.includes(tender))
    if (order)
      order.refunds = [...(order.refunds ?? []), { ...made, tender_id: tender.id, reason: reason ?? '', status: 'PENDING' }]
    return { body: { refund: { ...made, status: 'PENDING', reason } } }
  }

  function change(body: Json): SimAnswer {
    const changes = (body.changes ?? []) as { type: string; physical_count?: Json }[]
    if (changes.length === 0 || changes.length > 100) return bad('ARRAY_LENGTH_TOO_LONG', 'changes')
    const wrong = changes.flatMap(({ type, physical_count: count }, at) => {
      const field = `changes[${at}].physical_count`
      if (type !== 'PHYSICAL_COUNT' || count?.state !== 'IN_STOCK') return [{ code: 'INVALID_VALUE', field: `changes[${at}]` }]
      if (!variations.has(String(count.catalog_object_id))) return [{ code: 'NOT_FOUND', field: `${field}.catalog_object_id` }]
      if (!/^\d{1,20}(\.\d{1,5})?$/.test(String(count.quantity))) return [{ code: 'INVALID_VALUE', field: `${field}.quantity` }]
      const age = now().getTime() - Date.parse(String(count.occurred_at))
      return Number.isNaN(age) || age > 86_400_000 || age < -60_000
        ? [{ code: 'INVALID_TIME', field: `${field}.occurred_at` }]
        : []
    })
    if (wrong.length > 0)
      return {
        status: 400,
        body: { errors: wrong.map((each) => ({ category: 'INVALID_REQUEST_ERROR', detail: 'no', ...each })) },
      }
    for (const { physical_count: count } of changes) {
      countings += 1
      counts.set(`${count!.catalog_object_id} ${count!.location_id}`, { quantity: Number(count!.quantity), at: clock() })
    }
    return { body: { counts: [], changes } }
  }

  function retrieveCounts(body: Json): SimAnswer {
    const {
      catalog_object_ids: ids,
      location_ids: at,
      cursor,
    } = body as { catalog_object_ids?: string[]; location_ids?: string[]; cursor?: string }
    const all = [...counts].flatMap(([key, { quantity, at: calculatedAt }]) => {
      const [id = '', location = ''] = key.split(' ')
      if ((ids && !ids.includes(id)) || (at && !at.includes(location))) return []
      return [
        {
          catalog_object_id: id,
          catalog_object_type: 'ITEM_VARIATION',
          state: 'IN_STOCK',
          location_id: location,
          quantity: String(quantity),
          calculated_at: calculatedAt,
        },
      ]
    })
    const start = Number(cursor ?? 0)
    return {
      body: { counts: all.slice(start, start + PAGE), ...(start + PAGE < all.length ? { cursor: String(start + PAGE) } : {}) },
    }
  }

  const variationView = ({ id, itemId, name, sku }: SimVariation) => ({
    type: 'ITEM_VARIATION',
    id,
    item_variation_data: { item_id: itemId, name, sku, track_inventory: true },
  })
  function listCatalog({ query }: SimRequest): SimAnswer {
    if (query.types !== 'ITEM') return bad('INVALID_ENUM_VALUE', 'types')
    const items = [...new Set([...variations.values()].map(({ itemId }) => itemId))]
    const start = Number(query.cursor ?? 0)
    const objects = items.slice(start, start + PAGE).map((id) => ({
      type: 'ITEM',
      id,
      item_data: { name: id, variations: [...variations.values()].filter(({ itemId }) => itemId === id).map(variationView) },
    }))
    return { body: { objects, ...(start + PAGE < items.length ? { cursor: String(start + PAGE) } : {}) } }
  }

  function route(request: SimRequest): SimAnswer {
    const { method, path } = request
    const body = (request.json ?? {}) as Json
    const call = `${method} ${path}`
    if (call === 'GET /v2/locations')
      return { body: { locations: locations.map((id) => ({ id, name: id, merchant_id: options.merchantId, status: 'ACTIVE' })) } }
    if (call === 'POST /v2/orders/search') return search(body)
    if (call === 'POST /v2/orders/batch-retrieve')
      return { body: { orders: (body.order_ids as string[]).flatMap((id) => orders.get(id) ?? []) } }
    if (call === 'POST /v2/refunds') return once(request, refund)
    if (call === 'POST /v2/inventory/changes/batch-create') return once(request, change)
    if (call === 'POST /v2/inventory/counts/batch-retrieve') return retrieveCounts(body)
    if (call === 'GET /v2/catalog/list') return listCatalog(request)
    if (call === 'POST /v2/catalog/batch-retrieve')
      return { body: { objects: (body.object_ids as string[]).flatMap((id) => variations.get(id) ?? []).map(variationView) } }
    const id = /^\/v2\/orders\/([^/]+)$/.exec(path)?.[1]
    const order = id === undefined ? undefined : orders.get(id)
    if (id === undefined || !order) return fail(404, 'INVALID_REQUEST_ERROR', 'NOT_FOUND')
    if (method === 'GET') return { body: { order } }
    return method === 'PUT'
      ? once(request, (sent) => update(order, sent))
      : fail(405, 'INVALID_REQUEST_ERROR', 'METHOD_NOT_ALLOWED')
  }

  const server = await startSimServer({
    port: options.port ?? 0,
    handle(request) {
      if (revoked || request.headers.authorization !== `Bearer ${options.accessToken}`)
        return fail(401, 'AUTHENTICATION_ERROR', 'UNAUTHORIZED')
      if (!/^\d{4}-\d{2}-\d{2}$/.test(request.headers['square-version'] ?? '')) return bad('INVALID_SQUARE_VERSION_FORMAT')
      return route(request)
    },
    refuse: (fault) => bad(fault.code ?? 'BAD_REQUEST', fault.message),
    control(request) {
      if (request.route !== '/orders') return null
      if (request.method === 'POST')
        for (const order of seedOrders(Number(request.fields.count ?? 1))) orders.set(order.id, order)
      return { body: { orders: [...orders.values()] } }
    },
  })
  const order = (id: string): SimOrder => {
    const found = orders.get(id)
    if (!found) throw new RangeError(`no order ${id}`)
    return found
  }
  return {
    url: server.url,
    faults: server.faults,
    stop: server.stop,
    seed: (seeded) => seeded.forEach((each) => orders.set(each.id, structuredClone(each))),
    stock(added, levels = {}) {
      for (const each of added) variations.set(each.id, each)
      for (const [id, quantity] of Object.entries(levels)) counts.set(`${id} ${locations[0]}`, { quantity, at: clock() })
    },
    edit(id, edited) {
      edited(order(id))
      order(id).version += 1
      order(id).updated_at = clock()
    },
    order: (id) => structuredClone(order(id)),
    refunds: () => structuredClone(refunds),
    count: (id, location = locations[0]!) => counts.get(`${id} ${location}`)?.quantity,
    countings: () => countings,
    revokeToken: () => void (revoked = true),
    signedWebhook(type, orderId) {
      const key = type.replaceAll('.', '_')
      const { location_id, state, version, created_at, updated_at } = order(orderId)
      const about = { order_id: orderId, location_id, state, version, created_at, updated_at }
      const body = JSON.stringify({
        merchant_id: options.merchantId,
        type,
        event_id: randomUUID(),
        created_at: now().toISOString(),
        data: { type: key, id: orderId, object: { [key]: about } },
      })
      const signature = createHmac('sha256', options.signatureKey)
        .update(options.notificationUrl + body)
        .digest('base64')
      return { headers: { 'content-type': 'application/json', 'x-square-hmacsha256-signature': signature }, body }
    },
  }
}
