/** Orders: taken in, listed, shown, and told what to do. */
import { takeOrder } from '../../activities/intake.ts'
import { store } from '../../connectors/store/index.ts'
import { findOrderId, getOrder, listOrders } from '../../store/orders.ts'
import { commandAnswer } from '../commands.ts'
import { cursorOf, openCursor } from '../cursor.ts'
import { payloadOf } from '../orderRequest.ts'
import { notFound, Problem, unavailable } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  CommandAnswer,
  OrderAnswer,
  OrderDetailAnswer,
  OrderId,
  OrderRequest,
  OrdersAnswer,
  OrdersQuery,
  RefusedAnswer,
} from '../schemas.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { VERBS_OF_PEOPLE } from '../verbs.ts'

type StoreConnection = Parameters<NonNullable<typeof store.mapOrder>>[0]

/** @throws Problem 400 for a connection that does not exist or is no store: its own channel brings its orders. */
async function storeConnection(runtime: Runtime, name: string): Promise<StoreConnection> {
  const { rows } = await runtime.pool.query<{ name: string; connector: string }>(
    'select name, connector from connections order by name',
  )
  const known = rows.find((row) => row.name === name)
  if (known?.connector === store.name) return (await runtime.connection(name)).context.connection as StoreConnection
  const stores = rows.filter((row) => row.connector === store.name).map((row) => row.name)
  throw new Problem(400, 'Invalid input', `The body is not valid: connection ${known ? 'is not a store' : 'is not known'}`, {
    errors: [
      {
        path: 'connection',
        value: name,
        message: known ? `belongs to the connector ${known.connector}` : 'unknown connection',
        remedy: stores.length > 0 ? `Send one of: ${stores.join(', ')}.` : 'Apply a connection of the connector `store` first.',
      },
    ],
  })
}

/** The same order sent twice at once: the first is still being mapped. */
async function isUnderWay(runtime: Runtime, connection: string, externalId: string): Promise<boolean> {
  const { rows } = await runtime.pool.query(
    `select 1 from inbox where connection = $1 and kind = 'order' and external_id = $2 and state = 'new' limit 1`,
    [connection, externalId],
  )
  return rows.length > 0
}

async function takeIn(runtime: Runtime, request: OrderRequest): Promise<{ status: 200 | 201 | 202; orderId: string }> {
  const payload = payloadOf(request)
  const connection = await storeConnection(runtime, request.connection)
  if (!store.mapOrder) throw new Error('the store connector maps no orders')
  const { externalId } = request
  const incoming = store.mapOrder(connection, { externalId, payload })
  const taken = await takeOrder(runtime, incoming, { ...payload, asSent: request }).catch(async (error: unknown) => {
    throw (await isUnderWay(runtime, incoming.connection, externalId))
      ? unavailable('This order was sent a moment ago and is being taken in. Ask again.', 1)
      : error
  })
  return { orderId: taken.orderId, status: taken.known ? 200 : taken.started ? 201 : 202 }
}

export const orderRoutes: Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/v1/orders',
    operationId: 'createOrder',
    access: 'key',
    summary: 'An in-store order, a try-on request, or a POS sale to be shipped',
    description:
      'Idempotent by connection and externalId: the same order twice is one order. Changed content asks for a change of the known order.',
    body: OrderRequest,
    responses: {
      200: { description: 'Known already.', schema: OrderAnswer },
      201: { description: 'Taken in; its saga runs.', schema: OrderAnswer },
      202: { description: 'Taken in and safe; its saga starts as soon as the engine can be reached.', schema: OrderAnswer },
    },
    handle: async ({ runtime, body }) => {
      const { status, orderId } = await takeIn(runtime, body)
      const order = await getOrder(runtime.pool, orderId)
      return { status, body: order ?? { id: orderId }, headers: { location: `/api/v1/orders/${orderId}` } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/orders',
    operationId: 'listOrders',
    summary: 'Orders, newest first',
    access: 'key',
    query: OrdersQuery,
    responses: {
      200: { description: 'One page; `next` is the cursor of the next one, null on the last.', schema: OrdersAnswer },
    },
    handle: async ({ runtime, query }) => {
      const { cursor, ...filter } = query
      const page = await listOrders(runtime.pool, cursor === undefined ? filter : { ...filter, before: openCursor(cursor) })
      return { status: 200, body: { orders: page.orders, next: page.next === null ? null : cursorOf(page.next) } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/orders/{id}',
    operationId: 'getOrder',
    summary: 'One order with everything known of it',
    access: 'key',
    params: OrderId,
    responses: { 200: { description: 'The order.', schema: OrderDetailAnswer }, 404: { description: 'No such order.' } },
    handle: async ({ runtime, params }) => {
      const order = await getOrder(runtime.pool, params.id)
      if (!order) throw notFound('order', params.id)
      return { status: 200, body: order }
    },
  }),
  ...VERBS_OF_PEOPLE.map(({ verb, summary, body }) =>
    defineRoute({
      method: 'POST',
      path: `/api/v1/orders/{id}/${verb}`,
      operationId: `${verb}Order`,
      summary,
      access: 'key',
      params: OrderId,
      body,
      responses: {
        200: { description: 'Done.', schema: CommandAnswer },
        202: {
          description: 'Asked for and kept; the answer was not there within 3 seconds. The order shows it later.',
          schema: CommandAnswer,
        },
        404: { description: 'No such order.' },
        409: { description: 'Refused; `detail` says why.', schema: RefusedAnswer },
      },
      handle: async ({ runtime, params, body: detail, who, request }) => {
        const orderId = await findOrderId(runtime.pool, params.id)
        if (orderId === null) throw notFound('order', params.id)
        return await commandAnswer(runtime, { orderId, verb, detail, who, idempotencyKey: request.headers['idempotency-key'] })
      },
    }),
  ),
]
