/** Orders and variants as Medusa shows them for the fields that are asked for. */

export interface SimFulfillment {
  id: string
  shipped_at: string | null
  delivered_at: string | null
  canceled_at: string | null
  metadata: Record<string, unknown> | null
  labels: { tracking_number: string; tracking_url: string; label_url: string }[]
  items: { line_item_id: string; quantity: number }[]
}
export interface SimPayment {
  id: string
  amount: number
  provider_id: string
  captured_at: string | null
  canceled_at: string | null
  updated_at: string
  refunds: { id: string; amount: number; note: string | null }[]
}
export interface SimOrder {
  id: string
  display_id: number
  status: string
  payment_status: string
  fulfillment_status: string
  version: number
  created_at: string
  updated_at: string
  canceled_at: string | null
  email: string
  customer_id: string
  currency_code: string
  total: number
  item_total: number
  shipping_total: number
  discount_total: number
  tax_total: number
  items: {
    id: string
    title: string
    variant_title: string
    variant_sku: string
    variant_id: string
    unit_price: number
    quantity: number
    total: number
    requires_shipping: boolean
    detail: { fulfilled_quantity: number; shipped_quantity: number; delivered_quantity: number }
  }[]
  shipping_address: Record<string, string>
  shipping_methods: { name: string }[]
  payment_collections: { id: string; updated_at: string; captured_amount: number; payments: SimPayment[] }[]
  fulfillments: SimFulfillment[]
}
export interface SimVariant {
  id: string
  sku: string
  title: string
  product_id: string
  product: { id: string; title: string }
  manage_inventory: boolean
  inventory_items: {
    inventory_item_id: string
    required_quantity: number
    inventory: { id: string; location_levels: { location_id: string; stocked_quantity: number; reserved_quantity: number }[] }
  }[]
}

const NAMES = ['王小明', '林美玲', '陳志豪', '張雅婷', '李承恩']
const padded = (serial: number) => String(serial).padStart(10, '0')

export function seedOrder(serial: number, at: Date): SimOrder {
  const time = at.toISOString()
  const name = NAMES[serial % NAMES.length] ?? '王小明'
  const detail = () => ({ fulfilled_quantity: 0, shipped_quantity: 0, delivered_quantity: 0 })
  const item = (n: number, sku: string, variant: string) => ({
    id: `ordli_${padded(serial)}${n}`,
    title: 'Linen shirt',
    variant_title: sku.slice(-1),
    variant_sku: sku,
    variant_id: variant,
    unit_price: 590,
    quantity: 1,
    total: 590,
    requires_shipping: true,
    detail: detail(),
  })
  return {
    id: `order_${padded(serial)}`,
    display_id: serial,
    status: 'pending',
    payment_status: 'captured',
    fulfillment_status: 'not_fulfilled',
    version: 1,
    created_at: time,
    updated_at: time,
    canceled_at: null,
    email: `buyer${serial}@example.com`,
    customer_id: `cus_${padded(serial)}`,
    currency_code: 'twd',
    total: 1280,
    item_total: 1180,
    shipping_total: 100,
    discount_total: 0,
    tax_total: 0,
    items: [item(1, 'SHIRT-S', 'variant_1'), item(2, 'SHIRT-M', 'variant_2')],
    shipping_address: {
      first_name: name.slice(1),
      last_name: name.slice(0, 1),
      phone: `09${String(10_000_000 + serial).padStart(8, '0')}`,
      address_1: `信義路五段${serial}號`,
      address_2: '',
      city: '台北市',
      province: '信義區',
      postal_code: '110',
      country_code: 'tw',
    },
    shipping_methods: [{ name: 'Home delivery' }],
    payment_collections: [
      {
        id: `pay_col_${padded(serial)}`,
        updated_at: time,
        captured_amount: 1280,
        payments: [
          {
            id: `pay_${padded(serial)}`,
            amount: 1280,
            provider_id: 'pp_system_default',
            captured_at: time,
            canceled_at: null,
            updated_at: time,
            refunds: [],
          },
        ],
      },
    ],
    fulfillments: [],
  }
}

/** `count` paid orders, one second apart, the newest at `newest`. */
export const seedOrders = (count: number, newest: Date): SimOrder[] =>
  Array.from({ length: count }, (_, at) => seedOrder(at + 1, new Date(newest.getTime() - (count - 1 - at) * 1_000)))

export const seedVariant = (serial: number, sku: string, stocked: number, reserved: number): SimVariant => ({
  id: `variant_${serial}`,
  sku,
  title: sku.slice(-1),
  product_id: 'prod_1',
  product: { id: 'prod_1', title: 'Linen shirt' },
  manage_inventory: true,
  inventory_items: [
    {
      inventory_item_id: `iitem_${serial}`,
      required_quantity: 1,
      inventory: {
        id: `iitem_${serial}`,
        location_levels: [{ location_id: 'sloc_1', stocked_quantity: stocked, reserved_quantity: reserved }],
      },
    },
  ],
})
