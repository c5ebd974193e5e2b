/** One measured figure of the benchmark. */
export interface Measure {
  name: string
  value: number
  unit: string
  /** The same thing done the bare way, in the same unit; null when there is none. */
  against: number | null
  /** value to against. */
  ratio: number | null
  goal: number | null
  met: boolean | null
  /** Where several figures of one thing stand in one row of a table. */
  cell?: { row: string; column: string }
  /** A count, the same on every machine: the run fails when it is not met. */
  enforced?: true
}

export const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Rounds of the product and of the bare thing, taken in turn on a machine that is never quite still: medians, and their ratio. */
export function compared(name: string, unit: string, ours: number[], bare: number[], goal: number): Measure {
  const [value, against] = [median(ours), median(bare)]
  const ratio = value / against
  return { name, value, unit, against, ratio, goal, met: ratio >= goal }
}

/** A figure that must not be above its goal. */
export const atMost = (name: string, unit: string, value: number, goal: number): Measure => ({
  name,
  value,
  unit,
  against: null,
  ratio: null,
  goal,
  met: value <= goal,
})
