/** How many columns of a terminal a text takes: CJK and full-width forms take two, combining marks none (Unicode TR 11). */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u
// Built from its code: a control character must not stand in a pattern.
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')

export function widthOf(text: string): number {
  let width = 0
  for (const char of text.replaceAll(COLOUR, '')) width += ZERO.test(char) ? 0 : WIDE.test(char) ? 2 : 1
  return width
}

export const padded = (text: string, width: number, right = false): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return right ? space + text : text + space
}

/** Cut to `width` columns, with an ellipsis where something is left out. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let out = ''
  let used = 0
  for (const char of text) {
    const next = widthOf(char)
    if (used + next > width - 1) break
    out += char
    used += next
  }
  return `${out}…`
}

/** In lines of at most `width` columns, broken at spaces, commas and dots where there are some, else between letters. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (widthOf(rest) > width) {
    let end = 0
    let used = 0
    let soft = 0
    for (const char of rest) {
      used += widthOf(char)
      if (used > width) break
      end += char.length
      if (WIDE.test(char) || ' ,;/'.includes(char)) soft = end
    }
    const at = rest[end] === ' ' ? end : soft > 0 ? soft : Math.max(end, [...rest][0]?.length ?? 1)
    lines.push(rest.slice(0, at).trimEnd())
    rest = rest.slice(at).trimStart()
  }
  return [...lines, rest]
}
