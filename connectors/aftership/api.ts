/**
 * The calls of AfterShip Tracking 2026-07, in pairs: `xRequest` says what to send, `parseX` reads the answer. No I/O.
 * After the official SDK @aftership/tracking-sdk 17.0.0: src/api/Tracking.ts, src/lib/authentication.ts.
 */
import { z } from 'zod'
import type { Call, Told } from '../kit/call.ts'
import { readShape } from '../kit/json.ts'
import { digest, hmac } from '../kit/signature.ts'
import type { RawRecord } from '../kit/types.ts'
import type { AftershipConfig } from './config.ts'
import { newsOf } from './report.ts'

type Account = Pick<AftershipConfig, 'baseUrl' | 'apiKey' | 'apiSecret'>
const TRACKINGS = '/tracking/2026-07/trackings'
const JSON_TYPE = 'application/json'

/** How many numbers are asked for at a time. */
export const MOST_NUMBERS = 50

/** Sorted and escaped as the signature wants it, so that what is sent is what was signed. */
function resourceOf(path: string, query: Record<string, string | number | null> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== null)
  const text = given
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`)
    .join('&')
  return text ? `${path}?${text}` : path
}

/** @param now part of the signature; AfterShip allows three minutes either way. */
function callOf(
  account: Account,
  now: Date,
  args: Pick<Call, 'method' | 'write' | 'serverErrorMeansNotDone'> & { resource: string; body?: string },
): Call {
  const { resource, body, ...rest } = args
  const headers: Record<string, string> = { 'as-api-key': account.apiKey }
  if (account.apiSecret) {
    const [hash, type] = body ? [digest('md5', body, 'hex').toUpperCase(), JSON_TYPE] : ['', '']
    const date = now.toUTCString()
    const signed = [args.method, hash, type, date, `as-api-key:${account.apiKey}`, resource].join('\n')
    headers['as-signature-hmac-sha256'] = hmac('sha256', account.apiSecret, signed, 'base64')
    headers.date = date
  }
  if (body) headers['content-type'] = JSON_TYPE
  const url = `${account.baseUrl.replace(/\/+$/, '')}${resource}`
  return { ...rest, what: `AfterShip ${args.method} /trackings`, url, headers, ...(body ? { body } : {}) }
}

export const checkRequest = (account: Account, now: Date): Call =>
  callOf(account, now, { method: 'GET', resource: resourceOf(TRACKINGS, { limit: 1 }) })

export interface Registration {
  waybill: string
  courier: string
  service: string
  reference: string
}
/**
 * `order_id` comes back with every report: our reference. AfterShip drops repeats (4003), so a 5xx may be asked again. No names, phones
 * or mail addresses are given.
 */
export function registerRequest(account: Account & Pick<AftershipConfig, 'slugs'>, parcel: Registration, now: Date): Call {
  const slug = account.slugs[parcel.service] ?? account.slugs[parcel.courier]
  const body = JSON.stringify({ tracking_number: parcel.waybill, slug, order_id: parcel.reference })
  return callOf(account, now, { method: 'POST', resource: TRACKINGS, body, write: true, serverErrorMeansNotDone: true })
}
/** Of `meta.code`: registered before is as good as registered now. */
export const ALREADY_REGISTERED = '4003'

/** @param numbers at most MOST_NUMBERS */
export const trackingsRequest = (account: Account, args: { numbers: string[]; cursor: string | null }, now: Date): Call =>
  callOf(account, now, {
    method: 'GET',
    resource: resourceOf(TRACKINGS, { tracking_numbers: args.numbers.join(','), limit: 100, cursor: args.cursor }),
  })

const TrackingPage = z.looseObject({
  data: z.looseObject({
    pagination: z.looseObject({ next_cursor: z.string().nullish(), has_next_page: z.boolean().nullish() }).nullish(),
    trackings: z.array(z.unknown()),
  }),
})
/** A tracking without news yet is left out. */
export function parseTrackings(json: unknown, config: AftershipConfig): { items: RawRecord[]; next: string | null } {
  const { data } = readShape(TrackingPage, json, 'AfterShip GET /trackings')
  const items = data.trackings.flatMap((one) => newsOf(one, config) ?? [])
  return { items, next: (data.pagination?.has_next_page && data.pagination.next_cursor) || null }
}

const Refusal = z.object({ meta: z.looseObject({ code: z.number(), message: z.string().nullish() }) })
/** Every answer has `meta`; its code says more than the HTTP status. */
export const told: Told = (json) => {
  const { data } = Refusal.safeParse(json)
  return data ? { code: String(data.meta.code), message: data.meta.message ?? undefined } : {}
}
