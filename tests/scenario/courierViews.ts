/** What the tests of couriers, parcels and tasks share: orders to a courier, what ECPay has of them, and small moves. */
import { expect } from 'vitest'
import { connectors } from '../../connectors/registry.ts'
import type { Policy } from '../../domain/policy.ts'
import { applyConnections } from '../../store/configuration.ts'
import { apply, show, untilBooked, type OrderShown, type ParcelShown } from './marketplaceViews.ts'
import { storeOrder, type World } from './world.ts'

/** ECPay as every world has it, with `change`. */
export const configureEcpay = (world: World, change: Record<string, unknown> = {}) =>
  apply(world, {
    name: 'ecpay',
    connector: 'ecpay',
    config: {
      merchantId: '2000132',
      hashKey: '5294y06JbISpM5x9',
      hashIv: 'v77hoKGq4kWxNNIS',
      baseUrl: world.ecpay.url,
      serverReplyUrl: `${world.url}/webhooks/ecpay`,
      homeCollection: true,
      // A call that hangs ends soon here; a quota that never waits.
      quota: { timeoutMs: 2_500, perSecond: 500, burst: 100 },
      ...change,
    },
  })

/** While `work` runs the policy is another; what is not named stays. */
export async function withPolicy<T>(world: World, change: Partial<Policy>, work: () => Promise<T>): Promise<T> {
  const { pool, secretKey, policy } = world.runtime
  const before = await policy()
  await applyConnections(pool, secretKey, { policy: { ...before, ...change } }, connectors)
  try {
    return await work()
  } finally {
    await applyConnections(pool, secretKey, { policy: before }, connectors)
  }
}

/** @returns the id of an in-store order that was sent to the API. */
export async function place(world: World, change: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await world.post<OrderShown>('/api/v1/orders', storeOrder(change))
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  return body.id
}
/** Cash on delivery to which the customer has said yes. */
export async function placeCod(world: World, change: Record<string, unknown> = {}): Promise<string> {
  const id = await place(world, { payment: { method: 'cod' }, ...change })
  await world.untilPhase(id, 'confirming')
  await world.post(`/api/v1/orders/${id}/confirm`, {})
  return id
}
export const toSevenEleven = (payment: Record<string, unknown>) => ({
  delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '991182' } },
  payment,
})

export async function parcelOf(world: World, id: string): Promise<ParcelShown> {
  const parcel = (await show(world, id)).parcels.at(-1)
  if (!parcel) throw new Error(`order ${id} has no parcel`)
  return parcel
}
/** @returns our reference of the parcel that is booked. */
export async function bookedReference(world: World, id: string): Promise<string> {
  return (await untilBooked(world, id)).parcels.at(-1)?.reference ?? ''
}
/** What ECPay has of the order's newest parcel. */
export async function atEcpay(world: World, id: string) {
  const { reference } = await parcelOf(world, id)
  return world.ecpay.parcels().filter((parcel) => parcel.merchantTradeNo === reference)
}
export async function bookedOnce(world: World, id: string): Promise<void> {
  const references = new Set((await show(world, id)).parcels.map((parcel) => parcel.reference))
  expect(world.ecpay.parcels().filter((parcel) => references.has(parcel.merchantTradeNo))).toHaveLength(1)
}

/** Does what a task allows, and waits until it is done, however busy the machine is. */
export async function act(world: World, task: { id: number }, action: string, body: object = {}): Promise<void> {
  const answer = await world.post(`/api/v1/tasks/${task.id}/${action}`, body)
  expect([200, 202], JSON.stringify(answer.body)).toContain(answer.status)
  await world.until(`task ${task.id} is closed`, async () => {
    return (await world.get<{ state: string }>(`/api/v1/tasks/${task.id}`)).body.state === 'done'
  })
}
