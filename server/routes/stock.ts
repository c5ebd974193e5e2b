/** Stock: what there is, and what was counted. */
import { randomUUID } from 'node:crypto'
import { levels, setOnHand } from '../../store/ledger/operations.ts'
import { transaction } from '../../store/db.ts'
import { refuseUnknownProducts } from '../../store/products.ts'
import { Problem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import { stockSideRoutes } from './stockSides.ts'
import { StockAnswer, StockLevelSchema, StockQuery, StockRequest } from '../schemas.ts'

export const stockRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/stock',
    operationId: 'listStock',
    summary: 'Stock by SKU and location',
    access: 'key',
    description: 'available = on hand − safety − active holds, judged now.',
    query: StockQuery,
    responses: { 200: { description: 'Levels.', schema: StockAnswer } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { stock: await levels(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/stock',
    operationId: 'setStock',
    summary: 'Set a counted quantity',
    access: 'key',
    description: 'An Idempotency-Key header makes sending it twice harmless.',
    body: StockRequest,
    responses: {
      200: { description: 'The level as it is now.', schema: StockLevelSchema },
      422: { description: 'Unknown location or product, or less than what is held for orders.' },
    },
    handle: async ({ runtime, body, request }) => {
      const key = request.headers['idempotency-key']
      const known = await runtime.pool.query('select 1 from locations where id = $1', [body.location])
      if (known.rowCount === 0) {
        throw new Problem(422, 'Cannot be processed', `There is no location '${body.location}'.`, {
          errors: [
            {
              path: 'location',
              value: body.location,
              message: 'unknown location',
              remedy: 'Add it by `omnisaga connections apply FILE`, or correct it.',
            },
          ],
        })
      }
      await refuseUnknownProducts(runtime.pool, [body.sku])
      await transaction(runtime.pool, (tx) =>
        setOnHand(tx, { ...body, key: `count:${typeof key === 'string' ? key : randomUUID()}` }),
      )
      const [level] = await levels(runtime.pool, { sku: body.sku, location: body.location })
      return { status: 200, body: level }
    },
  }),
  ...stockSideRoutes,
]
