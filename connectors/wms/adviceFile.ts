/** Reading a file of shipment advices (from-warehouse.xsd) into raw records. Pure. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'
import { contentHash } from '../../domain/ids.ts'
import type { RawRecord } from '../kit/types.ts'
import { withoutIllegal } from './xml.ts'

/** One advice that cannot go on by itself; `position` counts from 1 within its file. */
export interface BadAdvice {
  position: number
  content: unknown
  reason: string
}

export type AdviceFile =
  | { state: 'read'; records: RawRecord[]; bad: BadAdvice[] }
  /** The end is missing: perhaps it is still being written. */
  | { state: 'unfinished'; reason: string }
  | { state: 'unreadable'; reason: string }

const ROOT = 'ShipmentAdvices'
const CLOSED = new RegExp(`</([\\w.-]+:)?${ROOT}\\s*>\\s*$`)
const MAX_ID_LENGTH = 200

const parser = new XMLParser({
  parseTagValue: false, // 0912… stays text
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  htmlEntities: true, // without it &#38515; stays undecoded
  isArray: (name) => name === 'Advice' || name === 'Line',
})

export const unfinished = (reason: string): AdviceFile => ({ state: 'unfinished', reason })
export const unreadable = (reason: string): AdviceFile => ({ state: 'unreadable', reason })

export function parseAdviceFile(bytes: Uint8Array, file: string): AdviceFile {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return unreadable('the file is UTF-16: write it in UTF-8')
  // The tail tells whether the writer is done; it is looked at bytewise, since a half file may end within a character.
  const closed = CLOSED.test(new TextDecoder('latin1').decode(bytes.subarray(-400)))
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return closed
      ? unreadable('the file is not UTF-8: write it in UTF-8')
      : unfinished('the file breaks off within a character, or is not UTF-8')
  }
  const encoding = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([^"']*)["']/.exec(text.slice(0, 200))?.[1]
  if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding))
    return unreadable(`the file says its encoding is ${encoding}: write it in UTF-8`)
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) return unreadable('the file holds a DOCTYPE or ENTITY declaration: leave it out')

  const valid = XMLValidator.validate(text)
  if (valid !== true) {
    const reason = `not well-formed XML in line ${valid.err.line}: ${valid.err.msg.replace(/\s+/g, ' ')}`
    return closed ? unreadable(reason) : unfinished(`the file breaks off: </${ROOT}> is missing (${reason})`)
  }
  let parsed: unknown
  try {
    parsed = parser.parse(text)
  } catch (error) {
    return unreadable(`not readable as XML: ${(error as Error).message}`)
  }
  const roots = Object.entries(parsed as Record<string, unknown>)
  const [name, content] = roots[0] ?? ['', '']
  if (roots.length !== 1 || name !== ROOT)
    return unreadable(`the root element is ${roots.map(([key]) => key).join(', ')}: it must be ${ROOT}`)
  return adviceElements(content, file)
}

function adviceElements(content: unknown, file: string): AdviceFile {
  const root = z.object({ Advice: z.array(z.unknown()).default([]) }).safeParse(content === '' ? {} : content)
  if (!root.success) return unreadable(`${ROOT} holds text: it must hold Advice elements`)
  const stray = Object.keys(content === '' ? {} : (content as object)).find((name) => name !== 'Advice' && name !== '#text')
  if (stray !== undefined) return unreadable(`${ROOT} holds <${stray}>: it must hold Advice elements only`)
  return collect(root.data.Advice, file)
}

/** What can be filed under its unit becomes a record, the rest is set aside. */
export function collect(advices: unknown[], file: string): AdviceFile {
  const records: RawRecord[] = []
  const bad: BadAdvice[] = []
  for (const [index, advice] of advices.entries()) {
    const cleaned = clean(advice)
    const reason = unidentified(cleaned)
    if (reason === null) records.push(recordOf(cleaned as Record<string, unknown>, file))
    else bad.push({ position: index + 1, content: cleaned, reason })
  }
  return { state: 'read', records, bad }
}

/** Character references can smuggle in what neither XML nor PostgreSQL stores. */
function clean(value: unknown): unknown {
  if (typeof value === 'string') return withoutIllegal(value)
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, clean(inner)]))
  return value
}

/** Why an advice cannot even be filed under its unit; null when it can. The rest is judged by mapAdvice. */
function unidentified(advice: unknown): string | null {
  if (typeof advice !== 'object' || advice === null) return 'Advice holds no elements: it needs UnitId, Status and EventAt'
  const { UnitId: unitId, AdviceId: adviceId } = advice as Record<string, unknown>
  if (unitId === undefined || unitId === '') return 'UnitId is missing: repeat the UnitId of the wave'
  if (Array.isArray(unitId)) return 'UnitId is there more than once: write one Advice for each unit'
  if (typeof unitId !== 'string' || unitId.length > MAX_ID_LENGTH) return 'UnitId is no id: repeat the UnitId of the wave'
  if (adviceId !== undefined && (typeof adviceId !== 'string' || adviceId.length > MAX_ID_LENGTH))
    return 'AdviceId is no id: write one short text'
  return null
}

function recordOf(advice: Record<string, unknown>, file: string): RawRecord {
  const eventAt = z.iso.datetime({ offset: true }).safeParse(advice.EventAt)
  const id = typeof advice.AdviceId === 'string' && advice.AdviceId !== '' ? `${advice.AdviceId}/` : ''
  return {
    kind: 'shipmentAdvice',
    externalId: String(advice.UnitId),
    // With the content, so that a warehouse that counts from 1 in every file does not lose its second advice 1.
    version: `${id}${contentHash(advice).slice(0, 16)}`,
    eventAt: eventAt.success ? eventAt.data : null,
    payload: { ...advice, file },
  }
}
