/** The day on which a unit leaves, in the location's own zone. */
import { addDays, localTime, weekday } from '../localTime.ts'
import type { Place } from './types.ts'

/** After the cut-off, and on a full or closed day, it is the next open one. A full day counts for today only: later days are not known. */
export function leavesOn(place: Place, now: string): string {
  const { date, clock } = localTime(now, place.zone)
  const isFull = place.dailyCapacity !== null && place.unitsToday >= place.dailyCapacity
  let day = isFull || (place.cutOff !== null && clock > place.cutOff) ? addDays(date, 1) : date
  for (let tries = 0; tries < 7 && !place.openDays.includes(weekday(day)); tries++) day = addDays(day, 1)
  return day
}
