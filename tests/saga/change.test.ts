import { describe, expect, it } from 'vitest'
import { makeWaves } from '../../activities/waves.ts'
import { useSagaWorld } from './sagaWorld.ts'
import { PRICE_MINOR } from './sagaOrders.ts'

const world = useSagaWorld()
const line = (sku: string, quantity: number) => ({
  lineId: '1',
  sku,
  externalSku: null,
  name: null,
  variant: null,
  quantity,
  unitPriceMinor: PRICE_MINOR,
  gift: false,
})
const totals = (pieces: number) => ({
  itemsMinor: pieces * PRICE_MINOR,
  shippingMinor: 0,
  discountMinor: 0,
  totalMinor: pieces * PRICE_MINOR,
})

describe('an order is changed', () => {
  it('before the wave: the parcel goes to the new address, and what is held stays held', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
    expect(await order.ask('change', { recipient: { address: { line: '忠孝東路五段1號' } } })).toEqual({
      state: 'done',
      answer: 'changed',
    })
    await order.idle()
    expect((await world.stock(sku)).held).toBe(1)
    await order.pickAndPack()
    await order.untilBooked()
    expect(world.courier.booked.get((await order.parcels())[0]?.reference ?? '')?.request.recipient.address).toBe(
      '忠孝東路五段1號',
    )
  })

  it('before the wave, to an address that nobody can deliver to: it is not waved until that is mended', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
    await order.ask('change', { recipient: { address: { city: null } } })
    await order.untilPhase('blocked')
    await order.wave()
    expect((await order.units())[0]?.state).toBe('ready')
    await order.ask('change', { recipient: { address: { city: '臺北市' } } })
    await order.untilPhase('confirmed')
    await order.pickAndPack()
    await order.untilBooked()
  })

  it('in its lines: what was held is released, and the new lines are reserved and confirmed anew', async () => {
    const [sku, other] = [await world.sku({ north: 3 }), await world.sku({ north: 3 })]
    const order = await world.order({ lines: [[sku, 2]] })
    await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
    expect((await order.ask('change', { lines: [line(other, 3)], totals: totals(3) })).state).toBe('done')
    await world.until('the new unit is ready', async () => (await order.units()).at(-1)?.state === 'ready')
    expect((await order.units()).map((unit) => [unit.state, unit.lines[0]?.sku])).toEqual([
      ['cancelled', sku],
      ['ready', other],
    ])
    expect([(await world.stock(sku)).held, (await world.stock(other)).held]).toEqual([0, 3])
    await order.pickAndPack()
    await order.untilBooked()
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect([(await world.stock(sku)).onHand, (await world.stock(other)).onHand]).toEqual([3, 0])
  })

  it('in its lines by its channel, cash on delivery: confirmed anew with the new amount', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.ask('confirm')
    await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
    await order.tell({
      lines: [line(sku, 2)],
      totals: totals(2),
      payment: { ...order.told.payment, amountDueMinor: 2 * PRICE_MINOR },
    })
    await order.untilPhase('confirming')
    expect((await world.stock(sku)).held).toBe(2)
    expect((await order.payment()).amountDueMinor).toBe(2 * PRICE_MINOR)
    await order.ask('confirm')
    await order.pickAndPack()
    await order.untilBooked()
    expect((await order.parcels())[0]?.amountDueMinor).toBe(2 * PRICE_MINOR)
  })

  it('in its lines while it waits for stock: it goes on with what there is', async () => {
    const [none, some] = [await world.sku({}), await world.sku({ north: 1 })]
    const order = await world.order({ lines: [[none, 1]] })
    await order.untilPhase('waitingStock')
    await order.ask('change', { lines: [line(some, 1)] })
    await order.pickAndPack()
    await order.untilBooked()
    expect(await order.tasks()).toEqual([])
  })

  it('in its amount by a person, cash on delivery: no wave takes it until the customer has confirmed anew', async () => {
    const sku = await world.sku({ north: 5 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.ask('confirm')
    await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
    const cheaper = { itemsMinor: PRICE_MINOR, shippingMinor: 0, discountMinor: 9_000, totalMinor: 50_000 }
    expect((await order.ask('change', { payment: { amountDueMinor: 50_000 }, totals: cheaper })).state).toBe('done')
    await world.until('the customer is asked', async () => (await order.facts()).confirmAsked !== undefined)
    await makeWaves(world.runtime)
    expect((await order.units()).map((unit) => unit.state)).not.toContain('handedOver')
    await order.ask('confirm')
    await order.pickAndPack()
    await order.untilBooked()
    expect((await order.parcels())[0]?.amountDueMinor).toBe(50_000)
  })

  it('is refused while the warehouse works on it', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.wave()
    expect(await order.ask('change', { notes: 'after six' })).toEqual({
      state: 'refused',
      answer: 'the warehouse is already working on it',
    })
    await order.advise('picked')
    expect((await order.ask('change', { notes: 'after six' })).state).toBe('refused')
    await order.advise('packed')
    await order.untilBooked()
  })

  it('is refused while it is being cancelled and once the parcel is under way; the channel that asked becomes a task', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.news('shipped')
    expect(await order.ask('change', { notes: 'after six' })).toEqual({
      state: 'refused',
      answer: 'a parcel of it is with the courier or delivered',
    })
    await order.tell({ notes: 'after six' })
    await order.untilTask('change.refused')
    const other = await world.order({ lines: [[sku, 1]] })
    await other.wave()
    await other.ask('cancel')
    expect(await other.ask('change', { notes: 'after six' })).toEqual({ state: 'refused', answer: 'it is being cancelled' })
    await world.until('it is recalled', async () => (await other.units())[0]?.state === 'recalling')
    await other.advise('cancelled')
    await other.untilClosed('cancelled')
  })

  it('after its booking was refused: the address is mended, and it is booked without another word', async () => {
    const sku = await world.sku({ north: 3 })
    world.courier.plan.book = ['invalid']
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilTask('booking.refused')
    expect((await order.ask('change', { recipient: { address: { line: '市府路1號' } } })).state).toBe('done')
    await order.untilBooked()
    expect(await order.tasks()).toEqual([])
    const parcels = await order.parcels()
    expect(parcels.map((parcel) => parcel.state)).toEqual(['refused', 'booked'])
    expect(world.courier.booked.get(parcels[1]?.reference ?? '')?.request.recipient.address).toBe('市府路1號')
  })
})

describe('the warehouse does not find all of it', () => {
  it('the rest is found elsewhere: a second unit, and the labels add up to what is due', async () => {
    const sku = await world.sku({ north: 2, south: 5 })
    const order = await world.order({ lines: [[sku, 2]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.ask('confirm')
    await order.wave()
    await order.advise('packed', { short: { 1: 1 } })
    await world.until('the second unit waits', async () => (await order.units())[1]?.state === 'ready')
    expect(await order.tasks()).toEqual([])
    expect((await order.units())[1]).toMatchObject({ location: 'wh-south', lines: [{ quantity: 1 }] })
    expect(await world.stock(sku), 'what is not on the shelf is not on hand').toMatchObject({ onHand: 1, held: 1 })
    await order.wave()
    await order.advise('packed', { unitId: (await order.units())[1]?.id })
    await order.untilBooked(2)
    const parcels = await order.parcels()
    expect(parcels.reduce((sum, parcel) => sum + parcel.amountDueMinor, 0)).toBe(2 * PRICE_MINOR)
    for (const parcel of parcels) await order.news('delivered', { parcelId: parcel.id })
    await order.untilClosed('delivered')
    expect(await world.stock(sku)).toMatchObject({ onHand: 0, held: 0 })
    expect(await world.stock(sku, 'wh-south')).toMatchObject({ onHand: 4, held: 0 })
  })

  it('nowhere else: a person lets the rest go without it, and less is collected', async () => {
    const sku = await world.sku({ north: 2 })
    const order = await world.order({ lines: [[sku, 2]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.ask('confirm')
    await order.wave()
    await order.advise('picked', { short: { 1: 1 } })
    await order.untilTask('pick.short')
    expect(await order.ask('shipWithout')).toEqual({ state: 'done', answer: 'the rest goes without it' })
    await order.advise('packed', { short: { 1: 1 } })
    await order.untilBooked()
    expect((await order.parcels())[0]?.amountDueMinor).toBe(PRICE_MINOR)
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await order.tasks()).toEqual([])
    expect(await world.stock(sku)).toEqual({ onHand: 0, held: 0, available: 0 })
  })

  it('nowhere else: retried when there is stock again, the rest follows', async () => {
    const sku = await world.sku({ north: 2 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.wave()
    await order.advise('packed', { short: { 1: 1 } })
    await order.untilTask('pick.short')
    expect((await order.ask('retry')).state).toBe('done')
    await order.untilTask('pick.short')
    await world.receive(sku, 'wh-south', 1)
    await order.ask('retry')
    await world.until('the second unit waits', async () => (await order.units())[1]?.state === 'ready')
    expect(await order.tasks()).toEqual([])
    await order.wave()
    await order.advise('packed', { unitId: (await order.units())[1]?.id })
    await order.untilBooked(2)
    for (const parcel of await order.parcels()) await order.news('delivered', { parcelId: parcel.id })
    await order.untilClosed('delivered')
  })

  it('nowhere else: cancelled, what was found comes back', async () => {
    const sku = await world.sku({ north: 2 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.wave()
    await order.advise('picked', { short: { 1: 1 } })
    await order.untilTask('pick.short')
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['refund.byHand'])
    expect(await world.stock(sku)).toEqual({ onHand: 1, held: 0, available: 1 })
  })

  it('nothing of it at all: let go without it, the order is over', async () => {
    const sku = await world.sku({ north: 2 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.wave()
    await order.advise('packed', { short: { 1: 2 } })
    await order.untilTask('pick.short')
    expect((await order.units())[0]?.state).toBe('cancelled')
    await order.ask('shipWithout')
    await order.untilClosed('cancelled')
    expect(await world.stock(sku)).toEqual({ onHand: 0, held: 0, available: 0 })
    expect(world.courier.calls).toEqual([])
  })

  it('nothing of it here, but all of it elsewhere: one new unit takes all of it', async () => {
    const sku = await world.sku({ north: 2, south: 2 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.wave()
    await order.advise('packed', { short: { 1: 2 } })
    await world.until('the second unit waits', async () => (await order.units())[1]?.state === 'ready')
    await order.wave()
    await order.advise('packed', { unitId: (await order.units())[1]?.id })
    await order.untilBooked()
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await world.stock(sku, 'wh-south')).toEqual({ onHand: 0, held: 0, available: 0 })
  })

  it('a warehouse that does not answer becomes a task, closed by its answer', async () => {
    const sku = await world.sku({ north: 2 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.wave()
    await world.runtime.pool.query(`update units set answer_due_at = now() - interval '1 second' where order_id = $1`, [order.id])
    await world.sweep()
    expect(await order.tasks()).toEqual(['unit.silent'])
    await order.advise('packed')
    await order.untilBooked()
    expect(await order.tasks()).toEqual([])
  })
})
