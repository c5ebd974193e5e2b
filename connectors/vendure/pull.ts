/**
 * Placed orders changed in a stretch of time. Vendure (3.7.3, seen) gives an order no new updatedAt when a payment is settled or a
 * fulfilment moves on: so orders that are still open are looked over too, and those whose payments or fulfilments
 * changed in the window are fetched as well.
 */
import { contentHash } from '../../domain/ids.ts'
import { pullKeyset } from '../kit/keyset.ts'
import { withoutRepeats } from '../kit/paging.ts'
import type { RawRecord } from '../kit/types.ts'
import {
  changedAt,
  changedOrdersRequest,
  openOrdersRequest,
  ordersByCodeRequest,
  parseOpenOrders,
  parseOrders,
  type Watched,
} from './api.ts'
import { ask, type VendureContext } from './session.ts'

/** Vendure's apiOptions.adminListQueryLimit, by default. */
const MAX_TAKE = 1000

/** One order's raw record. What cannot be read as an order is stored too; mapping it says why. */
export function orderRecord(order: Record<string, unknown>): RawRecord {
  const externalId = String(order.code ?? order.id ?? contentHash(order))
  let eventAt: string | null = null
  try {
    eventAt = changedAt(order as unknown as Watched)
  } catch {
    // A malformed one: it has no time that could be told.
  }
  const isTime = typeof eventAt === 'string' && !Number.isNaN(Date.parse(eventAt))
  return {
    kind: 'order',
    externalId,
    version: `${isTime ? eventAt : 'malformed'}-${contentHash(order).slice(0, 8)}`,
    eventAt: isTime ? eventAt : null,
    payload: order,
  }
}

export async function fetchOrders(ctx: VendureContext, codes: string[]): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  const { pageSize } = ctx.connection.config
  for (let start = 0; start < codes.length; start += pageSize) {
    const orders = parseOrders(await ask(ctx, ordersByCodeRequest(codes.slice(start, start + pageSize))))
    records.push(...orders.map(orderRecord))
  }
  return records
}

async function* changed(ctx: VendureContext, { from, to }: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  const { pageSize, watchMs } = ctx.connection.config
  const edited = pullKeyset(
    {
      what: 'Vendure orders',
      page: async (start, take) => parseOrders(await ask(ctx, changedOrdersRequest({ start, end: to, take }))),
      idOf: (order) => String(order.code),
      timeOf: (order) => new Date(String(order.updatedAt)),
      take: pageSize,
      maxTake: MAX_TAKE,
    },
    from,
  )
  for await (const page of edited) yield page.map(orderRecord)
  const open = pullKeyset(
    {
      what: 'Vendure open orders',
      page: async (start, take) => parseOpenOrders(await ask(ctx, openOrdersRequest({ start, end: to, take }))),
      idOf: ({ code }) => code,
      timeOf: ({ createdAt }) => new Date(createdAt),
      take: pageSize,
      maxTake: MAX_TAKE,
    },
    new Date(from.getTime() - watchMs),
  )
  for await (const page of open) {
    const moved = page.filter(
      (order) => Date.parse(order.updatedAt) < from.getTime() && Date.parse(changedAt(order)) >= from.getTime(),
    )
    if (moved.length > 0)
      yield await fetchOrders(
        ctx,
        moved.map(({ code }) => code),
      )
  }
}

/** Page by page; nothing at all when nothing changed. */
export const pullOrders = (ctx: VendureContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> =>
  withoutRepeats(changed(ctx, window))
