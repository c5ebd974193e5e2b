/** What the packer is told to do next. */
import { expect, it } from 'vitest'
import { newBench, next, type LineToPack } from '../../activities/packing/bench.ts'

const line = (unitId: string, sku: string, quantity: number, shelf: string | null): LineToPack => ({
  unitId,
  orderNumber: unitId,
  lineId: '1',
  sku,
  name: null,
  barcode: null,
  shelf,
  quantity,
})

it('counts an article once, however many orders of the box want it', () => {
  const bench = newBench([line('u1', 'MUG', 1, 'A-10'), line('u1', 'CAP', 1, null), line('u2', 'MUG', 2, 'A-10')])
  expect(next(bench, { suggested: null, goods: [] }).en).toBe('Still to scan: MUG × 3 (A-10), CAP × 1')
})
