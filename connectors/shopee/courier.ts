/** Shopee's own logistics as a courier: the channel carries the parcel and prints its label. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { Booking, Connector, ParcelRequest } from '../kit/types.ts'
import { parseShippingParameter, shipOrderRequest, shippingParameterRequest, type ShipBy } from './api.ts'
import type { ShopeeConfig } from './config.ts'
import { isAlreadyShipped } from './errors.ts'
import { logisticsStatus, mapReport, NOT_ARRANGED } from './logistics.ts'
import { minorOf } from './map-order.ts'
import type { Order, ShippingParameter } from './schemas.ts'
import { shopCall, type ShopeeContext } from './transport.ts'
import { readOrder, readTracking } from './writeback.ts'

const refuse = (orderSn: string, why: string, remedy: string) =>
  new OmnisagaError('Rejected', `Shopee order ${orderSn}: ${why}`, { code: 'shipping-parameter', remedy })

function orderSnOf(parcel: ParcelRequest): string {
  if (parcel.channelOrder) return parcel.channelOrder.externalId
  throw new OmnisagaError('Invalid', `parcel ${parcel.reference} belongs to no Shopee order`, {
    code: 'channelOrder',
    remedy: 'Book it with a courier of your own.',
  })
}

function dropoff(orderSn: string, needed: string[], parameter: ShippingParameter, senderName: string): ShipBy {
  const by: { branch_id?: number; sender_real_name?: string; slug?: string } = {}
  if (needed.includes('branch_id')) {
    const branch = parameter.dropoff?.branch_list?.[0]
    if (!branch) throw refuse(orderSn, 'no drop-off branch is offered', 'Choose a branch in the Seller Center.')
    by.branch_id = branch.branch_id
  }
  if (needed.includes('slug')) {
    const partner = parameter.dropoff?.slug_list?.[0]
    if (!partner) throw refuse(orderSn, 'no drop-off partner is offered', 'Choose a partner in the Seller Center.')
    by.slug = partner.slug
  }
  if (needed.includes('sender_real_name')) by.sender_real_name = senderName
  return { dropoff: by }
}

function pickup(orderSn: string, needed: string[], parameter: ShippingParameter): ShipBy {
  const addresses = parameter.pickup?.address_list ?? []
  const address =
    ['pickup_address', 'default_address']
      .map((flag) => addresses.find((entry) => entry.address_flag?.includes(flag)))
      .find(Boolean) ?? addresses[0]
  if (!address) throw refuse(orderSn, 'no pickup address is offered', 'Set a pickup address in the Seller Center.')
  const slots = address.time_slot_list ?? []
  const slot = slots.find((entry) => entry.flags?.includes('recommended')) ?? slots[0]
  return {
    pickup: {
      address_id: address.address_id,
      ...(needed.includes('pickup_time_id') && slot ? { pickup_time_id: slot.pickup_time_id } : {}),
    },
  }
}

/** Pure: how ship_order is to be called, from what get_shipping_parameter asks for. */
export function shipBy(
  orderSn: string,
  parameter: ShippingParameter,
  config: Pick<ShopeeConfig, 'handOver'>,
  senderName: string,
): ShipBy {
  const { info_needed: needed } = parameter
  const ways = config.handOver === 'pickup' ? (['pickup', 'dropoff'] as const) : (['dropoff', 'pickup'] as const)
  // An empty list still offers the way; the sample of the vendor shows `dropoff: []` beside a filled `pickup`, with nothing to drop off at.
  const way =
    ways.find((entry) => needed[entry]?.length || (needed[entry] && parameter[entry])) ?? ways.find((entry) => needed[entry])
  if (!way) throw refuse(orderSn, "Shopee's logistics do not carry it", 'Ship it with a courier of your own.')
  const fields = needed[way] ?? []
  if (fields.includes('tracking_no') || fields.includes('tracking_number'))
    throw refuse(orderSn, 'a tracking number of the carrier is asked for', 'Arrange its shipment in the Seller Center.')
  return way === 'pickup' ? pickup(orderSn, fields, parameter) : dropoff(orderSn, fields, parameter, senderName)
}

/** The order status tells when the package does not. */
const ARRANGED_ORDER = new Set(['PROCESSED', 'SHIPPED', 'TO_CONFIRM_RECEIVE', 'COMPLETED', 'TO_RETURN'])
function isArranged(order: Order): boolean {
  const status = logisticsStatus(order.package_list?.[0]?.logistics_status)
  return status === '' ? ARRANGED_ORDER.has(order.order_status) : !NOT_ARRANGED.has(status)
}

async function bookingOf(ctx: ShopeeContext, order: Order): Promise<Booking> {
  const [parcel] = order.package_list ?? []
  const { waybill, hint } = await readTracking(ctx, order.order_sn)
  return {
    // The number may come minutes later: look the parcel up again then.
    waybill,
    courierBookingId: order.order_sn,
    labelAmountMinor: order.cod ? minorOf(order.currency)(order.total_amount ?? 0) : 0,
    label: {
      orderSn: order.order_sn,
      packageNumber: parcel?.package_number ?? null,
      carrier: parcel?.shipping_carrier ?? order.shipping_carrier ?? null,
      channelId: parcel?.logistics_channel_id ?? null,
      printedBy: 'shopee',
      hint,
    },
  }
}

/** After ship_order nothing may look like "not booked": what fails then is looked up. */
async function lookUpAfterwards(ctx: ShopeeContext, orderSn: string): Promise<Booking> {
  try {
    return await bookingOf(ctx, await readOrder(ctx, orderSn))
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    throw new OmnisagaError(
      'OutcomeUnknown',
      `Shopee order ${orderSn} was arranged, but its booking could not be read: ${error.message}`,
      { code: error.code, retryAfterMs: error.retryAfterMs },
    )
  }
}

async function lookUp(ctx: ShopeeContext, parcel: ParcelRequest): Promise<Booking | null> {
  const order = await readOrder(ctx, orderSnOf(parcel))
  return isArranged(order) ? bookingOf(ctx, order) : null
}

async function book(ctx: ShopeeContext, parcel: ParcelRequest): Promise<Booking> {
  const orderSn = orderSnOf(parcel)
  let by: ShipBy
  try {
    const parameter = parseShippingParameter(await shopCall(ctx, shippingParameterRequest(orderSn)))
    by = shipBy(orderSn, parameter, ctx.connection.config, parcel.sender.name)
  } catch (error) {
    // Shopee gives no parameters for what is arranged already.
    const refused =
      error instanceof OmnisagaError &&
      (error.kind === 'Rejected' || error.kind === 'Invalid') &&
      error.code !== 'shipping-parameter'
    const known = refused ? await lookUp(ctx, parcel) : null
    if (known) return known
    if (refused) throw new OmnisagaError('Rejected', error.message, { code: error.code, remedy: error.remedy })
    throw error
  }
  try {
    await shopCall(ctx, shipOrderRequest(orderSn, by))
  } catch (error) {
    if (!isAlreadyShipped(error)) throw error
  }
  return lookUpAfterwards(ctx, orderSn)
}

export const courier: NonNullable<Connector<ShopeeConfig>['courier']> = {
  book,
  lookUp,
  async cancel(_ctx, args) {
    throw new OmnisagaError('Rejected', `Shopee has no call to undo an arranged shipment (order ${args.courierBookingId})`, {
      code: 'no-such-call',
      remedy: 'Cancel the order at Shopee, or undo the shipment in the Seller Center.',
    })
  },
  mapReport,
  serviceFor: () => 'channel',
}
