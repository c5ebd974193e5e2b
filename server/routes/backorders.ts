/** What customers were promised that is not there, and what is to be bought for orders that wait. */
import { z } from 'zod'
import { purchasesCsv } from '../../activities/shortage/purchases.ts'
import { listBackorders, listPurchaseRequests } from '../../store/backorders.ts'
import { defineRoute, type Route } from '../route.ts'

const text = z.string().min(1).max(100)
const Backorder = z
  .object({
    orderId: z.string(),
    externalId: z.string(),
    lineId: z.string(),
    sku: z.string(),
    quantity: z.int().meta({ description: 'Pieces that are not there; what is there is held.' }),
    promisedAt: z.string(),
    state: z.enum(['open', 'served', 'cancelled']),
    openedAt: z.string(),
    endedAt: z.string().nullable(),
  })
  .meta({ id: 'Backorder' })
const PurchaseRequest = z
  .object({
    id: z.int(),
    sku: z.string(),
    name: z.string().nullable(),
    quantity: z.int(),
    orders: z.int().meta({ description: 'How many orders wait for it.' }),
    toldQuantity: z.int().nullable().meta({ description: 'The pieces that buyers were asked for by the task `stock.purchase`.' }),
    state: z.enum(['open', 'closed']),
    openedAt: z.string(),
    updatedAt: z.string(),
    closedAt: z.string().nullable(),
  })
  .meta({ id: 'PurchaseRequest' })

export const backorderRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/backorders',
    operationId: 'listBackorders',
    summary: 'Pieces promised to customers that are not there, in the order in which they are served',
    access: 'key',
    query: z.strictObject({
      state: z.enum(['open', 'served', 'cancelled']).optional(),
      sku: text.optional(),
      orderId: text.optional(),
      limit: z.coerce.number().int().min(1).max(10_000).default(500),
    }),
    responses: { 200: { description: 'By article.', schema: z.object({ backorders: z.array(Backorder) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { backorders: await listBackorders(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/purchase-requests',
    operationId: 'listPurchaseRequests',
    summary: 'What is to be bought for orders that wait, one open request an article',
    access: 'key',
    query: z.strictObject({ state: z.enum(['open', 'closed']).optional(), sku: text.optional() }),
    responses: {
      200: { description: 'Newest first.', schema: z.object({ purchaseRequests: z.array(PurchaseRequest) }) },
    },
    handle: async ({ runtime, query }) => ({
      status: 200,
      body: { purchaseRequests: await listPurchaseRequests(runtime.pool, query) },
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/purchase-requests.csv',
    operationId: 'exportPurchaseRequests',
    summary: 'The open purchase requests as a list for the supplier',
    access: 'key',
    responses: { 200: { description: 'CSV in UTF-8: sku, name, quantity, orders, since.', contentType: 'text/csv' } },
    handle: async ({ runtime }) => ({
      status: 200,
      contentType: 'text/csv; charset=utf-8',
      body: purchasesCsv(await listPurchaseRequests(runtime.pool, { state: 'open' })),
    }),
  }),
]
