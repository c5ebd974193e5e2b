/** What becomes of pieces that came back: each a movement with its reason, scrap none. Then the money is asked for. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { Disposition, ReturnsPolicy } from '../../domain/returns.ts'
import type { Tx } from '../../store/db.ts'
import { move } from '../../store/ledger/operations.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { addDisposition, readReturn, updateReturn, type ReturnRow } from '../../store/returns.ts'
import { closeTasks } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { settleMoney } from './money.ts'

export interface Pieces {
  lineId: string
  quantity: number
}
export interface Inspection {
  lines: (Pieces & { disposition: Disposition; location: string | null; note: string | null })[]
  /** A part of what the pieces are worth, when a person says so. */
  refundMinor: number | null
}

const REASONS: Record<Exclude<Disposition, 'scrap'>, string> = {
  restock: 'returned',
  outlet: 'returnedToOutlet',
  refurbish: 'returnedToRefurbish',
}

const disposed = (row: ReturnRow, lineId: string): number =>
  row.dispositions.filter((each) => each.lineId === lineId).reduce((sum, { quantity }) => sum + quantity, 0)

/** Received, and nobody has said what becomes of it. */
export const leftToInspect = (row: ReturnRow): Pieces[] =>
  row.lines
    .map(({ lineId, received }) => ({ lineId, quantity: received - disposed(row, lineId) }))
    .filter(({ quantity }) => quantity > 0)

/** Two who inspect at once wait for each other: pieces that the first has dealt with are refused to the second. */
export async function inspectReturn(runtime: Runtime, returnId: string, inspection: Inspection, by: string): Promise<ReturnRow> {
  const { returns: policy } = await runtime.policy()
  const before = await readReturn(runtime.pool, returnId)
  await changeOrder(runtime.pool, before.orderId, 'world', async (record, tx) => {
    await disposeOf(tx, record, await readReturn(tx, returnId), inspection, { by, policy })
  })
  return await readReturn(runtime.pool, returnId)
}

/** All that waits for an inspection goes one way. */
export async function inspectAll(runtime: Runtime, returnId: string, disposition: Disposition, by: string): Promise<ReturnRow> {
  const row = await readReturn(runtime.pool, returnId)
  const lines = leftToInspect(row).map((pieces) => ({ ...pieces, disposition, location: null, note: null }))
  return await inspectReturn(runtime, returnId, { lines, refundMinor: null }, by)
}

/** @throws Rejected, code `inspected`: more pieces than wait. Invalid: no location takes such pieces. */
export async function disposeOf(
  tx: Tx,
  record: OrderRecord,
  row: ReturnRow,
  { lines, refundMinor }: Inspection,
  { by, policy }: { by: string; policy: ReturnsPolicy },
): Promise<void> {
  const left = new Map(leftToInspect(row).map(({ lineId, quantity }) => [lineId, quantity]))
  let serial = row.dispositions.length
  for (const { lineId, quantity, disposition, note, ...wished } of lines) {
    const there = left.get(lineId) ?? 0
    if (quantity > there)
      throw new OmnisagaError('Rejected', `of line ${lineId} ${there} pieces wait for an inspection, not ${quantity}`, {
        code: 'inspected',
        remedy: 'Look at the return: somebody else may have inspected them.',
      })
    left.set(lineId, there - quantity)
    serial += 1
    const sku = row.lines.find((each) => each.lineId === lineId)?.sku ?? ''
    const location = wished.location ?? placeFor(row, disposition, policy)
    const movement = disposition === 'scrap' ? null : `${row.id}:${disposition}:${lineId}:${serial}`
    if (movement !== null && disposition !== 'scrap')
      await move(tx, { key: movement, sku, location, quantity, reason: REASONS[disposition], reference: row.id })
    await addDisposition(tx, row.id, { lineId, quantity, disposition, location, movement, note, by })
  }
  await finish(tx, record, await readReturn(tx, row.id), { refundMinor, by })
}

function placeFor(row: ReturnRow, disposition: Disposition, { locations }: ReturnsPolicy): string {
  const received = row.location ?? ''
  if (disposition === 'scrap') return received
  // What was brought to a store may be sold there; only what comes by parcel is expected at one place.
  if (disposition === 'restock') return received
  const place = locations[disposition]
  if (place !== null) return place
  throw new OmnisagaError('Invalid', `no location takes ${disposition} pieces`, {
    code: 'dispositionLocation',
    remedy: `Name one with the pieces, or set policy.returns.locations.${disposition}.`,
  })
}

/** Once nothing waits any more, money is asked for what was inspected. */
async function finish(
  tx: Tx,
  record: OrderRecord,
  row: ReturnRow,
  { refundMinor, by }: { refundMinor: number | null; by: string },
): Promise<void> {
  if (leftToInspect(row).length > 0) return
  await closeTasks(tx, { key: `return:${row.id}:inspect` }, 'inspected', by)
  if (row.unitId !== null) await closeTasks(tx, { key: `unit:${row.unitId}:returned` }, 'inspected', by)
  await settleMoney(tx, record, row, { refundMinor })
  if (row.lines.every(({ quantity, received }) => quantity === received)) await updateReturn(tx, row.id, { state: 'done' })
}
