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
  /** See boxKeyOf; null: a box of its own. */
  boxKey: string | null
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

/** The most urgent first. */
export const byUrgency = (a: Ready, b: Ready): number =>
  b.priority - a.priority || Date.parse(a.readyAt) - Date.parse(b.readyAt) || (a.id < b.id ? -1 : 1)

/** Boxes with something that was ready at the last cut-off, or is urgent: what else goes into them goes along. @param now null: all. */
export function dueAt(boxes: readonly Ready[][], plan: WavePlan, zone: string, now: Date | null): Ready[][] {
  if (now === null || plan.cutOffs.length === 0) return [...boxes]
  const cutOff = lastCutOff(now, zone, plan.cutOffs)
  const isDue = (unit: Ready) =>
    unit.priority >= plan.urgentPriority || (cutOff !== null && Date.parse(unit.readyAt) <= cutOff.getTime())
  return boxes.filter((box) => box.some(isDue))
}

/** Waves in the order in which they should be picked, none of more than `waveSize` boxes. @param boxes the most urgent first. */
export function sorted(boxes: readonly Ready[][], plan: WavePlan): { boxes: Ready[][]; sortedBy: Record<string, string> }[] {
  const groups = new Map<string, { boxes: Ready[][]; sortedBy: Record<string, string> }>()
  for (const box of boxes) {
    const [first] = box
    if (first === undefined) continue
    const sortedBy = Object.fromEntries(plan.splitBy.map((by) => [by, String(first[by])]))
    const key = JSON.stringify(sortedBy)
    const group = groups.get(key) ?? { boxes: [], sortedBy }
    group.boxes.push(box)
    groups.set(key, group)
  }
  return [...groups.values()].flatMap(({ boxes: all, sortedBy }) =>
    Array.from({ length: Math.ceil(all.length / plan.waveSize) }, (_, index) => ({
      boxes: all.slice(index * plan.waveSize, (index + 1) * plan.waveSize),
      sortedBy,
    })),
  )
}
