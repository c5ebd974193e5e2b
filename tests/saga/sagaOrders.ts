/** Orders as their source tells them, with as little said as a test needs. */
import type { IncomingOrder } from '../../domain/order.ts'

/** What must never be found in the engine. */
export const PERSON = {
  name: '陳測試',
  phone: '+886912345678',
  district: '信義區',
  line: '市府路45號',
  email: 'chen@example.com',
}
export const PRICE_MINOR = 59_000

export interface OrderWish {
  /** SKU and pieces; the lines are named 1, 2, … */
  lines: [sku: string, quantity: number][]
  payment?: 'paid' | 'pending' | 'cod'
  kind?: IncomingOrder['kind']
  delivery?: Partial<IncomingOrder['delivery']>
  /** The last word. */
  change?: Partial<IncomingOrder>
}

let serial = 0

export function incoming(wish: OrderWish): IncomingOrder {
  serial += 1
  const itemsMinor = wish.lines.reduce((sum, [, quantity]) => sum + quantity * PRICE_MINOR, 0)
  const payment = wish.payment ?? 'paid'
  return {
    channel: 'market',
    shop: 'one',
    connection: 'market',
    externalId: `T-${String(serial).padStart(4, '0')}`,
    externalVersion: null,
    placedAt: '2026-11-22T10:00:00+08:00',
    kind: wish.kind ?? 'online',
    buyer: { name: PERSON.name, phone: PERSON.phone, email: PERSON.email, memberId: null },
    recipient: {
      name: PERSON.name,
      phone: PERSON.phone,
      address: {
        postalCode: '110',
        city: '臺北市',
        district: PERSON.district,
        line: PERSON.line,
        raw: `台北市${PERSON.district}${PERSON.line}`,
        country: 'TW',
      },
    },
    delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null, ...wish.delivery },
    payment:
      payment === 'cod'
        ? { method: 'cod', state: 'due', amountDueMinor: itemsMinor, currency: 'TWD' }
        : { method: 'prepaid', state: payment, amountDueMinor: 0, currency: 'TWD' },
    lines: wish.lines.map(([sku, quantity], index) => ({
      lineId: String(index + 1),
      sku,
      externalSku: null,
      name: null,
      variant: null,
      quantity,
      unitPriceMinor: PRICE_MINOR,
      gift: false,
    })),
    totals: { itemsMinor, shippingMinor: 0, discountMinor: 0, totalMinor: itemsMinor },
    notes: null,
    priority: 0,
    ...wish.change,
  }
}
