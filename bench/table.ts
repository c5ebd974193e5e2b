/** Measures for people. */
import type { Measure } from './measure.ts'

const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })

const goalOf = ({ goal, ratio, met, unit }: Measure): string => {
  if (goal === null) return ''
  const text = ratio === null ? `${number(goal)} ${unit}` : `${number(goal)} x`
  return `${text} ${met === true ? 'met' : 'NOT met'}`
}

/** Figures of one thing in one row first, then one row each. */
export function table(measures: Measure[]): string {
  const cells = measures.filter(({ cell }) => cell !== undefined)
  const others = measures.filter(({ cell }) => cell === undefined)
  return [cells.length > 0 ? matrix(cells) : '', others.length > 0 ? list(others) : ''].filter(Boolean).join('\n')
}

function matrix(measures: Measure[]): string {
  const columns = [...new Set(measures.map(({ cell }) => cell?.column ?? ''))]
  const named = [...new Set(measures.map(({ cell }) => cell?.row ?? ''))]
  const shown = (row: string, column: string) => {
    const measure = measures.find(({ cell }) => cell?.row === row && cell.column === column)
    if (measure === undefined) return ''
    return `${number(measure.value)} of ${number(measure.goal ?? 0)}${measure.met === false ? ' NOT met' : ''}`
  }
  return aligned([['path', ...columns], ...named.map((row) => [row, ...columns.map((column) => shown(row, column))])])
}

function list(measures: Measure[]): string {
  return aligned([
    ['measure', 'value', 'bare', 'ratio', 'goal'],
    ...measures.map((measure) => [
      measure.name,
      `${number(measure.value)} ${measure.unit}`,
      measure.against === null ? '' : number(measure.against),
      measure.ratio === null ? '' : `${number(measure.ratio)} x`,
      goalOf(measure),
    ]),
  ])
}

function aligned(rows: string[][]): string {
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
