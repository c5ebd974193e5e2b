/** What is done when an order wants more than there is. */
import { z } from 'zod'

/**
 * In the policy's order the first way that applies. `backorder`: the article may be sold before it is there: the missing pieces become a
 * claim, and a `purchase` after it says where they come from. `transfer`: a location that may not serve the order has them: they are held
 * there and brought. `purchase`: asked for at the supplier. `task`: a person decides.
 */
export const ShortageWay = z.enum(['backorder', 'transfer', 'purchase', 'task'])
export type ShortageWay = z.infer<typeof ShortageWay>

/** Whether goods that are elsewhere are held and brought before anybody is asked to buy or to decide: then they are not missing at all. */
export function bringsFromElsewhere(ways: readonly ShortageWay[]): boolean {
  const first = ways.find((way) => way !== 'backorder')
  return first === 'transfer'
}

export interface Missing {
  sku: string
  /** Pieces that are nowhere to be had. */
  quantity: number
  mayBeBackordered: boolean
}

export interface Remedy {
  sku: string
  quantity: number
  way: Exclude<ShortageWay, 'transfer'>
}

/**
 * @returns for each article what is done; a backordered one may be bought as well. When one article is left to a person, nothing of the
 * order is backordered: a promise for half of an order helps nobody.
 */
export function remediesOf(ways: readonly ShortageWay[], missing: readonly Missing[]): Remedy[] {
  const chosen = missing.map((each) => waysOf(ways, each.mayBeBackordered))
  const whole = chosen.every(([first]) => first === 'backorder')
  return missing.flatMap(({ sku, quantity }, index) =>
    (whole ? (chosen[index] ?? []) : waysOf(ways, false)).map((way) => ({ sku, quantity, way })),
  )
}

function waysOf(ways: readonly ShortageWay[], mayBeBackordered: boolean): Remedy['way'][] {
  const left = ways.filter((way) => way !== 'transfer' && (way !== 'backorder' || mayBeBackordered))
  const [way = 'task'] = left // nobody is left waiting without a word
  if (way !== 'backorder') return [way as Remedy['way']]
  return left.includes('purchase') ? ['backorder', 'purchase'] : ['backorder']
}
