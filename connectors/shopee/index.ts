/** Shopee Open Platform v2: orders in, tracking numbers and cancellations back, pushes, and Shopee's own logistics. */
import { checkBy } from '../kit/call.ts'
import type { CheckResult, Connector } from '../kit/types.ts'
import { orderListRequest, parseOrderList } from './api.ts'
import { secretFields, ShopeeConfig } from './config.ts'
import { courier } from './courier.ts'
import { mapOrder } from './map-order.ts'
import { fetchOrders, pullOrders } from './pull.ts'
import { receiveWebhook } from './push.ts'
import { mapReturn, pullReturns } from './returns.ts'
import { shopCall, type ShopeeContext } from './transport.ts'
import { cancelOrder, writeTracking } from './writeback.ts'

/** One small request shows that the signature, the tokens and the shop are right. */
async function check(ctx: ShopeeContext): Promise<CheckResult> {
  const problems: CheckResult['problems'] = []
  const { config } = ctx.connection
  if (Boolean(config.pushPartnerKey) !== Boolean(config.callbackUrl))
    problems.push({
      message: 'pushes need both pushPartnerKey and callbackUrl',
      remedy: 'Give both, or neither and rely on the pull.',
    })
  const to = Math.floor(ctx.now().getTime() / 1000)
  const list = orderListRequest({ from: to - 3600, to, pageSize: 1, cursor: '' })
  return await checkBy(async () => parseOrderList(await shopCall(ctx, list)), problems)
}

export const shopee: Connector<ShopeeConfig> = {
  name: 'shopee',
  title: 'Shopee Open Platform v2',
  kind: 'marketplace',
  configSchema: ShopeeConfig,
  secretFields,
  check,
  identity: (connection) => ({ channel: 'shopee', shop: String(connection.config.shopId) }),
  pullOrders,
  fetchOrders,
  mapOrder,
  pullReturns,
  mapReturn,
  writeTracking,
  cancelOrder,
  paysBackItself: () => true,
  receiveWebhook,
  courier,
}
