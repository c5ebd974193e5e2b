/** Cash on delivery, followed until it is ours: what couriers paid out is asked for daily, matched, and what is missing becomes a task. */
import { OmnisagaError } from '../domain/errors.ts'
import { listConnections } from '../store/connections.ts'
import { moveCursor, readCursor } from '../store/cursors.ts'
import { transaction } from '../store/db.ts'
import { askForUnpaid, recordRemittance, unpaidParcels } from '../store/remittances.ts'
import type { Runtime } from './runtime.ts'
import { stopAndTell } from './stopped.ts'

const STREAM = 'remittances'
const DAY_MS = 24 * 60 * 60_000
/** A round that is a little late must not make the next one skip its day. */
const EVERY_MS = 20 * 60 * 60_000
const LOOK_BACK_DAYS = 30
/** Couriers that answer about single parcels are asked once for each. */
const MOST_PARCELS = 2_000

export interface RemittanceResult {
  /** Lines the courier reported, and what became of them. */
  lines: number
  matched: number
  differing: number
  unknown: number
  known: number
}

/** Both days included, ISO 8601 dates. @throws OmnisagaError Invalid: this connection collects no cash. */
export async function pullRemittances(
  runtime: Runtime,
  name: string,
  window: { from: string; to: string },
): Promise<RemittanceResult> {
  const { connector, context } = await runtime.connection(name)
  const ask = connector.courier?.remittances
  if (!ask) {
    throw new OmnisagaError(
      'Invalid',
      `connection ${name} is of the connector ${connector.name}, which reports no cash paid out`,
      {
        code: 'no-remittances',
        remedy: 'Name a courier connection that collects cash; omnisaga connections list shows them.',
      },
    )
  }
  const open = await unpaidParcels(runtime.pool, name, MOST_PARCELS)
  const lines = await ask(context, { ...window, open })
  const result: RemittanceResult = { lines: lines.length, matched: 0, differing: 0, unknown: 0, known: 0 }
  for (const line of lines) {
    const became = await transaction(runtime.pool, (tx) => recordRemittance(tx, name, line))
    result[became === 'differs' ? 'differing' : became] += 1
  }
  return result
}

/** The date in Taipei, where every courier that pays out to us has its days. */
export const dayOf = (at: Date): string => new Date(at.getTime() + 8 * 60 * 60_000).toISOString().slice(0, 10)

export const usualWindow = (now: Date): { from: string; to: string } => ({
  from: dayOf(new Date(now.getTime() - LOOK_BACK_DAYS * DAY_MS)),
  to: dayOf(now),
})

/** One turn of the loop: each courier once a day; one that cannot be asked does not hold up the others. */
export async function remittanceRound(runtime: Runtime, now = new Date()): Promise<void> {
  const failures: unknown[] = []
  const couriers: string[] = []
  for (const { name, paused, stoppedReason } of await listConnections(runtime.pool)) {
    const connector = await runtime.connectorOf(name)
    if (!connector.courier?.remittances) continue
    couriers.push(name)
    const last = await readCursor(runtime.pool, name, STREAM)
    if (paused || stoppedReason || (last && now.getTime() - last.getTime() < EVERY_MS)) continue
    try {
      const result = await pullRemittances(runtime, name, usualWindow(now))
      await moveCursor(runtime.pool, name, STREAM, now)
      if (result.lines > 0) runtime.log.info({ connection: name, ...result }, 'cash paid out')
    } catch (error) {
      if (error instanceof OmnisagaError && error.kind === 'Misconfigured') await stopAndTell(runtime.pool, name, error)
      failures.push(error)
    }
  }
  const { remittanceDueMs } = await runtime.policy()
  if (couriers.length > 0) await askForUnpaid(runtime.pool, couriers, remittanceDueMs)
  if (failures.length > 0) throw failures[0]
}
