/** What of Square's answers is used (OpenAPI: Order, Fulfillment, OrderReturn, CatalogObject, InventoryCount). Strict there, lenient elsewhere. */
import { z } from 'zod'

const text = z.string().nullish()
const Money = z.object({ amount: z.number().int(), currency: z.string().length(3) }).nullish()
const quantity = z.string().regex(/^\d+(\.\d+)?$/)
const Recipient = z
  .looseObject({
    display_name: text,
    email_address: text,
    phone_number: text,
    address: z
      .looseObject({
        address_line_1: text,
        address_line_2: text,
        locality: text,
        sublocality: text,
        administrative_district_level_1: text,
        postal_code: text,
        country: text,
      })
      .nullish(),
  })
  .nullish()

export const Fulfillment = z.looseObject({
  uid: text,
  type: z.string(),
  state: z.string(),
  line_item_application: text,
  entries: z.array(z.looseObject({ line_item_uid: z.string(), quantity })).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  shipment_details: z
    .looseObject({ recipient: Recipient, carrier: text, shipping_type: text, shipping_note: text, tracking_number: text })
    .nullish(),
  pickup_details: z.looseObject({ recipient: Recipient, pickup_at: text, note: text }).nullish(),
  delivery_details: z
    .looseObject({ recipient: Recipient, deliver_at: text, note: text, managed_delivery: z.boolean().nullish() })
    .nullish(),
})
export type Fulfillment = z.infer<typeof Fulfillment>

export const Line = z.looseObject({
  uid: text,
  name: text,
  variation_name: text,
  quantity,
  catalog_object_id: text,
  item_type: text,
  total_money: Money,
  base_price_money: Money,
})
export type Line = z.infer<typeof Line>

export const Order = z.looseObject({
  id: z.string().min(1),
  location_id: z.string(),
  state: z.string(),
  version: z.number().int().nullish(),
  created_at: z.string(),
  updated_at: z.string(),
  closed_at: text,
  customer_id: text,
  line_items: z.array(Line).nullish(),
  fulfillments: z.array(Fulfillment).nullish(),
  returns: z.array(z.looseObject({ return_line_items: z.array(Line).nullish() })).nullish(),
  tenders: z.array(z.looseObject({ id: text, payment_id: text, amount_money: Money, type: text })).nullish(),
  refunds: z.array(z.looseObject({ id: z.string(), reason: text, amount_money: Money, status: text })).nullish(),
  total_money: Money,
  total_discount_money: Money,
  total_service_charge_money: Money,
  net_amount_due_money: Money,
})
export type Order = z.infer<typeof Order>

export const Orders = z.object({ orders: z.array(z.record(z.string(), z.unknown())).nullish() })
export const OneOrder = z.object({ order: z.record(z.string(), z.unknown()) })

const Variation = z.looseObject({ item_id: text, name: text, sku: text, track_inventory: z.boolean().nullish() })
export const CatalogObject = z.looseObject({
  id: z.string(),
  type: z.string(),
  item_data: z
    .looseObject({
      name: text,
      variations: z.array(z.looseObject({ id: z.string(), item_variation_data: Variation.nullish() })).nullish(),
    })
    .nullish(),
  item_variation_data: Variation.nullish(),
})
export const Catalog = z.object({ objects: z.array(CatalogObject).nullish(), cursor: text })

export const Count = z.looseObject({
  catalog_object_id: z.string(),
  state: z.string(),
  location_id: text,
  quantity: z.string(),
  calculated_at: text,
})
export const Counts = z.object({ counts: z.array(Count).nullish(), cursor: text })
export const Locations = z.object({
  locations: z.array(z.looseObject({ id: z.string(), name: text, merchant_id: text, status: text })).nullish(),
})
