import type { RawRecord } from '../../../connectors/kit/types.ts'
import { seedOrders, startShopifySimulator } from '../../../simulators/shopify/index.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { shop: 'omnisaga-test.myshopify.com', clientId: 'acceptance-client', clientSecret: 'acceptance-client-secret' }
const MINUTE = 60_000
const PATH = '/graphql.json'
const WAYBILL = '900123456785'

/** An order with the fields that must be there and no others. */
const detail = (over: Record<string, unknown> = {}): RawRecord => ({
  kind: 'order',
  externalId: '9001',
  version: `1-${JSON.stringify(over).length}`,
  eventAt: null,
  payload: {
    id: 'gid://shopify/Order/9001',
    updatedAt: '2026-11-22T02:00:00Z',
    currencyCode: 'TWD',
    displayFulfillmentStatus: 'UNFULFILLED',
    displayFinancialStatus: 'PAID',
    shippingAddress: { lastName: '陳**', address1: '******', phone: '0912***678', countryCodeV2: 'TW' },
    lineItems: { nodes: [{ id: 'gid://shopify/LineItem/1', quantity: 1, sku: 'TEE-S' }] },
    ...over,
  },
})

export const subject: Subject = {
  name: 'shopify',
  async stage() {
    const sim = await startShopifySimulator(ACCOUNT)
    const until = Math.floor(Date.now() / 1000) * 1000 - 10 * MINUTE
    const orders = seedOrders(20, { newest: new Date(until) })
    sim.seed(orders)
    sim.stock([
      { id: '4400', productId: '440', sku: 'TEE-S', title: '上衣', tracked: true, levels: { 77: { available: 3, onHand: 4 } } },
    ])
    const own = orders[0]!
    const externalId = own.id
    const tracking = { externalId, key: 'k1', waybill: WAYBILL, courier: 'TCAT', lines: [] }
    const call = (operationName: string) => ({ path: PATH, fields: { operationName: `^${operationName}$` } })
    return {
      config: { ...ACCOUNT, baseUrl: sim.url, pageSize: 6 },
      secrets: [ACCOUNT.clientSecret],
      personalData: orders.flatMap(({ person }) => [person.phone, person.email, person.address1]),
      faults: sim.faults,
      bad: [
        { name: 'a wrong secret', config: { clientSecret: 'wrong' }, says: /clientSecret/ },
        { name: 'another shop', config: { shop: 'other.myshopify.com' }, says: /another shop/ },
        { name: 'a location that is not there', config: { stockLocationId: '5' }, says: /stockLocationId.*77/ },
        { name: 'no way in', config: { clientId: null, accessToken: null }, says: /accessToken/ },
      ],
      orders: {
        externalIds: orders.map(({ id }) => id),
        window: { from: new Date(until - 60 * MINUTE), to: new Date(until + MINUTE) },
        edit: (id) => sim.edit(id, (order) => void (order.note = `edited ${Math.random()}`)),
        windowAfterEdits: () => ({ from: new Date(until), to: new Date(Date.now() + 1_000) }),
      },
      writes: [
        {
          name: 'writeTracking',
          run: (ctx, { writeTracking }) => writeTracking!(ctx, tracking),
          effects: () => sim.order(externalId).parcels.length,
          request: call('fulfillmentCreate'),
        },
        {
          name: 'writeDelivered',
          async run(ctx, { writeTracking, writeDelivered }) {
            await writeTracking!(ctx, tracking)
            await writeDelivered!(ctx, { externalId, waybill: WAYBILL, at: '2026-11-22T10:00:00+08:00' })
          },
          effects: () => sim.order(externalId).parcels.filter((parcel) => parcel.deliveredAt !== null).length,
          request: call('fulfillmentEventCreate'),
        },
        {
          name: 'cancelOrder',
          run: (ctx, { cancelOrder }) => cancelOrder!(ctx, { externalId, reason: 'out of stock' }),
          effects: () => (sim.order(externalId).cancelledAt === null ? 0 : 1),
          request: call('orderCancel'),
        },
        {
          name: 'refund',
          run: (ctx, { refund }) =>
            refund!(ctx, { externalId, key: 'r1', amountMinor: 10_000, currency: 'TWD', lines: [], reason: 'damaged' }),
          effects: () => sim.order(externalId).transactions.filter((each) => each.kind === 'REFUND').length,
          request: call('refundCreate'),
        },
        {
          name: 'stock.push',
          run: async (ctx, { stock }) => {
            const level = { listingId: '440', variantId: '4400', externalSku: 'TEE-S', title: null, quantity: 41, version: 2 }
            const [outcome] = await stock!.push!(ctx, [level])
            if (outcome?.error) throw new Error(outcome.error.message)
          },
          effects: () => (sim.variant('4400').levels['77']?.available === 41 ? 1 : 0),
          request: call('inventorySetQuantities'),
        },
      ],
      webhook: {
        genuine() {
          const { headers, body } = sim.signedWebhook('orders/updated', externalId)
          return { headers, rawBody: Buffer.from(body) }
        },
        records: 1,
        signatureHeader: 'x-shopify-hmac-sha256',
        withoutSecret: { clientSecret: null, clientId: null, accessToken: 'shpat_lasting' },
        wrongEncoding() {
          const { headers } = sim.signedWebhook('orders/updated', externalId)
          return { headers, rawBody: Buffer.from('id=700&status=paid') }
        },
      },
      expireToken: { expire: sim.expireTokens, refreshes: true, timesRefreshed: sim.tokensGiven },
      lenient: {
        unknownStatus: {
          record: detail({ displayFinancialStatus: 'TELEPORTED' }),
          seen: (mapped) => (mapped as { notes: string | null }).notes?.includes('TELEPORTED') === true,
        },
        masked: detail(),
        malformed: { ...detail({ lineItems: 'none' }), externalId: '9002' },
      },
      stop: sim.stop,
    }
  },
}
