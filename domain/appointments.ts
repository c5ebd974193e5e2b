/** When a store can be visited: opening hours, closed days, slots. Pure. */
import { z } from 'zod'
import { momentOf, weekday } from './localTime.ts'

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time of day such as 10:30')
const date = z.iso.date()

export const OpeningHours = z
  .strictObject({
    /** By ISO weekday, Monday is "1": the spans in which appointments begin and end. A day that is not named is closed. */
    week: z.partialRecord(z.enum(['1', '2', '3', '4', '5', '6', '7']), z.array(z.strictObject({ from: clock, to: clock }))),
    /** Days that differ, e.g. holidays: an empty list is closed. */
    days: z.record(date, z.array(z.strictObject({ from: clock, to: clock }))).default({}),
    slotMinutes: z.number().int().min(5).max(480).default(30),
    /** How many appointments may run side by side: the staff who serve them. */
    staff: z.number().int().min(1).max(100).default(1),
  })
  .refine(
    ({ week, days }) => [...Object.values(week), ...Object.values(days)].flat().every(({ from, to }) => from < to),
    'opens after it closes',
  )
export type OpeningHours = z.infer<typeof OpeningHours>

export interface Slot {
  /** ISO 8601, UTC. */
  startsAt: string
  endsAt: string
}

const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
const clockOf = (total: number) => `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`

/** The slots of one local day, in order; the last one ends before the store closes. */
export function slotsOf(hours: OpeningHours, day: string, zone: string): Slot[] {
  const spans = hours.days[day] ?? hours.week[String(weekday(day)) as keyof OpeningHours['week']] ?? []
  return spans.flatMap(({ from, to }) => {
    const slots: Slot[] = []
    for (let start = minutes(from); start + hours.slotMinutes <= minutes(to); start += hours.slotMinutes) {
      const startsAt = momentOf(day, clockOf(start), zone)
      const endsAt = new Date(startsAt.getTime() + hours.slotMinutes * 60_000)
      slots.push({ startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() })
    }
    return slots
  })
}
