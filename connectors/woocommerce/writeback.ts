/**
 * What a shop is told. Core has no field for a tracking number: it goes into the order's meta (one key a waybill, so that a repeat changes
 * nothing), into a note to the buyer (looked up first), and, once all lines have left, into the status.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import { keyIn, withKey } from '../kit/refundKeys.ts'
import type { RefundRequest, ToldLine, Tracking } from '../kit/types.ts'
import { pages, send, type Call, type WooContext } from './api.ts'
import { digitsOf, readOrder, stageOf } from './order.ts'
import { readRaw } from './pull.ts'
import { Created, Notes, Refunds, type Order } from './schemas.ts'

const PARCEL = '_omnisaga_parcel_'
const DELIVERED = '_omnisaga_delivered_'
const REFUND = '_omnisaga_refund'

const pathOf = (externalId: string, rest = '') => `/orders/${encodeURIComponent(externalId)}${rest}`
/** Meta given without an id is updated by its key. */
export const updateRequest = (externalId: string, status: string | null, meta: Record<string, string>): Call => ({
  method: 'PUT',
  path: pathOf(externalId),
  body: {
    ...(status === null ? {} : { status }),
    ...(Object.keys(meta).length > 0 ? { meta_data: Object.entries(meta).map(([key, value]) => ({ key, value })) } : {}),
  },
  write: true,
})
export const noteRequest = (externalId: string, note: string, toCustomer: boolean): Call => ({
  method: 'POST',
  path: pathOf(externalId, '/notes'),
  body: { note, customer_note: toCustomer },
  write: true,
})

async function currentOrder(ctx: WooContext, externalId: string): Promise<Order> {
  const payload = await readRaw(ctx, externalId)
  if (payload) return readOrder({ externalId, payload })
  throw new OmnisagaError('Rejected', `WooCommerce order ${externalId} was deleted in the shop`, {
    code: 'deleted',
    remedy: "Look the order up in the shop's back office.",
  })
}

const metaOf = (order: Order, prefix: string): Map<string, string> =>
  new Map(
    (order.meta_data ?? [])
      .filter((meta) => meta.key.startsWith(prefix))
      .map((meta) => [meta.key.slice(prefix.length), typeof meta.value === 'string' ? meta.value : JSON.stringify(meta.value)]),
  )

/** `COURIER LINE×QUANTITY …`; no lines: all of the order. */
export const parcelText = (courier: string, lines: ToldLine[]): string =>
  [courier, ...lines.map((line) => `${line.lineId}×${line.quantity}`)].join(' ')

/** Whether the parcels told so far hold every line in full. */
export function isAllShipped(order: Order, parcels: Iterable<string>): boolean {
  const sent = new Map<string, number>()
  for (const text of parcels) {
    const parts = [...text.matchAll(/(\S+)×(\d+)/g)]
    if (parts.length === 0) return true
    for (const [, lineId = '', quantity] of parts) sent.set(lineId, (sent.get(lineId) ?? 0) + Number(quantity))
  }
  return order.line_items.every((line) => (sent.get(String(line.id)) ?? 0) >= line.quantity)
}

async function noteOnce(ctx: WooContext, externalId: string, note: string, mark: string, toCustomer: boolean): Promise<void> {
  // Notes of an order are few and come on one page.
  const { json } = await send(ctx, { method: 'GET', path: pathOf(externalId, '/notes') })
  const there = readShape(Notes, json, 'WooCommerce GET /orders/…/notes').some((each) => each.note.includes(mark))
  if (!there) await send(ctx, noteRequest(externalId, note, toCustomer))
}

/** Success when the shop has this very number already. @throws Rejected when the order was given up there. */
export async function writeTracking(ctx: WooContext, told: Tracking): Promise<void> {
  const { config } = ctx.connection
  const order = await currentOrder(ctx, told.externalId)
  const stage = stageOf(config, order.status)
  if (stage === 'cancelled')
    throw new OmnisagaError('Rejected', `WooCommerce order ${told.externalId} is ${order.status}: it takes no tracking number`, {
      code: 'cancelled',
      remedy: `Call the parcel ${told.waybill} back, or open the order again in the shop.`,
    })
  const parcels = metaOf(order, PARCEL)
  const text = parcelText(told.courier, told.lines)
  const all = new Map(parcels).set(told.waybill, text)
  const status = stage !== 'fulfilled' && isAllShipped(order, all.values()) ? config.shippedStatus : null
  const isNew = parcels.get(told.waybill) !== text
  const meta: Record<string, string> = {
    ...(isNew ? { [`${PARCEL}${told.waybill}`]: text } : {}),
    ...(isNew && config.trackingMetaKey ? { [config.trackingMetaKey]: told.waybill } : {}),
  }
  // The note before the status: whoever mails at `completed` then has the number.
  const words = config.trackingNote.replaceAll('{courier}', told.courier).replaceAll('{waybill}', told.waybill)
  const note = words.includes(told.waybill) ? words : `${words} ${told.waybill}`
  await noteOnce(ctx, told.externalId, note, told.waybill, true)
  if (isNew || status !== null) await send(ctx, updateRequest(told.externalId, status, meta))
}

/** Core knows no delivery: it is kept in the meta; a status follows only where the configuration names one, after the last parcel. */
export async function writeDelivered(ctx: WooContext, told: { externalId: string; waybill: string; at: string }): Promise<void> {
  const order = await currentOrder(ctx, told.externalId)
  const delivered = metaOf(order, DELIVERED)
  const { deliveredStatus } = ctx.connection.config
  const isNew = !delivered.has(told.waybill)
  const waiting = [...metaOf(order, PARCEL).keys()].filter((waybill) => waybill !== told.waybill && !delivered.has(waybill))
  const status = deliveredStatus !== null && waiting.length === 0 && order.status !== deliveredStatus ? deliveredStatus : null
  if (isNew || status !== null)
    await send(ctx, updateRequest(told.externalId, status, isNew ? { [`${DELIVERED}${told.waybill}`]: told.at } : {}))
}

/** Success when it is cancelled already, or in the trash. @throws Rejected after it was shipped. */
export async function cancelOrder(ctx: WooContext, told: { externalId: string; reason: string }): Promise<void> {
  const order = await currentOrder(ctx, told.externalId)
  const stage = stageOf(ctx.connection.config, order.status)
  if (stage === 'cancelled') return
  if (stage === 'fulfilled')
    throw new OmnisagaError('Rejected', `WooCommerce order ${told.externalId} is ${order.status} and is not cancelled any more`, {
      code: 'shipped',
      remedy: 'Refund it in the shop once the goods are back.',
    })
  await send(ctx, updateRequest(told.externalId, 'cancelled', { _omnisaga_cancel_reason: told.reason.slice(0, 200) }))
}

const amountText = (minor: number, currency: string): string => (minor / 10 ** digitsOf(currency)).toFixed(digitsOf(currency))

/** Stock is ours: nothing is put back by the shop. */
export const refundRequest = (told: RefundRequest, refundPayment: boolean): Call => ({
  method: 'POST',
  path: pathOf(told.externalId, '/refunds'),
  body: {
    amount: amountText(told.amountMinor, told.currency),
    reason: withKey(told.reason, told.key),
    api_refund: refundPayment,
    api_restock: false,
    meta_data: [{ key: REFUND, value: told.key }],
  },
  write: true,
})

/** The key stands in the refund's reason and meta, and is looked for first: asked again it pays once. */
export async function refund(ctx: WooContext, told: RefundRequest): Promise<{ refundId: string }> {
  const path = pathOf(told.externalId, '/refunds')
  for await (const page of pages(ctx, path, (json) => readShape(Refunds, json, 'WooCommerce GET /orders/…/refunds'))) {
    const known = page.find(
      (each) =>
        keyIn(each.reason) === told.key || (each.meta_data ?? []).some((meta) => meta.key === REFUND && meta.value === told.key),
    )
    if (known) return { refundId: String(known.id) }
  }
  // The shop says 500 to a refund that is too large, which could not be told from a failure.
  const order = await currentOrder(ctx, told.externalId)
  const scale = 10 ** digitsOf(order.currency)
  const left = [order.total, ...(order.refunds ?? []).map((each) => each.total)].reduce(
    (sum, amount) => sum + Math.round(Number(amount ?? 0) * scale),
    0,
  )
  if (order.currency !== told.currency || told.amountMinor <= 0 || told.amountMinor > left)
    throw new OmnisagaError(
      'Rejected',
      `WooCommerce order ${told.externalId} has ${left / scale} ${order.currency} left to refund`,
      {
        code: 'refund-too-large',
        remedy: "Compare the order's refunds in the shop with the amount wanted.",
      },
    )
  const { json } = await send(ctx, refundRequest(told, ctx.connection.config.refundPayment))
  return { refundId: String(readShape(Created, json, 'WooCommerce POST /orders/…/refunds').id) }
}
