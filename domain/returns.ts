/** Returns: what the rules say of one, and what its goods are worth. Pure. */
import { z } from 'zod'
import { wholeOf } from './bundle.ts'
import type { Totals } from './order.ts'

export const RETURN_WAYS = ['courier', 'cvs', 'store', 'cameBack', 'channel'] as const
export type ReturnWay = (typeof RETURN_WAYS)[number]
export const DISPOSITIONS = ['restock', 'outlet', 'refurbish', 'scrap'] as const
export type Disposition = (typeof DISPOSITIONS)[number]

const day = 86_400_000
const location = z.string().min(1).nullable().default(null)

export const ReturnsPolicy = z.strictObject({
  windowDays: z.int().min(0).default(7).describe('Days from delivery within which a return is approved by itself.'),
  sendWithinDays: z.int().positive().default(14).describe('Days from approval until the goods must be here.'),
  needsApprovalAboveMinor: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe('A return worth more than this waits for a person; null: none does.'),
  rules: z
    .array(
      z.strictObject({
        skus: z.array(z.string()).optional().describe('Of these products.'),
        categories: z.array(z.string()).optional().describe('Of products of these categories.'),
        excluded: z.boolean().optional().describe('Not taken back unless a person says so.'),
        windowDays: z.int().min(0).optional().describe('A window of their own.'),
        disposition: z.enum(DISPOSITIONS).optional().describe('What becomes of them; absent: a person inspects.'),
      }),
    )
    .default([])
    .describe('In order; the first that fits a product counts. One without skus and categories fits all.'),
  disposition: z.enum(DISPOSITIONS).nullable().default(null).describe('Where no rule says one; null: a person inspects.'),
  locations: z
    .strictObject({ restock: location, outlet: location, refurbish: location })
    .prefault({})
    .describe('Where the pieces are booked; null: where they were received (restock only).'),
  exchangeConnection: z
    .string()
    .nullable()
    .default(null)
    .describe("The store connection that orders of exchanges belong to; null: the order's own if it is one, else the first."),
})
export type ReturnsPolicy = z.infer<typeof ReturnsPolicy>

export interface Product {
  sku: string
  category: string | null
}

/** The rule for one product. */
export const ruleFor = (policy: ReturnsPolicy, product: Product): ReturnsPolicy['rules'][number] | undefined =>
  policy.rules.find(
    ({ skus, categories }) =>
      (skus === undefined && categories === undefined) ||
      skus?.includes(product.sku) === true ||
      (product.category !== null && categories?.includes(product.category) === true),
  )

export const dispositionFor = (policy: ReturnsPolicy, product: Product): Disposition | null =>
  ruleFor(policy, product)?.disposition ?? policy.disposition

/**
 * @param valueMinor what the goods are worth; null when that cannot be told. @param deliveredAt null when nobody said when.
 * @returns why a person must decide; empty: approved.
 */
export function whyAsk(
  policy: ReturnsPolicy,
  asked: { products: Product[]; valueMinor: number | null; deliveredAt: Date | null; now: Date },
): string[] {
  const because: string[] = []
  const days = asked.deliveredAt === null ? null : (asked.now.getTime() - asked.deliveredAt.getTime()) / day
  for (const product of asked.products) {
    const rule = ruleFor(policy, product)
    const windowDays = rule?.windowDays ?? policy.windowDays
    if (rule?.excluded === true) because.push(`${product.sku} is not taken back`)
    else if (days === null) because.push(`it is not known when ${product.sku} was delivered`)
    else if (days > windowDays)
      because.push(
        `${product.sku} was delivered on ${asked.deliveredAt?.toISOString().slice(0, 10)}, its window of ${windowDays} days is over`,
      )
  }
  const most = policy.needsApprovalAboveMinor
  if (most !== null && asked.valueMinor === null) because.push('what it is worth is not known')
  if (most !== null && asked.valueMinor !== null && asked.valueMinor > most)
    because.push(`it is worth ${(asked.valueMinor / 100).toFixed(2)}, more than ${(most / 100).toFixed(2)}`)
  return because
}

export interface PricedLine {
  lineId: string
  sku: string | null
  ordered: number
  unitPriceMinor: number | null
  gift: boolean
}

/**
 * What was paid for pieces: their price less their share of the order's discount, to a whole major unit downwards for what is left over.
 * A bundle is priced as a whole: parts of one that are not all there have no price.
 * @returns null when a price is not known, or pieces of a bundle are without the others. Shipping stays with us.
 */
export function valueOf(
  pieces: { lineId: string; quantity: number }[],
  lines: PricedLine[],
  totals: Pick<Totals, 'itemsMinor' | 'discountMinor'>,
): number | null {
  const wanted = new Map(pieces.map(({ lineId, quantity }) => [lineId, quantity]))
  let gross = 0
  const bundles = new Map<string, PricedLine[]>()
  for (const line of lines) {
    const whole = wholeOf(line)
    if (whole !== null) bundles.set(whole.lineId, [...(bundles.get(whole.lineId) ?? []), line])
    const quantity = wanted.get(line.lineId) ?? 0
    if (whole !== null || quantity === 0) continue
    if (line.unitPriceMinor === null && !line.gift) return null
    gross += quantity * (line.unitPriceMinor ?? 0)
  }
  for (const parts of bundles.values()) {
    const wholes = parts.map((part) => (wanted.get(part.lineId) ?? 0) / (wholeOf(part)?.per ?? 1))
    const [count = 0] = wholes
    if (wholes.every((each) => each === 0)) continue
    if (!wholes.every((each) => each === count) || !Number.isInteger(count)) return null
    if (parts.every((part) => part.unitPriceMinor === null)) return null
    gross += parts.reduce((sum, part) => sum + (wanted.get(part.lineId) ?? 0) * (part.unitPriceMinor ?? 0), 0)
  }
  const items = totals.itemsMinor ?? lines.reduce((sum, line) => sum + line.ordered * (line.unitPriceMinor ?? 0), 0)
  const discount = totals.discountMinor ?? 0
  if (discount <= 0 || items <= 0) return gross
  if (gross >= items) return Math.max(0, items - discount)
  return Math.max(0, gross - Math.ceil((discount * gross) / items / 100) * 100)
}
