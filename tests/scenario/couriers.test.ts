import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pauseConnection } from '../../store/connections.ts'
import { apply, openTasks, show, untilBooked, untilShown, untilTask, type OrderShown } from './marketplaceViews.ts'
import { startWorld, storeOrder, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ policy: { bookingRetryMs: [200], courierRetryMs: 500 } })
})
afterAll(() => world?.stop())
beforeEach(async () => {
  world.ecpay.faults.clear()
  await configure()
})

interface Previewed {
  possible: boolean
  asks: string[]
  changes: { of: string; to: string | null }[]
}

const configure = (change: Record<string, unknown> = {}) =>
  apply(world, {
    name: 'ecpay',
    connector: 'ecpay',
    config: {
      merchantId: '2000132',
      hashKey: '5294y06JbISpM5x9',
      hashIv: 'v77hoKGq4kWxNNIS',
      baseUrl: world.ecpay.url,
      serverReplyUrl: `${world.url}/webhooks/ecpay`,
      homeCollection: true,
      // A call that hangs ends soon here; a quota that never waits.
      quota: { timeoutMs: 2_500, perSecond: 500, burst: 100 },
      ...change,
    },
  })

async function place(change: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await world.post('/api/v1/orders', storeOrder(change))
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  return (body as OrderShown).id
}
const cvs = (payment: Record<string, unknown>) => ({
  delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '991182' } },
  payment,
})
const parcelOf = async (id: string) => {
  const parcel = (await show(world, id)).parcels.at(-1)
  if (!parcel) throw new Error(`order ${id} has no parcel`)
  return parcel
}
/** What ECPay has of the order's newest parcel. */
const atEcpay = async (id: string) => {
  const { reference } = await parcelOf(id)
  return world.ecpay.parcels().filter((parcel) => parcel.merchantTradeNo === reference)
}
const bookedOnce = async (id: string) => {
  const references = new Set((await show(world, id)).parcels.map((parcel) => parcel.reference))
  expect(world.ecpay.parcels().filter((parcel) => references.has(parcel.merchantTradeNo))).toHaveLength(1)
}
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
    const id = await place()
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
    const id = await place()
    const { parcels } = await untilBooked(world, id)
    const reference = parcels[0]?.reference ?? ''
    await world.ecpay.advance(reference, { to: 'delivered', twice: true, shuffle: true })
    await untilShown(world, 'is closed', id, (order) => order.closed && order.phase === 'delivered')
    await untilMapped(reference, 4)
    expect((await world.stock('TEE-S')).onHand).toBe(before.onHand - 1)
    expect((await parcelOf(id)).lastStatus).toBe('3003')
  })

  it('a code that nobody knows is kept and shown to a person, and the parcel goes on', async () => {
    const id = await place()
    const { parcels } = await untilBooked(world, id)
    const reference = parcels[0]?.reference ?? ''
    await world.ecpay.advance(reference, { code: '98765' })
    const task = await untilTask(world, { orderId: id, kind: 'parcel.unknown' })
    expect(task.title).toContain('98765')
    expect((await parcelOf(id)).events).toMatchObject([{ code: '98765', meaning: 'unknown' }])
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
  })

  it('a report that comes before the answer to the booking waits for it, and nothing of the booking is lost', async () => {
    // Home delivery with collection: the label's amount comes with the booking, not with the report.
    world.ecpay.faults.add({ kind: 'silentSuccess', path: '/Express/Create' })
    const id = await place({ payment: { method: 'cod' } })
    await world.untilPhase(id, 'confirming')
    await world.post(`/api/v1/orders/${id}/confirm`, {})
    await untilShown(world, 'is sent', id, (order) => order.parcels[0]?.state === 'sent')
    await world.until('ECPay has it', async () => (await atEcpay(id)).length === 1)
    const { reference } = await parcelOf(id)
    await world.ecpay.advance(reference, { to: 'shipped' })
    expect((await parcelOf(id)).state).toBe('sent')
    const order = await untilShown(world, 'has left', id, (shown) => shown.parcels[0]?.state === 'shipped')
    expect(order.parcels[0]).toMatchObject({ amountDueMinor: 59_000, labelAmountMinor: 59_000 })
    expect(order.parcels[0]?.waybill).toMatch(/^9000/)
    expect(order.owed.map((owed) => owed.kind)).toContain('label')
    await bookedOnce(id)
    await untilMapped(reference, 2)
  })

  it('a wrong address: corrected by a person while the courier has it, tried again, refused at the door, on sale again', async () => {
    const id = await place({ payment: { method: 'cod' } })
    await world.untilPhase(id, 'confirming')
    await world.post(`/api/v1/orders/${id}/confirm`, {})
    const reference = (await untilBooked(world, id)).parcels[0]?.reference ?? ''
    await world.ecpay.advance(reference, { to: 'shipped' })
    await world.ecpay.advance(reference, { code: '3008' })
    const task = await untilTask(world, { orderId: id, kind: 'parcel.wrongAddress' })
    const left = (await world.stock('TEE-S')).onHand
    const answer = await world.post(`/api/v1/tasks/${task.id}/change`, { recipient: { address: '台北市信義區市府路46號' } })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    expect((await untilTask(world, { orderId: id, kind: 'parcel.newAddress' })).title).toBe(
      'The courier must be told the right address',
    )
    expect((await openTasks(world, { orderId: id })).map(({ kind }) => kind)).toEqual(['parcel.newAddress'])
    expect((await show(world, id)).recipient.address?.line).toContain('46')
    await world.ecpay.advance(reference, { code: '3006' })
    await world.until('it is settled', async () => (await openTasks(world, { orderId: id })).length === 0)
    for (const code of ['3117', '5004', '5008']) await world.ecpay.advance(reference, { code })
    await world.untilPhase(id, 'returned')
    expect((await untilTask(world, { orderId: id, kind: 'return.receive' })).detail).toContain('the recipient refused it')
    await world.post(`/api/v1/orders/${id}/restocked`, {})
    expect((await world.stock('TEE-S')).onHand).toBe(left + 1)
    expect(await openTasks(world, { orderId: id })).toEqual([])
  })

  it('a parcel that nobody fetched comes back: a person looks at it, and it is on sale again', async () => {
    const id = await place(cvs({ method: 'prepaid', state: 'paid' }))
    const booked = await untilBooked(world, id)
    await world.ecpay.advance(booked.parcels[0]?.reference ?? '', { to: 'shipped' })
    await untilShown(world, 'has left', id, (order) => order.phase === 'shipped')
    const gone = await world.stock('TEE-S')
    await world.ecpay.advance(booked.parcels[0]?.reference ?? '', { to: 'returned' })
    await world.untilPhase(id, 'returned')
    expect((await world.stock('TEE-S')).onHand).toBe(gone.onHand)
    const task = await untilTask(world, { orderId: id, kind: 'return.receive' })
    const answer = await world.post(`/api/v1/tasks/${task.id}/restocked`, {})
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    expect((await world.stock('TEE-S')).onHand).toBe(gone.onHand + 1)
    // It was paid, and the customer has nothing: what is paid back a person decides.
    expect(await openTasks(world, { orderId: id })).toMatchObject([{ kind: 'return.refund', value: '59000' }])
    // Said again it is not counted again.
    await world.post(`/api/v1/orders/${id}/restocked`, {})
    expect((await world.stock('TEE-S')).onHand).toBe(gone.onHand + 1)
  })
})

describe('booking', () => {
  it('a refusal is tried once more', async () => {
    world.ecpay.faults.add({ kind: 'refuse', path: '/Express/Create', message: '系統忙碌' })
    const id = await place()
    const order = await untilBooked(world, id)
    expect(order.parcels.map((parcel) => parcel.state)).toEqual(['refused', 'booked'])
    await bookedOnce(id)
  })

  it('two people at the desk see what the courier refused, look before they act, one corrects it, and it goes on by itself', async () => {
    world.ecpay.faults.add({ kind: 'refuse', path: '/Express/Create', message: '收件人電話錯誤', times: 0 })
    const id = await place()
    const task = await untilTask(world, { orderId: id, kind: 'booking.refused' })
    expect(task).toMatchObject({
      actions: ['retry', 'change', 'cancel'],
      detail: expect.stringContaining('Nothing is booked') as string,
    })
    const at = `/api/v1/tasks/${task.id}`
    /** A machine with more to do than it can answers 503, and the same is asked again. */
    const look = (action: string, body: object) =>
      world.until(`${action} is previewed`, async () => {
        const answer = await world.post<Previewed>(`${at}/${action}?preview=true`, body)
        return answer.status === 503 ? null : answer.body
      })
    expect(await look('change', { recipient: { phone: '0987654321' } })).toMatchObject({
      possible: true,
      asks: ['ecpay is asked to book a parcel'],
    })
    expect((await look('cancel', {})).changes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ of: 'phase', to: 'cancelling' }),
        expect.objectContaining({ of: 'told', to: 'recall' }),
      ]),
    )
    expect((await show(world, id)).phase).toBe('packed')
    expect((await world.post(`${at}/change`, { recipient: { phone: 'none' } })).status).toBe(400)
    expect((await world.post(`${at}/packed`, {})).status).toBe(409)
    world.ecpay.faults.clear()
    const both = await Promise.all(
      ['0987654321', '0987654322'].map((phone) => world.post(`${at}/change`, { recipient: { phone } })),
    )
    expect(both.filter(({ status }) => status === 200).length).toBeLessThan(2)
    await untilBooked(world, id)
    await bookedOnce(id)
    const changes = (await show(world, id)).commands.filter(({ verb }) => verb === 'change')
    expect(changes.filter(({ state }) => state === 'done')).toHaveLength(1)
    for (const refused of changes.filter(({ state }) => state !== 'done')) expect(refused.answer).toContain('was closed by local')
    expect((await world.get(at)).body).toMatchObject({
      state: 'done',
      closedBy: 'local',
      done: expect.arrayContaining([expect.objectContaining({ verb: 'change', who: 'local', state: 'done' })]) as unknown,
    })
    expect(await openTasks(world, { orderId: id })).toEqual([])
  })

  it('a courier that always refuses becomes a task, which books once the cause is mended', async () => {
    world.ecpay.faults.add({ kind: 'refuse', path: '/Express/Create', message: '收件人地址不在配送範圍', times: 0 })
    const id = await place()
    const task = await untilTask(world, { orderId: id, kind: 'booking.refused' })
    expect(task.detail).toContain('收件人地址不在配送範圍')
    expect(task.actions).toEqual(expect.arrayContaining(['retry', 'change', 'cancel']))
    world.ecpay.faults.clear()
    const answer = await world.post(`/api/v1/tasks/${task.id}/retry`, {})
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    await untilBooked(world, id)
    await bookedOnce(id)
    expect(await openTasks(world, { orderId: id })).toEqual([])
  })

  it.each([
    ['a server error', 'serverError'],
    ['a call that hangs', 'hang'],
    ['work done, then a broken connection', 'lostAnswer'],
    ['work done, then no answer', 'silentSuccess'],
    ['work done, then a server error', 'crashAfter'],
  ] as const)('%s: looked up before anything is sent again, booked once', async (_name, kind) => {
    world.ecpay.faults.add({ kind, path: '/Express/Create' })
    const id = await place()
    const order = await untilBooked(world, id)
    expect(order.parcels).toHaveLength(1)
    await bookedOnce(id)
    expect((await atEcpay(id))[0]?.bookingNote).toBe(order.parcels[0]?.waybill)
  })

  it('collects at 7-ELEVEN exactly what is due, on the label as well', async () => {
    const id = await place({ ...cvs({ method: 'cod' }), totals: { shippingMinor: 6_000 } })
    await world.untilPhase(id, 'confirming')
    await world.post(`/api/v1/orders/${id}/confirm`, {})
    const order = await untilBooked(world, id)
    expect(order.parcels[0]).toMatchObject({ service: 'UNIMART', amountDueMinor: 65_000, labelAmountMinor: 65_000 })
    expect((await atEcpay(id))[0]?.request).toMatchObject({
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
    await configure({ hashKey: 'thisIsNotTheKey0' })
    const ids = [await place(), await place(), await place()]
    const task = await untilTask(world, { connection: 'ecpay', kind: 'connection.stopped' })
    expect(task.remedy).toMatch(/hashKey.*apply/)
    for (const id of ids)
      await untilShown(world, 'is packed', id, (order) => order.phase === 'packed' && order.parcels.length === 1)
    // Nobody is told three times of one cause.
    expect((await openTasks(world)).filter((open) => open.id >= task.id)).toHaveLength(1)
    expect((await world.audit()).violations).toEqual([])
    await configure()
    for (const id of ids) {
      await untilBooked(world, id)
      await bookedOnce(id)
    }
    expect(await openTasks(world, { connection: 'ecpay', kind: 'connection.stopped' })).toEqual([])
  })

  it('stopped while parcels are under way, it still takes in what is reported', async () => {
    const id = await place()
    const order = await untilBooked(world, id)
    await configure({ hashKey: 'thisIsNotTheKey0' })
    const waiting = await place()
    await untilTask(world, { connection: 'ecpay', kind: 'connection.stopped' })
    // The right keys again, but stopped for another reason.
    await configure()
    await world.runtime.pool.query(`update connection_state set stopped_reason = 'by the test' where connection = 'ecpay'`)
    await world.ecpay.advance(order.parcels[0]?.reference ?? '', { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    await configure()
    await untilBooked(world, waiting)
    expect(await openTasks(world, { kind: 'inbox.unmappable' })).toEqual([])
  })

  it('paused holds its parcels and its facts without a violation, and goes on by itself', async () => {
    await pauseConnection(world.runtime.pool, 'ecpay')
    const id = await place()
    await untilShown(world, 'is packed', id, (order) => order.phase === 'packed' && order.parcels.length === 1)
    expect(await atEcpay(id)).toEqual([])
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
