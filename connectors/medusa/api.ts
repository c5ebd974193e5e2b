/**
 * Medusa's Admin REST API, as pairs: `xRequest` says what to send, `parseX` reads the answer. No I/O.
 * Source: the routes of 2.21.2 and the answers of a running one. Amounts are decimals of the currency (NT$ 590 is 590).
 */
import { z } from 'zod'
import { readShape } from '../kit/json.ts'

export interface MedusaCall {
  method: 'GET' | 'POST'
  path: string
  query: [string, string][]
  body: Record<string, unknown> | null
  write: boolean
}
const get = (path: string, query: [string, string][] = []): MedusaCall => ({
  method: 'GET',
  path,
  query,
  body: null,
  write: false,
})
const post = (path: string, body: Record<string, unknown>): MedusaCall => ({ method: 'POST', path, query: [], body, write: true })
const id = encodeURIComponent

const text = z.string().nullish()
const amount = z.number()

const Payment = z.looseObject({
  id: z.string(),
  amount,
  provider_id: text,
  captured_at: text,
  canceled_at: text,
  updated_at: text,
  refunds: z.array(z.looseObject({ id: z.string(), amount, note: text })).nullish(),
})
const Fulfillment = z.looseObject({
  id: z.string(),
  shipped_at: text,
  delivered_at: text,
  canceled_at: text,
  metadata: z.record(z.string(), z.unknown()).nullish(),
  labels: z.array(z.looseObject({ tracking_number: text })).nullish(),
  items: z.array(z.looseObject({ line_item_id: text, quantity: z.number() })).nullish(),
})
export const Order = z.looseObject({
  id: z.string(),
  display_id: z.number().nullish(),
  status: z.string(),
  payment_status: z.string(),
  fulfillment_status: text,
  created_at: z.string(),
  updated_at: z.string(),
  email: text,
  customer_id: text,
  currency_code: z.string().length(3),
  total: amount,
  item_total: amount.nullish(),
  shipping_total: amount.nullish(),
  discount_total: amount.nullish(),
  shipping_address: z
    .looseObject({
      first_name: text,
      last_name: text,
      phone: text,
      address_1: text,
      address_2: text,
      city: text,
      province: text,
      postal_code: text,
      country_code: text,
    })
    .nullish(),
  shipping_methods: z.array(z.looseObject({ name: text })).nullish(),
  payment_collections: z
    .array(z.looseObject({ updated_at: text, captured_amount: amount.nullish(), payments: z.array(Payment).nullish() }))
    .nullish(),
  fulfillments: z.array(Fulfillment).nullish(),
  items: z.array(
    z.looseObject({
      id: z.string(),
      title: text,
      variant_title: text,
      variant_sku: text,
      variant_id: text,
      quantity: z.number().int(),
      unit_price: amount,
      total: amount.nullish(),
      requires_shipping: z.boolean().nullish(),
      detail: z.looseObject({ fulfilled_quantity: z.number().nullish(), shipped_quantity: z.number().nullish() }).nullish(),
    }),
  ),
})
export type Order = z.infer<typeof Order>

const ORDER_FIELDS = [
  'id,display_id,status,payment_status,fulfillment_status,version,created_at,updated_at,canceled_at,email,customer_id,currency_code',
  'total,item_total,shipping_total,discount_total,tax_total',
  ...['title', 'variant_title', 'variant_sku', 'variant_id', 'unit_price', 'quantity', 'total', 'requires_shipping'].map(
    (f) => `items.${f}`,
  ),
  'items.id,items.detail.fulfilled_quantity,items.detail.shipped_quantity,items.detail.delivered_quantity',
  ...['first_name', 'last_name', 'phone', 'address_1', 'address_2', 'city', 'province', 'postal_code', 'country_code'].map(
    (field) => `shipping_address.${field}`,
  ),
  'shipping_methods.name',
  'payment_collections.updated_at,payment_collections.captured_amount',
  ...[
    'id',
    'amount',
    'provider_id',
    'captured_at',
    'canceled_at',
    'updated_at',
    'refunds.id',
    'refunds.amount',
    'refunds.note',
  ].map((field) => `payment_collections.payments.${field}`),
  ...['id', 'shipped_at', 'delivered_at', 'canceled_at', 'metadata', 'labels.tracking_number'].map(
    (field) => `fulfillments.${field}`,
  ),
  'fulfillments.items.line_item_id,fulfillments.items.quantity',
].join(',')

const between = (field: string, { start, end }: { start: Date; end: Date }): [string, string][] => [
  [`${field}[$gte]`, start.toISOString()],
  [`${field}[$lte]`, end.toISOString()],
]

/** Orders changed in [start, end], oldest change first. */
export const changedOrdersRequest = (args: { start: Date; end: Date; take: number }): MedusaCall =>
  get('/admin/orders', [
    ...between('updated_at', args),
    ['order', 'updated_at'],
    ['limit', String(args.take)],
    ['fields', ORDER_FIELDS],
  ])
export const ordersByIdRequest = (ids: string[]): MedusaCall =>
  get('/admin/orders', [
    ...ids.map((each): [string, string] => ['id[]', each]),
    ['limit', String(ids.length)],
    ['fields', ORDER_FIELDS],
  ])
/** Raw orders; each is judged by itself later. */
export const parseOrders = (json: unknown): Record<string, unknown>[] =>
  readShape(z.object({ orders: z.array(z.record(z.string(), z.unknown())) }), json, 'Medusa GET /admin/orders').orders

/** Payments changed in [start, end], oldest change first, each with its order: capturing one gives the order no new time. */
export const changedPaymentsRequest = (args: { start: Date; end: Date; take: number }): MedusaCall =>
  get('/admin/payments', [
    ...between('updated_at', args),
    ['order', 'updated_at'],
    ['limit', String(args.take)],
    ['fields', 'id,updated_at,payment_collection.order.id'],
  ])
const ChangedPayment = z.object({
  id: z.string(),
  updated_at: z.string(),
  payment_collection: z.object({ order: z.object({ id: z.string() }).nullish() }).nullish(),
})
export type ChangedPayment = z.infer<typeof ChangedPayment>
export const parseChangedPayments = (json: unknown): ChangedPayment[] =>
  readShape(z.object({ payments: z.array(ChangedPayment) }), json, 'Medusa GET /admin/payments').payments

/** When the order or one of its payments last changed; ISO 8601 in UTC, so that text compares. */
export const changedAt = (order: Pick<Order, 'updated_at' | 'payment_collections'>): string =>
  [
    order.updated_at,
    ...(order.payment_collections ?? []).flatMap((one) => [one.updated_at, ...(one.payments ?? []).map((p) => p.updated_at)]),
  ]
    .filter((time) => typeof time === 'string')
    .toSorted()
    .at(-1)!

// ── Writes ──────────────────────────────────────────────────────────────────────────────────────────────────────
/** The waybill stands in the metadata from the first moment: a shipment's label comes only with the next call. */
export const fulfillRequest = (
  orderId: string,
  args: { items: { id: string; quantity: number }[]; waybill: string; locationId: string | null; notify: boolean },
): MedusaCall =>
  post(`/admin/orders/${id(orderId)}/fulfillments`, {
    items: args.items,
    metadata: { omnisaga_waybill: args.waybill },
    no_notification: !args.notify,
    ...(args.locationId === null ? {} : { location_id: args.locationId }),
  })
/** A label wants all three fields, which may be empty. */
export const shipRequest = (
  orderId: string,
  fulfillmentId: string,
  args: { items: { id: string; quantity: number }[]; waybill: string; trackingUrl: string; notify: boolean },
): MedusaCall =>
  post(`/admin/orders/${id(orderId)}/fulfillments/${id(fulfillmentId)}/shipments`, {
    items: args.items,
    labels: [{ tracking_number: args.waybill, tracking_url: args.trackingUrl, label_url: '' }],
    no_notification: !args.notify,
  })
export const deliveredRequest = (orderId: string, fulfillmentId: string): MedusaCall =>
  post(`/admin/orders/${id(orderId)}/fulfillments/${id(fulfillmentId)}/mark-as-delivered`, {})
export const cancelRequest = (orderId: string): MedusaCall => post(`/admin/orders/${id(orderId)}/cancel`, {})

export const refundRequest = (paymentId: string, args: { amount: number; note: string }): MedusaCall =>
  post(`/admin/payments/${id(paymentId)}/refund`, args)
export const parseRefunds = (json: unknown): { id: string; note?: string | null }[] =>
  readShape(
    z.object({ payment: z.object({ refunds: z.array(z.object({ id: z.string(), note: text })) }) }),
    json,
    'Medusa POST refund',
  ).payment.refunds

// ── Session ─────────────────────────────────────────────────────────────────────────────────────────────────────
export const loginRequest = (body: { email: string; password: string }): MedusaCall => ({
  ...post('/auth/user/emailpass', body),
  write: false,
})
export const parseLogin = (json: unknown): string => readShape(z.object({ token: z.string() }), json, 'Medusa login').token

// ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────────
const Level = z.object({ location_id: z.string(), stocked_quantity: z.number(), reserved_quantity: z.number() })
export type Level = z.infer<typeof Level>
const Variant = z.looseObject({
  id: z.string(),
  sku: text,
  title: text,
  product_id: z.string(),
  manage_inventory: z.boolean(),
  product: z.looseObject({ title: text }).nullish(),
  inventory_items: z
    .array(
      z.looseObject({
        inventory_item_id: z.string(),
        required_quantity: z.number(),
        inventory: z.looseObject({ location_levels: z.array(Level).nullish() }).nullish(),
      }),
    )
    .nullish(),
})
export type Variant = z.infer<typeof Variant>
const VARIANT_FIELDS = [
  'id,sku,title,manage_inventory,product_id,product.title,inventory_items.inventory_item_id,inventory_items.required_quantity',
  ...['location_id', 'stocked_quantity', 'reserved_quantity'].map((f) => `inventory_items.inventory.location_levels.${f}`),
].join(',')

/** By id, which never changes; a variant made meanwhile comes at the end, since ids grow with time (ULID). */
export const variantsRequest = (args: { offset: number; limit: number }): MedusaCall =>
  get('/admin/product-variants', [
    ['order', 'id'],
    ['offset', String(args.offset)],
    ['limit', String(args.limit)],
    ['fields', VARIANT_FIELDS],
  ])
export const variantsByIdRequest = (ids: string[]): MedusaCall =>
  get('/admin/product-variants', [
    ...ids.map((each): [string, string] => ['id[]', each]),
    ['limit', String(ids.length)],
    ['fields', VARIANT_FIELDS],
  ])
export const parseVariants = (json: unknown): Variant[] =>
  readShape(z.object({ variants: z.array(Variant) }), json, 'Medusa GET /admin/product-variants').variants

export const inventoryRequest = (args: { offset: number; limit: number }): MedusaCall =>
  get('/admin/inventory-items', [
    ['order', 'id'],
    ['offset', String(args.offset)],
    ['limit', String(args.limit)],
    [
      'fields',
      'id,sku,location_levels.location_id,location_levels.stocked_quantity,location_levels.reserved_quantity,location_levels.updated_at',
    ],
  ])
const Item = z.object({
  id: z.string(),
  sku: text,
  location_levels: z.array(Level.extend({ updated_at: text })).nullish(),
})
export const parseInventory = (json: unknown): z.infer<typeof Item>[] =>
  readShape(z.object({ inventory_items: z.array(Item) }), json, 'Medusa GET /admin/inventory-items').inventory_items

/** All or nothing: one item that is not stocked at the location refuses the batch. */
export const levelsRequest = (
  update: { inventory_item_id: string; location_id: string; stocked_quantity: number }[],
): MedusaCall => post('/admin/inventory-items/location-levels/batch', { update })
export const parseLevels = (json: unknown): (Level & { inventory_item_id: string })[] =>
  readShape(z.object({ updated: z.array(Level.extend({ inventory_item_id: z.string() })) }), json, 'Medusa POST location-levels')
    .updated

export const stockLocationsRequest = (): MedusaCall =>
  get('/admin/stock-locations', [
    ['fields', 'id,name'],
    ['limit', '100'],
  ])
export const parseStockLocations = (json: unknown): { id: string; name: string }[] =>
  readShape(
    z.object({ stock_locations: z.array(z.object({ id: z.string(), name: z.string() })) }),
    json,
    'Medusa GET /admin/stock-locations',
  ).stock_locations
