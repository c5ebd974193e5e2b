/** The pull of a marketplace: a slice of time at a time, each page durable before the next is asked for, then the cursor. */
import { Context } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import { z } from 'zod'
import type { Connector, ConnectorContext } from '../connectors/kit/types.ts'
import { isRetriable, OmnisagaError } from '../domain/errors.ts'
import { moveCursor, nextSlice, readCursor } from '../store/cursors.ts'
import { storeRaw } from '../store/inbox.ts'
import { stopConnection } from '../store/connections.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import { toFailure } from './failure.ts'
import type { Runtime } from './runtime.ts'

export interface PullSlice {
  /** Pages that held records. */
  pages: number
  stored: number
  /** Records that were stored before. */
  known: number
  /** Nothing is left to read now. */
  done: boolean
  /** Why nothing was read. */
  skipped?: 'paused' | 'stopped'
}
export interface PullActivities {
  pullSlice(connection: string): Promise<PullSlice>
}
export type PullRuntime = Pick<Runtime, 'pool' | 'connection' | 'log'>

const STREAMS = { orders: 'pullOrders', sales: 'pullSales', returns: 'pullReturns' } as const
/** The cursor moves at least once a day of source time, so that a long first pull goes on where it was. */
const SLICE_MS = 24 * 60 * 60_000
const HEARTBEAT_MS = 5_000
/** What asks for a longer wait ends this pull; the schedule begins the next. */
const LONGEST_WAIT_MS = 5 * 60_000
const LOOK_AT_BATCH = 50

/** What any connector that is pulled may have in its config. */
const PullConfig = z.looseObject({
  overlapMs: z
    .number()
    .int()
    .nonnegative()
    .default(10 * 60_000),
  initialLookbackMs: z
    .number()
    .int()
    .positive()
    .default(3 * 24 * 60 * 60_000),
})

const taskKey = (connection: string) => `connection:${connection}:pull`

/** A long wait is no retry's: this pull ends, and the schedule begins the next. */
function failureOf(error: unknown): unknown {
  const tooLong = error instanceof OmnisagaError && (error.retryAfterMs ?? 0) > LONGEST_WAIT_MS
  return tooLong ? ApplicationFailure.create({ type: error.kind, message: error.message, nonRetryable: true }) : toFailure(error)
}

/** What no repeat mends is a person's: Misconfigured also stops the connection. */
async function tell(runtime: PullRuntime, connection: string, error: unknown): Promise<void> {
  if (!(error instanceof OmnisagaError) || isRetriable(error.kind) || error.code === 'no-connection') return
  if (error.kind === 'Misconfigured') await stopConnection(runtime.pool, connection, error.message)
  await openTask(runtime.pool, {
    kind: 'connection.pull',
    key: taskKey(connection),
    connection,
    subject: connection,
    title: error.kind === 'Misconfigured' ? `Connection ${connection} is stopped` : `Orders of ${connection} cannot be read`,
    detail: error.message,
    remedy: error.remedy ?? 'Read the message; correct the connection and apply it again.',
    actions: ['done'],
  })
}

/** Orders that a push named, fetched as they are now; the push is done with once they are stored. */
async function fetchLookAts(
  runtime: PullRuntime,
  name: string,
  connector: Connector,
  context: ConnectorContext,
): Promise<Omit<PullSlice, 'done'>> {
  const total = { pages: 0, stored: 0, known: 0 }
  if (!connector.fetchOrders) return total
  for (;;) {
    const { rows } = await runtime.pool.query<{ id: number; orderSn: string }>(
      `select id, external_id as "orderSn" from inbox where state = 'new' and connection = $1 and kind = 'order' and payload ? 'lookAt'
       order by id limit $2`,
      [name, LOOK_AT_BATCH],
    )
    if (rows.length === 0) return total
    const records = await connector.fetchOrders(context, [...new Set(rows.map((row) => row.orderSn))])
    const { stored, known } = await storeRaw(runtime.pool, name, records, { asOfNow: true })
    await runtime.pool.query(`update inbox set state = 'ignored', lease_until = null where id = any($1)`, [
      rows.map((row) => row.id),
    ])
    total.pages += 1
    total.stored += stored
    total.known += known
  }
}

async function pullOnce(runtime: PullRuntime, name: string): Promise<PullSlice> {
  const { connector, context } = await runtime.connection(name)
  if (context.connection.paused) return { pages: 0, stored: 0, known: 0, done: true, skipped: 'paused' }
  if (!connector.pullOrders && !connector.pullSales)
    throw new OmnisagaError('Invalid', `connection ${name} (${connector.name}) cannot be pulled`, {
      code: 'no-pull',
      remedy: 'Pull a marketplace connection.',
    })
  const total = await fetchLookAts(runtime, name, connector, context)
  const options = PullConfig.parse(context.connection.config)
  let done = true
  for (const [stream, pull] of Object.entries(STREAMS)) {
    if (!connector[pull]) continue
    const slice = nextSlice(await readCursor(runtime.pool, name, stream), context.now(), { ...options, sliceMs: SLICE_MS })
    for await (const records of connector[pull](context, slice)) {
      const { stored, known } = await storeRaw(runtime.pool, name, records, { asOfNow: true })
      total.pages += 1
      total.stored += stored
      total.known += known
      Context.current().heartbeat()
      if (Context.current().cancellationSignal.aborted) throw Context.current().cancellationSignal.reason
    }
    await moveCursor(runtime.pool, name, stream, slice.to)
    done &&= slice.last
  }
  await closeTasks(runtime.pool, { key: taskKey(name) }, 'pulled again')
  return { ...total, done }
}

export function createPullActivities(runtime: PullRuntime): PullActivities {
  return {
    /**
     * Reads and stores what changed from the cursor on, at most a day of source time. May be repeated: what is known is dropped.
     * Fails with the kind of the error as its type, and the vendor's delay as the next retry's.
     */
    async pullSlice(connection) {
      const { heartbeat } = Context.current()
      const beat = setInterval(() => heartbeat(), HEARTBEAT_MS)
      try {
        return await pullOnce(runtime, connection)
      } catch (error) {
        if (error instanceof OmnisagaError && error.code === 'stopped')
          return { pages: 0, stored: 0, known: 0, done: true, skipped: 'stopped' }
        runtime.log.warn(
          { connection, kind: error instanceof OmnisagaError ? error.kind : 'unknown', code: (error as { code?: string }).code },
          'pull failed',
        )
        await tell(runtime, connection, error)
        throw failureOf(error)
      } finally {
        clearInterval(beat)
      }
    },
  }
}
