/** When a store can be visited, in its own time. */
import { describe, expect, it } from 'vitest'
import { OpeningHours, slotsOf } from '../../domain/appointments.ts'
import { localTime, momentOf } from '../../domain/localTime.ts'

const hours = (more: object = {}) =>
  OpeningHours.parse({
    week: {
      '1': [{ from: '11:00', to: '12:30' }],
      '6': [
        { from: '10:00', to: '11:00' },
        { from: '14:00', to: '14:45' },
      ],
    },
    ...more,
  })
const starts = (...args: Parameters<typeof slotsOf>) => slotsOf(...args).map((slot) => slot.startsAt.slice(11, 16))

describe('slots', () => {
  it('fill the opening hours of the day, in UTC', () => {
    expect(slotsOf(hours(), '2026-11-23', 'Asia/Taipei')).toEqual([
      { startsAt: '2026-11-23T03:00:00.000Z', endsAt: '2026-11-23T03:30:00.000Z' },
      { startsAt: '2026-11-23T03:30:00.000Z', endsAt: '2026-11-23T04:00:00.000Z' },
      { startsAt: '2026-11-23T04:00:00.000Z', endsAt: '2026-11-23T04:30:00.000Z' },
    ])
  })
  it('never end after the store closes, and keep the lunch break', () => {
    expect(starts(hours(), '2026-11-28', 'Asia/Taipei')).toEqual(['02:00', '02:30', '06:00'])
  })
  it.each([
    ['a day that is not named is closed', '2026-11-24', {}, []],
    ['a holiday is closed', '2026-11-23', { days: { '2026-11-23': [] } }, []],
    ['a long night opens', '2026-11-24', { days: { '2026-11-24': [{ from: '23:00', to: '24:00' }] } }, ['15:00', '15:30']],
  ])('%s', (_, day, more, expected) => {
    expect(starts(hours(more), day, 'Asia/Taipei')).toEqual(expected)
  })
  it('a store that opens after it closes is refused', () => {
    expect(OpeningHours.safeParse({ week: { '1': [{ from: '12:00', to: '11:00' }] } }).success).toBe(false)
  })
})

describe('a local time', () => {
  it.each([
    ['2026-07-01', '10:00', 'Asia/Taipei', '2026-07-01T02:00:00.000Z'],
    ['2026-07-01', '00:30', 'America/New_York', '2026-07-01T04:30:00.000Z'],
    ['2026-03-08', '03:30', 'America/New_York', '2026-03-08T07:30:00.000Z'],
    ['2026-11-01', '12:00', 'America/New_York', '2026-11-01T17:00:00.000Z'],
  ])('%s %s in %s is %s', (date, clock, zone, moment) => {
    expect(momentOf(date, clock, zone).toISOString()).toBe(moment)
    expect(localTime(moment, zone)).toEqual({ date, clock })
  })
})
