/**
 * One GraphQL call: what to send, what an answer means, and the I/O. Sources: shopify.dev "API rate limits", "API response status and
 * error codes", "Client credentials grant".
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { oauthTokenRequest, parseOauthTokens, withToken } from '../kit/bearer.ts'
import { jsonOf, refusalOf } from '../kit/json.ts'
import type { ConnectorContext, HttpRequest, HttpResponse, Tokens } from '../kit/types.ts'
import type { ShopifyConfig } from './config.ts'

export type ShopifyContext = ConnectorContext<ShopifyConfig>
export interface GraphqlCall {
  /** The operation's name, which is also the root field of a mutation. */
  operation: string
  query: string
  variables: Record<string, unknown>
  write: boolean
}

export const gid = (type: string, id: string): string => (id.startsWith('gid://') ? id : `gid://shopify/${type}/${id}`)
/** `gid://shopify/Order/123` -> `123`: the number that people and webhooks know it by. */
export const numberOf = (id: string): string => /^gid:\/\/shopify\/\w+\/(\d+)/.exec(id)?.[1] ?? id

const baseOf = (config: Pick<ShopifyConfig, 'baseUrl' | 'shop'>) =>
  (config.baseUrl ?? `https://${config.shop}`).replace(/\/+$/, '')

export const graphqlRequest = (config: ShopifyConfig, accessToken: string, call: GraphqlCall): HttpRequest => ({
  method: 'POST',
  url: `${baseOf(config)}/admin/api/${config.apiVersion}/graphql.json`,
  headers: { 'x-shopify-access-token': accessToken, accept: 'application/json' },
  body: { query: call.query, operationName: call.operation, variables: call.variables },
  write: call.write,
})

const Cost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({ currentlyAvailable: z.number(), restoreRate: z.number().positive() }),
})
/** Until the bucket holds what the query costs; a second when the answer does not say. */
export function throttleDelayMs(extensions: unknown): number {
  const cost = z.object({ cost: Cost }).safeParse(extensions).data?.cost
  if (!cost) return 1000
  const { currentlyAvailable, restoreRate } = cost.throttleStatus
  return Math.max(1000, Math.ceil(((cost.requestedQueryCost - currentlyAvailable) / restoreRate) * 1000))
}

const Answer = z.looseObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .union([
      z.string(),
      z.array(z.looseObject({ message: z.string(), extensions: z.looseObject({ code: z.string().nullish() }).nullish() })),
    ])
    .nullish(),
  extensions: z.unknown().optional(),
})

/** A redirect or a 404 is a wrong address; 402 and 423 a shop that is frozen or locked. */
function refusal({ status }: HttpResponse, what: string): OmnisagaError {
  const remedy =
    status === 402 || status === 423
      ? 'The shop is frozen or locked: its owner must settle that with Shopify.'
      : 'Check shop and apiVersion of the connection.'
  if (status === 402 || status === 404 || status === 423 || status < 400)
    return new OmnisagaError('Misconfigured', `${what}: HTTP ${status}`, { code: `http-${status}`, remedy })
  return refusalOf(status, what)
}

/** @throws OmnisagaError: RateLimited with the delay for THROTTLED; userErrors are the caller's, see refuseUserErrors. */
export function parseAnswer(response: HttpResponse, call: Pick<GraphqlCall, 'operation' | 'write'>): Record<string, unknown> {
  const what = `Shopify ${call.operation}`
  if (response.status >= 300) throw refusal(response, what)
  const parsed = Answer.safeParse(jsonOf(response, { what, write: call.write }))
  const answer = parsed.data
  const errors = typeof answer?.errors === 'string' ? [{ message: answer.errors, extensions: null }] : (answer?.errors ?? [])
  const [first] = errors
  if (!first && answer?.data) return answer.data
  const code = first?.extensions?.code ?? 'no-data'
  const words = `${what}: ${first?.message.slice(0, 200) ?? 'the answer holds no data'}`
  switch (code) {
    case 'THROTTLED':
      throw new OmnisagaError('RateLimited', words, {
        code,
        retryAfterMs: throttleDelayMs(answer?.extensions),
        remedy: 'It goes on by itself. If it comes often, lower quota.perSecond of the connection.',
      })
    case 'ACCESS_DENIED':
      throw new OmnisagaError('Misconfigured', words, { code, remedy: 'Give the app the access scope that the call needs.' })
    case 'SHOP_INACTIVE':
      throw new OmnisagaError('Misconfigured', words, { code, remedy: 'The shop is not active; its owner must open it again.' })
    case 'MAX_COST_EXCEEDED':
      throw new OmnisagaError('Misconfigured', words, { code, remedy: 'Lower pageSize of the connection.' })
    case 'INTERNAL_SERVER_ERROR':
    case 'TIMEOUT':
    case 'no-data':
      throw new OmnisagaError(call.write ? 'OutcomeUnknown' : 'Transient', words, { code })
    default:
      throw new OmnisagaError('Rejected', words, { code, remedy: 'Does apiVersion of the connection know this call?' })
  }
}

export const UserErrors = z.array(
  z.object({ field: z.array(z.string()).nullish(), message: z.string(), code: z.string().nullish() }),
)
export type UserErrors = z.infer<typeof UserErrors>
/** A mutation says no in its data. @throws Transient while the same key is still being worked on, else Rejected. */
export function refuseUserErrors(what: string, errors: UserErrors): void {
  const [first] = errors
  if (!first) return
  const code = first.code ?? 'user-error'
  const words = `Shopify ${what}: ${first.message.slice(0, 200)}`
  if (code === 'IDEMPOTENCY_CONCURRENT_REQUEST') throw new OmnisagaError('Transient', words, { code, retryAfterMs: 2000 })
  throw new OmnisagaError('Rejected', words, { code, remedy: "Look the order up in the shop's admin." })
}

async function exchange(ctx: ShopifyContext): Promise<Tokens> {
  const { clientId, clientSecret, ...config } = ctx.connection.config
  const remedy = 'Check shop, clientId and clientSecret, and that the app is installed in the shop.'
  if (clientId === null || clientSecret === null)
    throw new OmnisagaError('AuthExpired', 'Shopify refuses the access token', {
      code: '401',
      remedy: 'Give a new accessToken, or clientId and clientSecret.',
    })
  const what = 'Shopify access token'
  const response = await ctx.http.request(
    oauthTokenRequest({ url: `${baseOf(config)}/admin/oauth/access_token`, clientId, clientSecret }),
  )
  if (response.status >= 300)
    throw new OmnisagaError('Misconfigured', `${what}: HTTP ${response.status}`, { code: `http-${response.status}`, remedy })
  return parseOauthTokens(jsonOf(response, { what }), { what, now: ctx.now() })
}

export async function ask(ctx: ShopifyContext, call: GraphqlCall): Promise<Record<string, unknown>> {
  const { config } = ctx.connection
  const send = async (token: string) => parseAnswer(await ctx.http.request(graphqlRequest(config, token, call)), call)
  return config.accessToken === null ? withToken(ctx, { exchange: () => exchange(ctx) }, send) : send(config.accessToken)
}
