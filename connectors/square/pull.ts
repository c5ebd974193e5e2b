/** Orders and sales changed in a window, single ones, and webhooks. */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import { pullKeyset } from '../kit/keyset.ts'
import { withoutRepeats } from '../kit/paging.ts'
import { forged, headerOf, hmac, verifySignature } from '../kit/signature.ts'
import type { RawRecord } from '../kit/types.ts'
import { ask, type Call, type SquareContext } from './api.ts'
import { movesOf } from './order.ts'
import { Catalog, Order, Orders } from './schemas.ts'

type Raw = Record<string, unknown>
/** SearchOrders takes so many locations and gives so many orders at once. */
const MAX_LOCATIONS = 10
const MAX_TAKE = 1000
const BATCH = 100

/** A millisecond before `start`: whether the range holds its first instant is not told. */
export const searchRequest = (locationIds: string[], args: { start: Date; end: Date; take: number }): Call => ({
  method: 'POST',
  path: '/v2/orders/search',
  body: {
    location_ids: locationIds,
    query: {
      filter: {
        date_time_filter: {
          updated_at: { start_at: new Date(args.start.getTime() - 1).toISOString(), end_at: args.end.toISOString() },
        },
      },
      sort: { sort_field: 'UPDATED_AT', sort_order: 'ASC' },
    },
    limit: args.take,
    return_entries: false,
  },
})
export const parseOrders = (json: unknown): Raw[] => readShape(Orders, json, 'Square orders').orders ?? []
export const ordersRequest = (ids: string[]): Call => ({
  method: 'POST',
  path: '/v2/orders/batch-retrieve',
  body: { order_ids: ids },
})
export const catalogRequest = (ids: string[]): Call => ({
  method: 'POST',
  path: '/v2/catalog/batch-retrieve',
  body: { object_ids: ids, include_deleted_objects: true },
})
/** SKU by the id of the variation; those without are left out. */
export const parseSkus = (json: unknown): [string, string][] =>
  (readShape(Catalog, json, 'Square catalog').objects ?? []).flatMap(({ id, item_variation_data: variation }) => {
    const sku = variation?.sku?.trim()
    return sku ? [[id, sku]] : []
  })

/** SKUs of these variations; the lines of an order do not say them. */
export async function skusOf(ctx: SquareContext, ids: string[]): Promise<Map<string, string>> {
  const skus = new Map<string, string>()
  const wanted = [...new Set(ids)]
  for (let start = 0; start < wanted.length; start += BATCH)
    for (const [id, sku] of parseSkus(await ask(ctx, catalogRequest(wanted.slice(start, start + BATCH))))) skus.set(id, sku)
  return skus
}

const idsIn = (order: Raw): string[] => {
  const parsed = Order.safeParse(order).data
  const lines = [...(parsed?.line_items ?? []), ...(parsed?.returns ?? []).flatMap((each) => each.return_line_items ?? [])]
  return lines.flatMap((line) => line.catalog_object_id ?? [])
}

/** With a fulfilment it is an order; without one, completed, a sale at the till; else nothing yet. What cannot be read is shown as an order. */
export function kindOf(raw: Raw): 'order' | 'sale' | null {
  const order = Order.safeParse(raw).data
  if (!order) return 'order'
  if ((order.fulfillments ?? []).length > 0) return order.state === 'DRAFT' ? null : 'order'
  return order.state === 'COMPLETED' ? 'sale' : null
}

/** Of a sale only what moves stock makes another version. */
export function recordOf(raw: Raw, kind: 'order' | 'sale', skus: ReadonlyMap<string, string>): RawRecord {
  const own = Object.fromEntries(idsIn(raw).flatMap((id) => (skus.has(id) ? [[id, skus.get(id)]] : [])))
  const externalId = String(raw.id ?? contentHash(raw))
  const { updated_at: updatedAt } = raw
  const isTime = typeof updatedAt === 'string' && !Number.isNaN(Date.parse(updatedAt))
  const base = { kind, externalId, eventAt: isTime ? updatedAt : null, payload: { ...raw, skus: own } }
  if (kind === 'order') return { ...base, version: `${isTime ? updatedAt : 'malformed'}-${contentHash(raw).slice(0, 8)}` }
  let moves: unknown = raw
  try {
    moves = movesOf(Order.parse(raw))
  } catch {
    // Mapping says why it cannot be read.
  }
  return { ...base, version: contentHash({ moves, at: raw.location_id }).slice(0, 16) }
}

async function records(ctx: SquareContext, orders: Raw[], wanted: 'order' | 'sale' | 'both'): Promise<RawRecord[]> {
  const chosen = orders.flatMap((raw) => {
    const kind = kindOf(raw)
    return kind !== null && (wanted === 'both' || wanted === kind) ? [{ raw, kind }] : []
  })
  const skus = await skusOf(
    ctx,
    chosen.flatMap(({ raw }) => idsIn(raw)),
  )
  return chosen.map(({ raw, kind }) => recordOf(raw, kind, skus))
}

async function* changed(
  ctx: SquareContext,
  window: { from: Date; to: Date },
  wanted: 'order' | 'sale',
): AsyncGenerator<RawRecord[]> {
  const locations = Object.keys(ctx.connection.config.locations)
  for (let start = 0; start < locations.length; start += MAX_LOCATIONS) {
    const some = locations.slice(start, start + MAX_LOCATIONS)
    const listed = pullKeyset(
      {
        what: 'Square orders',
        page: async (from, take) => parseOrders(await ask(ctx, searchRequest(some, { start: from, end: window.to, take }))),
        idOf: (order: Raw) => String(order.id),
        timeOf: (order: Raw) => new Date(String(order.updated_at)),
        take: ctx.connection.config.pageSize,
        maxTake: MAX_TAKE,
      },
      window.from,
    )
    for await (const page of listed) {
      const found = await records(ctx, page, wanted)
      if (found.length > 0) yield found
    }
  }
}
/** Page by page; nothing at all when nothing changed. */
export const pullOrders = (ctx: SquareContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> =>
  withoutRepeats(changed(ctx, window, 'order'))
export const pullSales = (ctx: SquareContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> =>
  withoutRepeats(changed(ctx, window, 'sale'))

/** As they are now, as orders or as sales; what is neither yet, or of another location, is left out. */
export async function fetchOrders(ctx: SquareContext, externalIds: string[]): Promise<RawRecord[]> {
  const found: RawRecord[] = []
  for (let start = 0; start < externalIds.length; start += BATCH) {
    const orders = parseOrders(await ask(ctx, ordersRequest(externalIds.slice(start, start + BATCH))))
    const ours = orders.filter((order) => String(order.location_id) in ctx.connection.config.locations)
    found.push(...(await records(ctx, ours, 'both')))
  }
  return found
}

const ANSWER = { status: 200, contentType: 'application/json', body: '{}' }
const EVENT = /^order\.(created|updated|fulfillment\.updated)$/

/**
 * `x-square-hmacsha256-signature` is the base64 HMAC-SHA256 of the subscription's address and the raw body. The body names an order and
 * its state alone, so it is a reason to fetch it. Retries keep their `event_id`.
 */
export function receiveWebhook(
  ctx: Pick<SquareContext, 'connection'>,
  request: { headers: Record<string, string>; rawBody: Buffer },
): { records: RawRecord[]; answer: typeof ANSWER } {
  const { webhookSignatureKey, notificationUrl, merchantId } = ctx.connection.config
  if (notificationUrl === null) throw forged('Square', 'the connection has no notificationUrl, which is signed too')
  verifySignature({
    vendor: 'Square',
    secret: webhookSignatureKey,
    given: headerOf(request.headers, 'x-square-hmacsha256-signature')?.trim(),
    expected: (key) => hmac('sha256', key, Buffer.concat([Buffer.from(notificationUrl), request.rawBody]), 'base64'),
  })
  let event: { event_id?: unknown; type?: unknown; merchant_id?: unknown; created_at?: unknown; data?: { id?: unknown } } | null
  try {
    event = JSON.parse(request.rawBody.toString('utf8')) as typeof event
  } catch {
    throw new OmnisagaError('Invalid', 'Square webhook: the body is no JSON', { code: 'webhook-body' })
  }
  const type = String(event?.type ?? '')
  // One subscription of an app tells of every seller.
  if (!EVENT.test(type) || event?.merchant_id !== merchantId) return { records: [], answer: ANSWER }
  const externalId = event.data?.id
  if (typeof externalId !== 'string' || typeof event.event_id !== 'string')
    throw new OmnisagaError('Invalid', `Square webhook ${type}: data.id or event_id is missing`, { code: 'webhook-body' })
  const at = event.created_at
  return {
    records: [
      {
        kind: 'order',
        externalId,
        version: `webhook-${event.event_id}`,
        eventAt: typeof at === 'string' && !Number.isNaN(Date.parse(at)) ? at : null,
        payload: { lookAt: { id: externalId, type } },
      },
    ],
    answer: ANSWER,
  }
}
