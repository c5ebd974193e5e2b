/** A layout is known by its headers, whatever their order. */
import { contentHash } from '../../domain/ids.ts'
import { normaliseHeader } from '../normalise/index.ts'

/** The column that `annotate` adds: what is wrong in the row, and how many rows its order has where these are several. */
export const REMARK_HEADER = '錯誤說明'
export const countRemark = (rows: number): string => (rows > 1 ? `訂單共 ${rows} 列` : '')
/** @returns 0 when the remark does not say. */
export const countIn = (remark: string): number => Number(/訂單共 (\d{1,6}) 列/.exec(remark)?.[1] ?? 0)

/** @returns 16 hexadecimal digits; the same for the same set of headers. */
export function fingerprintOf(headers: Iterable<string | undefined>): string {
  const keys = new Set<string>()
  for (const header of headers) {
    const key = normaliseHeader(header)
    if (key !== '' && key !== REMARK_HEADER) keys.add(key)
  }
  return contentHash([...keys].sort().join('\n')).slice(0, 16)
}
