/** The one place that does I/O with Medusa: sends, reads refusals, opens the session once for all processes. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { withToken } from '../kit/bearer.ts'
import { callJson } from '../kit/call.ts'
import type { ConnectorContext, Tokens } from '../kit/types.ts'
import { loginRequest, parseLogin, type MedusaCall } from './api.ts'
import type { MedusaConfig } from './config.ts'

export type MedusaContext = ConnectorContext<MedusaConfig>

const Refusal = z.looseObject({ type: z.string().optional(), message: z.string().optional() })
/** A refusal is {type, message}; the message names ids and fields of the request, not people. */
const told = (json: unknown): { code?: string; message?: string } => {
  const { type, message } = Refusal.safeParse(json).data ?? {}
  return { code: type, message }
}

const send = (ctx: MedusaContext, call: MedusaCall, authorization: string | null): Promise<unknown> => {
  const query = new URLSearchParams(call.query).toString()
  return callJson(
    ctx,
    {
      what: `Medusa ${call.method} ${call.path}`,
      method: call.method,
      url: `${ctx.connection.config.baseUrl.replace(/\/+$/, '')}${call.path}${query ? `?${query}` : ''}`,
      headers: authorization === null ? {} : { authorization },
      ...(call.body ? { body: call.body } : {}),
      write: call.write,
    },
    told,
  )
}

/** RFC 7519 §4.1.4. Medusa's tokens are JWTs, valid for a day by default; one without an end is asked for again when refused. */
function endOf(jwt: string): Date {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return new Date(z.object({ exp: z.number() }).parse(claims).exp * 1000)
  } catch {
    return new Date(8.64e15) // not a JWT: its end is noticed by a 401
  }
}

async function login(ctx: MedusaContext): Promise<Tokens> {
  const { email, password } = ctx.connection.config
  try {
    const accessToken = parseLogin(await send(ctx, loginRequest({ email: email ?? '', password: password ?? '' }), null))
    return { accessToken, refreshToken: '', expiresAt: endOf(accessToken) }
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'AuthExpired') throw error
    throw new OmnisagaError('Misconfigured', 'Medusa does not let this user in', {
      code: 'unauthorized',
      remedy: 'Check email and password.',
    })
  }
}

/** One call, by API key or session. A session that ended is opened anew and the call repeated (it did nothing the first time). */
export async function ask(ctx: MedusaContext, call: MedusaCall): Promise<unknown> {
  const { apiKey } = ctx.connection.config
  try {
    if (apiKey !== null) return await send(ctx, call, `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}`)
    return await withToken(ctx, { exchange: () => login(ctx) }, (token) => send(ctx, call, `Bearer ${token}`))
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'AuthExpired') throw error
    throw new OmnisagaError('Misconfigured', `Medusa ${call.method} ${call.path}: the credentials are refused`, {
      code: 'unauthorized',
      remedy: apiKey === null ? 'Check the rights of the user.' : 'Check apiKey: it must be a secret key that was not revoked.',
    })
  }
}
