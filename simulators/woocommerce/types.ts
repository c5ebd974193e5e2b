/** What the stand-in keeps, in the vendor's own shape (REST v3). */
export interface SimMeta {
  id: number
  key: string
  value: unknown
}
export interface SimLine {
  id: number
  name: string
  product_id: number
  variation_id: number
  quantity: number
  subtotal: string
  subtotal_tax: string
  total: string
  total_tax: string
  sku: string
  price: number
  meta_data: SimMeta[]
}
export interface SimNote {
  id: number
  note: string
  customer_note: boolean
}
export interface SimRefund {
  id: number
  amount: string
  reason: string
  refunded_payment: boolean
  meta_data: SimMeta[]
}
export interface SimOrder extends Record<string, unknown> {
  id: number
  number: string
  status: string
  currency: string
  date_created_gmt: string
  date_modified_gmt: string
  date_paid_gmt: string | null
  total: string
  payment_method: string
  meta_data: SimMeta[]
  line_items: SimLine[]
  refunds: { id: number; reason: string; total: string }[]
}
export interface SimProduct {
  id: number
  name: string
  type: 'simple' | 'variable' | 'grouped'
  sku: string
  manage_stock: boolean
  stock_quantity: number | null
  variations: SimVariation[]
}
export interface SimVariation {
  id: number
  sku: string
  manage_stock: boolean | 'parent'
  stock_quantity: number | null
  attributes: { id: number; name: string; option: string }[]
}
export interface WooSimulatorOptions {
  consumerKey: string
  consumerSecret: string
  webhookSecret?: string
  port?: number
  /** Records a page at most, below WordPress' 100. */
  pageCap?: number
  /** Statuses that a plugin adds. */
  statuses?: string[]
  now?: () => Date
}
