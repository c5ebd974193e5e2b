/** Calls with an access token that ends: renewed before its end, and once more when the vendor refuses it all the same. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { encodeForm, FORM_TYPE } from './form.ts'
import { readShape } from './json.ts'
import type { ConnectorContext, HttpRequest, Tokens } from './types.ts'

/** An access token this close to its end is renewed before it is used. */
const EXPIRY_MARGIN_MS = 60_000

export interface TokenSource {
  /** What the configuration gives before anything was renewed; null: the first call begins with an exchange. */
  initial?: Tokens | null
  /** Asks the vendor for new ones; `current` is what is stored, null before the first time. */
  exchange(current: Tokens | null): Promise<Tokens>
}

/**
 * One refresh at a time over all processes, saved before use (TokenStore). `call` may run twice: AuthExpired means that it did nothing.
 * @throws AuthExpired never before the repeat.
 */
export async function withToken<T>(
  ctx: Pick<ConnectorContext, 'tokens' | 'now'>,
  source: TokenSource,
  call: (accessToken: string) => Promise<T>,
): Promise<T> {
  const renew = (stale: Tokens | null) => ctx.tokens.refresh(stale, (current) => source.exchange(current))
  const stored = await ctx.tokens.read()
  let tokens = stored ?? source.initial ?? null
  if (!tokens || tokens.expiresAt.getTime() <= ctx.now().getTime() + EXPIRY_MARGIN_MS) tokens = await renew(stored)
  try {
    return await call(tokens.accessToken)
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'AuthExpired') throw error
    return await call((await renew(tokens)).accessToken)
  }
}

/** RFC 6749 §6 (refresh token) or, without one, §4.4 (client credentials); the client names itself in the body (§2.3.1). */
export const oauthTokenRequest = (args: {
  url: string
  clientId: string
  clientSecret: string
  refreshToken?: string
  scope?: string
}): HttpRequest => ({
  method: 'POST',
  url: args.url,
  headers: { 'content-type': FORM_TYPE, accept: 'application/json' },
  body: encodeForm({
    grant_type: args.refreshToken === undefined ? 'client_credentials' : 'refresh_token',
    refresh_token: args.refreshToken,
    client_id: args.clientId,
    client_secret: args.clientSecret,
    scope: args.scope,
  }),
})

const OauthTokens = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().nullish(),
  expires_in: z.coerce.number().positive().nullish(),
})
/** RFC 6749 §5.1. A vendor that does not rotate keeps the refresh token; one that names no end means an hour (§5.1 leaves it open). */
export function parseOauthTokens(json: unknown, args: { what: string; now: Date; refreshToken?: string }): Tokens {
  const read = readShape(OauthTokens, json, args.what)
  return {
    accessToken: read.access_token,
    refreshToken: read.refresh_token ?? args.refreshToken ?? '',
    expiresAt: new Date(args.now.getTime() + (read.expires_in ?? 3600) * 1000),
  }
}
