/** The customer's and the shop's own side of a running Medusa, past our connector. */
import type { RunningPeer } from './peer.ts'

export interface MedusaOrder {
  id: string
  status: string
  payment_status: string
  fulfillment_status: string
  updated_at: string
  payment_collections: {
    payments: { id: string; amount: number; refunds: { id: string; amount: number; note: string | null }[] }[]
  }[]
  fulfillments: {
    id: string
    shipped_at: string | null
    delivered_at: string | null
    labels: { tracking_number: string }[]
    items: { quantity: number }[]
  }[]
  items: { id: string; quantity: number }[]
}
export interface MedusaLevel {
  sku: string
  stocked: number
  reserved: number
}

export interface MedusaShop {
  /** A customer buys; the payment is authorised, not yet captured. @returns the order's id */
  place(goods: Record<string, number>): Promise<string>
  capture(id: string): Promise<void>
  order(id: string): Promise<MedusaOrder>
  levels(): Promise<MedusaLevel[]>
  /** An edit that changes nothing for us. */
  edit(id: string): Promise<void>
  fulfil(id: string): Promise<void>
  /** A secret API key, as a shop owner would make one for us. */
  apiKey(): Promise<string>
}

const ADDRESS = {
  first_name: '小明',
  last_name: '王',
  address_1: '信義路五段7號',
  city: '台北市',
  province: '信義區',
  country_code: 'tw',
  postal_code: '110',
  phone: '0912345678',
}

export async function medusaShop({ url, connection }: RunningPeer): Promise<MedusaShop> {
  async function call<T>(
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    headers: Record<string, string>,
  ): Promise<T> {
    const answer = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`Medusa ${method} ${path}: HTTP ${answer.status}: ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  }
  const { email, password } = connection.config as { email: string; password: string }
  const { token } = await call<{ token: string }>('POST', '/auth/user/emailpass', { email, password }, {})
  const admin = <T>(method: 'GET' | 'POST', path: string, body?: object) =>
    call<T>(method, `/admin${path}`, body, { authorization: `Bearer ${token}` })
  const { api_keys: keys } = await admin<{ api_keys: { title: string; token: string }[] }>('GET', '/api-keys?type=publishable')
  const key = keys.find(({ title }) => title === 'Web shop')?.token ?? ''
  const shop = <T>(method: 'GET' | 'POST', path: string, body?: object) =>
    call<T>(method, `/store${path}`, body, { 'x-publishable-api-key': key })
  const { regions } = await shop<{ regions: { id: string }[] }>('GET', '/regions')
  const region = regions[0]?.id ?? ''

  const order = async (id: string) =>
    (await admin<{ order: MedusaOrder }>('GET', `/orders/${id}?fields=*fulfillments,*fulfillments.labels,*fulfillments.items`))
      .order
  return {
    order,
    async place(goods) {
      const { products } = await shop<{ products: { variants: { id: string; sku: string }[] }[] }>(
        'GET',
        `/products?region_id=${region}&fields=*variants`,
      )
      const ids = new Map(products.flatMap(({ variants }) => variants).map(({ sku, id }) => [sku, id]))
      const items = Object.entries(goods).map(([sku, quantity]) => ({ variant_id: ids.get(sku), quantity }))
      const { cart } = await shop<{ cart: { id: string } }>('POST', '/carts', {
        region_id: region,
        email: 'wang@example.com',
        shipping_address: ADDRESS,
        items,
      })
      const { shipping_options: options } = await shop<{ shipping_options: { id: string }[] }>(
        'GET',
        `/shipping-options?cart_id=${cart.id}`,
      )
      await shop('POST', `/carts/${cart.id}/shipping-methods`, { option_id: options[0]?.id })
      const { payment_collection: collection } = await shop<{ payment_collection: { id: string } }>(
        'POST',
        '/payment-collections',
        {
          cart_id: cart.id,
        },
      )
      await shop('POST', `/payment-collections/${collection.id}/payment-sessions`, { provider_id: 'pp_system_default' })
      const done = await shop<{ order: { id: string } }>('POST', `/carts/${cart.id}/complete`, {})
      return done.order.id
    },
    async capture(id) {
      for (const { payments } of (await order(id)).payment_collections)
        for (const payment of payments) await admin('POST', `/payments/${payment.id}/capture`, {})
    },
    async levels() {
      const { inventory_items: items } = await admin<{
        inventory_items: { sku: string; location_levels: { stocked_quantity: number; reserved_quantity: number }[] }[]
      }>('GET', '/inventory-items?fields=sku,location_levels.stocked_quantity,location_levels.reserved_quantity')
      return items.map(({ sku, location_levels: [level] }) => ({
        sku,
        stocked: level?.stocked_quantity ?? 0,
        reserved: level?.reserved_quantity ?? 0,
      }))
    },
    edit: async (id) => void (await admin('POST', `/orders/${id}`, { metadata: { seen: String(Math.random()) } })),
    async fulfil(id) {
      const { items } = await order(id)
      await admin('POST', `/orders/${id}/fulfillments`, {
        items: items.map((item) => ({ id: item.id, quantity: item.quantity })),
      })
    },
    async apiKey() {
      const made = await admin<{ api_key: { token: string } }>('POST', '/api-keys', { title: 'Omnisaga', type: 'secret' })
      return made.api_key.token
    },
  }
}
