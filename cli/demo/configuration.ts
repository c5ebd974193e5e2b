/** The demo retailer: an API shop, a file channel, a store, two warehouses of one provider, one courier. */
import { SHOP_ID, SOUTH, NORTH, STORE, type Product } from './plan.ts'

export const PARTNER_ID = 2_001_887
export const PARTNER_KEY = 'demo-partner-key'
export const PUSH_KEY = 'demo-push-key'
/** ECPay's published test account. */
const MERCHANT = { merchantId: '2000132', hashKey: '5294y06JbISpM5x9', hashIv: 'v77hoKGq4kWxNNIS' }
/** Loopback stands no crowd: no stranger's limits are to be kept here. */
const quota = { perSecond: 200, burst: 100, concurrency: 16 }

export interface Addresses {
  server: string
  ecpay: string
  shopee: string
  toWarehouse: string
  fromWarehouse: string
}

const warehouse = (id: string, name: string, priority: number, postalCode: string, address: string) => ({
  id,
  name,
  kind: 'warehouse',
  priority,
  warehouseConnection: 'warehouse',
  courierHome: 'ecpay',
  courierCvs: 'ecpay',
  sender: { name: '示範倉', phone: '+886900000111', postalCode, address },
})

/** As a file for `omnisaga connections apply` would say it. `warehouseOpen` false: nothing is handed over yet. */
export function demoConfiguration(
  at: Addresses,
  products: Product[],
  options: { warehouseOpen: boolean; shopeeTokens: { accessToken: string; refreshToken: string } },
) {
  return {
    connections: [
      {
        name: 'ecpay',
        connector: 'ecpay',
        config: { ...MERCHANT, baseUrl: at.ecpay, serverReplyUrl: `${at.server}/webhooks/ecpay`, homeCollection: true, quota },
      },
      warehouseConnection(at, options.warehouseOpen),
      { name: 'store-xinyi', connector: 'store', config: { shop: 'xinyi', location: STORE } },
      { name: 'momo', connector: 'file', config: { channel: 'momo', shop: 'TP000123', profile: 'momo', paysBackItself: true } },
      {
        name: 'shopee',
        connector: 'shopee',
        config: {
          partnerId: PARTNER_ID,
          partnerKey: PARTNER_KEY,
          shopId: SHOP_ID,
          baseUrl: at.shopee,
          ...options.shopeeTokens,
          initialLookbackMs: 3 * 86_400_000,
          pushPartnerKey: PUSH_KEY,
          callbackUrl: `${at.server}/webhooks/shopee`,
          pullEveryMs: 60_000,
          quota,
        },
      },
    ],
    locations: [
      warehouse(NORTH, '北倉', 0, '251', '新北市淡水區示範路1號'),
      warehouse(SOUTH, '南倉', 1, '802', '高雄市苓雅區範例路2號'),
      { id: STORE, name: '信義門市', kind: 'store', ships: false, priority: 9 },
    ],
    products: products.map(({ sku, name }) => ({ sku, name, weightGrams: 300 })),
    // A refused booking is tried once more after this, then a person is asked.
    policy: { bookingRetryMs: [1_500] },
  }
}

export const warehouseConnection = (at: Pick<Addresses, 'toWarehouse' | 'fromWarehouse'>, open: boolean) => ({
  name: 'warehouse',
  connector: 'wms-dropfolder',
  paused: !open,
  config: { outFolder: at.toWarehouse, inFolder: at.fromWarehouse },
})
