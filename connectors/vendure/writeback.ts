/** What Vendure is told. Each looks at the order first, so that telling it again does nothing more. */
import { OmnisagaError } from '../../domain/errors.ts'
import { keyIn, withKey } from '../kit/refundKeys.ts'
import type { RefundRequest, ToldLine, Tracking } from '../kit/types.ts'
import {
  addFulfillmentRequest,
  cancelOrderRequest,
  ordersByCodeRequest,
  parseAddFulfillment,
  parseCancelOrder,
  parseOrders,
  parseRefund,
  parseTransition,
  refundRequest,
  transitionRequest,
  type Order,
} from './api.ts'
import { readOrder } from './order.ts'
import { ask, type VendureContext } from './session.ts'

type Fulfillment = NonNullable<Order['fulfillments']>[number]

async function orderOf(ctx: VendureContext, code: string): Promise<Order> {
  const [found] = parseOrders(await ask(ctx, ordersByCodeRequest([code])))
  if (found) return readOrder(code, found)
  throw new OmnisagaError('Rejected', `Vendure has no order ${code}`, {
    code: 'no-order',
    remedy: "Look the order up in the shop's administration; it may belong to another channel.",
  })
}

const standing = (order: Order): Fulfillment[] => (order.fulfillments ?? []).filter(({ state }) => state !== 'Cancelled')
const withWaybill = (order: Order, waybill: string) => standing(order).find(({ trackingCode }) => trackingCode === waybill)

/** Our lines by Vendure's own ids; a parcel whose lines are not told holds all that is not yet in a fulfilment. */
function linesOf(order: Order, told: ToldLine[]): { orderLineId: string; quantity: number }[] {
  if (told.length > 0) {
    const unknown = told.find(({ lineId }) => !order.lines.some(({ id }) => id === lineId))
    if (unknown)
      throw new OmnisagaError('Rejected', `Vendure order ${order.code} has no line ${unknown.lineId}`, {
        code: 'no-line',
        remedy: "Fulfil the order by hand in the shop's administration, with our tracking number.",
      })
    return told.filter(({ quantity }) => quantity > 0).map(({ lineId, quantity }) => ({ orderLineId: lineId, quantity }))
  }
  const used = new Map<string, number>()
  for (const { lines } of standing(order))
    for (const { orderLineId, quantity } of lines) used.set(orderLineId, (used.get(orderLineId) ?? 0) + quantity)
  return order.lines
    .map(({ id, quantity }) => ({ orderLineId: id, quantity: quantity - (used.get(id) ?? 0) }))
    .filter(({ quantity }) => quantity > 0)
}

const move = async (ctx: VendureContext, id: string, state: 'Shipped' | 'Delivered') =>
  parseTransition(await ask(ctx, transitionRequest(id, state)))

/** A fulfilment with our number, shipped. @throws Rejected when the order is not paid for, or others have fulfilled these pieces. */
export async function writeTracking(ctx: VendureContext, args: Tracking): Promise<void> {
  const order = await orderOf(ctx, args.externalId)
  let fulfillment: Pick<Fulfillment, 'id' | 'state'> | undefined = withWaybill(order, args.waybill)
  if (!fulfillment) {
    const call = addFulfillmentRequest({
      lines: linesOf(order, args.lines),
      handler: ctx.connection.config.fulfillmentHandler,
      method: args.courier,
      trackingCode: args.waybill,
    })
    fulfillment = parseAddFulfillment(await ask(ctx, call))
  }
  if (fulfillment.state !== 'Shipped' && fulfillment.state !== 'Delivered') await move(ctx, fulfillment.id, 'Shipped')
}

/** @throws Transient, code `no-fulfilment`, when the tracking number is not there yet. */
export async function writeDelivered(ctx: VendureContext, args: { externalId: string; waybill: string }): Promise<void> {
  const order = await orderOf(ctx, args.externalId)
  const fulfillment = withWaybill(order, args.waybill)
  if (!fulfillment)
    throw new OmnisagaError('Transient', `Vendure order ${order.code} has no fulfilment with this tracking number yet`, {
      code: 'no-fulfilment',
      remedy: 'It is told once the tracking number is. If that was refused, mend it first.',
    })
  if (fulfillment.state === 'Pending') await move(ctx, fulfillment.id, 'Shipped')
  if (fulfillment.state !== 'Delivered') await move(ctx, fulfillment.id, 'Delivered')
}

/** Success when it is cancelled already. Vendure itself would also cancel what was delivered: that is refused here. */
export async function cancelOrder(ctx: VendureContext, args: { externalId: string; reason: string }): Promise<void> {
  const order = await orderOf(ctx, args.externalId)
  if (order.state === 'Cancelled') return
  if (standing(order).some(({ state }) => state === 'Shipped' || state === 'Delivered'))
    throw new OmnisagaError('Rejected', `Vendure order ${order.code} has been shipped`, {
      code: 'shipped',
      remedy: 'Settle it with the customer; take it back as a return.',
    })
  parseCancelOrder(await ask(ctx, cancelOrderRequest(order.id, args.reason)))
}

/** The key stands in the reason, where a repeat finds it: Vendure has no key of its own. */
export async function refund(ctx: VendureContext, args: RefundRequest): Promise<{ refundId: string }> {
  const order = await orderOf(ctx, args.externalId)
  const payments = order.payments ?? []
  const before = payments
    .flatMap(({ refunds }) => refunds)
    .find(({ reason, state }) => state !== 'Failed' && keyIn(reason) === args.key)
  if (before) return { refundId: before.id }
  if (args.currency !== order.currencyCode)
    throw new OmnisagaError('Rejected', `Vendure order ${order.code} is in ${order.currencyCode}, not ${args.currency}`, {
      code: 'currency',
      remedy: "Refund it by hand in the shop's administration.",
    })
  const payment = payments.find(({ state, amount, refunds }) => {
    const gone = refunds.reduce((sum, { state: was, total }) => sum + (was === 'Failed' ? 0 : total), 0)
    return state === 'Settled' && amount - gone >= args.amountMinor
  })
  if (!payment)
    throw new OmnisagaError('Rejected', `Vendure order ${order.code} has no settled payment from which this can be paid back`, {
      code: 'no-payment',
      remedy: "Refund it by hand in the shop's administration, in parts, or by a bank transfer.",
    })
  const made = parseRefund(
    await ask(ctx, refundRequest({ paymentId: payment.id, amount: args.amountMinor, reason: withKey(args.reason, args.key) })),
  )
  return { refundId: made.id }
}
