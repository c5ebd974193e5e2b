/**
 * Every order changed in a stretch of time, none lost and none twice while orders are edited meanwhile.
 *
 * Shopee's cursor is a position in a list that is read by update time. An order edited during the walk leaves the window
 * (its update time moves past the end), everything behind it moves up by one, and the order at the border of the next page is
 * never shown. So a window of several pages is listed again: orders only ever leave a window, hence two equal listings in a row
 * prove the first complete. When they differ the window is halved, until one page holds it, which is one answer and cannot tear.
 */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { RawRecord } from '../kit/types.ts'
import { MAX_DETAILS, MAX_WINDOW_SECONDS, orderDetailRequest, orderListRequest, parseOrderDetail, parseOrderList } from './api.ts'
import { logisticsRecords } from './logistics.ts'
import { shopCall, type ShopeeContext } from './transport.ts'

/** In seconds, both ends included. */
export interface Window {
  from: number
  to: number
}

/** A window that cannot be halved any more (one second) is listed at most so often. */
const MAX_LISTINGS = 5

/** Windows of at most 15 days that cover [from, to]; Shopee wants the start before the end. */
export function splitWindows(from: Date, to: Date): Window[] {
  const end = Math.ceil(to.getTime() / 1000)
  const windows: Window[] = []
  for (let start = Math.floor(from.getTime() / 1000); start <= end; start += MAX_WINDOW_SECONDS)
    windows.push({ from: start, to: Math.max(start + 1, Math.min(start + MAX_WINDOW_SECONDS - 1, end)) })
  return windows
}

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.size === b.size && [...a].every((entry) => b.has(entry))

async function listPage(ctx: ShopeeContext, window: Window, cursor: string) {
  return parseOrderList(await shopCall(ctx, orderListRequest({ ...window, cursor, pageSize: ctx.connection.config.pageSize })))
}

async function listAll(ctx: ShopeeContext, window: Window): Promise<Set<string>> {
  const found = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await listPage(ctx, window, cursor)
    for (const orderSn of page.orderSns) found.add(orderSn)
    cursor = page.nextCursor
  }
  return found
}

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

/** One window, halved where orders moved while it was read. `seen` keeps an order from being given twice. */
async function* pullWindow(ctx: ShopeeContext, window: Window, seen: Set<string>): AsyncGenerator<RawRecord[]> {
  const fresh = (orderSns: Iterable<string>) => [...new Set(orderSns)].filter((orderSn) => !seen.has(orderSn))
  const listed = new Set<string>()
  let pages = 0
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    const page = await listPage(ctx, window, cursor)
    const unseen = fresh(page.orderSns)
    for (const orderSn of page.orderSns) listed.add(orderSn)
    for (const orderSn of unseen) seen.add(orderSn)
    if (unseen.length > 0) yield await fetchOrders(ctx, unseen)
    cursor = page.nextCursor
  }
  if (pages === 1) return
  let before = listed
  for (let listing = 1; ; listing++) {
    const now = await listAll(ctx, window)
    const unseen = fresh(now)
    for (const orderSn of unseen) seen.add(orderSn)
    if (unseen.length > 0) yield await fetchOrders(ctx, unseen)
    if (sameSet(before, now)) return
    if (window.to - window.from > 1) break
    if (listing === MAX_LISTINGS)
      throw new OmnisagaError('Transient', 'Shopee: orders of one second kept changing while they were read')
    before = now
  }
  const middle = Math.floor((window.from + window.to) / 2)
  yield* pullWindow(ctx, { from: window.from, to: middle }, seen)
  yield* pullWindow(ctx, { from: middle + (window.to - middle > 1 ? 1 : 0), to: window.to }, seen)
}

/**
 * Every record changed in [from, to], page by page; nothing at all when nothing changed.
 * An order that was edited during the pull is shown as it was when its detail was read, and again by the next pull.
 */
export async function* pullOrders(ctx: ShopeeContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  const seen = new Set<string>()
  for (const part of splitWindows(window.from, window.to)) yield* pullWindow(ctx, part, seen)
}
