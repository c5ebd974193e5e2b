/** What other systems report: verified on the raw bytes, stored, answered; the work comes later. */
import type { Connector, ConnectorContext } from '../../connectors/kit/types.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import { connectors } from '../../connectors/registry.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Queryable } from '../../store/db.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { notFound, unavailable } from '../problem.ts'
import { defineRoute, WEBHOOK_LIMIT_BYTES, type Route, type ServerContext } from '../route.ts'
import { ConnectionName } from '../schemas.ts'

/** Raw records not yet mapped, above which webhooks are answered 503: the sender repeats them, and memory and disk stay ours. */
export const DEFAULT_INBOX_LIMIT = 100_000
const REMEMBER_MS = 1_000

const inboxLimit = (): number => {
  const limit = Number(process.env['OMNISAGA_INBOX_LIMIT'] ?? DEFAULT_INBOX_LIMIT)
  return Number.isSafeInteger(limit) && limit >= 0 ? limit : DEFAULT_INBOX_LIMIT
}

/** One read a second serves every webhook of that second. */
function remembered<T>(read: (runtime: Runtime, key: string) => Promise<T>): (runtime: Runtime, key: string) => Promise<T> {
  const known = new WeakMap<Runtime, Map<string, { at: number; value: Promise<T> }>>()
  return (runtime, key) => {
    const mine = known.get(runtime) ?? new Map<string, { at: number; value: Promise<T> }>()
    known.set(runtime, mine)
    const entry = mine.get(key)
    if (entry && Date.now() - entry.at < REMEMBER_MS) return entry.value
    if (mine.size > 1_000) mine.clear() // names that do not exist must not fill the memory
    const value = read(runtime, key)
    // A failure is told to those who wait for it, and not remembered.
    value.catch(() => mine.delete(key))
    mine.set(key, { at: Date.now(), value })
    return value
  }
}

async function backlogAbove(db: Queryable, limit: number): Promise<boolean> {
  const { rows } = await db.query({
    name: 'inbox-backlog-above',
    text: `select 1 from inbox where state = 'new' order by id offset $1 limit 1`,
    values: [limit],
  })
  return rows.length > 0
}
const isFull = remembered((runtime, limit) => backlogAbove(runtime.pool, Number(limit)))

interface Receiver {
  context: ConnectorContext
  connector: Connector
}

/** @returns null when there is no such connection. */
const receiverOf = remembered(async (runtime, name): Promise<Receiver | null> => {
  const { rows } = await runtime.pool.query('select 1 from connections where name = $1', [name])
  if (rows.length === 0) return null
  // Also of a paused or stopped connection: what the world reports is kept, whoever works on it later.
  return await openConnection(runtime.pool, runtime.secretKey, name, { connectors, evenIfStopped: true })
})

const textHeaders = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )

type Received = ReturnType<NonNullable<Connector['receiveWebhook']>>

function verified(
  { connector, context }: Receiver,
  name: string,
  { metrics }: ServerContext,
  request: { headers: Record<string, string>; rawBody: Buffer },
): Received {
  if (!connector.receiveWebhook) throw notFound('webhook of connection', name)
  try {
    return connector.receiveWebhook(context, request)
  } catch (error) {
    // Nothing of a forged report is kept but its count.
    metrics.webhook(name, error instanceof OmnisagaError && error.kind === 'Rejected' ? 'forged' : 'refused')
    throw error
  }
}

export const webhookRoutes: Route[] = [
  defineRoute({
    method: 'POST',
    path: '/webhooks/{connection}',
    operationId: 'receiveWebhook',
    summary: 'A report of another system',
    description:
      'The connector verifies the raw bytes; the record is stored before the answer, which is the one that the system expects.',
    access: 'signature',
    params: ConnectionName,
    bodyKind: 'raw',
    bodyLimit: WEBHOOK_LIMIT_BYTES,
    responses: {
      200: { description: 'Stored, now or before.', contentType: 'text/plain' },
      401: { description: 'The signature does not fit; nothing was stored.' },
      404: { description: 'No such connection, or one that takes no webhooks.' },
    },
    handle: async ({ params, request, ...context }) => {
      const name = params.connection
      const receiver = await receiverOf(context.runtime, name)
      if (!receiver) throw notFound('connection', name)
      if (await isFull(context.runtime, String(inboxLimit()))) {
        context.metrics.webhook(name, 'busy')
        throw unavailable('More reports wait than can be taken just now. Send it again later.', 30)
      }
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const { records, answer } = verified(receiver, name, context, { headers: textHeaders(request.headers), rawBody })
      await context.inbox.write(name, records)
      context.metrics.webhook(name, 'stored')
      return { status: answer.status, contentType: answer.contentType, body: answer.body }
    },
  }),
]
