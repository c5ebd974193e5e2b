/**
 * What proves that a choice on a courier's map belongs to an order: 20 letters and digits (couriers give back no more), of which 16 are a
 * keyed digest and 4 the hour until which it counts.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const HOUR_MS = 3_600_000
const HOURS_VALID = 24
const DIGEST_CHARS = 16

const digestOf = (key: Buffer, connection: string, orderId: string, hour: string): string =>
  [...createHmac('sha256', key).update(['map', connection, orderId, hour].join('\u0000')).digest().subarray(0, DIGEST_CHARS)]
    .map((byte) => ALPHABET[byte & 31])
    .join('')

export function mapToken(key: Buffer, connection: string, orderId: string, now: Date): string {
  const hour = (Math.floor(now.getTime() / HOUR_MS) + HOURS_VALID).toString(36).toUpperCase().padStart(4, '0')
  return digestOf(key, connection, orderId, hour) + hour
}

/** Constant time; false when it is forged, of another order, or too old. */
export function isMapToken(key: Buffer, connection: string, orderId: string, given: string, now: Date): boolean {
  if (!/^[A-Z2-7]{16}[0-9A-Z]{4}$/.test(given)) return false
  const hour = given.slice(DIGEST_CHARS)
  const expected = Buffer.from(digestOf(key, connection, orderId, hour), 'ascii')
  const fits = timingSafeEqual(expected, Buffer.from(given.slice(0, DIGEST_CHARS), 'ascii'))
  return fits && Number.parseInt(hour, 36) * HOUR_MS >= now.getTime()
}
