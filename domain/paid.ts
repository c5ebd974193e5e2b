/** What was paid for an order, and what of it may still be paid back. Pure. */
import type { Payment, Totals } from './order.ts'

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
