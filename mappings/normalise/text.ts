/** Text as people and exporters write it, made comparable without touching a single Chinese character. */

/** Zero-width and direction marks, soft hyphen, byte order mark. Variation selectors stay: they belong to a character. */
const INVISIBLE =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/gu
/** A zero-width joiner is kept only where it joins two pictographs into one (a family, a flag). */
const LOOSE_JOINER = /(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d|\u200d(?!\p{Extended_Pictographic})/gu
/** Controls that are no white space; line ends and tabs become a space with the rest. */
const CONTROL = /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/gu
const SPACE = /[\s\u0085\u3000\u3164\uffa0]+/gu
const FULL_WIDTH_ALPHANUMERIC = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]/g

const halfWidth = (character: string) => String.fromCharCode(character.charCodeAt(0) - 0xfee0)

/** What PostgreSQL can store: without NUL, lone surrogates replaced. All else stays as written. */
export const storable = (text: string): string => text.replaceAll('\u0000', '').replace(/\p{Surrogate}/gu, '\ufffd')

/**
 * Full-width digits, letters and spaces become half-width; control and zero-width characters go; white space collapses to one
 * space. Everything else stays as it is: no Unicode normalisation, which would change 堃峯喆, ① or a compatibility ideograph.
 */
export function normaliseText(text: string | null | undefined): string {
  if (text === null || text === undefined) return ''
  return storable(text)
    .replace(INVISIBLE, '')
    .replace(CONTROL, '')
    .replace(LOOSE_JOINER, '')
    .replace(FULL_WIDTH_ALPHANUMERIC, halfWidth)
    .replace(SPACE, ' ')
    .trim()
}

const BRACKETS: Record<string, string> = {
  '【': '[',
  '】': ']',
  '〔': '[',
  '〕': ']',
  '「': '[',
  '」': ']',
  '『': '[',
  '』': ']',
  '〈': '[',
  '〉': ']',
}

/**
 * The key by which a column is found: no white space, half-width, lower case, one kind of each bracket, no mark of a required
 * column (`*數量`, `數量：`). A key only, never shown, so compatibility characters may be folded here.
 */
export function normaliseHeader(text: string | null | undefined): string {
  return normaliseText(text)
    .normalize('NFKC')
    .replace(/[【】〔〕「」『』〈〉]/g, (bracket) => BRACKETS[bracket] ?? bracket)
    .replace(/[﹙﹚]/g, (bracket) => (bracket === '﹙' ? '(' : ')'))
    .replace(/\s+/gu, '')
    .toLowerCase()
    .replace(/^[*:]+|[*:]+$/g, '')
}

/** Digits and their separators in half-width, dashes of every length as `-`: for phones, dates and numbers only. */
export const asciiDigits = (text: string): string =>
  normaliseText(text)
    .normalize('NFKC')
    .replace(/[‐‑‒–—―−ー﹣－]/g, '-')
