/** Verifying what others sign, over the raw bytes; fails closed. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { OmnisagaError } from '../../domain/errors.ts'

export type Encoding = 'hex' | 'base64'

/** In constant time for texts of equal length. */
export function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given, 'utf8')
  const b = Buffer.from(expected, 'utf8')
  return a.length === b.length && timingSafeEqual(a, b)
}

export const hmac = (algorithm: 'sha256' | 'sha1', secret: string, data: string | Buffer, encoding: Encoding): string =>
  createHmac(algorithm, secret).update(data).digest(encoding)

export const digest = (algorithm: 'sha256' | 'md5', data: string | Buffer, encoding: Encoding): string =>
  createHash(algorithm).update(data).digest(encoding)

/** Header names are told in any case. */
export const headerOf = (headers: Record<string, string>, name: string): string | undefined =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]

export const forged = (vendor: string, why: string): OmnisagaError =>
  new OmnisagaError('Rejected', `${vendor} webhook refused: ${why}`, {
    code: 'forged',
    remedy: 'Compare the secret of the connection with the one the vendor signs with.',
  })

/**
 * @param secret null or empty: everything is refused.
 * @throws OmnisagaError Rejected, code `forged`
 */
export function verifySignature(args: {
  vendor: string
  secret: string | null | undefined
  given: string | undefined
  /** What the given one must be, from a secret that is there. */
  expected: (secret: string) => string
}): void {
  if (!args.secret) throw forged(args.vendor, 'the connection has no secret for webhooks')
  if (!args.given) throw forged(args.vendor, 'it carries no signature')
  if (!sameText(args.given, args.expected(args.secret))) throw forged(args.vendor, 'wrong signature')
}
