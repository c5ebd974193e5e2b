/** Returns, exchanges, and what the customer says after the delivery. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { exchangeLines } from '../../activities/returns/exchange.ts'
import { giveFeedback } from '../../activities/returns/feedback.ts'
import { askReturn, decideReturn } from '../../activities/returns/ask.ts'
import { inspectReturn } from '../../activities/returns/inspect.ts'
import { receiveReturn } from '../../activities/returns/receive.ts'
import { DISPOSITIONS } from '../../domain/returns.ts'
import { parsePhone } from '../../mappings/normalise/index.ts'
import { findOrderId } from '../../store/orders.ts'
import { findReturn, listReturns } from '../../store/returns.ts'
import { notFound } from '../problem.ts'
import { ReturnSchema } from '../returnSchemas.ts'
import { defineRoute, type Route } from '../route.ts'
import { OrderId } from '../schemas.ts'

const text = (most: number) => z.string().min(1).max(most)
const pieces = z.int().positive().max(100_000)
const Id = z.object({ id: text(60) })

const Line = z.strictObject({ lineId: text(200), quantity: pieces })
const AskRequest = z.strictObject({
  lines: z.array(Line).min(1).max(200),
  reason: text(300),
  way: z
    .enum(['courier', 'cvs', 'store'])
    .meta({ description: 'Fetched by a courier, handed in at a convenience store, brought to a store.' }),
  location: text(64).nullish().meta({ description: 'Where the goods shall come; default: where they left from.' }),
  pickup: z
    .strictObject({ name: text(60), phone: text(40), postalCode: text(10).nullish(), address: text(200) })
    .nullish()
    .meta({ description: "Where a courier fetches them; default: the order's recipient." }),
  exchange: z
    .strictObject({
      lines: z
        .array(z.strictObject({ sku: text(100), quantity: pieces, unitPriceMinor: z.int().min(0), name: text(200).nullish() }))
        .min(1)
        .max(100),
    })
    .nullish()
    .meta({
      description: 'Goods wanted instead: an order of its own that holds them at once and leaves when the return is here.',
    }),
})
const ReceiveRequest = z.strictObject({
  location: text(64),
  lines: z.array(Line).min(1).max(200).nullish().meta({ description: 'Default: all that is still to come.' }),
})
const InspectRequest = z.strictObject({
  lines: z
    .array(
      z.strictObject({
        lineId: text(200),
        quantity: pieces,
        disposition: z.enum(DISPOSITIONS),
        location: text(64).nullish().meta({ description: 'Default: where it was received, or as the policy says.' }),
        note: text(300).nullish(),
      }),
    )
    .min(1)
    .max(400),
  refundMinor: z.int().min(0).nullish().meta({ description: 'Less than the goods are worth, when a person says so.' }),
})

const refusals = {
  404: { description: 'No such order or return.' },
  409: { description: 'Not in this state; `detail` says why.' },
  422: { description: 'Pieces that are not there, or an unknown location.' },
}

const decide = (word: 'approve' | 'refuse' | 'cancel', summary: string): Route =>
  defineRoute({
    method: 'POST',
    path: `/api/v1/returns/{id}/${word}`,
    operationId: `${word}Return`,
    summary,
    access: 'key',
    params: Id,
    responses: { 200: { description: 'As it is now.', schema: ReturnSchema }, ...refusals },
    handle: async ({ runtime, params, who }) => {
      if ((await findReturn(runtime.pool, params.id)) === null) throw notFound('return', params.id)
      return { status: 200, body: await decideReturn(runtime, params.id, word, who) }
    },
  })

export const returnRoutes: Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/v1/orders/{id}/returns',
    operationId: 'askReturn',
    summary: 'The customer wants to give goods back, or other goods for them',
    description:
      'Approved at once by the rules, else asked for and a task. An Idempotency-Key header makes sending it twice harmless.',
    access: 'key',
    params: OrderId,
    body: AskRequest,
    responses: {
      200: { description: 'Known already.', schema: ReturnSchema },
      201: { description: 'Approved, or asked for.', schema: ReturnSchema },
      ...refusals,
    },
    handle: async ({ runtime, params, body, request, who }) => {
      const orderId = await findOrderId(runtime.pool, params.id)
      if (orderId === null) throw notFound('order', params.id)
      const key = request.headers['idempotency-key']
      const { pickup } = body
      const { row, isNew } = await askReturn(
        runtime,
        orderId,
        {
          key: `${orderId}:${typeof key === 'string' ? key : randomUUID()}`,
          lines: body.lines,
          reason: body.reason,
          way: body.way,
          location: body.location ?? null,
          pickup: pickup
            ? { ...pickup, phone: parsePhone(pickup.phone).e164 ?? pickup.phone, postalCode: pickup.postalCode ?? null }
            : null,
          exchange: body.exchange ? { lines: exchangeLines(body.exchange.lines) } : null,
        },
        who,
      )
      return { status: isNew ? 201 : 200, body: row, headers: { location: `/api/v1/returns/${row.id}` } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/returns',
    operationId: 'listReturns',
    summary: 'Returns, oldest first, at most 500',
    access: 'key',
    query: z.strictObject({ orderId: text(200).optional(), state: text(20).optional() }),
    responses: { 200: { description: 'Returns.', schema: z.object({ returns: z.array(ReturnSchema) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { returns: await listReturns(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/returns/{id}',
    operationId: 'getReturn',
    summary: 'One return with its pieces, parcels and what became of them',
    access: 'key',
    params: Id,
    responses: { 200: { description: 'The return.', schema: ReturnSchema }, 404: refusals[404] },
    handle: async ({ runtime, params }) => {
      const row = await findReturn(runtime.pool, params.id)
      if (row === null) throw notFound('return', params.id)
      return { status: 200, body: row }
    },
  }),
  decide('approve', 'Take the goods back although the rules do not say so'),
  decide('refuse', 'Do not take them back; the customer is told'),
  decide('cancel', 'The customer keeps the goods after all'),
  defineRoute({
    method: 'POST',
    path: '/api/v1/returns/{id}/received',
    operationId: 'receiveReturn',
    summary: 'Goods of a return are here, at any location',
    access: 'key',
    params: Id,
    body: ReceiveRequest,
    responses: { 200: { description: 'As it is now.', schema: ReturnSchema }, ...refusals },
    handle: async ({ runtime, params, body, who }) => {
      if ((await findReturn(runtime.pool, params.id)) === null) throw notFound('return', params.id)
      const receipt = { location: body.location, lines: body.lines ?? null }
      return { status: 200, body: await receiveReturn(runtime, params.id, receipt, who) }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/returns/{id}/inspect',
    operationId: 'inspectReturn',
    summary: 'What becomes of pieces that are here',
    description: 'Once nothing waits for an inspection the money is asked for.',
    access: 'key',
    params: Id,
    body: InspectRequest,
    responses: { 200: { description: 'As it is now.', schema: ReturnSchema }, ...refusals },
    handle: async ({ runtime, params, body, who }) => {
      if ((await findReturn(runtime.pool, params.id)) === null) throw notFound('return', params.id)
      const lines = body.lines.map((line) => ({ ...line, location: line.location ?? null, note: line.note ?? null }))
      return {
        status: 200,
        body: await inspectReturn(runtime, params.id, { lines, refundMinor: body.refundMinor ?? null }, who),
      }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/orders/{id}/feedback',
    operationId: 'giveFeedback',
    summary: 'What the customer says of the delivery; the last word counts',
    access: 'key',
    params: OrderId,
    body: z.strictObject({
      score: z.int().min(1).max(5).meta({ description: '1 (bad) to 5. 1 and 2 are a task.' }),
      text: z.string().max(1000).nullish(),
    }),
    responses: {
      200: { description: 'Kept.', schema: z.object({ orderId: z.string(), score: z.int() }) },
      404: refusals[404],
      409: { description: 'Nothing of it was delivered.' },
    },
    handle: async ({ runtime, params, body, who }) => {
      const orderId = await findOrderId(runtime.pool, params.id)
      if (orderId === null) throw notFound('order', params.id)
      await giveFeedback(runtime, orderId, { score: body.score, text: body.text ?? null }, who)
      return { status: 200, body: { orderId, score: body.score } }
    },
  }),
]
