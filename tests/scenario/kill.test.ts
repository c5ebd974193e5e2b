import { describe, expect, it } from 'vitest'
import { endState, type EndState } from './killDump.ts'
import { leftOnHand, ORDERS, valueMinor } from './killOrders.ts'
import { killWorld, settled, type KillWorld } from './killWorld.ts'

/** Placed before the kill; the others come while it happens. */
const FIRST = ORDERS.slice(0, 30)
const REST = ORDERS.slice(30)

let calm: Promise<EndState> | undefined
/** The end of the same day without a kill. */
const calmEnd = (): Promise<EndState> => (calm ??= day({}, async () => undefined))

/** Fifty orders; `disaster` strikes when at least 15 parcels are booked and at least 20 orders have not even been placed. */
async function day(options: { workers?: number }, disaster: (world: KillWorld) => Promise<void>): Promise<EndState> {
  const world = await killWorld(options)
  try {
    const first = world.placeAll(FIRST, 6)
    await world.until('15 parcels are booked', async () => (await world.booked()) >= 15)
    const rest = world.placeAll(REST, 6)
    await disaster(world)
    await Promise.all([first, rest])
    return await goodEnd(world)
  } finally {
    await world.stop()
  }
}

async function goodEnd(world: KillWorld): Promise<EndState> {
  await world
    .until('every order is closed and everybody told', () => settled(world))
    .catch(async (error: Error) => {
      const left = await world.pool
        .query(`select o.id, o.phase, o.news, o.seen_news, o.rung_at, u.state, p.state as parcel from orders o
      left join units u on u.order_id = o.id left join parcels p on p.unit_id = u.id where not o.closed`)
      throw new Error(`${error.message}\n${JSON.stringify(left.rows, null, 1)}`)
    })
  const end = await endState(world.pool)
  expect(end.orders.map(({ externalId, phase }) => `${externalId} ${phase}`)).toEqual(
    ORDERS.map(({ externalId }) => `${externalId} delivered`),
  )
  // What a client was told is there.
  expect(Object.fromEntries(end.orders.map(({ externalId, id }) => [externalId, id]))).toEqual(Object.fromEntries(world.told))
  expect((await world.send('GET', `/api/v1/orders/${world.told.get('K-0001')}`)).body.phase).toBe('delivered')
  // One parcel a unit at the courier, and no other; it collects what is due.
  const atCourier = world.ecpay
    .parcels()
    .map(({ merchantTradeNo, request }) => [
      merchantTradeNo,
      request.IsCollection === 'Y' ? Number(request.CollectionAmount ?? request.GoodsAmount) * 100 : 0,
    ])
  expect(Object.fromEntries(atCourier)).toEqual(
    Object.fromEntries(end.orders.flatMap(({ parcels }) => parcels.map((parcel) => [parcel.reference, parcel.due]))),
  )
  expect(atCourier).toHaveLength(ORDERS.length)
  expect(end.orders.map(({ parcels }) => parcels.map((parcel) => parcel.onLabel))).toEqual(
    ORDERS.map((order) => [order.cod ? valueMinor(order) : 0]),
  )
  expect(
    Object.fromEntries(end.stock.filter(({ location }) => location === 'wh-north').map(({ sku, onHand }) => [sku, onHand])),
  ).toEqual(leftOnHand())
  expect(end.holds).toBe(0)
  expect(end.tasks).toEqual([])
  // The warehouse packed every order once and has every label.
  expect(world.wms.problems()).toEqual([])
  expect(world.wms.units()).toHaveLength(ORDERS.length)
  await world.until(
    'no workflow runs on',
    async () => {
      for await (const _ of world.temporal.workflow.list({ query: `ExecutionStatus = 'Running' AND WorkflowType = 'order'` }))
        return false
      return true
    },
    20_000,
  )
  expect((await world.audit()).violations).toEqual([])
  expect([world.server, ...world.workers].map((part) => part.crashed()).filter((how) => how !== null)).toEqual([])
  return end
}

describe('fifty orders, and in their middle', () => {
  it('nothing happens', async () => {
    expect((await calmEnd()).orders).toHaveLength(50)
  })

  it('the worker is killed: the same end', async () => {
    const end = await day({}, async ({ workers: [worker] }) => {
      await worker?.kill9()
      await worker?.start()
    })
    expect(end).toEqual(await calmEnd())
  })

  it('one of two workers is killed and never comes back: the other brings everything to the same end', async () => {
    const end = await day({ workers: 2 }, async ({ workers: [worker] }) => {
      await worker?.kill9()
    })
    expect(end).toEqual(await calmEnd())
  })

  it('Temporal is killed: orders are taken in meanwhile, and it is the same end', async () => {
    const end = await day({}, async (world) => {
      await world.engine.kill9()
      const before = world.told.size
      await world.until('five orders were taken in without it', async () => world.told.size >= before + 5)
      await world.engine.start()
    })
    expect(end).toEqual(await calmEnd())
  })

  it("Temporal's database is deleted: the orders go on from PostgreSQL to the same end", async () => {
    const end = await day({}, async (world) => {
      await world.engine.kill9()
      world.engine.deleteDatabase()
      await world.engine.start()
    })
    expect(end).toEqual(await calmEnd())
  })

  it('PostgreSQL is killed: nobody is told that an order was taken, and it is the same end', async () => {
    const end = await day({}, async (world) => {
      await world.postgres.kill9()
      await world.until('the server says so', async () => (await world.statusOf('/readyz')) === 503)
      await world.postgres.start()
    })
    expect(end).toEqual(await calmEnd())
  })

  it('everything is killed at once and Temporal forgets everything: the same end', async () => {
    const end = await day({ workers: 2 }, async ({ server, workers, engine, postgres }) => {
      await Promise.all([postgres, engine, server, ...workers].map((part) => part.kill9()))
      engine.deleteDatabase()
      await Promise.all([postgres.start(), engine.start()])
      await Promise.all([server, ...workers].map((part) => part.start()))
    })
    expect(end).toEqual(await calmEnd())
  })
})

describe('while fifty orders are placed', () => {
  it('the HTTP server is killed twice: who got an answer finds the order, who got none sends again, and each is one order', async () => {
    const world = await killWorld()
    try {
      const placing = world.placeAll(ORDERS, 8)
      for (const answers of [8, 24]) {
        await world.until(`${answers} clients have an answer`, async () => world.told.size >= answers)
        expect(world.told.size).toBeLessThan(ORDERS.length - 8)
        await world.server.kill9()
        await world.until('a client was left without an answer', async () => world.unanswered() > 0)
        await world.server.start()
      }
      await placing
      expect(await goodEnd(world)).toEqual(await calmEnd())
    } finally {
      await world.stop()
    }
  })
})
