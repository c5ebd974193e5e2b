/** CYBERBIZ v1/v2 as a web shop: orders in by pull and webhook, fulfilments and cancellations back, levels both ways. */
import type { Connector } from '../kit/types.ts'
import { checkAccount } from './check.ts'
import { CyberbizConfig, secretFields } from './config.ts'
import { mapOrder } from './order.ts'
import { fetchOrders, pullOrders } from './pull.ts'
import { receiveWebhook } from './push.ts'
import { mapReturn } from './returns.ts'
import { stock } from './stock.ts'
import { acknowledgeOrder, cancelOrder, writeDelivered, writeTracking } from './writeback.ts'

export { cyberbizPos } from './pos.ts'

export const cyberbiz: Connector<CyberbizConfig> = {
  name: 'cyberbiz',
  title: 'CYBERBIZ',
  kind: 'shop',
  configSchema: CyberbizConfig,
  secretFields,
  check: (ctx) => checkAccount(ctx, 'ec'),
  identity: (connection) => ({ channel: 'cyberbiz', shop: connection.config.shopDomain }),
  pullOrders,
  fetchOrders,
  mapOrder,
  mapReturn,
  acknowledgeOrder,
  writeTracking,
  writeDelivered,
  cancelOrder,
  receiveWebhook,
  stock,
}
