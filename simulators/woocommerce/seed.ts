/** Orders as buyers would place them in a shop in Taiwan. */
import type { SimOrder } from './types.ts'

export interface SeedOptions {
  skus?: { sku: string; name: string; price: number }[]
  newest?: Date
  apartSeconds?: number
  /** Share of orders to a 7-ELEVEN. */
  cvsShare?: number
  codShare?: number
  startAt?: number
}
/** GMT without a zone, as the API writes it. */
export const gmt = (at: Date): string => at.toISOString().slice(0, 19)

const PLACES = [
  ['100', '臺北市', '中正區', '重慶南路一段'],
  ['220', '新北市', '板橋區', '文化路一段'],
  ['407', '臺中市', '西屯區', '臺灣大道三段'],
]
const NAMES = [
  ['陳', '怡君'],
  ['林', '志明'],
  ['黃', '淑芬'],
  ['張', '俊傑'],
]
const DEFAULT_SKUS = [
  { sku: 'TEE-S', name: '純棉短袖上衣', price: 590 },
  { sku: 'CAP', name: '棒球帽', price: 390 },
]
const falls = (index: number, share: number) => Math.floor((index + 1) * share) > Math.floor(index * share)
const money = (amount: number) => amount.toFixed(2)

export function seedOrders(count: number, options: SeedOptions = {}): SimOrder[] {
  const { skus = DEFAULT_SKUS, apartSeconds = 60, cvsShare = 0, codShare = 0, startAt = 0 } = options
  const newest = options.newest ?? new Date()
  return Array.from({ length: count }, (_, nth) => {
    const index = startAt + nth
    const at = gmt(new Date(newest.getTime() - (count - 1 - nth) * apartSeconds * 1000))
    const product = skus[index % skus.length] ?? DEFAULT_SKUS[0]!
    const [postcode = '', state = '', city = '', road = ''] = PLACES[index % PLACES.length] ?? []
    const [lastName = '', firstName = ''] = NAMES[index % NAMES.length] ?? []
    const [cvs, cod] = [falls(index, cvsShare), falls(index, codShare)]
    const person = { first_name: firstName, last_name: lastName, company: '', address_2: '', country: 'TW' }
    const id = 700 + index
    return {
      id,
      parent_id: 0,
      number: String(id),
      status: 'processing',
      currency: 'TWD',
      date_created_gmt: at,
      date_modified_gmt: at,
      date_paid_gmt: cod ? null : at,
      discount_total: '0.00',
      discount_tax: '0.00',
      shipping_total: '80.00',
      shipping_tax: '0.00',
      total: money(product.price + 80),
      total_tax: '0.00',
      customer_id: 9_000 + index,
      customer_note: '',
      billing: {
        ...person,
        address_1: `${road}${index + 1}號`,
        city,
        state,
        postcode,
        email: `buyer${index}@example.com`,
        phone: `0912${String(345_000 + index)}`,
      },
      shipping: cvs
        ? { ...person, address_1: `${state}${city}公益路1號`, city: '', state: '', postcode: '', phone: '' }
        : { ...person, address_1: `${road}${index + 1}號`, city, state, postcode, phone: '' },
      payment_method: cod ? 'cod' : 'ecpay_credit',
      payment_method_title: cod ? '貨到付款' : '信用卡',
      meta_data: cvs ? [{ id: 1, key: '_shipping_cvs_store_ID', value: '991182' }] : [],
      line_items: [
        {
          id: 3_000 + index,
          name: product.name,
          product_id: 90 + (index % skus.length),
          variation_id: 0,
          quantity: 1,
          subtotal: money(product.price),
          subtotal_tax: '0.00',
          total: money(product.price),
          total_tax: '0.00',
          sku: product.sku,
          price: product.price,
          meta_data: [],
        },
      ],
      shipping_lines: [
        cvs
          ? {
              id: 1,
              method_id: 'ry_ecpay_shipping_cvs_711',
              method_title: '7-11 取貨',
              total: '80.00',
              total_tax: '0.00',
              meta_data: [],
            }
          : { id: 1, method_id: 'flat_rate', method_title: '宅配', total: '80.00', total_tax: '0.00', meta_data: [] },
      ],
      refunds: [],
    }
  })
}
