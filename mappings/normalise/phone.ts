/**
 * Phone numbers to E.164. Taiwan's numbering plan: mobiles 09 + 8 digits, landlines by area code, 0800/0809 toll free,
 * 070 over the internet; other countries only when written with + or an international prefix.
 */
import { asciiDigits } from './text.ts'

export interface Phone {
  /** Null when nothing certain could be read; `problem` says why, without the number. */
  e164: string | null
  masked: boolean
  /** Digits to dial after the number. */
  extension?: string
  problem?: string
}

/** National numbers without the leading 0. 8 digits after 02 and 04 (Taichung), 7 after 049 and elsewhere, 5 or 6 after long codes. */
const NATIONAL = /^(?:9\d{8}|2[2-8]\d{7}|4[23]\d{7}|49\d{7}|4[5-8]\d{6}|[35678]\d{7}|70\d{8}|80[09]\d{6})$/
const EXTENSION = /(?:#|分機|轉接|轉|內線|ext(?:ension)?\.?|x)\s*[:.]?\s*(\d{1,6})(?=\D*$)/i
const HIDDEN = /[*•●○◯]|\d[\s-]*[xX]{2,}|[xX]{3,}/

function nationalOf(digits: string): string | null {
  const international = /^(?:00|002|009)?886(\d+)$/.exec(digits)
  if (international?.[1] && digits.length >= 11) {
    const rest = international[1].replace(/^0/, '')
    return NATIONAL.test(rest) ? rest : null
  }
  if (digits.startsWith('0')) return NATIONAL.test(digits.slice(1)) ? digits.slice(1) : null
  // A spreadsheet that took the number for a number lost its zero. Eight digits could be a Taipei number without its area code.
  return digits.length === 9 && NATIONAL.test(digits) ? digits : null
}

function e164Of(run: string): string | null {
  const digits = run.replace(/\D/g, '')
  const plus = /^[\s(-]*\+/.test(run)
  const national = nationalOf(plus && !digits.startsWith('0') && !digits.startsWith('886') ? '' : digits)
  if (national) return `+886${national}`
  const foreign = plus ? digits : /^00(?:2(?=[1-9]))?([1-9]\d{9,14})$/.exec(digits)?.[1]
  return foreign && /^[1-9]\d{6,14}$/.test(foreign) && !foreign.startsWith('886') ? `+${foreign}` : null
}

/** `9.12345678E8` as a spreadsheet writes it; null when digits were lost on the way. */
function fromScientific(text: string): string | null | undefined {
  const match = /^(\d)(?:\.(\d+))?E\+?(\d{1,2})$/i.exec(text)
  if (!match) return undefined
  const fraction = match[2] ?? ''
  const exponent = Number(match[3])
  // A rounded mantissa is indistinguishable from one whose last digits are zero: only what fits exactly and has every digit is read.
  return fraction.length > exponent || fraction.length < exponent - 2 ? null : `${match[1]}${fraction.padEnd(exponent, '0')}`
}

/** All runs that could be a number, in the order written; a run of several numbers also in parts. */
function candidates(text: string): string[] {
  const runs = text.match(/\+?[\d(][\d\s().+-]*/g) ?? []
  return runs.flatMap((run) => [
    run,
    ...run.split(/\s+/).filter((part) => part !== run),
    ...run.split(/(?=\+)/).filter((part) => part !== run),
  ])
}

/** @param raw a cell or field: text, or the number a spreadsheet made of it. Never throws. */
export function parsePhone(raw: unknown): Phone {
  if (typeof raw === 'bigint') return parsePhone(String(raw))
  if (typeof raw === 'number') {
    return Number.isSafeInteger(raw) && raw > 0
      ? parsePhone(String(raw))
      : { e164: null, masked: false, problem: 'the cell holds a number that is no phone' }
  }
  if (raw !== null && raw !== undefined && typeof raw !== 'string')
    return { e164: null, masked: false, problem: 'the cell holds no text' }
  const text = asciiDigits(raw ?? '')
    .replace(/^[='"]+|["']+$/g, '')
    .replace(/^(\d+)\.0+$/, '$1')
  if (text === '') return { e164: null, masked: false, problem: 'there is no phone number' }
  const scientific = fromScientific(text)
  if (scientific === null)
    return { e164: null, masked: false, problem: 'the spreadsheet shortened the number: format the column as text' }
  if (scientific !== undefined) return parsePhone(scientific)
  if (HIDDEN.test(text)) return { e164: null, masked: true }
  const extension = EXTENSION.exec(text)?.[1]
  const numbers = candidates(extension === undefined ? text : text.replace(EXTENSION, ' '))
    .map(e164Of)
    .filter((number): number is string => number !== null)
  const e164 = numbers.find((number) => number.startsWith('+8869')) ?? numbers[0]
  if (e164 !== undefined)
    return { e164, masked: false, ...(extension !== undefined && !e164.startsWith('+8869') && { extension }) }
  return { e164: null, masked: false, problem: problemOf(text) }
}

function problemOf(text: string): string {
  const digits = text.replace(/\D/g, '')
  if (digits === '') return 'there is no digit in it'
  if (digits.length === 8) return 'eight digits without an area code: write it as 0X-XXXX-XXXX'
  if (/^0?9/.test(digits))
    return `a mobile number has 10 digits, this one ${digits.startsWith('0') ? digits.length : digits.length + 1}`
  return `${digits.length} digits are no number of Taiwan: write 09XX-XXX-XXX, an area code, or + and the country code`
}
