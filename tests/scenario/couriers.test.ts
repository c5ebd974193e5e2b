/** A courier as it is: it refuses, hangs, loses answers, reports twice and in any order, and is configured wrongly. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pauseConnection } from '../../store/connections.ts'
import { atEcpay, bookedOnce, configureEcpay, parcelOf, place, placeCod, toSevenEleven } from './courierViews.ts'
import { openTasks, show, untilBooked, untilShown, untilTask } from './marketplaceViews.ts'
import { startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ policy: { bookingRetryMs: [200], courierRetryMs: 500 } })
})
afterAll(() => world?.stop())
beforeEach(async () => {
  world.ecpay.faults.clear()
  await configureEcpay(world)
})

const records = async (reference: string) => {
  const { rows } = await world.runtime.pool.query<{ state: string; code: string }>(
    `select state, payload->>'RtnCode' as code from inbox where kind = 'courierStatus' and payload->>'MerchantTradeNo' = $1 order by id`,
    [reference],
  )
  return rows
}
const untilMapped = (reference: string, count: number) =>
  world.until(`${count} reports are mapped`, async () => {
    const found = await records(reference)
    return found.length === count && found.every((record) => record.state === 'mapped')
  })

describe('what ECPay reports', () => {
  it('a forged report is refused and changes nothing', async () => {
    const id = await place(world)
    const { parcels } = await untilBooked(world, id)
    const reference = parcels[0]?.reference ?? ''
    await world.ecpay.forge(reference, '3003')
    expect(world.ecpay.callbacks().filter((entry) => entry.forged && entry.merchantTradeNo === reference)).toMatchObject([
      { status: 401 },
    ])
    expect(await records(reference)).toEqual([])
    expect(await show(world, id)).toMatchObject({ phase: 'packed', parcels: [{ state: 'booked', events: [] }] })
  })

  it('reports that come twice and out of order end where the parcel is', async () => {
    const before = await world.stock('TEE-S')
    const id = await place(world)
    const { parcels } = await untilBooked(world, id)
    const reference = parcels[0]?.reference ?? ''
    await world.ecpay.advance(reference, { to: 'delivered', twice: true, shuffle: true })
    await untilShown(world, 'is closed', id, (order) => order.closed && order.phase === 'delivered')
    await untilMapped(reference, 4)
    expect((await world.stock('TEE-S')).onHand).toBe(before.onHand - 1)
    expect((await parcelOf(world, id)).lastStatus).toBe('3003')
  })

  it('a code that nobody knows is kept and shown to a person, and the parcel goes on', async () => {
    const id = await place(world)
    const { parcels } = await untilBooked(world, id)
    const reference = parcels[0]?.reference ?? ''
    await world.ecpay.advance(reference, { code: '98765' })
    const task = await untilTask(world, { orderId: id, kind: 'parcel.unknown' })
    expect(task.title).toContain('98765')
    expect((await parcelOf(world, id)).events).toMatchObject([{ code: '98765', meaning: 'unknown' }])
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
  })

  it('a report that comes before the answer to the booking waits for it, and nothing of the booking is lost', async () => {
    // Home delivery with collection: the label's amount comes with the booking, not with the report.
    world.ecpay.faults.add({ kind: 'silentSuccess', path: '/Express/Create' })
    const id = await placeCod(world)
    await untilShown(world, 'is sent', id, (order) => order.parcels[0]?.state === 'sent')
    await world.until('ECPay has it', async () => (await atEcpay(world, id)).length === 1)
    const { reference } = await parcelOf(world, id)
    await world.ecpay.advance(reference, { to: 'shipped' })
    expect((await parcelOf(world, id)).state).toBe('sent')
    const order = await untilShown(world, 'has left', id, (shown) => shown.parcels[0]?.state === 'shipped')
    expect(order.parcels[0]).toMatchObject({ amountDueMinor: 59_000, labelAmountMinor: 59_000 })
    expect(order.parcels[0]?.waybill).toMatch(/^9000/)
    expect(order.owed.map((owed) => owed.kind)).toContain('label')
    await bookedOnce(world, id)
    await untilMapped(reference, 2)
  })
})

describe('booking', () => {
  it('a refusal is tried once more', async () => {
    world.ecpay.faults.add({ kind: 'refuse', path: '/Express/Create', message: '系統忙碌' })
    const id = await place(world)
    const order = await untilBooked(world, id)
    expect(order.parcels.map((parcel) => parcel.state)).toEqual(['refused', 'booked'])
    await bookedOnce(world, id)
  })

  it.each([
    ['a server error', 'serverError'],
    ['a call that hangs', 'hang'],
    ['work done, then a broken connection', 'lostAnswer'],
    ['work done, then no answer', 'silentSuccess'],
    ['work done, then a server error', 'crashAfter'],
  ] as const)('%s: looked up before anything is sent again, booked once', async (_name, kind) => {
    world.ecpay.faults.add({ kind, path: '/Express/Create' })
    const id = await place(world)
    const order = await untilBooked(world, id)
    expect(order.parcels).toHaveLength(1)
    await bookedOnce(world, id)
    expect((await atEcpay(world, id))[0]?.bookingNote).toBe(order.parcels[0]?.waybill)
  })

  it('collects at 7-ELEVEN exactly what is due, on the label as well', async () => {
    const id = await placeCod(world, { ...toSevenEleven({ method: 'cod' }), totals: { shippingMinor: 6_000 } })
    const order = await untilBooked(world, id)
    expect(order.parcels[0]).toMatchObject({ service: 'UNIMART', amountDueMinor: 65_000, labelAmountMinor: 65_000 })
    expect((await atEcpay(world, id))[0]?.request).toMatchObject({
      IsCollection: 'Y',
      CollectionAmount: '650',
      GoodsAmount: '650',
      ReceiverStoreID: '991182',
    })
    const unit = order.units[0]?.id
    await world.until(
      'the warehouse has the label',
      async () => world.wms.units().find((one) => one.unitId === unit)?.amountDueMinor === 65_000,
    )
    await world.ecpay.advance(order.parcels[0]?.reference ?? '', { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    expect((await show(world, id)).payment.state).toBe('collected')
  })
})

describe('a connection that cannot or must not be used', () => {
  it('with a wrong key is stopped, one task tells the engineer, and the right one lets all orders go on', async () => {
    await configureEcpay(world, { hashKey: 'thisIsNotTheKey0' })
    const ids = [await place(world), await place(world), await place(world)]
    const task = await untilTask(world, { connection: 'ecpay', kind: 'connection.stopped' })
    expect(task.remedy).toMatch(/hashKey.*apply/)
    for (const id of ids)
      await untilShown(world, 'is packed', id, (order) => order.phase === 'packed' && order.parcels.length === 1)
    // Nobody is told three times of one cause.
    expect((await openTasks(world)).filter((open) => open.id >= task.id)).toHaveLength(1)
    expect((await world.audit()).violations).toEqual([])
    await configureEcpay(world)
    for (const id of ids) {
      await untilBooked(world, id)
      await bookedOnce(world, id)
    }
    expect(await openTasks(world, { connection: 'ecpay', kind: 'connection.stopped' })).toEqual([])
  })

  it('stopped while parcels are under way, it still takes in what is reported', async () => {
    const id = await place(world)
    const order = await untilBooked(world, id)
    await configureEcpay(world, { hashKey: 'thisIsNotTheKey0' })
    const waiting = await place(world)
    await untilTask(world, { connection: 'ecpay', kind: 'connection.stopped' })
    // The right keys again, but stopped for another reason.
    await configureEcpay(world)
    await world.runtime.pool.query(`update connection_state set stopped_reason = 'by the test' where connection = 'ecpay'`)
    await world.ecpay.advance(order.parcels[0]?.reference ?? '', { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    await configureEcpay(world)
    await untilBooked(world, waiting)
    expect(await openTasks(world, { kind: 'inbox.unmappable' })).toEqual([])
  })

  it('paused holds its parcels and its facts without a violation, and goes on by itself', async () => {
    await pauseConnection(world.runtime.pool, 'ecpay')
    const id = await place(world)
    await untilShown(world, 'is packed', id, (order) => order.phase === 'packed' && order.parcels.length === 1)
    expect(await atEcpay(world, id)).toEqual([])
    await pauseConnection(world.runtime.pool, 'warehouse')
    await pauseConnection(world.runtime.pool, 'ecpay', false)
    const order = await untilBooked(world, id)
    expect(order.owed).toMatchObject([{ kind: 'label', state: 'due', attempts: 0 }])
    expect(await openTasks(world, { orderId: id })).toEqual([])
    expect((await world.audit()).violations).toEqual([])
    await pauseConnection(world.runtime.pool, 'warehouse', false)
    await untilShown(world, 'has its label', id, (shown) => shown.owed.every((owed) => owed.state === 'done'))
  })
})

it('and nothing is held, booked or counted wrongly in the end', async () => {
  expect((await world.audit()).violations).toEqual([])
})
