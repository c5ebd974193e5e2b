import type { RawRecord } from '../../../connectors/kit/types.ts'
import { seedOrders, startWooSimulator } from '../../../simulators/woocommerce/index.ts'
import type { Subject } from '../subject.ts'

const KEY = { consumerKey: 'ck_acceptance', consumerSecret: 'cs_acceptance', webhookSecret: 'acceptance-webhook' }
const MINUTE = 60_000

/** An order with the fields that must be there and no others. */
const detail = (over: Record<string, unknown> = {}): RawRecord => ({
  kind: 'order',
  externalId: '9001',
  version: `1-${JSON.stringify(over).length}`,
  eventAt: null,
  payload: {
    id: 9001,
    status: 'processing',
    currency: 'TWD',
    date_modified_gmt: '2026-11-22T02:00:00',
    total: '590.00',
    shipping: { last_name: '陳**', address_1: '******', phone: '0912***678', country: 'TW' },
    line_items: [{ id: 1, quantity: 1, product_id: 93, variation_id: 0, total: '590.00' }],
    ...over,
  },
})

export const subject: Subject = {
  name: 'woocommerce',
  async stage() {
    const sim = await startWooSimulator({ ...KEY, pageCap: 6 })
    const until = Date.now() - 10 * MINUTE
    const orders = seedOrders(20, { newest: new Date(until), cvsShare: 0.25, codShare: 0.3 })
    sim.seed(orders)
    sim.stock([{ id: 93, name: '上衣', type: 'simple', sku: 'TEE-S', manage_stock: false, stock_quantity: null, variations: [] }])
    const own = orders[0]!
    const externalId = String(own.id)
    const path = `/orders/${own.id}`
    const metas = (prefix: string) => sim.order(own.id).meta_data.filter((meta) => meta.key.startsWith(prefix)).length
    const tracking = { externalId, key: 'k1', waybill: '900123456785', courier: 'TCAT', lines: [] }
    return {
      config: { ...KEY, baseUrl: sim.url },
      secrets: [KEY.consumerSecret, KEY.webhookSecret],
      personalData: orders.flatMap((order) => {
        const { phone, email, address_1: address } = order.billing as { phone: string; email: string; address_1: string }
        return [phone, email, address]
      }),
      faults: sim.faults,
      bad: [
        { name: 'a wrong secret', config: { consumerSecret: 'wrong' }, says: /consumerSecret/ },
        {
          name: 'a page of WordPress',
          config: { baseUrl: `${sim.url}/blog` },
          says: /rest_no_route|No route|signature|consumerKey/i,
        },
        { name: 'more a page than there is', config: { pageSize: 101 }, says: /pageSize/ },
      ],
      orders: {
        externalIds: orders.map((order) => String(order.id)),
        window: { from: new Date(until - 60 * MINUTE), to: new Date(until + MINUTE) },
        edit: (id) => void sim.edit(Number(id), (order) => void (order.customer_note = `edited ${Math.random()}`)),
        windowAfterEdits: () => ({ from: new Date(until), to: new Date(Date.now() + 1_000) }),
      },
      writes: [
        {
          name: 'writeTracking',
          run: (ctx, { writeTracking }) => writeTracking!(ctx, tracking),
          effects: () => (sim.order(own.id).status === 'completed' ? metas('_omnisaga_parcel_') : 0),
          request: { path, method: 'PUT' },
        },
        {
          name: 'writeTracking, the note',
          run: (ctx, { writeTracking }) => writeTracking!(ctx, tracking),
          effects: () => sim.notes(own.id).length,
          request: { path: `${path}/notes`, method: 'POST' },
        },
        {
          name: 'writeDelivered',
          run: (ctx, { writeDelivered }) =>
            writeDelivered!(ctx, { externalId, waybill: '900123456785', at: '2026-11-22T10:00:00+08:00' }),
          effects: () => metas('_omnisaga_delivered_'),
          request: { path, method: 'PUT' },
        },
        {
          name: 'cancelOrder',
          run: (ctx, { cancelOrder }) => cancelOrder!(ctx, { externalId, reason: 'out of stock' }),
          effects: () => (sim.order(own.id).status === 'cancelled' ? 1 : 0),
          request: { path, method: 'PUT' },
        },
        {
          name: 'refund',
          run: (ctx, { refund }) =>
            refund!(ctx, { externalId, key: 'r1', amountMinor: 10_000, currency: 'TWD', lines: [], reason: 'damaged' }),
          effects: () => sim.refunds(own.id).length,
          request: { path: `${path}/refunds`, method: 'POST' },
        },
        {
          name: 'stock.push',
          run: async (ctx, { stock }) => {
            const level = { listingId: '93', variantId: null, externalSku: 'TEE-S', title: null, quantity: 41, version: 2 }
            const [outcome] = await stock!.push!(ctx, [level])
            if (outcome?.error) throw new Error(outcome.error.message)
          },
          effects: () => sim.products().filter((product) => product.stock_quantity === 41).length,
          request: { path: '/products/batch', method: 'POST' },
        },
      ],
      webhook: {
        genuine() {
          const { headers, body } = sim.signedWebhook('order.updated', own.id)
          return { headers, rawBody: Buffer.from(body) }
        },
        records: 1,
        signatureHeader: 'x-wc-webhook-signature',
        withoutSecret: { webhookSecret: null },
        wrongEncoding() {
          const { headers } = sim.signedWebhook('order.updated', own.id)
          return { headers, rawBody: Buffer.from('id=700&status=processing') }
        },
      },
      expireToken: { expire: sim.revokeKey, refreshes: false },
      lenient: {
        unknownStatus: {
          record: detail({ status: 'teleported' }),
          seen: (mapped) => (mapped as { notes: string | null }).notes?.includes('teleported') === true,
        },
        masked: detail(),
        malformed: { ...detail({ line_items: 'none' }), externalId: '9002' },
      },
      stop: sim.stop,
    }
  },
}
