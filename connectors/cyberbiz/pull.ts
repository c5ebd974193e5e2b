/** Orders changed in a window, and single ones; what marks a record. */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { RawRecord } from '../kit/types.ts'
import { pullWindow, type Window } from '../kit/window.ts'
import { isLastPage, isoOf, send, taipeiTime, type AccountContext, type Call } from './api.ts'
import { returnsOf } from './returns.ts'
import { Listed, Time } from './schemas.ts'

export type Source = 'ec' | 'pos'

/** GET /v1/orders by update time, both ends included. */
export const orderListRequest = (window: Window, source: Source, page: number, pageSize: number): Call => ({
  method: 'GET',
  path: '/v1/orders',
  query: {
    updated_at_start_time: taipeiTime(window.from),
    updated_at_end_time: taipeiTime(window.to),
    data_source: source,
    page: String(page),
    per_page: String(pageSize),
  },
})
export const orderRequest = (externalId: string): Call => ({
  method: 'GET',
  path: `/v1/orders/${encodeURIComponent(externalId)}`,
})

/** jsonb takes no NUL; a buyer's text may hold one. */
const withoutNul = (detail: Record<string, unknown>): Record<string, unknown> => {
  const json = JSON.stringify(detail)
  return json.includes('\\u0000') ? (JSON.parse(json.replaceAll('\\u0000', '')) as Record<string, unknown>) : detail
}

/** One order's raw record. `failure` marks what could not be read as an order; mapping it says why. */
export function orderRecord(externalId: string, detail: Record<string, unknown> | null): RawRecord {
  const kind = 'order'
  if (detail === null)
    return {
      kind,
      externalId,
      version: 'missing',
      eventAt: null,
      payload: { id: externalId, failure: 'CYBERBIZ does not know this order any more' },
    }
  const payload = withoutNul(detail)
  const updated = Time.safeParse(payload.updated_at)
  if (!updated.success)
    return {
      kind,
      externalId,
      version: `malformed-${contentHash(payload)}`,
      eventAt: null,
      payload: { ...payload, failure: 'updated_at is no time' },
    }
  // Two edits within one second have one update time: the content tells them apart.
  const eventAt = isoOf(updated.data)
  return { kind, externalId, version: `${eventAt}-${contentHash(payload).slice(0, 8)}`, eventAt, payload }
}

/** @throws Invalid when an order lies before the window: then the shop answers with all its orders, every time. */
function refuseUnfiltered(items: Record<string, unknown>[], window: Window): void {
  for (const item of items) {
    const updated = Time.safeParse(item.updated_at)
    if (updated.success && Date.parse(isoOf(updated.data)) < window.from * 1000)
      throw new OmnisagaError('Invalid', 'CYBERBIZ GET /v1/orders: the answer is not limited to the time asked for', {
        code: 'filter-ignored',
        remedy: 'Ask CYBERBIZ why updated_at_start_time is not obeyed; meanwhile rely on webhooks.',
      })
  }
}

/** Raw orders changed in [from, to], page by page; see kit/window.ts for why none is lost. */
export const changedOrders = (ctx: AccountContext, source: Source, window: { from: Date; to: Date }) =>
  pullWindow(
    {
      what: 'CYBERBIZ orders',
      idOf: (order: { id: number } & Record<string, unknown>) => String(order.id),
      async page(part, cursor: number | null) {
        const number = cursor ?? 1
        const { pageSize } = ctx.connection.config
        const { json, headers } = await send(ctx, orderListRequest(part, source, number, pageSize))
        const items = readShape(Listed, json ?? [], 'CYBERBIZ GET /v1/orders')
        refuseUnfiltered(items, part)
        return { items, next: isLastPage(headers, items.length, pageSize) ? null : number + 1 }
      },
    },
    window,
  )

/** An order, and what it says of goods that come back. */
export const withReturn = (order: RawRecord): RawRecord[] => [order, ...returnsOf(order)]

export async function* pullOrders(ctx: AccountContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  for await (const orders of changedOrders(ctx, 'ec', window))
    yield orders.flatMap((order) => withReturn(orderRecord(String(order.id), order)))
}

/** @returns null when the vendor has none: a 404, or 200 with `null`. */
export async function readRaw(ctx: AccountContext, externalId: string): Promise<Record<string, unknown> | null> {
  try {
    const { json } = await send(ctx, orderRequest(externalId))
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : null
  } catch (error) {
    if (error instanceof OmnisagaError && error.code === 'http-404') return null
    throw error
  }
}

export async function fetchOrders(ctx: AccountContext, externalIds: string[]): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for (const externalId of externalIds) records.push(...withReturn(orderRecord(externalId, await readRaw(ctx, externalId))))
  return records
}
