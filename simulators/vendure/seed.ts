/** Orders and variants as Vendure shows them. */

export interface SimOrder {
  id: string
  code: string
  state: string
  active: boolean
  createdAt: string
  updatedAt: string
  orderPlacedAt: string
  currencyCode: string
  totalWithTax: number
  subTotalWithTax: number
  shippingWithTax: number
  customer: { id: string; firstName: string; lastName: string; emailAddress: string; phoneNumber: string }
  shippingAddress: Record<string, string | null>
  shippingLines: { shippingMethod: { code: string; name: string } }[]
  payments: {
    id: string
    method: string
    state: string
    amount: number
    updatedAt: string
    refunds: { id: string; state: string; total: number; reason: string }[]
  }[]
  fulfillments: {
    id: string
    state: string
    method: string
    trackingCode: string | null
    updatedAt: string
    lines: { orderLineId: string; quantity: number }[]
  }[]
  discounts: { description: string; amountWithTax: number }[]
  lines: {
    id: string
    quantity: number
    orderPlacedQuantity: number
    unitPriceWithTax: number
    proratedUnitPriceWithTax: number
    productVariant: { id: string; sku: string; name: string }
  }[]
  /** How often it was cancelled; not part of Vendure's answer. */
  cancellations: number
}
export interface SimVariant {
  id: string
  createdAt: string
  sku: string
  name: string
  trackInventory: 'TRUE' | 'FALSE' | 'INHERIT'
  product: { id: string }
  stockLevels: { stockLocationId: string; stockOnHand: number; stockAllocated: number; updatedAt: string }[]
}

const NAMES = ['王小明', '林美玲', '陳志豪', '張雅婷', '李承恩']

export function seedOrder(serial: number, at: Date): SimOrder {
  const time = at.toISOString()
  const name = NAMES[serial % NAMES.length] ?? '王小明'
  const phone = `09${String(10_000_000 + serial).padStart(8, '0')}`
  const line = { unitPriceWithTax: 59_000, proratedUnitPriceWithTax: 59_000 }
  return {
    id: String(serial),
    code: `SIM${String(serial).padStart(13, '0')}`,
    state: 'PaymentSettled',
    active: false,
    createdAt: time,
    updatedAt: time,
    orderPlacedAt: time,
    currencyCode: 'TWD',
    totalWithTax: 128_000,
    subTotalWithTax: 118_000,
    shippingWithTax: 10_000,
    customer: {
      id: String(serial),
      firstName: name.slice(1),
      lastName: name.slice(0, 1),
      emailAddress: `buyer${serial}@example.com`,
      phoneNumber: phone,
    },
    shippingAddress: {
      fullName: name,
      company: null,
      streetLine1: `信義路五段${serial}號`,
      streetLine2: null,
      city: '台北市',
      province: '信義區',
      postalCode: '110',
      countryCode: 'TW',
      phoneNumber: phone,
    },
    shippingLines: [{ shippingMethod: { code: 'home-delivery', name: 'Home delivery' } }],
    payments: [{ id: `p${serial}`, method: 'card', state: 'Settled', amount: 128_000, updatedAt: time, refunds: [] }],
    fulfillments: [],
    discounts: [],
    lines: [
      {
        id: `${serial}1`,
        quantity: 1,
        orderPlacedQuantity: 1,
        ...line,
        productVariant: { id: '1', sku: 'SHIRT-S', name: 'Linen shirt S' },
      },
      {
        id: `${serial}2`,
        quantity: 1,
        orderPlacedQuantity: 1,
        ...line,
        productVariant: { id: '2', sku: 'SHIRT-M', name: 'Linen shirt M' },
      },
    ],
    cancellations: 0,
  }
}
