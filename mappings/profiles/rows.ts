/** What every profile asks of its rows, in one place. */
import { parseAmountMinor } from '../../domain/money.ts'
import type { Address, IncomingOrder } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone, parseQuantity } from '../normalise/index.ts'
import type { Phone } from '../normalise/index.ts'
import type { Field, MappedRow, Problems } from './types.ts'

const FORMULA_ERROR = /^#(N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NULL!|NUM!|ERR|SPILL!|CALC!)/i

/** Text of a field that must be there. @returns '' after telling why not. */
export function needed(row: MappedRow, field: Field, problems: Problems, what: string): string {
  const text = row.text(field)
  if (text === '') problems.add(row, field, 'missing', `${what} is missing. Fill it in the file and import it again.`)
  else if (FORMULA_ERROR.test(text)) {
    problems.add(
      row,
      field,
      'formulaError',
      `${what} is a formula that failed (${text}). Put the value itself into the cell and import the file again.`,
    )
  } else return text
  return ''
}

/** An identifier: what a spreadsheet made of a long number is refused, since its digits are lost. */
export function neededCode(row: MappedRow, field: Field, problems: Problems, what: string): string {
  const text = needed(row, field, problems, what)
  if (!/^\d(\.\d+)?e\+\d+$/i.test(text)) return text
  problems.add(
    row,
    field,
    'shortenedNumber',
    `${what} was shortened to ${text} by the spreadsheet. Format the column as text, enter it again and import the file again.`,
  )
  return ''
}

export function quantityOf(row: MappedRow, problems: Problems): number {
  const text = needed(row, 'quantity', problems, 'The quantity')
  if (text === '') return 0
  const quantity = parseQuantity(text)
  if (quantity === null)
    problems.add(row, 'quantity', 'notWhole', `The quantity ${text} is not a whole number. Correct it and import the file again.`)
  else if (quantity <= 0)
    problems.add(
      row,
      'quantity',
      'notPositive',
      `The quantity is ${quantity}; it must be 1 or more. Correct it, or take the row out, and import the file again.`,
    )
  return quantity ?? 0
}

/** @returns minor units; null when empty, or unreadable after telling so. */
export function amountOf(row: MappedRow, field: Field, problems: Problems): number | null {
  const text = row.text(field)
  if (text === '' || text === '-') return null
  const amount = parseAmountMinor(text)
  if (amount === null)
    problems.add(
      row,
      field,
      'badAmount',
      `The amount ${text} cannot be read. Write it in digits, such as 1290, and import the file again.`,
    )
  return amount
}

export interface Contact {
  recipient: IncomingOrder['recipient']
  masked: boolean
  extension: string | undefined
}

/** `readAddress`: taking an address apart is dear, and the order keeps that of its first row only. Name, phone and, where the parcel goes to a home, an address; what the channel masks is accepted and becomes null. */
export function contactOf(row: MappedRow, problems: Problems, options: { needsAddress: boolean; readAddress: boolean }): Contact {
  const name = needed(row, 'recipientName', problems, "The recipient's name")
  const phones: Phone[] = (['phone', 'phone2', 'phone3'] as const)
    .filter((field) => row.text(field) !== '')
    .map((field) => parsePhone(row.raw(field)))
  const usable = phones.find((phone) => phone.e164 !== null)
  const phoneMasked = usable === undefined && phones.some((phone) => phone.masked)
  if (phones.length === 0) needed(row, 'phone', problems, "The recipient's phone")
  else if (usable === undefined && !phoneMasked) {
    const field = (['phone', 'phone2'] as const).find((each) => row.text(each) !== '') ?? 'phone3'
    problems.add(
      row,
      field,
      'badPhone',
      `The recipient's phone cannot be read: ${phones[0]?.problem ?? 'no number'}. Correct it and import the file again.`,
    )
  }
  const written = row.text('address')
  const addressMasked = isMasked(written)
  const nameMasked = isMasked(name)
  const masked = nameMasked || phoneMasked || addressMasked
  if (options.needsAddress && written === '' && !nameMasked && !phoneMasked)
    needed(row, 'address', problems, "The recipient's address")
  return {
    masked,
    extension: usable?.extension,
    recipient: {
      name: name === '' || nameMasked ? null : name,
      phone: usable?.e164 ?? null,
      address: written === '' || addressMasked || !options.readAddress ? null : addressOf(row),
      ...(masked && { masked: true }),
    },
  }
}

function addressOf(row: MappedRow): Address {
  const part = (field: Field) => {
    const text = row.text(field)
    return text === '' || isMasked(text) ? null : text
  }
  // What is incomplete about it holds the order later, at the check, where a person can complete it.
  const written = [row.raw('address'), row.raw('address2')].filter((text) => text !== '').join(' ')
  const { problem: _, ...address } = parseAddress(written, {
    postalCode: part('postalCode'),
    city: part('city'),
    district: part('district'),
    province: part('province'),
    country: part('country'),
  })
  return address
}

/** Tells every later row that says something else than the first about the order as a whole. */
export function checkAgreement(rows: MappedRow[], fields: readonly Field[], problems: Problems): void {
  for (const field of fields) {
    // A cell that is wrong in itself is no measure for the others.
    const telling = rows.filter((row) => row.text(field) !== '' && !problems.has(row, field))
    const [first] = telling
    if (!first) continue
    for (const row of telling) {
      const text = row.text(field)
      if (text === first.text(field) || sameAmount(text, first.text(field))) continue
      problems.add(
        row,
        field,
        'disagree',
        `Rows of one order disagree: row ${first.row} says ${first.raw(field)}. Make them the same, or give the other order its own number, and import the file again.`,
      )
    }
  }
}

const sameAmount = (a: string, b: string) => parseAmountMinor(a) !== null && parseAmountMinor(a) === parseAmountMinor(b)

/** `key`, `key#2`, `key#3`: the same lines get the same ids whatever the order's place in the file. */
export function lineIds(keys: string[]): string[] {
  const used = new Map<string, number>()
  return keys.map((key) => {
    const nth = (used.get(key) ?? 0) + 1
    used.set(key, nth)
    return nth === 1 ? key : `${key}#${nth}`
  })
}

export const orNull = (text: string): string | null => (text === '' ? null : text)

/** The first row that says anything about it. */
export const firstText = (rows: MappedRow[], field: Field): string =>
  rows.find((row) => row.text(field) !== '')?.text(field) ?? ''
