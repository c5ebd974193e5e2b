/** Orders changed in a window, single ones, and webhooks; what marks a record. */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { webhookJson } from '../kit/json.ts'
import { pullKeyset } from '../kit/keyset.ts'
import { followPages, withoutRepeats } from '../kit/paging.ts'
import { headerOf, hmac, verifySignature } from '../kit/signature.ts'
import type { RawRecord } from '../kit/types.ts'
import { ask, gid, numberOf, type ShopifyContext } from './api.ts'
import {
  changedOrdersRequest,
  isConnection,
  moreLinesRequest,
  ORDERS_A_QUERY,
  ordersRequest,
  parseChangedOrders,
  parseMoreLines,
  parseOrders,
} from './queries.ts'

/** What a connection gives at most. */
const MAX_TAKE = 250

/** One order's raw record. `failure` marks what could not be read as an order; mapping it says why. */
export function orderRecord(id: string, order: Record<string, unknown> | null): RawRecord {
  const base = { kind: 'order' as const, externalId: numberOf(id) }
  if (order === null) {
    const failure = 'it is not in the shop any more, or older than the app may see'
    return { ...base, version: 'gone', eventAt: null, payload: { id: gid('Order', id), failure } }
  }
  const { updatedAt } = order
  if (typeof updatedAt !== 'string' || Number.isNaN(Date.parse(updatedAt)))
    return {
      ...base,
      version: `malformed-${contentHash(order)}`,
      eventAt: null,
      payload: { ...order, failure: 'updatedAt is no time' },
    }
  // Times are told in seconds: two edits within one differ by their content.
  return { ...base, version: `${updatedAt}-${contentHash(order).slice(0, 8)}`, eventAt: updatedAt, payload: order }
}

/** The lines beyond the first 20. */
async function withAllLines(ctx: ShopifyContext, order: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { lineItems } = order
  if (!isConnection(lineItems) || !lineItems.pageInfo.hasNextPage) return order
  const nodes = [...lineItems.nodes]
  const rest = followPages(async (after: string | null) => {
    const page = parseMoreLines(await ask(ctx, moreLinesRequest(String(order.id), after ?? lineItems.pageInfo.endCursor ?? null)))
    const next = page?.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null
    return { items: page?.nodes ?? [], next }
  }, 'Shopify lineItems')
  for await (const page of rest) nodes.push(...page)
  return { ...order, lineItems: { nodes, pageInfo: { hasNextPage: false, endCursor: null } } }
}

export async function fetchOrders(ctx: ShopifyContext, externalIds: string[]): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for (let start = 0; start < externalIds.length; start += ORDERS_A_QUERY) {
    const ids = externalIds.slice(start, start + ORDERS_A_QUERY)
    const orders = parseOrders(await ask(ctx, ordersRequest(ids)))
    for (const [at, id] of ids.entries()) {
      const order = orders[at] ?? null
      records.push(orderRecord(id, order === null ? null : await withAllLines(ctx, order)))
    }
  }
  return records
}

async function* changed(ctx: ShopifyContext, { from, to }: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  const listed = pullKeyset(
    {
      what: 'Shopify orders',
      page: async (start, take) => parseChangedOrders(await ask(ctx, changedOrdersRequest({ start, end: to, take }))),
      idOf: ({ id }) => id,
      timeOf: ({ updatedAt }) => new Date(updatedAt),
      take: ctx.connection.config.pageSize,
      maxTake: MAX_TAKE,
    },
    from,
  )
  for await (const page of listed)
    yield await fetchOrders(
      ctx,
      page.map(({ id }) => id),
    )
}

/** Page by page; nothing at all when nothing changed. */
export const pullOrders = (ctx: ShopifyContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> =>
  withoutRepeats(changed(ctx, window))

const ANSWER = { status: 200, contentType: 'application/json', body: '{}' }

/**
 * `X-Shopify-Hmac-Sha256` is the base64 HMAC-SHA256 of the raw body by the app's secret; it covers no header. The body has the shape of
 * the old REST API, lacks what fulfilment needs and comes in any order: it only says which order to look at. So a replay under
 * another `X-Shopify-Webhook-Id` costs one look and changes nothing.
 */
export function receiveWebhook(
  ctx: Pick<ShopifyContext, 'connection'>,
  request: { headers: Record<string, string>; rawBody: Buffer },
): { records: RawRecord[]; answer: typeof ANSWER } {
  const { config } = ctx.connection
  verifySignature({
    vendor: 'Shopify',
    secret: config.clientSecret,
    given: headerOf(request.headers, 'x-shopify-hmac-sha256')?.trim(),
    expected: (secret) => hmac('sha256', secret, request.rawBody, 'base64'),
  })
  const json = webhookJson(request.rawBody, 'Shopify')
  const topic = headerOf(request.headers, 'x-shopify-topic') ?? ''
  const shop = headerOf(request.headers, 'x-shopify-shop-domain')
  if (!/^orders\/(create|updated|cancelled|paid|fulfilled|partially_fulfilled)$/.test(topic))
    return { records: [], answer: ANSWER }
  // One secret signs for every shop that has installed the app.
  if (shop !== undefined && shop !== config.shop) return { records: [], answer: ANSWER }
  // The id as text: as a number it may be larger than JavaScript holds exactly.
  const id = (json as { admin_graphql_api_id?: unknown } | null)?.admin_graphql_api_id
  const externalId = typeof id === 'string' ? numberOf(id) : ''
  if (!/^\d+$/.test(externalId))
    throw new OmnisagaError('Invalid', `Shopify webhook ${topic}: admin_graphql_api_id is missing`, { code: 'webhook-body' })
  const delivery = headerOf(request.headers, 'x-shopify-webhook-id') ?? contentHash(request.rawBody.toString('base64'))
  const eventAt = headerOf(request.headers, 'x-shopify-triggered-at')
  return {
    records: [
      {
        kind: 'order',
        externalId,
        version: `webhook-${delivery}`,
        eventAt: eventAt && !Number.isNaN(Date.parse(eventAt)) ? new Date(eventAt).toISOString() : null,
        payload: { lookAt: { id: externalId, topic } },
      },
    ],
    answer: ANSWER,
  }
}
