/** Parcels of couriers that do not report by themselves are asked for, and those that a polled tracker follows. */
import type { BookedParcel, RawRecord } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { moveCursor, readCursor } from '../store/cursors.ts'
import { storeRaw } from '../store/inbox.ts'
import type { Runtime } from './runtime.ts'
import { stopAndTell } from './stopped.ts'

const EVERY_MS = 30 * 60_000
const STREAM = 'parcels'
const BATCH = 50

interface Asked extends BookedParcel {
  id: string
}

/** @returns how many new reports were stored. */
export async function trackParcels(runtime: Runtime): Promise<number> {
  // A tracker that is told by webhook is asked only where its configuration says how often.
  const connections = await runtime.pool.query<{ name: string; everyMs: number | null; follows: string[] | null }>(
    `select c.name, (c.config->>'trackEveryMs')::float8 as "everyMs",
       case when 'track' = any(c.sides) then null else array(select jsonb_array_elements_text(coalesce(c.config->'follows', '[]'))) end as follows
     from connections c left join connection_state s on s.connection = c.name
     where not c.paused and s.stopped_reason is null
       and ('track' = any(c.sides) or ('poll' = any(c.sides) and c.config ? 'trackEveryMs'))`,
  )
  let stored = 0
  const failures: unknown[] = []
  for (const { name, everyMs, follows } of connections.rows) {
    try {
      stored += await trackConnection(runtime, name, everyMs ?? EVERY_MS, follows)
    } catch (error) {
      // One courier that cannot be reached holds up none of the others.
      if (error instanceof OmnisagaError && error.kind === 'Misconfigured') await stopAndTell(runtime.pool, name, error)
      else failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return stored
}

/** Its cursor is when it was last asked: after a failure it is asked again at the next turn. */
async function trackConnection(runtime: Runtime, name: string, everyMs: number, follows: string[] | null): Promise<number> {
  const { connector, context } = await runtime.connection(name)
  const now = context.now()
  const last = await readCursor(runtime.pool, name, STREAM)
  if (last !== null && now.getTime() - last.getTime() < everyMs) return 0
  let stored = 0
  for (let after = ''; ;) {
    const parcels = await liveParcels(runtime, follows ?? [name], after)
    const records = parcels.length === 0 ? [] : await ask(parcels)
    stored += (await storeRaw(runtime.pool, name, records)).stored
    if (parcels.length < BATCH) break
    after = parcels.at(-1)?.id ?? ''
  }
  await moveCursor(runtime.pool, name, STREAM, now)
  return stored

  async function ask(parcels: Asked[]): Promise<RawRecord[]> {
    if (follows === null) return (await connector.courier?.track?.(context, parcels)) ?? []
    return (
      (await connector.tracker?.poll?.(
        context,
        parcels.flatMap(({ waybill }) => waybill ?? []),
      )) ?? []
    )
  }
}

async function liveParcels(runtime: Runtime, couriers: string[], after: string): Promise<Asked[]> {
  const rows = await runtime.pool.query<Asked>(
    `select id, reference, coalesce(courier_booking_id, '') as "courierBookingId", waybill, service, coalesce(label, '{}') as label
     from parcels where courier = any($1) and state in ('booked', 'shipped', 'returning') and rides_in is null and id > $2 order by id limit $3`,
    [couriers, after, BATCH],
  )
  return rows.rows
}
