/**
 * A file with the mended rows alone: the good rows of an order that waits were kept when it was held, and rows that are known already
 * tell nothing new. A mended row is known by its cells that were right: they must be as they were.
 */
import type { FileOrder, HeldOrder, OrderBatch, RawRow, ReadOptions, RowError } from '../mappings/files/index.ts'
import { mapRawOrder, orderHash } from '../mappings/files/index.ts'
import { normaliseHeader, normaliseText } from '../mappings/normalise/index.ts'
import type { Queryable } from '../store/db.ts'
import { keptRows, takenRows, type KeptOrder, type KeptRow } from '../store/heldRows.ts'

export interface Resolved {
  orders: FileOrder[]
  held: (HeldOrder & { flagged: KeptOrder['flagged'] })[]
  /** Orders of which the file has only rows that were taken in before. */
  known: string[]
}

export const heldTaskKey = (connection: string, orderNumber: string) => `import:${connection}:${orderNumber}`

/** What a spreadsheet spoilt cannot be seen in the text any more. */
const SPOILT: ReadonlySet<string> = new Set(['dateInsteadOfText', 'shortenedNumber'])
/** Running numbers of a file are no part of what a row says. */
const RUNNING = new Set(['項次', '項次+燈號', '序號'].map(normaliseHeader))

const contentOf = (row: KeptRow, but: ReadonlySet<string> = new Set()): string =>
  JSON.stringify(
    Object.entries(row.cells)
      .map(([header, value]) => [normaliseHeader(header), normaliseText(value)] as const)
      .filter(([header, value]) => value !== '' && !RUNNING.has(header) && !but.has(header))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/** @returns the order's rows, with `fresh` true for those of this file; null when what changed cannot be told. */
export function mend(
  incoming: readonly RawRow[],
  kept: Pick<KeptOrder, 'rows' | 'flagged'>,
): { row: RawRow; fresh: boolean }[] | null {
  const flagged = new Map<number, Set<string>>()
  for (const { at, column } of kept.flagged) flagged.set(at, (flagged.get(at) ?? new Set()).add(normaliseHeader(column)))
  const rows = kept.rows.map((row) => ({ row: row as RawRow, fresh: false }))
  const free = new Set(rows.keys())
  const isSame = (row: RawRow, at: number) => contentOf(row) === contentOf(kept.rows[at] as KeptRow)
  const isMended = (row: RawRow, at: number) => {
    const but = flagged.get(at)
    return but !== undefined && contentOf(row, but) === contentOf(kept.rows[at] as KeptRow, but)
  }
  let others = 0
  for (const row of incoming) {
    const at = [...free].find((each) => isSame(row, each)) ?? [...free].find((each) => isMended(row, each))
    if (at === undefined) others++
    else {
      free.delete(at)
      // A wrong row that comes as it was is still the wrong one.
      rows[at] = { row, fresh: !(flagged.has(at) && isSame(row, at)) }
    }
  }
  if (others === 0) return rows
  return incoming.length >= kept.rows.length ? incoming.map((row) => ({ row, fresh: true })) : null
}

/** Sees a batch in the light of what is known of its orders: rows that were kept, rows that were taken in. */
export async function resolveBatch(
  db: Queryable,
  connection: string,
  read: Omit<ReadOptions, 'profile' | 'password' | 'limits'>,
  batch: Pick<OrderBatch, 'profile' | 'annotated' | 'orders' | 'held'>,
): Promise<Resolved> {
  const entries = [
    ...batch.orders.map((order) => ({
      externalId: order.order.externalId,
      rows: order.raw.rows,
      errors: [] as RowError[],
      order,
    })),
    ...batch.held.map((held) => ({ ...held, order: null })),
  ]
  const ids = entries.map(({ externalId }) => externalId)
  const kept = await keptRows(
    db,
    connection,
    ids,
    ids.map((id) => heldTaskKey(connection, id)),
  )
  const partial = batch.held
    .filter(({ errors }) => errors.some(({ code }) => code === 'incomplete'))
    .map(({ externalId }) => externalId)
  const taken = partial.length > 0 ? await takenRows(db, connection, partial) : new Map<string, KeptRow[]>()
  const resolved: Resolved = { orders: [], held: [], known: [] }
  for (const { externalId, rows, errors, order } of entries) {
    const before = kept.get(externalId)
    const known = new Set((taken.get(externalId) ?? []).map((row) => contentOf(row)))
    if (before === undefined && known.size > 0 && rows.every((row) => known.has(contentOf(row)))) resolved.known.push(externalId)
    else if (before === undefined || before.profile !== batch.profile) put(resolved, externalId, rows, errors, order)
    else remap(resolved, { externalId, rows, errors, order }, before, read)
  }
  return resolved
}

type Entry = { externalId: string; rows: RawRow[]; errors: RowError[]; order: FileOrder | null }

function put(resolved: Resolved, externalId: string, rows: RawRow[], errors: RowError[], order: FileOrder | null): void {
  if (order !== null) resolved.orders.push(order)
  else resolved.held.push({ externalId, rows, errors, flagged: flaggedIn(rows, errors) })
}

const flaggedIn = (rows: readonly RawRow[], errors: readonly RowError[]): KeptOrder['flagged'] =>
  errors.flatMap(({ row, column, code }) => {
    const at = rows.findIndex((each) => each.row === row)
    return at < 0 || code === 'incomplete' ? [] : [{ at, column }]
  })

function remap(
  resolved: Resolved,
  entry: Entry,
  before: KeptOrder,
  read: Omit<ReadOptions, 'profile' | 'password' | 'limits'>,
): void {
  const { externalId } = entry
  const mended = mend(entry.rows, before)
  if (mended === null) {
    const [first] = entry.rows
    const unclear: RowError = {
      row: first?.row ?? 0,
      column: '',
      value: externalId,
      code: 'incomplete',
      message: `Order ${externalId} waits with ${before.rows.length} rows; the ${entry.rows.length} here changed more than the marked cells. Send all rows of the order.`,
    }
    resolved.held.push({ externalId, rows: before.rows, errors: [...entry.errors, unclear], flagged: before.flagged })
    return
  }
  // Rows of two files may have the same number: each gets its place instead, and its own number back when it is told.
  const rows = mended.map(({ row }, at) => ({ ...row, row: at + 1 }))
  const { order, errors } = mapRawOrder(before.profile, { rows }, read)
  const spoilt = entry.errors.filter(({ code }) => SPOILT.has(code))
  const old = mended.length === before.rows.length ? before.flagged.filter(({ at }) => mended[at]?.fresh === false) : []
  const flagged = [
    ...errors.map(({ row, column }) => ({ at: row - 1, column })),
    ...spoilt.flatMap(({ row, column }) => {
      const at = mended.findIndex((each) => each.fresh && each.row.row === row)
      return at < 0 ? [] : [{ at, column }]
    }),
    ...old,
  ]
  const raw = { rows: mended.map(({ row }) => row) }
  if (order !== null && flagged.length === 0) resolved.orders.push({ order, raw, hash: orderHash(order) })
  else {
    const told = [...spoilt, ...errors.map((error) => ({ ...error, row: mended[error.row - 1]?.row.row ?? error.row }))]
    resolved.held.push({
      externalId,
      rows: raw.rows,
      errors: told.length > 0 ? told : stillWrong(externalId, mended, old),
      flagged,
    })
  }
}

/** Rows that nobody mended yet, of a kind that their text alone does not show. */
const stillWrong = (externalId: string, mended: { row: RawRow }[], flagged: KeptOrder['flagged']): RowError[] =>
  flagged.map(({ at, column }) => ({
    row: mended[at]?.row.row ?? 0,
    column,
    value: mended[at]?.row.cells[column] ?? '',
    code: 'incomplete',
    message: `This cell of order ${externalId} is still wrong. Correct it and send the row again.`,
  }))
