/** What is done when an order wants more than there is. */
import { z } from 'zod'

/**
 * In the policy's order the first way that applies. `backorder`: the article may be sold before it is there: the missing pieces become a
 * claim, and the ways after it say where they come from. `transfer`: a location that may not serve the order has them. `purchase`: asked
 * for at the supplier. `task`: a person decides.
 */
export const ShortageWay = z.enum(['backorder', 'transfer', 'purchase', 'task'])
export type ShortageWay = z.infer<typeof ShortageWay>

export interface Missing {
  sku: string
  /** Pieces that are not there. */
  quantity: number
  mayBeBackordered: boolean
  /** A location that has them all and cannot serve the order itself. */
  elsewhere: { from: string; to: string } | null
}

export interface Remedy {
  sku: string
  quantity: number
  way: ShortageWay
  elsewhere: Missing['elsewhere']
}

/**
 * @returns for each article what is done; a backordered one may have a second remedy that brings the goods. When one article is left to
 * a person, nothing of the order is backordered: a promise for half of an order helps nobody.
 */
export function remediesOf(ways: readonly ShortageWay[], missing: readonly Missing[]): Remedy[] {
  const chosen = missing.map((each) => ({ each, ways: waysOf(ways, each) }))
  const whole = chosen.every(({ ways: its }) => its[0] === 'backorder')
  return chosen.flatMap(({ each, ways: its }) =>
    (whole ? its : withoutBackorder(ways, each)).map((way) => ({
      sku: each.sku,
      quantity: each.quantity,
      way,
      elsewhere: way === 'transfer' ? each.elsewhere : null,
    })),
  )
}

const withoutBackorder = (ways: readonly ShortageWay[], each: Missing) => waysOf(ways, { ...each, mayBeBackordered: false })

function waysOf(ways: readonly ShortageWay[], each: Missing): ShortageWay[] {
  const applies = (way: ShortageWay) =>
    way === 'backorder' ? each.mayBeBackordered : way === 'transfer' ? each.elsewhere !== null : true
  const first = ways.findIndex(applies)
  const way = ways[first]
  if (way === undefined) return ['task'] // nobody is left waiting without a word
  if (way !== 'backorder') return [way]
  const supply = ways.slice(first + 1).find((next) => (next === 'transfer' || next === 'purchase') && applies(next))
  return supply === undefined ? ['backorder'] : ['backorder', supply]
}
