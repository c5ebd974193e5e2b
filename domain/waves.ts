/** Which units go into a wave now, and with which others. Pure. */
import { addDays, localTime, momentOf } from './localTime.ts'

export interface Ready {
  id: string
  orderId: string
  priority: number
  /** ISO 8601. */
  readyAt: string
  kind: string
  /** City of the recipient, or the convenience-store chain. */
  region: string
  courier: string
  temperature: string
}
export interface WavePlan {
  cutOffs: readonly string[]
  waveSize: number
  splitBy: readonly ('priority' | 'kind' | 'region' | 'courier' | 'temperature')[]
  urgentPriority: number
}

/** The newest cut-off that has passed, today or yesterday; null when there are none. */
export function lastCutOff(now: Date, zone: string, cutOffs: readonly string[]): Date | null {
  const today = localTime(now.toISOString(), zone).date
  const passed = [today, addDays(today, -1)]
    .flatMap((date) => cutOffs.map((clock) => momentOf(date, clock, zone).getTime()))
    .filter((at) => at <= now.getTime())
  return passed.length === 0 ? null : new Date(Math.max(...passed))
}

/** What was ready at the last cut-off, and what is urgent. @param now null: everything. */
export function dueAt(units: readonly Ready[], plan: WavePlan, zone: string, now: Date | null): Ready[] {
  if (now === null || plan.cutOffs.length === 0) return [...units]
  const cutOff = lastCutOff(now, zone, plan.cutOffs)
  return units.filter(
    (unit) => unit.priority >= plan.urgentPriority || (cutOff !== null && Date.parse(unit.readyAt) <= cutOff.getTime()),
  )
}

/** Waves in the order in which they should be picked: the most urgent first, none larger than `waveSize`. */
export function sorted(units: readonly Ready[], plan: WavePlan): { units: Ready[]; sortedBy: Record<string, string> }[] {
  const urgentFirst = [...units].sort(
    (a, b) => b.priority - a.priority || Date.parse(a.readyAt) - Date.parse(b.readyAt) || (a.id < b.id ? -1 : 1),
  )
  const groups = new Map<string, { units: Ready[]; sortedBy: Record<string, string> }>()
  for (const unit of urgentFirst) {
    const sortedBy = Object.fromEntries(plan.splitBy.map((by) => [by, String(unit[by])]))
    const key = JSON.stringify(sortedBy)
    const group = groups.get(key) ?? { units: [], sortedBy }
    group.units.push(unit)
    groups.set(key, group)
  }
  return [...groups.values()].flatMap(({ units: all, sortedBy }) =>
    Array.from({ length: Math.ceil(all.length / plan.waveSize) }, (_, index) => ({
      units: all.slice(index * plan.waveSize, (index + 1) * plan.waveSize),
      sortedBy,
    })),
  )
}
