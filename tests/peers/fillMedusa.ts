/** Fills a fresh Medusa through its own Admin API: a region, a location that ships, three variants with stock. */

interface Named {
  id: string
}

/** Prices in NT$, as Medusa has them (not in cents). */
const PRODUCTS = [
  {
    title: 'Linen shirt',
    option: 'size',
    variants: [
      { title: 'S', sku: 'SHIRT-S', price: 590, stock: 20 },
      { title: 'M', sku: 'SHIRT-M', price: 590, stock: 30 },
    ],
  },
  { title: 'Mug', option: 'colour', variants: [{ title: 'white', sku: 'MUG-01', price: 250, stock: 40 }] },
]

export async function fillMedusa(url: string, account: { email: string; password: string }): Promise<void> {
  let token = ''
  async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const answer = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`Medusa ${method} ${path}: HTTP ${answer.status}: ${text.slice(0, 500)}`)
    return JSON.parse(text) as T
  }
  const make = async (path: string, body: unknown, key: string): Promise<Named> =>
    (await call<Record<string, Named>>('POST', path, body))[key]!

  token = (await call<{ token: string }>('POST', '/auth/user/emailpass', account)).token
  const { stores } = await call<{ stores: Named[] }>('GET', '/admin/stores')
  const channel = await make('/admin/sales-channels', { name: 'Web shop' }, 'sales_channel')
  await call('POST', `/admin/stores/${stores[0]!.id}`, {
    name: 'Peer',
    supported_currencies: [{ currency_code: 'twd', is_default: true }],
    default_sales_channel_id: channel.id,
  })
  const region = { name: 'Taiwan', currency_code: 'twd', countries: ['tw'], payment_providers: ['pp_system_default'] }
  await make('/admin/regions', region, 'region')
  const address = { address_1: '市府路1號', city: '台北市', country_code: 'tw', postal_code: '110' }
  const location = await make('/admin/stock-locations', { name: 'Main', address }, 'stock_location')
  await call('POST', `/admin/stock-locations/${location.id}/sales-channels`, { add: [channel.id] })
  await call('POST', `/admin/stock-locations/${location.id}/fulfillment-providers`, { add: ['manual_manual'] })
  await call('POST', `/admin/stock-locations/${location.id}/fulfillment-sets`, { name: 'Parcels', type: 'shipping' })
  const { stock_location: withSets } = await call<{ stock_location: { fulfillment_sets: Named[] } }>(
    'GET',
    `/admin/stock-locations/${location.id}?fields=*fulfillment_sets`,
  )
  const { fulfillment_set: set } = await call<{ fulfillment_set: { service_zones: Named[] } }>(
    'POST',
    `/admin/fulfillment-sets/${withSets.fulfillment_sets[0]!.id}/service-zones`,
    { name: 'Taiwan', geo_zones: [{ type: 'country', country_code: 'tw' }] },
  )
  const profile = await make('/admin/shipping-profiles', { name: 'Goods', type: 'goods' }, 'shipping_profile')
  await make(
    '/admin/shipping-options',
    {
      name: 'Home delivery',
      service_zone_id: set.service_zones[0]!.id,
      shipping_profile_id: profile.id,
      provider_id: 'manual_manual',
      price_type: 'flat',
      type: { label: 'Home', description: 'To the door', code: 'home' },
      prices: [{ currency_code: 'twd', amount: 100 }],
      rules: [],
    },
    'shipping_option',
  )
  for (const product of PRODUCTS) {
    await make(
      '/admin/products',
      {
        title: product.title,
        status: 'published',
        shipping_profile_id: profile.id,
        sales_channels: [{ id: channel.id }],
        options: [{ title: product.option, values: product.variants.map(({ title }) => title) }],
        variants: product.variants.map(({ title, sku, price }) => ({
          title,
          sku,
          manage_inventory: true,
          options: { [product.option]: title },
          prices: [{ currency_code: 'twd', amount: price }],
        })),
      },
      'product',
    )
    for (const { sku, stock } of product.variants) {
      const { inventory_items: items } = await call<{ inventory_items: Named[] }>('GET', `/admin/inventory-items?sku=${sku}`)
      await call('POST', `/admin/inventory-items/${items[0]!.id}/location-levels`, {
        location_id: location.id,
        stocked_quantity: stock,
      })
    }
  }
  const key = await make('/admin/api-keys', { title: 'Web shop', type: 'publishable' }, 'api_key')
  await call('POST', `/admin/api-keys/${key.id}/sales-channels`, { add: [channel.id] })
}
