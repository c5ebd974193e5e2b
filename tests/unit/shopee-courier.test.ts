/** Booking with Shopee's own logistics, tracking numbers and cancellations written back: against the simulator, over HTTP. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shopee } from '../../connectors/shopee/index.ts'
import { shipBy } from '../../connectors/shopee/courier.ts'
import { cancelReason } from '../../connectors/shopee/writeback.ts'
import { seedOrders, startShopeeSimulator, type ShopeeSimulator, type SimOrder } from '../../simulators/shopee/index.ts'
import { context, NOW, parcelFor, PARTNER, realHttp } from './shopee-fixtures.ts'

let sim: ShopeeSimulator
let own: SimOrder
let carried: SimOrder
const http = realHttp()
const ctx = () => context({ config: { baseUrl: sim.url }, http })
const courier =
  shopee.courier ??
  (() => {
    throw new Error('no courier')
  })()
const order = (orderSn: string) => sim.orders().find((entry) => entry.orderSn === orderSn)

beforeEach(async () => {
  sim = await startShopeeSimulator({ ...PARTNER, now: () => NOW })
  const orders = seedOrders(8, { newest: NOW, cvsShare: 0.25, codShare: 0.5 })
  sim.seed(orders)
  own =
    orders.find((entry) => !entry.integrated) ??
    (() => {
      throw new Error('none')
    })()
  carried =
    orders.find((entry) => entry.integrated && entry.cod) ??
    (() => {
      throw new Error('none')
    })()
})
afterEach(() => sim.stop())

describe('book', () => {
  it("arranges the shipment, and gives Shopee's number and what its label collects", async () => {
    const booking = await courier.book(ctx(), parcelFor(carried.orderSn))
    expect(booking).toMatchObject({ courierBookingId: carried.orderSn, labelAmountMinor: carried.totalAmount * 100 })
    expect(booking.waybill).toBe(order(carried.orderSn)?.trackingNumber)
    expect(order(carried.orderSn)?.status).toBe('PROCESSED')
  })

  it('booking again finds the booking and arranges nothing', async () => {
    const first = await courier.book(ctx(), parcelFor(carried.orderSn))
    expect(await courier.book(ctx(), parcelFor(carried.orderSn))).toEqual(first)
    expect(sim.calls().filter((call) => call.path.endsWith('ship_order'))).toHaveLength(1)
  })

  it('package_already_shipped is a booking', async () => {
    sim.faults.add({
      kind: 'refuse',
      code: ' logistics.package_already_shipped',
      message: 'This package has already been arranged shipment',
      path: 'ship_order',
    })
    expect(await courier.book(ctx(), parcelFor(carried.orderSn))).toMatchObject({ courierBookingId: carried.orderSn })
  })

  it('a lost answer is OutcomeUnknown, and the look-up finds what was done', async () => {
    sim.faults.add({ kind: 'lostAnswer', path: 'ship_order' })
    await expect(courier.book(ctx(), parcelFor(carried.orderSn))).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    expect(await courier.lookUp(ctx(), parcelFor(carried.orderSn))).toMatchObject({
      courierBookingId: carried.orderSn,
      waybill: order(carried.orderSn)?.trackingNumber,
    })
  })

  it('a failure after the shipment was arranged is OutcomeUnknown, never "not booked"', async () => {
    sim.faults.add({ kind: 'serverError', path: 'get_tracking_number' })
    await expect(courier.book(ctx(), parcelFor(carried.orderSn))).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    expect(await courier.lookUp(ctx(), parcelFor(carried.orderSn))).not.toBeNull()
  })

  it('an order that was not arranged is certainly not booked', async () => {
    expect(await courier.lookUp(ctx(), parcelFor(carried.orderSn))).toBeNull()
  })

  it('a refusal is Rejected, and nothing is arranged', async () => {
    sim.faults.add({
      kind: 'refuse',
      code: 'logistics.error_param',
      message: 'COD is currently not supported in the area.',
      path: 'ship_order',
    })
    await expect(courier.book(ctx(), parcelFor(carried.orderSn))).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'logistics.error_param',
    })
    expect(order(carried.orderSn)?.status).toBe('READY_TO_SHIP')
  })

  it('a cancelled order is Rejected', async () => {
    sim.cancel(carried.orderSn)
    await expect(courier.book(ctx(), parcelFor(carried.orderSn))).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'error_status',
    })
  })

  it("an order that the seller ships is not Shopee's to carry", async () => {
    await expect(courier.book(ctx(), parcelFor(own.orderSn))).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'shipping-parameter',
    })
  })

  it('a number that comes later is null first', async () => {
    await sim.stop()
    sim = await startShopeeSimulator({ ...PARTNER, now: () => NOW, trackingDelayCalls: 1 })
    sim.seed([carried])
    expect((await courier.book(ctx(), parcelFor(carried.orderSn))).waybill).toBeNull()
    expect((await courier.lookUp(ctx(), parcelFor(carried.orderSn)))?.waybill).toMatch(/^TW/)
  })

  it('an arranged shipment has no call that undoes it', async () => {
    await expect(
      courier.cancel(ctx(), { reference: 'r', courierBookingId: 'A', waybill: null, service: 'channel' }),
    ).rejects.toMatchObject({ kind: 'Rejected' })
  })
})

describe('shipBy', () => {
  const config = { handOver: 'dropoff' as const }
  const pickup = {
    address_list: [
      { address_id: 1, address_flag: [] },
      {
        address_id: 2,
        address_flag: ['pickup_address'],
        time_slot_list: [{ pickup_time_id: 'a' }, { pickup_time_id: 'b', flags: ['recommended'] }],
      },
    ],
  }

  it('takes the pickup address and the recommended slot', () => {
    expect(
      shipBy(
        'A',
        { info_needed: { dropoff: [], pickup: ['address_id', 'pickup_time_id'] }, dropoff: null, pickup },
        config,
        '王',
      ),
    ).toEqual({ pickup: { address_id: 2, pickup_time_id: 'b' } })
  })
  it('includes an empty dropoff where nothing is needed', () => {
    expect(shipBy('A', { info_needed: { dropoff: [] }, dropoff: null, pickup: null }, config, '王')).toEqual({ dropoff: {} })
  })
  it('gives branch, partner and sender when they are asked for', () => {
    const dropoff = { branch_list: [{ branch_id: 7 }], slug_list: [{ slug: 'x' }] }
    expect(
      shipBy('A', { info_needed: { dropoff: ['branch_id', 'sender_real_name', 'slug'] }, dropoff, pickup: null }, config, '王'),
    ).toEqual({ dropoff: { branch_id: 7, slug: 'x', sender_real_name: '王' } })
  })
  it('follows the wish where both ways are open', () => {
    const parameter = { info_needed: { dropoff: ['sender_real_name'], pickup: ['address_id'] }, dropoff: {}, pickup }
    expect(shipBy('A', parameter, { handOver: 'pickup' }, '王')).toEqual({ pickup: { address_id: 2 } })
    expect(shipBy('A', parameter, config, '王')).toEqual({ dropoff: { sender_real_name: '王' } })
  })
  it('refuses what it cannot fill in', () => {
    expect(() => shipBy('A', { info_needed: { dropoff: ['tracking_no'] } }, config, '王')).toThrow(/tracking number/)
    expect(() => shipBy('A', { info_needed: { dropoff: ['branch_id'] } }, config, '王')).toThrow(/branch/)
    expect(() => shipBy('A', { info_needed: { pickup: ['address_id'] } }, config, '王')).toThrow(/pickup address/)
  })
})

describe('writeTracking', () => {
  const write = (orderSn: string, waybill: string) =>
    shopee.writeTracking?.(ctx(), { externalId: orderSn, waybill, courier: 'TCAT', key: waybill, lines: [] })

  it('gives Shopee the number of our courier', async () => {
    await write(own.orderSn, '907812345678')
    expect(order(own.orderSn)).toMatchObject({ trackingNumber: '907812345678', status: 'PROCESSED' })
  })
  it('the same number again is success', async () => {
    await write(own.orderSn, '907812345678')
    await write(own.orderSn, '907812345678')
    expect(order(own.orderSn)?.trackingNumber).toBe('907812345678')
  })
  it('another number is Rejected and overwrites nothing', async () => {
    await write(own.orderSn, '907812345678')
    await expect(write(own.orderSn, '900000000000')).rejects.toMatchObject({ kind: 'Rejected', code: 'tracking-differs' })
    expect(order(own.orderSn)?.trackingNumber).toBe('907812345678')
  })
  it('written after a lost answer, it is found there', async () => {
    sim.faults.add({ kind: 'lostAnswer', path: 'ship_order' })
    await expect(write(own.orderSn, '907812345678')).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    await write(own.orderSn, '907812345678')
  })
  it('what Shopee carries itself has its number already', async () => {
    const booking = await courier.book(ctx(), parcelFor(carried.orderSn))
    await write(carried.orderSn, booking.waybill ?? '')
    await expect(write(carried.orderSn, 'OTHER')).rejects.toMatchObject({ kind: 'Rejected' })
  })
  it('what Shopee carries itself takes no number of ours', async () => {
    await expect(write(carried.orderSn, '907812345678')).rejects.toMatchObject({ kind: 'Rejected' })
    expect(order(carried.orderSn)?.trackingNumber).toBeNull()
  })
  it('an unknown order is Rejected', async () => {
    await expect(write('NONE', '1')).rejects.toMatchObject({ kind: 'Rejected', code: 'error_not_found' })
  })
})

describe('cancelOrder', () => {
  const cancel = (reason: string) => shopee.cancelOrder?.(ctx(), { externalId: own.orderSn, reason })

  it('says out of stock with the items', async () => {
    await cancel('out of stock')
    expect(order(own.orderSn)).toMatchObject({ status: 'CANCELLED', cancelReason: 'OUT_OF_STOCK' })
  })
  it('cancelling again is success', async () => {
    await cancel('customer')
    await cancel('customer')
    expect(sim.calls().filter((call) => call.path.endsWith('cancel_order'))).toHaveLength(1)
  })
  it('after shipping it is Rejected', async () => {
    sim.advance(own.orderSn, 'SHIPPED')
    await expect(cancel('customer')).rejects.toMatchObject({ kind: 'Rejected', code: 'order.error_limit' })
  })
  it.each([
    ['缺貨', 'OUT_OF_STOCK'],
    ['stock ran out', 'OUT_OF_STOCK'],
    ['undeliverable area', 'UNDELIVERABLE_AREA'],
    ['changed my mind', 'CUSTOMER_REQUEST'],
  ])('%s is %s', (reason, code) => expect(cancelReason(reason)).toBe(code))
})

describe('check', () => {
  it('is well when a small call works', async () => {
    expect(await shopee.check(ctx())).toEqual({ ok: true, problems: [] })
  })
  it('names what is wrong and what to do', async () => {
    const result = await shopee.check(context({ config: { baseUrl: sim.url, partnerKey: 'wrong', callbackUrl: null }, http }))
    expect(result.problems.map((problem) => problem.remedy)).toEqual([
      expect.stringContaining('both'),
      expect.stringContaining('partnerKey'),
    ])
  })
})

describe('rate limits', () => {
  it('a 429 keeps its Retry-After', async () => {
    sim.faults.add({ kind: 'rateLimit', retryAfter: 7 })
    await expect(courier.lookUp(ctx(), parcelFor(own.orderSn))).rejects.toMatchObject({
      kind: 'RateLimited',
      retryAfterMs: 7_000,
    })
  })
})
