/** What commands print: tables, times, amounts; colour only where a terminal shows it. */
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import { cut, padded, widthOf, wrapped } from './width.ts'

type Paint = (text: string) => string
const ESCAPE = String.fromCharCode(27)
const hasColour = (): boolean =>
  process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb'
const paint =
  (on: number, off: number): Paint =>
  (text) =>
    hasColour() ? `${ESCAPE}[${on}m${text}${ESCAPE}[${off}m` : text

export const bold = paint(1, 22)
export const dim = paint(2, 22)
export const red = paint(31, 39)
export const green = paint(32, 39)
export const yellow = paint(33, 39)

/** Text from outside must not steer the terminal. */
export const safe = (value: unknown): string =>
  value === null || value === undefined
    ? '-'
    : (typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll(
        /[\p{Cc}\p{Cf}]+/gu,
        ' ',
      )

export interface Column<T> {
  title: string
  of: (row: T) => unknown
  right?: boolean
  most?: number
  paint?: (text: string, row: T) => string
}

/** A column is not made narrower than this. */
const NARROWEST = 18
const GAP = 2

/** The widest columns of text give way until the table is no wider than the terminal; numbers and short columns never do. */
function narrowed<T>(widths: number[], columns: readonly Column<T>[], room: number): number[] {
  const fitted = [...widths]
  for (;;) {
    const over = fitted.reduce((sum, width) => sum + width + GAP, -GAP) - room
    const widest = fitted.reduce((most, width, index) => (columns[index]?.right ? most : Math.max(most, width)), 0)
    if (over <= 0 || widest <= NARROWEST) return fitted
    const at = fitted.findLastIndex((width, index) => width === widest && !columns[index]?.right)
    fitted[at] = Math.max(NARROWEST, widest - over, Math.min(widest - 1, secondWidest(fitted, columns, at)))
  }
}
const secondWidest = <T>(widths: number[], columns: readonly Column<T>[], at: number): number =>
  widths.reduce((most, width, index) => (index === at || columns[index]?.right ? most : Math.max(most, width)), 0)

/** @param room columns of the terminal; cells that are too wide go on below themselves. In a pipe nothing is broken. */
export function table<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  room: number = process.stdout.isTTY ? process.stdout.columns || Infinity : Infinity,
): string {
  const cells = rows.map((row) => columns.map((column) => cut(safe(column.of(row)), column.most ?? 60)))
  const natural = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[index] ?? ''))),
  )
  const widths = narrowed(natural, columns, room)
  const last = columns.length - 1
  const fit = (text: string, index: number) =>
    index === last && !columns[index]?.right ? text : padded(text, widths[index] ?? 0, columns[index]?.right)
  const head = bold(columns.map((column, index) => fit(column.title, index)).join(' '.repeat(GAP)))
  const body = cells.flatMap((line, row) => {
    const parts = line.map((text, index) => wrapped(text, widths[index] ?? Infinity))
    const source = rows[row]
    return Array.from({ length: Math.max(...parts.map((part) => part.length)) }, (_, n) =>
      columns
        .map((column, index) => {
          const text = fit(parts[index]?.[n] ?? '', index)
          return column.paint && source !== undefined && text.trim() !== '' ? column.paint(text, source) : text
        })
        .join(' '.repeat(GAP))
        .trimEnd(),
    )
  })
  return [head, ...body].join('\n')
}

const two = (value: number) => String(value).padStart(2, '0')

/** In the zone of this terminal. */
export function localTime(at: string | Date | null | undefined): string {
  if (at === null || at === undefined) return '-'
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return '-'
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

/** `3 min`, `2 h 5 min`, `4 d 1 h` */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export const since = (at: string | Date | null | undefined, now = Date.now()): string =>
  at === null || at === undefined ? '-' : duration(now - new Date(at).getTime())

export const amount = (minor: number | null | undefined, currency: string): string => {
  if (minor === null || minor === undefined) return '-'
  const cents = minor % MINOR_PER_MAJOR === 0 ? 0 : 2
  return `${currency} ${(minor / MINOR_PER_MAJOR).toLocaleString('en-US', { minimumFractionDigits: cents, maximumFractionDigits: cents })}`
}

/** A word for a POSIX shell, quoted only when it must be. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))
export const complain = (text: string): void => {
  process.stderr.write(`${text}\n`)
}
