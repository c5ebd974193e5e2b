/** A copy of the order sheet in which every wrong cell is marked and its remedy stands beside the row; it can be imported again. */
import { PassThrough } from 'node:stream'
import ExcelJS from 'exceljs'
import { cellText, readHeader } from '../profiles/columns.ts'
import { profileOf } from '../profiles/index.ts'
import { openWorkbook } from './open.ts'
import type { FileOrders } from './read.ts'
import type { FileSource, SheetRow } from './types.ts'

export const REMARK_HEADER = '錯誤說明'
const MARK = { type: 'pattern', pattern: 'solid', fgColor: { argb: 'FFFFC7CE' } } as const
const NOTE = { type: 'pattern', pattern: 'solid', fgColor: { argb: 'FFFFEB9C' } } as const

/**
 * @param file what readOrders gave for this very source.
 * @returns an .xlsx with the rows at their own numbers; codes and dates as text, numbers as numbers. Hidden sheets are left out.
 */
export async function annotate(
  source: FileSource,
  file: FileOrders,
  options: { password?: string | undefined } = {},
): Promise<Buffer> {
  const profile = profileOf(file.profile)
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
    let names: string[] = []
    for await (const row of sheet.rows()) {
      if (row.row === file.headerRow) names = readHeader(profile, row).names
      const remark =
        row.row === file.headerRow
          ? REMARK_HEADER
          : (errorsByRow.get(row.row) ?? []).map((error) => `${error.column}: ${error.message}`).join('\n')
      writeRow(target, row, names, errorsByRow.get(row.row) ?? [], remark)
    }
    target.commit()
    await output.commit()
  } finally {
    input.close()
  }
  return Buffer.concat(pieces)
}

function writeRow(target: ExcelJS.Worksheet, row: SheetRow, names: string[], errors: FileOrders['errors'], remark: string): void {
  const written = target.getRow(row.row)
  row.cells.forEach((cell, column) => {
    if (cell !== null) written.getCell(column + 1).value = typeof cell === 'object' ? cellText(cell) : cell
  })
  for (const error of errors) {
    const column = names.indexOf(error.column)
    if (column >= 0) written.getCell(column + 1).fill = MARK
  }
  if (remark !== '' && names.length > 0) {
    const cell = written.getCell(names.length + 1)
    cell.value = remark
    if (errors.length > 0) cell.fill = NOTE
  }
  written.commit()
}
