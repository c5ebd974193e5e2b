/** What we use of Shopee's answers: strict on that, lenient on the rest (v2.order.*, v2.logistics.*, v2.public.*). */
import { z } from 'zod'

const seconds = z.number().int().positive()
const text = z.string().nullish()
const amount = z.number().nullish()

export const OrderList = z.object({
  more: z.boolean(),
  next_cursor: z.string().nullish(),
  order_list: z.array(z.looseObject({ order_sn: z.string().min(1) })).nullish(),
})
export type OrderList = z.infer<typeof OrderList>

/** Details arrive one by one into `Order`: one that is malformed must not spoil the others. */
export const OrderDetails = z.object({ order_list: z.array(z.record(z.string(), z.unknown())).nullish() })

export const Item = z.looseObject({
  item_id: z.number().int(),
  item_name: text,
  item_sku: text,
  model_id: z.number().int(),
  model_name: text,
  model_sku: text,
  model_quantity_purchased: z.number().int().positive(),
  model_discounted_price: amount,
  promotion_type: text,
  /** What is still to be fulfilled after a partial cancellation. */
  active_qty: z.number().int().nonnegative().nullish(),
})
export type Item = z.infer<typeof Item>

export const Package = z.looseObject({
  package_number: text,
  logistics_status: text,
  logistics_channel_id: z.number().int().nullish(),
  shipping_carrier: text,
  virtual_contact_number: text,
  package_query_number: text,
})
export type Package = z.infer<typeof Package>

export const RecipientAddress = z.looseObject({
  name: text,
  phone: text,
  town: text,
  district: text,
  city: text,
  state: text,
  region: text,
  zipcode: text,
  full_address: text,
})
export type RecipientAddress = z.infer<typeof RecipientAddress>

export const Order = z.looseObject({
  order_sn: z.string().min(1),
  order_status: z.string().min(1),
  region: text,
  currency: z.string().length(3),
  cod: z.boolean(),
  total_amount: amount,
  create_time: seconds,
  update_time: seconds,
  pay_time: z.number().int().nullish(),
  pickup_done_time: z.number().int().nullish(),
  buyer_user_id: z.number().int().nullish(),
  buyer_username: text,
  message_to_seller: text,
  note: text,
  shipping_carrier: text,
  fulfillment_flag: text,
  advance_package: z.boolean().nullish(),
  recipient_address: RecipientAddress.nullish(),
  item_list: z.array(Item).min(1),
  package_list: z.array(Package).nullish(),
})
export type Order = z.infer<typeof Order>

/** `response_optional_fields` of get_order_detail: everything of `Order` that does not come by default. */
export const OPTIONAL_FIELDS = [
  'buyer_user_id',
  'buyer_username',
  'recipient_address',
  'note',
  'item_list',
  'pay_time',
  'cancel_by',
  'cancel_reason',
  'fulfillment_flag',
  'pickup_done_time',
  'package_list',
  'shipping_carrier',
  'payment_method',
  'total_amount',
] as const

const needed = z.array(z.string()).nullish()
export const ShippingParameter = z.object({
  info_needed: z.object({ dropoff: needed, pickup: needed, non_integrated: needed }),
  dropoff: z
    .object({
      branch_list: z.array(z.looseObject({ branch_id: z.number().int() })).nullish(),
      slug_list: z.array(z.looseObject({ slug: z.string() })).nullish(),
    })
    .nullish(),
  pickup: z
    .object({
      address_list: z
        .array(
          z.looseObject({
            address_id: z.number().int(),
            address_flag: z.array(z.string()).nullish(),
            time_slot_list: z
              .array(z.looseObject({ pickup_time_id: z.string(), flags: z.array(z.string()).nullish() }))
              .nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
})
export type ShippingParameter = z.infer<typeof ShippingParameter>

export const TrackingNumber = z.object({ tracking_number: text, hint: text })

export const RefreshedTokens = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  /** Seconds. */
  expire_in: z.number().positive(),
})

export const Push = z.looseObject({
  shop_id: z.number().int(),
  code: z.number().int(),
  timestamp: z.number().int(),
  data: z.looseObject({ ordersn: text, status: text, update_time: z.number().int().nullish() }).nullish(),
})
