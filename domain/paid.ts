/** What was paid for an order, what of it may still be paid back, and what its channel paid back by itself. Pure. */
import type { PaidBack, Payment, Totals } from './order.ts'

interface Priced {
  ordered: number
  cancelled: number
  unitPriceMinor: number | null
  gift: boolean
}

const PAID: ReadonlySet<Payment['state']> = new Set(['paid', 'collected', 'refunded'])

export const isPaid = ({ state }: Pick<Payment, 'state'>): boolean => PAID.has(state)

/**
 * @returns 0 while nothing was paid; null when it was paid and nobody said how much: neither the order's total, nor the cash that was
 * collected, nor the price of each article.
 */
export function paidMinor(
  order: Bill & { toldAmounts?: { paidMinor?: number } | undefined },
  lines: readonly Priced[],
): number | null {
  if (!isPaid(order.payment)) return 0
  return order.toldAmounts?.paidMinor ?? costMinor(order, lines)
}

interface Bill {
  payment: Pick<Payment, 'method' | 'state' | 'amountDueMinor'>
  totals: Totals
}

/** What the order costs as it stands now; null when nobody said. */
export function costMinor({ payment, totals }: Bill, lines: readonly Priced[]): number | null {
  if (totals.totalMinor !== null) return totals.totalMinor
  if (payment.method === 'cod' && payment.amountDueMinor > 0) return payment.amountDueMinor
  const items = totals.itemsMinor ?? itemsOf(lines)
  return items === null ? null : Math.max(0, items + (totals.shippingMinor ?? 0) - (totals.discountMinor ?? 0))
}

/** What is no longer wanted was not paid, unless nothing of it is wanted any more: then it was given up after it was paid. */
function itemsOf(lines: readonly Priced[]): number | null {
  const isGivenUp = lines.every(({ ordered, cancelled }) => ordered === cancelled)
  let sum = 0
  for (const { ordered, cancelled, unitPriceMinor, gift } of lines) {
    const quantity = isGivenUp ? ordered : ordered - cancelled
    if (quantity === 0) continue
    if (unitPriceMinor === null && !gift) return null
    sum += quantity * (unitPriceMinor ?? 0)
  }
  return sum
}

/**
 * What the channel paid back by itself, in its own back office. Ours come back in its telling too, under our key or the id that it
 * gave them. One that says `refunded` has paid all of it, also where it names no amount.
 * @param ours the names of what we pay, and its sum
 */
export function paidThereMinor(
  { payment, paidBack = [] }: { payment: Pick<Payment, 'state'>; paidBack?: PaidBack[] | undefined },
  ours: { names: ReadonlySet<string>; minor: number },
  paid: number | null,
): number {
  const sum = theirs(paidBack, ours.names).reduce((total, { amountMinor }) => total + amountMinor, 0)
  return payment.state === 'refunded' && paid !== null ? Math.max(sum, paid - ours.minor) : sum
}

/** The refunds of a channel's telling that are not ours. */
export const theirs = (paidBack: PaidBack[], ourNames: ReadonlySet<string>): PaidBack[] =>
  paidBack.filter(({ id, key }) => !ourNames.has(id) && (key === null || !ourNames.has(key)))

interface Wanted {
  amountMinor: number
  whole?: boolean | undefined
}
interface Judged {
  verdict: 'pay' | 'paidThere' | 'disagree'
  amountMinor: number
}

/**
 * What becomes of a refund when the channel has paid back by itself. `newMinor`: what it paid that no refund takes into account yet;
 * `leftMinor`: what was paid and is not paid back; null: nobody knows. `whole`: all that is left is wanted.
 * The same amount is the same refund; another amount is for a person, who sees both.
 */
export function judgeRefund(wanted: Wanted, { newMinor, leftMinor }: { newMinor: number; leftMinor: number | null }): Judged {
  const amountMinor = Math.max(0, Math.min(wanted.amountMinor, leftMinor ?? wanted.amountMinor))
  if (newMinor <= 0) return { verdict: 'pay', amountMinor: wanted.amountMinor }
  if (amountMinor === 0 || (newMinor === wanted.amountMinor && wanted.whole !== true))
    return { verdict: 'paidThere', amountMinor: wanted.amountMinor }
  return { verdict: wanted.whole === true ? 'pay' : 'disagree', amountMinor }
}

/** The same right before it is paid: what another refund takes into account by then may leave no room for this one. */
export function judgeDueRefund(
  wanted: Wanted,
  money: { newMinor: number; leftMinor: number | null; thereMinor: number },
): Judged {
  const judged = judgeRefund(wanted, money)
  const { leftMinor, thereMinor } = money
  if (judged.verdict !== 'pay' || thereMinor === 0 || leftMinor === null || judged.amountMinor <= leftMinor) return judged
  if (leftMinor <= 0) return { verdict: 'paidThere', amountMinor: wanted.amountMinor }
  return { verdict: wanted.whole === true ? 'pay' : 'disagree', amountMinor: leftMinor }
}
