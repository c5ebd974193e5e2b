/** Vendure 3: orders in by pull, fulfilments, deliveries, cancellations and refunds back, levels both ways. It has no webhooks. */
import { checkBy } from '../kit/call.ts'
import type { Connector } from '../kit/types.ts'
import { changedOrdersRequest, parseOrders } from './api.ts'
import { secretFields, VendureConfig } from './config.ts'
import { mapOrder, shopOf } from './order.ts'
import { fetchOrders, pullOrders } from './pull.ts'
import { ask, type VendureContext } from './session.ts'
import { stock, writtenLocation } from './stock.ts'
import { cancelOrder, refund, writeDelivered, writeTracking } from './writeback.ts'

/** Opens the session, reads one order and the stock locations: what the account may not do is said. */
async function work(ctx: VendureContext): Promise<void> {
  const end = ctx.now()
  parseOrders(await ask(ctx, changedOrdersRequest({ start: new Date(end.getTime() - 3_600_000), end, take: 1 })))
  await writtenLocation(ctx)
}

export const vendure: Connector<VendureConfig> = {
  name: 'vendure',
  title: 'Vendure 3',
  kind: 'shop',
  configSchema: VendureConfig,
  secretFields,
  check: (ctx) => checkBy(() => work(ctx)),
  identity: ({ config }) => ({ channel: 'vendure', shop: shopOf(config) }),
  pullOrders,
  fetchOrders,
  mapOrder,
  writeTracking,
  writeDelivered,
  cancelOrder,
  refund,
  stock,
}
