import { describe, expect, it } from 'vitest'
import { days, hours, minutes, useSagaWorld, type SagaOrder } from './sagaWorld.ts'

const world = useSagaWorld()
const packedOrder = async (payment: 'paid' | 'cod' = 'paid') => {
  const sku = await world.sku({ north: 5 })
  const order = await world.order({ lines: [[sku, 1]], payment })
  if (payment === 'cod') {
    await order.untilPhase('confirming')
    await order.ask('confirm')
  }
  await order.pickAndPack()
  return { order, sku }
}
const states = async (order: SagaOrder) => (await order.parcels()).map((parcel) => parcel.state)
const calls = () => world.courier.calls.map((call) => call.call)
const tries = () => calls().filter((call) => call === 'book').length
const bookedFor = async (order: SagaOrder) =>
  (await order.parcels()).filter((parcel) => world.courier.booked.has(parcel.reference)).length
/** The pauses before repeats of the saga's own, as the engine began them. */
const pauses = async (order: SagaOrder) =>
  ((await order.history()).events ?? []).filter(
    (event) => Number(event.timerStartedEventAttributes?.startToFireTimeout?.seconds ?? 0) === minutes(1) / 1_000,
  ).length
const runOf = async (order: SagaOrder) =>
  (await order.history()).events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId

describe('booking', () => {
  it('refused once: tried again after a while with a new number, and booked', async () => {
    world.courier.plan.book = ['refuse']
    const { order } = await packedOrder()
    await world.until('it is refused', async () => (await states(order))[0] === 'refused')
    await order.idle()
    await world.skip(minutes(1) + 1_000)
    await order.untilBooked()
    expect(await states(order)).toEqual(['refused', 'booked'])
    const references = (await order.parcels()).map((parcel) => parcel.reference)
    expect(new Set(references).size).toBe(2)
    expect(await order.tasks()).toEqual([])
  })

  it('refused always: a task with the courier’s words; a person’s retry books it', async () => {
    world.courier.plan.book = ['refuse', 'refuse']
    const { order } = await packedOrder()
    await world.until('it is refused', async () => (await states(order))[0] === 'refused')
    await order.idle()
    await world.skip(minutes(1) + 1_000)
    await order.untilTask('booking.refused')
    const task = await world.runtime.pool.query<{ detail: string }>(
      `select detail from tasks where order_id = $1 and state = 'open'`,
      [order.id],
    )
    expect(task.rows[0]?.detail).toContain('this parcel is not taken - send it otherwise')
    await order.idle()
    await world.skip(days(7))
    await order.idle()
    expect(tries()).toBe(2)
    await order.ask('retry')
    await order.untilBooked()
    expect(await order.tasks()).toEqual([])
    await order.news('delivered')
    await order.untilClosed('delivered')
  })

  it('refused because our data is wrong: a person is asked at once, nothing is tried again', async () => {
    world.courier.plan.book = ['invalid']
    const { order } = await packedOrder()
    await order.untilTask('booking.refused')
    await order.idle()
    await world.skip(hours(1))
    await order.idle()
    // Any refusal may hide a booking that was made before it: it is looked up, not sent again.
    expect(calls()).toEqual(['book', 'lookUp'])
  })

  it('refused because our data is wrong: what a person asks for then is booked at once, as it is and as it is corrected', async () => {
    for (const say of [
      (order: SagaOrder) => order.ask('retry'),
      (order: SagaOrder) => order.ask('change', { recipient: { address: { line: '市府路1號' } } }),
    ]) {
      world.courier.plan.book = ['invalid']
      const { order } = await packedOrder()
      await order.untilTask('booking.refused')
      await order.idle()
      const askedAt = await world.now()
      expect((await say(order)).state).toBe('done')
      await order.untilBooked()
      expect((await world.now()) - askedAt).toBeLessThan(minutes(1))
      expect(await pauses(order)).toBe(0)
      expect(await order.tasks()).toEqual([])
      expect(await states(order)).toEqual(['refused', 'booked'])
    }
  })

  it('refused, and retried by a person before its own repeat: at once, and the repeat is still to come', async () => {
    world.courier.plan.book = ['refuse', 'refuse']
    const { order } = await packedOrder()
    await world.until('it waits for its repeat', async () => (await pauses(order)) === 1)
    const askedAt = await world.now()
    await order.ask('retry')
    await world.until('it is refused again', async () => (await states(order))[1] === 'refused')
    expect((await world.now()) - askedAt).toBeLessThan(minutes(1))
    await world.until('it waits for its repeat again', async () => (await pauses(order)) === 2)
    expect(await order.tasks()).toEqual([])
    await order.idle()
    await world.skip(minutes(1) + 1_000)
    await order.untilBooked()
    expect(await states(order)).toEqual(['refused', 'refused', 'booked'])
  })

  it('whose answer is lost is looked up, and stands once', async () => {
    world.courier.plan.book = ['lost']
    const { order } = await packedOrder()
    await world.until('it is sent', async () => (await states(order))[0] === 'sent')
    await world.skip(minutes(1))
    await order.untilBooked()
    expect(calls()).toEqual(['book', 'lookUp'])
    expect(await bookedFor(order)).toBe(1)
    expect((await order.parcels())[0]?.waybill).toBe([...world.courier.booked.values()].at(-1)?.waybill)
  })

  it('whose answer is lost and whose work is done late: the second try is refused as a duplicate, and the booking is found', async () => {
    world.courier.plan.book = ['late']
    const { order } = await packedOrder()
    await world.until('it is sent', async () => (await states(order))[0] === 'sent')
    await world.skip(minutes(1))
    await order.untilBooked()
    expect(calls()).toEqual(['book', 'lookUp', 'book', 'lookUp'])
    expect(await states(order)).toEqual(['booked'])
    expect(await order.tasks()).toEqual([])
  })

  it('with a courier that cannot be reached for long: a task, closed when it is booked at last', async () => {
    world.courier.plan.otherwise = 'down'
    const { order } = await packedOrder()
    await world.until('the courier is asked', () => Promise.resolve(calls().length > 0))
    await world.skip(minutes(16))
    await order.untilTask('courier.unreachable')
    await world.skip(minutes(10))
    expect(await states(order)).toEqual(['sent'])
    world.courier.plan.otherwise = 'ok'
    await world.skip(minutes(20))
    await order.untilBooked()
    expect(await order.tasks()).toEqual([])
    expect(await bookedFor(order)).toBe(1)
  })

  it('with a courier that cannot be reached: cancelled meanwhile, nothing stays booked', async () => {
    world.courier.plan.otherwise = 'down'
    const { order, sku } = await packedOrder()
    await world.until('the courier is asked', () => Promise.resolve(calls().length > 0))
    await world.skip(minutes(16))
    await order.untilTask('courier.unreachable')
    await order.ask('cancel')
    // A call may be under way when the cancellation comes: its retries end first.
    await world.until('it is recalled', async () => {
      await world.skip(minutes(5))
      return (await order.units())[0]?.state === 'recalling'
    })
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect(await states(order)).toEqual(['void'])
    expect(await bookedFor(order)).toBe(0)
    expect(await order.tasks()).toEqual(['refund.byHand'])
    expect(await world.stock(sku)).toEqual({ onHand: 5, held: 0, available: 5 })
  })
})

describe('news of a parcel', () => {
  it('brings it back: the order is returned, and a person puts the goods on sale again', async () => {
    const { order, sku } = await packedOrder('cod')
    await order.untilBooked()
    await order.news('shipped')
    await order.news('returning')
    expect(await order.phase()).toBe('returning')
    await order.news('returned')
    await order.untilClosed('returned')
    expect(await order.tasks()).toEqual(['return.receive'])
    expect(await world.stock(sku)).toEqual({ onHand: 4, held: 0, available: 4 })
    const run = await runOf(order)
    expect(await order.ask('restocked')).toEqual({ state: 'done', answer: 'on sale again' })
    await order.ask('restocked')
    expect([await runOf(order), run], 'no workflow is started only to answer').toEqual([run, expect.any(String)])
    expect(await world.stock(sku)).toEqual({ onHand: 5, held: 0, available: 5 })
    expect(await order.tasks()).toEqual([])
    expect((await order.payment()).state).toBe('due')
  })

  it.each([
    ['lost', 'parcel.lost'],
    ['problem', 'parcel.problem'],
    ['unknown', 'parcel.unknown'],
  ] as const)('of a parcel (%s) becomes a task, and the parcel may still be delivered', async (meaning, kind) => {
    const { order } = await packedOrder()
    await order.untilBooked()
    await order.news(meaning)
    expect(await order.tasks()).toEqual([kind])
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await order.tasks(), 'a person still looks at it').toEqual([kind])
    expect((await order.ask('skip')).state).toBe('done')
    expect(await order.tasks()).toEqual([])
  })

  it('out of order and twice changes nothing that is further already', async () => {
    const { order, sku } = await packedOrder()
    await order.untilBooked()
    await order.news('delivered', { inboxId: 90_001, eventAt: '2026-11-25T10:00:00Z' })
    await order.untilClosed('delivered')
    await order.news('shipped', { inboxId: 90_002, eventAt: '2026-11-24T10:00:00Z' })
    await order.news('outForDelivery', { inboxId: 90_003, eventAt: '2026-11-25T09:00:00Z' })
    await order.news('delivered', { inboxId: 90_001, eventAt: '2026-11-25T10:00:00Z' })
    await order.news('delivered', { inboxId: 90_004, eventAt: '2026-11-25T10:00:00Z' })
    expect(await order.phase()).toBe('delivered')
    expect(await world.stock(sku)).toEqual({ onHand: 4, held: 0, available: 4 })
    const parcel = await world.runtime.pool.query('select state, last_status from parcels where order_id = $1', [order.id])
    expect(parcel.rows).toEqual([{ state: 'delivered', last_status: 'delivered' }])
    expect((await order.notices()).filter((template) => template === 'delivered')).toHaveLength(1)
  })

  it('that asks for nothing does not wake the workflow', async () => {
    const { order } = await packedOrder()
    await order.untilBooked()
    await order.idle()
    const before = (await order.history()).events?.length
    await order.news('shipped')
    await order.news('inTransit')
    await order.news('outForDelivery')
    await order.news('attemptFailed')
    expect((await order.history()).events?.length).toBe(before)
    await order.news('delivered')
    await order.untilClosed('delivered')
  })

  it('that does not come becomes a task, closed by the next news', async () => {
    const { order } = await packedOrder()
    await order.untilBooked()
    await order.news('shipped')
    await world.sweep()
    expect(await order.tasks()).toEqual([])
    await world.runtime.pool.query(`update parcels set news_due_at = now() - interval '1 second' where order_id = $1`, [order.id])
    await world.sweep()
    await world.sweep()
    expect(await order.tasks()).toEqual(['parcel.stuck'])
    await order.news('inTransit')
    expect(await order.tasks()).toEqual([])
    await order.news('delivered')
    await order.untilClosed('delivered')
  })

  it('from the warehouse that it left counts as shipped', async () => {
    const { order, sku } = await packedOrder()
    await order.untilBooked()
    await order.advise('shipped')
    expect(await order.phase()).toBe('shipped')
    expect(await world.stock(sku)).toEqual({ onHand: 4, held: 0, available: 4 })
    await order.news('shipped')
    await order.news('delivered')
    await order.untilClosed('delivered')
    expect(await world.stock(sku)).toEqual({ onHand: 4, held: 0, available: 4 })
  })

  it('of a waybill that was cancelled: a person is told that it is on its way', async () => {
    const { order } = await packedOrder()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    await order.news('shipped')
    expect(await order.tasks()).toEqual(['parcel.shipped', 'refund.byHand'])
    expect(await order.phase()).toBe('cancelled')
  })
})
