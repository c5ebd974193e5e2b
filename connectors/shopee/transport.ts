/** The one place that does I/O with Shopee: signs, sends, reads the envelope, refreshes the access token once. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { withToken } from '../kit/bearer.ts'
import type { ConnectorContext, HttpResponse, Tokens } from '../kit/types.ts'
import { parseRefresh, refreshRequest, type ShopeeCall } from './api.ts'
import type { ShopeeConfig } from './config.ts'
import { shopeeError } from './errors.ts'
import { publicSign, shopSign } from './sign.ts'

export type ShopeeContext = ConnectorContext<ShopeeConfig>

const Envelope = z.looseObject({
  error: z.string().nullish(),
  message: z.string().nullish(),
  request_id: z.string().nullish(),
  response: z.unknown().optional(),
})
type Envelope = z.infer<typeof Envelope>

/** @param accessToken null for a public call. */
export function signedUrl(config: ShopeeConfig, call: ShopeeCall, accessToken: string | null, now: Date): string {
  const timestamp = Math.floor(now.getTime() / 1000)
  const common: Record<string, string> =
    accessToken === null
      ? { sign: publicSign(config, call.path, timestamp) }
      : {
          access_token: accessToken,
          shop_id: String(config.shopId),
          sign: shopSign(config, call.path, timestamp, accessToken, config.shopId),
        }
  const query = new URLSearchParams({
    ...call.query,
    partner_id: String(config.partnerId),
    timestamp: String(timestamp),
    ...common,
  })
  return `${config.baseUrl.replace(/\/$/, '')}${call.path}?${query.toString()}`
}

/** Reads the envelope that every answer has. @throws what the vendor's error means. */
export function readEnvelope(call: ShopeeCall, answer: HttpResponse, now: Date): Envelope {
  let json: unknown = null
  try {
    json = JSON.parse(answer.body)
  } catch {
    // Judged below: an answer that is no JSON comes from something in between (a proxy, a maintenance page).
  }
  const parsed = Envelope.safeParse(json)
  if (!parsed.success)
    throw new OmnisagaError(
      call.write ? 'OutcomeUnknown' : 'Transient',
      `Shopee ${call.path}: HTTP ${answer.status} with no JSON answer`,
      { code: `http-${answer.status}` },
    )
  const { error, message, request_id: requestId } = parsed.data
  if (error) throw shopeeError(call.path, { error, message: message ?? '', requestId: requestId ?? null }, now, call.write)
  if (answer.status >= 400)
    throw new OmnisagaError('Rejected', `Shopee ${call.path}: HTTP ${answer.status} without an error code`, {
      code: `http-${answer.status}`,
    })
  return parsed.data
}

async function send(ctx: ShopeeContext, call: ShopeeCall, accessToken: string | null): Promise<Envelope> {
  const config = ctx.connection.config
  const answer = await ctx.http.request({
    method: call.method,
    url: signedUrl(config, call, accessToken, ctx.now()),
    ...(call.body ? { body: call.body, headers: { 'content-type': 'application/json' } } : {}),
    write: call.write,
  })
  return readEnvelope(call, answer, ctx.now())
}

const initialTokens = (config: ShopeeConfig): Tokens => ({
  accessToken: config.accessToken,
  refreshToken: config.refreshToken,
  expiresAt: new Date(config.accessToken ? 8.64e15 : 0),
})

/** Trades a refresh token, which is used up by it, for a new pair. */
export async function exchangeRefreshToken(ctx: ShopeeContext, refreshToken: string): Promise<Tokens> {
  const { partnerId, shopId } = ctx.connection.config
  const askedAt = ctx.now().getTime()
  const answer = parseRefresh(await send(ctx, refreshRequest({ partnerId, shopId, refreshToken }), null))
  return { accessToken: answer.accessToken, refreshToken: answer.refreshToken, expiresAt: new Date(askedAt + answer.expiresInMs) }
}

/** The stored refresh token first; when it is refused and a person has applied another one since, that one. */
async function exchange(ctx: ShopeeContext, current: Tokens | null): Promise<Tokens> {
  const configured = ctx.connection.config.refreshToken
  if (current === null) return exchangeRefreshToken(ctx, configured)
  try {
    return await exchangeRefreshToken(ctx, current.refreshToken)
  } catch (error) {
    const refused = error instanceof OmnisagaError && error.kind === 'Misconfigured'
    if (!refused || current.refreshToken === configured) throw error
    return exchangeRefreshToken(ctx, configured)
  }
}

/**
 * One call for the shop. A refused access token is refreshed and the call repeated once (it did nothing the first time).
 * @returns the `response` part. @throws OmnisagaError; AuthExpired never more than after the repeat.
 */
export const shopCall = (ctx: ShopeeContext, call: ShopeeCall): Promise<unknown> =>
  withToken(
    ctx,
    { initial: initialTokens(ctx.connection.config), exchange: (current) => exchange(ctx, current) },
    async (accessToken) => (await send(ctx, call, accessToken)).response,
  )
