/** Our own stores: in-store orders, try-on requests and POS sales to be shipped, sent to `POST /api/v1/orders`. */
import { z } from 'zod'
import { incomingOrderOf } from '../kit/incoming.ts'
import type { Connector } from '../kit/types.ts'

export const StoreConfig = z.strictObject({
  channel: z.literal('store').default('store').describe('Always `store`.'),
  shop: z.string().min(1).describe('The store, as orders name it.'),
  location: z
    .string()
    .min(1)
    .describe("The store's own location: where a try-on happens and goods are handed over when the order names none."),
})
export type StoreConfig = z.infer<typeof StoreConfig>

const HAPPENS_HERE = new Set(['storePickup', 'handOver'])

export const store: Connector<StoreConfig> = {
  name: 'store',
  title: 'Our own stores',
  kind: 'pos',
  configSchema: StoreConfig,
  secretFields: [],
  check: async () => ({ ok: true, problems: [] }),
  identity: ({ config }) => ({ channel: config.channel, shop: config.shop }),
  mapOrder({ name, config }, { externalId, payload }) {
    const order = incomingOrderOf(payload, { channel: config.channel, shop: config.shop, connection: name, externalId })
    const here = order.delivery.location === null && (order.kind === 'tryOn' || HAPPENS_HERE.has(order.delivery.method))
    return here ? { ...order, delivery: { ...order.delivery, location: config.location } } : order
  },
}
