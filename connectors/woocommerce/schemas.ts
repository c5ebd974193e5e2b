/** What is read of WooCommerce's answers: strict where used, lenient elsewhere (REST v3, the documents' examples). */
import { z } from 'zod'

const text = z.string().nullish()
const id = z.number().int()
/** Money comes as decimal text. */
const amount = z.string().regex(/^-?\d*(\.\d+)?$/)
const gmt = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/)

export const Meta = z.looseObject({ key: z.string(), value: z.unknown() })
const metas = z.array(Meta).nullish()

const Person = z.looseObject({
  first_name: text,
  last_name: text,
  company: text,
  address_1: text,
  address_2: text,
  city: text,
  state: text,
  postcode: text,
  country: text,
  email: text,
  phone: text,
})
export type Person = z.infer<typeof Person>

export const LineItem = z.looseObject({
  id,
  name: text,
  product_id: id.nullish(),
  variation_id: id.nullish(),
  quantity: z.number().int(),
  sku: text,
  subtotal: amount.nullish(),
  subtotal_tax: amount.nullish(),
  total: amount.nullish(),
  total_tax: amount.nullish(),
  meta_data: metas,
})
export type LineItem = z.infer<typeof LineItem>

const Refund = z.looseObject({ id, reason: text, total: amount.nullish() })
export type Refund = z.infer<typeof Refund>

export const Order = z.looseObject({
  id,
  number: text,
  status: z.string().min(1),
  currency: z.string().length(3),
  date_created_gmt: gmt.nullish(),
  date_modified_gmt: gmt,
  date_paid_gmt: gmt.nullish(),
  discount_total: amount.nullish(),
  discount_tax: amount.nullish(),
  shipping_total: amount.nullish(),
  shipping_tax: amount.nullish(),
  total: amount,
  customer_id: id.nullish(),
  customer_note: text,
  billing: Person.nullish(),
  shipping: Person.nullish(),
  payment_method: text,
  payment_method_title: text,
  meta_data: metas,
  line_items: z.array(LineItem).min(1),
  shipping_lines: z.array(z.looseObject({ method_id: text, method_title: text, meta_data: metas })).nullish(),
  refunds: z.array(Refund).nullish(),
})
export type Order = z.infer<typeof Order>

/** Of a list: enough to identify a record; each is judged by itself later. */
export const One = z.looseObject({ id })
export const Listed = z.array(One)
export const Notes = z.array(z.looseObject({ id, note: z.string() }))
export const Refunds = z.array(z.looseObject({ id, amount: text, reason: text, meta_data: metas }))
export const Created = z.looseObject({ id })

export const Variation = z.looseObject({
  id,
  sku: text,
  /** Of a variation also `parent`: the product counts for all. */
  manage_stock: z.union([z.boolean(), z.string()]).nullish(),
  stock_quantity: z.number().nullish(),
  attributes: z.array(z.looseObject({ option: text })).nullish(),
})
export const Variations = z.array(Variation)
export const Products = z.array(Variation.extend({ name: text, type: text }))
/** A batch answers in the order of what was asked; what was refused carries an error instead. */
export const Batch = z.looseObject({
  update: z
    .array(z.looseObject({ id, error: z.looseObject({ code: z.string(), message: z.string().nullish() }).nullish() }))
    .nullish(),
})
export const VendorError = z.looseObject({ code: z.string(), message: text })
