import { describe, expect, it } from 'vitest'
import { hours, minutes, useSagaWorld, type SagaOrder } from './sagaWorld.ts'

const world = useSagaWorld()
const nothingHeld = async (sku: string, onHand: number) =>
  expect(await world.stock(sku)).toEqual({ onHand, held: 0, available: onHand })
const owed = async (order: SagaOrder) =>
  (
    await world.runtime.pool.query<{ kind: string }>('select kind from outbox where order_id = $1 order by id', [order.id])
  ).rows.map((row) => row.kind)

describe('an order is cancelled', () => {
  it('while it is blocked: its task goes with it', async () => {
    const order = await world.order({ lines: [['UNKNOWN-HERE', 1]] })
    await order.untilPhase('blocked')
    expect((await order.ask('cancel')).state).toBe('done')
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['refund.byHand'])
  })

  it('by its channel before it was first taken in: nothing is ever held', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]], change: { cancelled: true } })
    await order.untilClosed('cancelled')
    await nothingHeld(sku, 3)
    expect(await owed(order)).toEqual([])
    expect((await world.runtime.pool.query('select 1 from holds where order_id = $1', [order.id])).rowCount).toBe(0)
  })

  it('while it waits for stock: nothing is held and the task is closed', async () => {
    const sku = await world.sku({ north: 1 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.untilPhase('waitingStock')
    await order.ask('cancel')
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['refund.byHand'])
    await nothingHeld(sku, 1)
  })

  it('by its channel while it is being confirmed: the channel need not be told', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.tell({ cancelled: true })
    await order.untilClosed('cancelled')
    await nothingHeld(sku, 3)
    expect(await owed(order)).toEqual([])
  })

  it('before the wave: the unit is struck off and no wave takes it', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
    await order.ask('cancel')
    await order.untilClosed('cancelled')
    expect((await order.units()).map((unit) => unit.state)).toEqual(['cancelled'])
    expect(await owed(order)).toEqual(['refund', 'cancelled'])
    await nothingHeld(sku, 3)
  })

  it('at the warehouse: recalled, and only then released', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.wave()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    expect(await order.phase()).toBe('cancelling')
    expect((await world.stock(sku)).held).toBe(2)
    expect(await owed(order)).toEqual(['recall'])
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    await nothingHeld(sku, 3)
  })

  it('packed and booked: the goods are recalled, then the waybill is cancelled', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 2]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    expect(world.courier.calls.map((call) => call.call)).toEqual(['book'])
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect(world.courier.calls.map((call) => call.call)).toEqual(['book', 'cancel'])
    expect((await order.parcels()).map((parcel) => parcel.state)).toEqual(['void'])
    expect(await order.tasks()).toEqual(['refund.byHand'])
    await nothingHeld(sku, 3)
  })

  it('packed where the courier cannot cancel: a person is asked, and the order says so', async () => {
    const sku = await world.sku({ north: 3 })
    world.courier.plan.otherwiseCancel = 'refuse'
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['booking.cancel', 'refund.byHand'])
    expect((await order.facts()).undoFailed).toMatchObject({ reason: 'it is on the van already' })
    await nothingHeld(sku, 3)
    expect((await order.ask('skip')).state).toBe('done')
    expect(await order.tasks()).toEqual(['refund.byHand'])
  })

  it('packed where the courier cannot be reached for long: a person is asked, and the rest is undone', async () => {
    const sku = await world.sku({ north: 3 })
    world.courier.plan.otherwiseCancel = 'down'
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelled')
    await world.until('the courier is asked', () => Promise.resolve(world.courier.calls.some((call) => call.call === 'cancel')))
    await world.skip(minutes(16))
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['booking.cancel', 'refund.byHand'])
    expect((await order.facts()).undoFailed).toMatchObject({ reason: 'the courier cannot be reached' })
    await nothingHeld(sku, 3)
  })

  it('while the courier is being asked for its waybill: the booking is cancelled, not forgotten', async () => {
    const sku = await world.sku({ north: 3 })
    const held = world.courier.hold()
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await held.came
    expect((await order.ask('cancel')).state).toBe('done')
    held.release()
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect([...world.courier.booked.values()].at(-1)?.cancelled).toBe(true)
    await nothingHeld(sku, 3)
  })

  it('while a refused booking waits for its next try: it is not tried again', async () => {
    const sku = await world.sku({ north: 3 })
    world.courier.plan.book = ['refuse']
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await world.until('it is refused', async () => (await order.parcels())[0]?.state === 'refused')
    await order.idle()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await world.skip(hours(1))
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect(world.courier.calls.filter(({ call }) => call === 'book')).toHaveLength(1)
    await nothingHeld(sku, 3)
  })

  it('with one unit packed at one warehouse and another not begun: both come back, each in its way', async () => {
    const [a, b] = [await world.sku({ north: 1 }), await world.sku({ south: 1 })]
    const order = await world.order({
      lines: [
        [a, 1],
        [b, 1],
      ],
    })
    await world.until('both units wait', async () => (await order.units()).filter((unit) => unit.state === 'ready').length === 2)
    await world.runtime.pool.query(`update connections set paused = true where name = 'warehouse'`)
    await order.wave()
    expect(
      (await order.units()).map((unit) => unit.state),
      'a paused warehouse gets no wave',
    ).toEqual(['ready', 'ready'])
    await world.runtime.pool.query(`update connections set paused = false where name = 'warehouse'`)
    await order.wave()
    const [first, second] = await order.units()
    await order.advise('packed', { unitId: first?.id })
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('both are recalled', async () => (await order.units()).every((unit) => unit.state === 'recalling'))
    await order.advise('cancelled', { unitId: first?.id })
    await order.idle()
    expect(await order.phase()).toBe('cancelling')
    await order.advise('cancelled', { unitId: second?.id })
    await order.untilClosed('cancelled')
    await nothingHeld(a, 1)
    expect(await world.stock(b, 'wh-south')).toEqual({ onHand: 1, held: 0, available: 1 })
    expect([...world.courier.booked.values()].at(-1)?.cancelled).toBe(true)
  })

  it('after one of its parcels was delivered: refused, and the other goes on', async () => {
    const [a, b] = [await world.sku({ north: 1 }), await world.sku({ south: 1 })]
    const order = await world.order({
      lines: [
        [a, 1],
        [b, 1],
      ],
    })
    await world.until('both units wait', async () => (await order.units()).filter((unit) => unit.state === 'ready').length === 2)
    await order.wave()
    for (const unit of await order.units()) await order.advise('packed', { unitId: unit.id })
    await order.untilBooked(2)
    const [first, second] = await order.parcels()
    await order.news('delivered', { parcelId: first?.id })
    expect((await order.ask('cancel')).state).toBe('refused')
    await order.news('returned', { parcelId: second?.id })
    await order.untilClosed('delivered')
    expect(await order.tasks()).toEqual(['return.receive'])
  })

  it('twice: the second time changes nothing', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.wave()
    await order.ask('cancel')
    expect(await order.ask('cancel')).toEqual({ state: 'done', answer: 'it is being cancelled already' })
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect(await order.ask('cancel')).toEqual({ state: 'refused', answer: 'the order is finished (cancelled)' })
  })
})

describe('a cancellation that comes too late', () => {
  it('is refused once the courier has the parcel; the channel that asked becomes a task', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.news('shipped')
    expect(await order.ask('cancel')).toEqual({
      state: 'refused',
      answer: 'a parcel of it is with the courier or delivered; use a return',
    })
    expect(await order.tasks()).toEqual([])
    await order.tell({ cancelled: true })
    await order.untilTask('cancel.refused')
    expect(await order.phase()).toBe('shipped')
    await order.news('delivered')
    await order.untilClosed('delivered')
  })

  it('is refused by the warehouse: let go, the order goes on', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelRefused', { reason: 'on the ramp' })
    expect(await order.tasks()).toEqual(['recall.refused'])
    expect((await order.facts()).undoFailed).toMatchObject({ reason: 'on the ramp' })
    expect(await order.ask('letGo')).toEqual({ state: 'done', answer: 'it goes on' })
    expect(await order.tasks()).toEqual([])
    await order.idle()
    expect(await order.phase()).toBe('packed')
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(world.courier.calls.map((call) => call.call)).toEqual(['book'])
    await nothingHeld(sku, 2)
  })

  it('is refused by the warehouse: fetched by a person, the order is cancelled', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.wave()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelRefused', { reason: 'too late' })
    expect(await order.ask('recalled')).toEqual({ state: 'done', answer: 'the goods are back' })
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['refund.byHand'])
    await nothingHeld(sku, 3)
  })

  it('is not answered by the warehouse: a person is asked', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.wave()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await world.runtime.pool.query(`update units set answer_due_at = now() - interval '1 second' where order_id = $1`, [order.id])
    await world.sweep()
    expect(await order.tasks()).toEqual(['recall.unanswered'])
    await order.ask('recalled')
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['refund.byHand'])
  })

  it('meets a parcel that left: let go, it is delivered', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.news('shipped')
    expect(await order.tasks()).toEqual(['recall.refused'])
    await order.ask('letGo')
    expect(await order.tasks()).toEqual([])
    await order.news('delivered')
    await order.untilClosed('delivered')
    await nothingHeld(sku, 2)
  })

  it('meets a parcel that left and is delivered though nobody decided: the order is delivered, not cancelled', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.news('shipped')
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await order.tasks()).toEqual([])
    expect(await order.notices()).not.toContain('cancelled')
    await nothingHeld(sku, 2)
  })

  it('meets a parcel that left and comes back: the order is cancelled, the goods are put back by a person', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.news('shipped')
    await order.news('returned')
    await order.untilClosed('cancelled')
    expect(await order.tasks()).toEqual(['refund.byHand', 'return.receive'])
    expect((await order.ask('restocked')).answer).toBe('on sale again')
    expect(await order.tasks(), 'its money is asked for once').toEqual(['refund.byHand'])
    await nothingHeld(sku, 3)
  })
})
