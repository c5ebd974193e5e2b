/** What a warehouse reports of a unit becomes counters and stock; the saga is woken where something is to be done. */
import type { ShipmentAdvice } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { consume, keepAside } from '../store/ledger/operations.ts'
import type { Pool, Tx } from '../store/db.ts'
import { changeOrder, strikeUnit, type OrderRecord, type UnitRecord } from '../store/orderRecord.ts'
import { openTask } from '../store/tasks.ts'
import { whyCalledBack } from './order/recall.ts'
import { markShipped } from './parcelNews.ts'

/** @returns the order, and whether it should be rung. @throws OmnisagaError Invalid: no such unit or line. */
export async function applyAdvice(pool: Pool, advice: ShipmentAdvice): Promise<{ orderId: string; wake: boolean }> {
  const found = await pool.query<{ order_id: string }>('select order_id from units where id = $1', [advice.unitId])
  const orderId = found.rows[0]?.order_id
  if (orderId === undefined) {
    throw new OmnisagaError('Invalid', `the warehouse speaks of unit ${advice.unitId}, which does not exist`, {
      code: 'unknownUnit',
      remedy: 'Ask the warehouse which order it means.',
    })
  }
  const { result } = await changeOrder(pool, orderId, 'world', async (record, tx) => {
    const unit = record.unit(advice.unitId)
    const wake = await accept(record, tx, unit, advice)
    if (wake) record.wake()
    return wake
  })
  return { orderId, wake: result }
}

/** Late and repeated reports change nothing: a unit only goes forward. */
async function accept(record: OrderRecord, tx: Tx, unit: UnitRecord, advice: ShipmentAdvice): Promise<boolean> {
  await record.closeTasks(tx, { key: `unit:${unit.id}:silent` }, 'the warehouse has answered')
  switch (advice.status) {
    case 'picked':
      return await pick(record, tx, unit, advice)
    case 'packed':
    case 'shipped': {
      const wakeForShort = await pick(record, tx, unit, advice)
      const wakeForPacked = await pack(record, tx, unit, advice)
      if (advice.status === 'shipped') await markShipped(record, tx, unit)
      return wakeForShort || wakeForPacked
    }
    case 'cancelled':
      if (unit.state !== 'recalling' && unit.state !== 'handedOver' && unit.state !== 'picked') return false
      strikeUnit(record, unit)
      await record.closeTasks(tx, { key: `order:${record.id}:recall:${unit.id}` }, 'the goods are back')
      return true
    case 'cancelRefused':
      if (unit.state !== 'recalling') return false
      record.record('undoFailed', { unit: unit.id, reason: advice.reason })
      await openTask(tx, {
        kind: 'recall.refused',
        key: `order:${record.id}:recall:${unit.id}`,
        orderId: record.id,
        connection: record.connection,
        subject: record.doc.externalId,
        title: 'The warehouse cannot take the goods back',
        detail: `Order ${record.doc.externalId} ${whyCalledBack(record)}, but the warehouse says: ${advice.reason ?? 'no reason given'}. Its goods stay held.`,
        remedy: 'Fetch the goods and say recalled, or let the order go on as it was (letGo).',
        field: 'unit',
        value: unit.id,
        actions: ['recalled', 'letGo'],
      })
      return false
  }
}

/** @param reason why pieces are short: not found, or found broken. */
export async function pick(
  record: OrderRecord,
  tx: Tx,
  unit: UnitRecord,
  advice: Pick<ShipmentAdvice, 'lines'>,
  reason: 'shortPick' | 'damaged' = 'shortPick',
): Promise<boolean> {
  // Also after it was picked: what is found broken at packing is short, too.
  if (!['handedOver', 'picked', 'recalling'].includes(unit.state)) return false
  const lost: { lineId: string; location: string; quantity: number }[] = []
  for (const line of unit.lines) {
    const told = advice.lines.find((candidate) => candidate.lineId === line.lineId)
    const short = Math.max(line.short, Math.min(told?.short ?? 0, line.quantity))
    const newlyPicked = line.quantity - short - line.picked
    line.picked += newlyPicked
    record.line(line.lineId).picked += newlyPicked
    if (short > line.short) lost.push({ lineId: line.lineId, location: unit.location, quantity: short - line.short })
    line.short = short
  }
  if (unit.state === 'handedOver') unit.state = 'picked'
  if (lost.length === 0) return false
  // What is not on the shelf is not on hand: booked out at once, or the next order would be promised it again.
  const shortInAll = unit.lines.reduce((sum, line) => sum + line.short, 0)
  await consume(tx, {
    key: `${unit.id}:short:${shortInAll}`,
    orderId: record.id,
    lines: lost,
    reason,
    reference: unit.id,
  })
  for (const line of lost) record.line(line.lineId).held -= line.quantity
  // Nothing of it was there: no box will come.
  if (unit.state === 'picked' && unit.lines.every((line) => line.short === line.quantity)) unit.state = 'cancelled'
  return true
}

export async function pack(
  record: OrderRecord,
  tx: Tx,
  unit: UnitRecord,
  advice: Pick<ShipmentAdvice, 'weightGrams'>,
): Promise<boolean> {
  if (!['picked', 'handedOver', 'recalling'].includes(unit.state)) return false
  await tx.query(
    'update units set packed_at = now(), answer_due_at = null, weight_grams = coalesce($2, weight_grams) where id = $1',
    [unit.id, advice.weightGrams],
  )
  for (const line of unit.lines) {
    record.line(line.lineId).packed += line.picked - line.packed
    line.packed = line.picked
  }
  if (unit.state === 'recalling') return false // its answer to the recall decides
  if (unit.lines.every((line) => line.packed === 0)) {
    unit.state = 'cancelled'
    return true
  }
  unit.state = 'packed'
  await keepAside(tx, {
    orderId: record.id,
    lines: unit.lines.filter((line) => line.packed > 0).map(({ lineId }) => ({ lineId })),
  })
  return true
}
