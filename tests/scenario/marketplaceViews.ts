/** What the tests of channels read of an order and of tasks, typed; and small moves that they share. */
import { connectors } from '../../connectors/registry.ts'
import { startPull } from '../../activities/schedules.ts'
import { workflowIdOf } from '../../domain/ids.ts'
import { applyConnections } from '../../store/configuration.ts'
import { pauseConnection } from '../../store/connections.ts'
import type { World } from './world.ts'

export interface ParcelShown {
  id: string
  courier: string
  service: string
  reference: string
  state: string
  waybill: string | null
  amountDueMinor: number
  labelAmountMinor: number | null
  refusal: string | null
  lastStatus: string | null
  insuredMinor?: number | null
  events: { code: string; meaning: string }[]
}
export interface OrderShown {
  id: string
  connection: string
  externalId: string
  phase: string
  closed: boolean
  recipient: {
    name: string | null
    phone: string | null
    address: { raw: string | null; line: string | null } | null
    masked?: boolean
  }
  delivery: { method: string; service: string | null; cvs: { chain: string; storeId: string | null } | null }
  payment: { method: string; state: string; amountDueMinor: number }
  totals: { shippingMinor: number | null; totalMinor: number | null }
  lines: { lineId: string; sku: string; quantity: number }[]
  facts: Record<string, unknown>
  units: { id: string; state: string; lines: { quantity: number }[] }[]
  parcels: ParcelShown[]
  commands: { verb: string; who: string; state: string; answer: string | null }[]
  owed: { kind: string; state: string; attempts: number; error: string | null }[]
}
export interface TaskShown {
  id: number
  kind: string
  orderId: string | null
  connection: string | null
  subject: string
  title: string
  detail: string
  remedy: string
  actions: string[]
}

/** By our id or the channel's order number. */
export async function show(world: World, id: string): Promise<OrderShown> {
  const { status, body } = await world.get(`/api/v1/orders/${id}`)
  if (status !== 200) throw new Error(`no order ${id}: ${status}`)
  return body as OrderShown
}
export const isThere = async (world: World, id: string): Promise<boolean> =>
  (await world.get(`/api/v1/orders/${id}`)).status === 200

export async function openTasks(
  world: World,
  which: { orderId?: string; connection?: string; kind?: string } = {},
): Promise<TaskShown[]> {
  const { tasks } = (await world.get('/api/v1/tasks')).body as { tasks: TaskShown[] }
  return tasks.filter((task) => Object.entries(which).every(([name, value]) => task[name as 'kind'] === value))
}

export const untilShown = (
  world: World,
  what: string,
  id: string,
  holds: (order: OrderShown) => boolean,
  timeoutMs = 60_000,
): Promise<OrderShown> => {
  let last: OrderShown | null = null
  return world
    .until(
      `${id} ${what}`,
      async () => {
        last = (await isThere(world, id)) ? await show(world, id) : null
        return last !== null && holds(last) ? last : null
      },
      timeoutMs,
    )
    .catch(async (error: Error) => {
      const { phase, units, parcels, commands, owed, facts } = last ?? {}
      const shown = JSON.stringify({ phase, facts, units, parcels, commands, owed })
      throw new Error(`${error.message}; it is ${shown}; behind it: ${JSON.stringify(await behind(world, id))}`)
    })
}

/** What was told of an order and who has heard it, for a failure that nobody can look into afterwards. */
async function behind(world: World, id: string): Promise<Record<string, unknown>> {
  const { pool, temporal } = world.runtime
  const { rows: told } = await pool.query(
    `select id, connection, kind, version, state, attempts, received_at, lease_until, error from inbox
     where external_id = $1 or order_id = $1 order by id`,
    [id],
  )
  const { rows: orders } = await pool.query<{ id: string }>(
    'select id, course, news, seen_news, rung_at, updated_at, external_version from orders where id = $1 or external_id = $1',
    [id],
  )
  const histories = await Promise.all(
    orders.map(async (order) => {
      const { events } = await temporal.workflow.getHandle(workflowIdOf(order.id)).fetchHistory()
      return events?.slice(-15).map((event) => `${event.eventId} ${event.eventType} ${event.eventTime?.seconds}`)
    }),
  ).catch((error: Error) => error.message)
  return { told, orders, histories }
}
export const untilBooked = (world: World, id: string): Promise<OrderShown> =>
  untilShown(world, 'is booked', id, (order) => order.parcels.at(-1)?.state === 'booked')
export const untilTask = (world: World, which: { orderId?: string; connection?: string; kind?: string }): Promise<TaskShown> =>
  world.until(`a task ${JSON.stringify(which)}`, async () => (await openTasks(world, which))[0])

export const pull = async (world: World, connection = 'shopee') =>
  await (await startPull(world.runtime.temporal, connection, { taskQueue: world.runtime.taskQueue })).result()

/** The warehouse gets no wave while `work` runs. */
export async function withoutWaves<T>(world: World, work: () => Promise<T>): Promise<T> {
  await pauseConnection(world.runtime.pool, 'warehouse', true)
  try {
    return await work()
  } finally {
    await pauseConnection(world.runtime.pool, 'warehouse', false)
  }
}

export const apply = (world: World, connection: { name: string; connector: string; config: Record<string, unknown> }) =>
  applyConnections(world.runtime.pool, world.runtime.secretKey, { connections: [connection] }, connectors)
