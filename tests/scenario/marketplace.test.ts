import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { shopeeWorkbook, type SampleOrder } from '../../samples/generate.ts'
import { seedOrders, startShopeeSimulator, type ShopeeSimulator, type SimOrder } from '../../simulators/shopee/index.ts'
import { apply, isThere, openTasks, pull, show, untilBooked, untilShown, untilTask, withoutWaves } from './marketplaceViews.ts'
import { startWorld, type World } from './world.ts'

let world: World
/** A shop of the same seller whose carrier gives its numbers late. */
let late: ShopeeSimulator
const DAY_MS = 86_400_000

beforeAll(async () => {
  world = await startWorld({ policy: { bookingRetryMs: [200], courierRetryMs: 500 } })
  await configure()
  late = await startShopeeSimulator({ partnerId: 2001887, partnerKey: 'partner-key', shopId: 600001, trackingDelayCalls: 2 })
  await apply(world, {
    name: 'shopee-late',
    connector: 'shopee',
    config: {
      partnerId: 2001887,
      partnerKey: 'partner-key',
      shopId: 600001,
      baseUrl: late.url,
      pullEveryMs: DAY_MS,
      ...late.tokens(),
    },
  })
})
afterAll(async () => {
  await late?.stop()
  await world?.stop()
})
beforeEach(() => world.shopee.faults.clear())

const configure = (change: Record<string, unknown> = {}) =>
  apply(world, {
    name: 'shopee',
    connector: 'shopee',
    config: {
      partnerId: 2001887,
      partnerKey: 'partner-key',
      shopId: 600000,
      baseUrl: world.shopee.url,
      pushPartnerKey: 'push-key',
      callbackUrl: `${world.url}/webhooks/shopee`,
      accessToken: 'sim-access-0',
      refreshToken: 'sim-refresh-0',
      // Only what a test asks for is pulled.
      pullEveryMs: DAY_MS,
      quota: { perSecond: 500, burst: 100 },
      ...change,
    },
  })

let serial = 0
/** One new order at Shopee; `change` is laid over it. */
function sold(change: Partial<SimOrder> & { cvs?: boolean } = {}, at: ShopeeSimulator = world.shopee): string {
  const { cvs = false, ...rest } = change
  serial += 1
  const [seeded] = seedOrders(1, {
    skus: [{ sku: 'TEE-S', name: '純棉短袖上衣', variant: 'S', price: 590 }],
    cvsShare: cvs ? 1 : 0,
    codShare: 0,
    startAt: serial * 3, // a multiple of three travels with 7-ELEVEN
  })
  if (!seeded) throw new Error('nothing was seeded')
  at.seed([{ ...seeded, ...rest }])
  return seeded.orderSn
}
const atShopee = (orderSn: string, at: ShopeeSimulator = world.shopee): SimOrder => {
  const order = at.orders().find((each) => each.orderSn === orderSn)
  if (!order) throw new Error(`Shopee has no order ${orderSn}`)
  return order
}
const callsOf = (path: string) => world.shopee.calls().filter((call) => call.path.endsWith(path))
const shipCalls = () => callsOf('/ship_order').filter((call) => call.error === '').length
const told = (orderSn: string) =>
  world.until(`Shopee has the number of ${orderSn}`, async () => atShopee(orderSn).trackingNumber, 60_000)

describe('orders of a marketplace', () => {
  it('are pulled by the schedule', async () => {
    const orderSn = sold()
    await configure({ pullEveryMs: 10_000 })
    await world.until('the schedule has brought it', async () => isThere(world, orderSn), 60_000)
    await configure()
    await untilBooked(world, orderSn)
    await told(orderSn)
  })

  it('sent home by our courier: the number is at Shopee, once, and pulling again changes nothing', async () => {
    const before = shipCalls()
    const [first, second] = [sold(), sold()]
    await pull(world)
    for (const orderSn of [first, second]) {
      const order = await untilBooked(world, orderSn)
      expect(order.parcels[0]).toMatchObject({ courier: 'ecpay', service: 'TCAT' })
      await told(orderSn)
      expect(atShopee(orderSn)).toMatchObject({ status: 'PROCESSED', trackingNumber: order.parcels[0]?.waybill })
    }
    await pull(world)
    await world.ecpay.advance((await show(world, first)).parcels[0]?.reference ?? '', { to: 'delivered' })
    await untilShown(world, 'is closed', first, (order) => order.closed)
    world.shopee.advance(first, 'COMPLETED')
    await pull(world)
    await world.until('all is mapped', async () => (await waitingRecords()) === 0)
    expect(await show(world, first)).toMatchObject({ phase: 'delivered', parcels: [{ state: 'delivered' }] })
    expect(shipCalls()).toBe(before + 2)
    expect(await openTasks(world)).toEqual([])
  })

  it("to 7-ELEVEN by Shopee's own logistics: recipient masked, waybill and news by Shopee", async () => {
    const orderSn = sold({ cvs: true })
    await pull(world)
    const order = await untilBooked(world, orderSn)
    expect(order.recipient).toMatchObject({ name: null, phone: null, masked: true })
    expect(order.delivery).toMatchObject({ method: 'cvs', service: 'channel', cvs: { chain: 'UNIMART' } })
    expect(order.parcels[0]).toMatchObject({ courier: 'shopee', service: 'channel', waybill: atShopee(orderSn).trackingNumber })
    expect(world.ecpay.parcels().some((parcel) => parcel.merchantTradeNo === order.parcels[0]?.reference)).toBe(false)
    await world.until('the warehouse has the label', async () =>
      world.wms.units().some((unit) => unit.unitId === order.units[0]?.id && unit.waybill === order.parcels[0]?.waybill),
    )
    world.shopee.advance(orderSn, 'SHIPPED')
    await pull(world)
    await world.untilPhase(order.id, 'shipped')
    world.shopee.advance(orderSn, 'TO_CONFIRM_RECEIVE')
    await pull(world)
    await untilShown(world, 'is closed', orderSn, (shown) => shown.closed && shown.phase === 'delivered')
  })

  it('a waybill that Shopee gives late reaches the label all the same', async () => {
    const orderSn = sold({ cvs: true }, late)
    await pull(world, 'shopee-late')
    const booked = await untilBooked(world, orderSn)
    const order = await untilShown(world, 'has its waybill', orderSn, (shown) => shown.parcels[0]?.waybill !== null)
    expect(order.parcels[0]?.waybill).toBe(atShopee(orderSn, late).trackingNumber)
    await world.until('the warehouse has the label', async () =>
      world.wms.units().some((unit) => unit.unitId === booked.units[0]?.id && unit.waybill === order.parcels[0]?.waybill),
    )
    expect(late.calls().filter((call) => call.path.endsWith('/ship_order'))).toHaveLength(1)
  })

  it('that had left before they were first seen are left alone', async () => {
    const [gone, done] = [sold({ status: 'SHIPPED' }), sold({ status: 'COMPLETED' })]
    const other = sold()
    await pull(world)
    await untilShown(world, 'is there', other, () => true)
    await world.until('all is mapped', async () => (await waitingRecords()) === 0)
    expect([await isThere(world, gone), await isThere(world, done)]).toEqual([false, false])
  })
})

const waitingRecords = async (): Promise<number> => {
  const { rows } = await world.runtime.pool.query<{ n: number }>(`select count(*)::int as n from inbox where state = 'new'`)
  return rows[0]?.n ?? 0
}

describe('what changes at the marketplace', () => {
  const moved = (orderSn: string) => ({
    ...atShopee(orderSn).recipient,
    district: '信義區',
    zipcode: '110',
    city: '台北市',
    fullAddress: '台北市信義區松仁路100號8樓',
  })

  it('an address edited before picking is obeyed', async () => {
    const orderSn = sold()
    await withoutWaves(world, async () => {
      await pull(world)
      await untilShown(world, 'is confirmed', orderSn, (order) => order.units[0]?.state === 'ready')
      world.shopee.edit(orderSn, { recipient: moved(orderSn) })
      await pull(world)
      await untilShown(world, 'has obeyed', orderSn, (order) => order.commands.some((command) => command.state === 'done'))
    })
    const order = await untilBooked(world, orderSn)
    expect(order.recipient.address?.line).toContain('松仁路100號8樓')
    const parcel = world.ecpay.parcels().find((each) => each.merchantTradeNo === order.parcels[0]?.reference)
    expect(parcel?.request.ReceiverAddress).toContain('松仁路100號8樓')
  })

  it('an address edited after picking is refused, and a person hears of it', async () => {
    const orderSn = sold()
    await pull(world)
    const { id } = await untilBooked(world, orderSn)
    world.shopee.edit(orderSn, { recipient: moved(orderSn) })
    await pull(world)
    const task = await untilTask(world, { orderId: id, kind: 'change.refused' })
    expect(task.detail).toMatch(new RegExp(`channel:shopee asked to change order ${orderSn}; here it is packed`))
    expect((await show(world, orderSn)).recipient.address?.raw).not.toContain('松仁路')
  })

  it('a cancellation before picking undoes everything', async () => {
    const before = await world.stock('TEE-S')
    const orderSn = sold()
    await withoutWaves(world, async () => {
      await pull(world)
      await untilShown(world, 'is confirmed', orderSn, (order) => order.units[0]?.state === 'ready')
      expect((await world.stock('TEE-S')).held).toBeGreaterThan(before.held)
      world.shopee.cancel(orderSn)
      await pull(world)
      await untilShown(world, 'is cancelled', orderSn, (order) => order.phase === 'cancelled' && order.closed)
    })
    const order = await show(world, orderSn)
    expect(order).toMatchObject({ parcels: [], owed: [] })
    expect(order.units.every((unit) => unit.state === 'cancelled')).toBe(true)
    expect(await world.stock('TEE-S')).toMatchObject({ onHand: before.onHand })
  })

  it('a cancellation after shipping becomes a task with both sides of it', async () => {
    const orderSn = sold()
    await pull(world)
    const { id, parcels } = await untilBooked(world, orderSn)
    await world.ecpay.advance(parcels[0]?.reference ?? '', { to: 'shipped' })
    await world.untilPhase(id, 'shipped')
    world.shopee.cancel(orderSn)
    await pull(world)
    const task = await untilTask(world, { orderId: id, kind: 'cancel.refused' })
    expect(task.detail).toMatch(/channel:shopee asked to cancel .* here it is shipped: a parcel of it is with the courier/)
    expect((await show(world, orderSn)).phase).toBe('shipped')
  })

  it('a cancellation after delivery, when no workflow runs any more, becomes a task too', async () => {
    const orderSn = sold()
    await pull(world)
    const { id, parcels } = await untilBooked(world, orderSn)
    await world.ecpay.advance(parcels[0]?.reference ?? '', { to: 'delivered' })
    await untilShown(world, 'is closed', orderSn, (order) => order.closed)
    world.shopee.cancel(orderSn)
    await pull(world)
    expect((await untilTask(world, { orderId: id, kind: 'cancel.refused' })).detail).toContain('here it is delivered')
  })

  it('our own cancellation is told to Shopee, and its echo changes nothing', async () => {
    const orderSn = sold()
    const { id } = await withoutWaves(world, async () => {
      await pull(world)
      const order = await untilShown(world, 'is confirmed', orderSn, (shown) => shown.units[0]?.state === 'ready')
      const answer = await world.post(`/api/v1/orders/${order.id}/cancel`, { reason: 'out of stock' })
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
      return order
    })
    await world.until('Shopee knows', async () => atShopee(orderSn).status === 'CANCELLED')
    expect(atShopee(orderSn).cancelReason).toBe('OUT_OF_STOCK')
    await pull(world)
    await world.until('all is mapped', async () => (await waitingRecords()) === 0)
    const order = await show(world, orderSn)
    expect(order).toMatchObject({ phase: 'cancelled', owed: [{ kind: 'cancelled', state: 'done' }] })
    expect(order.commands.filter((command) => command.state !== 'done')).toEqual([])
    expect(await openTasks(world, { orderId: id })).toEqual([])
  })

  it('an unpaid order waits, its goods held, and goes on when it is paid', async () => {
    const orderSn = sold({ status: 'UNPAID', payTime: null })
    await pull(world)
    const order = await untilShown(world, 'waits', orderSn, (shown) => shown.phase === 'confirming')
    expect(order.payment.state).toBe('pending')
    world.shopee.pay(orderSn)
    await pull(world)
    expect((await untilBooked(world, orderSn)).payment.state).toBe('paid')
  })

  it('an order that is being cancelled is held before the next wave, and released when the buyer withdraws', async () => {
    const orderSn = sold()
    await withoutWaves(world, async () => {
      await pull(world)
      await untilShown(world, 'is confirmed', orderSn, (order) => order.units[0]?.state === 'ready')
      world.shopee.edit(orderSn, { status: 'IN_CANCEL' })
      await pull(world)
      await untilShown(world, 'is held', orderSn, (order) => order.phase === 'confirming')
    })
    // A wave passes meanwhile: another order is taken, this one is not.
    const other = sold()
    await pull(world)
    await untilBooked(world, other)
    expect(await show(world, orderSn)).toMatchObject({ phase: 'confirming', parcels: [] })
    world.shopee.edit(orderSn, { status: 'READY_TO_SHIP' })
    await pull(world)
    const order = await untilBooked(world, orderSn)
    expect(order.units.filter((unit) => unit.state !== 'cancelled')).toHaveLength(1)
  })

  it('being cancelled while the warehouse has it, a person is asked, and the cancellation that follows is obeyed', async () => {
    const orderSn = sold()
    await pull(world)
    const { id } = await untilBooked(world, orderSn)
    await told(orderSn)
    world.shopee.edit(orderSn, { status: 'IN_CANCEL' })
    await pull(world)
    await untilTask(world, { orderId: id, kind: 'order.hold' })
    world.shopee.cancel(orderSn)
    await pull(world)
    // The goods are packed: the warehouse says no, and a person fetches them.
    const recall = await untilTask(world, { orderId: id, kind: 'recall.refused' })
    const answer = await world.post(`/api/v1/tasks/${recall.id}/recalled`, {})
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    await untilShown(world, 'is cancelled', orderSn, (order) => order.phase === 'cancelled' && order.closed)
    expect(await openTasks(world, { orderId: id, kind: 'order.hold' })).toEqual([])
    // T-cat takes no cancellation by a call: that the waybill still stands is left to a person.
    expect(await openTasks(world, { orderId: id })).toMatchObject([{ kind: 'booking.cancel' }])
  })
})

describe('a marketplace that fails', () => {
  it('a token that expires in the middle is renewed', async () => {
    const orders = [sold(), sold()]
    world.shopee.expireTokens()
    await pull(world)
    for (const orderSn of orders) await untilShown(world, 'is there', orderSn, () => true)
    world.shopee.expireTokens()
    for (const orderSn of orders) {
      await untilBooked(world, orderSn)
      await told(orderSn)
    }
  })

  it('called too often, it is asked again after the pause it names', async () => {
    world.shopee.faults.add({ kind: 'rateLimit', path: '/get_order_list', retryAfter: 1 })
    world.shopee.faults.add({ kind: 'serverError', path: '/get_order_detail' })
    const orderSn = sold()
    await pull(world)
    await told(orderSn)
    expect(world.shopee.faults.list().map((fault) => fault.given)).toEqual([1, 1])
    expect(await openTasks(world, { connection: 'shopee', kind: 'connection.pull' })).toEqual([])
  })

  it.each(['lostAnswer', 'serverError', 'crashAfter', 'rateLimit'] as const)(
    'writes a number back once when ship_order ends in %s',
    async (kind) => {
      const before = shipCalls()
      const orderSn = sold()
      world.shopee.faults.add({ kind, path: '/ship_order', retryAfter: 1 })
      await pull(world)
      const { parcels } = await untilBooked(world, orderSn)
      await untilShown(world, 'is told', orderSn, (order) =>
        order.owed.some((owed) => owed.kind === 'tracking' && owed.state === 'done'),
      )
      expect(atShopee(orderSn)).toMatchObject({ status: 'PROCESSED', trackingNumber: parcels[0]?.waybill })
      expect(shipCalls()).toBe(before + 1)
    },
  )

  it('a push makes the pull happen, a forged one does nothing', async () => {
    const orderSn = sold()
    const push = world.shopee.signedPush(orderSn)
    const forged = await fetch(push.url, {
      method: 'POST',
      headers: { ...push.headers, authorization: 'f'.repeat(64) },
      body: push.body,
    })
    expect(forged.status).toBe(401)
    const answer = await fetch(push.url, { method: 'POST', headers: push.headers, body: push.body })
    expect(answer.status).toBe(200)
    await untilBooked(world, orderSn)
  })
})

describe('the same order from the API and from a file', () => {
  const inFile = (orderSn: string, change: Partial<SampleOrder> = {}): SampleOrder => {
    const { recipient, items } = atShopee(orderSn)
    return {
      externalId: orderSn,
      lines: items.map((item) => ({
        sku: item.modelSku,
        quantity: item.quantity,
        name: item.name,
        variant: item.modelName,
        price: item.price,
      })),
      name: recipient.name,
      phone: recipient.phone,
      address: recipient.fullAddress,
      shippingFee: 60,
      ...change,
    }
  }
  async function upload(
    orders: SampleOrder[],
  ): Promise<{ new: number; known: number; changed: number; filled: number; failed: number }> {
    const form = new FormData()
    form.set('connection', 'shopee')
    form.set('file', new Blob([new Uint8Array(shopeeWorkbook({ orders }))]), 'Order.toship.xlsx')
    const answer = await fetch(`${world.url}/api/v1/imports`, { method: 'POST', body: form })
    const { id } = (await answer.json()) as { id: string }
    expect(answer.status).toBe(202)
    return await world.until('the file is read', async () => {
      const { body } = await world.get(`/api/v1/imports/${id}`)
      return (body as { state: string; result: Awaited<ReturnType<typeof upload>> }).state === 'done'
        ? (body as { result: Awaited<ReturnType<typeof upload>> }).result
        : null
    })
  }

  it('first by the API, masked: the file fills in what was hidden, and nothing starts over', async () => {
    const orderSn = sold({ cvs: true })
    await withoutWaves(world, async () => {
      await pull(world)
      await untilShown(world, 'is confirmed', orderSn, (order) => order.units[0]?.state === 'ready')
      const result = await upload([inFile(orderSn, { cvs: { chain: '7-11', storeId: '991182' } })])
      expect(result).toMatchObject({ new: 0, changed: 0, filled: 1, failed: 0 })
    })
    const order = await untilBooked(world, orderSn)
    expect(order.connection).toBe('shopee')
    expect(order.recipient.name).toBe(atShopee(orderSn).recipient.name)
    expect(order.delivery).toMatchObject({ service: 'channel', cvs: { chain: 'UNIMART', storeId: '991182' } })
    expect(order.commands).toEqual([])
    expect(order.units).toHaveLength(1)
    // The masked telling of the API comes again, newer: what is known stays.
    world.shopee.edit(orderSn, { note: '' })
    await pull(world)
    await world.until('all is mapped', async () => (await waitingRecords()) === 0)
    expect((await show(world, orderSn)).recipient.name).toBe(atShopee(orderSn).recipient.name)
  })

  it('first by the file: the API, which masks and splits amounts otherwise, changes nothing', async () => {
    const orderSn = sold({ cvs: true })
    await withoutWaves(world, async () => {
      const result = await upload([inFile(orderSn, { cvs: { chain: '7-11', storeId: '991182' } })])
      expect(result).toMatchObject({ new: 1, failed: 0 })
      await untilShown(world, 'is confirmed', orderSn, (order) => order.units[0]?.state === 'ready')
      await pull(world)
      await world.until('all is mapped', async () => (await waitingRecords()) === 0)
    })
    const order = await untilBooked(world, orderSn)
    expect(order.recipient.name).toBe(atShopee(orderSn).recipient.name)
    expect(order.commands).toEqual([])
    expect(order.units).toHaveLength(1)
    expect(order.totals).toMatchObject({ shippingMinor: 6_000 })
  })

  it('a home order in both, in either order, is one order with one parcel', async () => {
    const [first, second] = [sold(), sold()]
    await withoutWaves(world, async () => {
      await upload([inFile(second)])
      await pull(world)
      await upload([inFile(first)])
    })
    for (const orderSn of [first, second]) {
      const order = await untilBooked(world, orderSn)
      expect(order.commands).toEqual([])
      expect(order.parcels).toHaveLength(1)
      await told(orderSn)
    }
  })

  it('a file exported before an edit of the address does not take the edit back', async () => {
    const orderSn = sold()
    const exported = inFile(orderSn)
    await withoutWaves(world, async () => {
      await pull(world)
      await untilShown(world, 'is confirmed', orderSn, (order) => order.units[0]?.state === 'ready')
      world.shopee.edit(orderSn, {
        recipient: {
          ...atShopee(orderSn).recipient,
          fullAddress: '台北市信義區松仁路100號8樓',
          city: '台北市',
          district: '信義區',
          zipcode: '110',
        },
      })
      await pull(world)
      await untilShown(world, 'has obeyed', orderSn, (order) => order.commands.some((command) => command.state === 'done'))
      expect(await upload([exported])).toMatchObject({ new: 0, changed: 0 })
    })
    expect((await untilBooked(world, orderSn)).recipient.address?.line).toContain('松仁路100號8樓')
  })
})

it('and nothing is held, booked or told wrongly in the end', async () => {
  await world.until('everything owed is told', async () => {
    const { rows } = await world.runtime.pool.query<{ n: number }>(`select count(*)::int as n from outbox where state <> 'done'`)
    return rows[0]?.n === 0
  })
  expect((await world.audit()).violations).toEqual([])
  expect(await openTasks(world, { kind: 'inbox.unmappable' })).toEqual([])
})
