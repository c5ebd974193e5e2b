/** Money back to the customer: asked for once whatever happens, through the channel where it can, else by a person. */
import type { ToldLine } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import type { Pool, Tx } from '../store/db.ts'
import { changeOrder, type OrderRecord } from '../store/orderRecord.ts'
import { markDead, owe } from '../store/outbox.ts'
import { openTask } from '../store/tasks.ts'

export interface WantedRefund {
  /** Of this refund of the order, e.g. the return's id: asking for it again changes nothing. */
  key: string
  amountMinor: number
  lines: ToldLine[]
  /** In plain words, as the channel may show it. */
  reason: string
}

/** @returns `known` when it was asked for before, `byHand` when a person transfers the money. @throws Invalid: more than was paid. */
export async function requestRefund(tx: Tx, record: OrderRecord, wanted: WantedRefund): Promise<'asked' | 'byHand' | 'known'> {
  const key = `refund:${record.id}:${wanted.key}`
  const { amountMinor, lines, reason } = wanted
  const { currency } = record.doc.payment
  const before = await tx.query<{ key: string; amountMinor: number; able: boolean; pos: boolean }>(
    `select o.key, (o.payload->>'amountMinor')::bigint as "amountMinor" from outbox o
     where o.order_id = $1 and o.kind = 'refund' and o.state <> 'skipped'`,
    [record.id],
  )
  if (before.rows.some((row) => row.key === key)) return 'known'
  if (!Number.isInteger(amountMinor) || amountMinor <= 0)
    throw new OmnisagaError('Invalid', `${amountMinor} cannot be refunded`, {
      code: 'refundAmount',
      remedy: 'Name an amount above zero.',
    })
  if (record.doc.payment.state === 'pending' || record.doc.payment.state === 'due')
    throw new OmnisagaError('Invalid', 'nothing was paid that could be refunded', {
      code: 'refundAmount',
      remedy: 'Cancel what is not paid instead.',
    })
  const already = before.rows.reduce((sum, row) => sum + row.amountMinor, 0)
  const paid = record.doc.totals.totalMinor
  if (paid !== null && already + amountMinor > paid)
    throw new OmnisagaError('Invalid', `${amountMinor} is more than is left to refund: ${paid - already}`, {
      code: 'refundAmount',
      remedy: 'Refund at most what was paid and not refunded yet.',
    })
  const channel = await tx.query<{ sides: string[] }>('select sides from connections where name = $1', [record.connection])
  const sides = channel.rows[0]?.sides ?? []
  await owe(tx, {
    key,
    participant: sides.includes('pos') ? 'pos' : 'channel',
    connection: record.connection,
    kind: 'refund',
    orderId: record.id,
    payload: { amountMinor, currency, lines, reason },
  })
  // Cash that a courier collected never was at the channel.
  if (sides.includes('refund') && record.doc.payment.method !== 'cod') return 'asked'
  await refundByHand(tx, record, { ...wanted, key })
  return 'byHand'
}

async function refundByHand(tx: Tx, record: OrderRecord, { key, amountMinor, reason }: WantedRefund): Promise<void> {
  const row = await tx.query<{ id: number }>('select id from outbox where key = $1', [key])
  await markDead(
    tx,
    Number(row.rows[0]?.id),
    record.doc.payment.method === 'cod' ? 'it was paid in cash' : 'this channel does not refund by itself',
  )
  await openTask(tx, {
    kind: 'refund.byHand',
    key: `outbox:${key}`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'Transfer money back to the customer',
    detail: `${record.doc.payment.currency} ${(amountMinor / 100).toFixed(2)} of order ${record.doc.externalId}: ${reason}.`,
    remedy: `${record.doc.payment.method === 'cod' ? 'It was paid in cash at the door.' : `${record.connection} cannot refund by itself.`} Transfer it once, then say done; skip when it is not to be paid.`,
    field: 'amountMinor',
    value: String(amountMinor),
    actions: ['done', 'skip'],
  })
}

/** A refund was paid: the customer hears of it, and an order that was paid back in full says so. Telling it twice changes nothing. */
export async function refunded(pool: Pool, orderId: string, acknowledge: (tx: Tx) => Promise<unknown>): Promise<void> {
  await changeOrder(pool, orderId, 'world', async (record, tx) => {
    await acknowledge(tx)
    const paid = await tx.query<{ key: string; amountMinor: number }>(
      `select key, (payload->>'amountMinor')::bigint as "amountMinor" from outbox
       where order_id = $1 and kind = 'refund' and state = 'done' order by id`,
      [orderId],
    )
    for (const { key, amountMinor } of paid.rows)
      record.tellCustomer({
        key: `${key}:paid`,
        template: 'refunded',
        data: { amountMinor, currency: record.doc.payment.currency },
      })
    const sum = paid.rows.reduce((total, { amountMinor }) => total + amountMinor, 0)
    const { totals, payment } = record.doc
    if (totals.totalMinor !== null && sum >= totals.totalMinor)
      record.doc = { ...record.doc, payment: { ...payment, state: 'refunded' } }
  })
}
