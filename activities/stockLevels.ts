/** Levels outward: computed where the ledger changed, told to each channel by itself. */
import { randomUUID } from 'node:crypto'
import type { Connector, ConnectorContext, ListingLevel, ListingOutcome } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { closeDueAllotments } from '../store/allotments.ts'
import {
  acknowledgeLevels,
  computeLevels,
  connectionAnswers,
  connectionsToTell,
  connectionWaits,
  doubtLevels,
  leaseLevels,
  namelessSides,
  nameChannel,
  postponeLevels,
  refusedListings,
  type DueLevel,
} from '../store/channelStock.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import type { Runtime } from './runtime.ts'
import { inLane, stockLanesDone } from './stockLanes.ts'
import { judgeAlerts } from './stockAlerts.ts'
import { stopAndTell } from './stopped.ts'

const LEASE_MS = 60_000
/** Batches of one connection in one go, so that its lease never outlives its work by much. */
const BATCHES = 20
/** A listing refused so often is a person's. It goes on being tried, ever more rarely. */
const REFUSALS = 3
const refusalPauseMs = (attempts: number) => Math.min(6 * 3_600_000, 30_000 * 4 ** attempts)

/** One round of one worker. @returns how many levels are new. */
export async function refreshLevels(runtime: Runtime): Promise<number> {
  await closeDueAllotments(runtime.pool)
  for (const connection of await namelessSides(runtime.pool)) {
    // One that cannot be opened now is told nothing; its levels are computed once it can.
    await nameOf(runtime, connection).catch((error: Error) =>
      runtime.log.warn({ connection, error: error.name }, 'its levels wait until it can be opened'),
    )
  }
  const { skus, changed } = await computeLevels(runtime.pool)
  await judgeAlerts(runtime.pool, skus)
  return changed
}

export async function nameOf(runtime: Runtime, connection: string): Promise<string> {
  const { connector, context } = await runtime.connection(connection, { evenIfStopped: true })
  const channel = connector.identity?.(context.connection).channel ?? connector.name
  await nameChannel(runtime.pool, connection, channel)
  return channel
}

/** Starts telling each channel that has levels due, and does not wait for it. */
export async function startTelling(runtime: Runtime, options: { leaseMs?: number } = {}): Promise<number> {
  for (const connection of await connectionsToTell(runtime.pool))
    inLane(runtime, 'push', connection, () => tellChannel(runtime, connection, options.leaseMs))
  return 0
}

/** Tells every channel and waits for it. */
export async function tellChannels(runtime: Runtime): Promise<void> {
  await startTelling(runtime)
  await stockLanesDone(runtime)
}

async function tellChannel(runtime: Runtime, connection: string, leaseMs = LEASE_MS): Promise<void> {
  const lease = randomUUID()
  try {
    const { connector, context } = await runtime.connection(connection)
    const side = connector.stock
    if (side?.push === undefined)
      throw new OmnisagaError('Invalid', `${connector.title} takes no stock levels`, {
        code: 'no-push',
        remedy: 'Set "push": false in the section "stock" of this connection.',
      })
    for (let batch = 0; batch < BATCHES; batch++) {
      const due = await leaseLevels(runtime.pool, { connection, lease, limit: side.batchSize, leaseMs })
      if (due.length === 0) break
      await tellBatch(runtime, connector, context, lease, due)
    }
    await connectionAnswers(runtime.pool, connection)
  } catch (error) {
    await notTaken(runtime, connection, lease, error)
  }
  await tellRefusals(runtime, connection)
}

type Push = (ctx: ConnectorContext, levels: ListingLevel[]) => Promise<ListingOutcome[]>

async function tellBatch(
  runtime: Runtime,
  connector: Connector,
  context: ConnectorContext,
  lease: string,
  due: DueLevel[],
): Promise<void> {
  const connection = context.connection.name
  const outcomes = await push(connector.stock?.push as Push, context, due).catch(async (error: unknown) => {
    await doubtLevels(runtime.pool, connection, lease, due)
    throw error
  })
  const errorOf = new Map(outcomes.map((outcome) => [`${outcome.listingId}\u0000${outcome.variantId ?? ''}`, outcome.error]))
  const refused: { level: DueLevel; error: string; delayMs: number }[] = []
  const taken: DueLevel[] = []
  for (const level of due) {
    const error = errorOf.get(`${level.listingId}\u0000${level.variantId ?? ''}`)
    if (error === null) taken.push(level)
    else {
      // What the vendor says nothing about is not known to have arrived.
      const told = error === undefined ? 'the channel did not say what became of it' : `${error.code}: ${error.message}`
      refused.push({ level, error: told, delayMs: refusalPauseMs(level.attempts) })
    }
  }
  await acknowledgeLevels(runtime.pool, connection, lease, taken)
  await postponeLevels(runtime.pool, connection, lease, refused)
}

/** A batch refused as a whole is told one by one, so that one bad listing keeps none of the others from being told. */
async function push(tell: Push, context: ConnectorContext, due: DueLevel[]): Promise<ListingOutcome[]> {
  try {
    return await tell(
      context,
      due.map(({ listingId, variantId, externalSku, title, quantity, version }) => {
        return { listingId, variantId, externalSku, title, quantity, version }
      }),
    )
  } catch (error) {
    if (!(error instanceof OmnisagaError) || (error.kind !== 'Rejected' && error.kind !== 'Invalid')) throw error
    const [first] = due
    if (due.length === 1 && first !== undefined) {
      const { kind, message, code = kind } = error
      return [{ listingId: first.listingId, variantId: first.variantId, error: { kind, code, message } }]
    }
    const outcomes: ListingOutcome[] = []
    for (const level of due) outcomes.push(...(await push(tell, context, [level])))
    return outcomes
  }
}

/** A level is absolute: also when nobody knows whether it arrived, telling it again is all there is to do. */
async function notTaken(runtime: Runtime, connection: string, lease: string, error: unknown): Promise<void> {
  const known = error instanceof OmnisagaError ? error : new OmnisagaError('Transient', (error as Error).message)
  await connectionWaits(runtime.pool, connection, lease, known.retryAfterMs ?? null)
  if (known.kind === 'Misconfigured' && known.code !== 'stopped') await stopAndTell(runtime.pool, connection, known)
  runtime.log.warn({ connection, kind: known.kind, code: known.code }, 'a channel could not be told its stock levels now')
}

/** One task a connection, not one a listing. */
async function tellRefusals(runtime: Runtime, connection: string): Promise<void> {
  const key = `stock:${connection}:refused`
  const { count, some } = await refusedListings(runtime.pool, connection, REFUSALS)
  if (count === 0) {
    await closeTasks(runtime.pool, { key }, 'every level was taken')
    return
  }
  const named = some.map(({ listingId, variantId, error }) => `${[listingId, variantId].filter(Boolean).join('/')} (${error})`)
  await openTask(runtime.pool, {
    kind: 'stock.refused',
    key,
    connection,
    subject: connection,
    title: `${connection} refuses the stock level of ${count} ${count === 1 ? 'listing' : 'listings'}`,
    detail: named.join('; ') + (count > some.length ? `; and ${count - some.length} more` : ''),
    remedy: 'Mend the listing at the channel, or ignore it (omnisaga listings ignore). It goes on being tried by itself.',
    field: 'listings',
    value: some.map(({ listingId }) => listingId).join(', '),
    actions: ['skip'],
  })
}
