import { seedOrders, startShopeeSimulator } from '../../../simulators/shopee/index.ts'
import type { RawRecord } from '../../../connectors/kit/types.ts'
import { aParcel, bookOnce, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

const PARTNER = { partnerId: 2001887, partnerKey: 'a1b2c3partnerkey', shopId: 600000 }
const PUSH = { callbackUrl: 'https://shop.example/webhooks/shopee', partnerKey: 'acceptancepushkey' }
const MINUTE = 60_000

/** An order detail with the fields that must be there and no others. */
const detail = (over: Record<string, unknown> = {}): RawRecord => ({
  kind: 'order',
  externalId: '261122S0000001',
  version: `1-${JSON.stringify(over).length}`,
  eventAt: null,
  payload: {
    order_sn: '261122S0000001',
    order_status: 'READY_TO_SHIP',
    region: 'TW',
    currency: 'TWD',
    cod: false,
    total_amount: 650,
    create_time: 1_795_226_400,
    update_time: 1_795_226_400,
    item_list: [{ item_id: 1, item_name: '上衣', model_id: 2, model_quantity_purchased: 1, model_discounted_price: 590 }],
    recipient_address: { name: '****', phone: '****', full_address: '****' },
    ...over,
  },
})

export const subject: Subject = {
  name: 'shopee',
  async stage() {
    const sim = await startShopeeSimulator({ ...PARTNER, pageCap: 6, push: PUSH })
    const until = Date.now() - 10 * MINUTE
    const orders = seedOrders(20, { newest: new Date(until), cvsShare: 0.25 })
    sim.seed(orders)
    const own = orders.find((order) => !order.integrated)?.orderSn ?? ''
    const carried = orders.find((order) => order.integrated)?.orderSn ?? ''
    const done = (path: string) => sim.calls().filter((call) => call.path.endsWith(path) && call.error === '').length
    const firstTokens = sim.tokens()
    return {
      config: {
        ...PARTNER,
        ...firstTokens,
        baseUrl: sim.url,
        pushPartnerKey: PUSH.partnerKey,
        callbackUrl: PUSH.callbackUrl,
      },
      secrets: [PARTNER.partnerKey, PUSH.partnerKey, firstTokens.accessToken, firstTokens.refreshToken],
      personalData: [
        RECIPIENT.name,
        RECIPIENT.phone,
        RECIPIENT.address,
        ...orders.flatMap(({ recipient }) => [recipient.name, recipient.phone, recipient.fullAddress]),
      ],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { partnerKey: 'wrong' }, says: /partnerKey/ },
        { name: "another shop's id", config: { shopId: 1 }, says: /shop/ },
        { name: 'a push key without its address', config: { callbackUrl: null }, says: /callbackUrl/ },
        { name: 'a page of nothing', config: { pageSize: 0 }, says: /pageSize/ },
      ],
      orders: {
        externalIds: orders.map((order) => order.orderSn),
        window: { from: new Date(until - 60 * MINUTE), to: new Date(until + MINUTE) },
        edit: (orderSn) => void sim.edit(orderSn, { note: `edited ${Math.random()}` }),
        windowAfterEdits: () => ({ from: new Date(until), to: new Date(Date.now() + 1_000) }),
      },
      writes: [
        {
          name: 'writeTracking',
          run: (ctx, { writeTracking }) =>
            writeTracking!(ctx, { externalId: own, key: 'k1', waybill: '900123456785', courier: 'TCAT', lines: [] }),
          effects: () => done('/ship_order'),
          request: { path: '/ship_order', method: 'POST' },
        },
        {
          name: 'cancelOrder',
          run: (ctx, { cancelOrder }) => cancelOrder!(ctx, { externalId: own, reason: 'out of stock' }),
          effects: () => done('/cancel_order'),
          request: { path: '/cancel_order', method: 'POST' },
        },
        {
          name: 'courier.book',
          run: (ctx, connector) =>
            bookOnce(ctx, connector, aParcel({ service: 'channel', channelOrder: { externalId: carried } })),
          effects: () => done('/ship_order'),
          request: { path: '/ship_order', method: 'POST' },
        },
      ],
      webhook: {
        genuine() {
          const { headers, body } = sim.signedPush(own)
          return { headers, rawBody: Buffer.from(body) }
        },
        records: 1,
        signatureHeader: 'authorization',
        withoutSecret: { pushPartnerKey: null },
      },
      expireToken: {
        expire: sim.expireTokens,
        refreshes: true,
        timesRefreshed: () => done('/access_token/get'),
      },
      lenient: {
        unknownStatus: {
          record: detail({ order_status: 'TELEPORTED' }),
          seen: (mapped) => (mapped as { notes: string | null }).notes?.includes('TELEPORTED') === true,
        },
        masked: detail(),
        malformed: { ...detail({ item_list: 'none' }), externalId: '261122S0000002' },
      },
      stop: sim.stop,
    }
  },
}
