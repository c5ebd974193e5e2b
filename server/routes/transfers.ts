/** Goods on their way between two of our locations. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { arriveTransfer, cancelTransfer, shipTransfer } from '../../activities/store/transfers.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { transaction } from '../../store/db.ts'
import { askTransfer, getTransfer, listTransfers } from '../../store/transfers.ts'
import { notFound } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const text = (most: number) => z.string().min(1).max(most)
const isoTime = z.iso.datetime({ offset: true })
const State = z.enum(['requested', 'shipped', 'arrived', 'cancelled'])
const Id = z.object({ id: text(100).meta({ description: 'Id of the transfer, or its waybill, as it is scanned.' }) })
const Quantities = z
  .record(text(60), z.int().min(0).max(100_000))
  .optional()
  .meta({ description: '{lineId: pieces}, where they are fewer.' })

const TransferSchema = z
  .object({
    id: z.string(),
    purpose: z.enum(['order', 'back', 'stock']).meta({
      description: 'For an order that waits for it; what an order did not want; replenishment.',
    }),
    orderId: z.string().nullable(),
    from: z.string(),
    to: z.string(),
    via: z.string().nullable().meta({ description: 'The transit location where the goods stand on the way.' }),
    state: State,
    carrier: z.string().nullable(),
    waybill: z.string().nullable(),
    expectedOn: z.string().nullable(),
    note: z.string().nullable(),
    by: z.string(),
    madeAt: isoTime,
    shippedAt: isoTime.nullable(),
    arrivedAt: isoTime.nullable(),
    endedBecause: z.string().nullable(),
    lines: z.array(z.object({ lineId: z.string(), sku: z.string(), quantity: z.int(), shipped: z.int(), arrived: z.int() })),
  })
  .meta({ id: 'Transfer' })

const answers = {
  200: { description: 'As it is now; said twice it changes nothing.', schema: TransferSchema },
  409: { description: 'Its state, or its order, does not allow it.' },
  422: { description: 'No such transfer, or not enough goods.' },
}

export const transferRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/transfers',
    operationId: 'listTransfers',
    summary: 'Transfers in the order in which they were asked for, at most 500',
    access: 'key',
    query: z.strictObject({
      state: State.optional(),
      location: text(64).optional().meta({ description: 'From there or to there.' }),
      orderId: text(200).optional(),
    }),
    responses: { 200: { description: 'Transfers.', schema: z.object({ transfers: z.array(TransferSchema) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { transfers: await listTransfers(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/transfers/{id}',
    operationId: 'getTransfer',
    summary: 'One transfer',
    access: 'key',
    params: Id,
    responses: { 200: { description: 'The transfer.', schema: TransferSchema }, 404: { description: 'There is none.' } },
    handle: async ({ runtime, params }) => {
      const transfer = await getTransfer(runtime.pool, params.id).catch((error: unknown) => {
        if (error instanceof OmnisagaError && error.code === 'no-transfer') return null
        throw error
      })
      if (transfer === null) throw notFound('transfer', params.id)
      return { status: 200, body: transfer }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/transfers',
    operationId: 'askTransfer',
    summary: 'Ask for replenishment',
    description: 'Nothing is held for it. An Idempotency-Key header makes sending it twice harmless.',
    access: 'key',
    body: z.strictObject({
      from: text(64),
      to: text(64),
      expectedOn: z.iso.date().nullish(),
      note: text(500).nullish(),
      lines: z
        .array(z.strictObject({ sku: text(100), quantity: z.int().positive().max(100_000) }))
        .min(1)
        .max(500),
    }),
    responses: { 201: { description: 'Asked for.', schema: TransferSchema }, 422: answers[422] },
    handle: async ({ runtime, body, request, who }) => {
      const key = request.headers['idempotency-key']
      const transfer = await transaction(runtime.pool, async (tx) => {
        const id = await askTransfer(tx, {
          ...body,
          key: `stock/${typeof key === 'string' ? key : randomUUID()}`,
          purpose: 'stock',
          orderId: null,
          lines: body.lines.map((line, index) => ({ lineId: String(index + 1), ...line })),
          by: who,
        })
        return await getTransfer(tx, id)
      })
      return { status: 201, body: transfer }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/transfers/{id}/shipped',
    operationId: 'shipTransfer',
    summary: 'The goods have left: they are on hand at the transit location',
    access: 'key',
    params: Id,
    body: z.strictObject({
      carrier: text(100).nullish(),
      waybill: text(100).nullish(),
      expectedOn: z.iso.date().nullish(),
      quantities: Quantities,
    }),
    responses: answers,
    handle: async ({ runtime, params, body }) => {
      const { quantities, ...sent } = body
      const more = quantities === undefined ? {} : { quantities }
      return { status: 200, body: await shipTransfer(runtime, params.id, { ...sent, ...more }) }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/transfers/{id}/arrived',
    operationId: 'arriveTransfer',
    summary: 'The goods are there: kept aside for their order, or on sale',
    access: 'key',
    params: Id,
    body: z.strictObject({ quantities: Quantities }),
    responses: answers,
    handle: async ({ runtime, params, body: { quantities } }) => ({
      status: 200,
      body: await arriveTransfer(runtime, params.id, quantities === undefined ? {} : { quantities }),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/transfers/{id}/cancel',
    operationId: 'cancelTransfer',
    summary: 'Call it off before it is sent',
    access: 'key',
    params: Id,
    responses: answers,
    handle: async ({ runtime, params }) => ({ status: 200, body: await cancelTransfer(runtime, params.id) }),
  }),
]
