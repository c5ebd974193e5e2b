/** Orders for shipment, and sales at a till, in the shape of the Orders API. */
export interface SimOrder extends Record<string, unknown> {
  id: string
  location_id: string
  state: string
  version: number
  created_at: string
  updated_at: string
  line_items: { uid: string; name: string; quantity: string; catalog_object_id: string; [key: string]: unknown }[]
  fulfillments?: SimFulfilment[]
  tenders: { id: string; payment_id: string; type: string; amount_money: { amount: number; currency: string } }[]
  refunds?: {
    id: string
    tender_id: string
    reason: string
    status: string
    amount_money: { amount: number; currency: string }
  }[]
}
export interface SimFulfilment extends Record<string, unknown> {
  uid: string
  type: string
  state: string
  shipment_details?: Record<string, unknown> & { tracking_number?: string }
}

const NAMES = ['Amelia Grant', 'Noah Field', 'Mia Stone']

export function seedOrders(
  count: number,
  options: { newest?: Date; apartSeconds?: number; location?: string; atTill?: boolean; quantity?: number } = {},
): SimOrder[] {
  const { newest = new Date(), apartSeconds = 60, location = 'L1', atTill = false, quantity = 1 } = options
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(newest.getTime() - (count - 1 - index) * apartSeconds * 1000).toISOString()
    const id = `${atTill ? 'SALE' : 'ORDER'}${String(index).padStart(4, '0')}`
    const total = { amount: 1_500 * quantity, currency: 'USD' }
    return {
      id,
      location_id: location,
      state: atTill ? 'COMPLETED' : 'OPEN',
      version: 1,
      created_at: at,
      updated_at: at,
      ...(atTill ? { closed_at: at } : {}),
      source: { name: atTill ? 'Square Point of Sale' : 'Square Online' },
      line_items: [
        {
          uid: `line-${index}`,
          name: 'T-shirt',
          variation_name: 'Small',
          quantity: String(quantity),
          catalog_object_id: 'VAR1',
          item_type: 'ITEM',
          base_price_money: { amount: 1_500, currency: 'USD' },
          total_money: total,
        },
      ],
      ...(atTill
        ? {}
        : {
            fulfillments: [
              {
                uid: `ship-${index}`,
                type: 'SHIPMENT',
                state: 'PROPOSED',
                shipment_details: {
                  recipient: {
                    display_name: NAMES[index % NAMES.length],
                    email_address: `buyer${index}@example.com`,
                    phone_number: `+1415555${String(2_000 + index)}`,
                    address: {
                      address_line_1: `${index + 100} Market Street`,
                      locality: 'San Francisco',
                      administrative_district_level_1: 'CA',
                      postal_code: '94114',
                      country: 'US',
                    },
                  },
                },
              },
            ],
          }),
      tenders: [{ id: `PAY${index}`, payment_id: `PAY${index}`, type: 'CARD', amount_money: total }],
      total_money: total,
      total_discount_money: { amount: 0, currency: 'USD' },
      total_service_charge_money: { amount: 0, currency: 'USD' },
      net_amount_due_money: { amount: 0, currency: 'USD' },
    }
  })
}
