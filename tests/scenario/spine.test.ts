import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

describe('one order from the outside to the outside', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ secondWarehouse: { CAP: 50, RARE: 0 } })
  })
  afterAll(() => world?.stop())

  const place = async (change: Record<string, unknown> = {}) => {
    const answer = await world.post<OrderBody>('/api/v1/orders', storeOrder(change))
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    return answer.body.id
  }
  const shown = async (orderId: string) => (await world.get<OrderBody>(`/api/v1/orders/${orderId}`)).body
  const booked = (orderId: string) =>
    world.until('the parcel is booked', async () => {
      const parcel = (await shown(orderId)).parcels.at(-1)
      return parcel?.state === 'booked' ? parcel : null
    })

  it('a prepaid home delivery is picked, booked once, delivered and closed', async () => {
    const before = await world.stock('TEE-S')
    const id = await place()
    const parcel = await booked(id)
    expect(world.ecpay.parcels().filter((p) => p.merchantTradeNo === parcel.reference)).toHaveLength(1)
    await world.ecpay.advance(parcel.reference, { to: 'delivered', twice: true, shuffle: true })
    await world.untilPhase(id, 'delivered')
    await world.until('it is closed', async () => (await shown(id)).closed)
    const after = await world.stock('TEE-S')
    expect(after.onHand).toBe(before.onHand - 1)
    expect(after.held).toBe(before.held)
    expect((await world.audit()).violations).toEqual([])
  })

  it('an order cancelled before the wave holds nothing and is closed', async () => {
    const before = await world.stock('MUG')
    const id = await place({ lines: [{ sku: 'MUG', quantity: 3, unitPriceMinor: 30_000 }], payment: { method: 'cod' } })
    await world.untilPhase(id, 'confirming')
    expect((await world.stock('MUG')).held).toBe(before.held + 3)
    const answer = await world.post(`/api/v1/orders/${id}/cancel`, { reason: 'changed my mind' })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    await world.untilPhase(id, 'cancelled')
    expect((await world.stock('MUG')).held).toBe(before.held)
  })

  it('an unknown SKU waits with a task, and goes on when a person names the right one', async () => {
    const id = await place({ lines: [{ sku: 'TEE-WRONG', quantity: 1, unitPriceMinor: 59_000 }] })
    await world.untilPhase(id, 'blocked')
    const all = await world.get<{ tasks: { id: number; orderId: string }[] }>('/api/v1/tasks')
    const tasks = all.body.tasks.filter((task) => task.orderId === id)
    expect(tasks).toHaveLength(1)
    expect(tasks[0]).toMatchObject({ kind: 'order.check', state: 'open' })
    const answer = await world.post(`/api/v1/tasks/${tasks[0]?.id}/change`, {
      skus: { [(await shown(id)).lines[0]?.lineId ?? '']: 'TEE-M' },
    })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    await booked(id)
  })
})
