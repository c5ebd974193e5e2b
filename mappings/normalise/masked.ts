/** Values that a channel hides: `****`, `王*明`, `王○明`, `王ＸＸ`. A real name must never be taken for one. */
import { normaliseText } from './text.ts'

const STAR = '*＊∗⁎✱✲﹡'
const CIRCLE = '○◯●⚪⚫'
const TITLE = '(?: ?(?:先生|小姐|女士|太太|同學|老師))?'

const STARS = new RegExp(`[${STAR}]{2,}`, 'u')
/** One star beside a letter: `王*明`, `J*hn`; not `60*90`. */
const STAR_BY_LETTER = new RegExp(`\\p{L}[${STAR}]|[${STAR}]\\p{L}`, 'u')
const ONLY_MARKS = new RegExp(`^[${STAR}${CIRCLE}〇]+$`, 'u')
/** A number with hidden digits: at least seven places, so that a size (60*90) is none. */
const STARRED_NUMBER = new RegExp(`^(?=.{7})[+\\d(][\\d\\s()-]*[${STAR}][\\d\\s()${STAR}-]*$`, 'u')
const CIRCLES = new RegExp(`[${CIRCLE}]{2,}|\\p{Script=Han}[${CIRCLE}](?:\\p{Script=Han}|$)`, 'u')
/** 〇 is also the digit zero (二〇三號), so it counts only in the shape of a whole name, and never beside another numeral. */
const NUMERALS = '零一二三四五六七八九十百千年月日號樓'
const ZERO_NAME = new RegExp(`^(?![${NUMERALS}])\\p{Script=Han}{1,2}〇{1,2}(?![${NUMERALS}])\\p{Script=Han}?${TITLE}$`, 'u')
/** 王O明, 陳XX: a letter between two ideographs, or two or three after the family name; never `X先生` or `陳X`. */
const LETTER_NAME = new RegExp(
  `^\\p{Script=Han}{1,2}(?:[OX]{1,2}(?!先生|小姐|女士|太太|同學|老師)\\p{Script=Han}|[OX]{2,3})${TITLE}$`,
  'u',
)

/** True for a value with hidden parts. Empty is not masked. */
export function isMasked(value: string | null | undefined): boolean {
  const text = normaliseText(value)
  if (text === '') return false
  return (
    ONLY_MARKS.test(text) ||
    STARS.test(text) ||
    STAR_BY_LETTER.test(text) ||
    STARRED_NUMBER.test(text) ||
    CIRCLES.test(text) ||
    ZERO_NAME.test(text) ||
    LETTER_NAME.test(text)
  )
}
