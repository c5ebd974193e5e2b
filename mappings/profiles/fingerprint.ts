/** A layout is known by its headers, whatever their order. */
import { contentHash } from '../../domain/ids.ts'
import { normaliseHeader } from '../normalise/index.ts'

/** The columns that `annotate` adds: what is wrong in the row, and how many rows its order has. */
export const REMARK_HEADER = '錯誤說明'
export const COUNT_HEADER = '訂單列數'

/** @returns 16 hexadecimal digits; the same for the same set of headers. */
export function fingerprintOf(headers: Iterable<string | undefined>): string {
  const keys = new Set<string>()
  for (const header of headers) {
    const key = normaliseHeader(header)
    if (key !== '' && key !== REMARK_HEADER && key !== COUNT_HEADER) keys.add(key)
  }
  return contentHash([...keys].sort().join('\n')).slice(0, 16)
}
