/** A copy of the order sheet in which every wrong cell is marked and its remedy stands beside the row; it can be imported again. */
import { PassThrough } from 'node:stream'
import ExcelJS from 'exceljs'
import { cellText, readHeader, type Header } from '../profiles/columns.ts'
import { countRemark, REMARK_HEADER } from '../profiles/fingerprint.ts'
import { profileOf } from '../profiles/index.ts'
import type { LayoutDocument } from '../profiles/layout.ts'
import type { Profile } from '../profiles/types.ts'
import { openWorkbook } from './open.ts'
import { learnedOf } from './read.ts'
import type { FileOrders } from './read.ts'
import type { Cell, FileSource, SheetRow } from './types.ts'

export { REMARK_HEADER }
const MARK = { type: 'pattern', pattern: 'solid', fgColor: { argb: 'FFFFC7CE' } } as const
const NOTE = { type: 'pattern', pattern: 'solid', fgColor: { argb: 'FFFFEB9C' } } as const

/**
 * @param file what readOrders gave for this very source.
 * @returns an .xlsx with the rows at their own numbers; codes and dates as text, numbers as numbers. Hidden sheets are left out. The
 * remark also says how many rows the order has, where these are several, so that a part of the copy is known for one.
 */
export async function annotate(
  source: FileSource,
  file: Pick<FileOrders, 'profile' | 'sheet' | 'headerRow' | 'errors' | 'orders' | 'held' | 'duplicates'>,
  options: { password?: string | undefined; layouts?: readonly LayoutDocument[] | undefined } = {},
): Promise<Buffer> {
  const profile = profileOf(file.profile, learnedOf(options.layouts))
  const input = await openWorkbook(source, options)
  const sink = new PassThrough()
  const pieces: Buffer[] = []
  sink.on('data', (piece: Buffer) => {
    pieces.push(piece)
  })
  const output = new ExcelJS.stream.xlsx.WorkbookWriter({ stream: sink, useStyles: true, useSharedStrings: false })
  try {
    const sheet = input.sheets.find((candidate) => candidate.name === file.sheet)
    if (!sheet) throw new Error(`the file has no sheet ${file.sheet}`)
    const target = output.addWorksheet(file.sheet)
    const errorsByRow = new Map<number, FileOrders['errors']>()
    for (const error of file.errors) errorsByRow.set(error.row, [...(errorsByRow.get(error.row) ?? []), error])
    const counts = rowCounts(file)
    let header: Header | null = null
    for await (const row of sheet.rows()) {
      if (row.row === file.headerRow) header = readHeader(profile, row)
      const errors = errorsByRow.get(row.row) ?? []
      const told = [...errors.map((error) => `${error.column}: ${error.message}`), countRemark(counts.get(row.row) ?? 0)].filter(
        (text) => text !== '',
      )
      const remark = row.row === file.headerRow ? REMARK_HEADER : told.join('\n')
      writeRow(target, row, { profile, header, errors, remark })
    }
    target.commit()
    await output.commit()
  } finally {
    input.close()
  }
  return Buffer.concat(pieces)
}

/** By row: how many rows its order has. */
function rowCounts(file: Pick<FileOrders, 'orders' | 'held' | 'duplicates'>): Map<number, number> {
  const repeated = new Map<string, number[]>()
  for (const { row, externalId } of file.duplicates) repeated.set(externalId, [...(repeated.get(externalId) ?? []), row])
  const counts = new Map<number, number>()
  const groups = [
    ...file.orders.map(({ order, raw }) => ({ externalId: order.externalId, rows: raw.rows })),
    ...file.held.map(({ externalId, rows }) => ({ externalId, rows })),
  ]
  for (const { externalId, rows } of groups) {
    const all = [...rows.map(({ row }) => row), ...(repeated.get(externalId) ?? [])]
    for (const row of all) counts.set(row, all.length)
  }
  return counts
}

interface Written {
  profile: Profile
  header: Header | null
  errors: FileOrders['errors']
  remark: string
}

/** What a vertical merge lends to the row is written out: the copy has no merges. */
function cellOf(row: SheetRow, column: number, { profile, header }: Written): Cell {
  const own = row.cells[column] ?? null
  if (own !== null || header === null || !row.merged?.has(column)) return own
  const field = header.fieldOfColumn.get(column)
  return field !== undefined && profile.lineFields.has(field) ? null : (row.merged.get(column) ?? null)
}

function writeRow(target: ExcelJS.Worksheet, row: SheetRow, written: Written): void {
  const { header, errors, remark } = written
  const out = target.getRow(row.row)
  // The copy of a copy has the column already.
  const remarkColumn = header === null ? -1 : header.remarkColumn >= 0 ? header.remarkColumn : header.names.length
  const width = Math.max(row.cells.length, ...[...(row.merged?.keys() ?? [])].map((column) => column + 1))
  for (let column = 0; column < width; column++) {
    if (column === remarkColumn) continue
    const cell = cellOf(row, column, written)
    if (cell !== null) out.getCell(column + 1).value = typeof cell === 'object' ? cellText(cell) : cell
  }
  for (const error of errors) {
    const column = header?.names.indexOf(error.column) ?? -1
    if (column >= 0) out.getCell(column + 1).fill = MARK
  }
  if (header !== null && remark !== '') {
    const cell = out.getCell(remarkColumn + 1)
    cell.value = remark
    if (errors.length > 0) cell.fill = NOTE
  }
  out.commit()
}
