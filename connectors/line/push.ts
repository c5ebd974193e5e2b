/** "Send push message": line-openapi, messaging-api.yml, POST /v2/bot/message/push. */
import { OmnisagaError } from '../../domain/errors.ts'
import { urlOf } from '../kit/call.ts'
import { digest } from '../kit/signature.ts'
import { refusalOf } from '../kit/json.ts'
import type { HttpRequest, HttpResponse, Notice } from '../kit/types.ts'
import type { LineConfig } from './config.ts'

/** A text message holds at most so many UTF-16 code units. */
const MAX_TEXT = 5000

/** The id of one person for this provider's accounts. */
export const isUserId = (text: string): boolean => /^U[0-9a-f]{32}$/.test(text)

/** The same notice has the same UUID (version 8 of RFC 9562: of our own making), so that LINE accepts it once. */
export function retryKey(key: string): string {
  const hex = digest('sha256', key, 'hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Never half a surrogate pair at its end. */
const cut = (text: string): string => (text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT).replace(/[\uD800-\uDBFF]$/, ''))

/** @throws Invalid: the customer has no LINE user id. */
export function pushRequest(config: LineConfig, notice: Notice): HttpRequest {
  const { lineUserId } = notice.to
  if (lineUserId === null || !isUserId(lineUserId))
    throw new OmnisagaError('Invalid', 'the customer has no LINE user id', { code: 'to' })
  return {
    method: 'POST',
    url: urlOf(config.baseUrl, '/v2/bot/message/push'),
    write: true,
    serverErrorMeansNotDone: true, // or LINE drops the repeat by its key
    headers: { 'x-line-retry-key': retryKey(notice.key) },
    body: { to: lineUserId, messages: [{ type: 'text', text: cut(`${notice.subject}\n\n${notice.text}`) }] },
  }
}

/** @throws Rejected; nothing for 409: a push with this key was accepted before. */
export function parsePush(response: HttpResponse): void {
  if (response.status === 409 || response.status < 300) return
  let message: string | undefined
  try {
    const json = JSON.parse(response.body) as { message?: unknown }
    if (typeof json.message === 'string') message = json.message
  } catch {
    // Not LINE's own words: the status says enough.
  }
  throw refusalOf(response.status, 'LINE POST /v2/bot/message/push', { message })
}
