/** Shared by the ECPay tests: a connection on the published test account, a parcel, a context without quota. */
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits, type Limits } from '../../connectors/kit/limits.ts'
import { EcpayConfig } from '../../connectors/ecpay/config.ts'
import type { ConnectorContext, ParcelRequest } from '../../connectors/kit/types.ts'

export const STAGE = 'https://logistics-stage.ecpay.com.tw'
export const NOW = new Date('2026-11-22T01:02:03Z')

export const configOf = (over: Record<string, unknown> = {}): EcpayConfig =>
  EcpayConfig.parse({
    merchantId: '2000132',
    hashKey: '5294y06JbISpM5x9',
    hashIv: 'v77hoKGq4kWxNNIS',
    baseUrl: STAGE,
    serverReplyUrl: 'https://shop.example.com/webhooks/ecpay',
    ...over,
  })

export const home: ParcelRequest = {
  reference: 'OS0123456789ABCDEF01',
  service: 'TCAT',
  method: 'home',
  cvs: null,
  sender: { name: '台北倉庫', phone: '02-2655-0115', postalCode: '115', address: '臺北市南港區三重路19-2號' },
  recipient: {
    name: '王小明',
    phone: '+886912345678',
    postalCode: '110',
    city: '臺北市',
    district: '信義區',
    address: '市府路45號',
  },
  goodsName: '純棉上衣 x 2',
  goodsAmountMinor: 59_000,
  amountDueMinor: 0,
  weightGrams: 800,
  temperature: 'ambient',
  askedTime: null,
  notes: null,
  channelOrder: null,
}
export const cvs: ParcelRequest = { ...home, service: 'UNIMART', method: 'cvs', cvs: { chain: 'UNIMART', storeId: '131386' } }

export const contextOf = (config: EcpayConfig = configOf(), limits: Partial<Limits> = {}): ConnectorContext<EcpayConfig> => ({
  connection: { name: 'ecpay', connector: 'ecpay', version: 1, config, paused: false },
  http: createHttpClient({
    connection: 'ecpay',
    quota: { take: async () => undefined, pause: async () => undefined },
    limits: { ...defaultLimits, ...limits },
  }),
  tokens: {
    read: async () => null,
    refresh: async () => {
      throw new Error('ECPay has no tokens')
    },
  },
  now: () => NOW,
})
