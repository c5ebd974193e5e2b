/** What Shopee is told: the tracking number of the seller's own courier, and cancellations. Both may be said again. */
import { OmnisagaError } from '../../domain/errors.ts'
import {
  cancelOrderRequest,
  orderDetailRequest,
  parseOrderDetail,
  parseShippingParameter,
  parseTrackingNumber,
  shipOrderRequest,
  shippingParameterRequest,
  trackingNumberRequest,
  type CancelReason,
} from './api.ts'
import { isAlreadyShipped } from './errors.ts'
import { Order } from './schemas.ts'
import { shopCall, type ShopeeContext } from './transport.ts'

/** One order, fresh. @throws Rejected when Shopee does not know it, Invalid when its detail is malformed. */
export async function readOrder(ctx: ShopeeContext, orderSn: string): Promise<Order> {
  const details = parseOrderDetail(await shopCall(ctx, orderDetailRequest([orderSn])))
  const detail = details.find((entry) => entry.order_sn === orderSn)
  if (!detail)
    throw new OmnisagaError('Rejected', `Shopee does not know order ${orderSn}`, {
      code: 'error_not_found',
      remedy: 'Look the order up in the Seller Center.',
    })
  const parsed = Order.safeParse(detail)
  if (parsed.success) return parsed.data
  throw new OmnisagaError(
    'Invalid',
    `Shopee order ${orderSn}: field ${parsed.error.issues[0]?.path.join('.')} is not as documented`,
    { code: 'answer-shape', remedy: 'Look the order up in the Seller Center.' },
  )
}

export const readTracking = async (ctx: ShopeeContext, orderSn: string) =>
  parseTrackingNumber(await shopCall(ctx, trackingNumberRequest(orderSn)))

/** Refused because of the state it is in: perhaps it is in the state we want. */
const isRefusal = (error: unknown): error is OmnisagaError =>
  error instanceof OmnisagaError && (error.kind === 'Rejected' || error.kind === 'Invalid')

async function alreadyHas(ctx: ShopeeContext, orderSn: string, waybill: string, refusal: OmnisagaError): Promise<void> {
  let known: string | null = null
  try {
    known = (await readTracking(ctx, orderSn)).waybill
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw refusal // the first refusal says more
  }
  if (known === waybill) return
  if (!isAlreadyShipped(refusal) && known === null) throw refusal
  throw new OmnisagaError(
    'Rejected',
    known === null
      ? `Shopee order ${orderSn} has been shipped, and Shopee does not tell with which tracking number`
      : `Shopee order ${orderSn} has another tracking number than ours`,
    {
      code: 'tracking-differs',
      remedy: `Compare the tracking number with ${waybill} in the Seller Center and correct it there.`,
    },
  )
}

/** Shipping with a courier of our own. Success when Shopee has this very number already. */
export async function writeTracking(
  ctx: ShopeeContext,
  args: { externalId: string; waybill: string; courier: string },
): Promise<void> {
  try {
    const parameter = parseShippingParameter(await shopCall(ctx, shippingParameterRequest(args.externalId)))
    if (!parameter.info_needed.non_integrated)
      throw new OmnisagaError(
        'Rejected',
        `Shopee order ${args.externalId} travels with Shopee's own logistics: no tracking number is taken`,
        { code: 'integrated', remedy: 'Arrange its shipment at Shopee.' },
      )
    await shopCall(ctx, shipOrderRequest(args.externalId, { non_integrated: { tracking_number: args.waybill } }))
  } catch (error) {
    if (!isRefusal(error)) throw error
    await alreadyHas(ctx, args.externalId, args.waybill, error)
  }
}

const REASONS: [RegExp, CancelReason][] = [
  [/out.?of.?stock|stock|short|缺貨|無貨/i, 'OUT_OF_STOCK'],
  [/undeliverable|unreachable|area|無法配送/i, 'UNDELIVERABLE_AREA'],
  [/cod.?not.?supported|不支援貨到付款/i, 'COD_NOT_SUPPORTED'],
]
/** Shopee takes four reasons; ours are in plain words. */
export const cancelReason = (reason: string): CancelReason =>
  REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? 'CUSTOMER_REQUEST'

const GIVEN_UP = new Set(['CANCELLED', 'IN_CANCEL'])

/** Success when it is cancelled, or being cancelled, already. @throws Rejected after it was shipped. */
export async function cancelOrder(ctx: ShopeeContext, args: { externalId: string; reason: string }): Promise<void> {
  const reason = cancelReason(args.reason)
  const order = await readOrder(ctx, args.externalId)
  if (GIVEN_UP.has(order.order_status)) return
  const items = order.item_list.map((item) => ({ item_id: item.item_id, model_id: item.model_id }))
  try {
    await shopCall(ctx, cancelOrderRequest(args.externalId, reason, items))
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (!GIVEN_UP.has((await readOrder(ctx, args.externalId)).order_status)) throw error
  }
}
