/** What every reader gives, whatever the file is. */

/** A date or time as the sheet shows it: wall clock without a zone, `2026-11-22 09:30:00`, `2026-11-22` or `09:30:00`. */
export interface SheetDate {
  wallClock: string
}

export type Cell = string | number | boolean | SheetDate | null

export interface SheetRow {
  /** The sheet's own 1-based row number. For CSV the record's number, counting every record. */
  row: number
  /** By column, 0-based; trailing empty cells are left out. */
  cells: Cell[]
  /** Values that a vertical merge above lends to this row, by column; set only where the cell itself is empty. */
  merged?: Map<number, Cell>
}

export interface Sheet {
  name: string
  /** Rows with content, in the file's order. Can be called again; each call reads from the start. */
  rows(): AsyncIterable<SheetRow>
}

export type FileFormat = 'xlsx' | 'xls' | 'csv'

export interface Workbook {
  format: FileFormat
  encrypted: boolean
  /** Visible sheets in the workbook's order. */
  sheets: Sheet[]
  /** Hidden sheets, which are not read. */
  hiddenSheets: string[]
  close(): void
}

/** Caps against files made to exhaust the machine. Bytes are after decompression where not said otherwise. */
export interface Limits {
  /** The file as it lies on disk. */
  maxFileBytes: number
  maxSheetBytes: number
  maxSharedStringBytes: number
  maxSharedStrings: number
  /** styles.xml, workbook.xml and the relations. */
  maxSmallPartBytes: number
  /** Decompressed to compressed, judged beyond 4 MiB. */
  maxRatio: number
  maxRows: number
  maxColumns: number
  /** One cell's text as written in the file. */
  maxCellBytes: number
  maxMerges: number
}

const MiB = 1024 * 1024

export const DEFAULT_LIMITS: Limits = {
  maxFileBytes: 256 * MiB,
  maxSheetBytes: 1024 * MiB,
  maxSharedStringBytes: 512 * MiB,
  maxSharedStrings: 8_000_000,
  maxSmallPartBytes: 64 * MiB,
  maxRatio: 250,
  maxRows: 1_048_576,
  maxColumns: 512,
  maxCellBytes: 1 * MiB,
  maxMerges: 100_000,
}

export type FileSource = { bytes: Buffer; fileName: string } | { path: string }

export const isSheetDate = (cell: unknown): cell is SheetDate => typeof cell === 'object' && cell !== null && 'wallClock' in cell
