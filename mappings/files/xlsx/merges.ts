/** Merged cells. Their list stands behind the rows in the XML, so a first pass over the part collects it. */
import { tooBig } from '../errors.ts'
import type { Cell, Limits, SheetRow } from '../types.ts'

/** 1-based rows, 0-based column; only merges that go down are of use to us. */
export interface Merge {
  top: number
  bottom: number
  column: number
}

const OVERLAP_BYTES = 1024
const MERGE = /<(?:[\w.-]+:)?mergeCell\s[^>]*?ref\s*=\s*["']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?[A-Z]{1,3}\$?(\d{1,7})["']/g

/** Finds `<mergeCell ref="A2:A4"/>` in the bytes of a worksheet; a fast search for the name, a pattern only where it occurs. */
export async function findMerges(pieces: AsyncIterable<Buffer>, limits: Limits): Promise<Merge[]> {
  const merges: Merge[] = []
  let tail: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    const buffer = tail.length > 0 ? Buffer.concat([tail, piece]) : piece
    const first = buffer.indexOf('mergeCell', 0, 'latin1')
    let used = 0
    if (first >= 0) {
      const from = Math.max(0, first - 64)
      for (const match of buffer.toString('latin1', from).matchAll(MERGE)) {
        used = from + match.index + match[0].length
        const [, letters = '', top = '', bottom = ''] = match
        if (Number(bottom) > Number(top)) merges.push({ top: Number(top), bottom: Number(bottom), column: columnNumber(letters) })
        if (merges.length > limits.maxMerges) throw tooBig(`more than ${limits.maxMerges} merged cells`)
      }
    }
    tail = Buffer.from(buffer.subarray(Math.max(used, buffer.length - OVERLAP_BYTES)))
  }
  return merges
}

const columnNumber = (letters: string) => [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1

/** Lends each row the top-left value of the merges that cover it. Rows must come in order of their number. */
export class MergeLender {
  private readonly byTop = new Map<number, Merge[]>()
  private active: { bottom: number; column: number; value: Cell }[] = []

  constructor(merges: Merge[]) {
    for (const merge of merges) this.byTop.set(merge.top, [...(this.byTop.get(merge.top) ?? []), merge])
  }

  apply(row: SheetRow): SheetRow {
    if (this.active.length > 0) {
      this.active = this.active.filter((merge) => merge.bottom >= row.row)
      for (const merge of this.active) {
        if ((row.cells[merge.column] ?? null) === null) (row.merged ??= new Map()).set(merge.column, merge.value)
      }
    }
    for (const merge of this.byTop.get(row.row) ?? []) {
      const value = row.cells[merge.column] ?? null
      if (value !== null) this.active.push({ bottom: merge.bottom, column: merge.column, value })
    }
    return row
  }
}
