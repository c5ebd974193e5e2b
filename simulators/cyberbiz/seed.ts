/** Orders as buyers would place them. */
import type { SimOrder } from './types.ts'

const ZONE_MS = 8 * 60 * 60_000
/** Taiwan's time without a zone. */
export const taipei = (at: Date): string => new Date(at.getTime() + ZONE_MS).toISOString().slice(0, 19).replace('T', ' ')

export interface SeedOptions {
  skus?: { sku: string; title: string; price: number }[]
  /** When the newest was placed. @default now */
  newest?: Date
  apartSeconds?: number
  /** Share of orders to a 7-ELEVEN. */
  cvsShare?: number
  codShare?: number
  startAt?: number
  /** A sale at this POS shop instead. */
  posShopId?: number
}

const PLACES = [
  ['100', '台北市', '中正區', '重慶南路一段'],
  ['220', '新北市', '板橋區', '文化路一段'],
  ['407', '台中市', '西屯區', '台灣大道三段'],
  ['802', '高雄市', '苓雅區', '四維三路'],
]
const NAMES = ['陳怡君', '林志明', '黃淑芬', '張俊傑', '李雅婷', '王家豪']
const DEFAULT_SKUS = [
  { sku: 'TEE-S', title: '純棉短袖上衣', price: 590 },
  { sku: 'CAP', title: '棒球帽', price: 390 },
]
const SHIPPING = 80
const falls = (index: number, share: number) => Math.floor((index + 1) * share) > Math.floor(index * share)

export function seedOrders(count: number, options: SeedOptions = {}): SimOrder[] {
  const { skus = DEFAULT_SKUS, apartSeconds = 60, cvsShare = 0, codShare = 0, startAt = 0, posShopId } = options
  const newest = options.newest ?? new Date()
  return Array.from({ length: count }, (_, nth) => {
    const index = startAt + nth
    const at = taipei(new Date(newest.getTime() - (count - 1 - nth) * apartSeconds * 1000))
    const product = skus[index % skus.length] ?? DEFAULT_SKUS[0]!
    const [zip = '', city = '', district = '', road = ''] = PLACES[index % PLACES.length] ?? []
    const [cvs, cod, till] = [falls(index, cvsShare), falls(index, codShare), posShopId !== undefined]
    const name = NAMES[index % NAMES.length] ?? ''
    const shipping = till ? 0 : SHIPPING
    const id = 56_000_000 + index
    return {
      id,
      subtotal_price: product.price,
      created_at: at,
      updated_at: at,
      order_number: 1_000 + index,
      order_name: `#${1_000 + index}`,
      customer: { id: 42_000_000 + index, name, email: `buyer${index}@example.com`, mobile: `0911${String(100_000 + index)}` },
      buyer: { email: `buyer${index}@example.com`, mobile: null },
      receiver: {
        name,
        country_calling_code: null,
        phone: `0912${String(345_000 + index)}`,
        address: cvs ? `  公益門市 (${city}${district}${road}1號)` : `${zip} ${city}${district}${road}${index + 1}號`,
        detail_address: cvs
          ? { zip: null, country: null, province: null, city: null, district: null, address1: null, address2: null }
          : { zip, country: null, province: null, city, district, address1: `${road}${index + 1}號`, address2: null },
        cvs_store_id: cvs ? '991182' : null,
        allpay_logistics_id: null,
      },
      line_items: [
        {
          id: 126_000_000 + index,
          product_id: 68_000_000 + (index % skus.length),
          product_variant_id: 83_000_000 + (index % skus.length),
          title: product.title,
          variant_title: '',
          sku: product.sku,
          price: product.price,
          quantity: 1,
          item_type: 'normal',
          return_status: null,
          total_price_after_discounts: product.price,
          related_items: [],
        },
      ],
      shipping_type: cvs ? (cod ? 'seven_cod' : 'seven_prepaid') : 'cyberbiz',
      shipping_name: cvs ? '7-11 取貨' : '宅配',
      shipping_vendor: cvs ? { type: 'seven', name: '7-11' } : { type: 'ezcat', name: '黑貓宅急便' },
      logistics_id: null,
      delivery_date: null,
      delivery_time: 0,
      fulfillments: till
        ? [
            {
              id: 23_000_000 + index,
              tracking_company: 'other',
              tracking_number: null,
              fulfilled_at: at,
              received_at: at,
              status: 'received',
              line_items: [],
            },
          ]
        : [],
      payment_name: cod ? '貨到付款' : 'line_pay',
      payment_method: cod ? '貨到付款' : 'LINE Pay',
      prices: {
        total_line_items_price: product.price,
        shipping_rate_price: shipping,
        discounts: {},
        total_price: product.price + shipping,
      },
      einvoice: null,
      statuses: {
        order_status: till ? 'closed' : 'open',
        financial_status: cod ? 'cod' : 'paid',
        fulfillment_status: till ? 'received' : 'unshipped',
        return_status: 'no_need',
      },
      timings: { cancelled_at: null, closed_at: null, return_at: null, confirmed_at: at },
      note: '',
      branch_store: null,
      pos_info: { pos_shop_id: posShopId ?? null },
      tags: [],
    }
  })
}
