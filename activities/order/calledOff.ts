/** The money of an order that was called off here. What its channel cancelled, or pays back by itself when it hears of it, is the channel's. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { Fact } from '../../domain/facts.ts'
import { moneyText } from '../../domain/money.ts'
import { isPaid } from '../../domain/paid.ts'
import type { Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { payBackAll, payBackDifference } from '../refund.ts'
import type { Runtime } from '../runtime.ts'

/** Whether the buyers of this connection get their money back without us. */
export async function paysBackItself(runtime: Runtime, connection: string): Promise<boolean> {
  try {
    const { connector, context } = await runtime.connection(connection, { evenIfStopped: true })
    return connector.paysBackItself?.(context.connection.config) ?? false
  } catch (error) {
    // A connection that cannot be used any more pays nothing.
    if (error instanceof OmnisagaError && error.kind === 'Misconfigured') return false
    throw error
  }
}

const isByChannel = (request: Fact) => String(request.by).startsWith('channel:')
const why = (request: Fact) => String(request.reason ?? '') || 'the order was cancelled'

/** Nothing of it was delivered. */
export async function payBackCalledOff(tx: Tx, record: OrderRecord, request: Fact, channelPays: boolean): Promise<void> {
  if (isByChannel(request) || channelPays) return
  if (record.doc.exchangeOf && !isPaid(record.doc.payment)) return await askAboutExchange(tx, record)
  await payBackAll(tx, record, { key: 'cancelled', reason: why(request) })
}

/** The rest of it was called off after some was delivered. */
export async function payBackRest(tx: Tx, record: OrderRecord, request: Fact, channelPays: boolean): Promise<void> {
  if (isByChannel(request) || channelPays) return
  await payBackDifference(tx, record, { key: 'cancelled:rest', reason: why(request) })
}

/** What was given in exchange is here, and nothing is sent for it. While it is on its way nothing is owed: the customer still has it. */
async function askAboutExchange(tx: Tx, record: OrderRecord): Promise<void> {
  const { totals, payment, externalId, onHold } = record.doc
  if (onHold || !totals.discountMinor) return
  await openTask(tx, {
    kind: 'refund.byHand',
    key: `refund:${record.id}:exchange`,
    orderId: record.id,
    connection: record.connection,
    subject: externalId,
    title: 'Transfer money back to the customer',
    detail: `Order ${externalId} was cancelled after its customer had sent back goods worth ${moneyText(totals.discountMinor, payment.currency)} in exchange.`,
    remedy: 'Agree with the customer what they get for them, transfer it once; then skip this.',
    actions: ['skip'],
  })
}
