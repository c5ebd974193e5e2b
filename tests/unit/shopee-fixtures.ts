/** A connection to Shopee for tests: a real HTTP client without a database behind it, tokens in memory. */
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits } from '../../connectors/kit/limits.ts'
import type { HttpClient, ParcelRequest, Tokens, TokenStore } from '../../connectors/kit/types.ts'
import { ShopeeConfig } from '../../connectors/shopee/config.ts'
import type { ShopeeContext } from '../../connectors/shopee/transport.ts'

export const PARTNER = { partnerId: 2001887, partnerKey: 'a1b2c3partnerkey', shopId: 600000 }
export const PUSH = { callbackUrl: 'https://shop.example/webhooks/shopee', partnerKey: 'pushkey' }
export const BASE_URL = 'https://partner.shopeemobile.com'
export const NOW = new Date('2026-11-22T02:00:00Z')

/** One refresh at a time, saved before use, as TokenStore asks. */
export function memoryTokens(initial: Tokens | null = null): TokenStore & { saved: Tokens[] } {
  let stored = initial
  let tail: Promise<unknown> = Promise.resolve()
  const saved: Tokens[] = []
  return {
    saved,
    read: async () => stored,
    refresh(stale, exchange) {
      const mine = tail.then(async () => {
        if (stored && stored.accessToken !== stale?.accessToken) return stored
        stored = await exchange(stored)
        saved.push(stored)
        return stored
      })
      tail = mine.catch(() => undefined) // the caller hears of it; the next refresh only waits
      return mine
    },
  }
}

export const realHttp = (): HttpClient =>
  createHttpClient({
    connection: 'shopee',
    limits: defaultLimits,
    quota: { take: async () => undefined, pause: async () => undefined },
  })

export function context(
  options: { config?: Record<string, unknown>; tokens?: TokenStore; http?: HttpClient; now?: () => Date } = {},
): ShopeeContext {
  const config = ShopeeConfig.parse({
    ...PARTNER,
    accessToken: 'sim-access-0',
    refreshToken: 'sim-refresh-0',
    pushPartnerKey: PUSH.partnerKey,
    callbackUrl: PUSH.callbackUrl,
    ...options.config,
  })
  return {
    connection: { name: 'shopee-main', connector: 'shopee', version: 1, config, paused: false },
    http: options.http ?? realHttp(),
    tokens: options.tokens ?? memoryTokens(),
    now: options.now ?? (() => NOW),
  }
}

export const parcelFor = (externalId: string): ParcelRequest => ({
  reference: 'OS1234567890ABCDEF12',
  service: 'channel',
  method: 'cvs',
  cvs: null,
  sender: { name: '王小店', phone: '+886912345678', postalCode: '100', address: '臺北市中正區重慶南路一段1號' },
  recipient: { name: '', phone: '', postalCode: null, city: null, district: null, address: null },
  goodsName: '衣物',
  goodsAmountMinor: 59000,
  amountDueMinor: 0,
  weightGrams: null,
  temperature: 'ambient',
  askedTime: null,
  notes: null,
  channelOrder: { externalId },
})
