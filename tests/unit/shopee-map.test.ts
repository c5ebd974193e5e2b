import { describe, expect, it } from 'vitest'
import { shopee } from '../../connectors/shopee/index.ts'
import { mapReport } from '../../connectors/shopee/logistics.ts'
import { fetchOrders } from '../../connectors/shopee/pull.ts'
import { IncomingOrder } from '../../domain/order.ts'
import { seedOrders, startShopeeSimulator } from '../../simulators/shopee/index.ts'
import { context, NOW, PARTNER, realHttp } from './shopee-fixtures.ts'

const connection = (config: Record<string, unknown> = {}) => context({ config }).connection
const map = (payload: Record<string, unknown>, config = {}) => {
  const mapped = shopee.mapOrder?.(connection(config), { externalId: String(payload.order_sn), payload })
  if (!mapped) throw new Error('no mapOrder')
  return IncomingOrder.parse(mapped)
}

const item = {
  item_id: 2600144043,
  item_name: '後背包',
  item_sku: 'BAG',
  model_id: 9001,
  model_name: '黑',
  model_sku: 'BAG-BLACK',
  model_quantity_purchased: 2,
  model_original_price: 690,
  model_discounted_price: 590.5,
  promotion_type: 'flash_sale',
}
const recipient = {
  name: '王小明',
  phone: '0912-345-678',
  town: '',
  district: '中正區',
  city: '台北市',
  state: '',
  region: 'TW',
  zipcode: '100',
  full_address: '台北市中正區重慶南路一段122號3樓',
}
const parcel = {
  package_number: 'OFG1',
  logistics_status: 'LOGISTICS_READY',
  logistics_channel_id: 39999,
  shipping_carrier: '賣家宅配',
}
const detail = {
  order_sn: '251214B9XAB0ST',
  region: 'TW',
  currency: 'TWD',
  cod: false,
  order_status: 'READY_TO_SHIP',
  total_amount: 1241.0,
  create_time: 1765689400,
  update_time: 1765689439,
  pay_time: 1765689410,
  message_to_seller: '晚上送',
  note: '易碎',
  buyer_user_id: 77,
  buyer_username: 'tom',
  recipient_address: recipient,
  item_list: [item],
  package_list: [parcel],
  fulfillment_flag: 'fulfilled_by_local_seller',
}
const hidden = {
  name: '****',
  phone: '****',
  town: '',
  district: '****',
  city: '****',
  state: '',
  region: 'TW',
  zipcode: '****',
  full_address: '****',
}

describe('mapOrder', () => {
  it('maps an order that the seller ships', () => {
    expect(map(detail)).toEqual({
      channel: 'shopee',
      shop: '600000',
      connection: 'shopee-main',
      externalId: '251214B9XAB0ST',
      externalVersion: '1765689439',
      placedAt: '2025-12-14T13:16:40+08:00',
      kind: 'online',
      buyer: { name: 'tom', phone: null, email: null, memberId: '77' },
      recipient: {
        name: '王小明',
        phone: '+886912345678',
        masked: false,
        address: expect.objectContaining({
          postalCode: '100',
          city: '臺北市',
          district: '中正區',
          line: '重慶南路一段122號3樓',
          raw: recipient.full_address,
          country: 'TW',
        }) as object,
      },
      delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null },
      payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
      lines: [
        {
          lineId: '2600144043_9001',
          sku: 'BAG-BLACK',
          externalSku: 'BAG-BLACK',
          name: '後背包',
          variant: '黑',
          quantity: 2,
          unitPriceMinor: 59050,
          gift: false,
        },
      ],
      totals: { itemsMinor: 118100, shippingMinor: null, discountMinor: null, totalMinor: 124100 },
      notes: '晚上送\n易碎',
      priority: 0,
      cancelled: false,
      onHold: false,
      fulfilled: false,
    })
  })

  it.each([
    ['READY_TO_SHIP', false, false, false],
    ['PROCESSED', false, false, false],
    ['RETRY_SHIP', false, false, false],
    ['UNPAID', false, true, false],
    ['IN_CANCEL', false, true, false],
    ['PENDING', false, true, false],
    ['INVOICE_PENDING', false, true, false],
    ['CANCELLED', true, false, false],
    ['SHIPPED', false, false, true],
    ['TO_CONFIRM_RECEIVE', false, false, true],
    ['COMPLETED', false, false, true],
    ['TO_RETURN', false, false, true],
  ])('%s: cancelled %s, on hold %s, fulfilled %s', (order_status, cancelled, onHold, fulfilled) => {
    expect(map({ ...detail, order_status })).toMatchObject({ cancelled, onHold, fulfilled, notes: '晚上送\n易碎' })
  })

  it('puts an unknown status on hold and shows it', () => {
    expect(map({ ...detail, order_status: 'TELEPORTED' })).toMatchObject({
      onHold: true,
      notes: expect.stringContaining('TELEPORTED') as string,
    })
  })

  it('what Shopee itself ships, or ships from advance stock, is not ours to ship', () => {
    expect(map({ ...detail, fulfillment_flag: 'fulfilled_by_shopee' }).onHold).toBe(true)
    expect(map({ ...detail, advance_package: true }).onHold).toBe(true)
  })

  it.each([
    [30005, '', 'cvs', 'UNIMART'],
    [30006, '全家', 'cvs', 'FAMI'],
    [30007, '萊爾富', 'cvs', 'HILIFE'],
    [30014, 'OK Mart', 'cvs', 'OKMART'],
    [30015, '蝦皮店到店', 'cvs', null],
    [30017, '蝦皮店到家宅配', 'home', null],
  ])("channel %s %s is Shopee's own: %s %s", (logistics_channel_id, shipping_carrier, method, chain) => {
    const mapped = map({
      ...detail,
      recipient_address: hidden,
      buyer_username: '****',
      package_list: [{ ...parcel, logistics_channel_id, shipping_carrier }],
    })
    expect(mapped.delivery).toMatchObject({ method, service: 'channel', cvs: chain === null ? null : { chain, storeId: null } })
    expect(mapped.recipient).toEqual({ name: null, phone: null, address: null, masked: true })
    expect(mapped.buyer.name).toBeNull()
  })

  it('a convenience store on a carrier of the seller is no door to deliver to; its number comes from the export', () => {
    const own = { ...detail, package_list: [{ ...parcel, logistics_channel_id: 39998, shipping_carrier: '7-ELEVEN 賣家自寄' }] }
    expect(map(own, { ownCourier: 'TCAT' }).delivery).toMatchObject({
      method: 'cvs',
      service: null,
      cvs: { chain: 'UNIMART', storeId: null },
    })
  })

  it("a wholly masked recipient means Shopee's own logistics, even on a channel nobody has listed", () => {
    expect(
      map({
        ...detail,
        recipient_address: hidden,
        package_list: [{ ...parcel, logistics_channel_id: 30099, shipping_carrier: '' }],
      }).delivery.service,
    ).toBe('channel')
  })

  it('takes channels from the connection, and the wish for a courier of its own', () => {
    const config = { ownCourier: 'TCAT', channels: { 39998: { method: 'cvs', chain: 'FAMI' } } }
    expect(map(detail, config).delivery.service).toBe('TCAT')
    expect(map({ ...detail, package_list: [{ ...parcel, logistics_channel_id: 39998 }] }, config).delivery).toMatchObject({
      service: 'channel',
      cvs: { chain: 'FAMI', storeId: null },
    })
  })

  it('partly masked values are null too, and never invented', () => {
    const mapped = map({
      ...detail,
      recipient_address: { ...recipient, name: 'P******n', phone: '******64', full_address: '中正******' },
    })
    expect(mapped.recipient).toEqual({ name: null, phone: null, address: null, masked: true })
  })

  it('a recipient with a number that is put through is reached by it, with its query number in the notes', () => {
    const mapped = map({
      ...detail,
      recipient_address: { ...recipient, phone: '****' },
      package_list: [{ ...parcel, virtual_contact_number: '0928000886', package_query_number: '66668888' }],
    })
    expect(mapped.recipient).toMatchObject({ phone: '+886928000886', masked: false })
    expect(mapped.notes).toContain('66668888')
  })

  it('cash on delivery is due in full; without a total it is refused, not guessed', () => {
    expect(map({ ...detail, cod: true }).payment).toEqual({
      method: 'cod',
      state: 'due',
      amountDueMinor: 124100,
      currency: 'TWD',
    })
    expect(() => map({ ...detail, cod: true, total_amount: null })).toThrow(/total_amount/)
  })

  it('an unpaid order is pending', () => {
    expect(map({ ...detail, order_status: 'UNPAID', pay_time: null, total_amount: undefined }).payment.state).toBe('pending')
  })

  it("falls back to the item's SKU, then to Shopee's own name for the model", () => {
    expect(map({ ...detail, item_list: [{ ...item, model_sku: ' ' }] }).lines[0]).toMatchObject({
      sku: 'BAG',
      externalSku: 'BAG',
    })
    expect(map({ ...detail, item_list: [{ ...item, model_sku: '', item_sku: null }] }).lines[0]).toMatchObject({
      sku: null,
      externalSku: '2600144043_9001',
    })
  })

  it('one model on two lines keeps two ids', () => {
    expect(map({ ...detail, item_list: [item, item] }).lines.map((line) => line.lineId)).toEqual([
      '2600144043_9001',
      '2600144043_9001#2',
    ])
  })

  it("a bundle's price of 0 is not a price", () => {
    const mapped = map({ ...detail, item_list: [{ ...item, promotion_type: 'bundle_deal', model_discounted_price: 0 }] })
    expect([mapped.lines[0]?.unitPriceMinor, mapped.totals.itemsMinor]).toEqual([null, null])
  })

  it('what was cancelled piece by piece is not shipped', () => {
    const second = { ...item, item_id: 2, model_id: 3 }
    expect(
      map({
        ...detail,
        item_list: [
          { ...item, active_qty: 1 },
          { ...second, active_qty: 0 },
        ],
      }).lines.map((line) => [line.lineId, line.quantity]),
    ).toEqual([['2600144043_9001', 1]])
    expect(map({ ...detail, item_list: [{ ...item, active_qty: 0 }] })).toMatchObject({
      cancelled: true,
      lines: [{ quantity: 2 }],
    })
  })

  it('amounts of a currency without hundredths stay whole', () => {
    expect(
      map({ ...detail, currency: 'VND', total_amount: 32119, item_list: [{ ...item, model_discounted_price: 48000 }] }).totals,
    ).toMatchObject({ totalMinor: 32119, itemsMinor: 96000 })
  })

  it('floats do not lose a cent', () => {
    expect(map({ ...detail, total_amount: 1004.35 }).totals.totalMinor).toBe(100435)
    expect(map({ ...detail, total_amount: 0.1 + 0.2 }).totals.totalMinor).toBe(30)
  })

  it.each([
    ['item_list', { item_list: [] }],
    ['item_list.0.model_quantity_purchased', { item_list: [{ ...item, model_quantity_purchased: 0 }] }],
    ['currency', { currency: 'NT$.' }],
    ['cod', { cod: 'maybe' }],
    ['create_time', { create_time: null }],
  ])('names the field that is wrong: %s', (field, wrong) => {
    expect(() => map({ ...detail, ...wrong })).toThrow(
      expect.objectContaining({
        kind: 'Invalid',
        code: field,
        message: expect.stringContaining('251214B9XAB0ST') as string,
      }) as Error,
    )
  })

  it('an error names no person', () => {
    const message = (() => {
      try {
        map({ ...detail, item_list: [] })
        return ''
      } catch (error) {
        return String(error)
      }
    })()
    expect(message).not.toMatch(/王小明|0912|重慶/)
  })

  it('a push and a record that could not be read say so', () => {
    expect(() => map({ order_sn: 'A', lookAt: { order_sn: 'A', code: 3, status: null } })).toThrow(
      expect.objectContaining({ code: 'look-at' }) as Error,
    )
    expect(() => map({ order_sn: 'A', failure: 'no detail' })).toThrow(/no detail/)
  })

  it('maps every seeded order, with an address the post office knows', async () => {
    const sim = await startShopeeSimulator({ ...PARTNER, now: () => NOW })
    try {
      const orders = seedOrders(40, { newest: NOW })
      sim.seed(orders)
      const records = await fetchOrders(
        context({ config: { baseUrl: sim.url }, http: realHttp() }),
        orders.map((order) => order.orderSn),
      )
      const mapped = records.map((record) => map(record.payload))
      expect(mapped.filter((order) => order.delivery.service === 'channel')).toHaveLength(10)
      expect(mapped.filter((order) => order.payment.method === 'cod')).toHaveLength(12)
      for (const order of mapped) {
        if (order.delivery.service === 'channel')
          expect(order.recipient).toEqual({ name: null, phone: null, address: null, masked: true })
        else {
          expect(order.recipient.phone).toMatch(/^\+8869\d{8}$/)
          expect(order.recipient.address).toMatchObject({
            city: expect.stringMatching(/[市縣]$/) as string,
            district: expect.stringMatching(/區$/) as string,
          })
        }
      }
    } finally {
      await sim.stop()
    }
  })
})

describe("what Shopee's own logistics report", () => {
  it('comes with the order once something was arranged, a record a status', async () => {
    const sim = await startShopeeSimulator({ ...PARTNER, now: () => NOW })
    try {
      const order = seedOrders(1, { newest: NOW, cvsShare: 1 })[0]
      if (!order) throw new Error('no order')
      sim.seed([order])
      const ctx = context({ config: { baseUrl: sim.url }, http: realHttp() })
      const kinds = async () => (await fetchOrders(ctx, [order.orderSn])).map((record) => record.kind)
      expect(await kinds()).toEqual(['order'])
      sim.advance(order.orderSn, 'SHIPPED')
      const [, report] = await fetchOrders(ctx, [order.orderSn])
      expect(report).toMatchObject({
        kind: 'courierStatus',
        externalId: order.orderSn,
        version: `${order.packageNumber}-PICKUP_DONE`,
      })
      expect(report && mapReport(report)).toMatchObject({
        courierBookingId: order.orderSn,
        code: 'LOGISTICS_PICKUP_DONE',
        meaning: 'shipped',
      })
    } finally {
      await sim.stop()
    }
  })

  it.each([
    ['LOGISTICS_REQUEST_CREATED', 'announced'],
    ['PICKUP_DONE', 'shipped'],
    ['LOGISTICS_DELIVERY_DONE', 'delivered'],
    ['LOGISTICS_LOST', 'lost'],
    ['LOGISTICS_DELIVERY_FAILED', 'problem'],
    ['LOGISTICS_COD_REJECTED', 'problem'],
    ['LOGISTICS_ABDUCTED', 'unknown'],
  ])('%s is %s', (logistics_status, meaning) => {
    expect(mapReport({ externalId: 'A', payload: { logistics_status }, eventAt: NOW.toISOString() })).toMatchObject({
      code: logistics_status,
      meaning,
    })
  })
})
