import { describe, expect, it } from 'vitest'
import { minutes, useSagaWorld, type SagaOrder } from './sagaWorld.ts'

const world = useSagaWorld()
const finish = async (order: SagaOrder) => {
  if ((await order.units())[0]?.state === 'ready') await order.wave()
  await order.advise('packed')
  await order.untilBooked()
  await order.news('delivered')
  await order.untilClosed('delivered')
}
const runs = async (order: SagaOrder) => (await order.history()).events?.length ?? 0

describe('started again', () => {
  it('twice: a workflow that runs is left alone', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.idle()
    const before = await runs(order)
    await order.start()
    await order.start()
    expect(await runs(order)).toBe(before)
    expect((await world.stock(sku)).held).toBe(1)
    await order.ask('cancel')
    await order.untilClosed('cancelled')
  })

  it('on a finished order: it does nothing', async () => {
    const sku = await world.sku({ north: 3 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.wave()
    await finish(order)
    const [stock, notices, calls] = [await world.stock(sku), await order.notices(), world.courier.calls.length]
    await order.start()
    await order.untilClosed('delivered')
    expect([await world.stock(sku), await order.notices(), world.courier.calls.length]).toEqual([stock, notices, calls])
  })

  /** How an order is brought to a stage, and how it goes on from there. */
  const stages: [string, () => Promise<SagaOrder>, (order: SagaOrder) => Promise<void>][] = [
    [
      'while it is blocked',
      async () => {
        const order = await world.order({ lines: [['UNKNOWN-STILL', 1]] })
        await order.untilPhase('blocked')
        return order
      },
      async (order) => {
        await order.ask('change', { skus: { 1: await world.sku({ north: 1 }) } })
        await order.wave()
      },
    ],
    [
      'while it waits for stock',
      async () => {
        const order = await world.order({ lines: [[await world.sku({}), 1]] })
        await order.untilPhase('waitingStock')
        return order
      },
      async (order) => {
        const { rows } = await world.runtime.pool.query<{ sku: string }>('select sku from order_lines where order_id = $1', [
          order.id,
        ])
        await world.receive(rows[0]?.sku ?? '', 'wh-north', 1)
        await order.ask('retry')
        await order.wave()
      },
    ],
    [
      'while it is being confirmed',
      async () => {
        const order = await world.order({ lines: [[await world.sku({ north: 1 }), 1]], payment: 'cod' })
        await order.untilPhase('confirming')
        return order
      },
      async (order) => {
        await order.ask('confirm')
        await order.wave()
      },
    ],
    [
      'before the wave',
      async () => {
        const order = await world.order({ lines: [[await world.sku({ north: 1 }), 1]] })
        await world.until('it is ready', async () => (await order.units())[0]?.state === 'ready')
        return order
      },
      (order) => order.wave(),
    ],
    [
      'at the warehouse',
      async () => {
        const order = await world.order({ lines: [[await world.sku({ north: 1 }), 1]] })
        await order.wave()
        return order
      },
      () => Promise.resolve(),
    ],
    [
      'while a refused booking waits',
      async () => {
        world.courier.plan.book = ['refuse']
        const order = await world.order({ lines: [[await world.sku({ north: 1 }), 1]] })
        await order.pickAndPack()
        await world.until('it is refused', async () => (await order.parcels())[0]?.state === 'refused')
        return order
      },
      async (order) => {
        await order.idle()
        await world.skip(minutes(2))
      },
    ],
    [
      'after the booking',
      async () => {
        const order = await world.order({ lines: [[await world.sku({ north: 1 }), 1]] })
        await order.pickAndPack()
        await order.untilBooked()
        return order
      },
      () => Promise.resolve(),
    ],
  ]
  it.each(stages)(
    'after the engine lost it %s: it goes on from PostgreSQL, and nothing is booked twice',
    async (_when, bring, goOn) => {
      const order = await bring()
      await order.idle()
      await order.terminate()
      await order.start()
      await order.idle()
      await goOn(order)
      await finish(order)
      expect((await order.parcels()).filter((parcel) => world.courier.booked.has(parcel.reference))).toHaveLength(1)
      expect(await order.tasks()).toEqual([])
      const { rows } = await world.runtime.pool.query<{ sku: string }>('select sku from order_lines where order_id = $1', [
        order.id,
      ])
      expect(await world.stock(rows[0]?.sku ?? '')).toEqual({ onHand: 0, held: 0, available: 0 })
    },
  )

  it('while the courier is being asked: the number that was sent is looked up, and the parcel is booked once', async () => {
    const sku = await world.sku({ north: 1 })
    const held = world.courier.hold()
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await held.came
    await order.terminate()
    await order.start()
    await order.untilBooked()
    // The old call is refused as a duplicate only now: what stands is not undone by it.
    held.release()
    await world.until('it is looked up', () =>
      Promise.resolve(world.courier.calls.filter((call) => call.call === 'lookUp').length === 2),
    )
    await order.idle()
    expect(world.courier.calls.map((call) => call.call)).toEqual(['book', 'lookUp', 'book', 'lookUp'])
    expect((await order.parcels()).map((parcel) => parcel.state)).toEqual(['booked'])
    expect(
      [...world.courier.booked.values()].filter((booking) => booking.request.reference === world.courier.calls[0]?.reference),
    ).toHaveLength(1)
    await order.news('delivered')
    await order.untilClosed('delivered')
  })

  it('and cancelled while the courier is still being asked: the late booking becomes a task', async () => {
    const sku = await world.sku({ north: 1 })
    world.courier.plan.book = ['down']
    const held = world.courier.hold()
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await held.came
    await order.terminate()
    await order.leave('cancel')
    await order.start()
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    world.courier.plan.book = ['ok']
    held.release()
    await order.untilTask('booking.cancel')
    expect((await order.parcels()).map((parcel) => parcel.state)).toEqual(['void'])
    expect(await order.phase()).toBe('cancelled')
  })

  it('while it is being undone: the undoing goes on', async () => {
    const sku = await world.sku({ north: 1 })
    const order = await world.order({ lines: [[sku, 1]] })
    await order.pickAndPack()
    await order.untilBooked()
    await order.ask('cancel')
    await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
    await order.terminate()
    await order.advise('cancelled')
    await order.untilClosed('cancelled')
    expect((await order.parcels()).map((parcel) => parcel.state)).toEqual(['void'])
    expect(await world.stock(sku)).toEqual({ onHand: 1, held: 0, available: 1 })
  })
})

describe('a command', () => {
  it('given while the workflow is gone is obeyed once the sweep has rung', async () => {
    const sku = await world.sku({ north: 1 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.terminate()
    await order.leave('confirm')
    await world.runtime.pool.query(`update orders set updated_at = now() - interval '1 minute' where id = $1`, [order.id])
    await world.sweep()
    await order.wave()
    await finish(order)
  })

  it('given as a row alone is obeyed at the next ring', async () => {
    const sku = await world.sku({ north: 1 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.leave('cancel')
    await order.ring()
    await order.untilClosed('cancelled')
  })

  it('and several at once are obeyed in the order in which they were asked', async () => {
    const sku = await world.sku({ north: 1 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    await order.leave('confirm')
    await order.leave('change', { notes: 'after six' })
    await order.leave('cancel')
    await order.leave('confirm')
    await order.ring()
    await order.untilClosed('cancelled')
    const { rows } = await world.runtime.pool.query('select verb, state from commands where order_id = $1 order by serial', [
      order.id,
    ])
    expect(rows).toEqual([
      { verb: 'confirm', state: 'done' },
      { verb: 'change', state: 'done' },
      { verb: 'cancel', state: 'done' },
      { verb: 'confirm', state: 'done' },
    ])
  })

  it('by many people at the same moment is answered for each of them', async () => {
    const sku = await world.sku({ north: 1 })
    const order = await world.order({ lines: [[sku, 1]], payment: 'cod' })
    await order.untilPhase('confirming')
    const answers = await Promise.all([order.ask('confirm'), order.ask('confirm'), order.ask('confirm'), order.ask('confirm')])
    expect(answers.every((answer) => answer.state === 'done')).toBe(true)
    await order.wave()
    await finish(order)
  })
})
