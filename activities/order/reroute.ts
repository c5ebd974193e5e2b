/** What waits at a location goes from elsewhere: its unit is struck off, and the saga looks for the pieces anew. */
import { z } from 'zod'
import type { Queryable, Tx } from '../../store/db.ts'
import { release } from '../../store/ledger/operations.ts'
import { strikeUnit, type OrderRecord, type UnitRecord } from '../../store/orderRecord.ts'
import { Refusal, type Obedience } from './refusal.ts'

const From = z.looseObject({ from: z.string().optional() })

export const isWaiting = ({ state }: Pick<UnitRecord, 'state'>): boolean => state === 'planned' || state === 'ready'

/** Nobody works on it yet. */
export async function giveUpUnit(
  record: OrderRecord,
  tx: Tx,
  unit: UnitRecord,
  { key, why }: { key: string; why: string },
): Promise<void> {
  await release(tx, {
    key,
    orderId: record.id,
    lines: unit.lines.map(({ lineId, quantity }) => ({ lineId, location: unit.location, quantity })),
  })
  for (const line of unit.lines) {
    const held = record.line(line.lineId)
    held.held = Math.max(0, held.held - line.quantity)
  }
  strikeUnit(record, unit)
  await record.closeTasks(tx, { key: `order:${record.id}:pick:${unit.id}` }, why)
  record.wake()
}

/** A person wants it sent from elsewhere; where it waited is not asked again until somebody says retry. */
export const reroute: Obedience = async (record, tx, { id, detail }) => {
  const { from } = From.parse(detail)
  if (record.is('cancelRequested') || record.is('cancelled')) throw new Refusal('it is being cancelled')
  const { method } = record.doc.delivery
  if (method !== 'home' && method !== 'cvs') throw new Refusal('it is handed over where it lies')
  const waiting = record.units.filter((unit) => isWaiting(unit) && (from === undefined || unit.location === from))
  if (waiting.length === 0) throw new Refusal(`nothing of it waits ${from === undefined ? 'to be picked' : `at ${from}`}`)
  const left = [...new Set(waiting.map(({ location }) => location))]
  for (const unit of waiting) await giveUpUnit(record, tx, unit, { key: `reroute/${unit.id}`, why: 'it is sent from elsewhere' })
  await tx.query(`update commands set detail = detail || jsonb_build_object('left', $2::jsonb) where id = $1`, [
    id,
    JSON.stringify(left),
  ])
  return `it is sent from elsewhere than ${left.join(' and ')}`
}

/** The locations that a person has sent it away from. */
export async function locationsLeft(db: Queryable, orderId: string): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ location: string }>(
    `select jsonb_array_elements_text(c.detail->'left') as location from commands c
     where c.order_id = $1 and c.verb = 'reroute' and c.state = 'done' and not exists (
       select from commands r where r.order_id = $1 and r.verb = 'retry' and r.state = 'done' and r.serial > c.serial)`,
    [orderId],
  )
  return new Set(rows.map(({ location }) => location))
}
