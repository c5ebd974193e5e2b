/**
 * Other goods for those that come back: an order of its own, linked to the first one. It holds its goods at once and waits, as an order
 * waits whose channel has not released it; the goods' arrival releases it, and when they do not come it is cancelled and undone.
 */
import type { IncomingOrder, OrderLine } from '../../domain/order.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { valueOf } from '../../domain/returns.ts'
import { giveCommand } from '../../store/commands.ts'
import { changeOrder, readOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { receiveOrder } from '../../store/orders.ts'
import { readReturn, updateReturn, type ReturnRow } from '../../store/returns.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import { ring, start } from '../engine.ts'
import { confirmNow } from '../order/confirm.ts'
import type { Runtime } from '../runtime.ts'

const DAY_MS = 86_400_000

/** What a person names of the goods wanted instead, as lines of an order. */
export const exchangeLines = (
  wanted: readonly { sku: string; quantity: number; unitPriceMinor: number; name?: string | null | undefined }[],
): OrderLine[] =>
  wanted.map(({ sku, quantity, unitPriceMinor, name }, index) => ({
    lineId: String(index + 1),
    sku,
    externalSku: null,
    name: name ?? sku,
    variant: null,
    quantity,
    unitPriceMinor,
    gift: false,
  }))

/** Once approved; a round goes on with what a crash left. Doing it twice makes one order. */
export async function openExchange(runtime: Runtime, returnId: string): Promise<void> {
  const row = await readReturn(runtime.pool, returnId)
  if (row.exchange === null || row.state !== 'approved' || row.exchangeOrderId !== null) return
  const record = await readOrder(runtime.pool, row.orderId)
  const connection = await connectionFor(runtime, record)
  const incoming = exchangeOrder(record, row, connection)
  const { orderId } = await receiveOrder(runtime.pool, incoming, { connectionVersion: connection.version })
  await changeOrder(runtime.pool, record.id, 'world', async (_current, tx) => {
    const now = await readReturn(tx, returnId)
    if (now.exchangeOrderId === null) await updateReturn(tx, returnId, { exchangeOrderId: orderId, exchangeState: 'held' })
  })
  await start(runtime, orderId).catch((error: Error) =>
    runtime.log.warn({ orderId, error: error.name }, 'the engine is away, the sweep will start this order'),
  )
}

interface StoreConnection {
  name: string
  version: number
  config: { channel?: string; shop: string }
}

/** No marketplace knows this order: it belongs to one of our own stores. @throws Misconfigured: there is none. */
async function connectionFor(runtime: Runtime, record: OrderRecord): Promise<StoreConnection> {
  const { returns } = await runtime.policy()
  const rows = await runtime.pool.query<StoreConnection>(
    `select name, version, config from connections where connector = 'store' and ($1::text is null or name = $1)
     order by (name = $2) desc, name limit 1`,
    [returns.exchangeConnection, record.connection],
  )
  const found = rows.rows[0]
  if (found === undefined)
    throw new OmnisagaError('Misconfigured', 'there is no store connection for the orders of exchanges', {
      code: 'exchangeConnection',
      remedy: 'Apply a connection of the connector store, or name one as policy.returns.exchangeConnection.',
    })
  return found
}

/** The value of what comes back pays for it; what it costs more is collected at the door. */
export function exchangeOrder(record: OrderRecord, row: ReturnRow, { name, config }: StoreConnection): IncomingOrder {
  const { doc } = record
  const lines = row.exchange?.lines ?? []
  const itemsMinor = lines.reduce((sum, line) => sum + line.quantity * (line.unitPriceMinor ?? 0), 0)
  const worth = valueOf(row.lines, record.lines, doc.totals) ?? 0
  const dueMinor = Math.max(0, itemsMinor - worth)
  return {
    channel: config.channel ?? 'store',
    shop: config.shop,
    connection: name,
    externalId: `X-${row.id}`,
    externalVersion: null,
    placedAt: row.createdAt,
    kind: doc.kind === 'tryOn' || doc.kind === 'groupBuy' ? 'online' : doc.kind,
    buyer: doc.buyer,
    recipient: doc.recipient,
    delivery: { ...doc.delivery, service: doc.delivery.service === 'channel' ? null : doc.delivery.service, promisedBy: null },
    payment: {
      method: dueMinor > 0 ? 'cod' : 'prepaid',
      state: dueMinor > 0 ? 'due' : 'pending',
      amountDueMinor: dueMinor,
      currency: doc.payment.currency,
    },
    lines,
    totals: {
      itemsMinor,
      shippingMinor: 0,
      discountMinor: dueMinor > 0 ? itemsMinor - dueMinor : 0,
      totalMinor: dueMinor > 0 ? dueMinor : itemsMinor,
    },
    notes: `Exchange for order ${doc.externalId}`,
    priority: doc.priority,
    onHold: true,
    // The goods stay held a little longer than the others may come.
    exchangeOf: {
      orderId: record.id,
      returnId: row.id,
      until: new Date(Date.parse(row.dueAt ?? new Date().toISOString()) + DAY_MS).toISOString(),
    },
  }
}

/** The goods are here, all of them: the new ones may leave. */
export async function releaseExchange(runtime: Runtime, returnId: string): Promise<void> {
  const row = await readReturn(runtime.pool, returnId)
  const isAllHere = row.lines.every(({ quantity, received }) => received === quantity)
  if (row.exchangeOrderId === null || row.exchangeState !== 'held' || !isAllHere) return
  const orderId = row.exchangeOrderId
  await changeOrder(runtime.pool, orderId, 'world', async (exchange, tx) => {
    await updateReturn(tx, returnId, { exchangeState: 'released' })
    if (exchange.doc.onHold !== true || exchange.is('cancelRequested') || exchange.is('cancelled')) return
    const { payment } = exchange.doc
    const state = payment.method === 'cod' ? payment.state : 'paid'
    exchange.doc = { ...exchange.doc, onHold: false, payment: { ...payment, state } }
    // The customer has said yes by asking for it.
    if (exchange.is('reserved') && !exchange.is('confirmed')) await confirmNow(tx, exchange, `return ${returnId}`)
    exchange.changeCourse()
  })
  await wake(runtime, orderId)
}

/** The goods do not come: what was held for the customer goes back on sale. */
export async function cancelExchange(runtime: Runtime, returnId: string, reason: string): Promise<void> {
  const row = await readReturn(runtime.pool, returnId)
  if (row.exchangeOrderId === null || row.exchangeState !== 'held') return
  const orderId = row.exchangeOrderId
  await changeOrder(runtime.pool, orderId, 'world', async (exchange, tx) => {
    await updateReturn(tx, returnId, { exchangeState: 'cancelled' })
    await closeTasks(tx, { key: `return:${returnId}:exchange` }, reason)
    await giveCommand(tx, { id: `${returnId}:cancel`, orderId, verb: 'cancel', detail: { reason }, who: 'omnisaga' })
    exchange.wake()
  })
  await wake(runtime, orderId)
}

async function wake(runtime: Runtime, orderId: string): Promise<void> {
  await ring(runtime, orderId).catch((error: Error) =>
    runtime.log.warn({ orderId, error: error.name }, 'the engine is away, the sweep will ring'),
  )
}

/** An exchange that cannot be opened is told, and tried again. */
export async function tellOfExchange(runtime: Runtime, row: ReturnRow, error: OmnisagaError): Promise<void> {
  await openTask(runtime.pool, {
    kind: 'return.exchange',
    key: `return:${row.id}:exchange`,
    orderId: row.orderId,
    subject: row.id,
    title: 'The goods of an exchange are not held yet',
    detail: `Return ${row.id}: ${error.message}.`,
    remedy: error.remedy ?? 'It is tried again by itself.',
    field: 'return',
    value: row.id,
    actions: ['skip'],
  })
}
