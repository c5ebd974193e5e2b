/**
 * Vendure's Admin API (GraphQL), as pairs: `xRequest` says what to send, `parseX` reads `data`. No I/O.
 * Source: the schema of 3.7.3 and the answers of a running one. Business errors are data: `__typename` with `errorCode`.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'

export interface GraphqlCall {
  operation: string
  query: string
  variables: Record<string, unknown>
  write: boolean
}
const ask = (operation: string, query: string, variables: Record<string, unknown>): GraphqlCall => ({
  operation,
  query,
  variables,
  write: false,
})
const tell = (operation: string, query: string, variables: Record<string, unknown>): GraphqlCall => ({
  ...ask(operation, query, variables),
  write: true,
})

const money = z.number().int()
const text = z.string().nullish()

const Fulfillment = z.looseObject({
  id: z.string(),
  state: z.string(),
  trackingCode: text,
  updatedAt: z.string(),
  lines: z.array(z.looseObject({ orderLineId: z.string(), quantity: z.number().int() })),
})
const Payment = z.looseObject({
  id: z.string(),
  method: z.string(),
  state: z.string(),
  amount: money,
  updatedAt: z.string(),
  refunds: z.array(z.looseObject({ id: z.string(), state: z.string(), total: money, reason: text })).default([]),
})
/** Strict where used. Money has two decimals whatever the currency (Vendure's DefaultMoneyStrategy). */
export const Order = z.looseObject({
  id: z.string(),
  code: z.string(),
  state: z.string(),
  updatedAt: z.string(),
  orderPlacedAt: text,
  currencyCode: z.string().length(3),
  totalWithTax: money,
  subTotalWithTax: money,
  shippingWithTax: money,
  customer: z.looseObject({ id: z.string(), firstName: text, lastName: text, emailAddress: text, phoneNumber: text }).nullish(),
  shippingAddress: z
    .looseObject({
      fullName: text,
      streetLine1: text,
      streetLine2: text,
      city: text,
      province: text,
      postalCode: text,
      countryCode: text,
      phoneNumber: text,
    })
    .nullish(),
  shippingLines: z.array(z.looseObject({ shippingMethod: z.looseObject({ code: z.string() }).nullish() })).nullish(),
  payments: z.array(Payment).nullish(),
  fulfillments: z.array(Fulfillment).nullish(),
  discounts: z.array(z.looseObject({ amountWithTax: money })).nullish(),
  lines: z.array(
    z.looseObject({
      id: z.string(),
      quantity: z.number().int(),
      orderPlacedQuantity: z.number().int(),
      proratedUnitPriceWithTax: money,
      productVariant: z.looseObject({ id: z.string(), sku: text, name: text }),
    }),
  ),
})
export type Order = z.infer<typeof Order>

const ORDER_FIELDS = `id code state active createdAt updatedAt orderPlacedAt currencyCode totalWithTax subTotalWithTax shippingWithTax
  customer { id firstName lastName emailAddress phoneNumber }
  shippingAddress { fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber }
  shippingLines { shippingMethod { code name } }
  payments { id method state amount updatedAt refunds { id state total reason } }
  fulfillments { id state method trackingCode updatedAt lines { orderLineId quantity } }
  discounts { description amountWithTax }
  lines { id quantity orderPlacedQuantity unitPriceWithTax proratedUnitPriceWithTax productVariant { id sku name } }`

const ORDERS = `query orders($options: OrderListOptions) { orders(options: $options) { items { ${ORDER_FIELDS} } } }`
const List = z.object({ orders: z.object({ items: z.array(z.record(z.string(), z.unknown())) }) })

/** Placed orders changed in [start, end], oldest change first. */
export const changedOrdersRequest = (args: { start: Date; end: Date; take: number }): GraphqlCall =>
  ask('orders', ORDERS, {
    options: {
      filter: { active: { eq: false }, updatedAt: { between: { start: args.start, end: args.end } } },
      sort: { updatedAt: 'ASC' },
      take: args.take,
    },
  })
export const ordersByCodeRequest = (codes: string[]): GraphqlCall =>
  ask('orders', ORDERS, { options: { filter: { code: { in: codes } }, take: codes.length } })
/** Raw orders; each is judged by itself later. */
export const parseOrders = (data: unknown): Record<string, unknown>[] => readShape(List, data, 'Vendure orders').orders.items

/** States in which an order still changes without its updatedAt telling so. */
export const OPEN_STATES = ['PaymentAuthorized', 'PaymentSettled', 'ArrangingAdditionalPayment', 'Modifying', 'PartiallyShipped']
const Watched = z.object({
  code: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  payments: z.array(z.object({ updatedAt: z.string() })).nullish(),
  fulfillments: z.array(z.object({ updatedAt: z.string() })).nullish(),
})
export type Watched = z.infer<typeof Watched>
/** Orders in OPEN_STATES made in [start, end], oldest first, with the times of their payments and fulfilments. */
export const openOrdersRequest = (args: { start: Date; end: Date; take: number }): GraphqlCall =>
  ask(
    'openOrders',
    `query openOrders($options: OrderListOptions) { orders(options: $options) { items {
      code createdAt updatedAt payments { updatedAt } fulfillments { updatedAt } } } }`,
    {
      options: {
        filter: {
          active: { eq: false },
          state: { in: OPEN_STATES },
          createdAt: { between: { start: args.start, end: args.end } },
        },
        sort: { createdAt: 'ASC' },
        take: args.take,
      },
    },
  )
export const parseOpenOrders = (data: unknown): Watched[] =>
  readShape(z.object({ orders: z.object({ items: z.array(Watched) }) }), data, 'Vendure openOrders').orders.items
/** When an order, its payments or its fulfilments last changed; ISO 8601 in UTC, so that text compares. */
export const changedAt = (order: Pick<Watched, 'updatedAt' | 'payments' | 'fulfillments'>): string =>
  [order.updatedAt, ...[...(order.payments ?? []), ...(order.fulfillments ?? [])].map((part) => part.updatedAt)]
    .toSorted()
    .at(-1)!

const ERROR = '__typename ... on ErrorResult { errorCode message }'
const Failure = z.looseObject({
  __typename: z.string(),
  errorCode: z.string().optional(),
  message: z.string().optional(),
  transitionError: z.string().optional(),
})
/**
 * The part of `data` that a mutation gives.
 * @throws Rejected with the vendor's errorCode when it is a business error.
 */
export function parseResult<T>(data: unknown, operation: string, schema: z.ZodType<T>): T {
  const what = `Vendure ${operation}`
  const part = readShape(z.record(z.string(), z.unknown()), data, what)[operation]
  const failure = Failure.safeParse(part).data
  if (failure?.errorCode !== undefined)
    throw new OmnisagaError('Rejected', `${what}: ${(failure.transitionError ?? failure.message ?? '').slice(0, 200)}`, {
      code: failure.errorCode,
      remedy: "Look the order up in the shop's administration; its state does not allow this.",
    })
  return readShape(schema, part, what)
}
const Made = z.looseObject({ id: z.string(), state: z.string() })

export const loginRequest = (args: { username: string; password: string }): GraphqlCall =>
  ask(
    'login',
    `mutation login($username: String!, $password: String!) { login(username: $username, password: $password) {
      ${ERROR} ... on CurrentUser { id } } }`,
    args,
  )
export const parseLogin = (data: unknown) => parseResult(data, 'login', z.looseObject({ id: z.string() }))

export const addFulfillmentRequest = (args: {
  lines: { orderLineId: string; quantity: number }[]
  handler: string
  method: string
  trackingCode: string
}): GraphqlCall =>
  tell(
    'addFulfillmentToOrder',
    `mutation addFulfillmentToOrder($input: FulfillOrderInput!) { addFulfillmentToOrder(input: $input) {
      ${ERROR} ... on Fulfillment { id state } } }`,
    {
      input: {
        lines: args.lines,
        handler: {
          code: args.handler,
          arguments: [
            { name: 'method', value: args.method },
            { name: 'trackingCode', value: args.trackingCode },
          ],
        },
      },
    },
  )
export const parseAddFulfillment = (data: unknown) => parseResult(data, 'addFulfillmentToOrder', Made)

export const transitionRequest = (id: string, state: 'Shipped' | 'Delivered'): GraphqlCall =>
  tell(
    'transitionFulfillmentToState',
    `mutation transitionFulfillmentToState($id: ID!, $state: String!) { transitionFulfillmentToState(id: $id, state: $state) {
      ${ERROR} ... on Fulfillment { id state } ... on FulfillmentStateTransitionError { transitionError } } }`,
    { id, state },
  )
export const parseTransition = (data: unknown) => parseResult(data, 'transitionFulfillmentToState', Made)

export const cancelOrderRequest = (orderId: string, reason: string): GraphqlCall =>
  tell(
    'cancelOrder',
    `mutation cancelOrder($input: CancelOrderInput!) { cancelOrder(input: $input) {
      ${ERROR} ... on Order { id state } ... on OrderStateTransitionError { transitionError } } }`,
    { input: { orderId, reason, cancelShipping: true } },
  )
export const parseCancelOrder = (data: unknown) => parseResult(data, 'cancelOrder', Made)

/** The deprecated fields are sent too: without them 3.7.3 fails on PostgreSQL (`shipping` of a refund may not be null). */
export const refundRequest = (args: { paymentId: string; amount: number; reason: string }): GraphqlCall =>
  tell(
    'refundOrder',
    `mutation refundOrder($input: RefundOrderInput!) { refundOrder(input: $input) {
      ${ERROR} ... on Refund { id state } ... on RefundStateTransitionError { transitionError } } }`,
    { input: { ...args, lines: [], shipping: 0, adjustment: 0 } },
  )
export const parseRefund = (data: unknown) => parseResult(data, 'refundOrder', Made)
