/** What `omnisaga order ID` says an order waits for, where its parcel stands still. */
import { describe, expect, it } from 'vitest'
import { waitingOf } from '../../cli/output/waiting.ts'
import type { OrderDetail } from '../../store/orders.ts'

const order = (more: Record<string, unknown>): OrderDetail =>
  ({
    phase: 'packed',
    closed: false,
    facts: {},
    lines: [],
    tasks: [],
    delivery: { method: 'home' },
    units: [{ id: 'u1', location: 'north', state: 'packed', packedAt: '2026-11-22T01:00:00.000Z' }],
    parcels: [{ id: 'p1', state: 'refused', courier: 'ecpay', waybill: null, events: [] }],
    updatedAt: '2026-11-22T02:00:00.000Z',
    ...more,
  }) as unknown as OrderDetail
const task = (kind: string, title: string) => ({ id: 12, kind, title, remedy: '', actions: [], openedAt: '' })
const where = (more: Record<string, unknown> = {}) => waitingOf(order(more)).where

describe('an order whose parcel stands still', () => {
  it('waits for a person once every try was refused, and says for what', () => {
    expect(where()).toBe('to be booked once more: the courier refused the parcel')
    expect(where({ tasks: [task('booking.refused', 'The courier refuses this parcel')] })).toBe(
      'for a person, task 12: The courier refuses this parcel',
    )
  })
  it('waits for the courier while it is booked, whatever else is open', () => {
    const parcels = [{ id: 'p1', state: 'booked', courier: 'ecpay', waybill: '900', events: [] }]
    expect(where({ parcels, tasks: [task('parcel.late', 'A parcel is late')] })).toBe('for the courier (ecpay 900) to take it')
  })
  it('waits for the box that it shares with another order, while nobody has booked it', () => {
    const units = [{ id: 'u1', location: 'north', state: 'packed', packedAt: null, sharesBoxWith: ['W-2'] }]
    expect(where({ parcels: [], units })).toBe('for the box that it shares with order W-2 to be booked')
  })
  it('waits for the customer while a closed store is chosen anew, then for a person', () => {
    const closed = { facts: { storeClosed: { at: '2026-11-22T01:00:00.000Z' } } }
    expect(where(closed)).toBe('for the customer to choose another pickup store')
    expect(where({ ...closed, phase: 'shipped', tasks: [task('parcel.storeClosed', 'No other store is chosen')] })).toBe(
      'for a person, task 12: No other store is chosen',
    )
  })
  it('waits for its goods while it is called back, then for a person whose warehouse does not give them', () => {
    const units = [
      { id: 'u1', location: 'north', state: 'recalling' },
      { id: 'u2', location: 'south', state: 'cancelled' },
    ]
    expect(where({ phase: 'cancelling', units })).toBe('for north to give the goods back')
    expect(where({ phase: 'cancelling', units, tasks: [task('recall.refused', 'They are packed')] })).toBe(
      'for a person, task 12: They are packed',
    )
    expect(where({ phase: 'cancelling', units: [] })).toBe('to be undone')
  })
  it('waits for nothing once it is closed', () => {
    expect(where({ closed: true, phase: 'returned', tasks: [task('booking.refused', 'The courier refuses this parcel')] })).toBe(
      'for nothing',
    )
  })
})
