/**
 * OAuth 1.0a, one-legged, for shops without HTTPS (WooCommerce REST v3, Authentication over HTTP): HMAC-SHA256 over method, address and the
 * sorted parameters; the key is the consumer secret and `&`. The site allows 15 minutes of clock and each nonce once.
 */
import { hmac } from '../kit/signature.ts'

/** RFC 3986: encodeURIComponent leaves !'()* as they are. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const joined = (parameters: Record<string, string>): string =>
  Object.entries(parameters)
    .map(([name, value]): [string, string] => [percentEncode(name), percentEncode(value)])
    .toSorted(([a], [b]) => byText(a, b))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

/** @param address without query. @returns the signature, base64. */
export const oauthSignature = (args: {
  method: string
  address: string
  parameters: Record<string, string>
  consumerSecret: string
}): string =>
  hmac(
    'sha256',
    `${percentEncode(args.consumerSecret)}&`,
    [args.method.toUpperCase(), args.address, joined(args.parameters)].map(percentEncode).join('&'),
    'base64',
  )

/** @returns the whole address with signed query. @param timestamp seconds since 1970 */
export function signedAddress(args: {
  method: string
  address: string
  query: Record<string, string>
  consumerKey: string
  consumerSecret: string
  timestamp: number
  nonce: string
}): string {
  const parameters: Record<string, string> = {
    ...args.query,
    oauth_consumer_key: args.consumerKey,
    oauth_nonce: args.nonce,
    oauth_signature_method: 'HMAC-SHA256',
    oauth_timestamp: String(args.timestamp),
    oauth_version: '1.0',
  }
  const signature = oauthSignature({ ...args, parameters })
  return `${args.address}?${joined({ ...parameters, oauth_signature: signature })}`
}
