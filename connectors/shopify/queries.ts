/**
 * The documents that read, and the shapes of their answers. Sizes keep each below the 1000 points that one query may cost (an object is
 * a point, a connection its objects); longer lists are followed.
 */
import { z } from 'zod'
import { readShape } from '../kit/json.ts'
import { gid, type GraphqlCall } from './api.ts'

const text = z.string().nullish()
const Money = z.object({ shopMoney: z.object({ amount: z.string().regex(/^-?\d+(\.\d+)?$/) }) }).nullish()
const Address = z
  .looseObject({
    name: text,
    firstName: text,
    lastName: text,
    phone: text,
    address1: text,
    address2: text,
    city: text,
    province: text,
    zip: text,
    countryCodeV2: text,
  })
  .nullish()
export const PageInfo = z.object({ hasNextPage: z.boolean(), endCursor: text })

const LineItem = z.looseObject({
  id: z.string(),
  title: text,
  variantTitle: text,
  sku: text,
  quantity: z.number().int(),
  currentQuantity: z.number().int().nullish(),
  requiresShipping: z.boolean().nullish(),
  variant: z.looseObject({ id: z.string() }).nullish(),
  discountedUnitPriceAfterAllDiscountsSet: Money,
})
export type LineItem = z.infer<typeof LineItem>

const Refund = z.looseObject({ id: z.string(), note: text, totalRefundedSet: Money })

/** What of an order is used; all that may be hidden or missing is lenient. */
export const Order = z.looseObject({
  id: z.string(),
  name: text,
  createdAt: text,
  processedAt: text,
  updatedAt: z.string(),
  cancelledAt: text,
  note: text,
  email: text,
  phone: text,
  currencyCode: z.string().length(3),
  displayFinancialStatus: text,
  displayFulfillmentStatus: z.string(),
  paymentGatewayNames: z.array(z.string()).nullish(),
  customAttributes: z.array(z.looseObject({ key: z.string(), value: text })).nullish(),
  shippingLine: z.looseObject({ title: text, code: text }).nullish(),
  shippingAddress: Address,
  billingAddress: Address,
  subtotalPriceSet: Money,
  totalShippingPriceSet: Money,
  totalDiscountsSet: Money,
  totalPriceSet: Money,
  totalOutstandingSet: Money,
  totalRefundedSet: Money,
  refunds: z.array(Refund).nullish(),
  fulfillmentOrders: z
    .looseObject({
      nodes: z.array(
        z.looseObject({
          deliveryMethod: z.looseObject({ methodType: text }).nullish(),
          assignedLocation: z.looseObject({ location: z.looseObject({ id: z.string() }).nullish() }).nullish(),
        }),
      ),
    })
    .nullish(),
  lineItems: z.looseObject({ nodes: z.array(LineItem) }),
})
export type Order = z.infer<typeof Order>

const MONEY = '{ shopMoney { amount } }'
const ADDRESS = '{ name firstName lastName phone address1 address2 city province zip countryCodeV2 }'
const LINE = `id title variantTitle sku quantity currentQuantity requiresShipping variant { id }
  discountedUnitPriceAfterAllDiscountsSet ${MONEY}`
const ORDER = `id name createdAt processedAt updatedAt cancelledAt note email phone currencyCode
  displayFinancialStatus displayFulfillmentStatus paymentGatewayNames customAttributes { key value }
  shippingLine { title code } shippingAddress ${ADDRESS} billingAddress ${ADDRESS}
  subtotalPriceSet ${MONEY} totalShippingPriceSet ${MONEY} totalDiscountsSet ${MONEY} totalPriceSet ${MONEY} totalOutstandingSet ${MONEY}
  totalRefundedSet ${MONEY} refunds(first: 10) { id note totalRefundedSet ${MONEY} }
  fulfillmentOrders(first: 5) { nodes { deliveryMethod { methodType } assignedLocation { location { id } } } }
  lineItems(first: 20) { nodes { ${LINE} } pageInfo { hasNextPage endCursor } }`

/** Orders by their ids in one query at most, so that it costs less than 1000 points. */
export const ORDERS_A_QUERY = 6

const read = (operation: string, query: string, variables: Record<string, unknown>): GraphqlCall => ({
  operation,
  query,
  variables,
  write: false,
})

/** Ids and times of orders changed in [start, end], oldest change first (search syntax; RFC 3339). */
export const changedOrdersRequest = (args: { start: Date; end: Date; take: number }): GraphqlCall =>
  read(
    'changedOrders',
    `query changedOrders($first: Int!, $query: String!) {
  orders(first: $first, query: $query, sortKey: UPDATED_AT) { nodes { id updatedAt } }
}`,
    {
      first: args.take,
      query: `updated_at:>='${args.start.toISOString()}' AND updated_at:<='${args.end.toISOString()}'`,
    },
  )
const Changed = z.object({ orders: z.object({ nodes: z.array(z.object({ id: z.string(), updatedAt: z.iso.datetime() })) }) })
export const parseChangedOrders = (data: unknown): { id: string; updatedAt: string }[] =>
  readShape(Changed, data, 'Shopify orders').orders.nodes

/** At most ORDERS_A_QUERY; null for one that is not there. */
export const ordersRequest = (ids: string[]): GraphqlCall =>
  read('ordersById', `query ordersById($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { ${ORDER} } } }`, {
    ids: ids.map((id) => gid('Order', id)),
  })
const Nodes = z.object({ nodes: z.array(z.record(z.string(), z.unknown()).nullable()) })
/** Raw orders, in the order asked; each is judged by itself later. */
export const parseOrders = (data: unknown): (Record<string, unknown> | null)[] => readShape(Nodes, data, 'Shopify nodes').nodes

export const moreLinesRequest = (orderId: string, after: string | null): GraphqlCall =>
  read(
    'moreLines',
    `query moreLines($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 100, after: $after) { nodes { ${LINE} } pageInfo { hasNextPage endCursor } } }
}`,
    { id: gid('Order', orderId), after },
  )
const Connection = z.object({ nodes: z.array(z.record(z.string(), z.unknown())), pageInfo: PageInfo })
export type RawConnection = z.infer<typeof Connection>
export const isConnection = (value: unknown): value is RawConnection => Connection.safeParse(value).success
export const parseMoreLines = (data: unknown): RawConnection | undefined =>
  readShape(z.object({ order: z.object({ lineItems: Connection }).nullable() }), data, 'Shopify lineItems').order?.lineItems

export const shopRequest = (): GraphqlCall =>
  read(
    'shop',
    'query shop { shop { myshopifyDomain } currentAppInstallation { accessScopes { handle } } locations(first: 250) { nodes { id name } } }',
    {},
  )
const Shop = z.object({
  shop: z.object({ myshopifyDomain: z.string() }),
  currentAppInstallation: z.object({ accessScopes: z.array(z.object({ handle: z.string() })) }),
  locations: z.object({ nodes: z.array(z.object({ id: z.string(), name: z.string() })) }),
})
export const parseShop = (data: unknown): z.infer<typeof Shop> => readShape(Shop, data, 'Shopify shop')
