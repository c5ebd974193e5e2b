/** Money that a channel paid back by itself, in its own back office: the same is not paid twice, and what does not fit a person sees. */
import { amountText } from '../domain/money.ts'
import { judgeDueRefund, judgeRefund, paidMinor, paidThereMinor, theirs } from '../domain/paid.ts'
import type { IncomingOrder, PaidBack } from '../domain/order.ts'
import type { Pool, Tx } from '../store/db.ts'
import { changeOrder, type OrderRecord } from '../store/orderRecord.ts'
import { markDead, skipOwed } from '../store/outbox.ts'
import { accountFor, askedBack, refundPayload, type AskedBack } from '../store/refunds.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import type { Matter } from './teller.ts'

/** How the money of an order stands. */
export interface Money {
  asked: AskedBack
  /** Null: nobody knows. */
  paid: number | null
  /** Made by the channel's own people; empty where it only says that all was paid back. */
  refunds: PaidBack[]
  thereMinor: number
  /** Of it, what no refund takes into account yet. */
  newMinor: number
  leftMinor: number | null
}

/** @param but the refund that is to be judged: it does not count. @param told as the channel says it now. */
export async function moneyOf(
  tx: Tx,
  record: OrderRecord,
  { but, told = record.doc }: { but?: string; told?: Pick<IncomingOrder, 'payment' | 'paidBack'> } = {},
): Promise<Money> {
  const asked = await askedBack(tx, record.id, but)
  const paid = paidMinor(record.doc, record.lines)
  const there = paidThereMinor(told, asked, paid)
  const thereMinor = Math.max(there, asked.thereMinor)
  return {
    asked,
    paid,
    refunds: theirs(told.paidBack ?? [], asked.names),
    thereMinor,
    newMinor: thereMinor - asked.thereMinor,
    leftMinor: paid === null ? null : paid - asked.minor - thereMinor,
  }
}

/** E.g. `woo paid TWD 590.00 back by itself (refund 724)`: what is new of it, else all. */
export function paidThereWords({ connection, doc }: OrderRecord, { refunds, thereMinor, newMinor }: Money): string {
  const { currency } = doc.payment
  const isPart = newMinor > 0 && newMinor < thereMinor
  const ids = refunds.length === 0 ? [] : [`refund ${refunds.map(({ id }) => id).join(', ')}`]
  const beside = [...ids, ...(isPart ? [`${amountText(thereMinor)} in all`] : [])]
  const words = `${connection} paid ${currency} ${amountText(isPart ? newMinor : thereMinor)} back by itself`
  return beside.length === 0 ? words : `${words} (${beside.join('; ')})`
}

/** Nothing is paid, and the order's record says why. */
export const notPaidTwice = async (
  tx: Tx,
  record: OrderRecord,
  row: { id: number; key: string },
  money: Money,
): Promise<string> => {
  const reason = `${paidThereWords(record, money)}: it is not paid a second time`
  await skipOwed(tx, row.id, reason)
  await closeTasks(tx, { key: `outbox:${row.key}` }, reason)
  return reason
}

/** Both amounts to a person; nothing is paid before they say so. `byHand`: whoever says so has paid it. */
export async function askWhoPaid(
  tx: Tx,
  record: OrderRecord,
  row: { id: number; key: string; amountMinor: number; wantedMinor: number; reason: string; byHand: boolean },
  money: Money,
): Promise<void> {
  const { payment, externalId } = record.doc
  const amount = `${payment.currency} ${amountText(row.amountMinor)}`
  await markDead(tx, row.id, paidThereWords(record, money))
  await openTask(tx, {
    kind: 'refund.disagrees',
    key: `outbox:${row.key}`,
    orderId: record.id,
    connection: record.connection,
    subject: externalId,
    title: 'The channel paid money back by itself: is this still to be paid?',
    detail: `Order ${externalId}: here ${payment.currency} ${amountText(row.wantedMinor)} is to be paid back (${row.reason}); ${paidThereWords(record, money)}, which is not the same. ${money.paid === null ? '' : `${payment.currency} ${amountText(money.paid)} was paid, ${amountText(money.asked.minor)} is asked back for other reasons. `}Nothing of it is paid by us so far.`,
    remedy: row.byHand
      ? `Is ${amount} still owed? Transfer it, then say done; skip when what ${record.connection} paid is all of it.`
      : `retry pays ${amount} through ${record.connection} as well; skip when what it paid is all of it.`,
    field: 'amountMinor',
    value: String(row.amountMinor),
    actions: row.byHand ? ['done', 'skip'] : ['retry', 'skip'],
  })
}

/**
 * Right before a refund is paid: the channel is asked what it paid back meanwhile.
 * @returns what is to be paid; `skipped` when it was paid there, `person` when somebody is asked.
 */
export async function beforePaying(matter: Matter): Promise<{ payMinor: number } | { skipped: string } | { person: true }> {
  const { runtime, fact } = matter
  const told = await tellNow(matter)
  const { amountMinor, whole, reason, wantedMinor = amountMinor } = refundPayload(fact)
  // Ours was paid, and its answer was lost.
  if (told?.paidBack?.some(({ key }) => key === fact.key)) return { payMinor: amountMinor }
  const { result } = await changeOrder(runtime.pool, fact.orderId, 'world', async (record, tx) => {
    if (told?.paidBack) record.doc = { ...record.doc, paidBack: told.paidBack }
    const money = await moneyOf(tx, record, { but: fact.key, ...(told ? { told } : {}) })
    const { verdict, amountMinor: payMinor } = judgeDueRefund({ amountMinor, whole }, money)
    if (money.newMinor > 0 || payMinor !== amountMinor)
      await accountFor(tx, fact.key, { thereMinor: money.newMinor, amountMinor: payMinor })
    if (verdict === 'paidThere') return { skipped: await notPaidTwice(tx, record, fact, money) }
    if (verdict === 'pay') return { payMinor }
    await askWhoPaid(tx, record, { ...fact, amountMinor: payMinor, wantedMinor, reason, byHand: false }, money)
    return { person: true as const }
  })
  return result
}

/** Null: the channel cannot be asked for one order. */
async function tellNow({ connector, context, record }: Matter): Promise<IncomingOrder | null> {
  const [now] = (await connector.fetchOrders?.(context, [record.doc.externalId])) ?? []
  return now === undefined ? null : (connector.mapOrder?.(context.connection, now) ?? null)
}

/**
 * The channel told of money that it paid back. What waits for a person is judged anew: nobody transfers what was paid there. What is paid
 * already, and seems to have been paid there as well, is a task. Hearing it again changes nothing.
 */
export async function hearPaidBack(pool: Pool, orderId: string): Promise<void> {
  await changeOrder(pool, orderId, 'world', async (record, tx) => {
    const { rows } = await askedBack(tx, orderId)
    for (const row of rows.filter(({ state }) => state === 'dead')) {
      const money = await moneyOf(tx, record, { but: row.key })
      if (money.newMinor <= 0) continue
      const { verdict, amountMinor } = judgeRefund({ ...row, whole: row.whole }, money)
      if (verdict === 'pay' && amountMinor === row.amountMinor) continue
      await accountFor(tx, row.key, { thereMinor: money.newMinor, amountMinor })
      if (verdict === 'paidThere') await notPaidTwice(tx, record, row, money)
      else await askWhoPaid(tx, record, { ...row, amountMinor }, money)
    }
    await tellOfTwice(tx, record)
  })
}

/** Nobody can take it back by a call. */
async function tellOfTwice(tx: Tx, record: OrderRecord): Promise<void> {
  const money = await moneyOf(tx, record)
  const { asked, paid, newMinor, thereMinor } = money
  const done = asked.rows.filter(({ state }) => state === 'done')
  const isTooMuch = paid !== null && done.length > 0 && asked.minor + thereMinor > paid
  if (newMinor <= 0 || !(isTooMuch || done.some(({ amountMinor }) => amountMinor === newMinor))) return
  const key = `refund:${record.id}:twice`
  const said = await tx.query(`select from tasks where key = $1 and value = $2`, [key, String(thereMinor)])
  if (said.rowCount !== 0) return
  const { externalId, payment } = record.doc
  await openTask(tx, {
    kind: 'refund.twice',
    key,
    orderId: record.id,
    connection: record.connection,
    subject: externalId,
    title: 'Money may have been paid back twice',
    detail: `Order ${externalId}: ${payment.currency} ${amountText(asked.minor)} is paid back here (${done.map(({ key: ours, document }) => document ?? ours).join(', ')}), and ${paidThereWords(record, money)}.${paid === null ? '' : ` ${payment.currency} ${amountText(paid)} was paid.`}`,
    remedy: `Compare both with ${record.connection}; settle what is too much with the customer, then skip.`,
    field: 'paidBack',
    value: String(thereMinor),
    actions: ['skip'],
  })
}
