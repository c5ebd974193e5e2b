/** The one place that does I/O with a shop: Basic over HTTPS, OAuth 1.0a over HTTP; errors mapped once; pages. */
import { randomBytes } from 'node:crypto'
import { OmnisagaError } from '../../domain/errors.ts'
import { jsonOf, refusalOf } from '../kit/json.ts'
import type { ConnectorContext, HttpRequest, HttpResponse } from '../kit/types.ts'
import type { WooConfig } from './config.ts'
import { signedAddress } from './oauth.ts'
import { VendorError } from './schemas.ts'

export type WooContext = ConnectorContext<WooConfig>

export interface Call {
  method: 'GET' | 'POST' | 'PUT'
  /** Below /wp-json/wc/v3. */
  path: string
  query?: Record<string, string>
  body?: Record<string, unknown>
  write?: boolean
}

/** @param nonce of OAuth: used once. */
export function requestOf(config: WooConfig, call: Call, now: Date, nonce: string): HttpRequest {
  const address = `${config.baseUrl.replace(/\/$/, '')}/wp-json/wc/v3${call.path}`
  const { consumerKey, consumerSecret } = config
  const query = call.query ?? {}
  const common = { method: call.method, ...(call.body ? { body: call.body } : {}), write: call.write ?? false }
  if (address.startsWith('https:')) {
    const search = new URLSearchParams(query).toString()
    const basic = Buffer.from(`${consumerKey}:${consumerSecret}`, 'utf8').toString('base64')
    return { ...common, url: search ? `${address}?${search}` : address, headers: { authorization: `Basic ${basic}` } }
  }
  const timestamp = Math.floor(now.getTime() / 1000)
  return { ...common, url: signedAddress({ method: call.method, address, query, consumerKey, consumerSecret, timestamp, nonce }) }
}

const keyRefused = (what: string, words: string) =>
  new OmnisagaError('Misconfigured', `${what}: the key was refused (401)${words}`, {
    code: '401',
    remedy: "Check consumerKey and consumerSecret, the key's permissions, and, over HTTP, the clocks of both machines.",
  })

/** @throws what the refusal means. WooCommerce's words describe parameters, not people. */
export function parseAnswer(call: Call, answer: HttpResponse): unknown {
  const what = `WooCommerce ${call.method} ${call.path}`
  if (answer.status >= 300 && answer.status < 400)
    throw new OmnisagaError('Misconfigured', `${what}: the site redirects (${answer.status})`, {
      code: `http-${answer.status}`,
      remedy: 'Give baseUrl as the site itself writes it: https or http, with or without www.',
    })
  const json = jsonOf(answer, { what, write: call.write })
  if (answer.status >= 200 && answer.status < 300) return json
  const told = VendorError.safeParse(json).data
  throw refusalOf(answer.status, what, { code: told?.code ?? `http-${answer.status}`, message: told?.message ?? '' })
}

const isUnauthorised = (error: unknown) => error instanceof OmnisagaError && error.kind === 'AuthExpired'

/** A key has no refresh: what was refused once is asked once more (a nonce may have been used), then the connection stops. */
export async function send(ctx: WooContext, call: Call): Promise<{ json: unknown; headers: Record<string, string> }> {
  const ask = () => ctx.http.request(requestOf(ctx.connection.config, call, ctx.now(), randomBytes(16).toString('hex')))
  const answer = await ask()
    .catch((error: unknown) => {
      if (!isUnauthorised(error)) throw error
      return ask()
    })
    .catch((error: unknown) => {
      throw isUnauthorised(error) ? keyRefused(`WooCommerce ${call.method} ${call.path}`, '') : error
    })
  return { json: parseAnswer(call, answer), headers: answer.headers }
}

export const isLastPage = (headers: Record<string, string>, page: number, size: number, pageSize: number): boolean => {
  const pages = Number(headers['x-wp-totalpages'] ?? Number.NaN)
  return Number.isNaN(pages) ? size < pageSize : page >= pages
}

/** Every record of a list, page by page; a record is given once. */
export async function* pages<T extends { id: number }>(
  ctx: WooContext,
  path: string,
  parse: (json: unknown) => T[],
): AsyncGenerator<T[]> {
  const { pageSize } = ctx.connection.config
  const seen = new Set<number>()
  for (let page = 1; ; page++) {
    const query = { page: String(page), per_page: String(pageSize), orderby: 'id', order: 'asc' }
    const { json, headers } = await send(ctx, { method: 'GET', path, query })
    const items = parse(json)
    const fresh = items.filter((item) => !seen.has(item.id))
    for (const item of fresh) seen.add(item.id)
    if (fresh.length > 0) yield fresh
    if (isLastPage(headers, page, items.length, pageSize)) return
  }
}
