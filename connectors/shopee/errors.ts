/**
 * Shopee's errors, mapped once. Codes come with or without the module in front (`common.error_auth`, ` logistics.error_limit`),
 * and one code has several meanings, told apart by the message (common_error_list, and the error list of each API).
 */
import { OmnisagaError, type ErrorDetail, type ErrorKind } from '../../domain/errors.ts'

export interface VendorAnswer {
  error: string
  message: string
  requestId: string | null
}

/** `order. error_param` and ` logistics.package_already_shipped` are written so in the vendor's own documents. */
export const normaliseCode = (code: string): string => code.replace(/\s+/g, '').toLowerCase()

const bare = (code: string) => normaliseCode(code).replace(/^[a-z]+\./, '')

/** The vendor says that this package was arranged before. */
export const isAlreadyShipped = (error: unknown): boolean =>
  error instanceof OmnisagaError && bare(error.code ?? '') === 'package_already_shipped'

/** What ends the use of the connection until a person has mended it. */
const MISCONFIGURED: ReadonlyMap<string, string> = new Map([
  ['error_sign', 'Check partnerId and partnerKey.'],
  ['invalid_partner_id', 'Check partnerId.'],
  ['error_partner_key_expired', 'Reset the live partner key in the Open Platform console and apply it.'],
  ['source_ip_undeclared', "Declare this machine's address in the Open Platform console (App list, IP address whitelist)."],
  ['error_api_permission', 'Ask Shopee to open this API to the app.'],
  ['error_api_call_restricted', 'See the Open Platform console: the app is restricted.'],
  ['error_ashop_api_permission', 'Affiliate shops cannot use this API.'],
  ['error_permission', 'Authorise the app for this shop again.'],
  ['error_kyc_auth', 'Complete the seller registration in the Seller Center.'],
  ['error_shop', 'Check shopId.'],
  ['invalid_shop', 'Check shopId.'],
  ['api_suspended', 'The API is offline: update the connector.'],
  ['shop_banned', 'The shop is banned: talk to Shopee.'],
  ['shop_no_linked', 'Authorise the app for this shop again.'],
  ['partner_shop_no_link', 'Check partnerId and shopId, or authorise the app for this shop again.'],
  ['shop_access_expired', 'Authorise the app for this shop again.'],
  ['refresh_token_expired', 'Authorise the app for this shop again and apply the new tokens.'],
  ['error_shop_refresh_token', 'Authorise the app for this shop again and apply the new tokens.'],
])
const TRANSIENT = new Set([
  'error_inner',
  'error_server',
  'error_unknown',
  'error_system_busy',
  'error_network',
  'error_connection',
  'error_core_server',
])
const NOT_FOUND = new Set(['error_not_found', 'error_order_not_found', 'invalid_error', 'package_not_exist', 'error_not_exist'])

const day = 24 * 60 * 60_000
const TAIPEI_OFFSET_MS = 8 * 60 * 60_000

/** The daily quota of calls starts anew at 00:00 UTC+8. */
export const untilDailyReset = (now: Date): number => day - ((now.getTime() + TAIPEI_OFFSET_MS) % day)

function judge(answer: VendorAnswer, now: Date, write: boolean): [ErrorKind, ErrorDetail] {
  const code = bare(answer.error)
  const qualified = normaliseCode(answer.error)
  const says = (pattern: RegExp) => pattern.test(answer.message)
  if (code === 'invalid_acceess_token' || code === 'invalid_access_token') return ['AuthExpired', {}]
  if (code === 'error_auth') {
    if (says(/access_?token/i)) return ['AuthExpired', {}]
    if (says(/try again/i)) return ['Transient', {}]
    return [
      'Misconfigured',
      {
        remedy: says(/refresh_?token/i)
          ? 'Authorise the app for this shop again and apply the new tokens.'
          : "Check partnerId, shopId and the app's permissions.",
      },
    ]
  }
  const remedy = MISCONFIGURED.get(code)
  if (remedy !== undefined) return ['Misconfigured', { remedy }]
  // `order.error_limit` and `logistics.error_limit` are about the order's state, not about the quota.
  if (qualified === 'error_limit' || qualified === 'common.error_limit')
    return ['RateLimited', { retryAfterMs: untilDailyReset(now), remedy: 'The app has used up its calls of the day.' }]
  if (code === 'error_rate_limit') return ['RateLimited', { retryAfterMs: 5_000 }]
  if (code === 'error_param' && says(/timestamp is expired/i)) return ['Transient', { remedy: "Set this machine's clock." }]
  if (says(/being allocated/i)) return ['Transient', { retryAfterMs: 5 * 60_000 }]
  if (TRANSIENT.has(code) || (code === 'error_other' && says(/system error/i)))
    return [write ? 'OutcomeUnknown' : 'Transient', {}]
  if (NOT_FOUND.has(code)) return ['Rejected', { remedy: 'Look the order up in the Seller Center.' }]
  if (code === 'error_param' && !write) return ['Invalid', {}]
  return ['Rejected', { remedy: 'Look the order up in the Seller Center.' }]
}

/** @param path names the call; the message is Shopee's own (it describes parameters, not people), shortened. */
export function shopeeError(path: string, answer: VendorAnswer, now: Date, write: boolean): OmnisagaError {
  const [kind, detail] = judge(answer, now, write)
  const trace = answer.requestId ? ` [request ${answer.requestId}]` : ''
  return new OmnisagaError(kind, `Shopee ${path}: ${answer.error}: ${answer.message.slice(0, 200)}${trace}`, {
    code: normaliseCode(answer.error),
    ...detail,
  })
}
