/** Orders changed in a window, single ones, and webhooks; what marks a record. */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape, webhookJson } from '../kit/json.ts'
import { headerOf, hmac, verifySignature } from '../kit/signature.ts'
import type { RawRecord } from '../kit/types.ts'
import { pullWindow, type Window } from '../kit/window.ts'
import { isLastPage, send, type Call, type WooContext } from './api.ts'
import { Listed, One, Order } from './schemas.ts'

/** Without a zone: WordPress would turn one into the site's before it compares. */
const gmtOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19)

/** `modified_after` and `modified_before` leave their own second out. `any` leaves the trash out. */
export const orderListRequest = (window: Window, status: 'any' | 'trash', page: number, pageSize: number): Call => ({
  method: 'GET',
  path: '/orders',
  query: {
    modified_after: gmtOf(window.from - 1),
    modified_before: gmtOf(window.to + 1),
    dates_are_gmt: 'true',
    status,
    orderby: 'id',
    order: 'asc',
    page: String(page),
    per_page: String(pageSize),
  },
})
export const orderRequest = (externalId: string): Call => ({ method: 'GET', path: `/orders/${encodeURIComponent(externalId)}` })

/** Carts that were never sent; they become orders with a later modification. */
const isDraft = (detail: Record<string, unknown>): boolean => /^(auto-|checkout-)?draft$/.test(String(detail.status))

/** jsonb takes no NUL; a buyer's text may hold one. */
const withoutNul = (detail: Record<string, unknown>): Record<string, unknown> => {
  const json = JSON.stringify(detail)
  return json.includes('\\u0000') ? (JSON.parse(json.replaceAll('\\u0000', '')) as Record<string, unknown>) : detail
}

/** One order's raw record. `failure` marks what could not be read as an order; mapping it says why. */
export function orderRecord(externalId: string, detail: Record<string, unknown> | null): RawRecord {
  const kind = 'order'
  if (detail === null) {
    const failure = 'it was deleted in the shop'
    return { kind, externalId, version: 'deleted', eventAt: null, payload: { id: externalId, failure } }
  }
  const payload = withoutNul(detail)
  const { date_modified_gmt: modified } = payload
  if (typeof modified !== 'string' || Number.isNaN(Date.parse(`${modified.slice(0, 19)}Z`))) {
    const version = `malformed-${contentHash(payload)}`
    return { kind, externalId, version, eventAt: null, payload: { ...payload, failure: 'date_modified_gmt is no time' } }
  }
  // Two edits within one second have one time: the content tells them apart. Links differ by how the site was reached.
  const { _links: _sites, ...content } = payload
  const version = `${modified}-${contentHash(content).slice(0, 8)}`
  return { kind, externalId, version, eventAt: `${modified.slice(0, 19)}Z`, payload }
}

/** @returns orders changed in [from, to], page by page; see kit/window.ts for why none is lost. Orders in the trash come last. */
export async function* pullOrders(ctx: WooContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  for (const status of ['any', 'trash'] as const) {
    const changed = pullWindow(
      {
        what: 'WooCommerce orders',
        idOf: (order: { id: number } & Record<string, unknown>) => String(order.id),
        async page(part, cursor: number | null) {
          const number = cursor ?? 1
          const { pageSize } = ctx.connection.config
          const { json, headers } = await send(ctx, orderListRequest(part, status, number, pageSize))
          const items = readShape(Listed, json, 'WooCommerce GET /orders')
          return { items, next: isLastPage(headers, number, items.length, pageSize) ? null : number + 1 }
        },
      },
      window,
    )
    for await (const orders of changed) {
      const records = orders.filter((order) => !isDraft(order)).map((order) => orderRecord(String(order.id), order))
      if (records.length > 0) yield records
    }
  }
}

/** @returns null when it was deleted for good; one in the trash is shown. */
export async function readRaw(ctx: WooContext, externalId: string): Promise<Record<string, unknown> | null> {
  try {
    return readShape(One, (await send(ctx, orderRequest(externalId))).json, 'WooCommerce GET /orders')
  } catch (error) {
    if (error instanceof OmnisagaError && error.code === 'woocommerce_rest_shop_order_invalid_id') return null
    throw error
  }
}

export async function fetchOrders(ctx: WooContext, externalIds: string[]): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for (const externalId of externalIds) {
    const detail = await readRaw(ctx, externalId)
    if (detail === null || !isDraft(detail)) records.push(orderRecord(externalId, detail))
  }
  return records
}

const ANSWER = { status: 200, contentType: 'application/json', body: '{}' }

/**
 * `X-WC-Webhook-Signature` is the base64 HMAC-SHA256 of the raw body. The first ping of a new webhook is form-encoded and unsigned; it
 * holds nothing and is answered, or the shop would not switch the webhook on.
 */
export function receiveWebhook(
  ctx: Pick<WooContext, 'connection'>,
  request: { headers: Record<string, string>; rawBody: Buffer },
): { records: RawRecord[]; answer: typeof ANSWER } {
  const { webhookSecret } = ctx.connection.config
  const given = headerOf(request.headers, 'x-wc-webhook-signature')
  const isPing = webhookSecret && given === undefined && /^webhook_id=\d+$/.test(request.rawBody.toString('latin1'))
  if (isPing) return { records: [], answer: ANSWER }
  verifySignature({
    vendor: 'WooCommerce',
    secret: webhookSecret,
    given: given?.trim(),
    expected: (secret) => hmac('sha256', secret, request.rawBody, 'base64'),
  })
  const json = webhookJson(request.rawBody, 'WooCommerce')
  const topic = headerOf(request.headers, 'x-wc-webhook-topic') ?? ''
  if (!topic.startsWith('order.')) return { records: [], answer: ANSWER }
  const detail = json as Record<string, unknown> | null
  if (typeof detail?.id !== 'number')
    throw new OmnisagaError('Invalid', `WooCommerce webhook ${topic}: id is missing`, { code: 'webhook-body' })
  if (isDraft(detail)) return { records: [], answer: ANSWER }
  const externalId = String(detail.id)
  if (Order.safeParse(detail).success) return { records: [orderRecord(externalId, detail)], answer: ANSWER }
  // order.deleted carries the id alone; the delivery tells one deletion from the next.
  const delivery = headerOf(request.headers, 'x-wc-webhook-delivery-id') ?? contentHash(detail)
  const version = `webhook-${topic}-${delivery}`
  return {
    records: [{ kind: 'order', externalId, version, eventAt: null, payload: { lookAt: { id: externalId, topic } } }],
    answer: ANSWER,
  }
}
