/** What the stand-in keeps, in the vendor's own shape (v1 reference, recorded answers). */
export interface SimLine {
  id: number
  product_id: number
  product_variant_id: number
  title: string
  variant_title: string
  sku: string | null
  price: number
  quantity: number
  item_type: string
  return_status: string | null
  total_price_after_discounts: number
  related_items: { quantity: number; items: Record<string, unknown>[] }[]
}
export interface SimFulfillment {
  id: number
  tracking_company: string
  tracking_number: string | null
  fulfilled_at: string | null
  received_at: string | null
  status: string
  line_items: SimLine[]
}
export interface SimOrder extends Record<string, unknown> {
  id: number
  created_at: string
  updated_at: string
  order_number: number
  line_items: SimLine[]
  fulfillments: SimFulfillment[]
  statuses: { order_status: string; financial_status: string; fulfillment_status: string; return_status: string }
  timings: Record<string, string | null>
  pos_info: { pos_shop_id: number | null }
}
export interface SimVariant {
  id: number
  product_id: number
  title: string
  name: string
  sku: string | null
  inventory_management: boolean
  inventory_quantity: number
  /** Null: of the web shop. */
  posShopId: number | null
}
export interface CyberbizSimulatorOptions {
  token: string
  appSecret?: string
  shopDomain?: string
  port?: number
  /** Records a page at most, below the vendor's 50. */
  pageCap?: number
  /** The shop has CYBERBIZ POS: a level written to a variant is ignored. */
  hasPos?: boolean
  /** Requests a second before 429; the vendor's is 5. @default none */
  perSecond?: number
  now?: () => Date
}
