/** A parcel that came back by itself (not collected, refused, wrong address) is a return too: received, inspected, restocked. */
import type { Tx } from '../../store/db.ts'
import type { OrderRecord, UnitRecord } from '../../store/orderRecord.ts'
import { addReceived, addReturn, readReturn, returnOfUnit, updateReturn, type ReturnRow } from '../../store/returns.ts'
import { closeTasks } from '../../store/tasks.ts'
import { ReturnsPolicy } from '../../domain/returns.ts'
import { disposeOf, leftToInspect } from './inspect.ts'

/** Told once a unit, whoever reports it first. */
export async function cameBack(tx: Tx, record: OrderRecord, unit: UnitRecord, reason: string): Promise<ReturnRow> {
  return (
    (await returnOfUnit(tx, unit.id)) ??
    (await addReturn(tx, {
      key: `unit:${unit.id}`,
      orderId: record.id,
      unitId: unit.id,
      state: 'approved',
      way: 'cameBack',
      reason,
      location: unit.location,
      because: [],
      by: 'courier',
      dueAt: null,
      lines: unit.lines.filter(({ packed }) => packed > 0).map(({ lineId, sku, packed }) => ({ lineId, sku, quantity: packed })),
    }))
  )
}

/** All that came back of a unit and that nobody has dealt with is on the shelf again, where it left from or where it was received. */
export async function restockUnit(tx: Tx, record: OrderRecord, unit: UnitRecord, by: string): Promise<void> {
  const row = await cameBack(tx, record, unit, 'it came back')
  const open = row.lines.map(({ lineId, quantity, received }) => ({ lineId, quantity: quantity - received }))
  await addReceived(
    tx,
    row.id,
    open.filter(({ quantity }) => quantity > 0),
  )
  if (row.state !== 'done') await updateReturn(tx, row.id, { state: 'received' })
  const now = await readReturn(tx, row.id)
  const lines = leftToInspect(now).map((pieces) => ({
    ...pieces,
    disposition: 'restock' as const,
    location: now.location,
    note: null,
  }))
  if (lines.length > 0) await disposeOf(tx, record, now, { lines, refundMinor: null }, { by, policy: ReturnsPolicy.parse({}) })
  await closeTasks(tx, { key: `unit:${unit.id}:returned` }, 'on sale again', by)
}
