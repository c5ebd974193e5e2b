/** Records of an .xls workbook stream (MS-XLS, BIFF8): walked for reading, and with their places for writing back. */
import { damaged, unreadable } from './errors.ts'

export const Record8 = {
  BOF: 0x0809,
  EOF: 0x000a,
  BOUNDSHEET: 0x0085,
  DATEMODE: 0x0022,
  FORMAT: 0x041e,
  XF: 0x00e0,
  SST: 0x00fc,
  CONTINUE: 0x003c,
  LABELSST: 0x00fd,
  LABEL: 0x0204,
  RSTRING: 0x00d6,
  NUMBER: 0x0203,
  RK: 0x027e,
  MULRK: 0x00bd,
  BLANK: 0x0201,
  MULBLANK: 0x00be,
  BOOLERR: 0x0205,
  FORMULA: 0x0006,
  STRING: 0x0207,
  MERGECELLS: 0x00e5,
  FILEPASS: 0x002f,
  INDEX: 0x020b,
  DBCELL: 0x00d7,
  ROW: 0x0208,
  DIMENSIONS: 0x0200,
} as const

export interface BiffRecord {
  type: number
  /** Where the record's header lies in the stream. */
  at: number
  body: Buffer
}

/** @throws OmnisagaError Invalid when the stream ends inside a record. */
export function* records(stream: Buffer, from = 0): Generator<BiffRecord> {
  let at = from
  while (at + 4 <= stream.length) {
    const type = stream.readUInt16LE(at)
    const size = stream.readUInt16LE(at + 2)
    // Behind the last EOF the container pads with zeros.
    if (type === 0 && size === 0) return
    if (at + 4 + size > stream.length) throw damaged('its last record is cut off')
    yield { type, at, body: stream.subarray(at + 4, at + 4 + size) }
    at += 4 + size
  }
}

/** The records of one substream, from its BOF to its EOF. @throws OmnisagaError Invalid when EOF never comes. */
export function* substream(stream: Buffer, from: number): Generator<BiffRecord> {
  let depth = 0
  for (const record of records(stream, from)) {
    if (record.type === Record8.BOF) depth++
    // Charts are substreams inside a sheet's.
    if (depth === 1 || record.type === Record8.EOF) yield record
    if (record.type === Record8.EOF && --depth === 0) return
  }
  throw damaged('it ends in the middle of a sheet')
}

/** A character array that may go on in CONTINUE records, each of which starts with its own width flag (MS-XLS 2.5.293). */
export class ContinuedReader {
  private readonly parts: Buffer[]
  private part = 0
  private at = 0

  constructor(parts: Buffer[]) {
    this.parts = parts
  }

  private current(): Buffer {
    while (this.at >= (this.parts[this.part]?.length ?? 0)) {
      this.part++
      this.at = 0
      if (this.part >= this.parts.length) throw damaged('its texts are cut off')
    }
    return this.parts[this.part] as Buffer
  }

  u8(): number {
    const byte = this.current()[this.at] as number
    this.at++
    return byte
  }
  u16(): number {
    return this.u8() | (this.u8() << 8)
  }
  u32(): number {
    return this.u16() + this.u16() * 65_536
  }

  skip(bytes: number): void {
    for (let left = bytes; left > 0;) {
      const step = Math.min(left, this.current().length - this.at)
      this.at += step
      left -= step
    }
  }

  /** XLUnicodeRichExtendedString; rich runs and phonetic data are left out. */
  string(): string {
    const characters = this.u16()
    const flags = this.u8()
    const runs = flags & 8 ? this.u16() : 0
    const extra = flags & 4 ? this.u32() : 0
    const text = this.characters(characters, (flags & 1) === 1)
    this.skip(runs * 4 + extra)
    return text
  }

  characters(count: number, startsWide: boolean): string {
    let wide = startsWide
    let left = count
    let text = ''
    while (left > 0) {
      if (this.at >= (this.parts[this.part]?.length ?? 0)) wide = (this.u8() & 1) === 1
      const part = this.current()
      const take = Math.min(left, wide ? (part.length - this.at) >> 1 : part.length - this.at)
      if (take === 0) throw damaged('a character of its texts is split')
      const end = this.at + (wide ? take * 2 : take)
      text += part.toString(wide ? 'utf16le' : 'latin1', this.at, end)
      this.at = end
      left -= take
    }
    return text
  }
}

export interface BoundSheet {
  name: string
  offset: number
  hidden: boolean
  worksheet: boolean
  recordAt: number
}

/** What stands before the sheets. */
export interface Globals {
  sheets: BoundSheet[]
  strings: string[]
  formats: Map<number, string>
  xfFormats: number[]
  date1904: boolean
}

export function readGlobals(stream: Buffer): Globals {
  const found: Globals = { sheets: [], strings: [], formats: new Map(), xfFormats: [], date1904: false }
  let sst: Buffer[] | null = null
  let previous = 0
  for (const { type, at, body } of substream(stream, 0)) {
    if (type === Record8.BOF && body.length >= 2 && body.readUInt16LE(0) !== 0x0600) {
      throw unreadable(
        'oldVersion',
        'The workbook was written by an Excel older than 97.',
        'Open it in Excel, save it as .xlsx and import that.',
      )
    }
    if (type === Record8.CONTINUE && sst !== null && (previous === Record8.SST || previous === Record8.CONTINUE)) sst.push(body)
    else if (type === Record8.SST) sst = [body]
    else if (type === Record8.DATEMODE) found.date1904 = body.readUInt16LE(0) === 1
    else if (type === Record8.FORMAT) found.formats.set(body.readUInt16LE(0), new ContinuedReader([body.subarray(2)]).string())
    else if (type === Record8.XF) found.xfFormats.push(body.readUInt16LE(2))
    else if (type === Record8.BOUNDSHEET) found.sheets.push(boundSheet(body, at))
    if (!(type === Record8.CONTINUE && previous !== Record8.SST && previous !== Record8.CONTINUE)) previous = type
  }
  if (sst !== null) found.strings = readStrings(sst)
  return found
}

function boundSheet(body: Buffer, recordAt: number): BoundSheet {
  const characters = body.readUInt8(6)
  const wide = (body.readUInt8(7) & 1) === 1
  const name = body.toString(wide ? 'utf16le' : 'latin1', 8, 8 + characters * (wide ? 2 : 1))
  return {
    name,
    offset: body.readUInt32LE(0),
    hidden: (body.readUInt8(4) & 3) !== 0,
    worksheet: body.readUInt8(5) === 0,
    recordAt,
  }
}

function readStrings(parts: Buffer[]): string[] {
  const reader = new ContinuedReader(parts)
  reader.u32()
  const count = reader.u32()
  const strings: string[] = []
  for (let i = 0; i < count; i++) strings.push(reader.string())
  return strings
}

const ERRORS: Record<number, string> = {
  0x00: '#NULL!',
  0x07: '#DIV/0!',
  0x0f: '#VALUE!',
  0x17: '#REF!',
  0x1d: '#NAME?',
  0x24: '#NUM!',
  0x2a: '#N/A',
}
export const errorText = (code: number): string => ERRORS[code] ?? '#ERR'

/** RK: 30 bits of a double or of a whole number, perhaps hundredths (MS-XLS 2.5.217). */
export function rkNumber(rk: number): number {
  let value: number
  if (rk & 2) value = rk >> 2
  else {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32LE((rk & 0xfffffffc) >>> 0, 4)
    value = bytes.readDoubleLE(0)
  }
  return rk & 1 ? value / 100 : value
}
