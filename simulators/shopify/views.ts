/** What the stand-in shows of what it keeps: objects that know all their fields, null where there is nothing. */
import { connection } from './graphql.ts'
import type { SimLine, SimOrder, SimVariant } from './types.ts'

export const gid = (type: string, id: string) => `gid://shopify/${type}/${id}`
const money = (amount: string) => ({ shopMoney: { amount, currencyCode: 'TWD' } })
const first =
  <T>(items: T[]) =>
  (args: Record<string, unknown>) =>
    items.slice(0, Number(args.first ?? items.length))

const lineView = (line: SimLine) => ({
  id: gid('LineItem', line.id),
  title: line.title,
  variantTitle: null,
  sku: line.sku,
  quantity: line.quantity,
  currentQuantity: line.currentQuantity,
  requiresShipping: line.requiresShipping,
  variant: { id: gid('ProductVariant', line.variantId) },
  discountedUnitPriceAfterAllDiscountsSet: money(line.price),
})

export function workView(order: SimOrder, locationId: string) {
  const open = !order.cancelledAt && order.lines.some((line) => line.remaining > 0)
  return {
    __typename: 'FulfillmentOrder',
    id: gid('FulfillmentOrder', order.id),
    supportedActions: open ? [{ action: 'CREATE_FULFILLMENT' }, { action: 'HOLD' }] : [],
    deliveryMethod: { methodType: 'SHIPPING' },
    assignedLocation: { location: { id: gid('Location', locationId) } },
    lineItems: connection(
      order.lines.map((line) => ({
        id: gid('FulfillmentOrderLineItem', line.id),
        remainingQuantity: line.remaining,
        lineItem: { id: gid('LineItem', line.id) },
      })),
      (line) => line.id,
    ),
  }
}

export function orderView(order: SimOrder, locationId: string) {
  const { person } = order
  const address = {
    name: `${person.firstName} ${person.lastName}`,
    firstName: person.firstName,
    lastName: person.lastName,
    phone: person.phone,
    address1: person.address1,
    address2: null,
    city: person.city,
    province: null,
    zip: person.zip,
    countryCodeV2: 'TW',
  }
  const left = order.lines.reduce((sum, line) => sum + line.remaining, 0)
  const all = order.lines.reduce((sum, line) => sum + line.quantity, 0)
  return {
    __typename: 'Order',
    id: gid('Order', order.id),
    name: `#${order.id.slice(-4)}`,
    createdAt: order.createdAt,
    processedAt: order.createdAt,
    updatedAt: order.updatedAt,
    cancelledAt: order.cancelledAt,
    note: order.note,
    email: person.email,
    phone: null,
    currencyCode: 'TWD',
    displayFinancialStatus: order.financialStatus,
    displayFulfillmentStatus: left === 0 ? 'FULFILLED' : left < all ? 'PARTIALLY_FULFILLED' : 'UNFULFILLED',
    paymentGatewayNames: order.gateways,
    customAttributes: [],
    shippingLine: { title: order.shippingTitle, code: order.shippingTitle },
    shippingAddress: address,
    billingAddress: address,
    subtotalPriceSet: money(order.total),
    totalShippingPriceSet: money('0.0'),
    totalDiscountsSet: money('0.0'),
    totalPriceSet: money(order.total),
    totalOutstandingSet: money(order.financialStatus === 'PENDING' ? order.total : '0.0'),
    fulfillmentOrders: connection([workView(order, locationId)], (work) => work.id),
    lineItems: connection(order.lines.map(lineView), (line) => line.id),
    fulfillments: first(
      order.parcels.map((parcel) => ({
        id: gid('Fulfillment', parcel.id),
        status: parcel.status,
        displayStatus: parcel.deliveredAt ? 'DELIVERED' : 'FULFILLED',
        deliveredAt: parcel.deliveredAt,
        trackingInfo: first([{ number: parcel.number, company: parcel.company, url: null }]),
        fulfillmentLineItems: connection(
          parcel.lines.map(({ lineId, quantity }) => ({ id: lineId, quantity, lineItem: { id: gid('LineItem', lineId) } })),
          (line) => line.id,
        ),
      })),
    ),
    transactions: first(
      order.transactions.map((each) => ({
        id: gid('OrderTransaction', each.id),
        kind: each.kind,
        status: each.status,
        gateway: each.gateway,
        parentTransaction: each.parentId === null ? null : { id: gid('OrderTransaction', each.parentId) },
        amountSet: money(each.amount),
      })),
    ),
    refunds: first(
      order.refunds.map((each) => ({ id: gid('Refund', each.id), note: each.note, totalRefundedSet: money(each.amount) })),
    ),
    totalRefundedSet: money(order.refunds.reduce((sum, each) => sum + Number(each.amount), 0).toFixed(2)),
  }
}

export function variantView(variant: SimVariant) {
  return {
    __typename: 'ProductVariant',
    id: gid('ProductVariant', variant.id),
    sku: variant.sku,
    displayName: variant.title,
    product: { id: gid('Product', variant.productId) },
    inventoryItem: {
      id: gid('InventoryItem', variant.id),
      sku: variant.sku,
      tracked: variant.tracked,
      inventoryLevel: ({ locationId }: Record<string, unknown>) => {
        const level = variant.levels[String(locationId).split('/').at(-1) ?? '']
        return level === undefined ? null : { quantities: quantitiesOf(level) }
      },
    },
  }
}
export const quantitiesOf =
  (level: { available: number; onHand: number }) =>
  ({ names }: Record<string, unknown>) =>
    (names as string[]).map((name) => ({
      name,
      quantity: name === 'on_hand' ? level.onHand : level.available,
      updatedAt: '2026-11-22T00:00:00Z',
    }))
