/** Rows to orders: grouped by order number, each mapped by the profile, with everything that is wrong in it. */
import { contentHash } from '../../domain/ids.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import { normaliseText } from '../normalise/index.ts'
import { cellText, fieldNames, mappedRow, rawRow } from '../profiles/columns.ts'
import type { FieldNames, Header } from '../profiles/columns.ts'
import { countIn } from '../profiles/fingerprint.ts'
import { Problems } from '../profiles/types.ts'
import type { Field, MapContext, Profile, RawOrder, RawRow, RowError } from '../profiles/types.ts'
import { isSheetDate } from './types.ts'
import type { SheetRow } from './types.ts'

/** What came of the rows of one sheet. */
export interface RowsSummary {
  /** Rows that belong to orders, wrong ones and duplicates included. */
  rows: number
  errors: RowError[]
  /** Order numbers that wait because a row of theirs is wrong. */
  heldOrders: string[]
  /** Rows that name no order. */
  withoutNumber: RowError[]
  /** Rows that repeat another row of their order word for word; counted once. */
  duplicates: { row: number; firstRow: number; externalId: string }[]
}

export interface FileOrder {
  order: IncomingOrder
  raw: RawOrder
  /** Of what the order says; the same for the same order in another file or at another place in it. */
  hash: string
}

/** An order that waits as a whole because a row of it is wrong. */
export interface HeldOrder {
  externalId: string
  errors: RowError[]
  rows: RawRow[]
}

const TOTALS =
  /^(合計|總計|小計|總數|加總|總筆數|總金額|共計|本頁合計|grand\s?total|sub\s?total|total|sum)|^共\s?\d+\s?(筆|件|項)/i

interface Group {
  rows: RawRow[]
  seen: Map<string, number>
  last: number
  /** Rows that repeat another. */
  repeated: number
  /** As an annotated workbook says, of which this may be a part; 0 when nobody says. */
  expected: number
}

/** Takes data rows one by one; gives each order when it is whole. */
export class OrderReader {
  private readonly profile: Profile
  private readonly header: Header
  private readonly names: FieldNames
  private readonly context: MapContext
  private readonly groups = new Map<string, Group>()
  private readonly errors: RowError[] = []
  /** Of codes that the spreadsheet spoilt, and of rows without a number. */
  private readonly codeErrors: RowError[] = []
  private readonly withoutNumber: RowError[] = []
  private readonly heldOrders: string[] = []
  private readonly spoiled = new Set<string>()
  private readonly duplicates: RowsSummary['duplicates'] = []
  private rows = 0

  constructor(profile: Profile, header: Header, context: MapContext) {
    this.profile = profile
    this.header = header
    this.names = fieldNames(header)
    this.context = context
  }

  /** @returns the row's order number; '' when it has none. */
  add(row: SheetRow): string {
    const raw = rawRow(this.profile, this.header, row)
    const written = (field: Field) => normaliseText(raw.cells[this.names.get(field) ?? ''])
    const number = this.numberOf(raw, written)
    if (this.isNoOrder(raw, number, written)) return number
    this.rows++
    if (number === '') {
      this.report(
        raw,
        'orderNumber',
        'missing',
        'The order number is missing, so this row belongs to no order. Fill it in and import the file again.',
      )
      return number
    }
    this.checkCodes(row, raw, number)
    let group = this.groups.get(number)
    if (!group) this.groups.set(number, (group = { rows: [], seen: new Map(), last: 0, repeated: 0, expected: 0 }))
    group.last = row.row
    if (this.header.remarkColumn >= 0)
      group.expected = Math.max(group.expected, countIn(cellText(row.cells[this.header.remarkColumn])))
    const content = this.contentOf(raw)
    const firstRow = group.seen.get(content)
    if (firstRow !== undefined) {
      this.duplicates.push({ row: raw.row, firstRow, externalId: number })
      group.repeated++
      return number
    }
    group.seen.set(content, raw.row)
    group.rows.push(raw)
    return number
  }

  /** The order of which every row has been seen; its rows are then let go. @returns null when there is none of that number. */
  take(number: string): { order: FileOrder } | { held: HeldOrder } | null {
    const group = this.groups.get(number)
    if (group === undefined) return null
    this.groups.delete(number)
    const { rows } = group
    const { order, errors } = mapRows(this.profile, rows, this.context, this.names)
    const [first] = rows
    if (first && rows.length + group.repeated < group.expected)
      errors.push(incomplete(this.names, first, rows.length, group.expected))
    this.errors.push(...errors)
    if (order !== null && errors.length === 0 && !this.spoiled.has(number))
      return { order: { order, raw: { rows }, hash: orderHash(order) } }
    const mine = new Set(rows.map(({ row }) => row))
    for (const { row, externalId } of this.duplicates) if (externalId === number) mine.add(row)
    const all = [...errors, ...this.codeErrors.filter((error) => mine.has(error.row))].sort((x, y) => x.row - y.row)
    this.heldOrders.push(number)
    return { held: { externalId: number, errors: all, rows } }
  }

  /** Orders that are not taken yet, in the file's order. */
  numbers(): string[] {
    return [...this.groups.keys()]
  }

  summary(): RowsSummary {
    const byRow = (a: RowError, b: RowError) => a.row - b.row
    return {
      rows: this.rows,
      errors: [...this.errors, ...this.codeErrors, ...this.withoutNumber].sort(byRow),
      heldOrders: this.heldOrders,
      withoutNumber: this.withoutNumber,
      duplicates: this.duplicates,
    }
  }

  /** Number and last row of each order seen so far. */
  lastRows(): [string, number][] {
    return [...this.groups].map(([number, { last }]) => [number, last])
  }

  /** Rows are not kept any longer: they are read once more. */
  forget(): void {
    this.groups.clear()
  }

  /** Cheaper than `add`, for looking ahead. */
  numberIn(row: SheetRow): string {
    if (this.profile.numberOf !== undefined) {
      const raw = rawRow(this.profile, this.header, row)
      return this.numberOf(raw, (field) => normaliseText(raw.cells[this.names.get(field) ?? '']))
    }
    const column = this.header.columnOfField.get('orderNumber') ?? -1
    return normaliseText(cellText(row.cells[column] ?? row.merged?.get(column)))
  }

  private numberOf(raw: RawRow, written: (field: Field) => string): string {
    return this.profile.numberOf?.(mappedRow(this.profile, raw, this.names)) ?? written('orderNumber')
  }

  /** Blank rows, a repeated header, totals and remarks below the table. */
  private isNoOrder(raw: RawRow, number: string, written: (field: Field) => string): boolean {
    const cells = Object.values(raw.cells).filter((text) => normaliseText(text) !== '')
    if (cells.length === 0) return true
    if (number !== '' && number === normaliseText(this.names.get('orderNumber'))) return true
    if (TOTALS.test(number) || (number === '' && cells.some((text) => TOTALS.test(normaliseText(text))))) return true
    const marks: Field[] = ['sku', 'sku2', 'itemId', 'recipientName', 'phone', 'phone2', 'address']
    if (number === '') return marks.every((field) => written(field) === '')
    // A remark such as 製表日期 that happens to stand in the order number's column.
    return cells.length === 1 && /[:：]|製表|列印|匯出|備註|說明/.test(number)
  }

  /** What a spreadsheet does to codes: dates out of 3-5, digits lost beyond the fifteenth. */
  private checkCodes(row: SheetRow, raw: RawRow, number: string): void {
    for (const field of ['orderNumber', 'sku', 'sku2'] as const) {
      const column = this.header.columnOfField.get(field)
      const cell = column === undefined ? undefined : (row.cells[column] ?? row.merged?.get(column))
      if (isSheetDate(cell)) {
        this.report(
          raw,
          field,
          'dateInsteadOfText',
          'The spreadsheet made a date of this code. Format the column as text, enter the code again and import the file again.',
        )
      } else if (typeof cell === 'number' && Math.abs(cell) >= 1e15 && !/e\+/i.test(cellText(cell))) {
        this.report(
          raw,
          field,
          'shortenedNumber',
          'A spreadsheet keeps 15 digits of a number, this one has more. Format the column as text, enter it again and import the file again.',
        )
      } else continue
      this.spoiled.add(number)
    }
  }

  private report(raw: RawRow, field: Field, code: RowError['code'], message: string): void {
    const column = this.names.get(field) ?? this.profile.columns[field]?.[0] ?? field
    const list = field === 'orderNumber' && code === 'missing' ? this.withoutNumber : this.codeErrors
    list.push({ row: raw.row, column, value: raw.cells[column] ?? '', code, message })
  }

  private contentOf(raw: RawRow): string {
    const running = new Set(this.profile.runningFields.map((field) => this.names.get(field)))
    return JSON.stringify(Object.entries(raw.cells).filter(([header]) => !running.has(header)))
  }
}

/** Said of an order whose other rows are in no file that is known; an import that knows them takes it back. */
export const incomplete = (names: FieldNames, first: RawRow, has: number, expected: number): RowError => ({
  row: first.row,
  column: names.get('orderNumber') ?? '',
  value: first.cells[names.get('orderNumber') ?? ''] ?? '',
  code: 'incomplete',
  message: `This order has ${expected} rows, and ${has} of them ${has === 1 ? 'is' : 'are'} here. Send all rows of the order.`,
})

export const orderHash = ({ fulfilled: _, ...order }: IncomingOrder): string => contentHash(order)

export function mapRows(
  profile: Profile,
  rows: RawRow[],
  context: MapContext,
  names: FieldNames,
): { order: IncomingOrder | null; errors: RowError[] } {
  const problems = new Problems()
  const order = profile.mapOrder(
    rows.map((row) => mappedRow(profile, row, names)),
    context,
    problems,
  )
  return { order: problems.errors.length > 0 ? null : order, errors: problems.errors }
}
