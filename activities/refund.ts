/** Money back to the customer: asked for once whatever happens, through the channel where it can, else by a person. */
import { toWholes } from '../domain/bundle.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { amountText } from '../domain/money.ts'
import type { ToldLine } from '../domain/order.ts'
import { costMinor, judgeRefund, paidMinor } from '../domain/paid.ts'
import type { Pool, Tx } from '../store/db.ts'
import { changeOrder, type OrderRecord } from '../store/orderRecord.ts'
import { markDead, owe } from '../store/outbox.ts'
import { openTask } from '../store/tasks.ts'
import { askWhoPaid, moneyOf, notPaidTwice, paidThereWords } from './paidThere.ts'

export interface WantedRefund {
  /** Of this refund of the order, e.g. the return's id: asking for it again changes nothing. */
  key: string
  amountMinor: number
  lines: ToldLine[]
  /** In plain words, as the channel may show it. */
  reason: string
  /** A person named the amount: it counts also where nobody told us what was paid. */
  byPerson?: boolean
  /** All that is left is wanted: what the channel paid back by itself is so much less. */
  whole?: boolean
}

/** `byHand`: a person transfers it. `paidThere`: the channel paid it by itself. `disagrees`: it paid another amount, and a person is asked. */
export type Requested = 'asked' | 'byHand' | 'paidThere' | 'disagrees' | 'known'

const refused = (message: string, remedy: string) => new OmnisagaError('Invalid', message, { code: 'refundAmount', remedy })

/** @returns `known` when it was asked for before. @throws Invalid: more than was paid. */
export async function requestRefund(tx: Tx, record: OrderRecord, wanted: WantedRefund): Promise<Requested> {
  const key = `refund:${record.id}:${wanted.key}`
  const { lines, reason } = wanted
  const money = await moneyOf(tx, record)
  const { asked, paid, newMinor, leftMinor, thereMinor } = money
  if (asked.keys.has(key)) return 'known'
  if (!Number.isInteger(wanted.amountMinor) || wanted.amountMinor <= 0)
    throw refused(`${wanted.amountMinor} cannot be refunded`, 'Name an amount above zero.')
  if (paid === 0) throw refused('nothing was paid that could be refunded', 'Cancel what is not paid instead.')
  if (paid === null && wanted.byPerson !== true)
    throw refused('what was paid is not known', 'Find out what was paid and name the amount.')
  const { verdict, amountMinor } = judgeRefund(wanted, money)
  if (verdict === 'pay' && leftMinor !== null && amountMinor > leftMinor)
    throw refused(
      `${amountText(amountMinor)} is more than is left to refund: ${amountText(paid ?? 0)} was paid, ${amountText(asked.minor)} is asked back already${thereMinor > 0 ? `, ${paidThereWords(record, money)}` : ''}`,
      `Refund at most ${amountText(Math.max(0, leftMinor))}.`,
    )
  const channel = await tx.query<{ sides: string[] }>('select sides from connections where name = $1', [record.connection])
  const sides = channel.rows[0]?.sides ?? []
  // Cash that a courier collected never was at the channel.
  const byHand = !sides.includes('refund') || record.doc.payment.method === 'cod'
  await owe(tx, {
    key,
    participant: sides.includes('pos') ? 'pos' : 'channel',
    connection: record.connection,
    kind: 'refund',
    orderId: record.id,
    payload: {
      amountMinor,
      currency: record.doc.payment.currency,
      lines,
      reason,
      ...(byHand ? { byHand } : {}),
      ...(wanted.whole ? { whole: true } : {}),
      ...(newMinor > 0 ? { thereMinor: newMinor, wantedMinor: wanted.amountMinor } : {}),
    },
  })
  if (verdict === 'pay' && !byHand) return 'asked'
  const { rows } = await tx.query<{ id: number }>('select id from outbox where key = $1', [key])
  const row = { id: Number(rows[0]?.id), key, amountMinor, wantedMinor: wanted.amountMinor, reason, byHand }
  if (verdict === 'paidThere') {
    await notPaidTwice(tx, record, row, money)
    return 'paidThere'
  }
  if (verdict === 'disagree') {
    await askWhoPaid(tx, record, row, money)
    return 'disagrees'
  }
  await refundByHand(tx, record, row)
  return 'byHand'
}

/** An order that will not be shipped: all that was paid and is not paid back yet. What nobody knows, a person finds out. */
export async function payBackAll(tx: Tx, record: OrderRecord, { key, reason }: { key: string; reason: string }): Promise<void> {
  const { asked, paid } = await moneyOf(tx, record)
  if (paid === null) return await askWhatWasPaid(tx, record, { key, reason, askedMinor: asked.minor })
  const amountMinor = paid - asked.minor - asked.thereMinor
  if (amountMinor <= 0) return
  const lines = record.lines.flatMap(({ lineId, sku, externalSku, ordered, cancelled }) =>
    ordered > cancelled ? [{ lineId, sku, externalSku, quantity: ordered - cancelled }] : [],
  )
  await requestRefund(tx, record, { key, amountMinor, lines, reason, whole: true })
}

/** Less is wanted than was paid for: what it costs less now and is not asked back yet. Asking again changes nothing. */
export async function payBackDifference(
  tx: Tx,
  record: OrderRecord,
  { key, reason }: { key: string; reason: string },
): Promise<void> {
  if (record.lines.every((line) => line.cancelled === line.ordered)) return await payBackAll(tx, record, { key, reason })
  const [paid, cost] = [paidMinor(record.doc, record.lines), costMinor(record.doc, record.lines)]
  if (paid === 0) return
  const { asked } = await moneyOf(tx, record)
  const unpriced = record.lines.some((line) => line.cancelled > 0 && line.unitPriceMinor === null && !line.gift)
  if (paid === null || cost === null || unpriced)
    return await askWhatWasPaid(tx, record, { key, reason, askedMinor: asked.minor, part: true })
  const amountMinor = paid - cost - asked.minor - asked.thereMinor
  if (amountMinor <= 0) return
  // Another size in its place (activities/store/exchange.ts) is not paid back.
  const exchanged = (lineId: string) =>
    record.lines.filter((line) => line.lineId.startsWith(`${lineId}-x`)).reduce((sum, { ordered }) => sum + ordered, 0)
  const lines = record.lines.flatMap(({ lineId, sku, externalSku, cancelled }) => {
    const quantity = cancelled - exchanged(lineId)
    return quantity > 0 ? [{ lineId, sku, externalSku, quantity }] : []
  })
  await requestRefund(tx, record, { key, amountMinor, lines: toWholes(lines, record.lines), reason })
}

async function askWhatWasPaid(
  tx: Tx,
  record: OrderRecord,
  { key, reason, askedMinor, part = false }: { key: string; reason: string; askedMinor: number; part?: boolean },
): Promise<void> {
  const { payment, externalId } = record.doc
  const unpriced = record.lines.filter((line) => line.unitPriceMinor === null && !line.gift)
  await openTask(tx, {
    kind: 'refund.byHand',
    key: `refund:${record.id}:${key}`,
    orderId: record.id,
    connection: record.connection,
    subject: externalId,
    title: 'Transfer money back to the customer',
    detail: `Order ${externalId} (${payment.method}, ${payment.state}) is to be paid back ${part ? 'in part' : 'in full'}: ${reason}. Its source told no ${part ? '' : 'total, and no '}price of ${unpriced.map((line) => `${line.ordered} × ${line.sku ?? line.externalSku}`).join(', ')}; ${payment.currency} ${amountText(askedMinor)} is asked back already.`,
    remedy: 'Find out what was paid and transfer it once; then skip this.',
    field: 'amountMinor',
    actions: ['skip'],
  })
}

async function refundByHand(
  tx: Tx,
  record: OrderRecord,
  { id, key, amountMinor, reason }: { id: number; key: string; amountMinor: number; reason: string },
): Promise<void> {
  const isCash = record.doc.payment.method === 'cod'
  await markDead(tx, id, isCash ? 'it was paid in cash' : 'this channel does not refund by itself')
  await openTask(tx, {
    kind: 'refund.byHand',
    key: `outbox:${key}`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'Transfer money back to the customer',
    detail: `${record.doc.payment.currency} ${amountText(amountMinor)} of order ${record.doc.externalId}: ${reason}.`,
    remedy: `${isCash ? 'It was paid in cash at the door.' : `${record.connection} cannot refund by itself.`} Transfer it once, then say done; skip when it is not to be paid.`,
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
    const { payment } = record.doc
    const { paid: whole, thereMinor } = await moneyOf(tx, record)
    if (whole !== null && sum + thereMinor >= whole && sum > 0)
      record.doc = { ...record.doc, payment: { ...payment, state: 'refunded' } }
  })
}
