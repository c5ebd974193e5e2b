/** Signatures and tokens as the vendor checks them (_common: common_params, common_error_list; v2.public.refresh_access_token). */
import { createHmac, randomBytes } from 'node:crypto'
import type { SimRequest } from '../kit/server.ts'
import type { ShopeeSimulatorOptions } from './types.ts'

export interface Refusal {
  status: number
  error: string
  message: string
}
export const refusal = (error: string, message: string, status = 200): Refusal => ({ status, error, message })

const TIMESTAMP_TOLERANCE_SECONDS = 300
const MAX_UINT32 = 4_294_967_295
const isUint32 = (text: string) => /^\d{1,10}$/.test(text) && Number(text) <= MAX_UINT32

export interface Gate {
  /** @returns what is wrong with the request, or null. `forShop` is false for public calls. */
  check(request: SimRequest, forShop: boolean): Refusal | null
  /** Trades a refresh token, once. */
  refresh(refreshToken: string): { accessToken: string; refreshToken: string; expireIn: number } | Refusal
  /** Every access token given so far stops being valid. */
  expireTokens(): void
  /** The pair that works now. */
  current(): { accessToken: string; refreshToken: string }
}

export function createGate(options: ShopeeSimulatorOptions, now: () => Date): Gate {
  const ttlMs = options.accessTokenTtlMs ?? 4 * 60 * 60_000
  const access = new Map<string, number>()
  const latest = { accessToken: options.accessToken ?? 'sim-access-0', refreshToken: options.refreshToken ?? 'sim-refresh-0' }
  access.set(latest.accessToken, now().getTime() + ttlMs)

  const sign = (text: string) => createHmac('sha256', options.partnerKey).update(text).digest('hex')

  function common(query: Record<string, string>): Refusal | null {
    if (!query.partner_id) return refusal('error_param', 'There is no partner_id in query.', 403)
    if (!isUint32(query.partner_id))
      return refusal('error_param', 'Partner_id is invalid, should be an integer between 0 and 4294967295.', 403)
    if (Number(query.partner_id) !== options.partnerId)
      return refusal('invalid_partner_id', 'Invalid partner_id, please have a check.', 403)
    if (!query.timestamp) return refusal('error_param', 'no timestamp.', 403)
    if (!isUint32(query.timestamp))
      return refusal('error_param', 'Timestamp is invalid, should be an integer between 0 and 4294967295.', 403)
    if (Math.abs(now().getTime() / 1000 - Number(query.timestamp)) > TIMESTAMP_TOLERANCE_SECONDS)
      return refusal('error_param', 'Timestamp is expired.', 403)
    if (!query.sign) return refusal('error_param', 'There is no sign in query.', 403)
    return null
  }

  return {
    check({ path, query }, forShop) {
      const wrong = common(query)
      if (wrong) return wrong
      const base = `${query.partner_id}${path}${query.timestamp}`
      if (!forShop) return query.sign === sign(base) ? null : refusal('error_sign', 'Wrong sign.', 403)
      if (!query.access_token) return refusal('error_param', 'There is no access_token in query.', 403)
      if (!query.shop_id) return refusal('error_param', 'There is no shop_id in query.', 403)
      if (!isUint32(query.shop_id))
        return refusal('error_param', 'shop_id is invalid, should be an integer between 0 and 4294967295.', 403)
      if (query.sign !== sign(`${base}${query.access_token}${query.shop_id}`)) return refusal('error_sign', 'Wrong sign.', 403)
      if (Number(query.shop_id) !== options.shopId)
        return refusal('partner_shop_no_link', 'Invalid partner_id or shop_id, please have a check.', 403)
      const expires = access.get(query.access_token)
      if (expires === undefined || expires <= now().getTime())
        return refusal('invalid_acceess_token', 'Invalid access_token, please have a check.', 403)
      return null
    },
    refresh(refreshToken) {
      if (refreshToken !== latest.refreshToken) return refusal('error_auth', 'Invalid refresh_token.', 403)
      latest.accessToken = randomBytes(16).toString('hex')
      latest.refreshToken = randomBytes(16).toString('hex')
      access.set(latest.accessToken, now().getTime() + ttlMs)
      return { ...latest, expireIn: Math.floor(ttlMs / 1000) }
    },
    expireTokens: () => access.clear(),
    current: () => ({ ...latest }),
  }
}
