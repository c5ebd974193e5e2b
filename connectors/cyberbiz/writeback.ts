/** What CYBERBIZ is told: tracking numbers, delivery, cancellations. Each is looked up first, so that it may be said again. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { ConnectorContext, Tracking } from '../kit/types.ts'
import { send, type Call } from './api.ts'
import type { CyberbizConfig } from './config.ts'
import { readOrder, vendorLineId } from './order.ts'
import { readRaw } from './pull.ts'
import type { Order } from './schemas.ts'
import { FULFILMENT } from './status.ts'

type Context = ConnectorContext<CyberbizConfig>

const pathOf = (externalId: string, rest: string) => `/v1/orders/${encodeURIComponent(externalId)}/${rest}`

/** `tracking_company` by our service; 53 codes are known (v1 reference), the rest is `other`. ECPay's are the platform's Allpay_*. */
const CARRIERS: Readonly<Record<string, string>> = {
  TCAT: 'ezcat',
  POST: 'postserv',
  HCT: 'hct',
  SF: 'SF',
  DHL: 'DHL',
  FEDEX: 'fedex',
  UPS: 'UPS',
  UNIMART: 'Allpay_SEVEN',
  UNIMARTC2C: 'Allpay_SEVEN',
  FAMI: 'Allpay_FAMILY',
  FAMIC2C: 'Allpay_FAMILY',
  HILIFE: 'HILIFE',
  HILIFEC2C: 'HILIFE_C2C',
}
export const carrierOf = (config: Pick<CyberbizConfig, 'carriers'>, service: string): string =>
  config.carriers[service] ?? CARRIERS[service] ?? 'other'

/** Ids travel as one text with commas. */
export const customShippingRequest = (config: CyberbizConfig, told: Tracking, lineItemIds: string[]): Call => ({
  method: 'POST',
  path: pathOf(told.externalId, 'fulfillments/custom_shipping'),
  body: {
    line_item_ids: lineItemIds.join(','),
    tracking_number: told.waybill,
    tracking_company: carrierOf(config, told.courier),
    notify_customer: config.notifyCustomer,
  },
  write: true,
})
export const receivedRequest = (externalId: string): Call => ({
  method: 'POST',
  path: pathOf(externalId, 'fulfillments/received'),
  write: true,
})
export const preparingRequest = (externalId: string): Call => ({
  method: 'PUT',
  path: pathOf(externalId, 'preparing'),
  write: true,
})

type Reason = 'customer' | 'duplicate' | 'not_pay' | 'fraud' | 'inventory' | 'forgot' | 'other'
const REASONS: [RegExp, Reason][] = [
  [/out.?of.?stock|stock|short|缺貨|無貨/i, 'inventory'],
  [/duplicate|重複/i, 'duplicate'],
  [/not.?paid|unpaid|未付款/i, 'not_pay'],
  [/fraud|詐/i, 'fraud'],
  [/not.?collected|expired|未取/i, 'forgot'],
  [/customer|buyer|changed|買家|客/i, 'customer'],
]
export const cancelReason = (reason: string): Reason => REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? 'other'
export const cancelRequest = (externalId: string, reason: string): Call => ({
  method: 'PUT',
  path: pathOf(externalId, 'cancelled'),
  body: { cancel_reason: cancelReason(reason) },
  write: true,
})

async function currentOrder(ctx: Context, externalId: string): Promise<Order> {
  const payload = await readRaw(ctx, externalId)
  if (payload) return readOrder({ externalId, payload })
  throw new OmnisagaError('Rejected', `CYBERBIZ does not know order ${externalId}`, {
    code: 'http-404',
    remedy: "Look the order up in the shop's back office.",
  })
}

/** One fulfilment a waybill, over the lines in it. Success when CYBERBIZ has this very number already. */
export async function writeTracking(ctx: Context, told: Tracking): Promise<void> {
  const order = await currentOrder(ctx, told.externalId)
  const fulfilments = order.fulfillments ?? []
  if (fulfilments.some((each) => each.tracking_number === told.waybill)) return
  const asked = new Set(told.lines.map((line) => vendorLineId(line.lineId)))
  const sent = new Set(
    fulfilments.filter((each) => each.tracking_number).flatMap((each) => (each.line_items ?? []).map((line) => line.id)),
  )
  const ours = order.line_items
    .filter((line) => !sent.has(line.id))
    .map((line) => String(line.id))
    .filter((id) => asked.size === 0 || asked.has(id))
  if (ours.length === 0)
    throw new OmnisagaError('Rejected', `CYBERBIZ order ${told.externalId} has no line left for this tracking number`, {
      code: 'no-lines',
      remedy: `CYBERBIZ takes one number a line: tell the buyer of the parcel ${told.waybill}, or add it in the shop's back office.`,
    })
  await send(ctx, customShippingRequest(ctx.connection.config, told, ours))
}

/** CYBERBIZ knows delivery of the whole order only: of an order with several parcels nothing is said. */
export async function writeDelivered(ctx: Context, told: { externalId: string; waybill: string }): Promise<void> {
  const order = await currentOrder(ctx, told.externalId)
  const status = order.statuses.fulfillment_status
  const others = (order.fulfillments ?? []).some((each) => each.tracking_number && each.tracking_number !== told.waybill)
  if (status === 'received' || status === 'returned' || status === 'partial' || others) return
  await send(ctx, receivedRequest(told.externalId))
}

/** Only what nobody has touched yet is set to `preparing`: the call would also take a shipped order back. */
export async function acknowledgeOrder(ctx: Context, told: { externalId: string }): Promise<void> {
  if (!ctx.connection.config.acknowledge) return
  const { order_status: stage, fulfillment_status: goods } = (await currentOrder(ctx, told.externalId)).statuses
  if (stage === 'open' && goods === 'unshipped') await send(ctx, preparingRequest(told.externalId))
}

/** Success when it is cancelled already. @throws Rejected after it was shipped. */
export async function cancelOrder(ctx: Context, told: { externalId: string; reason: string }): Promise<void> {
  const { order_status: stage, fulfillment_status: goods } = (await currentOrder(ctx, told.externalId)).statuses
  if (stage === 'cancelled') return
  const gone = FULFILMENT.get(goods)
  if (gone === 'gone' || gone === 'partly')
    throw new OmnisagaError('Rejected', `CYBERBIZ order ${told.externalId} is ${goods} and cannot be cancelled`, {
      code: 'shipped',
      remedy: "Open a return in the shop's back office.",
    })
  await send(ctx, cancelRequest(told.externalId, told.reason))
}
