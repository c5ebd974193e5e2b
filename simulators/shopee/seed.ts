/** Made-up orders of a Taiwanese shop: the same every time. */
import type { SimItem, SimOrder, SimRecipient } from './types.ts'

export interface SeedSku {
  sku: string
  name: string
  price: number
  variant?: string
}
export interface SeedOptions {
  skus?: SeedSku[]
  /** How many of all travel with Shopee's own convenience-store logistics, recipient masked. @default 0.25 */
  cvsShare?: number
  /** How many are cash on delivery. @default 0.3 */
  codShare?: number
  /** The newest order's time; the others lie a minute apart before it. @default now */
  newest?: Date
  /** @default 60 seconds */
  apartSeconds?: number
  /** Counts on from here, so that a second lot has other numbers. @default 0 */
  startAt?: number
}

const DEFAULT_SKUS: SeedSku[] = [
  { sku: 'TEE-WHITE-M', name: '純棉短袖上衣', variant: '白色 M', price: 590 },
  { sku: 'TEE-BLACK-L', name: '純棉短袖上衣', variant: '黑色 L', price: 590 },
  { sku: 'CAP-NAVY', name: '棒球帽', variant: '深藍', price: 380 },
  { sku: 'SOCKS-3P', name: '中筒襪三入組', price: 199 },
]
const PLACES: [zipcode: string, city: string, district: string, road: string][] = [
  ['100', '台北市', '中正區', '重慶南路一段'],
  ['220', '新北市', '板橋區', '文化路一段'],
  ['330', '桃園市', '桃園區', '中正路'],
  ['407', '台中市', '西屯區', '台灣大道三段'],
  ['700', '台南市', '中西區', '民生路一段'],
  ['802', '高雄市', '苓雅區', '四維三路'],
  ['300', '新竹市', '東區', '光復路二段'],
  ['600', '嘉義市', '西區', '中山路'],
]
const FAMILY = '陳林黃張李王吳劉蔡楊許鄭'
const GIVEN = ['怡君', '志明', '淑芬', '俊傑', '雅婷', '家豪', '美玲', '冠宇', '詩涵', '建宏']
const CVS: [channelId: number, carrier: string][] = [
  [30005, '7-ELEVEN'],
  [30006, '全家'],
  [30007, '萊爾富'],
]
const SHIPPING_FEE = 60

const pick = <T>(list: readonly T[], index: number): T => {
  const entry = list[index % list.length]
  if (entry === undefined) throw new RangeError('an empty list')
  return entry
}
/** True for `share` of the numbers, evenly spread. */
const falls = (index: number, share: number) => Math.floor((index + 1) * share) > Math.floor(index * share)

const orderSnOf = (createTime: number, index: number): string => {
  const day = new Date((createTime + 8 * 3600) * 1000).toISOString().slice(2, 10).replaceAll('-', '')
  return `${day}S${(index + 1).toString(36).toUpperCase().padStart(7, '0')}`
}

function itemsOf(index: number, skus: SeedSku[]): SimItem[] {
  const count = index % 3 === 0 && skus.length > 1 ? 2 : 1
  return Array.from({ length: count }, (_, nth) => {
    const at = (index + nth) % skus.length
    const sku = pick(skus, at)
    return {
      itemId: 2_600_000_000 + at,
      modelId: 9_000_000_000 + at,
      name: sku.name,
      modelName: sku.variant ?? '',
      itemSku: sku.sku.split('-')[0] ?? sku.sku,
      modelSku: sku.sku,
      quantity: index % 5 === 0 && nth === 0 ? 2 : 1,
      price: sku.price,
    }
  })
}

function recipientOf(index: number): SimRecipient {
  const [zipcode, city, district, road] = pick(PLACES, index)
  return {
    name: `${pick([...FAMILY], index)}${pick(GIVEN, index * 7)}`,
    phone: `0912${String(345_000 + index).padStart(6, '0')}`,
    zipcode,
    city,
    district,
    fullAddress: `${city}${district}${road}${index + 1}號${(index % 12) + 1}樓`,
  }
}

export function seedOrders(count: number, options: SeedOptions = {}): SimOrder[] {
  const { skus = DEFAULT_SKUS, cvsShare = 0.25, codShare = 0.3, apartSeconds = 60, startAt = 0 } = options
  const newest = Math.floor((options.newest ?? new Date()).getTime() / 1000)
  return Array.from({ length: count }, (_, nth) => {
    const index = startAt + nth
    const createTime = newest - (count - 1 - nth) * apartSeconds
    const items = itemsOf(index, skus)
    const cod = falls(index, codShare)
    const integrated = falls(index, cvsShare)
    const [channelId, carrier] = integrated ? pick(CVS, index) : [39999, '賣家宅配']
    return {
      orderSn: orderSnOf(createTime, index),
      status: 'READY_TO_SHIP',
      createTime,
      updateTime: createTime,
      payTime: cod ? null : createTime,
      cod,
      totalAmount: items.reduce((sum, item) => sum + item.price * item.quantity, 0) + SHIPPING_FEE,
      items,
      recipient: recipientOf(index),
      buyer: { userId: 700_000 + index, username: `buyer${index}` },
      integrated,
      channelId,
      carrier,
      packageNumber: `OFG${String(100_000_000 + index)}`,
      logisticsStatus: 'LOGISTICS_READY',
      trackingNumber: null,
      messageToSeller: index % 10 === 3 ? '請於晚上配送' : '',
      note: '',
      cancelReason: '',
    }
  })
}
