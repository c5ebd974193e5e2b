/** Columns are found by what their header says, wherever they stand. */
import { normaliseHeader, normaliseText } from '../normalise/index.ts'
import { isSheetDate } from '../files/types.ts'
import { REMARK_HEADER } from './fingerprint.ts'
import type { Cell, SheetRow } from '../files/types.ts'
import type { Field, MappedRow, Profile, RawRow } from './types.ts'

/** What a cell shows, as text. */
export function cellText(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return ''
  if (isSheetDate(cell)) return cell.wallClock
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE'
  return String(cell)
}

/** A header in one line: breaks beside Chinese characters or brackets vanish, others become a space. */
const headerText = (text: string) =>
  normaliseText(
    text.replace(/(?<=([^\x00-\x7f])?)\s*[\r\n]+\s*(?=([^\x00-\x7f]|[(（])?)/gu, (_, before: unknown, after: unknown) =>
      before || after ? '' : ' ',
    ),
  )

export interface Header {
  /** The row's number in the sheet. */
  row: number
  /** Header text by column; '' for columns without one. Repeated headers are numbered: `備註 (2)`. */
  names: string[]
  fieldOfColumn: Map<number, Field>
  columnOfField: Map<Field, number>
  /** The column that `annotate` added, -1 when there is none; its remarks are no part of a row. */
  remarkColumn: number
}

const fieldsByHeader = new WeakMap<Profile, Map<string, Field>>()
function headerTable(profile: Profile): Map<string, Field> {
  let table = fieldsByHeader.get(profile)
  if (!table) {
    table = new Map()
    for (const [field, headers] of Object.entries(profile.columns)) {
      for (const header of headers) table.set(normaliseHeader(header), field as Field)
    }
    fieldsByHeader.set(profile, table)
  }
  return table
}

export const fieldOf = (profile: Profile, header: string): Field | undefined => headerTable(profile).get(normaliseHeader(header))

export function readHeader(profile: Profile, row: SheetRow): Header {
  const used = new Map<string, number>()
  const header: Header = {
    row: row.row,
    names: [],
    fieldOfColumn: new Map(),
    columnOfField: new Map(),
    remarkColumn: -1,
  }
  row.cells.forEach((cell, column) => {
    const text = headerText(cellText(cell))
    if (text === REMARK_HEADER && header.remarkColumn < 0) header.remarkColumn = column
    const nth = (used.get(text) ?? 0) + 1
    used.set(text, nth)
    header.names[column] = text === '' || nth === 1 ? text : `${text} (${nth})`
    const field = text === '' ? undefined : fieldOf(profile, text)
    if (field === undefined || header.columnOfField.has(field)) return
    header.columnOfField.set(field, column)
    header.fieldOfColumn.set(column, field)
  })
  return header
}

/** @returns the usual names of the required columns that are not there. */
export const missingColumns = (profile: Profile, header: Header): string[] =>
  profile.required
    .filter((group) => !group.some((field) => header.columnOfField.has(field)))
    .map((group) => group.map((field) => profile.columns[field]?.[0] ?? field).join(' / '))

/** The row as raw text. A vertical merge lends its value to columns that belong to the order, not to those of a line. */
export function rawRow(profile: Profile, header: Header, row: SheetRow): RawRow {
  const cells: Record<string, string> = {}
  const width = Math.max(row.cells.length, ...[...(row.merged?.keys() ?? [])].map((column) => column + 1))
  for (let column = 0; column < width; column++) {
    if (column === header.remarkColumn) continue
    let text = cellText(row.cells[column])
    const field = header.fieldOfColumn.get(column)
    if (text === '' && row.merged && !(field !== undefined && profile.lineFields.has(field)))
      text = cellText(row.merged.get(column))
    if (text !== '') cells[header.names[column] || `column ${column + 1}`] = text
  }
  return { row: row.row, cells }
}

/** Field to header text. */
export type FieldNames = ReadonlyMap<Field, string>

export const fieldNames = (header: Header): FieldNames =>
  new Map([...header.columnOfField].map(([field, column]) => [field, header.names[column] ?? field]))

/** The same from the rows alone, when the file is no longer there. */
export function fieldNamesOf(profile: Profile, rows: RawRow[]): FieldNames {
  const names = new Map<Field, string>()
  for (const name of new Set(rows.flatMap((row) => Object.keys(row.cells)))) {
    const field = fieldOf(profile, name)
    if (field !== undefined && !names.has(field)) names.set(field, name)
  }
  return names
}

/** Sees a raw row, from a file or from the inbox, through the profile's columns. */
export function mappedRow(profile: Profile, raw: RawRow, names: FieldNames): MappedRow {
  const written = (field: Field) => raw.cells[names.get(field) ?? ''] ?? ''
  // Asked for several times each, and dear.
  const texts = new Map<Field, string>()
  return {
    row: raw.row,
    raw: written,
    text: (field) => {
      let text = texts.get(field)
      if (text === undefined) texts.set(field, (text = normaliseText(written(field))))
      return text
    },
    header: (field) => names.get(field) ?? profile.columns[field]?.[0] ?? field,
  }
}
