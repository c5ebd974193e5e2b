/**
 * Medusa 2: orders in by pull, shipments, deliveries, cancellations and refunds back, levels both ways. It sends no webhooks
 * unless the shop writes a subscriber of its own.
 */
import { checkBy } from '../kit/call.ts'
import type { Connector } from '../kit/types.ts'
import { changedOrdersRequest, parseOrders } from './api.ts'
import { MedusaConfig, secretFields } from './config.ts'
import { mapOrder, shopOf } from './order.ts'
import { fetchOrders, pullOrders } from './pull.ts'
import { ask, type MedusaContext } from './session.ts'
import { stock, writtenLocation } from './stock.ts'
import { cancelOrder, refund, writeDelivered, writeTracking } from './writeback.ts'

/** Reads one order and the stock locations: what the account may not do is said. */
async function work(ctx: MedusaContext): Promise<void> {
  const end = ctx.now()
  parseOrders(await ask(ctx, changedOrdersRequest({ start: new Date(end.getTime() - 3_600_000), end, take: 1 })))
  await writtenLocation(ctx)
}

export const medusa: Connector<MedusaConfig> = {
  name: 'medusa',
  title: 'Medusa 2',
  kind: 'shop',
  configSchema: MedusaConfig,
  secretFields,
  check: (ctx) => checkBy(() => work(ctx)),
  identity: ({ config }) => ({ channel: 'medusa', shop: shopOf(config) }),
  pullOrders,
  fetchOrders,
  mapOrder,
  writeTracking,
  writeDelivered,
  cancelOrder,
  refund,
  stock,
}
