import { expect, test } from 'vitest'
import { explode, toWholes, wholeOf } from '../../domain/bundle.ts'
import type { OrderLine } from '../../domain/order.ts'

const line = (change: Partial<OrderLine> = {}): OrderLine => ({
  lineId: '7',
  sku: null,
  externalSku: 'SET',
  name: 'Set',
  variant: null,
  quantity: 2,
  unitPriceMinor: 59_000,
  gift: false,
  ...change,
})
const parts = [
  { sku: 'TEE+S', quantity: 2 },
  { sku: 'CAP', quantity: 1 },
]

test('parts say what they are a part of, also when SKU and line id hold the same signs', () => {
  const exploded = explode(line({ lineId: '7+1xCAP' }), parts)
  expect(exploded.map(({ lineId, quantity }) => [lineId, quantity])).toEqual([
    ['7+1xCAP+2xTEE+S', 4],
    ['7+1xCAP+1xCAP', 2],
  ])
  expect(exploded.map(wholeOf)).toEqual([
    { lineId: '7+1xCAP', per: 2 },
    { lineId: '7+1xCAP', per: 1 },
  ])
  expect(wholeOf({ lineId: '7', sku: 'CAP' })).toBeNull()
  expect(wholeOf({ lineId: '7+1xCAP', sku: 'MUG' })).toBeNull()
})

test('the lines of a bundle cost what the bundle cost, or nobody knows', () => {
  const sum = (lines: OrderLine[]) =>
    lines.reduce((total, each) => total + (each.unitPriceMinor ?? Number.NaN) * each.quantity, 0)
  expect(sum(explode(line(), parts))).toBe(2 * 59_000)
  expect(sum(explode(line({ unitPriceMinor: 59_001 }), parts))).toBe(2 * 59_001) // with the part of one piece
  expect(explode(line({ unitPriceMinor: 59_001 }), [{ sku: 'A', quantity: 2 }]).map((each) => each.unitPriceMinor)).toEqual([
    null,
  ])
})

test('the channel is told of the whole once, in the parcel with its first part', () => {
  const all = explode(line(), parts)
  const told = (...at: number[]) =>
    toWholes(
      at.map((index) => ({
        lineId: all[index]?.lineId ?? '',
        sku: all[index]?.sku ?? null,
        quantity: all[index]?.quantity ?? 0,
      })),
      all,
    )
  expect(told(0, 1)).toEqual([{ lineId: '7', sku: null, quantity: 2 }])
  expect(told(0)).toEqual([{ lineId: '7', sku: null, quantity: 2 }])
  // A parcel must tell something: without the first part it tells by what is there.
  expect(told(1)).toEqual([{ lineId: '7', sku: null, quantity: 2 }])
  expect(toWholes([{ lineId: '9', sku: 'MUG', quantity: 1 }, ...told(1)], all)).toHaveLength(2)
})
