/** Which box a parcel needs: by size, weight and handling. Pure; a suggestion for a packer, who sees the goods. */

export interface Box {
  id: string
  name: string
  /** Inner length, width, height. */
  innerMm: readonly [number, number, number]
  maxGrams: number
  /** Fit for goods that break (has padding). */
  fragile: boolean
  /** Fit for chilled and frozen goods (is insulated). */
  chilled: boolean
}
export interface Packed {
  quantity: number
  /** In any order; null: not known, it counts as nothing. */
  sizeMm: readonly number[] | null
  grams: number | null
  fragile: boolean
  temperature: 'ambient' | 'chilled' | 'frozen'
}
export interface Handling {
  fragile: boolean
  temperature: Packed['temperature']
}

/** Pieces leave gaps: what part of a box can really be filled. */
const FILL = 0.85

const volume = (sides: readonly number[]) => sides.reduce((product, side) => product * side, 1)
const ascending = (sides: readonly number[]) => [...sides].sort((a, b) => a - b)

/** A piece fits when its sides, turned as they like, are no longer than the box's. */
const fitsIn = (piece: readonly number[], box: readonly number[]): boolean => {
  const room = ascending(box)
  return ascending(piece).every((side, index) => side <= (room[index] ?? 0))
}

/** What the goods ask for together: the coldest wins. */
export const handlingOf = (goods: readonly Pick<Packed, 'fragile' | 'temperature'>[]): Handling => ({
  fragile: goods.some((each) => each.fragile),
  temperature: (['frozen', 'chilled'] as const).find((wanted) => goods.some((each) => each.temperature === wanted)) ?? 'ambient',
})

export type Unfit = 'fragile' | 'chilled' | 'size' | 'weight'

/** Why this box will not do for these goods; null: it will. Handling first: that is never a packer's judgement. */
export function unfit(box: Box, goods: readonly Packed[]): Unfit | null {
  const pieces = goods.filter((each) => each.quantity > 0)
  const handling = handlingOf(pieces)
  if (handling.fragile && !box.fragile) return 'fragile'
  if (handling.temperature !== 'ambient' && !box.chilled) return 'chilled'
  if (pieces.some((each) => each.sizeMm !== null && !fitsIn(each.sizeMm, box.innerMm))) return 'size'
  const filled = pieces.reduce((sum, each) => sum + each.quantity * (each.sizeMm === null ? 0 : volume(each.sizeMm)), 0)
  // One piece alone needs no gaps.
  const single = pieces.length === 1 && pieces[0]?.quantity === 1
  if (!single && filled > FILL * volume(box.innerMm)) return 'size'
  if (pieces.reduce((sum, each) => sum + each.quantity * (each.grams ?? 0), 0) > box.maxGrams) return 'weight'
  return null
}

/** The smallest box that will do, then the plainest (padding and cold packs cost money); null: none will, or there are none. */
export function chooseBox(boxes: readonly Box[], goods: readonly Packed[]): Box | null {
  const extras = (box: Box) => Number(box.fragile) + Number(box.chilled)
  return (
    boxes
      .filter((box) => unfit(box, goods) === null)
      .sort((a, b) => volume(a.innerMm) - volume(b.innerMm) || extras(a) - extras(b) || (a.id < b.id ? -1 : 1))[0] ?? null
  )
}
