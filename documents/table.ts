/** A table over as many A4 pages as it needs, its head on each. */
import { Canvas, type TextStyle } from './canvas.ts'

export interface Column<R> {
  head: string
  widthMm: number
  of(row: R): string
  style?: TextStyle
  /** Drawn as a bar code as well. */
  barcode?: boolean
}
export interface Sheet<R> {
  title: string
  /** Lines below the title. */
  facts: string[]
  /** Scanned to open the document, upper right. */
  code: string | null
  columns: Column<R>[]
  rows: readonly R[]
  /** Printed below the last row, e.g. fields for signatures. */
  foot?: string[]
  now: Date
}

const A4 = { widthMm: 210, heightMm: 297 }
const EDGE = 12
const FOOT_MM = 14

const heightOf = <R>(columns: Column<R>[]) =>
  Math.max(
    ...columns.map((column) => (column.barcode ? 14 : 1.5 + (column.style?.lines ?? 1) * ((column.style?.size ?? 9) * 0.56))),
  )

export type Drawing = (canvas: Canvas) => void

/** For documents of sheets with different rows. */
export const drawing =
  <R>(each: Sheet<R>): Drawing =>
  (canvas) =>
    drawSheet(canvas, each)

export async function papers(title: string, now: Date, drawings: readonly Drawing[]): Promise<Buffer> {
  const canvas = new Canvas(A4, { title, now })
  for (const draw of drawings) draw(canvas)
  return await canvas.finish()
}

export const sheet = <R>(...sheets: Sheet<R>[]): Promise<Buffer> =>
  papers(sheets[0]?.title ?? '', sheets[0]?.now ?? new Date(0), sheets.map(drawing))

function drawSheet<R>(canvas: Canvas, { title, facts, code, columns, rows, foot = [] }: Sheet<R>): void {
  const rowMm = heightOf(columns)
  let page = 0
  let y = 0
  const begin = () => {
    page += 1
    canvas.addPage()
    canvas.text(title, EDGE, 10, 130, { size: 16, bold: true })
    canvas.text(`${page}`, A4.widthMm - EDGE - 20, A4.heightMm - 10, 20, { size: 8, align: 'right' })
    if (code) canvas.code128(code, 138, 9, 60, 12)
    if (code) canvas.text(code, 138, 22, 60, { size: 8, align: 'center' })
    facts.forEach((fact, index) => canvas.text(fact, EDGE, 19 + index * 5, 122, { size: 9 }))
    y = Math.max(28, 21 + facts.length * 5)
    let x = EDGE
    for (const column of columns) {
      canvas.text(column.head, x + 1, y, column.widthMm - 2, { size: 8, bold: true, align: column.style?.align })
      x += column.widthMm
    }
    y += 5
    canvas.line(EDGE, y, A4.widthMm - EDGE, y, 0.4)
  }
  begin()
  for (const row of rows) {
    if (y + rowMm > A4.heightMm - FOOT_MM) begin()
    let x = EDGE
    for (const column of columns) {
      const value = column.of(row)
      if (column.barcode && value) {
        canvas.code128(value, x, y + 1.5, column.widthMm - 1, 7.5)
        canvas.text(value, x, y + 9.2, column.widthMm - 1, { size: 7, align: 'center' })
      } else canvas.text(value, x + 1, y + 1.2, column.widthMm - 2, column.style)
      x += column.widthMm
    }
    y += rowMm
    canvas.line(EDGE, y, A4.widthMm - EDGE, y, 0.1)
  }
  for (const line of foot) {
    if (y + 14 > A4.heightMm - FOOT_MM) begin()
    y += 12
    canvas.text(line, EDGE, y, A4.widthMm - 2 * EDGE, { size: 10 })
  }
}
