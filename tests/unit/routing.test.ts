/** From where an order's goods leave, by which courier, and why. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseCourier, decide } from '../../domain/routing/decide.ts'
import { distanceKm } from '../../domain/routing/distance.ts'
import { leavesOn } from '../../domain/routing/time.ts'
import { Routing, RoutingPlace, type Place, type RoutedOrder, type RoutingQuestion } from '../../domain/routing/types.ts'

/** A Wednesday, 10:00 in Taipei. */
const now = '2026-11-18T02:00:00Z'

const place = (id: string, more: Partial<Place> = {}): Place => ({
  ...RoutingPlace.parse({}),
  id,
  zone: 'Asia/Taipei',
  priority: 0,
  couriers: ['ecpay'],
  unitsToday: 0,
  ...more,
})
const order = (more: Partial<RoutedOrder> = {}): RoutedOrder => ({
  channel: 'shopee',
  kind: 'online',
  method: 'home',
  priority: 0,
  postalCode: '106',
  promisedBy: null,
  cod: false,
  valueMinor: 100_000,
  weightGrams: 500,
  temperature: 'ambient',
  fragile: false,
  demand: [
    { lineId: '1', sku: 'A', quantity: 2 },
    { lineId: '2', sku: 'B', quantity: 1 },
  ],
  ...more,
})
type Stock = Record<string, Record<string, number>>
const ask = (stock: Stock, more: Partial<Omit<RoutingQuestion, 'routing'>> & { routing?: object } = {}) =>
  decide({
    now,
    order: order(),
    places: Object.keys(stock).map((id, index) => place(id, { priority: index })),
    available: (sku, location) => stock[location]?.[sku] ?? 0,
    ...more,
    routing: Routing.parse(more.routing ?? {}),
  })
const chosen = (decision: ReturnType<typeof decide>) =>
  decision.plan?.units.map((unit) => `${unit.location}: ${unit.lines.map((line) => `${line.quantity} ${line.sku}`).join(', ')}`)

const taipei = { A: 9, B: 9 }
const tariff = (more: object) => ({ courier: 'ecpay', service: 'TCAT', method: 'home', priceMinor: 10_000, days: 1, ...more })

describe('without rules', () => {
  it('takes the first location in the order of locations that has everything', () => {
    const decision = ask({ a: { A: 2 }, b: taipei, c: taipei })
    expect(chosen(decision)).toEqual(['b: 2 A, 1 B'])
    expect(decision.because).toBe('b comes earlier in the order of locations than c')
  })

  it('splits when no single location has everything, into as few parcels as there can be', () => {
    expect(chosen(ask({ a: { A: 1 }, b: { A: 1, B: 1 }, c: { A: 2 } }))).toEqual(['a: 1 A', 'b: 1 A, 1 B'])
  })

  it('says what is missing, and how much of it there is', () => {
    const decision = ask({ a: { A: 1 }, b: { B: 1 } })
    expect(decision).toMatchObject({
      plan: null,
      missing: [{ sku: 'A', quantity: 2, available: 1 }],
      because: 'not enough of A (1 of 2)',
    })
  })

  it('sees two lines of one SKU as one demand', () => {
    const two = order({
      demand: [
        { lineId: '1', sku: 'A', quantity: 1 },
        { lineId: '2', sku: 'A', quantity: 2 },
      ],
    })
    expect(ask({ a: { A: 2 } }, { order: two }).missing).toHaveLength(2)
    expect(chosen(ask({ a: { A: 2 }, b: { A: 3 } }, { order: two }))).toEqual(['b: 1 A, 2 A'])
  })

  it('leaves out what is closed, and says so', () => {
    const places = [place('a', { closed: true }), place('b')]
    const decision = ask({ a: taipei, b: taipei }, { places })
    expect(chosen(decision)).toEqual(['b: 2 A, 1 B'])
    expect(decision.candidates[0]).toMatchObject({ location: 'a', leftOut: 'it is closed' })
  })
})

describe('rules', () => {
  it.each([
    [{ name: 'r', effect: 'only', locations: ['c'] }, 'c: 2 A, 1 B'],
    [{ name: 'r', effect: 'never', locations: ['a'] }, 'b: 2 A, 1 B'],
    [{ name: 'r', effect: 'prefer', locations: ['b'] }, 'b: 2 A, 1 B'],
    [{ name: 'r', effect: 'rank', by: ['distance'] }, 'c: 2 A, 1 B'],
    [{ name: 'r', effect: 'only', locations: ['c'], when: { cod: true } }, 'a: 2 A, 1 B'],
    [{ name: 'r', effect: 'only', locations: ['c'], when: { postalPrefix: ['10'] } }, 'c: 2 A, 1 B'],
    [{ name: 'r', effect: 'only', locations: ['c'], when: { postalPrefix: ['80'] } }, 'a: 2 A, 1 B'],
    [{ name: 'r', effect: 'only', locations: ['c'], when: { valueAtLeastMinor: 100_000 } }, 'c: 2 A, 1 B'],
    [{ name: 'r', effect: 'only', locations: ['c'], when: { valueBelowMinor: 100_000 } }, 'a: 2 A, 1 B'],
    [{ name: 'r', effect: 'only', locations: ['c'], when: { channel: ['momo'] } }, 'a: 2 A, 1 B'],
  ])('%j sends it from %s', (rule, from) => {
    const places = [
      place('a', { postalCode: '800' }),
      place('b', { postalCode: '400', priority: 1 }),
      place('c', { postalCode: '110', priority: 2 }),
    ]
    const decision = ask({ a: taipei, b: taipei, c: taipei }, { places, routing: { rules: [rule] } })
    expect(chosen(decision)).toEqual([from])
    expect(decision.rules).toHaveLength(from.startsWith('a') ? 0 : 1)
  })

  it('keep an order in one parcel when it may not be split, though the goods are there', () => {
    const decision = ask({ a: { A: 2 }, b: { B: 1 } }, { routing: { rules: [{ name: 'gifts', effect: 'split', maxUnits: 1 }] } })
    expect(decision).toMatchObject({ plan: null, missing: [], because: 'no allowed set of locations has everything' })
  })

  it('the first of two that say the same thing wins', () => {
    const rules = [
      { name: 'first', effect: 'prefer', locations: ['b'] },
      { name: 'second', effect: 'prefer', locations: ['a'] },
    ]
    expect(chosen(ask({ a: taipei, b: taipei }, { routing: { rules } }))).toEqual(['b: 2 A, 1 B'])
  })
})

describe('the promise', () => {
  it('a split that arrives in time is better than one late parcel', () => {
    const places = [place('far', { couriers: ['slow'] }), place('near1', { priority: 1 }), place('near2', { priority: 2 })]
    const routing = { tariffs: [tariff({}), tariff({ courier: 'slow', days: 4, priceMinor: 5_000 })] }
    const stock = { far: taipei, near1: { A: 2 }, near2: { B: 1 } }
    const promisedBy = '2026-11-19T23:59:59+08:00'
    expect(chosen(ask(stock, { places, routing, order: order({ promisedBy }) }))).toEqual(['near1: 2 A', 'near2: 1 B'])
    expect(chosen(ask(stock, { places, routing }))).toEqual(['far: 2 A, 1 B'])
  })

  it.each([
    ['before the cut-off it leaves the same day', {}, '2026-11-18T02:00:00Z', '2026-11-18'],
    ['after the cut-off, the next', {}, '2026-11-18T08:00:00Z', '2026-11-19'],
    ['after the cut-off of a Friday, on Monday', { openDays: [1, 2, 3, 4, 5] }, '2026-11-20T08:00:00Z', '2026-11-23'],
    ['a full day pushes it to the next', { dailyCapacity: 10, unitsToday: 10 }, '2026-11-18T02:00:00Z', '2026-11-19'],
    ['the day is the one of the location', { zone: 'America/New_York', cutOff: null }, '2026-11-18T02:00:00Z', '2026-11-17'],
  ])('%s', (_, more, at, day) => {
    expect(leavesOn(place('a', { cutOff: '15:00', ...more }), at)).toBe(day)
  })
})

describe('the courier', () => {
  const tariffs = Routing.parse({
    tariffs: [
      tariff({ priceMinor: 12_000, days: 1, upToGrams: 20_000 }),
      tariff({ courier: 'post', service: 'POST', priceMinor: 8_000, days: 3, upToGrams: 5_000, fragile: false }),
      tariff({
        courier: 'post',
        service: 'POST',
        priceMinor: 16_000,
        days: 5,
        upToGrams: 5_000,
        postalPrefix: ['88', '89'],
        fragile: false,
      }),
      tariff({ priceMinor: 30_000, temperature: 'frozen' }),
    ],
  }).tariffs
  const couriers = { couriers: ['ecpay', 'post'] }

  it.each([
    ['the cheapest', order(), 'cost', { courier: 'post', priceMinor: 8_000, days: 3 }],
    ['the quickest', order(), 'time', { courier: 'ecpay', priceMinor: 12_000, days: 1 }],
    ['the only one that takes the weight', order({ weightGrams: 9_000 }), 'cost', { courier: 'ecpay' }],
    ['the dearer row for an island', order({ postalCode: '880' }), 'cost', { courier: 'ecpay', priceMinor: 12_000 }],
    ['the one with a freezer', order({ temperature: 'frozen' }), 'cost', { courier: 'ecpay', priceMinor: 30_000 }],
    ['none that is priced, so the first', order({ temperature: 'chilled' }), 'cost', { courier: 'ecpay', priceMinor: null }],
    ['the one that takes what breaks', order({ fragile: true }), 'cost', { courier: 'ecpay', priceMinor: 12_000 }],
  ] as const)('is %s', (_, of, by, expected) => {
    expect(chooseCourier(of, couriers, tariffs, by)).toMatchObject(expected)
  })

  it('is none where the only one takes nothing that breaks', () => {
    expect(chooseCourier(order({ fragile: true }), { couriers: ['post'] }, tariffs, 'cost')).toBeNull()
  })
  it('of goods that break may be asked for by a rule', () => {
    const rules = [{ name: 'glass by the north', effect: 'only', locations: ['b'], when: { fragile: true } }]
    const stock = { a: taipei, b: taipei }
    expect(chosen(ask(stock, { routing: { rules }, order: order({ fragile: true }) }))).toEqual(['b: 2 A, 1 B'])
    expect(chosen(ask(stock, { routing: { rules } }))).toEqual(['a: 2 A, 1 B'])
  })
})

describe('the reason where there was no choice', () => {
  it.each([
    ['a pickup is for its store', { method: 'storePickup' }, ['shop'], 'shop: the order is for this store'],
    ['a try-on is for its store', { kind: 'tryOn' }, ['shop'], 'shop: the order is for this store'],
    ['one warehouse is the only one', {}, ['a'], 'a: it is the only location that ships'],
    ['the other has not all of it', {}, ['a', 'b'], 'a: no other way has everything'],
  ] as const)('%s', (_, more, places, because) => {
    const stock = Object.fromEntries(places.map((id, index) => [id, index === 0 ? taipei : { A: 1 }]))
    const { because: said } = ask(stock, { order: order(more), routing: { maxUnits: 1 } })
    expect(said).toBe(because)
  })
})

describe('distance', () => {
  it.each([
    ['100', '106', 0],
    ['100', '800', 297],
    ['106', '401', 133],
  ])('from %s to %s is about %d km', (from, to, km) => {
    expect(Math.abs((distanceKm(from, to) ?? -1) - km)).toBeLessThan(6)
  })
  it('is unknown without a postal code of Taiwan', () => {
    expect(distanceKm('100', null)).toBeNull()
    expect(distanceKm('W1A', '100')).toBeNull()
  })
})

it('whatever there is: a plan takes just what is wanted, from what is there, and only without one is something missing', () => {
  const quantity = fc.integer({ min: 0, max: 4 })
  fc.assert(
    fc.property(
      fc.array(fc.record({ A: quantity, B: quantity, C: quantity }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.record({ sku: fc.constantFrom('A', 'B', 'C'), quantity: fc.integer({ min: 1, max: 4 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
      (levels, wishes) => {
        const stock = Object.fromEntries(levels.map((level, index) => [`w${index}`, level]))
        const demand = wishes.map((wish, index) => ({ ...wish, lineId: String(index) }))
        const { plan, missing } = ask(stock, { order: order({ demand }) })
        const wanted = new Map<string, number>()
        for (const wish of wishes) wanted.set(wish.sku, (wanted.get(wish.sku) ?? 0) + wish.quantity)
        const enough = [...wanted].every(([sku, sum]) => levels.reduce((total, level) => total + level[sku as 'A'], 0) >= sum)
        expect(plan !== null).toBe(enough)
        expect(missing.length > 0).toBe(!enough)
        if (plan === null) return
        for (const { location, lines } of plan.units)
          for (const sku of ['A', 'B', 'C'] as const)
            expect(lines.filter((line) => line.sku === sku).reduce((sum, line) => sum + line.quantity, 0)).toBeLessThanOrEqual(
              stock[location]?.[sku] ?? 0,
            )
        for (const { lineId, quantity: asked } of demand)
          expect(
            plan.units
              .flatMap((unit) => unit.lines)
              .filter((line) => line.lineId === lineId)
              .reduce((sum, line) => sum + line.quantity, 0),
          ).toBe(asked)
      },
    ),
  )
})
