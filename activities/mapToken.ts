/**
 * What proves that a choice on a courier's map belongs to an order, and that who opens the link to the map was sent it: 20 letters and
 * digits (couriers give back no more), of which 16 are a keyed digest and 4 the hour until which it counts.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const DIGEST_CHARS = 16

/** `map`: a choice on the map; `link`: the way to the map. One is no proof of the other. */
export interface About {
  what: 'map' | 'link'
  connection: string
  orderId: string
}

const digestOf = (key: Buffer, { what, connection, orderId }: About, hour: string): string =>
  [...createHmac('sha256', key).update([what, connection, orderId, hour].join('\u0000')).digest().subarray(0, DIGEST_CHARS)]
    .map((byte) => ALPHABET[byte & 31])
    .join('')

export function mapToken(key: Buffer, about: About, now: Date, validMs = DAY_MS): string {
  const hour = Math.ceil((now.getTime() + validMs) / HOUR_MS)
    .toString(36)
    .toUpperCase()
    .padStart(4, '0')
  return digestOf(key, about, hour) + hour
}

/** Constant time; false when it is forged, of another order, or too old. */
export function isMapToken(key: Buffer, about: About, given: string, now: Date): boolean {
  if (!/^[A-Z2-7]{16}[0-9A-Z]{4}$/.test(given)) return false
  const hour = given.slice(DIGEST_CHARS)
  const expected = Buffer.from(digestOf(key, about, hour), 'ascii')
  const fits = timingSafeEqual(expected, Buffer.from(given.slice(0, DIGEST_CHARS), 'ascii'))
  return fits && Number.parseInt(hour, 36) * HOUR_MS >= now.getTime()
}
