/** What Square is told: tracking numbers, cancellations, refunds. Orders are changed by their version, so that nothing is done twice. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import { withKey } from '../kit/refundKeys.ts'
import type { RefundRequest, Tracking } from '../kit/types.ts'
import { ask, keyOf, type Call, type SquareContext } from './api.ts'
import { FULFILMENT, isGoods, ORDER, readOrder } from './order.ts'
import { OneOrder, type Fulfillment, type Order } from './schemas.ts'

/** Pieces that have left with the parcels told so far, in the fulfilment's metadata. */
const SENT = 'omnisaga_sent'
const MAX_TRACKING = 100
const MAX_REASON = 192

const pathOf = (externalId: string) => `/v2/orders/${encodeURIComponent(externalId)}`
export const orderRequest = (externalId: string): Call => ({ method: 'GET', path: pathOf(externalId) })
/** Sparse: only what is named changes, and only while the order has this version. */
export const updateRequest = (
  order: Pick<Order, 'id' | 'location_id' | 'version'>,
  change: Record<string, unknown>,
  key: string,
): Call => ({
  method: 'PUT',
  path: pathOf(order.id),
  body: { order: { location_id: order.location_id, version: order.version ?? 0, ...change }, idempotency_key: key },
  write: true,
  keyed: true,
})

async function currentOrder(ctx: SquareContext, externalId: string): Promise<Order> {
  const { order } = readShape(OneOrder, await ask(ctx, orderRequest(externalId)), 'Square order')
  return readOrder({ externalId, payload: order })
}

const numbersOf = (fulfilment: Fulfillment): string[] =>
  (fulfilment.shipment_details?.tracking_number ?? '').split(/,\s*/).filter((number) => number !== '')

/** Pieces in a fulfilment: its entries, or all goods of the order. */
const piecesIn = (order: Order, fulfilment: Fulfillment): number =>
  fulfilment.line_item_application === 'ENTRY_LIST'
    ? (fulfilment.entries ?? []).reduce((sum, entry) => sum + Number(entry.quantity), 0)
    : (order.line_items ?? []).filter(isGoods).reduce((sum, line) => sum + Number(line.quantity), 0)
const holds = (fulfilment: Fulfillment, told: Tracking): boolean =>
  fulfilment.line_item_application !== 'ENTRY_LIST' ||
  told.lines.length === 0 ||
  (fulfilment.entries ?? []).some((entry) => told.lines.some((line) => line.lineId === entry.line_item_uid))

/**
 * Square keeps one number a shipment: further ones follow it with a comma. It is COMPLETED, which means shipped, once its last piece has
 * left; then nothing of the order can be changed any more. Success when the number is there already.
 */
export async function writeTracking(ctx: SquareContext, told: Tracking): Promise<void> {
  const { config } = ctx.connection
  const order = await currentOrder(ctx, told.externalId)
  const shipments = (order.fulfillments ?? []).filter((each) => each.type !== 'PICKUP')
  if (shipments.some((each) => numbersOf(each).includes(told.waybill))) return
  const shipment = shipments.find(
    (each) => each.type === 'SHIPMENT' && FULFILMENT.get(each.state) === 'toShip' && holds(each, told),
  )
  if (!shipment || ORDER.get(order.state) !== 'open')
    throw new OmnisagaError('Rejected', `Square order ${told.externalId} has no open shipment for this tracking number`, {
      code: 'no-shipment',
      remedy: `Was it cancelled or completed in Square? Tell the buyer of the parcel ${told.waybill}.`,
    })
  const number = [...numbersOf(shipment), told.waybill].join(', ')
  if (number.length > MAX_TRACKING)
    throw new OmnisagaError('Rejected', `Square order ${told.externalId} takes no further tracking number`, {
      code: 'too-many-parcels',
      remedy: `Tell the buyer of the parcel ${told.waybill}.`,
    })
  const all = piecesIn(order, shipment)
  const pieces = told.lines.length === 0 ? all : told.lines.reduce((sum, line) => sum + line.quantity, 0)
  const sent = Number(shipment.metadata?.[SENT] ?? 0) + pieces
  const url = config.trackingUrls[told.courier]?.replaceAll('{waybill}', encodeURIComponent(told.waybill))
  const change = {
    fulfillments: [
      {
        uid: shipment.uid,
        state: sent >= all ? 'COMPLETED' : 'PREPARED',
        metadata: { ...shipment.metadata, [SENT]: String(sent) },
        shipment_details: { carrier: told.courier.slice(0, 50), tracking_number: number, ...(url ? { tracking_url: url } : {}) },
      },
    ],
  }
  await ask(ctx, updateRequest(order, change, keyOf(order.id, order.version ?? 0, 'tracking', told.waybill)))
}

/** Success when it is cancelled already. @throws Rejected after something has left. */
export async function cancelOrder(ctx: SquareContext, told: { externalId: string; reason: string }): Promise<void> {
  const order = await currentOrder(ctx, told.externalId)
  if (ORDER.get(order.state) === 'cancelled') return
  const fulfilments = order.fulfillments ?? []
  if (ORDER.get(order.state) === 'done' || fulfilments.some((each) => each.state === 'COMPLETED' || numbersOf(each).length > 0))
    throw new OmnisagaError('Rejected', `Square order ${told.externalId} is shipped and is not cancelled any more`, {
      code: 'shipped',
      remedy: 'Refund it in the Square Dashboard once the goods are back.',
    })
  const change = {
    state: 'CANCELED',
    fulfillments: fulfilments.filter((each) => each.state !== 'CANCELED').map(({ uid }) => ({ uid, state: 'CANCELED' })),
  }
  await ask(ctx, updateRequest(order, change, keyOf(order.id, order.version ?? 0, 'cancel')))
}

/** `idempotency_key` is always the same for the same refund: Square pays once. */
export const refundRequest = (told: RefundRequest, paymentId: string): Call => ({
  method: 'POST',
  path: '/v2/refunds',
  body: {
    idempotency_key: keyOf(told.externalId, told.key),
    payment_id: paymentId,
    amount_money: { amount: told.amountMinor, currency: told.currency },
    reason: withKey(told.reason.slice(0, MAX_REASON - told.key.length - 3), told.key),
  },
  write: true,
  keyed: true,
})
const Refund = z.object({ refund: z.looseObject({ id: z.string(), status: z.string().nullish() }) })

/**
 * From the first payment that is as large as the refund; which one must not depend on refunds made before, so that a repeat is the
 * same request. Square refuses what is more than is left.
 */
export async function refund(ctx: SquareContext, told: RefundRequest): Promise<{ refundId: string }> {
  const { tenders } = await currentOrder(ctx, told.externalId)
  const payment = (tenders ?? []).find(
    ({ amount_money: paid }) => paid?.currency === told.currency && told.amountMinor > 0 && paid.amount >= told.amountMinor,
  )
  const paymentId = payment?.payment_id ?? payment?.id
  if (!paymentId)
    throw new OmnisagaError('Rejected', `Square order ${told.externalId} has no payment as large as the refund`, {
      code: 'no-payment',
      remedy: 'Refund it in the Square Dashboard.',
    })
  const { refund: made } = readShape(Refund, await ask(ctx, refundRequest(told, paymentId)), 'Square refund')
  if (made.status === 'REJECTED' || made.status === 'FAILED')
    throw new OmnisagaError('Rejected', `Square refund ${made.id} is ${made.status}`, {
      code: made.status,
      remedy: 'Look the refund up in the Square Dashboard.',
    })
  return { refundId: made.id }
}
