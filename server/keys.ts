/** API keys: shown once, stored as SHA-256. A key is 32 random bytes, so a plain hash is enough. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { OmnisagaError } from '../domain/errors.ts'
import type { Queryable } from '../store/db.ts'
import { Problem } from './problem.ts'

const KEY_PREFIX = 'os_'
const digest = (key: string): Buffer => createHash('sha256').update(key).digest()

/** @returns the key, which is never shown again. @throws Invalid when the name is empty or taken. */
export async function addKey(db: Queryable, name: string): Promise<string> {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(name)) {
    throw new OmnisagaError('Invalid', `'${name}' cannot name a key`, {
      code: 'keyName',
      remedy: 'Use 1 to 64 letters, digits, spaces, dots or dashes.',
    })
  }
  const key = KEY_PREFIX + randomBytes(32).toString('base64url')
  const added = await db.query(
    'insert into api_keys (hash, name) select $1, $2 where not exists (select 1 from api_keys where name = $2)',
    [digest(key).toString('hex'), name],
  )
  if (added.rowCount !== 1) {
    throw new OmnisagaError('Invalid', `a key named '${name}' exists`, { code: 'keyExists', remedy: 'Choose another name.' })
  }
  return key
}

export async function anyKey(db: Queryable): Promise<boolean> {
  const { rows } = await db.query('select 1 from api_keys limit 1')
  return rows.length > 0
}

/** @returns the key's name, or null. Compares with every key in constant time. */
const ownerOf = (presented: string, keys: { hash: string; name: string }[]): string | null => {
  const hash = digest(presented)
  let owner: string | null = null
  for (const key of keys) if (timingSafeEqual(Buffer.from(key.hash, 'hex'), hash)) owner = key.name
  return owner
}

export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (address === '::1' || /^(::ffff:)?127\./.test(address))

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * Without keys the machine's own people may ask. A proxy, a page from elsewhere (Origin) or a name that was bent to this
 * address (Host) also arrive from loopback, so they are turned away as well.
 */
const isLocalCaller = (address: string | undefined, headers: IncomingHttpHeaders): boolean => {
  const origin = headers.origin
  return (
    isLoopback(address) &&
    LOOPBACK_HOST.test(headers.host ?? '') &&
    (origin === undefined || LOOPBACK_HOST.test(origin.replace(/^https?:\/\//, ''))) &&
    headers['x-forwarded-for'] === undefined &&
    headers.forwarded === undefined
  )
}

/** @returns who asks, for the log of commands. @throws Problem 401 or 403. */
export async function authenticate(db: Queryable, address: string | undefined, headers: IncomingHttpHeaders): Promise<string> {
  const { rows } = await db.query<{ hash: string; name: string }>('select hash, name from api_keys')
  if (rows.length === 0) {
    if (isLocalCaller(address, headers)) return 'local'
    throw new Problem(
      403,
      'Loopback only',
      'No API key is configured, so only this machine itself may ask. ' + 'Make one with: npx omnisaga keys add NAME',
    )
  }
  const presented = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  const owner = presented === undefined ? null : ownerOf(presented, rows)
  if (owner !== null) return `key:${owner}`
  throw new Problem(
    401,
    'Not authenticated',
    presented === undefined ? 'Send an API key: Authorization: Bearer KEY' : 'This API key is not known.',
    { headers: { 'www-authenticate': 'Bearer realm="omnisaga"' } },
  )
}
