import { describe, expect, it } from 'vitest'
import { days, hours, useSagaWorld, type SagaOrder } from './sagaWorld.ts'
import { PRICE_MINOR } from './sagaOrders.ts'

const world = useSagaWorld()

/** A try-on at the store, in so many days by the engine's clock. */
async function tryOn(wish: {
  lines: [string, number][]
  inDays?: number
  payment?: 'cod' | 'paid'
  method?: 'home' | 'handOver'
}): Promise<SagaOrder> {
  const promisedBy = new Date((await world.now()) + days(wish.inDays ?? 2)).toISOString()
  const order = await world.order({
    lines: wish.lines,
    kind: 'tryOn',
    payment: wish.payment ?? 'cod',
    delivery: { method: wish.method ?? 'handOver', location: 'store-taipei', promisedBy },
  })
  await order.untilPhase('tryOn')
  return order
}

describe('a try-on', () => {
  it('whose customer keeps all is handed over at the store at once and paid there', async () => {
    const sku = await world.sku({ store: 4 })
    const order = await tryOn({ lines: [[sku, 2]] })
    expect(await world.stock(sku, 'store-taipei')).toMatchObject({ held: 2 })
    expect((await order.ask('arrived')).state).toBe('done')
    expect(await order.ask('decide', { keep: { 1: 2 } })).toEqual({ state: 'done', answer: 'decided' })
    await order.untilPhase('confirming')
    expect((await order.ask('confirm')).state).toBe('done')
    await order.untilClosed('delivered')
    expect(await world.stock(sku, 'store-taipei')).toEqual({ onHand: 2, held: 0, available: 2 })
    expect(await order.payment()).toMatchObject({ state: 'collected', amountDueMinor: 2 * PRICE_MINOR })
    expect(world.courier.calls).toEqual([])
  })

  it('whose customer keeps half puts the other half back on sale and collects only what is kept', async () => {
    const [shirt, shoes] = [await world.sku({ store: 3, north: 3 }), await world.sku({ store: 3, north: 3 })]
    const order = await tryOn({
      lines: [
        [shirt, 2],
        [shoes, 1],
      ],
      method: 'home',
    })
    await order.ask('arrived')
    expect((await order.ask('decide', { keep: { 1: 1 } })).state).toBe('done')
    expect(await order.payment()).toMatchObject({ amountDueMinor: PRICE_MINOR })
    await order.untilPhase('confirming')
    expect(await world.stock(shoes, 'store-taipei')).toMatchObject({ held: 0, available: 3 })
    expect(await world.stock(shirt, 'store-taipei')).toMatchObject({ held: 1 })
    await order.ask('confirm')
    await order.pickAndPack()
    await order.untilBooked()
    expect((await order.parcels())[0]).toMatchObject({ amountDueMinor: PRICE_MINOR })
    await order.news('delivered')
    await order.untilClosed('delivered')
  })

  it('whose customer keeps nothing ends with everything on sale again', async () => {
    const sku = await world.sku({ store: 4 })
    const order = await tryOn({ lines: [[sku, 2]] })
    await order.ask('arrived')
    expect((await order.ask('decide', { keep: {} })).answer).toBe('nothing is kept, everything is on sale again')
    await order.untilClosed('cancelled')
    expect(await world.stock(sku, 'store-taipei')).toEqual({ onHand: 4, held: 0, available: 4 })
  })

  it('whose customer never comes ends weeks later, at the time of the appointment and not before', async () => {
    const sku = await world.sku({ store: 4 })
    const order = await tryOn({ lines: [[sku, 1]], inDays: 21 })
    await order.idle()
    const holds = await world.runtime.pool.query<{ expires_at: Date }>(`select expires_at from holds where order_id = $1`, [
      order.id,
    ])
    expect(holds.rows[0]?.expires_at.getTime(), 'kept until after the appointment').toBeGreaterThan(
      (await world.now()) + days(20),
    )
    await world.skip(days(20))
    await order.idle()
    expect(await order.phase()).toBe('tryOn')
    expect((await world.stock(sku, 'store-taipei')).held).toBe(1)
    await world.skip(days(1) + hours(1))
    await order.untilClosed('cancelled')
    expect(await order.notices()).toEqual(['tryOnHeld', 'tryOnMissed'])
    expect(await world.stock(sku, 'store-taipei')).toEqual({ onHand: 4, held: 0, available: 4 })
  })

  it('whose customer came but for whom nobody records what is kept becomes a task, and goes on when it is recorded', async () => {
    const sku = await world.sku({ store: 4 })
    const order = await tryOn({ lines: [[sku, 1]], payment: 'paid' })
    await order.ask('arrived')
    await order.idle()
    await world.skip(hours(23))
    await order.idle()
    expect(await order.tasks()).toEqual([])
    await world.skip(hours(2))
    await order.untilTask('tryOn.undecided')
    expect((await order.ask('decide', { keep: { 1: 1 } })).state).toBe('done')
    await order.untilClosed('delivered')
    expect(await order.tasks()).toEqual([])
  })

  it('whose customer came is not ended by the appointment passing', async () => {
    const sku = await world.sku({ store: 4 })
    const order = await tryOn({ lines: [[sku, 1]], inDays: 1 })
    await order.ask('arrived')
    await order.idle()
    await world.skip(days(3))
    await order.untilTask('tryOn.undecided')
    expect(await order.phase()).toBe('tryOn')
    expect((await world.stock(sku, 'store-taipei')).held).toBe(1)
    await order.ask('cancel')
    await order.untilClosed('cancelled')
  })

  it('refuses a decision about lines it does not have, and an arrival after the decision', async () => {
    const sku = await world.sku({ store: 4 })
    const order = await tryOn({ lines: [[sku, 1]] })
    expect(await order.ask('confirm')).toEqual({ state: 'refused', answer: 'the customer has not decided yet what to keep' })
    expect(await order.ask('decide', { keep: { 9: 1 } })).toEqual({ state: 'refused', answer: 'there is no line 9; lines are 1' })
    expect(await order.ask('decide', { keep: { 1: 2 } })).toEqual({ state: 'refused', answer: 'line 1 has 1 pieces, not 2' })
    await order.ask('decide', { keep: { 1: 1 } })
    expect((await order.ask('arrived')).state).toBe('refused')
    await order.ask('cancel')
    await order.untilClosed('cancelled')
  })

  it('at a store that ships nothing is sent from the warehouse, and the store has its pieces back on sale', async () => {
    const sku = await world.sku({ store: 2, north: 2 })
    const order = await tryOn({ lines: [[sku, 1]], method: 'home', payment: 'paid' })
    await order.ask('arrived')
    await order.ask('decide', { keep: { 1: 1 } })
    await order.wave()
    expect((await order.units()).map((unit) => unit.location)).toEqual(['wh-north'])
    expect((await world.stock(sku, 'store-taipei')).held).toBe(0)
    expect((await world.stock(sku)).held).toBe(1)
    await order.advise('packed')
    await order.untilBooked()
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await world.stock(sku)).toEqual({ onHand: 1, held: 0, available: 1 })
    expect(await world.stock(sku, 'store-taipei')).toEqual({ onHand: 2, held: 0, available: 2 })
  })

  it('at a store that ships nothing, with no warehouse that has the goods, is to be brought to one, and goes on when one has them first', async () => {
    const sku = await world.sku({ store: 2 })
    const order = await tryOn({ lines: [[sku, 1]], method: 'home', payment: 'paid' })
    await order.ask('decide', { keep: { 1: 1 } })
    await world.until('it is asked for', async () => (await order.facts()).inTransfer !== undefined)
    expect(await order.tasks()).toEqual([])
    expect((await world.stock(sku, 'store-taipei')).held).toBe(1)
    await world.receive(sku, 'wh-south', 1)
    await order.ask('retry')
    await order.wave()
    expect((await order.units()).map((unit) => unit.location)).toEqual(['wh-south'])
    expect(await order.tasks()).toEqual([])
    expect((await world.stock(sku, 'store-taipei')).held).toBe(0)
  })
})

describe('where the goods are handed over or sent from', () => {
  it('a store pickup is kept ready until it is collected', async () => {
    const sku = await world.sku({ store: 2 })
    const order = await world.order({
      lines: [[sku, 1]],
      kind: 'store',
      delivery: { method: 'storePickup', location: 'store-taipei' },
    })
    await order.untilPhase('packed')
    expect(await world.stock(sku, 'store-taipei')).toMatchObject({ onHand: 2, held: 1 })
    expect(await order.notices()).toEqual(['readyForPickup'])
    expect(await order.ask('collected')).toEqual({ state: 'done', answer: 'handed over' })
    await order.untilClosed('delivered')
    expect(await world.stock(sku, 'store-taipei')).toEqual({ onHand: 1, held: 0, available: 1 })
  })

  it('a store pickup that is cancelled while it waits is put back by a person', async () => {
    const sku = await world.sku({ store: 2 })
    const order = await world.order({
      lines: [[sku, 1]],
      kind: 'store',
      delivery: { method: 'storePickup', location: 'store-taipei' },
    })
    await order.untilPhase('packed')
    await order.ask('cancel')
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['refund.byHand', 'unit.putBack'])
    expect(await world.stock(sku, 'store-taipei')).toEqual({ onHand: 2, held: 0, available: 2 })
  })

  it('goods that no single location has are sent from two, and the labels add up to what is due', async () => {
    const [a, b] = [await world.sku({ north: 1 }), await world.sku({ south: 1 })]
    const order = await world.order({
      lines: [
        [a, 1],
        [b, 1],
      ],
      payment: 'cod',
    })
    await order.untilPhase('confirming')
    await order.ask('confirm')
    await world.until('both units wait', async () => (await order.units()).filter((unit) => unit.state === 'ready').length === 2)
    await order.wave()
    const units = await order.units()
    expect(units.map((unit) => unit.location)).toEqual(['wh-north', 'wh-south'])
    for (const unit of units) await order.advise('packed', { unitId: unit.id })
    await order.untilBooked(2)
    const parcels = await order.parcels()
    expect(parcels.map((parcel) => parcel.amountDueMinor)).toEqual([PRICE_MINOR, PRICE_MINOR])
    await order.news('delivered', { parcelId: parcels[0]?.id })
    await order.idle()
    expect(await order.closed()).toBe(false)
    await order.news('delivered', { parcelId: parcels[1]?.id })
    await order.untilClosed('delivered')
  })

  it('where no warehouse system picks, a person packs and says so', async () => {
    const sku = await world.sku({ corner: 1 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.untilTask('unit.pick')
    expect(await order.ask('packed')).toEqual({ state: 'done', answer: 'packed' })
    await order.untilBooked()
    expect(await order.tasks()).toEqual([])
    await order.news('delivered')
    await order.untilClosed('delivered')
  })
})
