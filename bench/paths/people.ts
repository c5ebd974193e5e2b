/** What customers, clerks and couriers do on the paths, from outside: HTTP, and the simulators of ECPay and of the warehouse. */
import { pullRemittances } from '../../activities/remittances.ts'
import { applyConnections } from '../../store/configuration.ts'
import { quietRuntime } from '../../tests/harness/temporalRuntime.ts'
import { openTasks, show, untilBooked, untilShown, untilTask, type TaskShown } from '../../tests/scenario/marketplaceViews.ts'
import { startWorld, storeOrder, type World } from '../../tests/scenario/world.ts'
import type { Place } from '../place.ts'

export const STORE = 'store-taipei'
const STOCK = { 'TEE-S': 100, 'TEE-M': 100, CAP: 100, MUG: 100 }
const HALF_HOUR_MS = 30 * 60_000

export interface People {
  world: World
  place(change?: Record<string, unknown>): Promise<string>
  /** @throws when it is refused. @returns the answer's JSON. */
  post<T = unknown>(path: string, body?: unknown): Promise<T>
  ask(orderId: string, verb: string, body?: unknown): Promise<void>
  confirm(orderId: string): Promise<void>
  /** An appointment for the order's try-on. @returns its id. */
  book(orderId: string): Promise<string>
  /** What the order wants at the store is brought there; what it does not want any more goes back. */
  carry(orderId: string, purpose: 'order' | 'back'): Promise<void>
  /** Every parcel of the order is booked, then brought so far by the courier. */
  courierBrings(orderId: string, to: 'delivered' | 'returned', parcels?: number): Promise<void>
  payOut(orderId: string, amount: number): Promise<void>
  /** The task is settled as it asks. */
  settle(orderId: string, kind: string, action: string, body?: unknown): Promise<void>
  task(orderId: string, kind: string): Promise<TaskShown>
  tasksLeft(orderIds: string[]): Promise<TaskShown[]>
  closed(orderId: string): Promise<void>
}

/** The system of the scenario tests, with a second warehouse and a store that is always open. */
export async function startPeople(place: Place): Promise<People> {
  process.env['OMNISAGA_LOG'] ??= 'error'
  quietRuntime('ERROR')
  const world = await startWorld({
    database: { url: await place.migratedDatabase(), drop: async () => undefined },
    policy: { bookingRetryMs: [200] },
    stock: STOCK,
    secondWarehouse: { 'TEE-M': 50, RARE: 50 },
  })
  const always = [{ from: '00:00', to: '24:00' }]
  const week = Object.fromEntries(['1', '2', '3', '4', '5', '6', '7'].map((day) => [day, always]))
  await applyConnections(
    world.runtime.pool,
    world.runtime.secretKey,
    {
      locations: [
        {
          id: STORE,
          name: '信義店',
          kind: 'store',
          ships: false,
          priority: 9,
          openingHours: { week, slotMinutes: 30, staff: 5 },
        },
      ],
    },
    world.runtime.connectors,
  )
  return peopleOf(world)
}

function peopleOf(world: World): People {
  const post: People['post'] = async <T>(path: string, body: unknown = {}) => {
    const answer = await world.post<T>(`/api/v1/${path}`, body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const people: People = {
    world,
    post,
    place: async (change = {}) => (await post<{ id: string }>('orders', storeOrder({ kind: 'online', ...change }))).id,
    ask: async (orderId, verb, body) => void (await post(`orders/${orderId}/${verb}`, body)),
    async confirm(orderId) {
      await world.untilPhase(orderId, 'confirming')
      await people.ask(orderId, 'confirm')
    },
    async book(orderId) {
      await world.untilPhase(orderId, 'tryOn')
      const startsAt = new Date(Math.ceil(Date.now() / HALF_HOUR_MS + 4) * HALF_HOUR_MS).toISOString()
      const customer = { name: '王小明', phone: '0912-345-678' }
      return (await post<{ id: string }>('appointments', { location: STORE, startsAt, kind: 'tryOn', orderId, customer })).id
    },
    async carry(orderId, purpose) {
      const transfer = await world.until(`a transfer (${purpose}) is asked for`, async () => {
        const { body } = await world.get<{ transfers: { id: string; purpose: string }[] }>(`/api/v1/transfers?orderId=${orderId}`)
        return body.transfers.find((each) => each.purpose === purpose)
      })
      for (const step of ['shipped', 'arrived']) await post(`transfers/${transfer.id}/${step}`)
    },
    async courierBrings(orderId, to, count = 1) {
      const booked = await world.until(`${count} parcels of ${orderId} are booked`, async () => {
        const parcels = (await show(world, orderId)).parcels.filter((parcel) => parcel.state === 'booked')
        return parcels.length === count && parcels
      })
      for (const { reference } of booked) await world.ecpay.advance(reference, { to })
      await world.untilPhase(orderId, to)
    },
    async payOut(orderId, amount) {
      const [parcel] = (await show(world, orderId)).parcels
      world.ecpay.payOut(parcel?.reference ?? '', { date: '2026-11-22', amount, fee: 15 })
      const { matched } = await pullRemittances(world.runtime, 'ecpay', { from: '2026-11-01', to: '2026-11-30' })
      if (matched !== 1) throw new Error(`the money of ${orderId} was not matched`)
    },
    task: (orderId, kind) => untilTask(world, { orderId, kind }),
    settle: async (orderId, kind, action, body) =>
      void (await post(`tasks/${(await people.task(orderId, kind)).id}/${action}`, body)),
    tasksLeft: async (orderIds) =>
      (await openTasks(world)).filter(({ orderId }) => orderId !== null && orderIds.includes(orderId)),
    closed: async (orderId) => void (await untilShown(world, 'is closed', orderId, ({ closed }) => closed)),
  }
  return people
}

export { show, untilBooked }
