/** What is read of CYBERBIZ' answers: strict where used, lenient elsewhere. Any field may be null (v1 reference, recorded answers). */
import { z } from 'zod'

const text = z.string().nullish()
const amount = z.number().nullish()
const id = z.number().int()
const count = z.number().int()

/** `YYYY-MM-DD HH:MM:SS`, Asia/Taipei, without a zone; now and then ISO 8601. */
export const Time = z.string().regex(/^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?/)

export const RelatedItem = z.looseObject({
  product_variant_id: id,
  title: text,
  variant_title: text,
  sku: text,
  price: amount,
  quantity: count.positive(),
  combo_product_price_difference: amount,
})
export const LineItem = z.looseObject({
  id,
  product_variant_id: id.nullish(),
  title: text,
  variant_title: text,
  sku: text,
  price: amount,
  quantity: count,
  item_type: text,
  return_status: text,
  related_items: z.array(z.looseObject({ quantity: count.nullish(), items: z.array(RelatedItem).nullish() })).nullish(),
})
export type LineItem = z.infer<typeof LineItem>

export const Fulfillment = z.looseObject({
  id,
  tracking_company: text,
  tracking_number: text,
  status: text,
  line_items: z.array(z.looseObject({ id })).nullish(),
})

export const Receiver = z.looseObject({
  name: text,
  country_calling_code: text,
  phone: text,
  address: text,
  detail_address: z
    .looseObject({ zip: text, country: text, province: text, city: text, district: text, address1: text, address2: text })
    .nullish(),
  cvs_store_id: text,
})

export const Order = z.looseObject({
  id,
  created_at: Time,
  updated_at: Time,
  order_name: text,
  customer: z.looseObject({ id: id.nullish(), name: text, email: text, mobile: text }).nullish(),
  buyer: z.looseObject({ email: text, mobile: text }).nullish(),
  receiver: Receiver.nullish(),
  line_items: z.array(LineItem).min(1),
  shipping_type: text,
  shipping_name: text,
  shipping_vendor: z.looseObject({ type: text, name: text }).nullish(),
  delivery_date: text,
  delivery_time: count.nullish(),
  fulfillments: z.array(Fulfillment).nullish(),
  payment_name: text,
  payment_method: text,
  prices: z.looseObject({ total_line_items_price: amount, shipping_rate_price: amount, total_price: amount }).nullish(),
  statuses: z.looseObject({
    order_status: z.string().min(1),
    financial_status: z.string().min(1),
    fulfillment_status: z.string().min(1),
    return_status: text,
  }),
  timings: z.looseObject({ cancelled_at: text, return_at: text }).nullish(),
  note: text,
  branch_store: z.looseObject({ store_no: text, name: text }).nullish(),
  pos_info: z.looseObject({ pos_shop_id: id.nullish() }).nullish(),
})
export type Order = z.infer<typeof Order>

/** Of a list: enough to identify a record; each is judged by itself later. */
export const Listed = z.array(z.looseObject({ id }))

export const Variant = z.looseObject({
  id,
  product_id: id.nullish(),
  name: text,
  sku: text,
  inventory_management: z.boolean().nullish(),
  inventory_quantity: count.nullish(),
})
export const Variants = z.array(Variant)
export const Products = z.array(
  z.looseObject({
    id,
    title: text,
    product_variants: Variants.nullish(),
    pos_shop: z.looseObject({ id: id.nullish() }).nullish(),
  }),
)
/** The detail of a variant lacks its id. */
export const UpdatedVariant = z.looseObject({ inventory_quantity: count.nullish() })
export const PosShops = z.array(z.looseObject({ id, name: text }))
