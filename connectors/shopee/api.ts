/** The calls, as pairs: `xRequest` says what to send, `parseX` reads the `response` part of the answer. No I/O. */
import type { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Window } from '../kit/window.ts'
import { OPTIONAL_FIELDS, OrderDetails, OrderList, RefreshedTokens, ShippingParameter, TrackingNumber } from './schemas.ts'

export interface ShopeeCall {
  method: 'GET' | 'POST'
  path: string
  query: Record<string, string>
  body: Record<string, unknown> | null
  /** No answer means that the outcome is unknown. */
  write: boolean
}

/** The longest window of get_order_list and get_return_list. */
export const MAX_WINDOW_SECONDS = 15 * 24 * 60 * 60
/** Shopee wants the end after the start; both count. */
export const endOf = ({ from, to }: Window): number => Math.max(to, from + 1)
/** The most orders of one get_order_detail. */
export const MAX_DETAILS = 50

const get = (path: string, query: Record<string, string>): ShopeeCall => ({
  method: 'GET',
  path,
  query,
  body: null,
  write: false,
})
const post = (path: string, body: Record<string, unknown>): ShopeeCall => ({ method: 'POST', path, query: {}, body, write: true })

function read<T>(schema: z.ZodType<T>, path: string, response: unknown): T {
  const parsed = schema.safeParse(response)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new OmnisagaError(
    'Invalid',
    `Shopee ${path}: answer not understood at ${issue?.path.join('.') || 'response'}: ${issue?.message}`,
    { code: 'answer-shape', remedy: "Compare the answer with the vendor's current document; the connector may need an update." },
  )
}

const ORDER_LIST = '/api/v2/order/get_order_list'
/** v2.order.get_order_list. Times in seconds, both ends included, at most 15 days apart. */
export const orderListRequest = (args: { from: number; to: number; pageSize: number; cursor: string }): ShopeeCall =>
  get(ORDER_LIST, {
    time_range_field: 'update_time',
    time_from: String(args.from),
    time_to: String(endOf(args)),
    page_size: String(args.pageSize),
    cursor: args.cursor,
    response_optional_fields: 'order_status',
    request_order_status_pending: 'true',
  })
/** @returns order numbers, and the cursor of the next page, null on the last. */
export function parseOrderList(response: unknown): { orderSns: string[]; nextCursor: string | null } {
  const page = read(OrderList, ORDER_LIST, response)
  if (page.more && !page.next_cursor) throw new OmnisagaError('Transient', `Shopee ${ORDER_LIST}: more pages, but no cursor`)
  return {
    orderSns: (page.order_list ?? []).map((order) => order.order_sn),
    nextCursor: page.more ? (page.next_cursor ?? null) : null,
  }
}

const ORDER_DETAIL = '/api/v2/order/get_order_detail'
/** v2.order.get_order_detail, 1 to 50 orders. */
export function orderDetailRequest(orderSns: string[]): ShopeeCall {
  if (orderSns.length === 0 || orderSns.length > MAX_DETAILS)
    throw new RangeError(`1 to ${MAX_DETAILS} orders, not ${orderSns.length}`)
  return get(ORDER_DETAIL, {
    order_sn_list: orderSns.join(','),
    response_optional_fields: OPTIONAL_FIELDS.join(','),
    request_order_status_pending: 'true',
  })
}
/** Raw details; each is judged by itself later. */
export const parseOrderDetail = (response: unknown): Record<string, unknown>[] =>
  read(OrderDetails, ORDER_DETAIL, response).order_list ?? []

const SHIPPING_PARAMETER = '/api/v2/logistics/get_shipping_parameter'
/** v2.logistics.get_shipping_parameter: what ship_order wants to know. */
export const shippingParameterRequest = (orderSn: string): ShopeeCall => get(SHIPPING_PARAMETER, { order_sn: orderSn })
export const parseShippingParameter = (response: unknown): ShippingParameter =>
  read(ShippingParameter, SHIPPING_PARAMETER, response)

export type ShipBy =
  | { pickup: { address_id: number; pickup_time_id?: string } }
  | { dropoff: { branch_id?: number; sender_real_name?: string; slug?: string } }
  | { non_integrated: { tracking_number: string } }
/** v2.logistics.ship_order. Its answer carries nothing. */
export const shipOrderRequest = (orderSn: string, by: ShipBy): ShopeeCall =>
  post('/api/v2/logistics/ship_order', { order_sn: orderSn, ...by })

const TRACKING_NUMBER = '/api/v2/logistics/get_tracking_number'
/** v2.logistics.get_tracking_number. The number may come minutes after ship_order. */
export const trackingNumberRequest = (orderSn: string): ShopeeCall => get(TRACKING_NUMBER, { order_sn: orderSn })
export function parseTrackingNumber(response: unknown): { waybill: string | null; hint: string | null } {
  const answer = read(TrackingNumber, TRACKING_NUMBER, response)
  return { waybill: answer.tracking_number?.trim() || null, hint: answer.hint?.trim() || null }
}

export type CancelReason = 'OUT_OF_STOCK' | 'CUSTOMER_REQUEST' | 'UNDELIVERABLE_AREA' | 'COD_NOT_SUPPORTED'
/** v2.order.cancel_order; `items` is required when the reason is OUT_OF_STOCK. */
export const cancelOrderRequest = (
  orderSn: string,
  reason: CancelReason,
  items: { item_id: number; model_id: number }[],
): ShopeeCall =>
  post('/api/v2/order/cancel_order', {
    order_sn: orderSn,
    cancel_reason: reason,
    ...(reason === 'OUT_OF_STOCK' ? { item_list: items } : {}),
  })

const REFRESH = '/api/v2/auth/access_token/get'
/** v2.public.refresh_access_token: a public call, whose answer has no `response` part. The refresh token is single use. */
export const refreshRequest = (args: { partnerId: number; shopId: number; refreshToken: string }): ShopeeCall => ({
  ...post(REFRESH, { partner_id: args.partnerId, shop_id: args.shopId, refresh_token: args.refreshToken }),
  write: false,
})
export function parseRefresh(answer: unknown): { accessToken: string; refreshToken: string; expiresInMs: number } {
  const tokens = read(RefreshedTokens, REFRESH, answer)
  return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresInMs: tokens.expire_in * 1000 }
}
