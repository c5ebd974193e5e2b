/** From the inbox to orders and facts: each raw record is mapped once; what cannot be mapped waits as a task, and the rest goes on. */
import { OmnisagaError } from '../domain/errors.ts'
import type { IncomingOrder } from '../domain/order.ts'
import { contentHash } from '../domain/ids.ts'
import { incomingOrderOf } from '../connectors/kit/incoming.ts'
import type { Connection, Connector } from '../connectors/kit/types.ts'
import { leaseInbox, postponeInbox, readInbox, settleInbox, storeRaw, type InboxRow } from '../store/inbox.ts'
import { isKnown, receiveOrder, type Received } from '../store/orders.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import { applyAdvice } from './advice.ts'
import { ring, start } from './engine.ts'
import { bookSale } from './sales.ts'
import { hearPaidBack } from './paidThere.ts'
import { applyParcelReport } from './parcelNews.ts'
import { hearReturn } from './returns/told.ts'
import type { Runtime } from './runtime.ts'
import { takeApart } from './stockLines.ts'

/** A courier can report a parcel before the answer to its booking has reached us: such news waits a little. */
const PARCEL_NEWS_RETRIES = 8
const PARCEL_NEWS_DELAY_MS = 5_000
/** A process that dies while it takes an order in keeps others from it no longer than this. */
const OWN_LEASE_MS = 10_000

/** `started` is false when the engine could not be reached: the sweep starts the order. */
export interface Mapped {
  state: 'mapped' | 'failed' | 'waiting' | 'ignored'
  orderId: string | null
  received?: Received
  error?: string
  started?: boolean
}

/** Maps one raw record and wakes its order. Never throws for what is wrong with the record itself. */
export async function mapRecord(runtime: Runtime, row: InboxRow): Promise<Mapped> {
  try {
    // What was received is mapped also when nothing may be asked of its connection.
    const { connector, context } = await runtime.connection(row.connection, { evenIfStopped: true })
    const { connection } = context
    if (row.kind === 'order') {
      const incoming = await takeApart(runtime.pool, incomingOf(connector, connection, row))
      // Its goods left before we ever heard of it: there is nothing to do for it here.
      if (incoming.fulfilled === true && !(await isKnown(runtime.pool, incoming)))
        return await ignored(runtime, row, 'its goods had left before it was first seen')
      const taken = await receiveOrder(runtime.pool, incoming, {
        connectionVersion: connection.version,
        fromFile: isFromFile(row),
      })
      if (incoming.paidBack?.length || incoming.payment.state === 'refunded') await hearPaidBack(runtime.pool, taken.orderId)
      return await settled(
        runtime,
        row,
        taken.orderId,
        taken.received === 'new' ? 'start' : taken.wake ? 'ring' : 'none',
        taken.received,
      )
    }
    if (row.kind === 'courierStatus') {
      const reporter = connector.courier ?? connector.tracker
      if (reporter === undefined) throw new OmnisagaError('Misconfigured', `connection ${row.connection} reports no parcels`)
      const { stuckParcelMs } = await runtime.policy()
      const couriers = couriersOf(connection)
      const applied = await applyParcelReport(runtime.pool, row.id, reporter.mapReport(row), stuckParcelMs, couriers)
      // A marketplace and a tracker also speak of parcels that others arranged.
      if (applied === null)
        return await unknownParcel(runtime, row, connector.pullOrders !== undefined || connector.courier === undefined)
      if (applied === 'early') return await waiting(runtime, row, 'what became of its booking is not known yet')
      const rung = [...(applied.wake ? [applied.orderId] : []), ...(applied.beside ?? [])]
      for (const orderId of rung) await ringLater(runtime, orderId)
      return await settled(runtime, row, applied.orderId, 'none')
    }
    if (row.kind === 'contact') return await ignored(runtime, row, 'kept to be read')
    if (row.kind === 'sale') {
      if (connector.mapSale === undefined)
        throw new OmnisagaError('Misconfigured', `connection ${row.connection} brings no sales`)
      const channel = connector.identity?.(connection).channel ?? connector.name
      await bookSale(runtime.pool, { ...row, channel }, connector.mapSale(connection, row))
      await settleInbox(runtime.pool, row.id, { state: 'mapped' })
      await closeTasks(runtime.pool, { key: taskKeyOf(row) }, 'it is booked')
      return { state: 'mapped', orderId: null }
    }
    if (row.kind === 'return') return await returnTold(runtime, row, connector, connection)
    if (row.kind === 'shipmentAdvice') {
      if (connector.warehouse === undefined)
        throw new OmnisagaError('Misconfigured', `connection ${row.connection} is not a warehouse`)
      const applied = await applyAdvice(runtime.pool, connector.warehouse.mapAdvice(row))
      return await settled(runtime, row, applied.orderId, applied.wake ? 'ring' : 'none')
    }
    throw new OmnisagaError('Invalid', `records of kind ${row.kind} are not known`)
  } catch (error) {
    return await failed(runtime, row, error)
  }
}

async function returnTold(runtime: Runtime, row: InboxRow, connector: Connector, connection: Connection): Promise<Mapped> {
  const identity = connector.identity?.(connection)
  if (connector.mapReturn === undefined || identity === undefined)
    throw new OmnisagaError('Misconfigured', `connection ${row.connection} tells no returns`)
  const patient = row.attempts < PARCEL_NEWS_RETRIES
  const heard = await hearReturn(
    runtime,
    { connection: row.connection, ...identity },
    connector.mapReturn(connection, row),
    patient,
  )
  if (heard === 'early' || (heard === null && patient)) {
    const why = heard === null ? 'no order answers to it yet' : 'its goods are not known to be delivered yet'
    await postponeInbox(runtime.pool, row.id, PARCEL_NEWS_DELAY_MS, why)
    return { state: 'waiting', orderId: null }
  }
  return heard === null ? await ignored(runtime, row, 'no order of ours') : await settled(runtime, row, heard.orderId, 'none')
}

/** Whose parcels a connection can speak of: its own, and those of couriers that it follows. */
const couriersOf = ({ name, config }: Connection): string[] => {
  const { follows } = (config ?? {}) as { follows?: unknown }
  return [name, ...(Array.isArray(follows) ? follows.filter((each): each is string => typeof each === 'string') : [])]
}

const taskKeyOf = (row: Pick<InboxRow, 'connection' | 'kind' | 'externalId'>): string =>
  `inbox:${row.connection}:${row.kind}:${row.externalId}`

/** Orders out of a file are in our own words already, whatever its connection's own records look like. */
const isFromFile = (row: InboxRow): boolean => row.payload.fromFile === true

function incomingOf(connector: Connector, connection: Connection, row: InboxRow): IncomingOrder {
  const identity = connector.identity?.(connection)
  if (isFromFile(row) && identity !== undefined)
    return incomingOrderOf(row.payload, { ...identity, connection: row.connection, externalId: row.externalId })
  if (connector.mapOrder === undefined) throw new OmnisagaError('Misconfigured', `connection ${row.connection} brings no orders`)
  return connector.mapOrder(connection, row)
}

async function settled(
  runtime: Runtime,
  row: InboxRow,
  orderId: string,
  wake: 'start' | 'ring' | 'none',
  received?: Received,
): Promise<Mapped> {
  await settleInbox(runtime.pool, row.id, { state: 'mapped', orderId })
  // The order row is there: whoever falls asleep now is woken by the sweep.
  let started = true
  if (wake === 'start') {
    await start(runtime, orderId).catch((error: Error) => {
      started = false
      runtime.log.warn({ orderId, error: error.name }, 'the engine is away, the sweep will start this order')
    })
  }
  if (wake === 'ring') await ringLater(runtime, orderId)
  return { state: 'mapped', orderId, received, started }
}

async function ringLater(runtime: Runtime, orderId: string): Promise<void> {
  await ring(runtime, orderId).catch((error: Error) =>
    runtime.log.warn({ orderId, error: error.name }, 'the engine is away, the sweep will ring'),
  )
}

async function ignored(runtime: Runtime, row: InboxRow, why: string): Promise<Mapped> {
  await settleInbox(runtime.pool, row.id, { state: 'ignored', error: why })
  return { state: 'ignored', orderId: null }
}

async function waiting(runtime: Runtime, row: InboxRow, why: string): Promise<Mapped> {
  await postponeInbox(runtime.pool, row.id, Math.min(30_000, 1_000 * 2 ** row.attempts), why)
  return { state: 'waiting', orderId: null }
}

/** A marketplace also reports parcels that its own back office arranged; a courier only reports what somebody booked with it. */
async function unknownParcel(runtime: Runtime, row: InboxRow, ofMarketplace: boolean): Promise<Mapped> {
  if (row.attempts < PARCEL_NEWS_RETRIES) {
    await postponeInbox(runtime.pool, row.id, PARCEL_NEWS_DELAY_MS, 'no parcel answers to it yet')
    return { state: 'waiting', orderId: null }
  }
  if (ofMarketplace) return await ignored(runtime, row, 'no parcel of ours')
  return await failed(
    runtime,
    row,
    new OmnisagaError('Invalid', `no parcel of ours answers to ${row.externalId}`, {
      remedy: 'Look whether it was booked outside Omnisaga.',
    }),
  )
}

async function failed(runtime: Runtime, row: InboxRow, error: unknown): Promise<Mapped> {
  if (mayPass(error, row.attempts)) {
    // The database or a lock, not the record: it stays new and comes again.
    await postponeInbox(runtime.pool, row.id, Math.min(60_000, 1_000 * 2 ** row.attempts), (error as Error).message).catch(
      () => undefined,
    ) // the lease ends by itself
    runtime.log.warn({ inbox: row.id, error: (error as Error).name }, 'a record could not be mapped now')
    return { state: 'waiting', orderId: null, error: (error as Error).message }
  }
  // Words that are not ours may quote the record: they stay in its row.
  const told = error instanceof OmnisagaError ? error.message : 'it could not be stored, whatever was tried'
  await settleInbox(runtime.pool, row.id, { state: 'failed', error: (error as Error).message })
  await openTask(runtime.pool, {
    kind: 'inbox.unmappable',
    key: taskKeyOf(row),
    connection: row.connection,
    subject: row.externalId,
    title: row.kind === 'sale' ? `A sale of ${row.connection} is not booked` : `${row.connection} sent what cannot be understood`,
    detail: `${row.kind} ${row.externalId} was kept (record ${row.id}), and nothing was done with it: ${told}`,
    remedy:
      (error instanceof OmnisagaError ? error.remedy : undefined) ??
      'Correct it at its source; the next version is taken in by itself.',
    // What a sale lacks (an article, a location, stock) is mended here.
    actions: row.kind === 'sale' ? ['retry', 'skip'] : ['skip'],
  })
  return { state: 'failed', orderId: null, error: told }
}

/** What fails as often as this, over some ten minutes of a database that answers, is the record's fault. */
const ATTEMPTS = 15

/** The database or a lock, most likely, and not the record. */
const mayPass = (error: unknown, attempts: number): boolean =>
  error instanceof OmnisagaError ? error.kind === 'Transient' || error.kind === 'RateLimited' : attempts < ATTEMPTS

/** One round of the mapping loop. @returns how many records were taken. */
export async function mapInbox(runtime: Runtime, options: { limit?: number; leaseMs?: number } = {}): Promise<number> {
  const rows = await leaseInbox(runtime.pool, options.limit ?? 100, options.leaseMs)
  await eachLane(
    rows,
    (row) => row.externalId,
    (row) => mapRecord(runtime, row),
  )
  return rows.length
}

/** Side by side, but what concerns the same thing one after another. */
export async function eachLane<T, R>(
  items: T[],
  laneOf: (item: T) => string,
  work: (item: T) => Promise<R>,
  width = 8,
): Promise<R[]> {
  const lanes = new Map<string, { item: T; index: number }[]>()
  items.forEach((item, index) => lanes.set(laneOf(item), [...(lanes.get(laneOf(item)) ?? []), { item, index }]))
  const results: R[] = []
  const failures: unknown[] = []
  const queue = [...lanes.values()]
  const worker = async () => {
    for (let lane = queue.shift(); lane !== undefined && failures.length === 0; lane = queue.shift()) {
      for (const { item, index } of lane) results[index] = await work(item)
    }
  }
  // Nothing of it goes on behind the back of whoever hears of the failure.
  await Promise.all(
    Array.from({ length: Math.min(width, queue.length) }, () => worker().catch((error: unknown) => failures.push(error))),
  )
  if (failures.length > 0) throw failures[0]
  return results
}

/**
 * Takes one order in from a person's or a system's request: inbox row first, then order row, then workflow.
 * @throws OmnisagaError Invalid when it cannot be mapped (the record is kept all the same).
 */
export async function takeOrder(
  runtime: Runtime,
  incoming: Omit<IncomingOrder, 'connection'> & { connection: string },
  raw: Record<string, unknown> = incoming,
): Promise<{ orderId: string; known: boolean; started: boolean }> {
  const stored = await storeRaw(
    runtime.pool,
    incoming.connection,
    [
      {
        kind: 'order',
        externalId: incoming.externalId,
        version: incoming.externalVersion ?? contentHash(incoming),
        eventAt: null,
        payload: raw,
      },
    ],
    { leaseMs: OWN_LEASE_MS },
  )
  const [row] = await readInbox(runtime.pool, stored.ids)
  if (row === undefined) {
    const known = await runtime.pool.query<{ order_id: string | null; state: string; error: string | null }>(
      `select order_id, state, error from inbox where connection = $1 and kind = 'order' and external_id = $2 order by id desc limit 1`,
      [incoming.connection, incoming.externalId],
    )
    const [earlier] = known.rows
    if (earlier?.order_id) return { orderId: earlier.order_id, known: true, started: true }
    if (earlier?.state === 'failed')
      throw new OmnisagaError('Invalid', earlier.error ?? 'the order could not be taken in', { code: 'known' })
    throw new OmnisagaError('Transient', 'this order was sent a moment ago and is still being taken in', { code: 'known' })
  }
  const mapped = await mapRecord(runtime, row)
  if (mapped.orderId === null)
    throw new OmnisagaError(
      mapped.state === 'waiting' ? 'Transient' : 'Invalid',
      mapped.error ?? 'the order could not be taken in',
    )
  await closeTasks(runtime.pool, { key: `inbox:${row.connection}:order:${row.externalId}` }, 'a good version came')
  return { orderId: mapped.orderId, known: mapped.received !== 'new', started: mapped.started ?? true }
}
