/** Character data of SpreadsheetML: bytes to text, only ever for whole values so that no character is split. */
import { damaged } from '../errors.ts'

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function entity(whole: string, name: string): string {
  if (name.startsWith('#')) {
    const code = name[1] === 'x' || name[1] === 'X' ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10)
    if (!(code >= 0 && code <= 0x10ffff)) throw damaged(`character reference ${whole}`)
    return String.fromCodePoint(code)
  }
  const character = NAMED[name]
  // Other entities need a DOCTYPE, which is refused.
  if (character === undefined) throw damaged(`entity ${whole}`)
  return character
}

export const decodeEntities = (text: string): string => (text.includes('&') ? text.replace(/&([^;&\s]{1,12});/g, entity) : text)

/** Excel writes characters that XML forbids, and a literal `_x`, as `_xHHHH_` (ECMA-376 Part 1, 22.9.2.19 ST_Xstring). */
export const decodeExcelEscapes = (text: string): string =>
  text.includes('_x') ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) : text

/** @param raw true for CDATA, whose text has no entities. */
export function textOf(buffer: Buffer, start: number, end: number, raw = false): string {
  const text = buffer.toString('utf8', start, end)
  const plain = raw ? text : decodeEntities(text)
  return plain.includes('\r') ? plain.replace(/\r\n?/g, '\n') : plain
}
