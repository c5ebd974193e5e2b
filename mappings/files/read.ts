/** From a file to orders, all at once or in batches: each order leaves as soon as its last row has been read. */
import type { IncomingOrder } from '../../domain/order.ts'
import { fieldNamesOf } from '../profiles/columns.ts'
import type { Candidate } from '../profiles/guess.ts'
import { profileOf } from '../profiles/index.ts'
import { profileOfLayout, type LayoutDocument } from '../profiles/layout.ts'
import type { MapContext, Profile, RawOrder, RowError } from '../profiles/types.ts'
import { findSheet, guessSheet, type FoundSheet } from './find.ts'
import { takesWaybills } from './momo-writeback.ts'
import { openWorkbook } from './open.ts'
import { mapRows, OrderReader, type FileOrder, type HeldOrder, type RowsSummary } from './orders.ts'
import type { FileSource, Limits } from './types.ts'

export { orderHash, type FileOrder, type HeldOrder } from './orders.ts'

export interface ReadOptions {
  /** Guessed from the headers when none is named. */
  profile?: string | undefined
  /** Layouts that were taught, beside those that are built in. */
  layouts?: readonly LayoutDocument[] | undefined
  /** Profile names by the fingerprint of headers that were read before. */
  remembered?: Readonly<Record<string, string>> | undefined
  /** Name of the connection; the profile's name when there is none. */
  connection?: string | undefined
  channel?: string | undefined
  shop?: string | undefined
  /** IANA zone of the file's times. @default 'Asia/Taipei' */
  zone?: string | undefined
  password?: string | undefined
  limits?: Partial<Limits> | undefined
}

export interface FileSummary extends RowsSummary {
  profile: string
  /** 0 to 1; 1 when the profile was named or the layout is known. */
  confidence: number
  /** Best first; none when the profile was named. */
  candidates: Candidate[]
  /** Of the set of headers. */
  fingerprint: string
  sheet: string
  /** The header's row number in the sheet. */
  headerRow: number
  /** It has cells for tracking numbers that can be filled: it goes back to its channel. */
  takesWaybills: boolean
  /** The file has the column that `annotate` adds: it may be a part of another. */
  annotated: boolean
  /** Sheets that were not read: hidden ones, and visible ones without the profile's columns or behind the sheet that was read. */
  skippedSheets: string[]
}

export interface FileOrders extends FileSummary {
  orders: FileOrder[]
  /** The orders that wait, with what is wrong in their rows. */
  held: HeldOrder[]
}

export interface OrderBatch extends Pick<FileSummary, 'profile' | 'confidence' | 'takesWaybills' | 'annotated'> {
  orders: FileOrder[]
  held: HeldOrder[]
  /** Rows of the sheet below its header: all of them, and how far the orders up to here reach. */
  rowsTotal: number
  rowsDone: number
}
export interface Sink {
  /** Up to BATCH orders; the next are mapped when this settles. */
  batch(batch: OrderBatch): Promise<void>
  /** While the file is looked through, before the first batch. */
  progress?(rowsRead: number): void
}

const BATCH = 200
/** A file with more rows is read twice, so that no more than the orders that are open stay in memory. */
const ROWS_AT_ONCE = 20_000
const PROGRESS_EVERY = 2_000

export function contextOf(profile: Profile, options: Omit<ReadOptions, 'profile'>): MapContext {
  return {
    connection: options.connection ?? profile.name,
    channel: options.channel ?? profile.channel,
    shop: options.shop ?? 'default',
    zone: options.zone ?? 'Asia/Taipei',
  }
}

export const learnedOf = (layouts: readonly LayoutDocument[] | undefined): Profile[] => (layouts ?? []).map(profileOfLayout)

/** @throws OmnisagaError Invalid for a file that cannot be read or lacks the profile's columns; wrong rows are data, not errors. */
export async function readOrders(source: FileSource, options: ReadOptions): Promise<FileOrders> {
  const orders: FileOrder[] = []
  const held: HeldOrder[] = []
  const summary = await streamOrders(source, options, {
    batch: async (batch) => {
      orders.push(...batch.orders)
      held.push(...batch.held)
    },
  })
  return { ...summary, orders, held }
}

/**
 * Nothing is handed on before the whole sheet has been looked through once: of a file that is cut off no order is taken.
 * @throws OmnisagaError Invalid like readOrders, and whatever the sink throws.
 */
export async function streamOrders(source: FileSource, options: ReadOptions, sink: Sink): Promise<FileSummary> {
  const learned = learnedOf(options.layouts)
  const workbook = await openWorkbook(source, { password: options.password, ...(options.limits && { limits: options.limits }) })
  try {
    const found =
      options.profile === undefined
        ? await guessSheet(workbook, learned, new Map(Object.entries(options.remembered ?? {})))
        : await findSheet(workbook, profileOf(options.profile, learned), learned)
    const { profile, header } = found
    const told = {
      profile: profile.name,
      confidence: found.confidence,
      takesWaybills: takesWaybills(profile, workbook.format, header.names),
      annotated: header.remarkColumn >= 0,
    }
    const newReader = () => new OrderReader(profile, header, contextOf(profile, options))
    const reader = await readThrough(found, newReader, { ...sink, batch: (batch) => sink.batch({ ...batch, ...told }) })
    return {
      ...told,
      candidates: found.candidates,
      fingerprint: found.fingerprint,
      sheet: found.sheet.name,
      headerRow: header.row,
      ...reader.summary(),
      skippedSheets: [
        ...workbook.hiddenSheets,
        ...workbook.sheets.filter((sheet) => sheet !== found.sheet).map((sheet) => sheet.name),
      ],
    }
  } finally {
    workbook.close()
  }
}

/** What comes off the rows; what the file is as a whole is said around it. */
type RowSink = Pick<Sink, 'progress'> & {
  batch(batch: Pick<OrderBatch, 'orders' | 'held' | 'rowsTotal' | 'rowsDone'>): Promise<void>
}

async function readThrough(found: FoundSheet, newReader: () => OrderReader, sink: RowSink): Promise<OrderReader> {
  const reader = newReader()
  let rowsTotal = 0
  /** The last row of each order, once there are too many to keep. */
  let lastRows: Map<string, number> | null = null
  for await (const row of found.rows) {
    rowsTotal++
    if (rowsTotal % PROGRESS_EVERY === 0) sink.progress?.(rowsTotal)
    if (lastRows === null) {
      reader.add(row)
      if (rowsTotal < ROWS_AT_ONCE) continue
      lastRows = new Map()
      for (const [number, last] of reader.lastRows()) lastRows.set(number, last)
      reader.forget()
    } else {
      const number = reader.numberIn(row)
      if (number !== '') lastRows.set(number, row.row)
    }
  }
  const out = new Outlet(sink, rowsTotal)
  if (lastRows === null) {
    for (const number of reader.numbers()) await out.put(reader.take(number), rowsTotal)
    await out.flush(rowsTotal)
    return reader
  }
  const second = newReader()
  let rowsDone = 0
  for await (const row of found.again()) {
    rowsDone++
    const number = second.add(row)
    if (number !== '' && lastRows.get(number) === row.row) await out.put(second.take(number), rowsDone)
  }
  for (const number of second.numbers()) await out.put(second.take(number), rowsDone)
  await out.flush(rowsDone)
  return second
}

class Outlet {
  private orders: FileOrder[] = []
  private held: HeldOrder[] = []
  private readonly sink: RowSink
  private readonly rowsTotal: number

  constructor(sink: RowSink, rowsTotal: number) {
    this.sink = sink
    this.rowsTotal = rowsTotal
  }

  async put(taken: ReturnType<OrderReader['take']>, rowsDone: number): Promise<void> {
    if (taken === null) return
    if ('order' in taken) this.orders.push(taken.order)
    else this.held.push(taken.held)
    if (this.orders.length + this.held.length >= BATCH) await this.flush(rowsDone)
  }

  async flush(rowsDone: number): Promise<void> {
    if (this.orders.length + this.held.length === 0) return
    const { orders, held } = this
    this.orders = []
    this.held = []
    await this.sink.batch({ orders, held, rowsTotal: this.rowsTotal, rowsDone })
  }
}

/** Maps an order again from its raw rows, as the inbox keeps them. */
export function mapRawOrder(
  profileName: string,
  raw: RawOrder,
  options: Omit<ReadOptions, 'profile' | 'password' | 'limits'>,
): { order: IncomingOrder | null; errors: RowError[] } {
  const profile = profileOf(profileName, learnedOf(options.layouts))
  return mapRows(profile, raw.rows, contextOf(profile, options), fieldNamesOf(profile, raw.rows))
}
