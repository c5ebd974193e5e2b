/** CSV in UTF-8 (with or without BOM), UTF-16 with its BOM (Excel's "Unicode text") or Big5 as Taiwan's Windows writes it. Everything is text; rows come one by one. */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import iconv from 'iconv-lite'
import { damaged, tooBig, unreadable } from './errors.ts'
import type { FileSource, Limits, SheetRow, Workbook } from './types.ts'

export type TextEncoding = 'utf8' | 'big5' | 'utf-16le' | 'utf-16be'

const SAMPLE_BYTES = 1024 * 1024
const MAX_RECORD_CHARACTERS = 4 * 1024 * 1024

async function* pieces(source: FileSource): AsyncGenerator<Buffer> {
  if ('bytes' in source) {
    for (let at = 0; at < source.bytes.length; at += 65_536) yield source.bytes.subarray(at, at + 65_536)
  } else yield* createReadStream(source.path) as AsyncIterable<Buffer>
}

/** Removes the bytes of a character that the sample cut. */
function wholeCharacters(sample: Buffer): Buffer {
  let end = sample.length
  for (let back = 1; back <= 4 && back <= sample.length; back++) {
    const byte = sample[sample.length - back] as number
    if (byte < 0x80) break
    if (byte >= 0xc0) {
      end = sample.length - back
      break
    }
  }
  return sample.subarray(0, end)
}

/** @throws OmnisagaError Invalid for binary contents and other encodings. Judged by the first MiB. */
export function detectEncoding(sample: Buffer): TextEncoding {
  if (sample[0] === 0xff && sample[1] === 0xfe) return 'utf-16le'
  if (sample[0] === 0xfe && sample[1] === 0xff) return 'utf-16be'
  if (sample.includes(0)) {
    throw unreadable(
      'wrongType',
      'The file is neither a workbook nor text.',
      'Import an .xlsx, .xls or .csv file as the channel exports it.',
    )
  }
  if (isUtf8(sample) || isUtf8(wholeCharacters(sample))) return 'utf8'
  const text = iconv.decode(sample, 'big5')
  const odd = text.match(/\uFFFD/g)?.length ?? 0
  // One may be the character that the sample cut.
  if (odd > 1 + text.length / 1000) {
    throw unreadable(
      'encoding',
      'The text file is neither UTF-8 nor Big5 (CP950).',
      'Save it in Excel as "CSV UTF-8" and import that.',
    )
  }
  return 'big5'
}

async function sampleOf(source: FileSource): Promise<Buffer> {
  if ('bytes' in source) return source.bytes.subarray(0, SAMPLE_BYTES)
  const file = await open(source.path)
  try {
    const buffer = Buffer.alloc(SAMPLE_BYTES)
    const { bytesRead } = await file.read(buffer, 0, SAMPLE_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

export async function openCsv(source: FileSource, limits: Limits): Promise<Workbook> {
  const encoding = detectEncoding(await sampleOf(source))
  return {
    format: 'csv',
    encrypted: false,
    hiddenSheets: [],
    close: () => undefined,
    sheets: [{ name: 'csv', rows: () => readRows(source, encoding, limits) }],
  }
}

async function* decoded(source: FileSource, encoding: TextEncoding): AsyncGenerator<string> {
  if (encoding !== 'big5') {
    const decoder = new TextDecoder(encoding === 'utf8' ? 'utf-8' : encoding, { fatal: true })
    try {
      for await (const piece of pieces(source)) yield decoder.decode(piece, { stream: true })
      yield decoder.decode()
    } catch (error) {
      if (error instanceof TypeError)
        throw damaged(`it begins as ${encoding === 'utf8' ? 'UTF-8' : 'UTF-16'} and goes on as something else`)
      throw error
    }
    return
  }
  // As `big5`: iconv-lite's cp950 lacks 365 codes that Taiwan's exports use (①②…).
  const decoder = iconv.getDecoder('big5')
  for await (const piece of pieces(source)) yield decoder.write(piece)
  yield decoder.end() ?? ''
}

/**
 * The same text with some cells filled.
 * @param edits by `row,column`, both from 0 and `row` counting every record.
 */
export async function rewriteCsv(
  bytes: Buffer,
  edits: ReadonlyMap<string, { row: number; column: number; text: string }>,
): Promise<Buffer> {
  const encoding = detectEncoding(bytes.subarray(0, SAMPLE_BYTES))
  let text = ''
  for await (const piece of decoded({ bytes, fileName: '' }, encoding)) text += piece
  const delimiter = guessDelimiter(text)
  const { records } = parseRecords(text, delimiter, true)
  for (const { row, column, text: value } of edits.values()) {
    const record = records[row]
    if (record === undefined) throw new Error(`the text has no record ${row + 1}`)
    while (record.length <= column) record.push('')
    record[column] = value
  }
  const special = new RegExp(`["\\r\\n${delimiter}]`)
  const end = /\r\n/.test(text) ? '\r\n' : '\n'
  const lines = records.map((record) =>
    record.map((cell) => (special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter),
  )
  const mark =
    text.startsWith('\uFEFF') || encoding.startsWith('utf-16')
      ? '\uFEFF'
      : bytes.subarray(0, 3).toString('latin1') === '\xef\xbb\xbf'
        ? '\uFEFF'
        : ''
  const out = `${mark}${lines.join(end)}${/[\r\n]$/.test(text) ? end : ''}`.replace(/^\uFEFF\uFEFF/, '\uFEFF')
  return iconv.encode(out, encoding === 'utf-16be' ? 'utf16-be' : encoding === 'utf-16le' ? 'utf16-le' : encoding, {
    addBOM: false,
  })
}

async function* readRows(source: FileSource, encoding: TextEncoding, limits: Limits): AsyncGenerator<SheetRow> {
  let row = 0
  let rest = ''
  let delimiter: string | null = null
  const finished = function* (text: string, last: boolean): Generator<SheetRow> {
    delimiter ??= guessDelimiter(text)
    const { records, used } = parseRecords(text, delimiter, last)
    rest = text.slice(used)
    if (rest.length > MAX_RECORD_CHARACTERS)
      throw tooBig(`row ${row + records.length + 1} does not end; look for a quotation mark that is never closed`)
    for (const record of records) {
      row++
      if (row > limits.maxRows) throw tooBig(`more than ${limits.maxRows} rows`)
      if (record.length > limits.maxColumns)
        throw tooBig(`row ${row} has ${record.length} columns, ${limits.maxColumns} are allowed`)
      const cells = record.map((text) => plainText(text))
      while (cells.length > 0 && cells.at(-1) === null) cells.pop()
      if (cells.length > 0) yield { row, cells }
    }
  }
  for await (const piece of decoded(source, encoding)) yield* finished(rest + piece, false)
  if (rest !== '') yield* finished(rest, true)
}

/** Of comma, tab and semicolon the one that the first line with any has most of; what is quoted may hold any of them, and line ends. */
function guessDelimiter(text: string): string {
  const bare = text.slice(0, 65_536).replace(/"(?:[^"]|"")*"/g, '""')
  const line = /^[^\r\n]*[,\t;][^\r\n]*/m.exec(bare)?.[0] ?? ''
  const count = (delimiter: string) => line.split(delimiter).length
  return [',', '\t', ';'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best))
}

/** RFC 4180. @returns whole records, and how many characters they took; what is incomplete waits for more unless it is the `last`. */
export function parseRecords(text: string, delimiter: string, last: boolean): { records: string[][]; used: number } {
  const records: string[][] = []
  let used = 0
  let at = 0
  let record: string[] = []
  while (at < text.length) {
    let value: string
    if (text[at] === '"') {
      let close = text.indexOf('"', at + 1)
      while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2)
      if (close < 0 || (close === text.length - 1 && !last)) {
        if (last) throw damaged('a quotation mark in it is never closed')
        return { records, used }
      }
      value = text.slice(at + 1, close).replaceAll('""', '"')
      at = close + 1
    } else value = ''
    let end = at
    while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end++
    value += text.slice(at, end)
    const stop = text[end]
    if (!last && (stop === undefined || (stop === '\r' && end + 1 === text.length))) return { records, used }
    record.push(value)
    at = end + 1
    if (stop === delimiter) {
      if (at === text.length && last) record.push('')
      if (at < text.length || !last) continue
    } else if (stop === '\r' && text[at] === '\n') at++
    records.push(record)
    record = []
    used = Math.min(at, text.length)
  }
  return { records, used }
}

/** `="0912345678"` is how exporters keep a leading zero through Excel. */
function plainText(text: string): string | null {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text
  const wrapped = /^="(.*)"$/s.exec(bare)
  const value = wrapped ? (wrapped[1] ?? '').replace(/""/g, '"') : bare
  return value === '' ? null : value
}
