/** Shopify Admin GraphQL: orders in by pull and webhook; parcels, delivery, cancellations and refunds back; levels both ways. */
import { OmnisagaError } from '../../domain/errors.ts'
import { checkBy } from '../kit/call.ts'
import type { Connector } from '../kit/types.ts'
import { ask, type ShopifyContext } from './api.ts'
import { secretFields, ShopifyConfig } from './config.ts'
import { mapOrder } from './order.ts'
import { fetchOrders, pullOrders, receiveWebhook } from './pull.ts'
import { parseShop, shopRequest } from './queries.ts'
import { refund } from './refund.ts'
import { stock, writtenLocation } from './stock.ts'
import { cancelOrder, writeDelivered, writeTracking } from './writeback.ts'

/** `write_x` includes `read_x`. */
const SCOPES = [
  'read_orders',
  'write_orders',
  'write_fulfillments',
  'write_merchant_managed_fulfillment_orders',
  'read_products',
  'write_inventory',
  'read_locations',
]

/** Whose shop it is, what the app may do, where levels go. */
async function work(ctx: ShopifyContext): Promise<void> {
  const { shop, currentAppInstallation } = parseShop(await ask(ctx, shopRequest()))
  if (shop.myshopifyDomain !== ctx.connection.config.shop)
    throw new OmnisagaError('Misconfigured', `the access is that of another shop, ${shop.myshopifyDomain}`, {
      code: 'other-shop',
      remedy: `Set shop to ${shop.myshopifyDomain}, or give the access of the shop named.`,
    })
  const has = new Set(currentAppInstallation.accessScopes.map(({ handle }) => handle))
  const missing = SCOPES.filter((scope) => !has.has(scope) && !has.has(scope.replace('read_', 'write_')))
  if (missing.length > 0)
    throw new OmnisagaError('Misconfigured', `the app lacks the access scopes ${missing.join(', ')}`, {
      code: 'scopes',
      remedy: 'Add them to the app and install it again.',
    })
  if (ctx.connection.config.stockLocationId !== null) await writtenLocation(ctx)
}

export const shopify: Connector<ShopifyConfig> = {
  name: 'shopify',
  title: 'Shopify Admin GraphQL',
  kind: 'shop',
  configSchema: ShopifyConfig,
  secretFields,
  check: (ctx) => checkBy(() => work(ctx)),
  identity: ({ config }) => ({ channel: 'shopify', shop: config.shop }),
  pullOrders,
  fetchOrders,
  mapOrder,
  writeTracking,
  writeDelivered,
  cancelOrder,
  paysBackItself: (config) => config.refundOnCancel,
  refund,
  receiveWebhook,
  stock,
}
