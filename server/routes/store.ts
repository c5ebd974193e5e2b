/** What a store's tablet asks: the preview before a customer agrees, vouchers, expected receipts, alternatives. */
import { z } from 'zod'
import { alternativesAt } from '../../activities/store/alternatives.ts'
import { previewOrder, voucherPdf } from '../../activities/store/preview.ts'
import { transaction } from '../../store/db.ts'
import { findOrderId } from '../../store/orders.ts'
import { ExpectedReceipt, expectReceipts, listReceipts } from '../../store/receipts.ts'
import { findVoucher } from '../../store/vouchers.ts'
import { commandAnswer } from '../commands.ts'
import { notFound } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import { CommandAnswer, OrderId, RefusedAnswer } from '../schemas.ts'
import { DeliveryOptionSchema } from './delivery.ts'

const text = (most: number) => z.string().min(1).max(most)
const minor = z.int().nullable()

const Preview = z
  .object({
    orderId: z.string(),
    externalId: z.string(),
    phase: z.string(),
    lines: z.array(
      z.object({
        lineId: z.string(),
        sku: z.string().nullable(),
        name: z.string().nullable(),
        variant: z.string().nullable(),
        quantity: z.int(),
        unitPriceMinor: minor,
        sumMinor: minor,
        held: z.int().meta({ description: 'Pieces that are set apart for this order.' }),
        expectedOn: z.string().nullable().meta({ description: 'Of what is not there: when it is expected.' }),
      }),
    ),
    amounts: z.object({
      itemsMinor: minor,
      shippingMinor: minor,
      discountMinor: minor,
      totalMinor: minor,
      amountDueMinor: z.int(),
      currency: z.string(),
    }),
    delivery: z.object({ method: z.string(), location: z.string().nullable() }),
    choices: z.array(DeliveryOptionSchema),
    evidence: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(['signature', 'code']),
        reference: z.string(),
        person: z.string(),
        at: z.string(),
        by: z.string(),
        seen: z.unknown().meta({ description: 'The lines and amounts that were agreed to.' }),
      }),
    ),
  })
  .meta({ id: 'OrderPreview' })

const Alternatives = z
  .object({
    sku: z.string(),
    location: z.string(),
    available: z.int(),
    expected: z.array(
      z.object({
        expectedOn: z.string(),
        quantity: z.int(),
        location: z.string(),
        from: z.enum(['receipt', 'transfer']),
        reference: z.string(),
      }),
    ),
    variants: z.array(z.object({ sku: z.string(), variant: z.string().nullable(), available: z.int() })),
    elsewhere: z.array(z.object({ location: z.string(), name: z.string(), available: z.int(), distanceKm: z.int().nullable() })),
    substitutes: z.array(z.object({ sku: z.string(), name: z.string().nullable(), available: z.int(), location: z.string() })),
  })
  .meta({ id: 'Alternatives' })

export const storeRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/orders/{id}/preview',
    operationId: 'previewOrder',
    summary: 'What the customer is shown before they agree, and what they agreed to before',
    access: 'key',
    params: OrderId,
    responses: { 200: { description: 'Judged now.', schema: Preview }, 404: { description: 'No such order.' } },
    handle: async ({ runtime, params }) => {
      const orderId = await findOrderId(runtime.pool, params.id)
      if (orderId === null) throw notFound('order', params.id)
      return { status: 200, body: await previewOrder(runtime, orderId) }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/orders/{id}/voucher.pdf',
    operationId: 'getVoucher',
    summary: 'The pickup voucher, a page a parcel that waits',
    access: 'key',
    params: OrderId,
    responses: {
      200: { description: 'A6 pages with a QR code.', contentType: 'application/pdf' },
      404: { description: 'No such order, or nothing of it waits to be picked up.' },
    },
    handle: async ({ runtime, params }) => {
      const orderId = await findOrderId(runtime.pool, params.id)
      const pdf = orderId === null ? null : await voucherPdf(runtime, orderId)
      if (pdf === null) throw notFound(orderId === null ? 'order' : 'voucher', params.id)
      return { status: 200, contentType: 'application/pdf', body: pdf }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/vouchers/{code}/collected',
    operationId: 'collectByVoucher',
    summary: 'A voucher was scanned: its goods are handed over',
    description:
      'Good once: a second scan is refused and says when it was handed over. An Idempotency-Key header makes sending one scan twice harmless.',
    access: 'key',
    params: z.object({ code: text(40) }),
    body: z.strictObject({
      location: text(64).optional().meta({ description: 'Where it was scanned; refused at another store than its own.' }),
    }),
    responses: {
      200: { description: 'Handed over.', schema: CommandAnswer },
      202: { description: 'Asked for and kept.', schema: CommandAnswer },
      404: { description: 'No such voucher.' },
      409: { description: 'Refused; `detail` says why.', schema: RefusedAnswer },
    },
    handle: async ({ runtime, params, body, who, request }) => {
      const voucher = await findVoucher(runtime.pool, params.code)
      if (voucher === null) throw notFound('voucher', params.code)
      const { orderId, code } = voucher
      // Without a key each scan is asked anew, since one that was refused may be right a moment later.
      const idempotencyKey = request.headers['idempotency-key']
      return await commandAnswer(runtime, { orderId, verb: 'collected', detail: { code, ...body }, who, idempotencyKey })
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/stock/alternatives',
    operationId: 'listAlternatives',
    summary: 'What to offer for an article that is out: when it comes, its variants here, the same nearby, substitutes',
    access: 'key',
    query: z.strictObject({ sku: text(100), location: text(64) }),
    responses: {
      200: { description: 'Judged now; nothing is held.', schema: Alternatives },
      422: { description: 'Nobody knows the article or the location.' },
    },
    handle: async ({ runtime, query }) => ({ status: 200, body: await alternativesAt(runtime, query.sku, query.location) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/receipts',
    operationId: 'listReceipts',
    summary: 'Expected receipts, soonest first',
    access: 'key',
    query: z.strictObject({ sku: text(100).optional(), location: text(64).optional() }),
    responses: { 200: { description: 'From today on.', schema: z.object({ receipts: z.array(ExpectedReceipt) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { receipts: await listReceipts(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/receipts',
    operationId: 'expectReceipts',
    summary: 'Say what is to come, when and where',
    description: 'All of it or nothing. The same receipt told again has its new quantity.',
    access: 'key',
    body: z.strictObject({ receipts: z.array(ExpectedReceipt).min(1).max(5000) }),
    responses: {
      200: { description: 'Taken in.', schema: z.object({ receipts: z.int() }) },
      422: { description: 'An article or a location is not known.' },
    },
    handle: async ({ runtime, body }) => ({
      status: 200,
      body: { receipts: await transaction(runtime.pool, (tx) => expectReceipts(tx, body.receipts)) },
    }),
  }),
]
