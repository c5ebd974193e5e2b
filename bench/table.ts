/** Measures for people. */
import type { Measure } from './measure.ts'

const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })

const goalOf = ({ goal, ratio, met, unit }: Measure): string => {
  if (goal === null) return ''
  const text = ratio === null ? `${number(goal)} ${unit}` : `${number(goal)} x`
  return `${text} ${met === true ? 'met' : 'NOT met'}`
}

export function table(measures: Measure[]): string {
  const rows = [
    ['measure', 'value', 'bare', 'ratio', 'goal'],
    ...measures.map((measure) => [
      measure.name,
      `${number(measure.value)} ${measure.unit}`,
      measure.against === null ? '' : number(measure.against),
      measure.ratio === null ? '' : `${number(measure.ratio)} x`,
      goalOf(measure),
    ]),
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
