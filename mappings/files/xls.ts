/** Old .xls workbooks (BIFF8). A sheet has at most 65,536 rows of 256 columns, so it is held whole. */
import { PLAIN_STYLE, isDateFormat, showNumber, zeroPadding } from './dates.ts'
import type { NumberStyle } from './dates.ts'
import { ContinuedReader, Record8, errorText, readGlobals, rkNumber, substream } from './biff.ts'
import type { BoundSheet, Globals } from './biff.ts'
import { openCompound } from './cfb.ts'
import { orDamaged, tooBig, unreadable } from './errors.ts'
import type { Cell, Limits, Sheet, SheetRow, Workbook } from './types.ts'
import { MergeLender } from './xlsx/merges.ts'
import type { Merge } from './xlsx/merges.ts'

/** @param bytes decrypted. @throws OmnisagaError Invalid for damaged files and versions before Excel 97. */
export async function openXls(bytes: Buffer, limits: Limits, encrypted = false): Promise<Workbook> {
  const stream = (await openCompound(bytes)).stream('/Workbook')
  if (!stream) {
    throw unreadable(
      'wrongType',
      'This file is not an Excel workbook (.xls) of Excel 97 or later.',
      'Choose the order export itself, or open it in Excel and save it as .xlsx.',
    )
  }
  const globals = await orDamaged('its workbook stream', () => readGlobals(stream))
  const styles = globals.xfFormats.map((id): NumberStyle => {
    const code = globals.formats.get(id) ?? null
    // Excel repeats the built-in formats in the file; their own numbers still decide.
    return { isDate: isDateFormat(id, null) || isDateFormat(id, code), zeros: zeroPadding(code) }
  })
  const worksheets = globals.sheets.filter((sheet) => sheet.worksheet)
  return {
    format: 'xls',
    encrypted,
    close: () => undefined,
    sheets: worksheets
      .filter((sheet) => !sheet.hidden)
      .map((sheet): Sheet => ({
        name: sheet.name,
        async *rows() {
          yield* await orDamaged(`its sheet`, () => readSheet(stream, sheet, globals, styles, limits))
        },
      })),
    hiddenSheets: worksheets.filter((sheet) => sheet.hidden).map((sheet) => sheet.name),
  }
}

function readSheet(stream: Buffer, sheet: BoundSheet, globals: Globals, styles: NumberStyle[], limits: Limits): SheetRow[] {
  const rows = new Map<number, Cell[]>()
  const merges: Merge[] = []
  let pending: { row: number; column: number } | null = null
  const set = (row: number, column: number, value: Cell) => {
    if (value === null || value === '') return
    if (column >= limits.maxColumns) throw tooBig(`row ${row + 1} has a value in column ${column + 1}`)
    let cells = rows.get(row)
    if (!cells) rows.set(row, (cells = []))
    while (cells.length < column) cells.push(null)
    cells[column] = value
  }
  const number = (xf: number, value: number) => showNumber(value, styles[xf] ?? PLAIN_STYLE, globals.date1904)
  for (const { type, body } of substream(stream, sheet.offset)) {
    if (type === Record8.STRING && pending) set(pending.row, pending.column, new ContinuedReader([body]).string())
    if (type !== Record8.CONTINUE && type !== Record8.FORMULA) pending = null
    switch (type) {
      case Record8.LABELSST:
        set(body.readUInt16LE(0), body.readUInt16LE(2), globals.strings[body.readUInt32LE(6)] ?? null)
        break
      case Record8.LABEL:
      case Record8.RSTRING:
        set(body.readUInt16LE(0), body.readUInt16LE(2), new ContinuedReader([body.subarray(6)]).string())
        break
      case Record8.NUMBER:
        set(body.readUInt16LE(0), body.readUInt16LE(2), number(body.readUInt16LE(4), body.readDoubleLE(6)))
        break
      case Record8.RK:
        set(body.readUInt16LE(0), body.readUInt16LE(2), number(body.readUInt16LE(4), rkNumber(body.readInt32LE(6))))
        break
      case Record8.MULRK:
        for (let i = 0; 4 + i * 6 + 6 <= body.length - 2; i++) {
          set(
            body.readUInt16LE(0),
            body.readUInt16LE(2) + i,
            number(body.readUInt16LE(4 + i * 6), rkNumber(body.readInt32LE(6 + i * 6))),
          )
        }
        break
      case Record8.BOOLERR:
        set(
          body.readUInt16LE(0),
          body.readUInt16LE(2),
          body.readUInt8(7) === 1 ? errorText(body.readUInt8(6)) : body.readUInt8(6) === 1,
        )
        break
      case Record8.FORMULA: {
        const row = body.readUInt16LE(0)
        const column = body.readUInt16LE(2)
        if (body.readUInt16LE(12) !== 0xffff) set(row, column, number(body.readUInt16LE(4), body.readDoubleLE(6)))
        else if (body.readUInt8(6) === 0) pending = { row, column }
        else if (body.readUInt8(6) === 1) set(row, column, body.readUInt8(8) === 1)
        else if (body.readUInt8(6) === 2) set(row, column, errorText(body.readUInt8(8)))
        break
      }
      case Record8.MERGECELLS:
        for (let i = 0; i < body.readUInt16LE(0) && 2 + i * 8 + 8 <= body.length; i++) {
          const at = 2 + i * 8
          const merge = {
            top: body.readUInt16LE(at) + 1,
            bottom: body.readUInt16LE(at + 2) + 1,
            column: body.readUInt16LE(at + 4),
          }
          if (merge.bottom > merge.top) merges.push(merge)
        }
        if (merges.length > limits.maxMerges) throw tooBig(`more than ${limits.maxMerges} merged cells`)
        break
    }
  }
  const lender = new MergeLender(merges)
  return [...rows].sort(([a], [b]) => a - b).map(([row, cells]) => lender.apply({ row: row + 1, cells }))
}
