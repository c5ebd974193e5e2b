/**
 * Random sequences of what can happen to orders, against the real steps on a real database: after each of them everything that must
 * always be true is true. A failure prints the shortest sequence that fast-check finds, and its seed.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { audit } from '../../store/audit.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { addBench } from '../model/bench.ts'
import { anyEvents, anyKinds } from '../model/events.ts'
import { OrderWorld } from '../model/orderWorld.ts'
import { startSpine, type Spine } from './spineFixture.ts'

/** The same few each time; more of them, or others, find more (CONTRIBUTING.md). */
const numRuns = Number(process.env['OMNISAGA_MODEL_RUNS'] ?? 8)
const seed = Number(process.env['OMNISAGA_MODEL_SEED'] ?? 4)

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
  await addBench(spine)
  await spine.db.pool.query(`update connections set sides = array_append(sides, 'refund') where name = 'store-taipei'`)
})
afterAll(() => spine?.stop())

test(
  'whatever happens to orders, in whatever order, everything that must be true stays true',
  async () => {
    await fc.assert(
      fc.asyncProperty(anyKinds, fc.nat({ max: 6 }), anyEvents, async (kinds, onward, events) => {
        const world = await OrderWorld.begin(spine, kinds, onward)
        await fc.asyncModelRun(() => ({ model: {}, real: world }), events)
        await world.finish()
        expect(await world.faults(), 'at rest').toEqual([])
        expect((await audit(spine.runtime.pool)).violations).toEqual([])
      }),
      {
        numRuns,
        seed,
        interruptAfterTimeLimit: Math.max(60_000, numRuns * 5_000),
      },
    )
  },
  Math.max(120_000, numRuns * 8_000),
)

test('a booking that the courier entered late is known here, though it called the second try invalid', async () => {
  const world = await OrderWorld.begin(spine, ['prepaid'])
  await world.happen({ is: 'booking', fate: 'late' })
  await world.happen({ is: 'booking', fate: 'invalid' })
  await world.happen({ is: 'onward', order: 0 })
  await world.happen({ is: 'onward', order: 0 })
  await world.happen({ is: 'rest', order: 0 })
  expect([...world.courier.booked.values()].filter(({ cancelled }) => !cancelled)).toHaveLength(1)
  expect(await world.faults()).toEqual([])
})

test('what a warehouse gives back unasked is planned once more, not held and planned a second time', async () => {
  for (const kind of ['tryOn', 'prepaid'] as const) {
    const world = await OrderWorld.begin(spine, [kind])
    const { orderId } = world.players[0] ?? { orderId: '' }
    const unitsOf = async () => (await readOrder(spine.runtime.pool, orderId)).units
    for (let taken = 0; taken < 6 && (await unitsOf())[0]?.state !== 'handedOver'; taken++)
      await world.happen({ is: 'onward', order: 0 })
    await world.happen({ is: 'advice', order: 0, unit: 0, status: 'cancelled', short: 0 })
    await world.finish()
    const units = await unitsOf()
    expect(units.map(({ state }) => state)).toEqual(['cancelled', 'ready'])
    expect(units[1]?.lines.map(({ quantity }) => quantity)).toEqual(units[0]?.lines.map(({ quantity }) => quantity))
    expect(await world.faults()).toEqual([])
  }
})

test('a refund that its till refuses while the worker dies is a task, not nobody’s', async () => {
  for (let after = 3; after < 8; after++) {
    const world = await OrderWorld.begin(spine, ['tryOnPaid'])
    for (let taken = 0; taken < 3; taken++) await world.happen({ is: 'onward', order: 0 })
    await world.happen({ is: 'payBack', fate: 'refuse', twice: false, after })
    expect(await world.faults(), `died after ${after} words`).toEqual([])
  }
})

test('a worker that dies while it routes a try-on leaves its goods held once, not at the store and at the warehouse', async () => {
  for (let after = 3; after < 10; after++) {
    const world = await OrderWorld.begin(spine, ['tryOn'])
    for (const is of ['onward', 'onward'] as const) await world.happen({ is, order: 0 })
    for (const verb of ['arrived', 'decide', 'confirm'] as const)
      await world.happen({
        is: 'verb',
        order: 0,
        verb,
        unheard: true,
        ...(verb === 'decide' ? { detail: { keep: { 1: 1, 2: 2 } } } : {}),
      })
    await world.obeyAll()
    for (let taken = 0; taken < 3; taken++) {
      await world.happen({ is: 'die', order: 0, after })
      expect(await world.faults(), `died after ${after} words`).toEqual([])
    }
    await world.finish()
    expect(await world.faults(), 'at rest').toEqual([])
  }
})
