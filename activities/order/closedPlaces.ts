/** What waits at a location that has been closed goes from elsewhere: its unit is struck off, and the saga looks for the pieces anew. */
import { release } from '../../store/ledger/operations.ts'
import { changeOrder, strikeUnit } from '../../store/orderRecord.ts'
import { ring } from '../engine.ts'
import type { Runtime } from '../runtime.ts'

const BATCH = 200

export async function leaveClosedPlaces(runtime: Runtime): Promise<void> {
  const { routing } = await runtime.policy()
  const closed = Object.entries(routing.places).flatMap(([id, place]) => (place.closed ? [id] : []))
  if (closed.length === 0) return
  const { rows } = await runtime.pool.query<{ id: string; orderId: string }>(
    `select u.id, u.order_id as "orderId" from units u join orders o on o.id = u.order_id
     where u.location = any($1) and u.state in ('planned', 'ready') and o.doc->'delivery'->>'method' in ('home', 'cvs')
     order by u.ready_at limit $2`,
    [closed, BATCH],
  )
  for (const { id, orderId } of rows) {
    const { result } = await changeOrder(runtime.pool, orderId, 'world', async (record, tx) => {
      const unit = record.unit(id)
      // A wave that went out first keeps it: the warehouse answers.
      if ((unit.state !== 'planned' && unit.state !== 'ready') || record.is('cancelRequested')) return false
      await release(tx, {
        key: `closed/${id}`,
        orderId,
        lines: unit.lines.map(({ lineId, quantity }) => ({ lineId, location: unit.location, quantity })),
      })
      for (const line of unit.lines) {
        const held = record.line(line.lineId)
        held.held = Math.max(0, held.held - line.quantity)
      }
      strikeUnit(record, unit)
      await record.closeTasks(tx, { key: `order:${orderId}:pick:${id}` }, 'its location is closed')
      record.wake()
      return true
    })
    if (result) await ring(runtime, orderId)
  }
}
