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
}
