/** One worksheet: rows from its XML (ECMA-376 Part 1, 18.3.1), in memory that does not grow with the sheet. */
import { damaged, tooBig } from '../errors.ts'
import { PLAIN_STYLE, showNumber } from '../dates.ts'
import type { NumberStyle } from '../dates.ts'
import type { Cell, Limits, SheetRow } from '../types.ts'
import type { SharedStrings } from './strings.ts'
import { TagWalker, spells } from './tags.ts'
import type { TagHandler } from './tags.ts'
import { decodeExcelEscapes, textOf } from './text.ts'

export interface SheetContext {
  strings: SharedStrings
  styles: NumberStyle[]
  date1904: boolean
  limits: Limits
}

type CellType = 'n' | 's' | 'str' | 'b' | 'e' | 'd' | 'inlineStr'

const V = 0x76
const C = 0x63
const R = 0x72
const S = 0x73
const T = 0x74

/** Feed it with `push`, take the finished rows with `take`. */
export class SheetScanner implements TagHandler {
  private readonly walker: TagWalker
  private readonly context: SheetContext
  private rows: SheetRow[] = []
  private inData = false
  private sawData = false
  private dataEnded = false
  private rowNumber = 0
  private cells: Cell[] = []
  private column = -1
  private type: CellType = 'n'
  private style = 0
  private inValue = false
  private inInline = false
  private phonetic = 0
  private value: Cell = null
  private inlineParts: string[] = []

  constructor(context: SheetContext) {
    this.context = context
    this.walker = new TagWalker(this, context.limits.maxCellBytes)
  }

  push(piece: Buffer): void {
    this.walker.push(piece)
  }

  /** @throws OmnisagaError Invalid when the sheet ended before its data did. */
  end(): void {
    this.walker.end()
    if (this.inData || (this.sawData && !this.dataEnded)) throw damaged('the sheet ends in the middle of its rows')
  }

  take(): SheetRow[] {
    const rows = this.rows
    this.rows = []
    return rows
  }

  open(buffer: Buffer, start: number, nameEnd: number, end: number): void {
    if (!this.inData) {
      if (spells(buffer, start, nameEnd, 'sheetData')) {
        this.inData = true
        this.sawData = true
      }
      return
    }
    const length = nameEnd - start
    if (length === 1) {
      const letter = buffer[start]
      if (letter === C) this.openCell(buffer, nameEnd, end)
      else if (letter === V) this.inValue = true
      else if (letter === T) this.inValue = this.inInline && this.phonetic === 0
    } else if (spells(buffer, start, nameEnd, 'row')) this.openRow(buffer, nameEnd, end)
    else if (spells(buffer, start, nameEnd, 'is')) this.inInline = true
    else if (spells(buffer, start, nameEnd, 'rPh')) this.phonetic++
  }

  close(buffer: Buffer, start: number, nameEnd: number): void {
    if (!this.inData) return
    const length = nameEnd - start
    if (length === 1) {
      const letter = buffer[start]
      if (letter === V || letter === T) this.inValue = false
      else if (letter === C) this.closeCell()
    } else if (spells(buffer, start, nameEnd, 'row')) this.closeRow()
    else if (spells(buffer, start, nameEnd, 'is')) this.inInline = false
    else if (spells(buffer, start, nameEnd, 'rPh')) this.phonetic--
    else if (spells(buffer, start, nameEnd, 'sheetData')) {
      this.inData = false
      this.dataEnded = true
    }
  }

  text(buffer: Buffer, start: number, end: number, raw: boolean): void {
    if (!this.inValue) return
    if (this.type === 's') this.value = this.context.strings.get(wholeNumber(buffer, start, end))
    else if (this.type === 'n') this.value = this.numberOf(buffer, start, end)
    else this.inlineParts.push(textOf(buffer, start, end, raw))
  }

  private numberOf(buffer: Buffer, start: number, end: number): Cell {
    const value = decimal(buffer, start, end)
    if (Number.isNaN(value)) throw damaged(`row ${this.rowNumber} holds a number that is none`)
    if (this.style === 0) return value
    return showNumber(value, this.context.styles[this.style] ?? PLAIN_STYLE, this.context.date1904)
  }

  private openRow(buffer: Buffer, from: number, end: number): void {
    let number = this.rowNumber + 1
    for (let at = nextAttribute(buffer, from, end); at; at = nextAttribute(buffer, at.end, end)) {
      if (at.nameEnd - at.name === 1 && buffer[at.name] === R) number = wholeNumber(buffer, at.start, at.stop)
    }
    if (!(number >= 1 && number <= this.context.limits.maxRows))
      throw tooBig(`row number ${number}, ${this.context.limits.maxRows} are allowed`)
    this.rowNumber = number
    this.cells = []
    this.column = -1
  }

  private closeRow(): void {
    if (this.cells.length > 0) this.rows.push({ row: this.rowNumber, cells: this.cells })
    this.cells = []
  }

  private openCell(buffer: Buffer, from: number, end: number): void {
    this.column++
    this.type = 'n'
    this.style = 0
    this.value = null
    this.inInline = false
    if (this.inlineParts.length > 0) this.inlineParts = []
    let at = from
    // Written out rather than through nextAttribute: this runs once a cell and must not make objects.
    while (at < end) {
      while (at < end && (buffer[at] as number) <= 0x20) at++
      const name = at
      while (at < end && buffer[at] !== 0x3d) at++
      let quoteAt = at + 1
      while (quoteAt < end && (buffer[quoteAt] as number) <= 0x20) quoteAt++
      const quote = buffer[quoteAt]
      if (quoteAt >= end || (quote !== 0x22 && quote !== 0x27)) break
      const start = quoteAt + 1
      let stop = start
      while (stop < end && buffer[stop] !== quote) stop++
      const letter = buffer[name]
      const follows = buffer[name + 1] as number
      if (follows === 0x3d || follows <= 0x20) {
        if (letter === R) this.column = columnOf(buffer, start, stop)
        else if (letter === S) this.style = wholeNumber(buffer, start, stop)
        else if (letter === T) this.type = typeOf(buffer, start, stop)
      }
      at = stop + 1
    }
  }

  private closeCell(): void {
    if (this.type !== 's' && this.type !== 'n' && this.inlineParts.length > 0)
      this.value = this.textValue(this.inlineParts.join(''))
    if (this.value === null || this.value === '') return
    if (this.column >= this.context.limits.maxColumns) {
      throw tooBig(
        `row ${this.rowNumber} has a value in column ${this.column + 1}, ${this.context.limits.maxColumns} columns are allowed`,
      )
    }
    while (this.cells.length < this.column) this.cells.push(null)
    this.cells[this.column] = this.value
    this.value = null
  }

  private textValue(text: string): Cell {
    switch (this.type) {
      case 'b':
        return text === '1' || text === 'true'
      case 'd':
        return {
          wallClock: text
            .replace('T', ' ')
            .replace(/(\.\d+)?Z?$/, '')
            .replace(/ 00:00:00$/, ''),
        }
      case 'e':
        return text
      default:
        return decodeExcelEscapes(text)
    }
  }
}

interface Attribute {
  name: number
  nameEnd: number
  start: number
  stop: number
  end: number
}

function nextAttribute(buffer: Buffer, from: number, end: number): Attribute | null {
  let name = from
  while (name < end && (buffer[name] as number) <= 0x20) name++
  let nameEnd = name
  while (nameEnd < end && buffer[nameEnd] !== 0x3d && (buffer[nameEnd] as number) > 0x20) nameEnd++
  let start = nameEnd
  while (start < end && buffer[start] !== 0x22 && buffer[start] !== 0x27) start++
  if (start >= end) return null
  const quote = buffer[start]
  let stop = ++start
  while (stop < end && buffer[stop] !== quote) stop++
  return { name, nameEnd, start, stop, end: stop + 1 }
}

function typeOf(buffer: Buffer, start: number, stop: number): CellType {
  if (stop - start === 1) {
    switch (buffer[start]) {
      case S:
        return 's'
      case 0x62:
        return 'b'
      case 0x65:
        return 'e'
      case 0x64:
        return 'd'
      default:
        return 'n'
    }
  }
  return spells(buffer, start, stop, 'inlineStr') ? 'inlineStr' : 'str'
}

/** `BC12` -> 54; 0-based. @throws OmnisagaError Invalid for what is no cell reference. */
function columnOf(buffer: Buffer, start: number, stop: number): number {
  let column = 0
  let at = start
  for (; at < stop; at++) {
    const letter = (buffer[at] as number) & 0xdf
    if (letter < 0x41 || letter > 0x5a) break
    column = column * 26 + letter - 0x40
  }
  if (column < 1 || column > 16_384)
    throw damaged(`cell reference ${buffer.toString('latin1', start, Math.min(stop, start + 20))}`)
  return column - 1
}

function wholeNumber(buffer: Buffer, start: number, stop: number): number {
  let value = 0
  let digits = 0
  for (let at = start; at < stop; at++) {
    const digit = (buffer[at] as number) - 0x30
    if (digit < 0 || digit > 9) {
      if ((buffer[at] as number) <= 0x20) continue
      return NaN
    }
    value = value * 10 + digit
    digits++
  }
  return digits > 0 ? value : NaN
}

function decimal(buffer: Buffer, start: number, stop: number): number {
  if (stop - start <= 15) {
    const whole = wholeNumber(buffer, start, stop)
    if (!Number.isNaN(whole)) return whole
  }
  const text = buffer.toString('latin1', start, stop).trim()
  return text === '' ? NaN : Number(text)
}
