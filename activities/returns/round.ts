/** Rounds over what comes after the sale: return parcels are booked, exchanges opened, and what does not come in time ends. Runs in one worker at a time. */
import { OmnisagaError } from '../../domain/errors.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { readReturn, updateReturn } from '../../store/returns.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { bookReturns } from './book.ts'
import { cancelExchange, openExchange, releaseExchange, tellOfExchange } from './exchange.ts'
import { askFeedback } from './feedback.ts'
import { leftToInspect } from './inspect.ts'
import { lateParcels } from './late.ts'
import { settleMoney } from './money.ts'

const BATCH = 100

export async function returnRound(runtime: Runtime): Promise<void> {
  const failures: unknown[] = []
  // One part that cannot be done now does not hold up the others.
  for (const part of [bookReturns, goOnWithExchanges, endOverdue, lateParcels, askFeedback])
    await part(runtime).catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/** What a crash left between a return and the order of its exchange. */
async function goOnWithExchanges(runtime: Runtime): Promise<void> {
  const rows = await runtime.pool.query<{ id: string; state: string; exchangeOrderId: string | null }>(
    `select id, state, exchange_order_id as "exchangeOrderId" from returns
     where exchange is not null and (
       (exchange_order_id is null and state = 'approved')
       or (exchange_state = 'held' and (state in ('refused', 'cancelled', 'expired')
         or not exists (select from return_lines l where l.return_id = returns.id and l.received < l.quantity))))
     order by updated_at limit $1`,
    [BATCH],
  )
  for (const { id, state, exchangeOrderId } of rows.rows) {
    if (exchangeOrderId !== null && ['refused', 'cancelled', 'expired'].includes(state)) {
      await cancelExchange(runtime, id, `the return is ${state}`)
      continue
    }
    if (exchangeOrderId !== null) {
      await releaseExchange(runtime, id)
      continue
    }
    try {
      await openExchange(runtime, id)
      await closeTasks(runtime.pool, { key: `return:${id}:exchange` }, 'held')
    } catch (error) {
      if (!(error instanceof OmnisagaError)) throw error
      await tellOfExchange(runtime, await readReturn(runtime.pool, id), error)
    }
  }
}

/** A parcel that is on its way is waited for, and a person looks; what was never sent ends by itself. */
async function endOverdue(runtime: Runtime): Promise<void> {
  const rows = await runtime.pool.query<{ id: string; orderId: string }>(
    `select id, order_id as "orderId" from returns where state in ('approved', 'received') and due_at < now() order by due_at limit $1`,
    [BATCH],
  )
  for (const { id, orderId } of rows.rows) {
    const { result: hasEnded } = await changeOrder(runtime.pool, orderId, 'world', async (record, tx) => {
      const row = await readReturn(tx, id)
      if (row.dueAt === null || Date.parse(row.dueAt) > Date.now() || !['approved', 'received'].includes(row.state)) return false
      const missing = row.lines.filter(({ quantity, received }) => received < quantity)
      const parcel = row.parcels.at(-1)
      if (missing.length > 0 && parcel !== undefined && ['shipped', 'arrived'].includes(parcel.state)) {
        await updateReturn(tx, id, { dueAt: null })
        await openTask(tx, {
          kind: 'return.overdue',
          key: `return:${id}:overdue`,
          orderId,
          connection: parcel.courier,
          subject: record.doc.externalId,
          title: 'A return is on its way for too long',
          detail: `${parcel.waybill ?? parcel.courierBookingId ?? parcel.reference} of order ${record.doc.externalId} is ${parcel.state}, and the goods were never received.`,
          remedy: 'Look for the box and ask the courier; received when it is here. cancel ends the return.',
          field: 'return',
          value: id,
          actions: ['received', 'cancel', 'skip'],
        })
        return false
      }
      await updateReturn(tx, id, { dueAt: null })
      // What is here is inspected and paid back; the rest is no longer expected.
      if (row.lines.every(({ received }) => received === 0)) await updateReturn(tx, id, { state: 'expired' })
      if (missing.length > 0) record.tellCustomer({ key: `${id}:expired`, template: 'returnExpired' })
      await closeTasks(tx, { key: `return:${id}:book` }, 'the goods did not come in time')
      return missing.length > 0
    })
    if (!hasEnded) continue
    await cancelExchange(runtime, id, 'the goods did not come back in time')
    await changeOrder(runtime.pool, orderId, 'world', async (record, tx) => {
      const row = await readReturn(tx, id)
      if (row.exchangeState === 'cancelled' && leftToInspect(row).length === 0)
        await settleMoney(tx, record, row, { refundMinor: null, again: true })
    })
  }
}
