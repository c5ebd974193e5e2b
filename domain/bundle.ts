/**
 * A bundle: one line at the channel, several of our SKUs (or several pieces of one) here. Each part becomes a line of its own, whose id
 * says what it is a part of: `7+2xTEE-S` is two TEE-S in every piece of line 7. The channel is told of the whole.
 */
import type { OrderLine } from './order.ts'

export interface Part {
  sku: string
  /** In one piece of the whole. */
  quantity: number
}

export const isBundle = (parts: Part[]): boolean => parts.length > 1 || (parts[0]?.quantity ?? 1) > 1

/** What a line is a part of; null when it is none. Pure. */
export function wholeOf(line: { lineId: string; sku: string | null }): { lineId: string; per: number } | null {
  if (line.sku === null || !line.lineId.endsWith(`x${line.sku}`)) return null
  const match = /^(.+)\+([1-9]\d*)$/su.exec(line.lineId.slice(0, -line.sku.length - 1))
  return match ? { lineId: match[1] ?? '', per: Number(match[2]) } : null
}

/**
 * The price stands with the first part among whose pieces it can be shared out evenly; the others are without. Where there is no such
 * part, no line has a price, and only the order's totals are compared.
 */
export function explode(line: OrderLine, parts: Part[]): OrderLine[] {
  const price = line.unitPriceMinor
  const bearer = price === null ? -1 : parts.findIndex(({ quantity }) => price % quantity === 0)
  return parts.map(({ sku, quantity }, index) => ({
    ...line,
    lineId: `${line.lineId}+${quantity}x${sku}`,
    sku,
    externalSku: line.externalSku ?? line.sku,
    quantity: line.quantity * quantity,
    unitPriceMinor: bearer < 0 || price === null ? null : index === bearer ? price / quantity : 0,
  }))
}

/** Each line by what it means: a bundle becomes its parts, the rest stays. */
export const explodeAll = (lines: OrderLine[], partsOf: (line: OrderLine) => Part[] | undefined): OrderLine[] =>
  lines.flatMap((line) => {
    const parts = wholeOf(line) === null ? partsOf(line) : undefined
    return parts !== undefined && isBundle(parts) ? explode(line, parts) : [line]
  })

/**
 * Lines as the channel knows them. A bundle counts where its first part is, so that one in two parcels is told once; in a parcel that
 * would have nothing to tell it counts by what is there.
 * @param all every line of the order, in its order.
 */
export function toWholes<T extends { lineId: string; sku: string | null; quantity: number }>(
  told: T[],
  all: { lineId: string; sku: string | null }[],
): T[] {
  const first = new Map<string, string>()
  for (const line of all) {
    const whole = wholeOf(line)
    if (whole !== null && !first.has(whole.lineId)) first.set(whole.lineId, line.lineId)
  }
  const asWholes = (counts: (line: T, whole: string) => boolean) =>
    told.flatMap((line) => {
      const whole = wholeOf(line)
      if (whole === null) return [line]
      const quantity = Math.floor(line.quantity / whole.per)
      return counts(line, whole.lineId) && quantity > 0 ? [{ ...line, lineId: whole.lineId, sku: null, quantity }] : []
    })
  const counted = asWholes((line, whole) => first.get(whole) === line.lineId)
  if (counted.length > 0) return counted
  const seen = new Set<string>()
  return asWholes((_line, whole) => seen.size < seen.add(whole).size)
}
