/** A profile says how one channel's order file is to be read: its columns by name, and what their values mean. */
import type { IncomingOrder } from '../../domain/order.ts'

/** A row as the file has it: header text to shown text; empty cells are left out. This is what the inbox keeps. */
export interface RawRow {
  row: number
  cells: Record<string, string>
}
export interface RawOrder {
  rows: RawRow[]
}

export interface RowError {
  /** The sheet's own 1-based row number. */
  row: number
  /** The header's text. */
  column: string
  /** The cell as it was written. */
  value: string
  code: RowErrorCode
  /** What is wrong and what to do about it. */
  message: string
}
export type RowErrorCode =
  | 'missing'
  | 'notWhole'
  | 'notPositive'
  | 'badPhone'
  | 'badAmount'
  | 'formulaError'
  | 'shortenedNumber'
  | 'dateInsteadOfText'
  | 'disagree'
  | 'sumsDisagree'
  | 'incomplete'
  | 'unknownDelivery'

export type Field =
  | 'orderNumber'
  | 'status'
  | 'placedAt'
  | 'buyerName'
  | 'recipientName'
  | 'phone'
  | 'phone2'
  | 'phone3'
  | 'address'
  | 'postalCode'
  | 'city'
  | 'district'
  | 'sku'
  | 'sku2'
  | 'itemId'
  | 'modelId'
  | 'productName'
  | 'variant'
  | 'quantity'
  | 'unitPrice'
  | 'unitPrice2'
  | 'gift'
  | 'delivery'
  | 'delivery2'
  | 'storeId'
  | 'paymentMethod'
  | 'paidAt'
  | 'itemsTotal'
  | 'shippingFee'
  | 'orderTotal'
  | 'discount1'
  | 'discount2'
  | 'discount3'
  | 'discount4'
  | 'askedTime'
  | 'notes'
  | 'notes2'
  | 'orderType'
  | 'serial'
  | 'parcelQuery'
  | 'address2'
  | 'country'
  | 'province'
  | 'email'
  | 'buyerPhone'
  | 'chain'
  | 'paymentState'
  | 'amountDue'
  | 'currency'
  | 'taxes'
  | 'lineTotal'
  | 'lineNumber'
  | 'orderedQuantity'
  | 'cancelledQuantity'
  | 'cancelledAt'
  | 'needsShipping'
  | 'shippedAt'

export interface MapContext {
  connection: string
  channel: string
  shop: string
  /** IANA zone of the source's clocks. */ zone: string
}

export interface Profile {
  name: string
  /** The channel when no connection names one. */
  channel: string
  /** Read first when the workbook has it. */
  preferredSheet?: string
  /** What it reads, in a few words. */
  title: string
  /** Headers that the channel's file has beside those that are used: they speak for the profile when one is guessed. */
  otherHeaders?: readonly string[]
  /** Which cells of the channel's own workbook are filled for the way back. */
  writeBack?: WriteBack
  /** The order number of a layout that has no such column. @returns '' when the row belongs to no order. */
  numberOf?(row: MappedRow): string
  /** Accepted headers by field, the usual one first; compared by normaliseHeader. */
  columns: Partial<Record<Field, readonly string[]>>
  /** Of each group at least one column must be there, or the file is not of this profile. */
  required: readonly (readonly Field[])[]
  /** Fields of a line; a vertical merge lends no value to them. */
  lineFields: ReadonlySet<Field>
  /** Fields that every row of an order must agree on. */
  orderFields: readonly Field[]
  /** Not compared when two rows are judged to be the same line. */
  runningFields: readonly Field[]
  mapOrder(rows: MappedRow[], context: MapContext, problems: Problems): IncomingOrder | null
}

/** Headers of the cells that a filled-in workbook has; the file may lack those that are optional. */
export interface WriteBack {
  waybill: readonly string[]
  carrier: readonly string[]
  /** The cell that says "sent", and the word for it. */
  status?: { headers: readonly string[]; value: string }
  message?: readonly string[]
}

/** One row seen through the profile's columns. */
export interface MappedRow {
  row: number
  /** Normalised text of a field; '' when the cell or the column is missing. */
  text(field: Field): string
  /** As written. */
  raw(field: Field): string
  /** The header's text in this file, or the usual one. */
  header(field: Field): string
}

/** Collects what is wrong; every problem of a row is told, not only the first. */
export class Problems {
  readonly errors: RowError[] = []
  private readonly flagged = new Set<string>()

  /** True when something was already said about this very cell. */
  has(row: MappedRow, field: Field): boolean {
    return this.flagged.has(`${row.row} ${field}`)
  }

  add(row: MappedRow, field: Field, code: RowErrorCode, message: string): void {
    this.flagged.add(`${row.row} ${field}`)
    this.errors.push({ row: row.row, column: row.header(field), value: row.raw(field), code, message })
  }
}
