/** Dates of spreadsheets: serial numbers become wall-clock text, by the number format (ECMA-376 Part 1, 18.8.30 and 18.17.4). */
import type { SheetDate } from './types.ts'

const DAY_MS = 86_400_000
/** Serials at or above this are beyond the year 9999. */
const MAX_SERIAL = 2_958_466

const two = (value: number) => String(value).padStart(2, '0')

/** @param serial days since the workbook's epoch; the fraction is the time of day. @returns null when it is no date. */
export function serialToDate(serial: number, date1904: boolean): SheetDate | null {
  if (!Number.isFinite(serial) || serial < 0 || serial >= MAX_SERIAL) return null
  // Whole seconds: Excel's fractions are binary, 09:30 is 0.39583333333333331.
  const seconds = Math.round(serial * 86_400)
  const days = Math.floor(seconds / 86_400)
  const ofDay = seconds - days * 86_400
  const time = `${two(Math.floor(ofDay / 3600))}:${two(Math.floor(ofDay / 60) % 60)}:${two(ofDay % 60)}`
  if (days === 0 && !date1904) return { wallClock: time }
  // The 1900 system counts a 29 February 1900 that never was, as serial 60.
  const epoch = date1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30)
  const day = new Date(epoch + days * DAY_MS).toISOString().slice(0, 10)
  return { wallClock: ofDay === 0 ? day : `${day} ${time}` }
}

const BUILT_IN: readonly [number, number][] = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
  [71, 81],
]

/** @param code the format's own text when the file defines one; null for the built-in formats. */
export function isDateFormat(id: number, code: string | null): boolean {
  if (code === null) return BUILT_IN.some(([from, to]) => id >= from && id <= to)
  if (/^(general|standard|@)$/i.test(code)) return false
  const first = code.split(';')[0] ?? ''
  const bare = first
    .replace(/"[^"]*"?/g, '')
    .replace(/\\./g, '')
    .replace(/_./g, '')
    .replace(/\*./g, '')
    .replace(/\[(h+|m+|s+)\]/gi, '$1')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/G\/通用格式|General/gi, '')
  return /[ymdhs]/i.test(bare) || /[年月日時时]/.test(bare)
}

/** Width of a format made of zeros only (`0000000000`), which shows leading zeros that the number lacks; 0 for others. */
export const zeroPadding = (code: string | null): number => (code !== null && /^0{2,}$/.test(code) ? code.length : 0)

/** How numbers of one cell style are to be shown. */
export interface NumberStyle {
  isDate: boolean
  zeros: number
}
export const PLAIN_STYLE: NumberStyle = { isDate: false, zeros: 0 }

/** @returns what the sheet shows: a date, text with its leading zeros, or the number itself. */
export function showNumber(value: number, style: NumberStyle, date1904: boolean): SheetDate | string | number {
  if (style.isDate) return serialToDate(value, date1904) ?? value
  if (style.zeros > 0 && Number.isInteger(value) && value >= 0) return String(value).padStart(style.zeros, '0')
  return value
}
