/** A stand-in for a Medusa 2 shop's Admin API, written from its routes and from recorded answers (tests/unit/fixtures/medusa.json). */
import { startSimServer, type SimAnswer, type SimRequest, type SimServer } from '../kit/server.ts'
import type { SimFulfillment, SimOrder, SimPayment, SimVariant } from './seed.ts'

export { seedOrder, seedOrders, seedVariant, type SimOrder, type SimVariant } from './seed.ts'

export interface MedusaSimulator extends SimServer {
  seed(orders: SimOrder[]): void
  orders(): SimOrder[]
  order(id: string): SimOrder
  /** Gives it a new updated_at. */
  edit(id: string): void
  variants(): SimVariant[]
  /** Every session ends. */
  endSessions(): void
  logins(): number
}
export interface MedusaSimulatorOptions {
  email: string
  password: string
  /** A secret API key that is taken beside sessions. */
  apiKey?: string
  variants?: SimVariant[]
  now?: () => Date
}

const no = (status: number, type: string, message: string): SimAnswer => ({ status, body: { type, message } })
const unauthorised: SimAnswer = { status: 401, body: { message: 'Unauthorized' } }
type Body = Record<string, unknown>
type Line = { id: string; quantity: number }

export async function startMedusaSimulator(options: MedusaSimulatorOptions): Promise<MedusaSimulator> {
  const now = options.now ?? (() => new Date())
  const orders = new Map<string, SimOrder>()
  const variants = options.variants ?? []
  let sessions = new Set<string>()
  let logins = 0
  let serial = 0
  const paymentsOf = (order: SimOrder) => order.payment_collections.flatMap(({ payments }) => payments)

  /** updated_at[$gte], updated_at[$lte], id[], order, limit, offset, as the admin routes take them; fields are not narrowed. */
  function listed<T extends { id: string; updated_at?: string }>(all: T[], request: SimRequest, known: string[]) {
    const query = new URLSearchParams(Object.entries(request.query))
    const unknown = Object.keys(request.query).find(
      (name) => ![...known, 'limit', 'offset', 'order', 'fields', 'id[]'].includes(name.replace(/\[\$\w+\]$/, '')),
    )
    if (unknown) return no(400, 'invalid_data', `Invalid request: Unrecognized fields: '${unknown}'`)
    const ids = new URLSearchParams(request.search).getAll('id[]')
    const from = Date.parse(query.get('updated_at[$gte]') ?? '1970-01-01')
    const to = Date.parse(query.get('updated_at[$lte]') ?? '2999-01-01')
    const by = (query.get('order') ?? 'id') as 'id' | 'updated_at'
    const fitting = all
      .filter((item) => ids.length === 0 || ids.includes(item.id))
      .filter(({ updated_at: at }) => at === undefined || (Date.parse(at) >= from && Date.parse(at) <= to))
      .toSorted((a, b) => String(a[by]).localeCompare(String(b[by])))
    const offset = Number(query.get('offset') ?? 0)
    return fitting.slice(offset, offset + Number(query.get('limit') ?? 50))
  }
  const give = (key: string, found: object[] | SimAnswer): SimAnswer =>
    Array.isArray(found) ? { body: { [key]: found } } : found

  function fulfil(order: SimOrder, body: Body): SimAnswer {
    const wanted = body.items as Line[] | undefined
    if (!wanted?.length) return no(400, 'invalid_data', "Invalid request: Field 'items' is required")
    if (order.status === 'canceled') return no(400, 'invalid_data', `Order with id ${order.id} has been canceled.`)
    for (const { id, quantity } of wanted) {
      const item = order.items.find((each) => each.id === id)
      if (!item) return no(400, 'invalid_data', `Items with ids ${id} does not exist in order with id ${order.id}`)
      if (item.detail.fulfilled_quantity + quantity > item.quantity)
        return no(400, 'invalid_data', `No stock reservation found for item ${id} - ${item.title} (${item.variant_title})`)
    }
    for (const { id, quantity } of wanted) order.items.find((each) => each.id === id)!.detail.fulfilled_quantity += quantity
    order.fulfillments.push({
      id: `ful_${++serial}`,
      shipped_at: null,
      delivered_at: null,
      canceled_at: null,
      metadata: (body.metadata as Record<string, unknown> | undefined) ?? null,
      labels: [],
      items: wanted.map(({ id, quantity }) => ({ line_item_id: id, quantity })),
    })
    order.fulfillment_status = 'fulfilled'
    return touched(order)
  }
  function touched(order: SimOrder): SimAnswer {
    order.updated_at = now().toISOString()
    order.version += 1
    return { body: { order } }
  }
  function ship(order: SimOrder, one: SimFulfillment, body: Body): SimAnswer {
    const labels = (body.labels ?? []) as SimFulfillment['labels']
    const missing = ['tracking_number', 'tracking_url', 'label_url'].find((field) => labels.some((label) => !(field in label)))
    if (missing) return no(400, 'invalid_data', `Invalid request: Field 'labels, 0, ${missing}' is required`)
    if (!body.items) return no(400, 'invalid_data', "Invalid request: Field 'items' is required")
    if (one.shipped_at) return no(400, 'not_allowed', 'Shipment has already been created')
    one.shipped_at = now().toISOString()
    one.labels.push(...labels)
    for (const { line_item_id: id, quantity } of one.items)
      order.items.find((each) => each.id === id)!.detail.shipped_quantity += quantity
    order.fulfillment_status = 'shipped'
    return touched(order)
  }
  function deliver(order: SimOrder, one: SimFulfillment): SimAnswer {
    if (one.delivered_at) return no(400, 'not_allowed', 'Fulfillment has already been marked delivered')
    one.delivered_at = now().toISOString()
    order.fulfillment_status = 'delivered'
    return touched(order)
  }
  function cancel(order: SimOrder): SimAnswer {
    if (order.status === 'canceled') return no(400, 'invalid_data', `Order with id ${order.id} has been canceled.`)
    if (order.fulfillments.some((one) => !one.canceled_at))
      return no(400, 'not_allowed', 'All fulfillments must be canceled before canceling an order')
    order.status = 'canceled'
    order.canceled_at = now().toISOString()
    return touched(order)
  }
  function refund(order: SimOrder, payment: SimPayment, body: Body): SimAnswer {
    const amount = Number(body.amount)
    const gone = payment.refunds.reduce((sum, each) => sum + each.amount, 0)
    if (!payment.captured_at || gone + amount > payment.amount)
      return no(400, 'invalid_data', 'You are not allowed to refund more than the captured amount')
    payment.refunds.push({ id: `ref_${++serial}`, amount, note: (body.note as string | undefined) ?? null })
    payment.updated_at = now().toISOString()
    order.payment_status = 'partially_refunded'
    return { body: { payment } }
  }

  function write(request: SimRequest, parts: string[]): SimAnswer {
    const body = (request.json ?? {}) as Body
    const [kind, id = '', action, fulfillmentId, step] = parts
    if (kind === 'inventory-items' && id === 'location-levels') return setLevels(body)
    if (kind === 'payments' && action === 'refund') {
      const order = [...orders.values()].find((each) => paymentsOf(each).some((one) => one.id === id))
      const payment = order && paymentsOf(order).find((one) => one.id === id)
      return payment ? refund(order, payment, body) : no(404, 'not_found', `Payment with id ${id} was not found`)
    }
    const order = kind === 'orders' ? orders.get(id) : undefined
    if (!order) return no(404, 'not_found', `Order id not found: ${id}`)
    if (action === 'cancel') return cancel(order)
    if (action === 'fulfillments' && fulfillmentId === undefined) return fulfil(order, body)
    const one = order.fulfillments.find((each) => each.id === fulfillmentId)
    if (!one) return no(404, 'not_found', `Fulfillment with id ${fulfillmentId} was not found`)
    if (step === 'shipments') return ship(order, one, body)
    if (step === 'mark-as-delivered') return deliver(order, one)
    return no(404, 'not_found', `Cannot POST ${request.path}`)
  }
  function setLevels(body: Body): SimAnswer {
    const update = body.update as { inventory_item_id: string; location_id: string; stocked_quantity: number }[]
    const levelOf = ({ inventory_item_id: item, location_id: location }: (typeof update)[number]) =>
      variants
        .flatMap((variant) => variant.inventory_items)
        .find((each) => each.inventory_item_id === item)
        ?.inventory.location_levels.find((each) => each.location_id === location)
    for (const wanted of update) {
      if (wanted.stocked_quantity < 0)
        return no(
          400,
          'invalid_data',
          "Invalid request: Value for field 'update, 0, stocked_quantity' too small, expected at least: '0'",
        )
      if (!levelOf(wanted))
        return no(404, 'not_found', `Item ${wanted.inventory_item_id} is not stocked at location ${wanted.location_id}`)
    }
    const updated = update.map((wanted) => {
      const level = levelOf(wanted)!
      level.stocked_quantity = wanted.stocked_quantity
      return { ...level, inventory_item_id: wanted.inventory_item_id }
    })
    return { body: { created: [], updated, deleted: [] } }
  }

  function read(request: SimRequest, kind: string | undefined): SimAnswer {
    switch (kind) {
      case 'orders':
        return give('orders', listed([...orders.values()], request, ['updated_at', 'created_at', 'status']))
      case 'payments': {
        const all = [...orders.values()].flatMap((order) =>
          paymentsOf(order).map((payment) => ({ ...payment, payment_collection: { order: { id: order.id } } })),
        )
        return give('payments', listed(all, request, ['updated_at', 'created_at']))
      }
      case 'product-variants':
        return give('variants', listed(variants, request, ['sku']))
      case 'inventory-items': {
        const items = variants.flatMap(({ sku, inventory_items: parts }) =>
          parts.map(({ inventory }) => ({ id: inventory.id, sku, location_levels: inventory.location_levels })),
        )
        return give('inventory_items', listed(items, request, ['sku']))
      }
      case 'stock-locations':
        return { body: { stock_locations: [{ id: 'sloc_1', name: 'Main' }] } }
      default:
        return no(404, 'not_found', `Cannot GET ${request.path}`)
    }
  }

  function login(body: Body): SimAnswer {
    if (body.email !== options.email || body.password !== options.password)
      return no(401, 'unauthorized', 'Invalid email or password')
    logins += 1
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'HS256' })}.${part({ n: logins, exp: Math.floor(now().getTime() / 1000) + 86_400 })}.${part({ at: Math.random() })}`
    sessions.add(token)
    return { body: { token } }
  }

  const server = await startSimServer({
    handle(request) {
      if (request.path === '/auth/user/emailpass') return login((request.json ?? {}) as Body)
      const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ')
      const basic = options.apiKey !== undefined && Buffer.from(`${options.apiKey}:`).toString('base64') === credentials
      if (!(scheme === 'Bearer' && sessions.has(credentials)) && !(scheme === 'Basic' && basic)) return unauthorised
      const parts = request.path.replace(/^\/admin\//, '').split('/')
      return request.method === 'POST' ? write(request, parts) : read(request, parts[0])
    },
    refuse: (fault) => no(400, fault.code ?? 'not_allowed', fault.message ?? 'refused'),
  })
  const found = (id: string): SimOrder => {
    const order = orders.get(id)
    if (!order) throw new RangeError(`no order ${id}`)
    return order
  }
  return {
    ...server,
    seed: (given) => {
      for (const order of given) orders.set(order.id, order)
    },
    orders: () => [...orders.values()],
    order: found,
    edit: (id) => void touched(found(id)),
    variants: () => variants,
    endSessions: () => {
      sessions = new Set()
    },
    logins: () => logins,
  }
}
