/** WooCommerce REST v3: orders in by pull and webhook; tracking, cancellations and refunds back; levels both ways. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { CheckResult, Connector } from '../kit/types.ts'
import { send, type WooContext } from './api.ts'
import { secretFields, WooConfig } from './config.ts'
import { mapOrder } from './order.ts'
import { fetchOrders, orderListRequest, pullOrders, receiveWebhook } from './pull.ts'
import { stock } from './stock.ts'
import { cancelOrder, refund, writeDelivered, writeTracking } from './writeback.ts'

/** One small request shows that the address and the key are right. */
async function check(ctx: WooContext): Promise<CheckResult> {
  const problems: CheckResult['problems'] = []
  const to = Math.floor(ctx.now().getTime() / 1000)
  try {
    await send(ctx, orderListRequest({ from: to - 3600, to }, 'any', 1, 1))
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    problems.push({ message: error.message, remedy: error.remedy ?? "Try again; if it stays, read the shop's message." })
  }
  return { ok: problems.length === 0, problems }
}

export const woocommerce: Connector<WooConfig> = {
  name: 'woocommerce',
  title: 'WooCommerce REST v3',
  kind: 'shop',
  configSchema: WooConfig,
  secretFields,
  check,
  identity: (connection) => ({ channel: 'woocommerce', shop: new URL(connection.config.baseUrl).host }),
  pullOrders,
  fetchOrders,
  mapOrder,
  writeTracking,
  writeDelivered,
  cancelOrder,
  refund,
  receiveWebhook,
  stock,
}
