/** Dates (`YYYY-MM-DD`) and times of day (`HH:MM`) of a place, and the moments they are. Pure. */

const DAY_MS = 24 * 60 * 60_000
const MINUTE_MS = 60_000

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

const minutesOf = ({ date, clock }: { date: string; clock: string }) => Date.parse(`${date}T${clock}:00Z`) / MINUTE_MS

/** The moment of a local time; one that a change of clocks skips is the moment as far after the change. */
export function momentOf(date: string, clock: string, zone: string): Date {
  const wanted = minutesOf({ date, clock })
  let guess = wanted
  // Twice: the offset at the first guess may be the one of the other side of a change of clocks.
  for (let tries = 0; tries < 2; tries++) guess += wanted - minutesOf(localTime(new Date(guess * MINUTE_MS).toISOString(), zone))
  return new Date(guess * MINUTE_MS)
}

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)

/** ISO weekday, Monday is 1. */
export const weekday = (date: string): number => new Date(`${date}T00:00:00Z`).getUTCDay() || 7
