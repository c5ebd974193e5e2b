/** What Medusa is told. Each looks at the order first, so that telling it again does nothing more. */
import { OmnisagaError } from '../../domain/errors.ts'
import { keyIn, withKey } from '../kit/refundKeys.ts'
import type { RefundRequest, ToldLine, Tracking } from '../kit/types.ts'
import {
  cancelRequest,
  deliveredRequest,
  fulfillRequest,
  ordersByIdRequest,
  parseOrders,
  parseRefunds,
  refundRequest,
  shipRequest,
  type Order,
} from './api.ts'
import { minorOf, readOrder } from './order.ts'
import { ask, type MedusaContext } from './session.ts'

type Fulfillment = NonNullable<Order['fulfillments']>[number]

async function orderOf(ctx: MedusaContext, id: string): Promise<Order> {
  const [found] = parseOrders(await ask(ctx, ordersByIdRequest([id])))
  if (found) return readOrder(id, found)
  throw new OmnisagaError('Rejected', `Medusa has no order ${id}`, {
    code: 'no-order',
    remedy: "Look the order up in the shop's administration.",
  })
}

const withWaybill = (order: Order, waybill: string): Fulfillment | undefined =>
  (order.fulfillments ?? []).find(
    ({ canceled_at: cancelled, metadata, labels }) =>
      !cancelled && (metadata?.omnisaga_waybill === waybill || labels?.some((label) => label.tracking_number === waybill)),
  )

/** Our lines by Medusa's own ids; a parcel whose lines are not told holds all that is not yet in a fulfilment. */
function itemsOf(order: Order, told: ToldLine[]): { id: string; quantity: number }[] {
  if (told.length === 0)
    return order.items
      .filter((item) => item.requires_shipping !== false)
      .map((item) => ({ id: item.id, quantity: item.quantity - (item.detail?.fulfilled_quantity ?? 0) }))
      .filter(({ quantity }) => quantity > 0)
  const unknown = told.find(({ lineId }) => !order.items.some(({ id }) => id === lineId))
  if (unknown)
    throw new OmnisagaError('Rejected', `Medusa order ${order.id} has no item ${unknown.lineId}`, {
      code: 'no-line',
      remedy: "Fulfil the order by hand in the shop's administration, with our tracking number.",
    })
  return told.filter(({ quantity }) => quantity > 0).map(({ lineId, quantity }) => ({ id: lineId, quantity }))
}

/** A fulfilment, and a shipment of it with our number. @throws Rejected when others have fulfilled these pieces. */
export async function writeTracking(ctx: MedusaContext, args: Tracking): Promise<void> {
  const { notifyCustomer: notify, stockLocationId: locationId, trackingUrl } = ctx.connection.config
  let order = await orderOf(ctx, args.externalId)
  if (!withWaybill(order, args.waybill)) {
    const items = itemsOf(order, args.lines)
    await ask(ctx, fulfillRequest(order.id, { items, waybill: args.waybill, locationId, notify }))
    order = await orderOf(ctx, args.externalId)
  }
  const fulfillment = withWaybill(order, args.waybill)
  if (!fulfillment)
    throw new OmnisagaError('OutcomeUnknown', `Medusa order ${order.id}: the fulfilment that was made is not shown`, {
      code: 'no-fulfilment',
    })
  if (fulfillment.shipped_at) return
  const items = (fulfillment.items ?? []).flatMap(({ line_item_id: id, quantity }) => (id ? [{ id, quantity }] : []))
  const url = trackingUrl.replaceAll('{waybill}', encodeURIComponent(args.waybill))
  await ask(ctx, shipRequest(order.id, fulfillment.id, { items, waybill: args.waybill, trackingUrl: url, notify }))
}

/** @throws Transient, code `no-fulfilment`, when the tracking number is not there yet. */
export async function writeDelivered(ctx: MedusaContext, args: { externalId: string; waybill: string }): Promise<void> {
  const order = await orderOf(ctx, args.externalId)
  const fulfillment = withWaybill(order, args.waybill)
  if (!fulfillment?.shipped_at)
    throw new OmnisagaError('Transient', `Medusa order ${order.id} has no shipment with this tracking number yet`, {
      code: 'no-fulfilment',
      remedy: 'It is told once the tracking number is. If that was refused, mend it first.',
    })
  if (!fulfillment.delivered_at) await ask(ctx, deliveredRequest(order.id, fulfillment.id))
}

/** Success when it is cancelled already. Medusa pays captured money back by itself and lets its reservations go. */
export async function cancelOrder(ctx: MedusaContext, args: { externalId: string; reason: string }): Promise<void> {
  const order = await orderOf(ctx, args.externalId)
  if (order.status !== 'canceled') await ask(ctx, cancelRequest(order.id))
}

/** The key stands in the note, where a repeat finds it: Medusa has no key of its own. */
export async function refund(ctx: MedusaContext, args: RefundRequest): Promise<{ refundId: string }> {
  const order = await orderOf(ctx, args.externalId)
  const note = withKey(args.reason, args.key)
  const payments = (order.payment_collections ?? []).flatMap((one) => one.payments ?? [])
  const marked = (refunds: { id: string; note?: string | null }[]) => refunds.find((one) => keyIn(one.note) === args.key)
  const before = marked(payments.flatMap(({ refunds }) => refunds ?? []))
  if (before) return { refundId: before.id }
  const payment = payments.find(({ captured_at: captured, amount, refunds }) => {
    const gone = (refunds ?? []).reduce((sum, one) => sum + minorOf(one.amount), 0)
    return Boolean(captured) && minorOf(amount) - gone >= args.amountMinor
  })
  if (!payment || args.currency.toLowerCase() !== order.currency_code.toLowerCase())
    throw new OmnisagaError('Rejected', `Medusa order ${order.id} has no captured payment from which this can be paid back`, {
      code: 'no-payment',
      remedy: "Refund it by hand in the shop's administration, in parts, or by a bank transfer.",
    })
  const made = marked(parseRefunds(await ask(ctx, refundRequest(payment.id, { amount: args.amountMinor / 100, note }))))
  if (made) return { refundId: made.id }
  throw new OmnisagaError('OutcomeUnknown', `Medusa order ${order.id}: the refund that was made is not shown`, {
    code: 'no-refund',
  })
}
