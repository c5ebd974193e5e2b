/** Orders as buyers would place them in a shop in Taiwan. */
import type { SimOrder } from './types.ts'

const PEOPLE = [
  ['陳', '怡君'],
  ['林', '志明'],
  ['黃', '淑芬'],
]
/** Shopify tells times in seconds. */
export const seconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

export function seedOrders(count: number, options: { newest?: Date; apartSeconds?: number; quantity?: number } = {}): SimOrder[] {
  const { newest = new Date(), apartSeconds = 60, quantity = 1 } = options
  return Array.from({ length: count }, (_, index) => {
    const at = seconds(new Date(newest.getTime() - (count - 1 - index) * apartSeconds * 1000))
    const [lastName = '', firstName = ''] = PEOPLE[index % PEOPLE.length] ?? []
    const id = String(5_800_000_000_000 + index)
    return {
      id,
      createdAt: at,
      updatedAt: at,
      cancelledAt: null,
      cancelling: false,
      note: null,
      financialStatus: 'PAID',
      gateways: ['ecpay'],
      shippingTitle: '宅配',
      person: {
        firstName,
        lastName,
        phone: `+886912${String(345_000 + index)}`,
        address1: `板橋區文化路一段${index + 1}號`,
        city: '新北市',
        zip: '220',
        email: `buyer${index}@example.com`,
      },
      total: (590 * quantity).toFixed(1),
      lines: [
        {
          id: `${14_000_000_000_000 + index}`,
          title: '純棉短袖上衣',
          sku: 'TEE-S',
          quantity,
          currentQuantity: quantity,
          requiresShipping: true,
          variantId: '4400',
          price: '590.0',
          remaining: quantity,
        },
      ],
      parcels: [],
      transactions: [
        {
          id: `${7_000_000_000_000 + index}`,
          kind: 'SALE',
          status: 'SUCCESS',
          gateway: 'ecpay',
          parentId: null,
          amount: (590 * quantity).toFixed(1),
        },
      ],
      refunds: [],
    }
  })
}
