/** The box of a parcel: whatever the goods, it is the smallest that will do, and handling is never traded for size. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boxKeyOf, type ForBox } from '../../domain/sharedBoxes.ts'
import { chooseBox, handlingOf, unfit, type Box, type Packed } from '../../domain/boxes.ts'

const side = fc.integer({ min: 1, max: 600 })
const box = (id: number): fc.Arbitrary<Box> =>
  fc.record({
    id: fc.constant(`B${id}`),
    name: fc.constant(`box ${id}`),
    innerMm: fc.tuple(side, side, side),
    maxGrams: fc.integer({ min: 1, max: 30_000 }),
    fragile: fc.boolean(),
    chilled: fc.boolean(),
  })
const boxes = fc.array(fc.nat(), { maxLength: 8 }).chain((ids) => fc.tuple(...ids.map((_, index) => box(index))))
const goods: fc.Arbitrary<Packed[]> = fc.array(
  fc.record({
    quantity: fc.integer({ min: 1, max: 6 }),
    sizeMm: fc.option(fc.tuple(side, side, side)),
    grams: fc.option(fc.integer({ min: 1, max: 5_000 })),
    fragile: fc.boolean(),
    temperature: fc.constantFrom('ambient', 'chilled', 'frozen'),
  }),
  { minLength: 1, maxLength: 5 },
)
const volume = (sides: readonly number[]) => sides.reduce((product, each) => product * each, 1)
const sorted = (sides: readonly number[]) => [...sides].sort((a, b) => a - b)

describe('the box that is suggested', () => {
  it('takes every piece, their weight and their handling, and no smaller one would do', () => {
    fc.assert(
      fc.property(boxes, goods, (all, pieces) => {
        const chosen = chooseBox(all, pieces)
        if (chosen === null) {
          for (const each of all) expect(unfit(each, pieces)).not.toBeNull()
          return
        }
        const room = sorted(chosen.innerMm)
        for (const { sizeMm } of pieces)
          for (const [index, each] of sorted(sizeMm ?? []).entries()) expect(each).toBeLessThanOrEqual(room[index] ?? 0)
        const filled = pieces.reduce((sum, each) => sum + each.quantity * (each.sizeMm === null ? 0 : volume(each.sizeMm)), 0)
        expect(filled).toBeLessThanOrEqual(volume(chosen.innerMm))
        expect(pieces.reduce((sum, each) => sum + each.quantity * (each.grams ?? 0), 0)).toBeLessThanOrEqual(chosen.maxGrams)
        const handling = handlingOf(pieces)
        if (handling.fragile) expect(chosen.fragile).toBe(true)
        if (handling.temperature !== 'ambient') expect(chosen.chilled).toBe(true)
        for (const each of all) if (volume(each.innerMm) < volume(chosen.innerMm)) expect(unfit(each, pieces)).not.toBeNull()
      }),
    )
  })

  it('is never smaller when more goes into it, and does not depend on the order of goods or boxes', () => {
    fc.assert(
      fc.property(boxes, goods, goods, (all, some, more) => {
        const small = chooseBox(all, some)
        const large = chooseBox(all, [...some, ...more])
        if (large !== null) expect(volume(large.innerMm)).toBeGreaterThanOrEqual(volume(small?.innerMm ?? [Infinity]))
        expect(chooseBox([...all].reverse(), [...some].reverse())).toEqual(small)
      }),
    )
  })

  it('is none where only size was missing a millimetre, and says why', () => {
    const plain: Box = { id: 'S', name: '小', innerMm: [200, 150, 100], maxGrams: 2_000, fragile: false, chilled: false }
    const piece: Packed = { quantity: 1, sizeMm: [100, 200, 150], grams: 2_000, fragile: false, temperature: 'ambient' }
    expect(chooseBox([plain], [piece])).toEqual(plain)
    expect(unfit(plain, [{ ...piece, sizeMm: [100, 201, 150] }])).toBe('size')
    expect(unfit(plain, [{ ...piece, quantity: 2 }])).toBe('size')
    expect(unfit(plain, [{ ...piece, grams: 2_001 }])).toBe('weight')
    expect(unfit(plain, [{ ...piece, fragile: true }])).toBe('fragile')
    expect(unfit(plain, [{ ...piece, temperature: 'frozen' }])).toBe('chilled')
  })
})

describe('orders of one recipient', () => {
  const address = { postalCode: '110', city: '臺北市', district: '信義區', line: '市府路45號', raw: null, country: 'TW' }
  const paid: ForBox = {
    order: {
      recipient: { name: '王小明', phone: '+886912345678', address },
      delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null },
      payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
      customs: null,
    },
    notes: null,
    courier: 'tcat',
    service: 'TCAT',
    fragile: false,
    temperature: 'ambient',
  }
  const { order } = paid
  const change = (part: Partial<ForBox['order']>): ForBox => ({ ...paid, order: { ...order, ...part } })

  it.each<[string, ForBox]>([
    ['masked', change({ recipient: { ...order.recipient, masked: true } })],
    ['without a phone', change({ recipient: { ...order.recipient, phone: null } })],
    ['without a street', change({ recipient: { ...order.recipient, address: { ...address, line: null } } })],
    ['to a pickup store that is not chosen', change({ delivery: { ...order.delivery, method: 'cvs' } })],
    ['handed over by a store', change({ delivery: { ...order.delivery, method: 'storePickup' } })],
    ['carried by the channel', change({ delivery: { ...order.delivery, service: 'channel' } })],
    ['cash on delivery', change({ payment: { ...order.payment, method: 'cod', state: 'pending', amountDueMinor: 100 } })],
    ['with customs papers', change({ customs: { invoiceNumber: 'I-1', hsCodes: ['6109'] } })],
  ])('that are %s never share a box', (_, unit) => {
    expect(boxKeyOf(unit, 'prepaid')).toBeNull()
  })

  it('share one only where the policy wants it, and with the same service', () => {
    expect(boxKeyOf(paid, 'off')).toBeNull()
    expect(boxKeyOf(paid, 'prepaid')).toBe(boxKeyOf(change({ delivery: { ...order.delivery, service: 'TCAT' } }), 'prepaid'))
    expect(boxKeyOf({ ...paid, service: 'POST' }, 'prepaid')).not.toBe(boxKeyOf(paid, 'prepaid'))
  })
})
