/**
 * A stand-in for a Vendure 3.7 shop's Admin API, written from its schema and from recorded answers
 * (tests/unit/fixtures/vendure.json). It knows the operations below by name and checks session and variables; it parses no GraphQL.
 */
import { randomBytes } from 'node:crypto'
import { startSimServer, type SimAnswer, type SimRequest, type SimServer } from '../kit/server.ts'
import { seedOrder, type SimOrder, type SimVariant } from './seed.ts'

export { seedOrder, type SimOrder, type SimVariant } from './seed.ts'

export interface VendureSimulator extends SimServer {
  seed(orders: SimOrder[]): void
  orders(): SimOrder[]
  order(code: string): SimOrder
  /** Gives it a new updatedAt. */
  edit(code: string): void
  variants(): SimVariant[]
  /** Every session ends. */
  endSessions(): void
  logins(): number
}
export interface VendureSimulatorOptions {
  username: string
  password: string
  variants?: SimVariant[]
  now?: () => Date
}

type Args = Record<string, unknown>
/** What an operation gives: data, or GraphQL's own error. */
type Outcome = { data: Record<string, unknown> } | { error: { message: string; code?: string; status?: number } }

const failure = (typename: string, errorCode: string, message: string, more: Record<string, unknown> = {}) => ({
  __typename: typename,
  errorCode,
  message,
  ...more,
})
const forbidden: Outcome = { error: { message: 'You are not currently authorized to perform this action', code: 'FORBIDDEN' } }
const badInput = (message: string): Outcome => ({ error: { message, code: 'BAD_USER_INPUT', status: 400 } })

/** Transitions of a fulfilment in the default process. */
const NEXT: Record<string, string[]> = {
  Pending: ['Shipped', 'Delivered', 'Cancelled'],
  Shipped: ['Delivered', 'Cancelled'],
  Delivered: [],
}

interface ListOptions {
  filter?: Record<string, Record<string, unknown>>
  sort?: Record<string, 'ASC' | 'DESC'>
  take?: number
  skip?: number
}
/** Vendure's list options over plain fields; at most 1000 at once. */
function listed<T extends object>(all: T[], options: ListOptions = {}): T[] | null {
  const { filter = {}, sort = {}, take = 100, skip = 0 } = options
  if (take > 1000) return null
  const value = (item: T, field: string) => (item as Record<string, unknown>)[field]
  const fits = (item: T) =>
    Object.entries(filter).every(([field, operators]) =>
      Object.entries(operators).every(([operator, wanted]) => {
        const has = value(item, field)
        if (operator === 'eq') return has === wanted
        if (operator === 'in') return (wanted as unknown[]).includes(has)
        if (operator === 'after') return Date.parse(String(has)) > Date.parse(String(wanted))
        const { start, end } = wanted as { start: string; end: string }
        return Date.parse(String(has)) >= Date.parse(start) && Date.parse(String(has)) <= Date.parse(end)
      }),
    )
  const [by = 'id'] = Object.keys(sort)
  return all
    .filter(fits)
    .toSorted((a, b) => String(value(a, by)).localeCompare(String(value(b, by)), 'en', { numeric: by === 'id' }))
    .slice(skip, skip + take)
}

export async function startVendureSimulator(options: VendureSimulatorOptions): Promise<VendureSimulator> {
  const now = options.now ?? (() => new Date())
  const orders = new Map<string, SimOrder>()
  const variants = options.variants ?? []
  let sessions = new Set<string>()
  let logins = 0
  let lastId = 1000
  const nextId = () => String(++lastId)
  const byId = (id: unknown) => [...orders.values()].find((order) => order.id === id)

  const operations: Record<string, (args: Args) => Outcome> = {
    orders: ({ options: list }) => {
      const items = listed([...orders.values()], list as ListOptions)
      return items ? { data: { orders: { items } } } : badInput('The "take" argument exceeds the limit')
    },
    openOrders: (args) => operations.orders!(args),
    variants: ({ options: list }) => ({ data: { productVariants: { items: listed(variants, list as ListOptions) ?? [] } } }),
    stockLocations: () => ({ data: { stockLocations: { items: [{ id: '1', name: 'Default Stock Location' }] } } }),

    addFulfillmentToOrder({ input }) {
      const { lines, handler } = input as {
        lines: { orderLineId: string; quantity: number }[]
        handler: { code: string; arguments: { name: string; value: string }[] }
      }
      const give = (part: object): Outcome => ({ data: { addFulfillmentToOrder: part } })
      if (lines.length === 0)
        return give(
          failure('EmptyOrderLineSelectionError', 'EMPTY_ORDER_LINE_SELECTION_ERROR', 'At least one OrderLine must be specified'),
        )
      if (handler.code !== 'manual-fulfillment')
        return give(failure('InvalidFulfillmentHandlerError', 'INVALID_FULFILLMENT_HANDLER_ERROR', 'No such handler'))
      const order = [...orders.values()].find((each) => each.lines.some(({ id }) => id === lines[0]?.orderLineId))
      if (!order)
        return {
          error: { message: `No OrderLine with the id "${lines[0]?.orderLineId}" could be found`, code: 'ENTITY_NOT_FOUND' },
        }
      for (const { orderLineId, quantity } of lines) {
        const used = order.fulfillments
          .filter(({ state }) => state !== 'Cancelled')
          .flatMap((each) => each.lines)
          .reduce((sum, line) => sum + (line.orderLineId === orderLineId ? line.quantity : 0), 0)
        const line = order.lines.find(({ id }) => id === orderLineId)
        if (!line || used + quantity > line.quantity)
          return give(
            failure(
              'ItemsAlreadyFulfilledError',
              'ITEMS_ALREADY_FULFILLED_ERROR',
              'One or more OrderItems are already part of a Fulfillment',
            ),
          )
      }
      const argument = (name: string) => handler.arguments.find((each) => each.name === name)?.value ?? null
      const made = {
        id: nextId(),
        state: 'Pending',
        method: argument('method') ?? '',
        trackingCode: argument('trackingCode'),
        updatedAt: now().toISOString(),
        lines,
      }
      order.fulfillments.push(made)
      return give({ __typename: 'Fulfillment', id: made.id, state: made.state })
    },

    transitionFulfillmentToState({ id, state }) {
      const order = [...orders.values()].find((each) => each.fulfillments.some((one) => one.id === id))
      const one = order?.fulfillments.find((each) => each.id === id)
      if (!order || !one)
        return { error: { message: `No Fulfillment with the id "${String(id)}" could be found`, code: 'ENTITY_NOT_FOUND' } }
      if (!NEXT[one.state]?.includes(String(state)))
        return {
          data: {
            transitionFulfillmentToState: failure(
              'FulfillmentStateTransitionError',
              'FULFILLMENT_STATE_TRANSITION_ERROR',
              'errorResult.FULFILLMENT_STATE_TRANSITION_ERROR',
              { transitionError: `Cannot transition Fulfillment from "${one.state}" to "${String(state)}"` },
            ),
          },
        }
      one.state = String(state)
      one.updatedAt = now().toISOString()
      // As seen: the order's own updatedAt stays.
      const all = order.lines.every(
        (line) =>
          order.fulfillments
            .filter((each) => each.state === one.state)
            .flatMap((each) => each.lines)
            .reduce((sum, each) => sum + (each.orderLineId === line.id ? each.quantity : 0), 0) >= line.quantity,
      )
      if (order.state !== 'PaymentAuthorized') order.state = all ? one.state : `Partially${one.state}`
      return { data: { transitionFulfillmentToState: { __typename: 'Fulfillment', id: one.id, state: one.state } } }
    },

    cancelOrder({ input }) {
      const { orderId } = input as { orderId: string }
      const order = byId(orderId)
      if (!order) return { error: { message: `No Order with the id "${orderId}" could be found`, code: 'ENTITY_NOT_FOUND' } }
      if (order.state === 'Cancelled')
        return {
          data: {
            cancelOrder: failure(
              'EmptyOrderLineSelectionError',
              'EMPTY_ORDER_LINE_SELECTION_ERROR',
              'At least one OrderLine must be specified',
            ),
          },
        }
      Object.assign(order, { state: 'Cancelled', updatedAt: now().toISOString(), totalWithTax: 0, subTotalWithTax: 0 })
      order.cancellations += 1
      for (const line of order.lines) line.quantity = 0
      return { data: { cancelOrder: { __typename: 'Order', id: order.id, state: order.state } } }
    },

    refundOrder({ input }) {
      const { paymentId, amount, reason, shipping } = input as {
        paymentId: string
        amount: number
        reason: string
        shipping?: number
      }
      const payment = [...orders.values()].flatMap((each) => each.payments).find(({ id }) => id === paymentId)
      if (!payment)
        return { error: { message: `No Payment with the id "${paymentId}" could be found`, code: 'ENTITY_NOT_FOUND' } }
      // As seen on PostgreSQL.
      if (shipping === undefined)
        return { error: { message: 'null value in column "shipping" of relation "refund" violates not-null constraint' } }
      const gone = payment.refunds.reduce((sum, each) => sum + each.total, 0)
      if (gone + amount > payment.amount)
        return {
          data: {
            refundOrder: failure(
              'RefundAmountError',
              'REFUND_AMOUNT_ERROR',
              'The amount specified exceeds the refundable amount for this payment',
            ),
          },
        }
      const made = { id: nextId(), state: 'Pending', total: amount, reason }
      payment.refunds.push(made)
      return { data: { refundOrder: { __typename: 'Refund', id: made.id, state: made.state } } }
    },

    updateProductVariants({ input }) {
      const wanted = input as { id: string; stockLevels: { stockLocationId: string; stockOnHand: number }[] }[]
      const unknown = wanted.find(({ id }) => !variants.some((variant) => variant.id === id))
      if (unknown)
        return { error: { message: `No ProductVariant with the id "${unknown.id}" could be found`, code: 'ENTITY_NOT_FOUND' } }
      const written = wanted.map(({ id, stockLevels }) => {
        const variant = variants.find((each) => each.id === id)!
        for (const { stockLocationId, stockOnHand } of stockLevels) {
          const level = variant.stockLevels.find((each) => each.stockLocationId === stockLocationId)
          if (level) Object.assign(level, { stockOnHand, updatedAt: now().toISOString() })
        }
        return variant
      })
      return { data: { updateProductVariants: written } }
    },
  }

  function login(args: Args): SimAnswer {
    if (args.username !== options.username || args.password !== options.password)
      return {
        body: {
          data: {
            login: failure('InvalidCredentialsError', 'INVALID_CREDENTIALS_ERROR', 'The provided credentials are invalid'),
          },
        },
      }
    logins += 1
    const token = randomBytes(32).toString('hex')
    sessions.add(token)
    return { headers: { 'vendure-auth-token': token }, body: { data: { login: { __typename: 'CurrentUser', id: '1' } } } }
  }

  const server = await startSimServer({
    handle(request: SimRequest): SimAnswer {
      const body = request.json as { operationName?: string; query?: string; variables?: Args } | null
      if (request.method !== 'POST' || request.path !== '/admin-api' || !body?.query)
        return { status: 404, body: { message: `Cannot ${request.method} ${request.path}` } }
      const name = body.operationName ?? ''
      if (name === 'login') return login(body.variables ?? {})
      const operation = operations[name]
      if (!operation || !new RegExp(`\\b${name}\\b`).test(body.query))
        return {
          status: 400,
          body: {
            errors: [{ message: `Unknown operation named "${name}".`, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
          },
        }
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      const outcome = sessions.has(token) ? operation(body.variables ?? {}) : forbidden
      if ('data' in outcome) return { body: { data: outcome.data } }
      const { message, code, status } = outcome.error
      return { status: status ?? 200, body: { errors: [{ message, ...(code ? { extensions: { code } } : {}) }], data: null } }
    },
    refuse: (fault) => ({
      body: {
        errors: [{ message: fault.message ?? 'refused', extensions: { code: fault.code ?? 'USER_INPUT_ERROR' } }],
        data: null,
      },
    }),
  })
  const found = (code: string): SimOrder => {
    const order = orders.get(code)
    if (!order) throw new RangeError(`no order ${code}`)
    return order
  }
  return {
    ...server,
    seed: (given) => {
      for (const order of given) orders.set(order.code, order)
    },
    orders: () => [...orders.values()],
    order: found,
    edit: (code) => void (found(code).updatedAt = now().toISOString()),
    variants: () => variants,
    endSessions: () => {
      sessions = new Set()
    },
    logins: () => logins,
  }
}

/** `count` paid orders of one customer each, one second apart, the newest at `newest`. */
export function seedOrders(count: number, newest: Date): SimOrder[] {
  return Array.from({ length: count }, (_, at) => seedOrder(at + 1, new Date(newest.getTime() - (count - 1 - at) * 1_000)))
}
