/** One call: what to send, what a refusal means, and the I/O. Source: square/connect-api-specification (OpenAPI; Error, ErrorCode). */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { urlOf } from '../kit/call.ts'
import { jsonOf, refusalOf } from '../kit/json.ts'
import { digest } from '../kit/signature.ts'
import type { ConnectorContext, HttpRequest } from '../kit/types.ts'
import type { SquareConfig } from './config.ts'

export type SquareContext = ConnectorContext<SquareConfig>
export interface Call {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  query?: Record<string, string | undefined>
  body?: Record<string, unknown>
  write?: boolean
  /** The body carries an idempotency key that is the same when it is sent again: Square does it once. */
  keyed?: boolean
}

export const requestOf = (config: SquareConfig, call: Call): HttpRequest => ({
  method: call.method,
  url: urlOf(config.baseUrl, call.path, call.query),
  headers: { authorization: `Bearer ${config.accessToken}`, 'square-version': config.version, accept: 'application/json' },
  ...(call.body === undefined ? {} : { body: call.body }),
  ...(call.write ? { write: true } : {}),
  ...(call.keyed ? { serverErrorMeansNotDone: true } : {}),
})

const Errors = z.looseObject({
  errors: z.array(z.object({ category: z.string(), code: z.string(), field: z.string().nullish() })).nullish(),
})
export type SquareError = NonNullable<z.infer<typeof Errors>['errors']>[number]

/** The words of `detail` are left out: they may repeat what was sent. */
export function refusal(status: number, what: string, [first]: SquareError[]): OmnisagaError {
  if (!first) return refusalOf(status, what)
  const { code, category, field } = first
  const words = `${code}${field ? ` at ${field}` : ''}`
  if (code === 'VERSION_MISMATCH' || code === 'CONFLICT' || status === 409)
    return new OmnisagaError('Transient', `${what}: ${words}: it was changed meanwhile`, { code })
  if (category === 'AUTHENTICATION_ERROR')
    return new OmnisagaError('Misconfigured', `${what}: ${words}`, {
      code,
      remedy: 'Check accessToken of the connection, and what it is allowed to do.',
    })
  return new OmnisagaError('Rejected', `${what}: ${words}`, { code, remedy: 'Look it up in the Square Dashboard.' })
}

/** @throws what the HTTP client throws; what Square refuses is returned. */
export async function exchange(
  ctx: SquareContext,
  call: Call,
): Promise<{ status: number; json: unknown; errors: SquareError[] }> {
  const what = `Square ${call.method} ${call.path}`
  const response = await ctx.http.request(requestOf(ctx.connection.config, call))
  if (response.status >= 300 && response.status < 400)
    throw new OmnisagaError('Misconfigured', `${what}: HTTP ${response.status}`, {
      code: `http-${response.status}`,
      remedy: 'Check baseUrl of the connection.',
    })
  const json = jsonOf(response, { what, ...(call.write ? { write: true } : {}) })
  return { status: response.status, json, errors: Errors.safeParse(json).data?.errors ?? [] }
}

/** @throws OmnisagaError for any refusal. */
export async function ask(ctx: SquareContext, call: Call): Promise<unknown> {
  const { status, json, errors } = await exchange(ctx, call)
  if (status >= 400 || errors.length > 0) throw refusal(status, `Square ${call.method} ${call.path}`, errors)
  return json
}

/** A UUID, always the same for the same content; at most 45 letters are taken. */
export const keyOf = (...of: (string | number)[]): string =>
  digest('sha256', JSON.stringify(of), 'hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
