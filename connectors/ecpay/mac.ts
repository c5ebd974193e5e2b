/** CheckMacValue of ECPay's domestic logistics: MD5 (its payment API uses SHA-256 instead). */
import { hash, timingSafeEqual } from 'node:crypto'
import { OmnisagaError } from '../../domain/errors.ts'

export interface MacKey {
  hashKey: string
  hashIv: string
}

/** .NET's HttpUtility.UrlEncode in lower case: it leaves - _ . ! * ( ) as they are, but not ~ and '. */
const dotNetEncode = (text: string): string =>
  encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd'))
    .replace(/%20/g, '+')
    .replace(/~/g, '%7e')
    .replace(/'/g, '%27')
    .toLowerCase()

/** @param fields everything that is sent, also empty fields; CheckMacValue itself is left out. @returns 32 capital hex digits */
export function checkMacValue(fields: Record<string, string>, key: MacKey): string {
  const pairs = Object.entries(fields)
    .filter(([name]) => name !== 'CheckMacValue')
    .map(([name, value]) => ({ sort: name.toLowerCase(), text: `${name}=${value}` }))
    .sort((a, b) => (a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0))
    .map(({ text }) => text)
  const text = [`HashKey=${key.hashKey}`, ...pairs, `HashIV=${key.hashIv}`].join('&')
  return hash('md5', dotNetEncode(text), 'hex').toUpperCase()
}

/** Constant time. Fails closed: no key, no value, another length are all false. */
export function hasValidMac(fields: Record<string, string>, key: MacKey): boolean {
  const given = fields.CheckMacValue
  if (!key.hashKey || !key.hashIv || given === undefined || !/^[0-9A-Fa-f]{32}$/.test(given)) return false
  return timingSafeEqual(Buffer.from(given.toUpperCase(), 'ascii'), Buffer.from(checkMacValue(fields, key), 'ascii'))
}

/** @returns the fields with their CheckMacValue, ready to be sent. */
export function signed(fields: Record<string, string>, key: MacKey): Record<string, string> {
  if (!key.hashKey || !key.hashIv) {
    throw new OmnisagaError('Misconfigured', 'hashKey or hashIv of the ECPay connection is empty', {
      remedy: 'Set both from the ECPay back office.',
    })
  }
  return { ...fields, CheckMacValue: checkMacValue(fields, key) }
}
