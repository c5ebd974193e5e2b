/**
 * What a worker process does besides workflows: rounds over rows in PostgreSQL. Leases and locks let any number of workers run
 * them side by side; a round that fails is tried again at the next turn and never ends the process.
 */
import pg from 'pg'
import { listConnections } from '../store/connections.ts'
import { dispatchOutbox } from './dispatch.ts'
import { readFeeds } from './feeds.ts'
import { resumeImports } from './imports.ts'
import { mapInbox } from './intake.ts'
import { remittanceRound } from './remittances.ts'
import type { Runtime } from './runtime.ts'
import { ensurePullSchedules, pullConnections } from './schedules.ts'
import { stockLanesDone } from './stockLanes.ts'
import { refreshLevels, startTelling } from './stockLevels.ts'
import { startLooking } from './stockListings.ts'
import { startReading } from './stockRead.ts'
import { startMissing, sweep } from './sweep.ts'
import { trackParcels } from './track.ts'
import { makeWaves } from './waves.ts'

/** How often each round is run. */
export interface LoopTimes {
  inboxMs: number
  outboxMs: number
  wavesMs: number
  feedsMs: number
  sweepMs: number
  missingMs: number
  /** How often it is looked whether parcels are to be asked for; a courier is asked at its own `trackEveryMs`. */
  trackMs: number
  /** How long what a dead worker had taken waits for another one. @default 20 seconds and a minute */
  inboxLeaseMs?: number
  outboxLeaseMs?: number
  /** Stock levels outward; readings and listings, whose turns are their own. @default 1 second, 5 seconds */
  levelsMs?: number
  stockMs?: number
}
export const defaultTimes: LoopTimes = {
  inboxMs: 1_000,
  outboxMs: 1_000,
  wavesMs: 60_000,
  feedsMs: 5_000,
  sweepMs: 5_000,
  missingMs: 30_000,
  trackMs: 30_000,
}

const LISTEN_AGAIN_MS = 2_000

interface Loop {
  name: string
  everyMs: number
  round: () => Promise<number>
  single?: boolean
}

/** @returns how to stop; resolves when the rounds under way are done. */
export function startLoops(runtime: Runtime, times: LoopTimes = defaultTimes): { stop(): Promise<void> } {
  const loops: Loop[] = [
    { name: 'inbox', everyMs: times.inboxMs, round: () => mapInbox(runtime, { leaseMs: times.inboxLeaseMs }) },
    { name: 'outbox', everyMs: times.outboxMs, round: () => dispatchOutbox(runtime, { leaseMs: times.outboxLeaseMs }) },
    {
      name: 'waves',
      everyMs: times.wavesMs,
      round: async () => {
        await makeWaves(runtime)
        return 0
      },
      single: true,
    },
    {
      name: 'feeds',
      everyMs: times.feedsMs,
      round: async () => {
        await readFeeds(runtime)
        return 0
      },
      single: true,
    },
    {
      name: 'sweep',
      everyMs: times.sweepMs,
      round: async () => {
        await sweep(runtime)
        return 0
      },
      single: true,
    },
    {
      name: 'missing',
      everyMs: times.missingMs,
      round: async () => {
        await startMissing(runtime)
        await resumeImports(runtime)
        return 0
      },
      single: true,
    },
    {
      name: 'remittances', // each courier once a day
      everyMs: 3_600_000,
      round: async () => {
        await remittanceRound(runtime)
        return 0
      },
      single: true,
    },
    {
      name: 'track',
      everyMs: times.trackMs,
      round: async () => {
        await trackParcels(runtime)
        return 0
      },
      single: true,
    },
    {
      name: 'schedules',
      everyMs: times.missingMs,
      round: async () => {
        await ensureSchedules(runtime)
        return 0
      },
      single: true,
    },
    {
      name: 'levels',
      everyMs: times.levelsMs ?? 1_000,
      round: async () => {
        await refreshLevels(runtime)
        return 0
      },
      single: true,
    },
    { name: 'tell', everyMs: times.levelsMs ?? 1_000, round: () => startTelling(runtime) },
    { name: 'read', everyMs: times.stockMs ?? 5_000, round: () => startReading(runtime) },
    { name: 'list', everyMs: times.stockMs ?? 5_000, round: () => startLooking(runtime) },
  ]
  const running = loops.map((loop) => startLoop(runtime, loop))
  const listener = listen(runtime, () => running[0]?.poke())
  return {
    async stop() {
      await Promise.all([...running.map((loop) => loop.stop()), listener.stop()])
      await stockLanesDone(runtime)
    },
  }
}

async function ensureSchedules(runtime: Runtime): Promise<void> {
  await ensurePullSchedules(runtime.temporal, pullConnections(await listConnections(runtime.pool), runtime.connectors), {
    taskQueue: runtime.taskQueue,
  })
}

function startLoop(runtime: Runtime, loop: Loop): { poke(): void; stop(): Promise<void> } {
  let stopped = false
  let poked = false
  let wake: () => void = () => undefined
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, loop.everyMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const run = async () => {
    while (!stopped) {
      poked = false
      let taken = 0
      try {
        taken = loop.single ? await alone(runtime, loop) : await loop.round()
      } catch (error) {
        if (!stopped)
          runtime.log.warn(
            { loop: loop.name, error: (error as Error).name, code: (error as { code?: string }).code },
            `a round failed and will be run again: ${(error as Error).message}`,
          )
      }
      if (!stopped && taken === 0 && !poked) await pause()
    }
  }
  const done = run()
  return {
    poke() {
      poked = true
      wake()
    },
    async stop() {
      stopped = true
      wake()
      await done
    },
  }
}

/** One worker at a time; the others skip the turn. */
async function alone(runtime: Runtime, loop: Loop): Promise<number> {
  const client = await runtime.pool.connect()
  let broken = false
  try {
    const lock = await client.query<{ mine: boolean }>(`select pg_try_advisory_lock(7401922, hashtext($1)) as mine`, [loop.name])
    if (lock.rows[0]?.mine !== true) return 0
    try {
      return await loop.round()
    } finally {
      await client.query(`select pg_advisory_unlock(7401922, hashtext($1))`, [loop.name]).catch(() => {
        broken = true
      })
    }
  } finally {
    client.release(broken)
  }
}

/** A record that has just been stored is mapped at once, not at the next turn. While the database is away the loop's own turns go on. */
function listen(runtime: Runtime, heard: () => void): { stop(): Promise<void> } {
  let client: pg.Client | undefined
  let stopped = false
  let wake: () => void = () => undefined
  const run = async () => {
    while (!stopped) {
      client = new pg.Client({ connectionString: runtime.databaseUrl, application_name: 'omnisaga-listener' })
      const ended = new Promise<void>((resolve) => {
        client?.once('end', resolve)
      })
      client.on('error', () => undefined) // told once or twice; that it ended is told once
      client.on('notification', heard)
      try {
        await client.connect()
        await client.query('listen omnisaga_inbox')
        heard() // what came while nobody listened
        await ended
      } catch (error) {
        runtime.log.warn({ loop: 'listener', error: (error as Error).name }, 'nobody listens for new records now')
      }
      if (stopped) return
      await client.end().catch(() => undefined) // already broken is ended too
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LISTEN_AGAIN_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  const done = run()
  return {
    async stop() {
      stopped = true
      wake()
      await client?.end().catch(() => undefined) // already broken is ended too
      await done
    },
  }
}
