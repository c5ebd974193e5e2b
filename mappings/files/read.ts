/** From a file to orders: finds the sheet and its header row, groups rows to orders, maps each and reports what is wrong. */
import { contentHash } from '../../domain/ids.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import { cellText, fieldNames, fieldNamesOf, mappedRow, missingColumns, rawRow, readHeader } from '../profiles/columns.ts'
import type { FieldNames, Header } from '../profiles/columns.ts'
import { PROFILES, profileOf } from '../profiles/index.ts'
import { Problems } from '../profiles/types.ts'
import type { Field, MapContext, Profile, RawOrder, RawRow, RowError } from '../profiles/types.ts'
import { normaliseText } from '../normalise/index.ts'
import { unreadable } from './errors.ts'
import { openWorkbook } from './open.ts'
import { isSheetDate } from './types.ts'
import type { FileSource, Limits, Sheet, SheetRow, Workbook } from './types.ts'

export interface ReadOptions {
  profile: string
  /** Name of the connection; the profile's name when there is none. */
  connection?: string | undefined
  channel?: string | undefined
  shop?: string | undefined
  /** IANA zone of the file's times. @default 'Asia/Taipei' */
  zone?: string | undefined
  password?: string | undefined
  limits?: Partial<Limits> | undefined
}

export interface FileOrder {
  order: IncomingOrder
  raw: RawOrder
  /** Of what the order says; the same for the same order in another file or at another place in it. */
  hash: string
}

export interface FileOrders {
  profile: string
  sheet: string
  /** The header's row number in the sheet. */
  headerRow: number
  /** Rows that belong to orders, wrong ones and duplicates included. */
  rows: number
  orders: FileOrder[]
  errors: RowError[]
  /** Order numbers that wait because a row of theirs is wrong. */
  heldOrders: string[]
  /** The same orders with what is wrong in their rows. */
  held: { externalId: string; errors: RowError[] }[]
  /** Rows that name no order. */
  withoutNumber: RowError[]
  /** Rows that repeat another row of their order word for word; counted once. */
  duplicates: { row: number; firstRow: number; externalId: string }[]
  /** Sheets that were not read: hidden ones, and visible ones without the profile's columns or behind the sheet that was read. */
  skippedSheets: string[]
}

const HEADER_WITHIN_ROWS = 60
const TOTALS =
  /^(合計|總計|小計|總數|加總|總筆數|總金額|共計|本頁合計|grand\s?total|sub\s?total|total|sum)|^共\s?\d+\s?(筆|件|項)/i

export function contextOf(profile: Profile, options: Omit<ReadOptions, 'profile'>): MapContext {
  return {
    connection: options.connection ?? profile.name,
    channel: options.channel ?? profile.channel,
    shop: options.shop ?? 'default',
    zone: options.zone ?? 'Asia/Taipei',
  }
}

/** @throws OmnisagaError Invalid for a file that cannot be read or lacks the profile's columns; wrong rows are data, not errors. */
export async function readOrders(source: FileSource, options: ReadOptions): Promise<FileOrders> {
  const profile = profileOf(options.profile)
  const workbook = await openWorkbook(source, { password: options.password, ...(options.limits && { limits: options.limits }) })
  try {
    const found = await findSheet(workbook, profile)
    const reader = new OrderReader(profile, found.header, contextOf(profile, options))
    for await (const row of found.rows) reader.add(row)
    return {
      profile: profile.name,
      sheet: found.sheet.name,
      headerRow: found.header.row,
      ...reader.finish(),
      skippedSheets: [
        ...workbook.hiddenSheets,
        ...workbook.sheets.filter((sheet) => sheet !== found.sheet).map((sheet) => sheet.name),
      ],
    }
  } finally {
    workbook.close()
  }
}

interface FoundSheet {
  sheet: Sheet
  header: Header
  rows: AsyncIterable<SheetRow>
}

async function findSheet(workbook: Workbook, profile: Profile): Promise<FoundSheet> {
  const sheets = [...workbook.sheets].sort(
    (a, b) => Number(b.name === profile.preferredSheet) - Number(a.name === profile.preferredSheet),
  )
  let closest: { missing: string[]; sheet: string; row: number } | null = null
  let other: string | undefined
  for (const sheet of sheets) {
    const rows = sheet.rows()[Symbol.asyncIterator]()
    let seen = 0
    for (let next = await rows.next(); !next.done && seen < HEADER_WITHIN_ROWS; next = await rows.next(), seen++) {
      const header = readHeader(profile, next.value)
      const missing = missingColumns(profile, header)
      if (missing.length === 0) return { sheet, header, rows: { [Symbol.asyncIterator]: () => rows } }
      if (header.columnOfField.size > 1 && (!closest || missing.length < closest.missing.length))
        closest = { missing, sheet: sheet.name, row: header.row }
      const row = next.value
      other ??= PROFILES.find((known) => known !== profile && missingColumns(known, readHeader(known, row)).length === 0)?.name
    }
    await rows.return?.()
  }
  if (other !== undefined) {
    throw unreadable(
      'otherProfile',
      `The columns are those of ${other}, not of ${profile.name}.`,
      `Import it with the profile ${other}.`,
    )
  }
  if (closest) {
    throw unreadable(
      'missingColumns',
      `Columns of ${profile.name} are missing: ${closest.missing.join(', ')} (sheet ${closest.sheet}, header in row ${closest.row}).`,
      'Export the file with all columns, or import it with the profile of its channel.',
    )
  }
  const needed = profile.required
    .map((group) => group.map((field) => profile.columns[field]?.[0] ?? field).join(' / '))
    .join(', ')
  const hidden = workbook.hiddenSheets.length > 0 ? ` Hidden sheets are not read: ${workbook.hiddenSheets.join(', ')}.` : ''
  throw unreadable(
    'unknownHeaders',
    `No row of the file has the columns of ${profile.name}: ${needed}.${hidden}`,
    "Check that it is the channel's order export, and name the profile of its channel.",
  )
}

/** Takes data rows one by one; gives the orders at the end. */
class OrderReader {
  private readonly profile: Profile
  private readonly header: Header
  private readonly names: FieldNames
  private readonly context: MapContext
  private readonly groups = new Map<string, { rows: RawRow[]; seen: Map<string, number> }>()
  private readonly errors: RowError[] = []
  private readonly spoiled = new Set<string>()
  private readonly duplicates: FileOrders['duplicates'] = []
  private rows = 0

  constructor(profile: Profile, header: Header, context: MapContext) {
    this.profile = profile
    this.header = header
    this.names = fieldNames(header)
    this.context = context
  }

  add(row: SheetRow): void {
    const raw = rawRow(this.profile, this.header, row)
    const written = (field: Field) => normaliseText(raw.cells[this.names.get(field) ?? ''])
    const number = written('orderNumber')
    if (this.isNoOrder(raw, number, written)) return
    this.rows++
    if (number === '') {
      this.report(
        raw,
        'orderNumber',
        'missing',
        'The order number is missing, so this row belongs to no order. Fill it in and import the file again.',
      )
      return
    }
    this.checkCodes(row, raw, number)
    let group = this.groups.get(number)
    if (!group) this.groups.set(number, (group = { rows: [], seen: new Map() }))
    const content = this.contentOf(raw)
    const firstRow = group.seen.get(content)
    if (firstRow !== undefined) {
      this.duplicates.push({ row: raw.row, firstRow, externalId: number })
      return
    }
    group.seen.set(content, raw.row)
    group.rows.push(raw)
  }

  finish(): Omit<FileOrders, 'profile' | 'sheet' | 'headerRow' | 'skippedSheets'> {
    const orders: FileOrder[] = []
    const heldOrders: string[] = []
    for (const [number, { rows }] of this.groups) {
      const { order, errors } = mapRows(this.profile, rows, this.context, this.names)
      this.errors.push(...errors)
      if (order === null || this.spoiled.has(number)) heldOrders.push(number)
      else orders.push({ order, raw: { rows }, hash: orderHash(order) })
    }
    const errors = this.errors.sort((a, b) => a.row - b.row)
    return { rows: this.rows, orders, errors, heldOrders, ...this.errorsByOrder(heldOrders), duplicates: this.duplicates }
  }

  private errorsByOrder(heldOrders: string[]): Pick<FileOrders, 'held' | 'withoutNumber'> {
    const held = new Map(heldOrders.map((externalId) => [externalId, [] as RowError[]]))
    const orderOfRow = new Map<number, string>()
    for (const number of heldOrders) for (const { row } of this.groups.get(number)?.rows ?? []) orderOfRow.set(row, number)
    for (const { row, externalId } of this.duplicates) orderOfRow.set(row, externalId)
    const withoutNumber: RowError[] = []
    for (const error of this.errors) (held.get(orderOfRow.get(error.row) ?? '') ?? withoutNumber).push(error)
    return { held: [...held].map(([externalId, errors]) => ({ externalId, errors })), withoutNumber }
  }

  /** Blank rows, a repeated header, totals and remarks below the table. */
  private isNoOrder(raw: RawRow, number: string, written: (field: Field) => string): boolean {
    const cells = Object.values(raw.cells).filter((text) => normaliseText(text) !== '')
    if (cells.length === 0) return true
    if (number !== '' && number === normaliseText(this.names.get('orderNumber'))) return true
    if (TOTALS.test(number) || (number === '' && cells.some((text) => TOTALS.test(normaliseText(text))))) return true
    const marks: Field[] = ['sku', 'sku2', 'recipientName', 'phone', 'phone2', 'address']
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
    this.errors.push({ row: raw.row, column, value: raw.cells[column] ?? '', code, message })
  }

  private contentOf(raw: RawRow): string {
    const running = new Set(this.profile.runningFields.map((field) => this.names.get(field)))
    return JSON.stringify(Object.entries(raw.cells).filter(([header]) => !running.has(header)))
  }
}

export const orderHash = ({ fulfilled: _, ...order }: IncomingOrder): string => contentHash(order)

function mapRows(
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

/** Maps an order again from its raw rows, as the inbox keeps them. */
export function mapRawOrder(
  profileName: string,
  raw: RawOrder,
  options: Omit<ReadOptions, 'profile' | 'password' | 'limits'>,
): { order: IncomingOrder | null; errors: RowError[] } {
  const profile = profileOf(profileName)
  return mapRows(profile, raw.rows, contextOf(profile, options), fieldNamesOf(profile, raw.rows))
}
