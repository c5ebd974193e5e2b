/** The orders of a shop that changed, and each as its raw record. */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { RawRecord } from '../kit/types.ts'
import { pullWindow } from '../kit/window.ts'
import { MAX_DETAILS, MAX_WINDOW_SECONDS, orderDetailRequest, orderListRequest, parseOrderDetail, parseOrderList } from './api.ts'
import { logisticsRecords } from './logistics.ts'
import { shopCall, type ShopeeContext } from './transport.ts'

/** jsonb takes no NUL; a seller's text may hold one. */
const withoutNul = (detail: Record<string, unknown>): Record<string, unknown> => {
  const json = JSON.stringify(detail)
  return json.includes('\\u0000') ? (JSON.parse(json.replaceAll('\\u0000', '')) as Record<string, unknown>) : detail
}

/** One order's raw record. `failure` marks what could not be read as an order; mapping it says why. */
export function orderRecord(orderSn: string, detail: Record<string, unknown> | null): RawRecord {
  if (detail === null)
    return {
      kind: 'order',
      externalId: orderSn,
      version: 'missing',
      eventAt: null,
      payload: { order_sn: orderSn, failure: 'Shopee lists this order but gives no detail of it' },
    }
  const updated = detail.update_time
  if (typeof updated !== 'number' || !Number.isSafeInteger(updated) || updated <= 0)
    return {
      kind: 'order',
      externalId: orderSn,
      version: `malformed-${contentHash(detail)}`,
      eventAt: null,
      payload: { ...detail, failure: 'update_time is no time' },
    }
  return {
    // Two edits within one second have one update time: the content tells them apart.
    kind: 'order',
    externalId: orderSn,
    version: `${updated}-${contentHash(detail).slice(0, 8)}`,
    eventAt: new Date(updated * 1000).toISOString(),
    payload: detail,
  }
}

async function details(ctx: ShopeeContext, orderSns: string[]): Promise<Record<string, unknown>[]> {
  try {
    return parseOrderDetail(await shopCall(ctx, orderDetailRequest(orderSns)))
  } catch (error) {
    // One order that the vendor cannot show refuses its whole batch: ask for each alone.
    const refused = error instanceof OmnisagaError && (error.kind === 'Rejected' || error.kind === 'Invalid')
    if (!refused) throw error
    if (orderSns.length === 1) return []
    const single: Record<string, unknown>[] = []
    for (const orderSn of orderSns) single.push(...(await details(ctx, [orderSn])))
    return single
  }
}

/** The orders as they are now, and what Shopee's own logistics say of their parcels. */
export async function fetchOrders(ctx: ShopeeContext, orderSns: string[]): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for (let start = 0; start < orderSns.length; start += MAX_DETAILS) {
    const batch = orderSns.slice(start, start + MAX_DETAILS)
    const bySn = new Map((await details(ctx, batch)).map((detail) => [detail.order_sn, withoutNul(detail)]))
    for (const orderSn of batch) {
      const detail = bySn.get(orderSn) ?? null
      records.push(orderRecord(orderSn, detail), ...(detail ? logisticsRecords(ctx.connection.config, detail) : []))
    }
  }
  return records
}

/**
 * Every record changed in [from, to], page by page; nothing at all when nothing changed. See kit/window.ts for why none is lost.
 * An order that was edited during the pull is shown as it was when its detail was read, and again by the next pull.
 */
export async function* pullOrders(ctx: ShopeeContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  const changed = pullWindow(
    {
      what: 'Shopee orders',
      idOf: (orderSn: string) => orderSn,
      maxSeconds: MAX_WINDOW_SECONDS,
      async page(part, cursor: string | null) {
        const { pageSize } = ctx.connection.config
        const page = parseOrderList(await shopCall(ctx, orderListRequest({ ...part, cursor: cursor ?? '', pageSize })))
        return { items: page.orderSns, next: page.nextCursor }
      },
    },
    window,
  )
  for await (const orderSns of changed) yield await fetchOrders(ctx, orderSns)
}
