import { asciiDigits } from './text.ts'

const UNIT = '(?:個|件|組|盒|包|瓶|罐|雙|套|入|份|本|張|支|條|箱|袋|片|顆|台|臺|pcs?|ea)?'
const WHOLE = new RegExp(`^(?:[x×]\\s*)?([+-]?(?:\\d+|\\d{1,3}(?:,\\d{3})+))(?:\\.0+)?\\s*${UNIT}\\.?$`, 'i')
const LARGEST = 2_147_483_647

/**
 * A whole number of pieces as written: `３`, `1,200`, `2.00`, `2 件`, `x2`. Zero and negatives are given back as they are, for the
 * caller to refuse with the value. @returns null for anything else: 1.5, `2盒(6入)`, `1e3`, blank.
 */
export function parseQuantity(raw: unknown): number | null {
  if (typeof raw === 'number') return Number.isInteger(raw) && Math.abs(raw) <= LARGEST ? raw + 0 : null
  if (typeof raw !== 'string') return null
  const digits = WHOLE.exec(asciiDigits(raw).replace(/^[='"]+|["']+$/g, ''))?.[1]
  if (digits === undefined) return null
  const quantity = Number(digits.replaceAll(',', ''))
  return Math.abs(quantity) <= LARGEST ? quantity + 0 : null
}
