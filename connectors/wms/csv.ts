/**
 * The drop folder's files as CSV (RFC 4180, first row names the columns), beside XML: the same words, a row for each line of an order or
 * an advice. Pure.
 */
import iconv from 'iconv-lite'
import { OmnisagaError } from '../../domain/errors.ts'
import { parseRecords } from '../../mappings/files/csv.ts'
import type { Wave } from '../kit/types.ts'
import { collect, unfinished, unreadable, type AdviceFile } from './adviceFile.ts'
import type { WmsConfig } from './config.ts'
import { checkWave, fileNameOf, type OutFile } from './requests.ts'

type Format = Pick<WmsConfig, 'delimiter' | 'encoding'>
type Row = Record<string, string | number | null>

/** A line break within a cell would be a row to a simple reader: it becomes a space. */
const cell = (value: string | number | null, delimiter: string): string => {
  const text = String(value ?? '').replaceAll(/\s*[\r\n]+\s*/g, ' ')
  return text.includes(delimiter) || /["\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Every row has the columns of the first. @throws OmnisagaError Invalid when the encoding has no such character. */
function encode(fileName: string, rows: Row[], { delimiter, encoding }: Format): OutFile {
  const columns = Object.keys(rows[0] ?? {})
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? null))]
  const text = lines.map((line) => `${line.map((value) => cell(value, delimiter)).join(delimiter)}\r\n`).join('')
  if (encoding === 'utf-8') return { fileName, content: text }
  const content = iconv.encode(text, 'big5')
  if (iconv.decode(content, 'big5') === text) return { fileName, content }
  const [column, character] = firstMissing(rows)
  throw new OmnisagaError('Invalid', `${fileName}: ${column} holds ${character}, which Big5 does not have`, {
    code: 'encoding',
    remedy: 'Let the warehouse take UTF-8 (encoding), or write the text of the order otherwise.',
  })
}

/** The character is told by its number: a name is nobody's business. */
function firstMissing(rows: Row[]): [column: string, character: string] {
  for (const row of rows)
    for (const [column, value] of Object.entries(row))
      for (const character of String(value ?? ''))
        if (iconv.decode(iconv.encode(character, 'big5'), 'big5') !== character)
          return [column, `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`]
  return ['a column', 'a character']
}

/** @throws OmnisagaError Invalid for a wave or an order with nothing in it. */
export function waveCsv(wave: Wave, format: Format): OutFile {
  checkWave(wave)
  const rows = wave.units.flatMap(({ recipient, delivery, lines, ...unit }) =>
    lines.map((line) => ({
      WaveId: wave.id,
      Location: wave.location,
      CreatedAt: wave.createdAt,
      UnitId: unit.unitId,
      OrderId: unit.orderId,
      OrderNumber: unit.externalId,
      Priority: unit.priority,
      Notes: unit.notes,
      AskedTime: unit.askedTime,
      RecipientName: recipient.name,
      RecipientPhone: recipient.phone,
      RecipientPostalCode: recipient.postalCode,
      RecipientAddress: recipient.address,
      DeliveryMethod: delivery.method,
      DeliveryService: delivery.service,
      LineId: line.lineId,
      Sku: line.sku,
      Name: line.name,
      Quantity: line.quantity,
    })),
  )
  return encode(fileNameOf('wave', wave.id, 'csv'), rows, format)
}

export const cancelCsv = (args: { unitId: string; reason: string; key: string }, format: Format): OutFile =>
  encode(fileNameOf('cancel', args.key, 'csv'), [{ Key: args.key, UnitId: args.unitId, Reason: args.reason }], format)

export const labelCsv = (
  args: { unitId: string; waybill: string; courier: string; amountDueMinor: number; notes: string | null; key: string },
  format: Format,
): OutFile => {
  const row = { Key: args.key, UnitId: args.unitId, Waybill: args.waybill, Courier: args.courier }
  return encode(
    fileNameOf('label', args.key, 'csv'),
    [{ ...row, AmountDueMinor: args.amountDueMinor, Notes: args.notes }],
    format,
  )
}

const REQUIRED = ['UnitId', 'Status', 'EventAt'] as const
const OF_ADVICE = ['AdviceId', 'UnitId', 'Status', 'EventAt', 'WeightGrams', 'Reason'] as const
const OF_LINE = ['LineId', 'Picked', 'Short'] as const

function textOf(bytes: Uint8Array, encoding: WmsConfig['encoding']): string | null {
  if (encoding === 'big5') {
    const text = iconv.decode(Buffer.from(bytes), 'big5')
    return text.includes('\ufffd') ? null : text
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Rows with the same AdviceId, UnitId, Status and EventAt are one advice. */
export function parseAdviceCsv(bytes: Uint8Array, file: string, { delimiter, encoding }: Format): AdviceFile {
  const whole = bytes.at(-1) === 0x0a
  const text = textOf(bytes, encoding)
  if (text === null) {
    const why = `the file is not ${encoding === 'big5' ? 'Big5' : 'UTF-8'}`
    return whole ? unreadable(`${why}: write it as the connection says`) : unfinished(`${why}, or breaks off within a character`)
  }
  if (!whole) return unfinished('the last row has no end')
  let records: string[][]
  try {
    ;({ records } = parseRecords(text, delimiter, true))
  } catch (error) {
    return unreadable((error as Error).message)
  }
  const columns = (records[0] ?? []).map((name) => name.trim().toLowerCase())
  const missing = REQUIRED.filter((name) => !columns.includes(name.toLowerCase()))
  if (missing.length > 0) return unreadable(`the first row names no ${missing.join(', ')}`)
  const valueOf = (record: string[], name: string) => record[columns.indexOf(name.toLowerCase())]?.trim() ?? ''
  const picked = (record: string[], names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, valueOf(record, name)]).filter(([, value]) => value !== ''))
  const advices = new Map<string, Record<string, unknown> & { Lines: { Line: unknown[] } }>()
  for (const record of records.slice(1)) {
    if (record.every((value) => value.trim() === '')) continue
    const key = JSON.stringify(['AdviceId', 'UnitId', 'Status', 'EventAt'].map((name) => valueOf(record, name)))
    const advice = advices.get(key) ?? { ...picked(record, OF_ADVICE), Lines: { Line: [] } }
    advices.set(key, advice)
    if (valueOf(record, 'LineId') !== '') advice.Lines.Line.push(picked(record, OF_LINE))
  }
  return collect([...advices.values()], file)
}
