/** When customers are not written to. Pure. */

export interface QuietHours {
  /** `HH:MM` on the customer's clock. A `to` before `from` is on the next day. */
  from: string
  to: string
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60
const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))

/** @returns milliseconds until they may be written to, 0 for now. The day on which clocks change is off by that change at most. */
export function quietForMs(now: Date, quiet: QuietHours | null, zone: string): number {
  if (quiet === null || quiet.from === quiet.to) return 0
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    now,
  )
  const since = (minutesOf(clock) - minutesOf(quiet.from) + DAY_MINUTES) % DAY_MINUTES
  const lasts = (minutesOf(quiet.to) - minutesOf(quiet.from) + DAY_MINUTES) % DAY_MINUTES
  if (since >= lasts) return 0
  return (lasts - since) * MINUTE_MS - (now.getTime() % MINUTE_MS)
}
