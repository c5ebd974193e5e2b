/** Lines of one order told twice: the same goods under other line numbers are no change. */
import type { OrderLine } from './order.ts'

/** Text for comparing: half-width, one case, no white space. */
export const plain = (text: string | null | undefined): string =>
  (text ?? '').normalize('NFKC').replace(/\s+/gu, '').toLowerCase()

/**
 * One name for the same article on both sides: its SKU; for an external number the SKU that either side gives for it (a person may
 * have mapped one to the other since), unless it stands for several; without both, the line's number, then its name.
 */
function articleNames(known: OrderLine[], incoming: OrderLine[]): (line: OrderLine, byLineId: boolean) => string {
  const ours = new Set(known.map((line) => plain(line.sku)))
  const skus = new Map<string, Set<string>>()
  for (const side of [known, incoming]) {
    for (const line of side) {
      const [sku, external] = [plain(line.sku), plain(line.externalSku)]
      if (sku === '' || external === '' || sku === external || (side === incoming && skus.get(external)?.size)) continue
      skus.set(external, (skus.get(external) ?? new Set()).add(sku))
    }
  }
  const skuOf = (external: string) => (skus.get(external)?.size === 1 ? [...(skus.get(external) ?? [])][0] : undefined)
  const own = (line: OrderLine) => {
    const [sku, external] = [plain(line.sku), plain(line.externalSku)]
    if (sku !== '') return ours.has(sku) ? sku : (skuOf(sku) ?? sku)
    return external === '' ? `name:${plain(line.name)}/${plain(line.variant)}` : (skuOf(external) ?? external)
  }
  const byId = new Map(known.map((line) => [line.lineId, own(line)]))
  return (line, byLineId) =>
    (byLineId && line.sku === null && line.externalSku === null ? byId.get(line.lineId) : undefined) ?? own(line)
}

const quantities = (lines: OrderLine[], nameOf: (line: OrderLine) => string): Map<string, number> => {
  const sums = new Map<string, number>()
  for (const line of lines) sums.set(nameOf(line), (sums.get(nameOf(line)) ?? 0) + line.quantity)
  return sums
}
const same = (a: Map<string, number>, b: Map<string, number>) =>
  a.size === b.size && [...a].every(([name, quantity]) => b.get(name) === quantity)
const told = (lines: OrderLine[]): string =>
  lines.map((line) => `${line.sku ?? line.externalSku ?? line.name ?? line.lineId} × ${line.quantity}`).join(', ')

/** Each known line with at most one incoming: the same article, first the same line number and variant, then the same quantity. */
function pair(known: OrderLine[], incoming: OrderLine[], nameOf: (line: OrderLine) => string): Map<OrderLine, OrderLine> {
  const pairs = new Map<OrderLine, OrderLine>()
  const free = new Set(known)
  const rules: ((a: OrderLine, b: OrderLine) => boolean)[] = [
    (a, b) => a.lineId === b.lineId && b.sku === null && b.externalSku === null,
    (a, b) => plain(a.variant) === plain(b.variant) && a.lineId === b.lineId,
    (a, b) => plain(a.variant) === plain(b.variant) && a.quantity === b.quantity,
    (a, b) => plain(a.variant) === plain(b.variant),
    (a, b) => a.lineId === b.lineId,
    () => true,
  ]
  for (const rule of rules) {
    for (const line of incoming) {
      if (pairs.has(line)) continue
      const match = [...free].find((other) => nameOf(other) === nameOf(line) && rule(other, line))
      if (!match) continue
      pairs.set(line, match)
      free.delete(match)
    }
  }
  return pairs
}

/** What one of the two lacks comes from the other. Prices only when asked for: two sources may count them differently. */
function filledLine(known: OrderLine, incoming: OrderLine, withPrices: boolean): OrderLine {
  return {
    ...known,
    sku: known.sku ?? incoming.sku,
    externalSku: known.externalSku ?? incoming.externalSku,
    name: known.name ?? incoming.name,
    variant: known.variant ?? incoming.variant,
    unitPriceMinor: known.unitPriceMinor ?? (withPrices ? incoming.unitPriceMinor : null),
  }
}

const itemsOf = (lines: OrderLine[]): number | null =>
  lines.reduce<number | null>(
    (sum, line) => (sum === null || line.unitPriceMinor === null ? null : sum + line.unitPriceMinor * line.quantity),
    0,
  )

export interface MergedLines {
  lines: OrderLine[]
  changed: { from: string; to: string } | null
  filled: boolean
}

/**
 * @param older the incoming lines may fill in but not change. @param sameSource line numbers and prices of both sides mean the same.
 * @param itemsMinor what the known lines add up to, by the known source.
 */
export function mergeLines(
  known: OrderLine[],
  incoming: OrderLine[],
  rules: { older: boolean; sameSource: boolean; itemsMinor: number | null },
): MergedLines {
  const article = articleNames(known, incoming)
  const nameOf = (line: OrderLine) => article(line, rules.sameSource)
  const pairs = pair(known, incoming, nameOf)
  /** Our SKU for the article of a line, from any line of it. */
  const skuOf = (line: OrderLine) =>
    [...known, ...incoming].find((other) => other.sku !== null && plain(other.sku) === nameOf(line))?.sku ?? line.sku
  if (rules.older || same(quantities(known, nameOf), quantities(incoming, nameOf))) {
    const partner = new Map([...pairs].map(([theirs, ours]) => [ours, theirs]))
    const fill = (withPrices: boolean) =>
      known.map((line) => {
        const other = partner.get(line)
        return { ...(other ? filledLine(line, other, withPrices) : line), sku: line.sku ?? skuOf(line) }
      })
    const items = itemsOf(fill(true))
    const pricesAgree = rules.sameSource || rules.itemsMinor === null || items === null || items === rules.itemsMinor
    const lines = fill(pricesAgree)
    return { lines, changed: null, filled: JSON.stringify(lines) !== JSON.stringify(known) }
  }
  const taken = new Set([...pairs.values()].map((line) => line.lineId))
  const freeId = (wanted: string) => {
    let id = wanted
    for (let serial = 2; taken.has(id); serial += 1) id = `${wanted}-${serial}`
    taken.add(id)
    return id
  }
  // Matched lines keep their numbers: what was held, picked and shipped is counted by them.
  const lines = incoming.map((line) => {
    const ours = pairs.get(line)
    const sku = skuOf(line)
    // What the source calls our article stays on record as its external number.
    const externalSku =
      line.externalSku ?? (line.sku !== null && plain(line.sku) !== plain(sku) ? line.sku : (ours?.externalSku ?? null))
    return { ...(ours ? filledLine(line, ours, true) : line), lineId: ours?.lineId ?? freeId(line.lineId), sku, externalSku }
  })
  return { lines, changed: { from: told(known), to: told(lines) }, filled: false }
}
