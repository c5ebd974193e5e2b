import type { RawRecord } from '../../../connectors/kit/types.ts'
import { seedOrder, seedOrders, seedVariant, startMedusaSimulator } from '../../../simulators/medusa/index.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { email: 'omnisaga@shop.example', password: 'acceptance-medusa-password' }
const API_KEY = 'sk_acceptance_medusa'
const MINUTE = 60_000

/** An order with the fields that must be there, and `over`. */
const record = (over: Record<string, unknown>): RawRecord => {
  const { shipping_address: _address, email: _email, ...order } = seedOrder(900, new Date('2026-11-22T02:00:00Z'))
  return {
    kind: 'order',
    externalId: order.id,
    version: `1-${JSON.stringify(over).length}`,
    eventAt: null,
    payload: { ...order, payment_collections: null, fulfillments: null, ...over },
  }
}

export const subject: Subject = {
  name: 'medusa',
  async stage() {
    const variants = [seedVariant(1, 'SHIRT-S', 20, 3), seedVariant(2, 'SHIRT-M', 20, 0)]
    const sim = await startMedusaSimulator({ ...ACCOUNT, apiKey: API_KEY, variants })
    const until = Date.now() - 10 * MINUTE
    const orders = seedOrders(20, new Date(until))
    sim.seed(orders)
    const [first, second] = [orders[0]!, orders[1]!]
    second.fulfillments.push({
      id: 'ful_seeded',
      shipped_at: second.created_at,
      delivered_at: null,
      canceled_at: null,
      metadata: null,
      labels: [{ tracking_number: '9001', tracking_url: '', label_url: '' }],
      items: [{ line_item_id: second.items[0]!.id, quantity: 1 }],
    })
    const told = { externalId: first.id, key: 'k1', waybill: '900123456785', courier: 'TCAT', lines: [] }
    const labelled = () => sim.order(first.id).fulfillments.flatMap(({ labels }) => labels).length
    return {
      config: { ...ACCOUNT, baseUrl: sim.url, shop: 'acceptance', pageSize: 6 },
      secrets: [ACCOUNT.password, API_KEY],
      personalData: orders.flatMap(
        ({ email, shipping_address: { first_name: first_, last_name: last, phone, address_1: street } }) => [
          email,
          `${last}${first_}`,
          phone!,
          street!,
        ],
      ),
      faults: sim.faults,
      bad: [
        { name: 'a wrong password', config: { password: 'wrong' }, says: /email and password/ },
        { name: 'a wrong API key', config: { apiKey: 'sk_wrong' }, says: /apiKey/ },
        { name: 'neither key nor user', config: { email: null }, says: /apiKey/ },
        { name: 'a stock location that is none', config: { stockLocationId: 'sloc_9' }, says: /stockLocationId/ },
      ],
      orders: {
        externalIds: orders.map(({ id }) => id),
        window: { from: new Date(until - MINUTE), to: new Date(until + MINUTE) },
        edit: (id) => sim.edit(id),
        windowAfterEdits: () => ({ from: new Date(until), to: new Date(Date.now() + 1_000) }),
      },
      writes: [
        {
          name: 'writeTracking',
          run: (ctx, { writeTracking }) => writeTracking!(ctx, told),
          effects: () => sim.order(first.id).fulfillments.length,
          request: { path: `/orders/${first.id}/fulfillments`, method: 'POST' },
        },
        {
          name: 'writeTracking, its shipment',
          run: (ctx, { writeTracking }) => writeTracking!(ctx, told),
          effects: labelled,
          request: { path: '/shipments', method: 'POST' },
        },
        {
          name: 'writeDelivered',
          run: (ctx, { writeDelivered }) =>
            writeDelivered!(ctx, { externalId: second.id, waybill: '9001', at: '2026-11-22T10:00:00+08:00' }),
          effects: () => sim.order(second.id).fulfillments.filter((one) => one.delivered_at).length,
          request: { path: '/mark-as-delivered', method: 'POST' },
        },
        {
          name: 'cancelOrder',
          run: (ctx, { cancelOrder }) => cancelOrder!(ctx, { externalId: first.id, reason: 'out of stock' }),
          effects: () => (sim.order(first.id).status === 'canceled' ? sim.order(first.id).version - 1 : 0),
          request: { path: '/cancel', method: 'POST' },
        },
        {
          name: 'refund',
          run: (ctx, { refund }) =>
            refund!(ctx, { externalId: first.id, key: 'r1', amountMinor: 10_000, currency: 'TWD', lines: [], reason: 'damaged' }),
          effects: () =>
            sim
              .order(first.id)
              .payment_collections.flatMap(({ payments }) => payments)
              .flatMap(({ refunds }) => refunds).length,
          request: { path: '/refund', method: 'POST' },
        },
        {
          name: 'stock.push',
          run: async (ctx, { stock }) => {
            const level = {
              listingId: 'prod_1',
              variantId: 'variant_1',
              externalSku: 'SHIRT-S',
              title: null,
              quantity: 41,
              version: 2,
            }
            const [outcome] = await stock!.push!(ctx, [level])
            if (outcome?.error) throw new Error(outcome.error.message)
          },
          // What customers can buy: stocked less the three that are reserved.
          effects: () =>
            sim.variants().filter(({ inventory_items: [item] }) => item?.inventory.location_levels[0]?.stocked_quantity === 44)
              .length,
          request: { path: '/location-levels/batch', method: 'POST' },
        },
      ],
      expireToken: { expire: () => sim.endSessions(), refreshes: true, timesRefreshed: () => sim.logins() },
      lenient: {
        unknownStatus: {
          record: record({ payment_status: 'teleported' }),
          seen: (mapped) => (mapped as { notes: string | null }).notes?.includes('teleported') === true,
        },
        masked: record({ shipping_address: { first_name: '王**', address_1: '******', country_code: 'tw' } }),
        malformed: { ...record({ items: 'none' }), externalId: 'order_malformed' },
      },
      stop: sim.stop,
    }
  },
}
