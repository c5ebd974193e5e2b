/** What a shop is told: parcels, delivery, cancellations. Each is looked up first, so that it may be said again. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { Tracking } from '../kit/types.ts'
import { ask, gid, numberOf, refuseUserErrors, UserErrors, type GraphqlCall, type ShopifyContext } from './api.ts'
import type { ShopifyConfig } from './config.ts'
import { FAILED_PARCEL } from './status.ts'

/** Beyond it a look-up would not see all there is, and refuses. */
const MAX_PARCELS = 20

const Parcel = z.object({
  id: z.string(),
  status: z.string(),
  deliveredAt: z.string().nullish(),
  displayStatus: z.string().nullish(),
  trackingInfo: z.array(z.object({ number: z.string().nullish() })),
  fulfillmentLineItems: z.object({
    nodes: z.array(z.object({ quantity: z.number().nullish(), lineItem: z.object({ id: z.string() }) })),
  }),
})
const Told = z.object({
  id: z.string(),
  cancelledAt: z.string().nullish(),
  fulfillments: z.array(Parcel),
})
export type Told = z.infer<typeof Told>
export const query = (operation: string, text: string, variables: Record<string, unknown>): GraphqlCall => ({
  operation,
  query: `query ${operation}${text}`,
  variables,
  write: false,
})
export const mutation = (operation: string, text: string, variables: Record<string, unknown>): GraphqlCall => ({
  operation,
  query: `mutation ${operation}${text}`,
  variables,
  write: true,
})

export const parcelsRequest = (externalId: string): GraphqlCall =>
  query(
    'orderParcels',
    `($id: ID!) { order(id: $id) { id cancelledAt
  fulfillments(first: ${MAX_PARCELS}) { id status displayStatus deliveredAt trackingInfo(first: 5) { number }
    fulfillmentLineItems(first: 20) { nodes { quantity lineItem { id } } } } } }`,
    { id: gid('Order', externalId) },
  )
export const notThere = (externalId: string) =>
  new OmnisagaError('Rejected', `Shopify does not show order ${externalId}`, {
    code: 'not-found',
    remedy: "Look the order up in the shop's admin; older than 60 days the app needs read_all_orders.",
  })
export function parseParcels(data: unknown, externalId: string): Told {
  const { order } = readShape(z.object({ order: Told.nullable() }), data, 'Shopify order')
  if (order === null) throw notThere(externalId)
  return order
}

const WorkLine = z.object({ id: z.string(), remainingQuantity: z.number().int(), lineItem: z.object({ id: z.string() }) })
const Work = z.object({
  id: z.string(),
  supportedActions: z.array(z.object({ action: z.string() })),
  assignedLocation: z.object({ location: z.object({ id: z.string() }).nullish() }),
  lineItems: z.object({
    nodes: z.array(WorkLine),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
  }),
})
export type Work = z.infer<typeof Work>
const WORK_LINES = 'nodes { id remainingQuantity lineItem { id } } pageInfo { hasNextPage endCursor }'
export const workRequest = (externalId: string): GraphqlCall =>
  query(
    'orderWork',
    `($id: ID!) { order(id: $id) { fulfillmentOrders(first: 10) { nodes { id supportedActions { action }
  assignedLocation { location { id } } lineItems(first: 40) { ${WORK_LINES} } } } } }`,
    { id: gid('Order', externalId) },
  )
export const moreWorkRequest = (fulfillmentOrderId: string, after: string | null): GraphqlCall =>
  query(
    'moreWork',
    `($id: ID!, $after: String) { fulfillmentOrder(id: $id) { lineItems(first: 100, after: $after) { ${WORK_LINES} } } }`,
    {
      id: fulfillmentOrderId,
      after,
    },
  )

/** Work that can be fulfilled now, with all its lines. */
async function openWork(ctx: ShopifyContext, externalId: string): Promise<Work[]> {
  const Answer = z.object({ order: z.object({ fulfillmentOrders: z.object({ nodes: z.array(Work) }) }).nullable() })
  const { order } = readShape(Answer, await ask(ctx, workRequest(externalId)), 'Shopify fulfillmentOrders')
  if (order === null) throw notThere(externalId)
  const open = order.fulfillmentOrders.nodes.filter((work) =>
    work.supportedActions.some(({ action }) => action === 'CREATE_FULFILLMENT'),
  )
  const More = z.object({ fulfillmentOrder: z.object({ lineItems: Work.shape.lineItems }).nullable() })
  for (const work of open) {
    while (work.lineItems.pageInfo.hasNextPage) {
      const data = await ask(ctx, moreWorkRequest(work.id, work.lineItems.pageInfo.endCursor ?? null))
      const page = readShape(More, data, 'Shopify fulfillmentOrder').fulfillmentOrder?.lineItems
      if (!page || page.nodes.length === 0) break
      work.lineItems = { nodes: [...work.lineItems.nodes, ...page.nodes], pageInfo: page.pageInfo }
    }
  }
  return open
}

/** Shopify's names of carriers that it makes tracking links for (shopify.dev, FulfillmentTrackingInput). */
const CARRIERS: Readonly<Record<string, string>> = {
  POST: 'Chunghwa Post',
  SF: 'SF Express',
  DHL: 'DHL Express',
  FEDEX: 'FedEx',
  UPS: 'UPS',
}
const trackingInfo = (config: ShopifyConfig, { waybill, courier }: Pick<Tracking, 'waybill' | 'courier'>) => {
  const url = config.trackingUrls[courier]?.replaceAll('{waybill}', encodeURIComponent(waybill))
  return { number: waybill, company: config.carriers[courier] ?? CARRIERS[courier] ?? courier, ...(url ? { url } : {}) }
}

export interface Share {
  fulfillmentOrderId: string
  fulfillmentOrderLineItems: { id: string; quantity: number }[]
}
/**
 * What of the open work is in this parcel, one list a location: a fulfilment has one. `sent` is what stands under the waybill already;
 * no lines: all that is left.
 */
export function sharesOf(work: Work[], told: Pick<Tracking, 'lines'>, sent: ReadonlyMap<string, number>): Share[][] {
  const left = new Map<string, number>()
  for (const { lineId, quantity } of told.lines) left.set(lineId, (left.get(lineId) ?? -(sent.get(lineId) ?? 0)) + quantity)
  const byLocation = new Map<string, Share[]>()
  for (const { id, assignedLocation, lineItems } of work) {
    const taken = lineItems.nodes.flatMap((line) => {
      const lineId = numberOf(line.lineItem.id)
      const wanted = told.lines.length === 0 ? line.remainingQuantity : (left.get(lineId) ?? 0)
      const quantity = Math.min(wanted, line.remainingQuantity)
      if (quantity <= 0) return []
      left.set(lineId, wanted - quantity)
      return [{ id: line.id, quantity }]
    })
    const location = assignedLocation.location?.id ?? ''
    if (taken.length > 0)
      byLocation.set(location, [
        ...(byLocation.get(location) ?? []),
        { fulfillmentOrderId: id, fulfillmentOrderLineItems: taken },
      ])
  }
  return [...byLocation.values()]
}

export const fulfilRequest = (config: ShopifyConfig, told: Pick<Tracking, 'waybill' | 'courier'>, shares: Share[]): GraphqlCall =>
  mutation(
    'fulfillmentCreate',
    `($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } } }`,
    {
      fulfillment: {
        lineItemsByFulfillmentOrder: shares,
        trackingInfo: trackingInfo(config, told),
        notifyCustomer: config.notifyCustomer,
      },
    },
  )
/** @throws Rejected for userErrors */
export function done<T extends z.ZodRawShape>(data: unknown, field: string, errors: string, shape: T): z.infer<z.ZodObject<T>> {
  const payload = readShape(z.looseObject({ [field]: z.looseObject({ [errors]: UserErrors }) }), data, `Shopify ${field}`)[field]
  refuseUserErrors(field, readShape(UserErrors, payload?.[errors], `Shopify ${field}`))
  return readShape(z.object(shape), payload, `Shopify ${field}`)
}

const parcelsOf = (order: Told, waybill: string) =>
  order.fulfillments.filter(
    (each) => !FAILED_PARCEL.has(each.status) && each.trackingInfo.some(({ number }) => number === waybill),
  )

/** Success when the shop has all of this parcel under its number already. @throws Rejected when nothing is left for it. */
export async function writeTracking(ctx: ShopifyContext, told: Tracking): Promise<void> {
  const order = parseParcels(await ask(ctx, parcelsRequest(told.externalId)), told.externalId)
  const mine = parcelsOf(order, told.waybill)
  if (mine.length > 0 && told.lines.length === 0) return
  const sent = new Map<string, number>()
  for (const { lineItem, quantity } of mine.flatMap((each) => each.fulfillmentLineItems.nodes))
    sent.set(numberOf(lineItem.id), (sent.get(numberOf(lineItem.id)) ?? 0) + (quantity ?? 0))
  if (mine.length > 0 && told.lines.every(({ lineId, quantity }) => (sent.get(lineId) ?? 0) >= quantity)) return
  if (order.fulfillments.length >= MAX_PARCELS)
    throw new OmnisagaError('Rejected', `Shopify order ${told.externalId} has ${MAX_PARCELS} parcels and more`, {
      code: 'too-many-parcels',
      remedy: `Look in the shop's admin whether the parcel ${told.waybill} is there, else add it.`,
    })
  const groups = sharesOf(await openWork(ctx, told.externalId), told, sent)
  // What is under the number stays so; lines that the shop took out meanwhile are not missed.
  if (groups.length === 0 && mine.length > 0) return
  if (groups.length === 0)
    throw new OmnisagaError('Rejected', `Shopify order ${told.externalId} has nothing left for this tracking number`, {
      code: order.cancelledAt ? 'cancelled' : 'no-lines',
      remedy: `Was it fulfilled, cancelled or put on hold in the shop? Tell the buyer of the parcel ${told.waybill}, or add it there.`,
    })
  for (const shares of groups)
    done(await ask(ctx, fulfilRequest(ctx.connection.config, told, shares)), 'fulfillmentCreate', 'userErrors', {
      fulfillment: z.object({ id: z.string() }),
    })
}

export const deliveredRequest = (fulfillmentId: string, at: string): GraphqlCall =>
  mutation(
    'fulfillmentEventCreate',
    `($fulfillmentEvent: FulfillmentEventInput!) { fulfillmentEventCreate(fulfillmentEvent: $fulfillmentEvent) { fulfillmentEvent { id } userErrors { field message } } }`,
    { fulfillmentEvent: { fulfillmentId, status: 'DELIVERED', happenedAt: at } },
  )
/** Success when it shows as delivered already. @throws Rejected when the shop has no such parcel. */
export async function writeDelivered(
  ctx: ShopifyContext,
  told: { externalId: string; waybill: string; at: string },
): Promise<void> {
  const mine = parcelsOf(parseParcels(await ask(ctx, parcelsRequest(told.externalId)), told.externalId), told.waybill)
  if (mine.length === 0)
    throw new OmnisagaError('Rejected', `Shopify order ${told.externalId} has no parcel with this tracking number`, {
      code: 'no-parcel',
      remedy: `Add the parcel ${told.waybill} in the shop's admin.`,
    })
  for (const parcel of mine) {
    if (parcel.deliveredAt || parcel.displayStatus === 'DELIVERED') continue
    done(await ask(ctx, deliveredRequest(parcel.id, told.at)), 'fulfillmentEventCreate', 'userErrors', {
      fulfillmentEvent: z.object({ id: z.string() }),
    })
  }
}

/** OrderCancelReason. */
type Reason = 'CUSTOMER' | 'DECLINED' | 'FRAUD' | 'INVENTORY' | 'STAFF' | 'OTHER'
const REASONS: [RegExp, Reason][] = [
  [/stock|short|缺貨|無貨/i, 'INVENTORY'],
  [/fraud|詐/i, 'FRAUD'],
  [/unpaid|not.?paid|declined|未付款/i, 'DECLINED'],
  [/customer|buyer|changed|買家|客/i, 'CUSTOMER'],
]
export const cancelReason = (reason: string): Reason => REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? 'OTHER'
/** Stock is ours: nothing is put back by the shop. */
export const cancelRequest = (config: ShopifyConfig, externalId: string, reason: string): GraphqlCall =>
  mutation(
    'orderCancel',
    `($orderId: ID!, $reason: OrderCancelReason!, $refundMethod: OrderCancelRefundMethodInput!, $restock: Boolean!, $notifyCustomer: Boolean, $staffNote: String) {
  orderCancel(orderId: $orderId, reason: $reason, refundMethod: $refundMethod, restock: $restock, notifyCustomer: $notifyCustomer, staffNote: $staffNote) {
    job { id done } orderCancelUserErrors { field message code } } }`,
    {
      orderId: gid('Order', externalId),
      reason: cancelReason(reason),
      refundMethod: { originalPaymentMethodsRefund: config.refundOnCancel },
      restock: false,
      notifyCustomer: config.notifyCustomer,
      staffNote: reason.slice(0, 255),
    },
  )

/** A job does it: told only once the order shows as cancelled. @throws Transient until then; Rejected after it was shipped. */
export async function cancelOrder(ctx: ShopifyContext, told: { externalId: string; reason: string }): Promise<void> {
  const read = async () => parseParcels(await ask(ctx, parcelsRequest(told.externalId)), told.externalId)
  const order = await read()
  if (order.cancelledAt) return
  if (order.fulfillments.some((each) => !FAILED_PARCEL.has(each.status)))
    throw new OmnisagaError('Rejected', `Shopify order ${told.externalId} has parcels and is not cancelled any more`, {
      code: 'shipped',
      remedy: "Open a return in the shop's admin.",
    })
  done(
    await ask(ctx, cancelRequest(ctx.connection.config, told.externalId, told.reason)),
    'orderCancel',
    'orderCancelUserErrors',
    {
      job: z.object({ id: z.string() }).nullish(),
    },
  )
  if (!(await read()).cancelledAt)
    throw new OmnisagaError('Transient', `Shopify is still cancelling order ${told.externalId}`, {
      code: 'cancelling',
      retryAfterMs: 10_000,
    })
}
