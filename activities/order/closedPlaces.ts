/** What waits at a location that has been closed goes from elsewhere: its unit is struck off, and the saga looks for the pieces anew. */
import { changeOrder } from '../../store/orderRecord.ts'
import { ring } from '../engine.ts'
import type { Runtime } from '../runtime.ts'
import { giveUpUnit, isWaiting } from './reroute.ts'

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
      if (!isWaiting(unit) || record.is('cancelRequested')) return false
      await giveUpUnit(record, tx, unit, { key: `closed/${id}`, why: 'its location is closed' })
      return true
    })
    if (result) await ring(runtime, orderId)
  }
}
