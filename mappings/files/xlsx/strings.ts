/** The shared strings of a workbook, kept as UTF-8 bytes: a table of millions costs its bytes, not a string object each. */
import { damaged, tooBig } from '../errors.ts'
import type { Limits } from '../types.ts'
import { TagWalker, spells } from './tags.ts'
import { decodeExcelEscapes, textOf } from './text.ts'

const CACHE_SLOTS = 4096

export class SharedStrings {
  private bytes: Buffer = Buffer.allocUnsafe(64 * 1024)
  private used = 0
  private offsets = new Uint32Array(1024)
  private count = 0
  private readonly cachedIndex = new Int32Array(CACHE_SLOTS).fill(-1)
  private readonly cached: string[] = new Array<string>(CACHE_SLOTS).fill('')
  private readonly limits: Limits

  constructor(limits: Limits) {
    this.limits = limits
  }

  get size(): number {
    return this.count
  }

  /** Takes the UTF-8 of one string, already free of markup. */
  addBytes(source: Buffer, start: number, end: number): void {
    this.room(end - start)
    source.copy(this.bytes, this.used, start, end)
    this.used += end - start
    this.closeString()
  }

  addText(text: string): void {
    this.room(Buffer.byteLength(text))
    this.used += this.bytes.write(text, this.used, 'utf8')
    this.closeString()
  }

  /** @throws OmnisagaError Invalid when a cell points beyond the table. */
  get(index: number): string {
    if (!(index >= 0 && index < this.count)) throw damaged(`a cell points to text number ${index} of ${this.count}`)
    const slot = index & (CACHE_SLOTS - 1)
    if (this.cachedIndex[slot] === index) return this.cached[slot] as string
    const text = this.bytes.toString('utf8', this.offsets[index], this.offsets[index + 1])
    this.cachedIndex[slot] = index
    this.cached[slot] = text
    return text
  }

  private closeString(): void {
    this.count++
    if (this.count > this.limits.maxSharedStrings) throw tooBig(`more than ${this.limits.maxSharedStrings} different texts`)
    if (this.count >= this.offsets.length) {
      const grown = new Uint32Array(this.offsets.length * 2)
      grown.set(this.offsets)
      this.offsets = grown
    }
    this.offsets[this.count] = this.used
  }

  private room(needed: number): void {
    if (this.used + needed <= this.bytes.length) return
    // Half as much again: doubling would hold up to twice the table while copying.
    const grown = Buffer.allocUnsafe(Math.max(this.used + needed, Math.ceil(this.bytes.length * 1.5)))
    this.bytes.copy(grown, 0, 0, this.used)
    this.bytes = grown
  }
}

/** Reads sharedStrings.xml: plain and rich text; phonetic runs (rPh) are left out. */
export async function readSharedStrings(pieces: AsyncIterable<Buffer>, limits: Limits): Promise<SharedStrings> {
  const table = new SharedStrings(limits)
  let inItem = false
  let inText = false
  let phonetic = 0
  let parts: string[] = []
  let plain: Buffer | null = null
  const walker = new TagWalker(
    {
      open(buffer, start, end) {
        if (spells(buffer, start, end, 't')) inText = inItem && phonetic === 0
        else if (spells(buffer, start, end, 'si')) {
          inItem = true
          parts = []
          plain = null
        } else if (spells(buffer, start, end, 'rPh')) phonetic++
      },
      close(buffer, start, end) {
        if (spells(buffer, start, end, 't')) inText = false
        else if (spells(buffer, start, end, 'rPh')) phonetic--
        else if (spells(buffer, start, end, 'si')) {
          if (plain !== null) table.addBytes(plain, 0, plain.length)
          else table.addText(decodeExcelEscapes(parts.join('')))
          inItem = false
        }
      },
      text(buffer, start, end, raw) {
        if (!inText) return
        // Most items are one run of plain bytes: those are copied without ever becoming a string.
        if (plain === null && parts.length === 0 && !raw && isPlain(buffer, start, end)) {
          plain = buffer.subarray(start, end)
          return
        }
        if (plain !== null) {
          parts.push(plain.toString('utf8'))
          plain = null
        }
        parts.push(textOf(buffer, start, end, raw))
      },
    },
    limits.maxCellBytes,
  )
  for await (const piece of pieces) {
    walker.push(piece)
    // A view into the piece must not outlive it when its item goes on in the next piece.
    if (plain !== null) plain = Buffer.from(plain)
  }
  walker.end()
  return table
}

/** No entity, no carriage return, no `_x` escape. */
function isPlain(buffer: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = buffer[i] as number
    if (byte === 0x26 || byte === 0x0d || (byte === 0x5f && buffer[i + 1] === 0x78)) return false
  }
  return true
}
