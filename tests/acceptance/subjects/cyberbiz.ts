import type { RawRecord } from '../../../connectors/kit/types.ts'
import { seedOrders, startCyberbizSimulator } from '../../../simulators/cyberbiz/index.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { token: 'acceptance-jwt-token', appSecret: 'acceptance-app-secret', shopDomain: 'example.cyberbiz.co' }
const MINUTE = 60_000
const VARIANT = { id: 83_000_000, product_id: 68_000_000, title: '上衣', name: 'S', sku: 'TEE-S', inventory_management: true }

/** An order with the fields that must be there and no others. */
const detail = (over: Record<string, unknown> = {}): RawRecord => ({
  kind: 'order',
  externalId: '9001',
  version: `1-${JSON.stringify(over).length}`,
  eventAt: null,
  payload: {
    id: 9001,
    created_at: '2026-11-22 10:00:00',
    updated_at: '2026-11-22 10:00:00',
    receiver: { name: '陳**', phone: '0912***678', address: '******' },
    line_items: [{ id: 1, product_variant_id: 2, title: '上衣', sku: 'TEE-S', price: 590, quantity: 1 }],
    prices: null,
    statuses: { order_status: 'open', financial_status: 'paid', fulfillment_status: 'unshipped', return_status: null },
    ...over,
  },
})

export const subject: Subject = {
  name: 'cyberbiz',
  async stage() {
    const sim = await startCyberbizSimulator({ ...ACCOUNT, pageCap: 6 })
    const until = Date.now() - 10 * MINUTE
    const orders = seedOrders(20, { newest: new Date(until), cvsShare: 0.25, codShare: 0.3 })
    sim.seed(orders)
    sim.seed(seedOrders(2, { newest: new Date(until), startAt: 500, posShopId: 3 }))
    sim.stock([{ ...VARIANT, inventory_quantity: 5, posShopId: null }])
    const own = orders[0]!
    const shipped = orders[1]!
    sim.seed([
      {
        ...shipped,
        fulfillments: [
          {
            id: 1,
            tracking_company: 'ezcat',
            tracking_number: '9001',
            fulfilled_at: null,
            received_at: null,
            status: 'fulfilled',
            line_items: [],
          },
        ],
        statuses: { ...shipped.statuses, fulfillment_status: 'fulfilled' },
      },
    ])
    const told = { externalId: String(own.id), key: 'k1', waybill: '900123456785', courier: 'TCAT', lines: [] }
    const done = (end: string) => sim.calls().filter((call) => call.path.endsWith(end) && call.status < 300).length
    return {
      config: { ...ACCOUNT, baseUrl: sim.url, acknowledge: true },
      secrets: [ACCOUNT.token, ACCOUNT.appSecret],
      personalData: orders.flatMap((order) => {
        const { name, phone, address } = order.receiver as { name: string; phone: string; address: string }
        return [name, phone, address, (order.buyer as { email: string }).email]
      }),
      faults: sim.faults,
      bad: [
        { name: 'a wrong token', config: { token: 'wrong' }, says: /token/ },
        { name: 'an address for a domain', config: { shopDomain: 'https://example.cyberbiz.co' }, says: /shopDomain/ },
        { name: 'more a page than there is', config: { pageSize: 51 }, says: /pageSize/ },
      ],
      orders: {
        externalIds: orders.map((order) => String(order.id)),
        window: { from: new Date(until - 60 * MINUTE), to: new Date(until + MINUTE) },
        edit: (id) => void sim.edit(Number(id), (order) => void (order.note = `edited ${Math.random()}`)),
        windowAfterEdits: () => ({ from: new Date(until), to: new Date(Date.now() + 1_000) }),
      },
      writes: [
        {
          name: 'acknowledgeOrder',
          run: (ctx, { acknowledgeOrder }) => acknowledgeOrder!(ctx, { externalId: String(own.id), orderId: 'o1' }),
          effects: () => done('/preparing'),
          request: { path: '/preparing', method: 'PUT' },
        },
        {
          name: 'writeTracking',
          run: (ctx, { writeTracking }) => writeTracking!(ctx, told),
          effects: () => sim.order(own.id).fulfillments.length,
          request: { path: '/custom_shipping', method: 'POST' },
        },
        {
          name: 'writeDelivered',
          run: (ctx, { writeDelivered }) =>
            writeDelivered!(ctx, { externalId: String(shipped.id), waybill: '9001', at: '2026-11-22T10:00:00+08:00' }),
          effects: () => done('/received'),
          request: { path: '/received', method: 'POST' },
        },
        {
          name: 'cancelOrder',
          run: (ctx, { cancelOrder }) => cancelOrder!(ctx, { externalId: String(own.id), reason: 'out of stock' }),
          effects: () => done('/cancelled'),
          request: { path: '/cancelled', method: 'PUT' },
        },
        {
          name: 'stock.push',
          run: async (ctx, { stock }) => {
            const level = {
              listingId: '68000000',
              variantId: '83000000',
              externalSku: 'TEE-S',
              title: null,
              quantity: 41,
              version: 2,
            }
            const [outcome] = await stock!.push!(ctx, [level])
            if (outcome?.error) throw new Error(outcome.error.message)
          },
          effects: () => sim.variants().filter((variant) => variant.inventory_quantity === 41).length,
          request: { path: '/product_variants/83000000', method: 'PUT' },
        },
      ],
      webhook: {
        genuine() {
          const { headers, body } = sim.signedWebhook('orders/paid', own.id)
          return { headers, rawBody: Buffer.from(body) }
        },
        records: 1,
        signatureHeader: 'x-cyberbiz-hmac-sha256',
        withoutSecret: { appSecret: null },
      },
      expireToken: { expire: () => sim.refuseToken(Number.POSITIVE_INFINITY), refreshes: false },
      lenient: {
        unknownStatus: {
          record: detail({ statuses: { order_status: 'open', financial_status: 'paid', fulfillment_status: 'teleported' } }),
          seen: (mapped) => (mapped as { notes: string | null }).notes?.includes('teleported') === true,
        },
        masked: detail(),
        malformed: { ...detail({ line_items: 'none' }), externalId: '9002' },
      },
      stop: sim.stop,
    }
  },
}
