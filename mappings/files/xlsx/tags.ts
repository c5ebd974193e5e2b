/**
 * A byte-level walk over XML: tags and the text between them, whatever the prefix, without making strings of what nobody asks for.
 * The caller feeds pieces; what is incomplete at the end of a piece waits for the next one.
 */
import { damaged, tooBig, unreadable } from '../errors.ts'

const LT = 0x3c
const GT = 0x3e
const SLASH = 0x2f
const QUOTE = 0x22
const APOSTROPHE = 0x27
const COLON = 0x3a

export interface TagHandler {
  /** The local name lies in [nameStart, nameEnd), attributes in [nameEnd, end). */
  open(buffer: Buffer, nameStart: number, nameEnd: number, end: number): void
  close(buffer: Buffer, nameStart: number, nameEnd: number): void
  text(buffer: Buffer, start: number, end: number, raw: boolean): void
}

export class TagWalker {
  private tail: Buffer = Buffer.alloc(0)
  private readonly handler: TagHandler
  private readonly maxTokenBytes: number
  private started = false

  constructor(handler: TagHandler, maxTokenBytes: number) {
    this.handler = handler
    this.maxTokenBytes = maxTokenBytes
  }

  push(piece: Buffer): void {
    const buffer = this.tail.length > 0 ? Buffer.concat([this.tail, piece]) : piece
    if (!this.started && buffer.length >= 2) {
      this.started = true
      if (buffer.readUInt16BE(0) === 0xfffe || buffer.readUInt16BE(0) === 0xfeff) {
        throw unreadable(
          'encoding',
          'The workbook is written in UTF-16, which is not read.',
          'Open it in Excel, save it as .xlsx and import that.',
        )
      }
    }
    const done = this.walk(buffer)
    this.tail = done < buffer.length ? Buffer.from(buffer.subarray(done)) : Buffer.alloc(0)
    if (this.tail.length > this.maxTokenBytes) throw tooBig(`one value of more than ${this.maxTokenBytes} bytes`)
  }

  /** @throws OmnisagaError Invalid when the text ended inside a tag. */
  end(): void {
    if (this.tail.includes(LT)) throw damaged('its XML ends in the middle of a tag')
  }

  /** @returns how many bytes were used up. */
  private walk(buffer: Buffer): number {
    const length = buffer.length
    let position = 0
    while (position < length) {
      let open = position
      while (open < length && buffer[open] !== LT) open++
      if (open === length) return position
      if (open > position) this.handler.text(buffer, position, open, false)
      const next = buffer[open + 1]
      if (next === undefined) return open
      if (next === 0x21 || next === 0x3f) {
        const after = this.declaration(buffer, open, next)
        if (after < 0) return open
        position = after
        continue
      }
      const closing = next === SLASH
      let nameStart = closing ? open + 2 : open + 1
      let cursor = nameStart
      for (; cursor < length; cursor++) {
        const byte = buffer[cursor] as number
        if (byte === COLON) nameStart = cursor + 1
        else if (byte <= 0x20 || byte === GT || byte === SLASH) break
      }
      const nameEnd = cursor
      let quote = 0
      for (; cursor < length; cursor++) {
        const byte = buffer[cursor] as number
        if (quote !== 0) {
          if (byte === quote) quote = 0
        } else if (byte === GT) break
        else if (byte === QUOTE || byte === APOSTROPHE) quote = byte
      }
      if (cursor >= length) return open
      if (closing) this.handler.close(buffer, nameStart, nameEnd)
      else {
        this.handler.open(buffer, nameStart, nameEnd, cursor)
        if (buffer[cursor - 1] === SLASH) this.handler.close(buffer, nameStart, nameEnd)
      }
      position = cursor + 1
    }
    return position
  }

  /** Comments, CDATA and processing instructions. @returns the position behind it, or -1 when it is incomplete. */
  private declaration(buffer: Buffer, open: number, kind: number): number {
    if (kind === 0x3f) return behind(buffer, '?>', open + 2)
    if (buffer.length < open + 9) return -1
    const head = buffer.toString('latin1', open, open + 9)
    if (head.startsWith('<!--')) return behind(buffer, '-->', open + 4)
    if (head === '<![CDATA[') {
      const after = behind(buffer, ']]>', open + 9)
      if (after > 0) this.handler.text(buffer, open + 9, after - 3, true)
      return after
    }
    throw unreadable(
      'doctype',
      'The workbook carries a DOCTYPE, which no spreadsheet program writes; it is refused.',
      'Export the file again from the channel, or open it in Excel and save it anew.',
    )
  }
}

function behind(buffer: Buffer, mark: string, from: number): number {
  const at = buffer.indexOf(mark, from, 'latin1')
  return at < 0 ? -1 : at + mark.length
}

/** True when the bytes of [start, end) spell `name` (ASCII). */
export function spells(buffer: Buffer, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (buffer[start + i] !== name.charCodeAt(i)) return false
  return true
}
