import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOrderSteps } from '../../activities/order/steps.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { ringForStock } from '../../activities/sweep.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { lines, startSpine, type Spine } from './spineFixture.ts'

/** What was scheduled for the old course runs after a command has turned it: the step finds itself unwanted. */
describe('a step that comes after a command', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())

  it('reserve holds nothing for goods that a change has put back to the check', async () => {
    const id = await spine.place()
    await spine.steps.check(id)
    await spine.command(id, 'change', { lines: [{ ...lines(['TEE-S', 1])[0], sku: null, externalSku: 'nobody knows it' }] })
    await spine.steps.reserve(id)
    expect((await spine.order(id)).is('reserved')).toBe(false)
    expect(await spine.held(id)).toBe(0)
  })

  it('askConfirmation confirms nothing that is not held any more', async () => {
    const id = await spine.place()
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await spine.command(id, 'change', { lines: lines(['TEE-M', 1]) })
    await spine.steps.askConfirmation(id)
    expect((await spine.order(id)).is('confirmed')).toBe(false)
  })

  it('route plans no units for an order whose goods were changed', async () => {
    const id = await spine.place()
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await spine.steps.askConfirmation(id)
    await spine.command(id, 'change', { lines: lines(['TEE-M', 1]) })
    await spine.steps.route(id)
    expect((await spine.order(id)).is('routed')).toBe(false)
  })

  it('handOver hands over nothing of an order whose cancellation was promised', async () => {
    const id = await spine.place({ delivery: { method: 'handOver', location: 'shop' } })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await spine.steps.askConfirmation(id)
    await spine.steps.route(id)
    const [unit] = (await spine.order(id)).units
    expect(await spine.command(id, 'cancel')).toMatchObject({ state: 'done' })
    await spine.steps.handOver(id, unit?.id ?? '')
    expect((await spine.order(id)).lines[0]).toMatchObject({ shipped: 0, delivered: 0 })
    await spine.steps.recall(id)
    await spine.steps.releaseAll(id)
    expect(await spine.order(id)).toMatchObject({ phase: 'cancelled' })
    expect(await spine.held(id)).toBe(0)
  })

  it('reRoute adds no units to an order that begins anew', async () => {
    const id = await spine.place({ lines: lines(['TEE-M', 2]) })
    await spine.untilRouted(id)
    await spine.command(id, 'change', { lines: lines(['TEE-M', 3]) })
    await spine.steps.reRoute(id)
    expect((await spine.order(id)).units.map(({ state }) => state)).toEqual(['cancelled'])
    expect(await spine.held(id)).toBe(0)
  })

  it('recall recalls nothing of an order that was let go, and a second cancellation is told to the warehouse again', async () => {
    const id = await spine.place()
    await spine.untilRouted(id)
    await spine.handOver(id)
    await spine.command(id, 'cancel')
    await spine.steps.recall(id)
    await spine.command(id, 'letGo')
    await spine.steps.recall(id)
    expect((await spine.order(id)).units[0]?.state).toBe('handedOver')
    await spine.command(id, 'cancel')
    await spine.steps.recall(id)
    await spine.steps.recall(id)
    expect((await spine.order(id)).units[0]?.state).toBe('recalling')
    const owed = await spine.db.pool.query(`select 1 from outbox where order_id = $1 and kind = 'recall'`, [id])
    expect(owed.rowCount).toBe(2)
  })
})

describe('the same step twice at once', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())

  it('reserve holds what is ordered once, and one unit carries it', async () => {
    for (let round = 0; round < 10; round++) {
      const id = await spine.place({ lines: lines(['TEE-S', 1], ['TEE-M', 1]) })
      await spine.steps.check(id)
      await Promise.all([spine.steps.reserve(id), spine.steps.reserve(id), spine.steps.reserve(id)])
      expect(await spine.held(id)).toBe(2)
    }
  })

  it('route plans each piece once', async () => {
    const id = await spine.place({ kind: 'tryOn', delivery: { method: 'home', location: 'shop' }, lines: lines(['TEE-S', 1]) })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await spine.steps.holdForTryOn(id)
    await spine.command(id, 'decide', { keep: { 1: 1 } })
    await spine.steps.askConfirmation(id)
    await Promise.all([spine.steps.route(id), spine.steps.route(id)])
    expect((await spine.order(id)).units.flatMap((unit) => unit.lines.map((line) => line.quantity))).toEqual([1])
    expect(await spine.held(id)).toBe(1)
  })
})

describe('a hold that ran out', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())
  const expire = (id: string) =>
    spine.db.pool.query(`update holds set expires_at = now() - interval '1 second' where order_id = $1`, [id])

  it('of a line that is no longer wanted does not stop the confirmation', async () => {
    const id = await spine.place({
      kind: 'tryOn',
      delivery: { method: 'home', location: 'shop' },
      lines: lines(['TEE-S', 1], ['TEE-M', 1]),
    })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await spine.steps.holdForTryOn(id)
    await spine.db.pool.query(`update holds set expires_at = now() - interval '1 second' where order_id = $1 and line_id = '2'`, [
      id,
    ])
    await spine.command(id, 'decide', { keep: { 1: 1 } })
    await spine.steps.askConfirmation(id)
    expect(await spine.order(id)).toMatchObject({ phase: 'confirmed' })
  })

  it('of a line that a change took away does not stop the confirmation', async () => {
    const id = await spine.place({ payment: { method: 'cod', state: 'pending', amountDueMinor: 20_000 } })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await expire(id)
    await spine.command(id, 'change', { lines: [{ ...lines(['TEE-M', 2])[0], lineId: 'other' }] })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    expect(await spine.command(id, 'confirm')).toMatchObject({ state: 'done' })
    expect((await spine.order(id)).is('reserved')).toBe(true)
  })

  it('is won again before a confirmed order goes on', async () => {
    const id = await spine.place({ payment: { method: 'cod', state: 'pending', amountDueMinor: 20_000 } })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await expire(id)
    await spine.command(id, 'confirm')
    expect((await spine.order(id)).is('reserved')).toBe(false)
    await spine.steps.reserve(id)
    await spine.steps.route(id)
    expect((await spine.order(id)).units).toHaveLength(1)
    expect(await spine.held(id)).toBe(2)
  })
})

describe('what was tried on in a store and goes home by courier', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())

  /** Kept, confirmed, and the worker dies once it knows from where its goods shall leave. */
  async function diedWhileMoving(): Promise<string> {
    const id = await spine.place({ kind: 'tryOn', lines: lines(['TEE-S', 2]), delivery: { location: 'shop' } })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await spine.steps.holdForTryOn(id)
    await spine.command(id, 'arrived')
    await spine.command(id, 'decide', { keep: { '1': 2 } })
    await spine.steps.askConfirmation(id)
    const { pool } = spine.runtime
    const dying = { query: pool.query.bind(pool), connect: () => Promise.reject(new Error('died')) } as unknown as Runtime['pool']
    await expect(createOrderSteps({ ...spine.runtime, pool: dying }).route(id)).rejects.toThrow('died')
    expect(await holds(id)).toEqual([{ location: 'shop', quantity: 2 }])
    return id
  }
  const holds = async (id: string) =>
    (await spine.db.pool.query(`select location, quantity from holds where order_id = $1 and state = 'active'`, [id])).rows

  it('is held and planned once, though the worker died half way and the course has turned since', async () => {
    const id = await diedWhileMoving()
    await spine.command(id, 'retry')
    await spine.steps.route(id)
    expect(await holds(id)).toEqual([{ location: 'north', quantity: 2 }])
    expect((await spine.order(id)).units.map((unit) => [unit.location, unit.lines[0]?.quantity])).toEqual([['north', 2]])
  })

  it('is held nowhere when it is given up half way', async () => {
    const id = await diedWhileMoving()
    await spine.command(id, 'cancel')
    await spine.steps.recall(id)
    await spine.steps.releaseAll(id)
    await spine.steps.route(id)
    expect(await holds(id)).toEqual([])
  })
})

describe('an order that waits for stock', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())
  const courseAfterSweep = async (id: string) => {
    await spine.db.pool.query(`update orders set updated_at = now() - interval '1 minute' where id = $1`, [id])
    await ringForStock(spine.runtime).catch(() => undefined) // the engine is away in this test
    return (await spine.order(id)).course
  }
  const short = async (change: Parameters<Spine['place']>[0]) => {
    const id = await spine.place(change)
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    expect((await spine.order(id)).phase).toBe('waitingStock')
    return id
  }

  it('over the counter is not rung for what lies in the warehouse, but for what comes to the store', async () => {
    const id = await short({ kind: 'store', delivery: { method: 'handOver', location: 'shop' }, lines: lines(['TEE-S', 11]) })
    expect(await courseAfterSweep(id)).toBe(0)
    await transaction(spine.db.pool, (tx) =>
      setOnHand(tx, { key: 'more', sku: 'TEE-S', location: 'shop', onHand: 20, reason: 'count' }),
    )
    expect(await courseAfterSweep(id)).toBe(1)
  })

  it('with two lines of one SKU is not rung for each line alone', async () => {
    const id = await short({ lines: lines(['CAP', 30], ['CAP', 30]) })
    expect(await courseAfterSweep(id)).toBe(0)
    await changeOrder(spine.db.pool, id, 'world', () => undefined)
    await spine.command(id, 'cancel')
  })
})
