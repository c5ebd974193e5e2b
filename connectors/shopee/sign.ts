/** Shopee's three signatures: HMAC-SHA256, hex, lower case. */
import { createHmac, timingSafeEqual } from 'node:crypto'

const hmac = (key: string, text: string) => createHmac('sha256', key).update(text, 'utf8').digest('hex')

export interface Signer {
  partnerId: number
  partnerKey: string
}

/** Calls without a shop (token refresh): partner id, path, timestamp in seconds. */
export const publicSign = (signer: Signer, path: string, timestamp: number): string =>
  hmac(signer.partnerKey, `${signer.partnerId}${path}${timestamp}`)

/** Calls for a shop: partner id, path, timestamp in seconds, access token, shop id. */
export const shopSign = (signer: Signer, path: string, timestamp: number, accessToken: string, shopId: number): string =>
  hmac(signer.partnerKey, `${signer.partnerId}${path}${timestamp}${accessToken}${shopId}`)

/** Pushes: the callback's address as registered, `|`, the raw body. */
export const pushSign = (pushPartnerKey: string, callbackUrl: string, rawBody: Buffer): string =>
  createHmac('sha256', pushPartnerKey).update(`${callbackUrl}|`, 'utf8').update(rawBody).digest('hex')

/** Compares in constant time. */
export function sameSignature(given: string, expected: string): boolean {
  const a = Buffer.from(given.trim().toLowerCase(), 'utf8')
  const b = Buffer.from(expected, 'utf8')
  return a.length === b.length && timingSafeEqual(a, b)
}
