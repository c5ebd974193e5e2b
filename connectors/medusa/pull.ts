/**
 * Orders changed in a stretch of time. Medusa (2.21.2, seen) gives an order no new updated_at when its payment is captured: so the
 * payments changed in the window are read too, and their orders fetched.
 */
import { contentHash } from '../../domain/ids.ts'
import { pullKeyset } from '../kit/keyset.ts'
import { withoutRepeats } from '../kit/paging.ts'
import type { RawRecord } from '../kit/types.ts'
import {
  changedAt,
  changedOrdersRequest,
  changedPaymentsRequest,
  ordersByIdRequest,
  parseChangedPayments,
  parseOrders,
  type Order,
} from './api.ts'
import { ask, type MedusaContext } from './session.ts'

const MAX_TAKE = 1000

/** One order's raw record. What cannot be read as an order is stored too; mapping it says why. */
export function orderRecord(order: Record<string, unknown>): RawRecord {
  const externalId = String(order.id ?? contentHash(order))
  let eventAt: string | undefined
  try {
    eventAt = changedAt(order as unknown as Order)
  } catch {
    // A malformed one: it has no time that could be told.
  }
  const isTime = typeof eventAt === 'string' && !Number.isNaN(Date.parse(eventAt))
  return {
    kind: 'order',
    externalId,
    version: `${isTime ? eventAt : 'malformed'}-${contentHash(order).slice(0, 8)}`,
    eventAt: isTime ? (eventAt ?? null) : null,
    payload: order,
  }
}

export async function fetchOrders(ctx: MedusaContext, ids: string[]): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  const { pageSize } = ctx.connection.config
  for (let start = 0; start < ids.length; start += pageSize) {
    const orders = parseOrders(await ask(ctx, ordersByIdRequest(ids.slice(start, start + pageSize))))
    records.push(...orders.map(orderRecord))
  }
  return records
}

async function* changed(ctx: MedusaContext, { from, to }: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  const take = ctx.connection.config.pageSize
  const given = new Set<string>()
  const edited = pullKeyset(
    {
      what: 'Medusa orders',
      page: async (start, limit) => parseOrders(await ask(ctx, changedOrdersRequest({ start, end: to, take: limit }))),
      idOf: (order) => String(order.id),
      timeOf: (order) => new Date(String(order.updated_at)),
      take,
      maxTake: MAX_TAKE,
    },
    from,
  )
  for await (const page of edited) {
    for (const order of page) given.add(String(order.id))
    yield page.map(orderRecord)
  }
  const payments = pullKeyset(
    {
      what: 'Medusa payments',
      page: async (start, limit) => parseChangedPayments(await ask(ctx, changedPaymentsRequest({ start, end: to, take: limit }))),
      idOf: ({ id }) => id,
      timeOf: (payment) => new Date(payment.updated_at),
      take,
      maxTake: MAX_TAKE,
    },
    from,
  )
  for await (const page of payments) {
    const orders = page.flatMap((payment) => payment.payment_collection?.order?.id ?? []).filter((id) => !given.has(id))
    for (const id of orders) given.add(id)
    if (orders.length > 0) yield await fetchOrders(ctx, [...new Set(orders)])
  }
}

/** Page by page; nothing at all when nothing changed. */
export const pullOrders = (ctx: MedusaContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> =>
  withoutRepeats(changed(ctx, window))
