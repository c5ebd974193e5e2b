/** Replaces or adds text cells in one sheet of a BIFF8 stream; all other records are copied as they are. */
import { Record8, records } from './biff.ts'
import type { BiffRecord, BoundSheet, Globals } from './biff.ts'
import { unreadable } from './errors.ts'

/** 0-based, keyed `row,column`. */
export type CellEdits = Map<string, { row: number; column: number; text: string }>

const SINGLE: ReadonlySet<number> = new Set([
  Record8.LABELSST,
  Record8.LABEL,
  Record8.RSTRING,
  Record8.NUMBER,
  Record8.RK,
  Record8.BLANK,
  Record8.BOOLERR,
  Record8.FORMULA,
])
const MULTIPLE: ReadonlySet<number> = new Set([Record8.MULRK, Record8.MULBLANK])
/** What may stand between cells: results and shared parts of formulas, and long records' continuations. */
const AMONG_CELLS: ReadonlySet<number> = new Set([Record8.STRING, Record8.CONTINUE, 0x04bc, 0x0221, 0x0236])
/** Tables of places in the stream, which would be wrong afterwards; programs do without them. */
const PLACES: ReadonlySet<number> = new Set([Record8.INDEX, Record8.DBCELL])

function record(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(type, 0)
  head.writeUInt16LE(body.length, 2)
  return Buffer.concat([head, body])
}

/** LABEL with its text in the cell itself: the table of shared texts stays untouched. */
function label(row: number, column: number, xf: number, text: string): Buffer {
  const head = Buffer.alloc(9)
  head.writeUInt16LE(row, 0)
  head.writeUInt16LE(column, 2)
  head.writeUInt16LE(xf, 4)
  head.writeUInt16LE(text.length, 6)
  head.writeUInt8(1, 8)
  return record(Record8.LABEL, Buffer.concat([head, Buffer.from(text, 'utf16le')]))
}

/** One record for many cells becomes one for each. */
function split({ type, body }: BiffRecord): { row: number; column: number; xf: number; bytes: Buffer }[] {
  const row = body.readUInt16LE(0)
  const first = body.readUInt16LE(2)
  const width = type === Record8.MULRK ? 6 : 2
  const cells = []
  for (let i = 0; 4 + (i + 1) * width <= body.length - 2; i++) {
    const own = body.subarray(4 + i * width, 4 + (i + 1) * width)
    const place = Buffer.alloc(4)
    place.writeUInt16LE(row, 0)
    place.writeUInt16LE(first + i, 2)
    const bytes = record(type === Record8.MULRK ? Record8.RK : Record8.BLANK, Buffer.concat([place, own]))
    cells.push({ row, column: first + i, xf: own.readUInt16LE(0), bytes })
  }
  return cells
}

/** @returns a new workbook stream; the places of later sheets follow. */
export function patchSheet(stream: Buffer, globals: Globals, target: BoundSheet, edits: CellEdits): Buffer {
  const inOrder = [...globals.sheets].sort((a, b) => a.offset - b.offset)
  const head = Buffer.from(stream.subarray(0, inOrder[0]?.offset ?? stream.length))
  const parts: Buffer[] = [head]
  let offset = head.length
  inOrder.forEach((sheet, index) => {
    const segment = stream.subarray(sheet.offset, inOrder[index + 1]?.offset ?? stream.length)
    const written = rewrite(segment, sheet === target ? edits : new Map(), globals.xfFormats.length)
    head.writeUInt32LE(offset, sheet.recordAt + 4)
    parts.push(written)
    offset += written.length
  })
  return Buffer.concat(parts)
}

function rewrite(segment: Buffer, edits: CellEdits, xfCount: number): Buffer {
  const out: Buffer[] = []
  const table = surveyCells(segment)
  const fallback = xfCount > 15 ? 15 : 0
  /** Edits of cells that are not in the sheet yet. */
  const fresh = [...edits.values()]
    .filter((edit) => !table.places.has(`${edit.row},${edit.column}`))
    .sort((a, b) => a.row - b.row || a.column - b.column)
  const add = (until: (edit: { row: number; column: number }) => boolean) => {
    while (fresh[0] && until(fresh[0])) {
      const edit = fresh.shift() as { row: number; column: number; text: string }
      out.push(label(edit.row, edit.column, table.styles.get(edit.column) ?? fallback, edit.text))
    }
  }
  const place = (row: number, column: number, xf: number, bytes: Buffer, isFormula = false) => {
    add((edit) => edit.row < row || (edit.row === row && edit.column < column))
    const edit = edits.get(`${row},${column}`)
    if (edit && isFormula) {
      throw unreadable(
        'formula',
        `The cell to be filled in row ${row + 1} holds a formula.`,
        "Use the file as momo's SCM exported it.",
      )
    }
    out.push(edit ? label(row, column, xf, edit.text) : bytes)
  }
  let depth = 0
  let end = 0
  for (const found of records(segment)) {
    const { type, at, body } = found
    end = at + 4 + body.length
    const bytes = segment.subarray(at, end)
    if (type === Record8.BOF) depth++
    if (PLACES.has(type)) continue
    if (depth === 1 && SINGLE.has(type)) {
      place(body.readUInt16LE(0), body.readUInt16LE(2), body.readUInt16LE(4), bytes, type === Record8.FORMULA)
    } else if (depth === 1 && MULTIPLE.has(type)) {
      const cells = split(found)
      const touched = cells.some((cell) => edits.has(`${cell.row},${cell.column}`))
      if (touched) for (const cell of cells) place(cell.row, cell.column, cell.xf, cell.bytes)
      else place(body.readUInt16LE(0), body.readUInt16LE(2), 0, bytes)
    } else if (depth === 1 && type === Record8.ROW) {
      const row = body.readUInt16LE(0)
      // Rows come in blocks of a ROW list and its cells: what is owed to earlier rows goes before a new block.
      if (at > table.first) add((edit) => edit.row < row)
      out.push(
        widened(
          bytes,
          fresh.filter((edit) => edit.row === row),
        ),
      )
    } else {
      if (depth === 1 && (type === Record8.EOF || (at > table.last && table.last >= 0 && !AMONG_CELLS.has(type)))) add(() => true)
      out.push(bytes)
    }
    if (type === Record8.EOF) depth--
  }
  out.push(segment.subarray(end))
  return Buffer.concat(out)
}

/** ROW names the columns it spans. */
function widened(bytes: Buffer, edits: { column: number }[]): Buffer {
  const last = Math.max(-1, ...edits.map((edit) => edit.column))
  if (last < bytes.readUInt16LE(8)) return bytes
  const copy = Buffer.from(bytes)
  copy.writeUInt16LE(last + 1, 8)
  return copy
}

interface CellTable {
  places: Set<string>
  /** Style of a column's last cell. */ styles: Map<number, number>
  first: number
  last: number
}

/** Which cells there are, how their columns look, and between which places of the segment they lie (-1: none). */
function surveyCells(segment: Buffer): CellTable {
  const table: CellTable = { places: new Set(), styles: new Map(), first: Infinity, last: -1 }
  let depth = 0
  for (const found of records(segment)) {
    const { type, at, body } = found
    if (type === Record8.BOF) depth++
    if (type === Record8.EOF) depth--
    if (depth !== 1 || !(SINGLE.has(type) || MULTIPLE.has(type))) continue
    table.first = Math.min(table.first, at)
    table.last = at
    const cells = MULTIPLE.has(type)
      ? split(found)
      : [{ row: body.readUInt16LE(0), column: body.readUInt16LE(2), xf: body.readUInt16LE(4) }]
    for (const cell of cells) {
      table.places.add(`${cell.row},${cell.column}`)
      table.styles.set(cell.column, cell.xf)
    }
  }
  return table
}
