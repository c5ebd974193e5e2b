import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { FACTS, type FactName, type Facts } from '../../domain/facts.ts'
import { Phase } from '../../domain/order.ts'
import { phaseOf, zeroCounters, type Counters } from '../../domain/phase.ts'

const at = '2024-05-06T07:00:00.000Z'
const facts = (...names: FactName[]): Facts => Object.fromEntries(names.map((name) => [name, { at }]))
const line = (ordered: number, counters: Partial<Counters> = {}): Counters => ({ ...zeroCounters(ordered), ...counters })

describe('the phase of an order', () => {
  const rows: [string, Counters[], Facts][] = [
    ['received', [line(2)], {}],
    ['received', [line(2)], facts('checked')],
    ['blocked', [line(2)], facts('blocked')],
    ['waitingStock', [line(2)], facts('checked', 'shortage')],
    ['reserved', [line(2, { held: 2 })], facts('checked', 'reserved')],
    ['tryOn', [line(2, { held: 2 })], facts('checked', 'reserved', 'tryOnHeld')],
    ['tryOn', [line(2, { held: 2 })], facts('checked', 'reserved', 'tryOnHeld', 'tryOnArrived')],
    ['reserved', [line(2, { held: 2 })], facts('checked', 'reserved', 'tryOnHeld', 'tryOnArrived', 'tryOnDecided')],
    ['confirming', [line(2, { held: 2 })], facts('checked', 'reserved', 'confirmAsked')],
    ['confirmed', [line(2, { held: 2 })], facts('checked', 'reserved', 'confirmAsked', 'confirmed')],
    ['confirmed', [line(2, { held: 2 })], facts('checked', 'reserved', 'confirmed', 'routed')],
    ['picking', [line(2, { held: 2 })], facts('checked', 'reserved', 'confirmed', 'routed', 'handedToWarehouse')],
    ['picking', [line(2, { picked: 1 })], facts('checked', 'reserved', 'confirmed', 'routed')],
    ['picking', [line(2, { picked: 2, packed: 1 })], facts('confirmed', 'routed', 'handedToWarehouse')],
    ['packed', [line(2, { picked: 2, packed: 2 })], facts('confirmed', 'routed', 'handedToWarehouse')],
    ['packed', [line(2, { picked: 2, packed: 2, shipped: 1 })], facts('confirmed', 'routed', 'handedToWarehouse')],
    ['shipped', [line(2, { picked: 2, packed: 2, shipped: 2, delivered: 1 })], facts('confirmed', 'routed', 'handedToWarehouse')],
    [
      'delivered',
      [line(2, { picked: 2, packed: 2, shipped: 2, delivered: 2 })],
      facts('confirmed', 'routed', 'handedToWarehouse'),
    ],
    ['returning', [line(2, { picked: 2, packed: 2, shipped: 2 })], facts('confirmed', 'routed', 'returning')],
    ['returned', [line(2, { picked: 2, packed: 2, shipped: 2, returned: 2 })], facts('confirmed', 'routed', 'returning')],
    ['cancelling', [line(2, { held: 2 })], facts('reserved', 'confirmed', 'cancelRequested')],
    ['cancelling', [line(2, { held: 2 })], facts('reserved', 'cancelRequested', 'undoFailed')],
    ['cancelled', [line(2)], facts('cancelled', 'closed')],
    ['cancelled', [line(2, { cancelled: 2 }), line(1, { cancelled: 1 })], facts('reserved')],
  ]
  test.each(rows)('is %s', (phase, lines, given) => expect(phaseOf(lines, given)).toBe(phase))

  it('counts only what is still wanted: a line that was cancelled does not hold the rest up', () => {
    const lines = [line(2, { picked: 2, packed: 2, shipped: 2, delivered: 2 }), line(3, { cancelled: 3 })]
    expect(phaseOf(lines, facts('routed'))).toBe('delivered')
    expect(phaseOf([line(3, { cancelled: 1, picked: 2, packed: 2 })], facts('routed'))).toBe('packed')
  })

  it('waits at check or for stock again when a change sent a confirmed order back', () => {
    expect(phaseOf([line(2)], facts('confirmed', 'routed', 'blocked'))).toBe('blocked')
    expect(phaseOf([line(2)], facts('checked', 'confirmed', 'shortage'))).toBe('waitingStock')
  })

  it('does not wait for stock any more once everything is held', () => {
    expect(phaseOf([line(2, { held: 2 })], facts('checked', 'reserved', 'shortage', 'confirmed'))).toBe('confirmed')
  })

  it('shows what is in the warehouse rather than a block that came too late', () => {
    expect(phaseOf([line(2, { picked: 1 })], facts('routed', 'blocked'))).toBe('picking')
  })

  it('ends as delivered when a part came back and the customer has the rest', () => {
    const lines = [
      line(1, { picked: 1, packed: 1, shipped: 1, delivered: 1 }),
      line(1, { picked: 1, packed: 1, shipped: 1, returned: 1 }),
    ]
    expect(phaseOf(lines, facts('routed', 'returning'))).toBe('returning')
    expect(phaseOf(lines, facts('routed', 'closed'))).toBe('delivered')
  })

  it('knows goods that came back after the delivery of a whole order as returned', () => {
    expect(
      phaseOf([line(2, { picked: 2, packed: 2, shipped: 2, delivered: 2, returned: 2 })], facts('returning', 'closed')),
    ).toBe('returned')
    expect(phaseOf([line(2, { picked: 2, packed: 2, shipped: 2, delivered: 2, returned: 1 })], facts('closed'))).toBe('delivered')
  })

  it('is a known phase for any counters and facts, and does not depend on the order of the lines', () => {
    const quantity = fc.integer({ min: 0, max: 5 })
    const counters = fc
      .record({
        ordered: fc.integer({ min: 1, max: 5 }),
        held: quantity,
        picked: quantity,
        packed: quantity,
        shipped: quantity,
        delivered: quantity,
        returned: quantity,
        cancelled: quantity,
      })
      .map((drawn) => ({ ...drawn, cancelled: Math.min(drawn.cancelled, drawn.ordered) }))
    fc.assert(
      fc.property(fc.array(counters, { minLength: 1, maxLength: 4 }), fc.subarray([...FACTS]), (lines, names) => {
        const phase = phaseOf(lines, facts(...names))
        expect(Phase.safeParse(phase).success).toBe(true)
        expect(phaseOf([...lines].reverse(), facts(...names))).toBe(phase)
      }),
    )
  })

  it('never goes back while pieces are picked, packed, shipped and delivered one after another', () => {
    const order = ['confirmed', 'picking', 'packed', 'shipped', 'delivered']
    const lines = [line(2), line(1)]
    const seen: number[] = [order.indexOf(phaseOf(lines, facts('confirmed', 'routed')))]
    for (const counter of ['picked', 'packed', 'shipped', 'delivered'] as const) {
      for (const one of lines) {
        while (one[counter] < one.ordered) {
          one[counter] += 1
          seen.push(order.indexOf(phaseOf(lines, facts('confirmed', 'routed'))))
        }
      }
    }
    expect(seen).not.toContain(-1)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.at(-1)).toBe(4)
  })
})
