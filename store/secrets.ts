/** Secrets at rest: AES-256-GCM. A sealed value is version byte, 12-byte nonce, 16-byte tag, ciphertext. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { OmnisagaError } from '../domain/errors.ts'

/** 32 bytes. Made once per process by `secretKeyFrom`. */
export type SecretKey = Buffer

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Reads OMNISAGA_SECRET_KEY: 64 hexadecimal digits or the base64 of 32 bytes are the key itself; anything else of at least
 * 12 characters is a passphrase from which the key is derived by scrypt (about 60 ms: call it once per process).
 * @throws OmnisagaError Misconfigured
 */
export function secretKeyFrom(text: string): SecretKey {
  const trimmed = text.trim()
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex')
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) {
    const key = Buffer.from(trimmed, 'base64')
    if (key.length === 32) return key
  }
  if (trimmed.length < 12) {
    throw new OmnisagaError('Misconfigured', `OMNISAGA_SECRET_KEY is too short: ${trimmed.length} characters`, {
      code: 'secret-key',
      remedy:
        'Set it to 32 random bytes in base64 (openssl rand -base64 32) and keep it: secrets already stored need the same one.',
    })
  }
  // A fixed salt: the same passphrase must give the same key on every worker. Key strength rests on the passphrase.
  return scryptSync(trimmed, 'omnisaga/secret-key/1', 32)
}

/** @param context binds the value to its place (e.g. `connection:name`), so that a sealed value moved elsewhere does not open. */
export function seal(key: SecretKey, context: string, value: unknown): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(context, 'utf8'))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed])
}

/** @throws OmnisagaError Misconfigured when the key is another one than it was sealed with, or the bytes were changed. */
export function unseal(key: SecretKey, context: string, sealed: Buffer): unknown {
  try {
    if (sealed[0] !== VERSION) throw new RangeError(`unknown version ${sealed[0]}`)
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(context, 'utf8'))
    decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES))
    const text = Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()])
    return JSON.parse(text.toString('utf8'))
  } catch {
    // What failed inside the cipher says nothing of use, and must not carry key material.
    throw new OmnisagaError('Misconfigured', `the secrets of ${context} cannot be opened with this OMNISAGA_SECRET_KEY`, {
      code: 'secret-key',
      remedy: 'Start with the key they were stored under, or apply the connections file again.',
    })
  }
}
