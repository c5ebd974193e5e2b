/** Dates of spreadsheets and exports, told as ISO 8601 in the zone of the source. */
import { OmnisagaError } from '../../domain/errors.ts'
import { asciiDigits } from './text.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const dayMs = 24 * 60 * minuteMs

const formats = new Map<string, Intl.DateTimeFormat>()
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
    return format
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new OmnisagaError('Misconfigured', `${JSON.stringify(zone)} is no time zone`, {
      code: 'unknownTimeZone',
      remedy: 'give the connection an IANA zone such as Asia/Taipei',
    })
  }
}

const hourMs = 60 * minuteMs
/** By hour of UTC and zone; null: the clocks are set within that hour. */
const offsets = new Map<string, number | null>()
const MOST_OFFSETS = 20_000

/** How far the zone's clocks are ahead of UTC at that instant. Asking Intl is dear, and a file names the same hours again and again. */
function offsetMs(zone: string, instantMs: number): number {
  const hour = Math.floor(instantMs / hourMs)
  const key = `${hour} ${zone}`
  let known = offsets.get(key)
  if (known === undefined) {
    const begins = askedOffsetMs(zone, hour * hourMs)
    known = begins === askedOffsetMs(zone, (hour + 1) * hourMs) ? begins : null
    if (offsets.size >= MOST_OFFSETS) offsets.clear()
    offsets.set(key, known)
  }
  return known ?? askedOffsetMs(zone, instantMs)
}

function askedOffsetMs(zone: string, instantMs: number): number {
  const part: Record<string, number> = {}
  let era = 1
  for (const { type, value } of formatOf(zone).formatToParts(instantMs)) {
    if (type === 'era') era = value.startsWith('B') ? -1 : 1
    else part[type] = Number(value)
  }
  if (era < 0) return 0
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second)
  return wall - Math.floor(instantMs / secondMs) * secondMs
}

function isoOf(zone: string, instantMs: number): string {
  const ahead = Math.round(offsetMs(zone, instantMs) / minuteMs)
  const wall = new Date(instantMs + ahead * minuteMs).toISOString().replace(/\.000Z$|Z$/, '')
  const absolute = Math.abs(ahead)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${wall}${ahead < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`
}

/**
 * The instant at which the zone's clocks show `wallMs` (as if UTC). Where clocks are put back the first of the two; in the hour
 * that is skipped as if they had not been put forward.
 */
function instantOf(zone: string, wallMs: number): number {
  const before = wallMs - offsetMs(zone, wallMs - dayMs)
  if (offsetMs(zone, before) === wallMs - before) return before
  const after = wallMs - offsetMs(zone, before)
  return offsetMs(zone, after) === wallMs - after ? after : before
}

const EARLIEST = Date.UTC(1900, 0, 1)
const LATEST = Date.UTC(2200, 0, 1)
const fromWall = (zone: string, wallMs: number): string | null =>
  wallMs >= EARLIEST && wallMs < LATEST ? isoOf(zone, instantOf(zone, wallMs)) : null

/** Days since 1899-12-30 (or 1904-01-01); day 60 of the 1900 system is the 29 February that never was. */
function wallOfSerial(serial: number, date1904: boolean): number | null {
  const wholeSecondsMs = Math.round(serial * 86_400) * secondMs
  if (date1904) return Date.UTC(1904, 0, 1) + wholeSecondsMs
  if (serial < 1 || Math.floor(serial) === 60) return null
  return Date.UTC(1899, 11, serial < 60 ? 31 : 30) + wholeSecondsMs
}

const HALF = '(上午|下午|凌晨|早上|中午|晚上|[ap]\\.?m\\.?)?'
const WRITTEN = new RegExp(
  '^(中華民國|民國|ROC)?\\s*(\\d{1,4})\\s*[-/.年]\\s*(\\d{1,2})\\s*[-/.月]\\s*(\\d{1,2})\\s*日?\\s*' +
    '(?:\\((?:週|星期)?[一二三四五六日]\\)|(?:週|星期)[一二三四五六日])?' +
    `(?:[T\\s,]*${HALF}\\s*(\\d{1,2})[:時點](?:\\s*(\\d{1,2})分?)?(?::?(\\d{1,2})秒?)?(?:[.,](\\d{1,9}))?\\s*${HALF})?` +
    '\\s*(Z|UTC|GMT|[+-]\\d{2}:?\\d{2})?$',
  'i',
)
const COMPACT = /^(\d{3,4})(\d{2})(\d{2})(?:[T\s]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?$/

/** Years of the Republic (113 is 2024). Two digits without 民國 are told apart from 24/05/06 only from 80 on. */
function yearOf(digits: string, saysRepublic: boolean): number | null {
  const year = Number(digits)
  if (saysRepublic || digits.length === 3) return year >= 1 && year <= 200 ? year + 1911 : null
  if (digits.length === 4) return year
  return digits.length === 2 && year >= 80 ? year + 1911 : null
}

function hourOf(written: number, half: string | undefined): number | null {
  if (!half) return written
  const morning = /^(上午|凌晨|早上|a)/i.test(half)
  if (morning) return written > 12 ? null : written % 12
  if (half === '晚上' && written === 12) return null
  if (half === '中午' && written === 11) return 11
  return written >= 12 ? written : written + 12
}

function wallOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  milliseconds: number,
): number | null {
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || minute > 59 || second > 59) return null
  if (hour > 24 || (hour === 24 && (minute > 0 || second > 0))) return null
  return date.getTime() + hour * 60 * minuteMs + minute * minuteMs + second * secondMs + milliseconds
}

function fromText(text: string, zone: string): string | null {
  const written = WRITTEN.exec(text)
  const compact = written ? null : COMPACT.exec(text)
  if (written) {
    const [, republic, y = '', month, day, halfBefore, hour, minute, second, fraction, halfAfter, offset] = written
    const year = yearOf(y, republic !== undefined)
    const hours = hourOf(Number(hour ?? 0), halfBefore ?? halfAfter)
    if (year === null || hours === null) return null
    const milliseconds = Math.floor(Number(`0.${fraction ?? 0}`) * 1000)
    const wall = wallOf(year, Number(month), Number(day), hours, Number(minute ?? 0), Number(second ?? 0), milliseconds)
    if (wall === null || wall < EARLIEST || wall >= LATEST) return null
    if (offset === undefined) return fromWall(zone, wall)
    const signed = /^([+-])(\d{2}):?(\d{2})$/.exec(offset)
    const ahead = signed ? (signed[1] === '-' ? -1 : 1) * (Number(signed[2]) * 60 + Number(signed[3])) : 0
    return Math.abs(ahead) <= 14 * 60 ? isoOf(zone, wall - ahead * minuteMs) : null
  }
  if (!compact) return null
  const [, y = '', month, day, hour, minute, second] = compact
  const year = yearOf(y, false)
  const wall =
    year === null
      ? null
      : wallOf(year, Number(month), Number(day), Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0), 0)
  return wall === null ? null : fromWall(zone, wall)
}

/**
 * @param cell a spreadsheet cell: a serial number, text, or a Date whose UTC fields are the wall clock (what spreadsheet readers give).
 * @param zone IANA zone of the source; what is written without an offset is that zone's wall clock.
 * @returns ISO 8601 with the zone's offset (`2024-05-06T15:04:05+08:00`), or null when it is no date or could be two
 * (`5/6/2024`). @throws Misconfigured for an unknown zone.
 */
export function parseDate(cell: unknown, zone: string, options: { date1904?: boolean } = {}): string | null {
  if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? null : fromWall(zone, cell.getTime())
  if (typeof cell === 'number') {
    if (!Number.isFinite(cell)) return null
    if (cell >= 200_000) return Number.isInteger(cell) ? fromText(String(cell), zone) : null
    const wall = cell < 0 ? null : wallOfSerial(cell, options.date1904 === true)
    return wall === null ? null : fromWall(zone, wall)
  }
  if (typeof cell !== 'string') return null
  const text = asciiDigits(cell).replace(/^[='"]+|["']+$/g, '')
  if (/^\d{5}(?:\.\d+)?$/.test(text)) return parseDate(Number(text), zone, options)
  return fromText(text, zone)
}
