/** The one place that does I/O with CYBERBIZ, its errors mapped once, and its pages. */
import { OmnisagaError } from '../../domain/errors.ts'
import { jsonOf, refusalOf } from '../kit/json.ts'
import type { ConnectorContext, HttpRequest, HttpResponse } from '../kit/types.ts'

/** What both connectors of this folder have in their configuration. */
export interface Account {
  baseUrl: string
  shopDomain: string
  token: string
  appSecret: string | null
  pageSize: number
}
export type AccountContext = Pick<ConnectorContext<Account>, 'connection' | 'http' | 'now'>

export interface Call {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  query?: Record<string, string>
  body?: Record<string, unknown>
  write?: boolean
}

export const requestOf = (config: Account, call: Call): HttpRequest => ({
  method: call.method,
  url: `${config.baseUrl.replace(/\/$/, '')}${call.path}${call.query ? `?${new URLSearchParams(call.query).toString()}` : ''}`,
  headers: { authorization: `Bearer ${config.token}`, accept: 'application/json' },
  ...(call.body ? { body: call.body } : {}),
  write: call.write ?? false,
})

/** `{"error": ["…"]}`, `{"error": "…"}`, `{"message": …}`, `{"messages": …}`, in any depth. */
export function vendorMessage(json: unknown): string {
  const texts = (value: unknown): string[] => {
    if (typeof value === 'string') return value ? [value] : []
    if (Array.isArray(value)) return value.flatMap(texts)
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : []
  }
  if (typeof json !== 'object' || json === null) return ''
  const told = json as Record<string, unknown>
  return ['error', 'errors', 'message', 'messages'].flatMap((key) => texts(told[key])).join('; ')
}
/** A 2xx whose body is nothing but an error. */
const isBareError = (json: unknown): boolean =>
  typeof json === 'object' && json !== null && /^(errors?|messages)$/.test(Object.keys(json).join())

/** @returns the JSON; null where the vendor has none. @throws what the vendor's refusal means. */
export function parseAnswer(call: Call, answer: HttpResponse): unknown {
  const what = `CYBERBIZ ${call.method} ${call.path}`
  const ok = answer.status >= 200 && answer.status < 300
  if (ok && answer.body.trim() === '') return null
  const json = jsonOf(answer, { what, write: call.write })
  if (ok && !isBareError(json)) return json
  const message = vendorMessage(json)
  // Of a write a 403 also says that the order's state does not allow it (v1 reference).
  if (call.write && answer.status === 403)
    throw new OmnisagaError('Rejected', `${what} was refused: ${message.slice(0, 200)}`, {
      code: 'http-403',
      remedy: "Look the order up in the shop's back office; if its state is right, check the scopes of the token.",
    })
  throw refusalOf(ok ? 422 : answer.status, what, { message })
}

const isUnauthorised = (error: unknown) => error instanceof OmnisagaError && error.kind === 'AuthExpired'

/** A token has no refresh: what was refused once is asked once more, then the connection stops. */
export async function send(ctx: AccountContext, call: Call): Promise<{ json: unknown; headers: Record<string, string> }> {
  const request = requestOf(ctx.connection.config, call)
  const answer = await ctx.http
    .request(request)
    .catch((error: unknown) => {
      if (!isUnauthorised(error)) throw error
      return ctx.http.request(request)
    })
    .catch((error: unknown) => {
      if (!isUnauthorised(error)) throw error
      throw new OmnisagaError('Misconfigured', `CYBERBIZ ${call.method} ${call.path}: the token was refused (401)`, {
        code: '401',
        remedy: 'Check the token of the connection, and that the shop has licensed what the call needs.',
      })
    })
  return { json: parseAnswer(call, answer), headers: answer.headers }
}

/** The last page says so by an empty `X-Next-Page`. */
export const isLastPage = (headers: Record<string, string>, size: number, pageSize: number): boolean =>
  size === 0 || (headers['x-next-page'] === undefined ? size < pageSize : headers['x-next-page'].trim() === '')

/** Every record of a list that is short or changes seldom, page by page; a record is given once. */
export async function* pages<T extends { id: number }>(
  ctx: AccountContext,
  path: string,
  parse: (json: unknown) => T[],
): AsyncGenerator<T[]> {
  const { pageSize } = ctx.connection.config
  const seen = new Set<number>()
  for (let page = 1; ; page++) {
    const query = { page: String(page), per_page: String(pageSize) }
    const { json, headers } = await send(ctx, { method: 'GET', path, query })
    const items = parse(json ?? [])
    const fresh = items.filter((item) => !seen.has(item.id))
    for (const item of fresh) seen.add(item.id)
    if (fresh.length > 0) yield fresh
    if (isLastPage(headers, items.length, pageSize)) return
  }
}

const ZONE = '+08:00'
const ZONE_MS = 8 * 60 * 60_000
/** CYBERBIZ writes Taiwan's time without a zone. @returns ISO 8601 with offset. */
export const isoOf = (time: string): string => {
  const [date = '', clock = ''] = time.trim().split(/[ T]/)
  const [hours = '00', minutes = '00', seconds = '00'] = clock.slice(0, 8).split(':')
  return `${date}T${hours}:${minutes}:${seconds.slice(0, 2)}${/[+-]\d{2}:?\d{2}$/.exec(time)?.[0] ?? ZONE}`
}
/** @param seconds since 1970 */
export const taipeiTime = (seconds: number): string =>
  new Date(seconds * 1000 + ZONE_MS).toISOString().slice(0, 19).replace('T', ' ')
