/**
 * Field rules of /Express/Create (developers.ecpay.com.tw ?p=22414 convenience store, ?p=22507 home delivery). What can be cleaned
 * without losing meaning is cleaned, always the same way; the rest is Invalid with field and remedy. Names, phones and addresses are
 * personal: an error describes them, it does not repeat them.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import { MINOR_PER_MAJOR } from '../../domain/money.ts'

export const MIN_NAME_WIDTH = 4
export const MAX_NAME_WIDTH = 10
export const MAX_GOODS_NAME_WIDTH = 50
export const MAX_DOLLARS = 20_000

export const invalid = (field: string, what: string, remedy: string): OmnisagaError =>
  new OmnisagaError('Invalid', `${field}: ${what}`, { code: field, remedy })

/** ECPay counts a Chinese character as two, a Latin letter as one. */
export const widthOf = (text: string): number =>
  [...text].reduce((sum, char) => sum + ((char.codePointAt(0) ?? 0) < 0x80 ? 1 : 2), 0)

export function cutToWidth(text: string, maxWidth: number): string {
  let width = 0
  let cut = ''
  for (const char of text) {
    width += widthOf(char)
    if (width > maxWidth) break
    cut += char
  }
  return cut
}

/** 4 to 10 wide (2 to 5 Chinese characters, 4 to 10 letters), letters only: digits, symbols and spaces are dropped, the end is cut. */
export function nameField(field: string, name: string): string {
  const letters = name.normalize('NFKC').replace(/[^\p{L}\p{M}]/gu, '')
  const cut = cutToWidth(letters, MAX_NAME_WIDTH)
  if (widthOf(cut) >= MIN_NAME_WIDTH) return cut
  throw invalid(
    field,
    `a name of ${[...name].length} characters leaves ${letters === '' ? 'nothing' : `only ${[...letters].length} letter(s)`}`,
    'Give the full name: 2 to 5 Chinese characters or 4 to 10 letters, without digits and symbols.',
  )
}

/** ECPay refuses ^ ' ` ! @ # % & * + \ " < > | _ [ ], and full-width symbols for T-cat. */
export function goodsNameField(name: string): string {
  const clean = name
    .normalize('NFKC')
    .replace(/[\^'`!@#%&*+\\"<>|_[\]]/g, ' ')
    .replace(/[^\p{L}\p{M}\p{N}\x20-\x7e]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return cutToWidth(clean, MAX_GOODS_NAME_WIDTH).trim() || '商品'
}

export interface Phones {
  cell: string
  landline: string
}

/** E.164 or as Taiwan writes it. `cell` is 09 and 8 digits, `landline` digits only; the one it is not is empty. */
export function phonesOf(phone: string): Phones {
  const digits = phone
    .normalize('NFKC')
    .replace(/^\s*\+?886[-\s]*\(?0?\)?/, '0')
    .replace(/[^\d#]/g, '')
  if (/^09\d{8}$/.test(digits)) return { cell: digits, landline: '' }
  return { cell: '', landline: /^0[2-8]\d{6,9}(#\d{1,6})?$/.test(digits) ? digits : '' }
}

/** @param minMinor what is smaller is raised to it (a declared value of nothing is one dollar). */
export function dollarsField(field: string, amountMinor: number): number {
  if (amountMinor % MINOR_PER_MAJOR !== 0) {
    throw invalid(
      field,
      `${amountMinor / MINOR_PER_MAJOR} is not a whole number of NT dollars`,
      'Round the amount due to whole dollars.',
    )
  }
  const dollars = amountMinor / MINOR_PER_MAJOR
  if (dollars >= 1 && dollars <= MAX_DOLLARS) return dollars
  throw invalid(
    field,
    `NT$ ${dollars} is outside 1 to ${MAX_DOLLARS}`,
    dollars > MAX_DOLLARS ? 'Send it in several parcels or by another courier.' : 'Correct the amount.',
  )
}

/** Districts 3 digits, with the rest of the code 5 (3+2) or 6 (3+3); ECPay takes 3 or 5. */
export function zipField(field: string, postalCode: string | null): string {
  const digits = (postalCode ?? '').normalize('NFKC').replace(/\D/g, '')
  if (digits.length === 3 || digits.length === 5) return digits
  if (digits.length === 6) return digits.slice(0, 3)
  throw invalid(
    field,
    postalCode ? `${JSON.stringify(postalCode)} is not a Taiwanese postal code` : 'there is none',
    'Give the 3 digit postal code of the district.',
  )
}

export function addressField(field: string, parts: readonly (string | null)[]): string {
  const text = parts.reduce<string>((address, part) => {
    const next = (part ?? '').normalize('NFKC').replace(/\s+/g, '')
    return next.startsWith(address) ? next : address + next // a line that repeats city and district
  }, '')
  const length = [...text].length
  if (length >= 7 && length <= 60) return text
  throw invalid(
    field,
    `an address of ${length} characters; ECPay takes 7 to 60`,
    length < 7 ? 'Complete the address.' : 'Shorten the address without losing the door.',
  )
}

const SLOTS: readonly [RegExp, string][] = [
  [
    /(13|1)\s*(點|時|:00)?\s*(以?前|之前)|上午|早上|中午前|before\s*(13|1\s*pm)|morning|^\s*0?[89](:00)?\s*[-~–～至到]\s*1[23]/i,
    '1',
  ],
  [/14\s*(點|時|:00)?\s*[-~–～至到]\s*18|下午|afternoon/i, '2'],
]
/** ScheduledDeliveryTime of T-cat: 1 before 13:00, 2 14:00 to 18:00, 4 any time. Wishes that fit neither travel in the remark. */
export const deliverySlotOf = (askedTime: string | null): '1' | '2' | '4' => {
  const text = (askedTime ?? '').normalize('NFKC')
  const found = SLOTS.filter(([pattern]) => pattern.test(text)).map(([, slot]) => slot)
  return found.length === 1 ? (found[0] as '1' | '2') : '4'
}

/** Distance: 00 the sender's own city, 01 another one, 02 the islands. */
export function distanceOf(senderAddress: string, city: string | null, zip: string): '00' | '01' | '02' {
  const district = Number(zip.slice(0, 3))
  const island = (district >= 880 && district <= 896) || [209, 210, 211, 212, 929, 951, 952].includes(district)
  if (island) return '02'
  const plain = (text: string) =>
    text
      .normalize('NFKC')
      .replace(/台/g, '臺')
      .replace(/^[\d\s]+/, '')
  return city && plain(senderAddress).startsWith(plain(city)) ? '00' : '01'
}

/** yyyy/MM/dd HH:mm:ss in Taipei, which has had no daylight saving time since 1979. */
const TAIPEI_OFFSET_MS = 8 * 3_600_000
export const taipeiTime = (at: Date): string =>
  new Date(at.getTime() + TAIPEI_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/')

/** @returns ISO 8601 with +08:00, null when it is no such time. */
export function fromTaipeiTime(text: string | undefined): string | null {
  const parts = /^(\d{4})[/-](\d{2})[/-](\d{2}) (\d{2}):(\d{2}):(\d{2})$/.exec(text?.trim() ?? '')
  if (!parts) return null
  const [, year, month, day, hour, minute, second] = parts
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`
  return Number.isNaN(Date.parse(iso)) ? null : iso
}
