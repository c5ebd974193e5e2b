/** The calls, each with the checks and error codes of its document. */
import type { SimRequest } from '../kit/server.ts'
import { refusal, type Refusal } from './auth.ts'
import { orderDetail } from './detail.ts'
import { carrierNumber, logisticsFor, type Shop } from './state.ts'
import type { ShopeeSimulatorOptions, SimOrder } from './types.ts'

export type Outcome = { response?: Record<string, unknown> } | Refusal
export type Call = (request: SimRequest) => Outcome

const MAX_WINDOW_SECONDS = 15 * 86_400
const MAX_DETAILS = 50

const required = (name: string) => refusal('error_param', `Wrong parameters, detail: ${name} is a required field.`)
const whole = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : null)
const objectOf = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null

/** Fields of the vendor's POST calls that have to be there. */
const bodyOf = (request: SimRequest) => objectOf(request.json) ?? {}

export function createCalls(shop: Shop, options: ShopeeSimulatorOptions): Record<string, { method: string; call: Call }> {
  const pageCap = options.pageCap ?? 100
  const withoutNumber = new Map<string, number>()
  const dropoffChannel = (order: SimOrder) => order.channelId < 30_100

  /** v2.order.get_order_list */
  const getOrderList: Call = ({ query }) => {
    if (query.time_range_field !== 'create_time' && query.time_range_field !== 'update_time') return required('time_range_field')
    const [from, to, pageSize] = [whole(query.time_from), whole(query.time_to), whole(query.page_size)]
    if (from === null) return required('time_from')
    if (to === null) return required('time_to')
    if (pageSize === null || pageSize < 1 || pageSize > 100)
      return refusal('error_param', 'Wrong parameters, detail: page_size must be between 1 and 100.')
    if (from >= to || to - from > MAX_WINDOW_SECONDS)
      return refusal('order.order_list_invalid_time', 'Start time must be earlier than end time and diff in 15days.')
    const start = query.cursor ? whole(query.cursor) : 0
    if (start === null) return refusal('error_param', 'Wrong parameters, detail: cursor is invalid.')
    const found = (
      query.time_range_field === 'update_time'
        ? shop.changedBetween(from, to)
        : shop.orders().filter((order) => order.createTime >= from && order.createTime <= to)
    ).filter((order) => !query.order_status || order.status === query.order_status)
    const end = start + Math.min(pageSize, pageCap)
    const more = end < found.length
    const withStatus = query.response_optional_fields?.split(',').includes('order_status')
    return {
      response: {
        more,
        next_cursor: more ? String(end) : '',
        order_list: found
          .slice(start, end)
          .map((order) => ({ order_sn: order.orderSn, ...(withStatus ? { order_status: order.status } : {}) })),
      },
    }
  }

  /** v2.order.get_order_detail */
  const getOrderDetail: Call = ({ query }) => {
    const asked = query.order_sn_list?.split(',').filter(Boolean) ?? []
    if (asked.length === 0) return required('order_sn_list')
    if (asked.length > MAX_DETAILS) return refusal('error_param', 'Wrong parameters, detail: order_sn_list limit is [1,50].')
    const found = asked.map((orderSn) => shop.find(orderSn))
    if (found.some((order) => order === undefined))
      return refusal('error_not_found', 'Wrong parameters, detail: the order is not found.')
    const optional = new Set(query.response_optional_fields?.split(',').map((name) => name.trim()) ?? [])
    return { response: { order_list: found.filter((order) => order !== undefined).map((order) => orderDetail(order, optional)) } }
  }

  /** v2.logistics.get_shipping_parameter */
  const getShippingParameter: Call = ({ query }) => {
    if (!query.order_sn) return required('order_sn')
    const order = shop.find(query.order_sn)
    if (!order) return refusal('error_not_found', 'Wrong parameters, detail: the order is not found.')
    if (order.status === 'CANCELLED') return refusal('error_status', 'The order has been cancelled.')
    if (order.status !== 'READY_TO_SHIP' && order.status !== 'RETRY_SHIP')
      return refusal('error_param', 'Shipping parameters can only be obtained when package is ready to be shipped')
    if (!order.integrated) return { response: { info_needed: { non_integrated: ['tracking_no'] }, dropoff: null, pickup: null } }
    if (dropoffChannel(order))
      return { response: { info_needed: { dropoff: ['sender_real_name'] }, dropoff: { branch_list: null }, pickup: null } }
    return {
      response: {
        info_needed: { dropoff: [], pickup: ['address_id', 'pickup_time_id'] },
        dropoff: null,
        pickup: {
          address_list: [
            {
              address_id: 234,
              region: 'TW',
              address_flag: ['default_address', 'pickup_address'],
              time_slot_list: [
                { date: 0, pickup_time_id: 'slot-1', flags: [] },
                { date: 0, pickup_time_id: 'slot-2', flags: ['recommended'] },
              ],
            },
          ],
        },
      },
    }
  }

  function shipIntegrated(order: SimOrder, body: Record<string, unknown>): Refusal | null {
    const { dropoff, pickup } = { dropoff: objectOf(body.dropoff), pickup: objectOf(body.pickup) }
    if (dropoffChannel(order)) {
      if (!dropoff) return refusal('error_param', 'Wrong parameters, detail: dropoff is a required field.')
      return dropoff.sender_real_name
        ? null
        : refusal('logistics.ship_order_need_sender_real_name', 'Parameter sender_real_name can not be null.')
    }
    if (!pickup) return refusal('error_param', 'Wrong parameters, detail: pickup is a required field.')
    if (pickup.address_id !== 234) return refusal('logistics.address_not_found', 'Address is not found.')
    return pickup.pickup_time_id === 'slot-1' || pickup.pickup_time_id === 'slot-2'
      ? null
      : refusal(
          'error_param',
          'The pickup_time_id received is invalid and not expected. Please check and reselect one from the time_slot_list.',
        )
  }

  /** v2.logistics.ship_order */
  const shipOrder: Call = (request) => {
    const body = bodyOf(request)
    if (typeof body.order_sn !== 'string' || body.order_sn === '') return required('order_sn')
    const order = shop.find(body.order_sn)
    if (!order) return refusal('logistics.error_order_not_found', 'Order is not found.')
    if (body.package_number === '')
      return refusal(
        'error_param',
        'Invalid package number, please get package number from field `package_number` instead of `forder_id`.',
      )
    if (['PROCESSED', 'SHIPPED', 'TO_CONFIRM_RECEIVE', 'COMPLETED'].includes(order.status))
      return refusal(
        ' logistics.package_already_shipped',
        "This package has already been arranged shipment and you can't call this API again.",
      )
    if (order.status !== 'READY_TO_SHIP' && order.status !== 'RETRY_SHIP')
      return refusal('logistics.error_limit', 'Order status not support update logistics.')
    const nonIntegrated = objectOf(body.non_integrated)
    if (order.integrated) {
      if (nonIntegrated)
        return refusal(
          'error_param',
          'Please do not request with tracking_no for this channel which does not require tracking_no.',
        )
      const wrong = shipIntegrated(order, body)
      if (wrong) return wrong
    } else if (!nonIntegrated) return required('non_integrated')
    const trackingNumber = order.integrated ? carrierNumber(order.orderSn) : String(nonIntegrated?.tracking_number ?? '') || null
    if (order.integrated) withoutNumber.set(order.orderSn, options.trackingDelayCalls ?? 0)
    shop.edit(order.orderSn, { status: 'PROCESSED', trackingNumber, ...logisticsFor('PROCESSED') })
    return {}
  }

  /** v2.logistics.get_tracking_number */
  const getTrackingNumber: Call = ({ query }) => {
    if (!query.order_sn) return required('order_sn')
    const order = shop.find(query.order_sn)
    if (!order) return refusal('logistics.invalid_error', 'The order is not exist.')
    const left = withoutNumber.get(order.orderSn) ?? 0
    if (left > 0) withoutNumber.set(order.orderSn, left - 1)
    return {
      response:
        left > 0 || order.trackingNumber === null
          ? { tracking_number: '', hint: 'The tracking number is not given yet.' }
          : { tracking_number: order.trackingNumber, hint: '' },
    }
  }

  /** v2.order.cancel_order */
  const cancelOrder: Call = (request) => {
    const body = bodyOf(request)
    if (typeof body.order_sn !== 'string' || body.order_sn === '') return required('order_sn')
    const reasons = ['OUT_OF_STOCK', 'CUSTOMER_REQUEST', 'UNDELIVERABLE_AREA', 'COD_NOT_SUPPORTED']
    if (typeof body.cancel_reason !== 'string' || !reasons.includes(body.cancel_reason)) return required('cancel_reason')
    if (body.cancel_reason === 'OUT_OF_STOCK' && !(Array.isArray(body.item_list) && body.item_list.length > 0))
      return required('item_list')
    const order = shop.find(body.order_sn)
    if (!order) return refusal('error_not_found', 'Wrong parameters, detail: the order is not found.')
    if (!['UNPAID', 'READY_TO_SHIP', 'RETRY_SHIP', 'PENDING', 'INVOICE_PENDING'].includes(order.status))
      return refusal('order.error_limit', 'Can not cancel this order')
    const changed = shop.edit(order.orderSn, {
      status: 'CANCELLED',
      cancelReason: body.cancel_reason,
      ...logisticsFor('CANCELLED'),
    })
    return { response: { update_time: changed.updateTime } }
  }

  return {
    '/api/v2/order/get_order_list': { method: 'GET', call: getOrderList },
    '/api/v2/order/get_order_detail': { method: 'GET', call: getOrderDetail },
    '/api/v2/logistics/get_shipping_parameter': { method: 'GET', call: getShippingParameter },
    '/api/v2/logistics/ship_order': { method: 'POST', call: shipOrder },
    '/api/v2/logistics/get_tracking_number': { method: 'GET', call: getTrackingNumber },
    '/api/v2/order/cancel_order': { method: 'POST', call: cancelOrder },
  }
}
