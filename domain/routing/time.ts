/** The days on which a unit leaves and arrives, in the location's own zone. Dates are `YYYY-MM-DD`. */
import type { Place } from './types.ts'

const DAY_MS = 24 * 60 * 60_000

/** The local date and time of day of a moment. */
export function localTime(iso: string, zone: string): { date: string; clock: string } {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(iso))
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? ''
  return { date: `${of('year')}-${of('month')}-${of('day')}`, clock: `${of('hour')}:${of('minute')}` }
}

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)

/** ISO weekday, Monday is 1. */
const weekday = (date: string) => new Date(`${date}T00:00:00Z`).getUTCDay() || 7

/** After the cut-off, and on a full or closed day, it is the next open one. A full day counts for today only: later days are not known. */
export function leavesOn(place: Place, now: string): string {
  const { date, clock } = localTime(now, place.zone)
  const isFull = place.dailyCapacity !== null && place.unitsToday >= place.dailyCapacity
  let day = isFull || (place.cutOff !== null && clock > place.cutOff) ? addDays(date, 1) : date
  for (let tries = 0; tries < 7 && !place.openDays.includes(weekday(day)); tries++) day = addDays(day, 1)
  return day
}
