/** Shapes of requests and answers; openapi.json is made from these and nothing else. */
import { z } from 'zod'
import { FeedbackSchema, ReturnSchema } from './returnSchemas.ts'
import { CanonicalOrder, CvsChain, DeliveryMethod, OrderKind, OrderLine, Payment, Phase, Totals } from '../domain/order.ts'

const text = (most: number) => z.string().max(most)
const isoTime = z.iso.datetime({ offset: true })

export const FieldErrorSchema = z.object({ path: z.string(), value: z.unknown(), message: z.string(), remedy: z.string() })
export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(FieldErrorSchema),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' })

export const OrderId = z.object({
  id: text(200).min(1).meta({ description: "Omnisaga's id, or the channel's own order number." }),
})
export const ImportId = z.object({ id: text(200).min(1) })
export const TaskId = z.object({ id: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) })
export const ConnectionName = z.object({ connection: text(100).min(1) })

const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual)

export const OrdersQuery = z.strictObject({
  phase: Phase.optional(),
  channel: text(100).optional(),
  limit: limit(500, 50),
  cursor: text(300).optional().meta({ description: '`next` of the page before.' }),
})

/** An address may come as one line (`raw`), in parts, or both; what is missing is read from the line. */
export const AddressRequest = z.object({
  raw: text(500).nullish(),
  postalCode: text(10).nullish(),
  city: text(60).nullish(),
  district: text(60).nullish(),
  line: text(300).nullish(),
  country: z.string().length(2).nullish(),
  province: text(60).nullish(),
})
export const PartyRequest = z.object({
  name: text(100).nullish(),
  phone: text(40).nullish().meta({ description: 'As written; E.164 in the answer.' }),
})
const LineRequest = z.object({
  lineId: text(60).min(1).optional().meta({ description: 'Default: the position, from 1.' }),
  sku: text(100).min(1),
  name: text(200).nullish(),
  variant: text(200).nullish(),
  quantity: z.int().positive().max(100_000),
  unitPriceMinor: OrderLine.shape.unitPriceMinor.optional(),
  gift: z.boolean().default(false),
})

/** An in-store order, a try-on request, or a POS sale to be shipped from the warehouse. */
export const OrderRequest = z
  .strictObject({
    connection: text(100)
      .min(1)
      .meta({ description: 'A connection of the connector `store`; with externalId the identity of the order.' }),
    externalId: text(100).min(1),
    externalVersion: text(60)
      .nullish()
      .meta({ description: 'Grows with every edit; default: none, so only changed content counts.' }),
    placedAt: isoTime.nullish(),
    kind: OrderKind.default('store'),
    campaign: text(100).nullish().meta({ description: 'The group-buy or promotion whose allotment it holds from.' }),
    buyer: PartyRequest.extend({
      email: z.email().max(200).nullish(),
      memberId: text(100).nullish(),
      lineUserId: text(60).nullish().meta({ description: "The id by which the brand's LINE account knows them." }),
      optOut: z.boolean().optional().meta({ description: 'True: no notices are sent to them.' }),
    }).nullish(),
    recipient: PartyRequest.extend({ address: AddressRequest.nullish() }).nullish(),
    delivery: z.object({
      method: DeliveryMethod,
      service: text(40).nullish(),
      cvs: z.object({ chain: CvsChain, storeId: text(20).nullable() }).nullish(),
      location: text(60).nullish(),
      promisedBy: isoTime.nullish(),
      askedTime: text(100).nullish(),
    }),
    payment: z.object({
      method: Payment.shape.method,
      state: Payment.shape.state.optional().meta({ description: 'Default: paid when prepaid, due when COD.' }),
      amountDueMinor: z.int().min(0).optional().meta({ description: 'Default: 0 when prepaid, the total when COD.' }),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .default('TWD'),
    }),
    lines: z.array(LineRequest).min(1).max(500),
    totals: Totals.partial().nullish(),
    notes: text(1000).nullish(),
    priority: z.int().min(-100).max(100).default(0),
    customs: z.object({ invoiceNumber: text(60).min(1), hsCodes: z.array(text(20)).min(1).max(100) }).nullish(),
  })
  .meta({ id: 'OrderRequest' })
export type OrderRequest = z.infer<typeof OrderRequest>

export const OrderAnswer = CanonicalOrder.loose().meta({
  id: 'Order',
  description: 'The canonical order. Amounts in minor units: NT$ 590 is 59000.',
})
export const OrdersAnswer = z.object({
  orders: z.array(z.looseObject({ id: z.string(), phase: Phase })),
  next: z.string().nullable(),
})
const ParticipantFactSchema = z
  .object({
    participant: z.enum(['channel', 'pos', 'erp', 'warehouse', 'courier', 'tracker', 'customer']),
    connection: z.string().nullable(),
    fact: z.enum(['placed', 'paid', 'changed', 'cancelled', 'waybill', 'shipped', 'delivered', 'returned', 'refunded']),
    what: z.string().meta({ description: 'What it is told: a kind of the outbox, a template of a notice, a wave, a booking.' }),
    about: z.string().nullable().meta({ description: 'The unit, parcel or document; null: the order.' }),
    state: z.enum(['owed', 'retrying', 'acknowledged', 'task', 'notNeeded']),
    owedAt: z.string(),
    toldAt: z.string().nullable(),
    acknowledgedAt: z.string().nullable(),
    attempts: z.int(),
    reason: z.string().nullable(),
    document: z.object({ id: z.string().nullable(), number: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'ParticipantFact', description: 'What one participant knows: owed, told and acknowledged with time.' })
export const OrderDetailAnswer = CanonicalOrder.extend({
  participants: z.array(ParticipantFactSchema),
  returns: z.array(ReturnSchema),
  feedback: FeedbackSchema.nullable(),
})
  .loose()
  .meta({
    id: 'OrderDetail',
    description:
      'The canonical order with its counters, facts, units, parcels, tasks, commands, returns and who knows what of it.',
  })
export const CommandAnswer = z
  .object({
    commandId: z.string(),
    orderId: z.string(),
    verb: z.string(),
    state: z.enum(['done', 'refused', 'waiting']),
    answer: z.string().nullable(),
  })
  .meta({ id: 'CommandAnswer' })

export const RefusedAnswer = z
  .object({
    ...ProblemSchema.shape,
    commandId: z.string(),
    orderId: z.string(),
    verb: z.string(),
    state: z.literal('refused'),
    answer: z.string().nullable(),
  })
  .meta({ id: 'Refused', description: 'A problem that carries the answer of the command.' })

export const StockQuery = z.strictObject({ sku: text(100).optional(), location: text(60).optional() })
export const StockLevelSchema = z
  .object({
    sku: z.string(),
    location: z.string(),
    onHand: z.int(),
    safety: z.int(),
    held: z.int(),
    available: z.int(),
  })
  .meta({ id: 'StockLevel' })
export const StockAnswer = z.object({ stock: z.array(StockLevelSchema) })
export const StockRequest = z
  .strictObject({
    sku: text(100).min(1),
    location: text(60).min(1),
    onHand: z.int().min(0).max(1_000_000_000),
    reason: text(200).min(1),
  })
  .meta({ id: 'StockRequest', description: 'A counted number; the difference is booked as a movement.' })

export const TasksQuery = z.strictObject({
  state: z.enum(['open', 'done']).default('open'),
  kind: text(60).optional(),
  connection: text(60).optional(),
  orderId: text(100).optional(),
  olderThanHours: z.coerce.number().min(0).max(100_000).optional().meta({ description: 'Opened at least so many hours ago.' }),
  limit: limit(1000, 200),
})
export const TaskSchema = z
  .looseObject({
    id: z.int(),
    kind: z.string(),
    orderId: z.string().nullable(),
    subject: z.string(),
    title: z.string(),
    detail: z.string(),
    remedy: z.string(),
    field: z.string().nullable(),
    value: z.string().nullable(),
    actions: z.array(z.string()).meta({ description: 'What the order would take now; what would be refused is not offered.' }),
    state: z.enum(['open', 'done']),
    openedAt: z.string(),
    waitingSince: z.string(),
    closedAt: z.string().nullable(),
  })
  .meta({ id: 'Task' })
export const TasksAnswer = z.object({ tasks: z.array(TaskSchema) })
export const TaskDetailSchema = TaskSchema.extend({
  whoWaits: z.string().nullable().meta({ description: 'The customer whose order it is.' }),
  orderedAt: z.string().nullable().meta({ description: 'Since when that customer waits.' }),
  can: z
    .array(z.object({ action: z.string(), does: z.string() }))
    .meta({ description: 'What can be done now, in plain words; `preview=true` on the action says what would change.' }),
  done: z.array(
    z.object({ verb: z.string(), who: z.string(), state: z.string(), answer: z.string().nullable(), at: z.string() }),
  ),
}).meta({ id: 'TaskDetail' })
export const PreviewQuery = z.strictObject({
  preview: z.enum(['true', 'false']).optional().meta({ description: 'true: say what would change, and do nothing.' }),
})
const Difference = z.object({ of: z.string(), name: z.string(), from: z.string().nullable(), to: z.string().nullable() })
export const PreviewSchema = z
  .object({
    action: z.string(),
    possible: z.boolean(),
    answer: z.string(),
    changes: z.array(Difference).meta({
      description:
        'Phase, lines, holds, stock, units, parcels, money due, recipient (masked), delivery, who is told what, tasks that close or open.',
    }),
    later: z.array(Difference).meta({ description: 'What is changed only once the warehouse has given its goods back.' }),
    asks: z.array(z.string()).meta({ description: 'What other systems would then be asked; nobody is asked now.' }),
  })
  .meta({ id: 'Preview' })
export const TaskAction = TaskId.extend({ action: text(40).min(1) })
export const TaskActionBody = z.record(text(60), z.unknown()).meta({
  description: 'Fields of the action, e.g. {"recipient": {"phone": "0912345678"}}; many actions need none.',
})

export const ImportAnswer = z.looseObject({ id: z.string(), state: z.string() }).meta({ id: 'Import' })
export const ImportForm = z.object({
  connection: z
    .string()
    .meta({ description: 'Name of the connection the file belongs to; may be sent before or after the file.' }),
  profile: z.string().optional().meta({
    description: "How the file is to be read; without it the connection's profile, else the one that its headers speak for.",
  }),
  password: z.string().optional().meta({ description: 'For an encrypted workbook.' }),
  file: z.string().meta({ format: 'binary' }),
})
