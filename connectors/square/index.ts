/** Square: sales at the tills and what comes back to them; orders with a fulfilment, their tracking numbers, cancellations, refunds; levels. */
import { OmnisagaError } from '../../domain/errors.ts'
import { checkBy } from '../kit/call.ts'
import { readShape } from '../kit/json.ts'
import type { Connector } from '../kit/types.ts'
import { ask, type SquareContext } from './api.ts'
import { secretFields, SquareConfig } from './config.ts'
import { mapOrder, mapSale } from './order.ts'
import { fetchOrders, pullOrders, pullSales, receiveWebhook, searchRequest } from './pull.ts'
import { Locations } from './schemas.ts'
import { stock, writtenLocation } from './stock.ts'
import { cancelOrder, refund, writeTracking } from './writeback.ts'

/** Whose account it is, whether the locations are there, whether orders may be read. */
async function work(ctx: SquareContext): Promise<void> {
  const { config } = ctx.connection
  const { locations } = readShape(Locations, await ask(ctx, { method: 'GET', path: '/v2/locations' }), 'Square locations')
  const found = (locations ?? []).map(({ id }) => id)
  const owner = locations?.[0]?.merchant_id
  if (owner && owner !== config.merchantId)
    throw new OmnisagaError('Misconfigured', `the access token is that of another seller, ${owner}`, {
      code: 'other-merchant',
      remedy: `Set merchantId to ${owner}, or give the token of the seller named.`,
    })
  const missing = Object.keys(config.locations).filter((id) => !found.includes(id))
  if (missing.length > 0)
    throw new OmnisagaError('Misconfigured', `locations names ${missing.join(', ')}, which the seller does not have`, {
      code: 'locations',
      remedy: `Use ${found.join(', ') || '(it has none)'}.`,
    })
  if (config.stockLocationId !== null) writtenLocation(config)
  const end = ctx.now()
  const [some = ''] = Object.keys(config.locations)
  await ask(ctx, searchRequest([some], { start: new Date(end.getTime() - 3_600_000), end, take: 1 }))
}

export const square: Connector<SquareConfig> = {
  name: 'square',
  title: 'Square',
  kind: 'pos',
  configSchema: SquareConfig,
  secretFields,
  check: (ctx) => checkBy(() => work(ctx)),
  identity: ({ config }) => ({ channel: 'square', shop: config.merchantId }),
  pullOrders,
  fetchOrders,
  mapOrder,
  pullSales,
  mapSale,
  writeTracking,
  cancelOrder,
  refund,
  receiveWebhook,
  stock,
}
