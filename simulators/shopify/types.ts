/** What the stand-in keeps; ids are numbers as text. */
export interface SimLine {
  id: string
  title: string
  sku: string | null
  quantity: number
  currentQuantity: number
  requiresShipping: boolean
  variantId: string
  price: string
  /** Not in a parcel yet. */
  remaining: number
}
export interface SimParcel {
  id: string
  status: string
  deliveredAt: string | null
  number: string
  company: string
  lines: { lineId: string; quantity: number }[]
}
export interface SimTransaction {
  id: string
  kind: string
  status: string
  gateway: string
  parentId: string | null
  amount: string
}
export interface SimOrder {
  id: string
  createdAt: string
  updatedAt: string
  cancelledAt: string | null
  /** A cancellation that its job has not done yet. */
  cancelling: boolean
  note: string | null
  financialStatus: string | null
  gateways: string[]
  shippingTitle: string
  person: { firstName: string; lastName: string; phone: string; address1: string; city: string; zip: string; email: string }
  total: string
  lines: SimLine[]
  parcels: SimParcel[]
  transactions: SimTransaction[]
  refunds: { id: string; note: string; amount: string }[]
}
export interface SimVariant {
  id: string
  productId: string
  sku: string
  title: string
  tracked: boolean
  /** By location. */
  levels: Record<string, { available: number; onHand: number }>
}
export interface ShopifySimulatorOptions {
  shop: string
  clientId: string
  clientSecret: string
  port?: number
  scopes?: string[]
  locations?: { id: string; name: string }[]
  now?: () => Date
}
