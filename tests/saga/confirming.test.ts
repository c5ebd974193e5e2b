import { describe, expect, it } from 'vitest'
import { makeWaves } from '../../activities/waves.ts'
import { days, hours, useSagaWorld, type SagaOrder } from './sagaWorld.ts'
import { PRICE_MINOR } from './sagaOrders.ts'

const world = useSagaWorld()
const deliver = async (order: SagaOrder) => {
  await order.pickAndPack()
  await order.untilBooked()
  await order.news('delivered')
  await order.untilClosed('delivered')
}
const expireHolds = (orderId: string) =>
  world.runtime.pool.query(`update holds set expires_at = now() - interval '1 second' where order_id = $1 and state = 'active'`, [
    orderId,
  ])

describe('payment and confirmation', () => {
  it('a paid order is confirmed at once, picked, booked once, delivered and closed', async () => {
    const sku = await world.sku({ north: 10 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.pickAndPack()
    await order.untilBooked()
    expect(world.courier.calls.map((call) => call.call)).toEqual(['book'])
    expect(await world.stock(sku)).toEqual({ onHand: 10, held: 2, available: 8 })
    await order.news('shipped')
    expect(await order.phase()).toBe('shipped')
    expect(await world.stock(sku)).toEqual({ onHand: 8, held: 0, available: 8 })
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await order.tasks()).toEqual([])
    expect(await order.notices()).toEqual(['onItsWay', 'delivered'])
  })

  it('cash on delivery goes on when the customer has confirmed, and the label collects what is due', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 2]], payment: 'cod' })
    await order.untilPhase('confirming')
    expect(await order.ask('confirm')).toEqual({ state: 'done', answer: 'confirmed' })
    expect(await order.ask('confirm')).toEqual({ state: 'done', answer: 'it was confirmed already' })
    await order.pickAndPack()
    await order.untilBooked()
    const [parcel] = await order.parcels()
    expect(world.courier.booked.get(parcel?.reference ?? '')?.labelAmountMinor).toBe(2 * PRICE_MINOR)
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect((await order.payment()).state).toBe('collected')
  })

  it('cash on delivery that nobody confirms in time becomes a task, and goes on when confirmed later', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.idle()
    await world.skip(days(2) - hours(1))
    await order.idle()
    expect(await order.tasks()).toEqual([])
    await world.skip(hours(2))
    await order.untilTask('order.confirm')
    await order.idle()
    expect((await order.ask('confirm')).state).toBe('done')
    expect(await order.tasks()).toEqual([])
    await deliver(order)
  })

  it('cash on delivery that is cancelled while it waits holds nothing and tells the channel', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 3]], payment: 'cod' })
    await order.untilPhase('confirming')
    expect((await world.stock(sku)).held).toBe(3)
    expect((await order.ask('cancel', { reason: 'changed my mind' })).state).toBe('done')
    await order.untilClosed('cancelled')
    expect(await world.stock(sku)).toEqual({ onHand: 5, held: 0, available: 5 })
    const owed = await world.runtime.pool.query('select kind from outbox where order_id = $1', [order.id])
    expect(owed.rows).toEqual([{ kind: 'cancelled' }])
  })

  it('a prepaid order that is not paid yet waits, and goes on when the channel says that it is', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'pending' })
    await order.untilPhase('confirming')
    await order.idle()
    expect((await order.facts()).confirmAsked).toMatchObject({ for: 'payment' })
    await order.tell({ payment: { ...order.told.payment, state: 'paid' } })
    await deliver(order)
  })

  it('a prepaid order that is not paid yet goes on when a person says that it is', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'pending' })
    await order.untilPhase('confirming')
    expect(await order.ask('paid')).toEqual({ state: 'done', answer: 'paid' })
    await deliver(order)
  })

  it('an order on hold at its channel waits, cannot be confirmed by hand, and goes on when released', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]], change: { onHold: true } })
    await order.untilPhase('confirming')
    expect(await order.ask('confirm')).toEqual({ state: 'refused', answer: 'the channel has not released it' })
    await order.tell({ onHold: false })
    await deliver(order)
  })

  it('an order that its channel puts on hold before the wave is not given to the warehouse until it is released', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]] })
    await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
    await order.tell({ onHold: true })
    await makeWaves(world.runtime)
    expect((await order.units()).map((unit) => unit.state)).not.toContain('handedOver')
    await order.tell({ onHold: false })
    await deliver(order)
    expect(await world.stock(sku)).toEqual({ onHand: 4, held: 0, available: 4 })
  })

  it('an order that its channel puts on hold while the warehouse has it becomes a task, closed when it is released', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.wave()
    await order.tell({ onHold: true })
    await order.untilTask('order.hold')
    await order.tell({ onHold: false })
    expect(await order.tasks()).toEqual([])
    await order.advise('packed')
    await order.untilBooked()
  })

  it('a confirmation that came after its goods went back on sale reserves them again, and then for good', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 2]], payment: 'cod' })
    await order.untilPhase('confirming')
    await expireHolds(order.id)
    expect(await world.stock(sku)).toMatchObject({ held: 0, available: 5 })
    expect((await order.ask('confirm')).state).toBe('done')
    await order.wave()
    expect(await world.stock(sku)).toMatchObject({ held: 2, available: 3 })
    const holds = await world.runtime.pool.query(`select expires_at from holds where order_id = $1 and state = 'active'`, [
      order.id,
    ])
    expect(holds.rows).toEqual([{ expires_at: null }])
    await order.advise('packed')
    await order.untilBooked()
  })

  it('a confirmation whose goods went to somebody else waits for stock, and goes on when there is some', async () => {
    const sku = await world.sku({ north: 2 })
    const order = await world.order({ lines: [[sku, 2]], payment: 'cod' })
    await order.untilPhase('confirming')
    await expireHolds(order.id)
    const other = await world.order({ lines: [[sku, 1]] })
    await other.untilPhase('confirmed')
    expect((await order.ask('confirm')).state).toBe('done')
    await order.untilPhase('waitingStock')
    expect(await order.tasks()).toEqual(['stock.short'])
    await world.receive(sku, 'wh-north', 1)
    expect((await order.ask('retry')).state).toBe('done')
    await deliver(order)
    expect(await order.tasks()).toEqual([])
  })
})

describe('check', () => {
  it('an article that nobody knows waits as a task, and goes on when a person names the right one; the name is kept', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [['NO-SUCH', 1]] })
    await order.untilPhase('blocked')
    expect(await order.tasks()).toEqual(['order.check'])
    expect((await order.ask('change', { skus: { 1: sku } })).state).toBe('done')
    await deliver(order)
    expect(await order.tasks()).toEqual([])
    const second = await world.order({ lines: [['NO-SUCH', 1]] })
    await second.wave()
    expect((await second.units())[0]?.lines[0]?.sku).toBe(sku)
  })

  it('amounts that disagree wait for the right ones', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({
      lines: [[sku, 2]],
      change: { totals: { itemsMinor: 1, shippingMinor: 0, discountMinor: 0, totalMinor: 1 } },
    })
    await order.untilPhase('blocked')
    expect((await world.stock(sku)).held).toBe(0)
    expect((await order.ask('change', { totals: { itemsMinor: 2 * PRICE_MINOR, totalMinor: 2 * PRICE_MINOR } })).state).toBe(
      'done',
    )
    await deliver(order)
  })

  it('a convenience-store order without its store waits for one, and goes to that store', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]], delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: null } } })
    await order.untilPhase('blocked')
    expect(await order.tasks()).toEqual(['order.check'])
    expect((await order.ask('change', { delivery: { cvs: { chain: 'UNIMART', storeId: '131386' } } })).state).toBe('done')
    await order.pickAndPack()
    await order.untilBooked()
    expect(world.courier.booked.get((await order.parcels())[0]?.reference ?? '')?.request).toMatchObject({
      method: 'cvs',
      cvs: { storeId: '131386' },
    })
    await order.news('arrivedAtPickup')
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await order.notices()).toContain('arrivedAtPickup')
  })

  it('a blocked order that is looked at again without being mended stays blocked with one task', async () => {
    const order = await world.order({ lines: [['NEVER-KNOWN', 1]] })
    await order.untilPhase('blocked')
    expect((await order.ask('retry')).state).toBe('done')
    await order.idle()
    expect(await order.phase()).toBe('blocked')
    expect(await order.tasks()).toEqual(['order.check'])
  })
})

describe('reserve', () => {
  it('too little stock holds nothing and becomes a task; when goods arrive the order goes on by itself', async () => {
    const sku = await world.sku({ north: 1 })
    const other = await world.sku({ north: 5 })
    const order = await world.order({
      lines: [
        [sku, 3],
        [other, 1],
      ],
    })
    await order.untilPhase('waitingStock')
    expect(await order.tasks()).toEqual(['stock.short'])
    expect((await world.stock(sku)).held + (await world.stock(other)).held).toBe(0)
    await world.receive(sku, 'wh-north', 2)
    await world.runtime.pool.query(`update orders set updated_at = now() - interval '1 minute' where id = $1`, [order.id])
    await world.sweep()
    await deliver(order)
    expect(await order.tasks()).toEqual([])
    expect(await world.stock(sku)).toEqual({ onHand: 0, held: 0, available: 0 })
  })

  it('the sweep leaves an order alone whose stock is still short', async () => {
    const sku = await world.sku({ north: 1 })
    const order = await world.order({ lines: [[sku, 3]] })
    await order.untilPhase('waitingStock')
    await order.idle()
    const before = (await order.history()).events?.length
    await world.receive(sku, 'wh-north', 1)
    await world.runtime.pool.query(`update orders set updated_at = now() - interval '1 minute' where id = $1`, [order.id])
    await world.sweep()
    expect((await order.history()).events?.length).toBe(before)
  })
})
