/** CSV in UTF-8 (with or without BOM) or Big5 as Taiwan's Windows writes it. Everything is text; rows come one by one. */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import iconv from 'iconv-lite'
import Papa from 'papaparse'
import { damaged, tooBig, unreadable } from './errors.ts'
import type { FileSource, Limits, SheetRow, Workbook } from './types.ts'

export type TextEncoding = 'utf8' | 'big5'

const SAMPLE_BYTES = 1024 * 1024
const BATCH = 512

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
    if (byte >= 0xc0) { end = sample.length - back; break }
  }
  return sample.subarray(0, end)
}

/** @throws OmnisagaError Invalid for binary contents and other encodings. Judged by the first MiB. */
export function detectEncoding(sample: Buffer): TextEncoding {
  if (sample.includes(0)) {
    throw unreadable('wrongType', 'The file is neither a workbook nor text.', 'Import an .xlsx, .xls or .csv file as the channel exports it.')
  }
  if (isUtf8(sample) || isUtf8(wholeCharacters(sample))) return 'utf8'
  const text = iconv.decode(sample, 'big5')
  const odd = text.match(/\uFFFD/g)?.length ?? 0
  // One may be the character that the sample cut.
  if (odd > 1 + text.length / 1000) {
    throw unreadable('encoding', 'The text file is neither UTF-8 nor Big5 (CP950).', 'Save it in Excel as "CSV UTF-8" and import that.')
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
    format: 'csv', encrypted: false, hiddenSheets: [], close: () => undefined,
    sheets: [{ name: 'csv', rows: () => readRows(source, encoding, limits) }],
  }
}

async function* decoded(source: FileSource, encoding: TextEncoding): AsyncGenerator<string> {
  if (encoding === 'utf8') {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    try {
      for await (const piece of pieces(source)) yield decoder.decode(piece, { stream: true })
      yield decoder.decode()
    } catch (error) {
      if (error instanceof TypeError) throw damaged('it begins as UTF-8 and goes on as something else')
      throw error
    }
    return
  }
  // As `big5`: iconv-lite's cp950 lacks 365 codes that Taiwan's exports use (①②…).
  const decoder = iconv.getDecoder('big5')
  for await (const piece of pieces(source)) yield decoder.write(piece)
  yield decoder.end() ?? ''
}

async function* readRows(source: FileSource, encoding: TextEncoding, limits: Limits): AsyncGenerator<SheetRow> {
  let row = 0
  const input = Readable.from(decoded(source, encoding), { objectMode: true })
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, { skipEmptyLines: false, delimitersToGuess: [',', '\t', ';'] })
  // The loop below reads `parser`; an error of the input is handed on to it.
  input.once('error', (error) => parser.destroy(error))
  const records = input.pipe(parser)
  let batch = 0
  try {
    for await (const record of records as AsyncIterable<string[]>) {
      row++
      if (row > limits.maxRows) throw tooBig(`more than ${limits.maxRows} rows`)
      if (record.length > limits.maxColumns) throw tooBig(`row ${row} has ${record.length} columns, ${limits.maxColumns} are allowed`)
      const cells = record.map((text) => plainText(text))
      while (cells.length > 0 && cells.at(-1) === null) cells.pop()
      if (cells.length > 0) yield { row, cells }
      // Other work of this process gets its turn in a long file.
      if (++batch % BATCH === 0) await new Promise((resolve) => { setImmediate(resolve) })
    }
  } finally {
    input.destroy()
    parser.destroy()
  }
}

/** `="0912345678"` is how exporters keep a leading zero through Excel. */
function plainText(text: string): string | null {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text
  const wrapped = /^="(.*)"$/s.exec(bare)
  const value = wrapped ? (wrapped[1] ?? '').replace(/""/g, '"') : bare
  return value === '' ? null : value
}
