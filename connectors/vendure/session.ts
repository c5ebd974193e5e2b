/** The one place that does I/O with Vendure: sends, reads GraphQL's envelope, opens the session once for all processes. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { withToken } from '../kit/bearer.ts'
import { urlOf } from '../kit/call.ts'
import { jsonOf } from '../kit/json.ts'
import type { ConnectorContext, HttpResponse, Tokens } from '../kit/types.ts'
import { loginRequest, parseLogin, type GraphqlCall } from './api.ts'
import type { VendureConfig } from './config.ts'

export type VendureContext = ConnectorContext<VendureConfig>

const Envelope = z.looseObject({
  data: z.unknown().optional(),
  errors: z
    .array(z.looseObject({ message: z.string(), extensions: z.looseObject({ code: z.string().optional() }).nullish() }))
    .optional(),
})

/** Vendure tells no end of a session (a year by default); one that ended answers FORBIDDEN. */
const NO_END = new Date(8.64e15)

/** @returns `data`. @throws what the first of GraphQL's errors means; words of uncoded ones may hold values and are not repeated. */
export function readEnvelope(call: GraphqlCall, answer: HttpResponse): unknown {
  const what = `Vendure ${call.operation}`
  const parsed = Envelope.safeParse(jsonOf(answer, { what, write: call.write }))
  const [error] = parsed.data?.errors ?? []
  if (parsed.success && !error && answer.status < 400) return parsed.data.data
  const code = error?.extensions?.code ?? (error ? 'uncoded' : `http-${answer.status}`)
  const said = error?.message.slice(0, 200) ?? `HTTP ${answer.status}`
  switch (code) {
    case 'FORBIDDEN':
    case 'UNAUTHORIZED':
      throw new OmnisagaError('AuthExpired', `${what}: ${said}`, { code })
    case 'GRAPHQL_VALIDATION_FAILED':
    case 'BAD_USER_INPUT':
      throw new OmnisagaError('Invalid', `${what}: ${said}`, {
        code,
        remedy: 'This Vendure has another schema than 3.7: update it, or the connector.',
      })
    case 'ENTITY_NOT_FOUND':
    case 'USER_INPUT_ERROR':
      throw new OmnisagaError('Rejected', `${what}: ${said}`, { code, remedy: "Look it up in the shop's administration." })
    case 'CHANNEL_NOT_FOUND':
      throw new OmnisagaError('Misconfigured', `${what}: there is no such channel`, { code, remedy: 'Check channelToken.' })
    default:
      throw new OmnisagaError(call.write ? 'OutcomeUnknown' : 'Transient', `${what}: Vendure failed with an error of its own`, {
        code,
      })
  }
}

async function send(ctx: VendureContext, call: GraphqlCall, accessToken: string | null): Promise<HttpResponse> {
  const { baseUrl, adminApiPath, channelToken } = ctx.connection.config
  return ctx.http.request({
    method: 'POST',
    url: urlOf(baseUrl, `/${adminApiPath}`),
    headers: {
      ...(accessToken === null ? {} : { authorization: `Bearer ${accessToken}` }),
      ...(channelToken === null ? {} : { 'vendure-token': channelToken }),
    },
    body: { operationName: call.operation, query: call.query, variables: call.variables },
    write: call.write,
  })
}

/** The token comes in a header (authOptions.tokenMethod must include `bearer`). */
async function login(ctx: VendureContext): Promise<Tokens> {
  const { username, password } = ctx.connection.config
  const call = loginRequest({ username, password })
  const answer = await send(ctx, call, null)
  try {
    parseLogin(readEnvelope(call, answer))
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Rejected') throw error
    throw new OmnisagaError('Misconfigured', 'Vendure does not let this administrator in', {
      code: error.code,
      remedy: 'Check username and password.',
    })
  }
  const accessToken = answer.headers['vendure-auth-token']
  if (!accessToken)
    throw new OmnisagaError('Misconfigured', 'Vendure opens a session, but gives no token', {
      code: 'no-token',
      remedy: "Add 'bearer' to authOptions.tokenMethod of the shop.",
    })
  return { accessToken, refreshToken: '', expiresAt: NO_END }
}

/** One call. @returns `data`. A session that ended is opened anew and the call repeated (it did nothing the first time). */
export async function ask(ctx: VendureContext, call: GraphqlCall): Promise<unknown> {
  try {
    return await withToken(ctx, { exchange: () => login(ctx) }, async (token) => readEnvelope(call, await send(ctx, call, token)))
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'AuthExpired') throw error
    // Refused with a session that was opened a moment ago: it is the right that is missing.
    throw new OmnisagaError('Misconfigured', `Vendure ${call.operation}: the administrator is not allowed to do this`, {
      code: error.code,
      remedy: "Give the administrator's role the rights to read and update orders, catalogue and stock locations.",
    })
  }
}
