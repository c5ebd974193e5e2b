import type { RawRecord } from '../../../connectors/kit/types.ts'
import { seedOrders, startSquareSimulator } from '../../../simulators/square/index.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { accessToken: 'acceptance-square-token', merchantId: 'MERCHANT1' }
const WEBHOOK = { signatureKey: 'acceptance-signature-key', notificationUrl: 'https://erp.example.com/webhooks/square' }
const MINUTE = 60_000

/** An order with the fields that must be there and no others. */
const detail = (over: Record<string, unknown> = {}): RawRecord => ({
  kind: 'order',
  externalId: 'X1',
  version: `1-${JSON.stringify(over).length}`,
  eventAt: null,
  payload: {
    id: 'X1',
    location_id: 'L1',
    state: 'OPEN',
    created_at: '2026-11-22T02:00:00Z',
    updated_at: '2026-11-22T02:00:00Z',
    line_items: [{ quantity: '1' }],
    fulfillments: [{ type: 'SHIPMENT', state: 'PROPOSED', shipment_details: { recipient: { display_name: '陳**' } } }],
    ...over,
  },
})

export const subject: Subject = {
  name: 'square',
  async stage() {
    const sim = await startSquareSimulator({ ...ACCOUNT, ...WEBHOOK })
    const until = Date.now() - 10 * MINUTE
    const orders = seedOrders(20, { newest: new Date(until) })
    sim.seed([...orders, ...seedOrders(3, { newest: new Date(until), atTill: true })])
    sim.stock([{ id: 'VAR1', itemId: 'ITEM1', name: 'Small', sku: 'TEE-S' }], { VAR1: 3 })
    const own = orders[0]!
    const externalId = own.id
    const path = `/v2/orders/${externalId}`
    const recipients = orders.map((order) => order.fulfillments?.[0]?.shipment_details?.recipient as Record<string, string>)
    return {
      config: {
        ...ACCOUNT,
        baseUrl: sim.url,
        webhookSignatureKey: WEBHOOK.signatureKey,
        notificationUrl: WEBHOOK.notificationUrl,
        locations: { L1: 'store-one' },
        pageSize: 6,
      },
      secrets: [ACCOUNT.accessToken, WEBHOOK.signatureKey],
      personalData: recipients.flatMap(({ phone_number: phone = '', email_address: email = '' }) => [phone, email]),
      faults: sim.faults,
      bad: [
        { name: 'a wrong token', config: { accessToken: 'wrong' }, says: /credentials|401/ },
        { name: 'another seller', config: { merchantId: 'OTHER' }, says: /another seller/ },
        { name: 'a location that is not there', config: { locations: { L9: 'store-one' } }, says: /L9/ },
        { name: 'no location at all', config: { locations: {} }, says: /locations/ },
      ],
      orders: {
        externalIds: orders.map(({ id }) => id),
        window: { from: new Date(until - 60 * MINUTE), to: new Date(until + MINUTE) },
        edit: (id) => sim.edit(id, (order) => void (order.reference_id = `edited ${Math.random()}`)),
        windowAfterEdits: () => ({ from: new Date(until), to: new Date(Date.now() + 1_000) }),
      },
      writes: [
        {
          name: 'writeTracking',
          run: (ctx, { writeTracking }) =>
            writeTracking!(ctx, { externalId, key: 'k1', waybill: '900123456785', courier: 'UPS', lines: [] }),
          effects: () => (sim.order(externalId).version === 2 && sim.order(externalId).state === 'COMPLETED' ? 1 : 0),
          request: { path, method: 'PUT' },
        },
        {
          name: 'cancelOrder',
          run: (ctx, { cancelOrder }) => cancelOrder!(ctx, { externalId, reason: 'out of stock' }),
          effects: () => (sim.order(externalId).state === 'CANCELED' ? 1 : 0),
          request: { path, method: 'PUT' },
        },
        {
          name: 'refund',
          run: (ctx, { refund }) =>
            refund!(ctx, { externalId, key: 'r1', amountMinor: 500, currency: 'USD', lines: [], reason: 'damaged' }),
          effects: () => sim.refunds().length,
          request: { path: '/v2/refunds', method: 'POST' },
        },
        {
          name: 'stock.push',
          run: async (ctx, { stock }) => {
            const level = { listingId: 'ITEM1', variantId: 'VAR1', externalSku: 'TEE-S', title: null, quantity: 41, version: 2 }
            const [outcome] = await stock!.push!(ctx, [level])
            if (outcome?.error) throw new Error(outcome.error.message)
          },
          effects: () => (sim.count('VAR1') === 41 ? sim.countings() : 0),
          request: { path: '/v2/inventory/changes/batch-create', method: 'POST' },
        },
      ],
      webhook: {
        genuine() {
          const { headers, body } = sim.signedWebhook('order.updated', externalId)
          return { headers, rawBody: Buffer.from(body) }
        },
        records: 1,
        signatureHeader: 'x-square-hmacsha256-signature',
        withoutSecret: { webhookSignatureKey: null },
        wrongEncoding() {
          const { headers } = sim.signedWebhook('order.updated', externalId)
          return { headers, rawBody: Buffer.from('type=order.updated') }
        },
      },
      expireToken: { expire: sim.revokeToken, refreshes: false },
      lenient: {
        unknownStatus: {
          record: detail({ state: 'TELEPORTED' }),
          seen: (mapped) => (mapped as { notes: string | null }).notes?.includes('TELEPORTED') === true,
        },
        masked: detail(),
        malformed: { ...detail({ line_items: 'none' }), externalId: 'X2' },
      },
      stop: sim.stop,
    }
  },
}
