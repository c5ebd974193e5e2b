/** OAuth 1.0a as a shop without HTTPS checks it: key, clock within 15 minutes, nonce once, signature over the sorted parameters. */
import { createHmac } from 'node:crypto'
import type { SimAnswer, SimRequest } from '../kit/server.ts'

const WINDOW_SECONDS = 15 * 60
export const failure = (status: number, code: string, message: string): SimAnswer => ({
  status,
  body: { code, message, data: { status } },
})
const denied = (message: string) => failure(401, 'woocommerce_rest_authentication_error', message)

/** rawurlencode of PHP. */
const encode = (text: string) =>
  [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      /[A-Za-z0-9\-._~]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')

export function createGate(key: string, secret: string, origin: () => string, now: () => Date) {
  const used = new Set<string>()
  return (request: SimRequest): SimAnswer | null => {
    const { query } = request
    for (const name of ['oauth_consumer_key', 'oauth_timestamp', 'oauth_nonce', 'oauth_signature', 'oauth_signature_method'])
      if (!query[name]) return failure(401, 'woocommerce_rest_cannot_view', 'Sorry, you cannot list resources.')
    if (query.oauth_consumer_key !== key) return denied('Consumer key is invalid.')
    const algorithm = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256' }[query.oauth_signature_method ?? '']
    if (!algorithm) return denied('Invalid signature - signature method is invalid.')
    const { oauth_signature: given = '', ...parameters } = query
    const base = Object.keys(parameters)
      .sort()
      .map((name) => `${encode(encode(name))}%3D${encode(encode(parameters[name] ?? ''))}`)
      .join('%26')
    const text = `${request.method}&${encode(`${origin()}${request.path}`)}&${base}`
    if (createHmac(algorithm, `${secret}&`).update(text).digest('base64') !== given)
      return denied('Invalid signature - provided signature does not match.')
    const timestamp = Number(query.oauth_timestamp)
    if (Math.abs(now().getTime() / 1000 - timestamp) > WINDOW_SECONDS) return denied('Invalid timestamp.')
    const nonce = `${query.oauth_timestamp} ${query.oauth_nonce}`
    if (used.has(nonce)) return denied('Invalid nonce - nonce has already been used.')
    used.add(nonce)
    return null
  }
}
