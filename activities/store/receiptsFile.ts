/** A file of expected receipts, as a buyer or a supplier keeps it: a wrong row is told by its place, its value and what to do, the others are taken in. */
import { OmnisagaError } from '../../domain/errors.ts'
import { openWorkbook, type Cell, type FileSource } from '../../mappings/files/index.ts'
import { isSheetDate } from '../../mappings/files/types.ts'
import { normaliseText, parseDate, parseQuantity } from '../../mappings/normalise/index.ts'
import { transaction } from '../../store/db.ts'
import { ExpectedReceipt, expectReceipts, unknownTo } from '../../store/receipts.ts'
import type { Runtime } from '../runtime.ts'

export interface WrongRow {
  /** As the file counts them, from 1. */
  row: number
  column: string
  value: string
  message: string
}

const COLUMNS = {
  sku: ['sku', '商品編號', '料號', '貨號', '品號'],
  location: ['location', '倉庫', '倉別', '門市', '地點'],
  quantity: ['quantity', 'qty', '數量'],
  expectedOn: ['expected_on', 'expected on', 'expectedon', 'date', '預計到貨日', '到貨日'],
  reference: ['reference', 'po', '採購單號', '單號'],
} as const
type Column = keyof typeof COLUMNS
const NEEDED: Column[] = ['sku', 'location', 'quantity', 'expectedOn']

const textOf = (cell: Cell | undefined): string =>
  cell === undefined || cell === null ? '' : normaliseText(isSheetDate(cell) ? cell.wallClock : String(cell))

/** Reads and judges; nothing is stored. @throws Invalid when the file cannot be read or its first row names no columns. */
export async function readReceipts(
  source: FileSource,
): Promise<{ rows: { row: number; receipt: ExpectedReceipt }[]; wrong: WrongRow[] }> {
  const workbook = await openWorkbook(source)
  try {
    let header: Map<Column, number> | null = null
    const rows: { row: number; receipt: ExpectedReceipt }[] = []
    const wrong: WrongRow[] = []
    for await (const { row, cells } of workbook.sheets[0]?.rows() ?? []) {
      const texts = cells.map(textOf)
      if (texts.every((text) => text === '')) continue
      if (header === null) {
        header = headerOf(texts)
        continue
      }
      const read = receiptOf((column) => texts[header?.get(column) ?? -1] ?? '')
      if ('receipt' in read) rows.push({ row, receipt: read.receipt })
      else wrong.push({ row, ...read })
    }
    if (header === null) throw noHeader(NEEDED)
    return { rows, wrong }
  } finally {
    workbook.close()
  }
}

function headerOf(texts: string[]): Map<Column, number> {
  const names = texts.map((text) => text.toLowerCase())
  const found = new Map<Column, number>()
  for (const column of Object.keys(COLUMNS) as Column[]) {
    const at = names.findIndex((name) => (COLUMNS[column] as readonly string[]).includes(name))
    if (at >= 0) found.set(column, at)
  }
  const missing = NEEDED.filter((column) => !found.has(column))
  if (missing.length > 0) throw noHeader(missing)
  return found
}

const noHeader = (missing: Column[]) =>
  new OmnisagaError('Invalid', `the first row does not name ${missing.map((column) => COLUMNS[column][0]).join(', ')}`, {
    code: 'receipts',
    remedy: `Begin with: sku,location,quantity,expected_on (or ${COLUMNS.sku[1]},${COLUMNS.location[1]},${COLUMNS.quantity[2]},${COLUMNS.expectedOn[4]}).`,
  })

function receiptOf(of: (column: Column) => string): { receipt: ExpectedReceipt } | Omit<WrongRow, 'row'> {
  const wrong = (column: Column, message: string) => ({ column: COLUMNS[column][0], value: of(column), message })
  for (const column of ['sku', 'location'] as const) if (of(column) === '') return wrong(column, 'is empty: name it')
  const quantity = parseQuantity(of('quantity'))
  if (quantity === null || quantity < 0) return wrong('quantity', 'is no number of pieces: write a whole number, 0 takes it back')
  // What is written without an offset is the same day in any zone.
  const expectedOn = parseDate(of('expectedOn'), 'Asia/Taipei')?.slice(0, 10)
  if (expectedOn === undefined) return wrong('expectedOn', 'is no day, or could be two: write it as 2026-12-31')
  const parsed = ExpectedReceipt.safeParse({
    sku: of('sku'),
    location: of('location'),
    quantity,
    expectedOn,
    reference: of('reference'),
  })
  if (parsed.success) return { receipt: parsed.data }
  const [issue] = parsed.error.issues
  return wrong((issue?.path[0] as Column | undefined) ?? 'sku', issue?.message ?? 'cannot be used')
}

/** @returns how many receipts were taken in, and the rows that were not. */
export async function importReceipts(runtime: Runtime, source: FileSource): Promise<{ receipts: number; wrong: WrongRow[] }> {
  const { rows, wrong } = await readReceipts(source)
  const unknown = await unknownTo(
    runtime.pool,
    rows.map(({ receipt }) => receipt),
  )
  const today = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const good = rows.filter(({ row, receipt: { sku, location, expectedOn } }) => {
    const tell = (column: Column, value: string, message: string) => {
      wrong.push({ row, column: COLUMNS[column][0], value, message })
      return false
    }
    if (unknown.skus.has(sku)) return tell('sku', sku, 'nobody knows this article: add it to the configuration, or correct it')
    if (unknown.locations.has(location)) return tell('location', location, 'there is no such location: name a configured one')
    if (expectedOn < today) return tell('expectedOn', expectedOn, 'is over: name the day on which it is expected now')
    return true
  })
  const receipts =
    good.length === 0
      ? 0
      : await transaction(runtime.pool, (tx) =>
          expectReceipts(
            tx,
            good.map(({ receipt }) => receipt),
          ),
        )
  return { receipts, wrong: wrong.sort((a, b) => a.row - b.row) }
}
