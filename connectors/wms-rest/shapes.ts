/** What goes over the wire; docs/connectors/wms-rest.openapi.json is written from these by scripts/connectors-table.mjs. */
import { z } from 'zod'

const id = z.string().min(1).max(200)
const text = z.string().min(1)
const time = z.iso.datetime({ offset: true, error: 'must be a time with offset, such as 2026-11-22T10:15:00+08:00' })
const pieces = z.int().min(0).max(1_000_000)

export const WaveOrder = z.object({
  unitId: id.meta({ description: 'What answers refer to; one order may be several units.' }),
  orderId: id,
  orderNumber: id.meta({ description: 'The number the customer knows.' }),
  priority: z.int().meta({ description: 'Higher goes first.' }),
  notes: text.nullable().meta({ description: 'Special wishes, for the pick list.' }),
  askedTime: text.nullable().meta({ description: "When the customer wishes to get it, in the customer's words." }),
  recipient: z.object({
    name: text.nullable(),
    phone: text.nullable(),
    postalCode: text.nullable(),
    address: text.nullable(),
  }),
  delivery: z.object({ method: text.meta({ description: 'home, cvs, storePickup or handOver.' }), service: text.nullable() }),
  lines: z.array(z.object({ lineId: id, sku: text, name: text.nullable(), quantity: z.int().min(1) })).min(1),
})
export const Wave = z
  .object({ waveId: id, location: id, createdAt: time, orders: z.array(WaveOrder).min(1) })
  .meta({ id: 'Wave', description: 'Orders to pick and pack together. A unit that came before is the same unit: do it once.' })
export const Cancel = z
  .object({ reason: z.string() })
  .meta({ id: 'Cancel', description: 'Do not ship this unit; answered by cancelled or cancelRefused.' })
export const Label = z
  .object({
    waybill: text,
    courier: text,
    amountDueMinor: z.int().min(0).meta({ description: 'To be collected, in minor units (NT$ 590 is 59000); 0: nothing.' }),
    notes: text.nullable(),
  })
  .meta({ id: 'Label', description: 'The waybill for the box of a packed unit; a later label replaces an earlier one.' })

export const Answer = z
  .object({
    id: id.meta({ description: 'Of this answer; the same answer again has the same id.' }),
    unitId: id,
    status: z.enum(
      ['picked', 'packed', 'shipped', 'cancelled', 'cancelRefused'],
      'must be picked, packed, shipped, cancelled or cancelRefused',
    ),
    eventAt: time,
    lines: z
      .array(z.object({ lineId: id, picked: pieces, short: pieces.default(0) }))
      .default([])
      .meta({ description: 'With picked, packed and shipped: each line once, with its total.' }),
    weightGrams: z.int().min(0).nullish(),
    reason: z.string().nullish(),
  })
  .meta({ id: 'Answer' })
/** Lenient: one answer that is wrong must not hold up its page. */
export const AnswerPage = z.object({ answers: z.array(z.looseObject({ id, unitId: id })), more: z.boolean() })
export const Ack = z
  .object({ through: id })
  .meta({ id: 'Acknowledgement', description: 'Every answer up to this id is durable.' })
export const Account = z.object({ warehouse: text }).meta({ id: 'Account' })

const content = (schema: z.ZodType) => ({
  'application/json': { schema: z.toJSONSchema(schema, { io: 'input', reused: 'inline' }) },
})
const body = (schema: z.ZodType) => ({ required: true, content: content(schema) })
const answered = (description: string, schema: z.ZodType) => ({ 200: { description, content: content(schema) } })
const key = { name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string' } }
const inPath = { name: 'unitId', in: 'path', required: true, schema: { type: 'string' } }
const done = { 200: { description: 'Taken, now or before: the same key is the same request.' } }

/** The published description, OpenAPI 3.1. */
export const profile = () => ({
  openapi: '3.1.0',
  info: { title: 'Omnisaga warehouse REST profile', version: '1' },
  security: [{ key: [] }],
  components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
  paths: {
    '/account': { get: { summary: 'Who this is', responses: answered('Works.', Account) } },
    '/waves': { post: { summary: 'Orders to pick', parameters: [key], requestBody: body(Wave), responses: done } },
    '/units/{unitId}/cancel': { post: { parameters: [key, inPath], requestBody: body(Cancel), responses: done } },
    '/units/{unitId}/label': { post: { parameters: [key, inPath], requestBody: body(Label), responses: done } },
    '/answers': {
      get: {
        summary: 'What was not acknowledged yet, oldest first',
        parameters: [
          { name: 'after', in: 'query', schema: { type: 'string' }, description: 'The id of the last one of the page before.' },
          { name: 'limit', in: 'query', schema: { type: 'integer' } },
        ],
        responses: answered('A page.', z.object({ answers: z.array(Answer), more: z.boolean() })),
      },
    },
    '/answers/acknowledge': { post: { requestBody: body(Ack), responses: done } },
  },
})
