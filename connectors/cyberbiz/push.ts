/**
 * Webhooks. CYBERBIZ signs the raw body with the app's secret (`X-Cyberbiz-Hmac-Sha256`); the documents say base64, production sends
 * hex: both are taken. There is no delivery id: the order's update time and content tell repeats apart.
 */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { webhookJson } from '../kit/json.ts'
import { headerOf, hmac, verifySignature } from '../kit/signature.ts'
import type { RawRecord } from '../kit/types.ts'
import type { Account, AccountContext } from './api.ts'
import { orderRecord, withReturn } from './pull.ts'
import { Order } from './schemas.ts'

interface Request {
  headers: Record<string, string>
  rawBody: Buffer
}
const ANSWER = { status: 200, contentType: 'application/json', body: '{}' }

/** Fails closed. @throws OmnisagaError Rejected, code `forged` */
export function verifyWebhook(config: Account, request: Request): void {
  const given = headerOf(request.headers, 'x-cyberbiz-hmac-sha256')?.trim()
  const isHex = given !== undefined && /^[0-9a-f]{64}$/i.test(given)
  verifySignature({
    vendor: 'CYBERBIZ',
    secret: config.appSecret,
    given: isHex ? given.toLowerCase() : given,
    expected: (secret) => hmac('sha256', secret, request.rawBody, isHex ? 'hex' : 'base64'),
  })
}

/** The order of an `orders/*` event; null for what concerns us not (other events, other shops of the app). */
export function orderOfWebhook(ctx: AccountContext, request: Request): { id: number; detail: Record<string, unknown> } | null {
  const { config } = ctx.connection
  verifyWebhook(config, request)
  const json = webhookJson(request.rawBody, 'CYBERBIZ')
  const event = headerOf(request.headers, 'x-cyberbiz-event') ?? ''
  const domain = headerOf(request.headers, 'x-cyberbiz-domain')
  if (!/^(express_delivery_)?orders\//.test(event) || (domain && domain !== config.shopDomain)) return null
  const detail = json as Record<string, unknown> | null
  if (typeof detail?.id !== 'number')
    throw new OmnisagaError('Invalid', `CYBERBIZ webhook ${event}: id is missing`, { code: 'webhook-body' })
  return { id: detail.id, detail }
}

const isSoldAtTill = (detail: Record<string, unknown>): boolean =>
  typeof (detail.pos_info as { pos_shop_id?: unknown } | null | undefined)?.pos_shop_id === 'number'

/** The event carries the order as it was then; one that is not whole is only a reason to fetch it. Sales at the till are not ours. */
export function receiveWebhook(ctx: AccountContext, request: Request): { records: RawRecord[]; answer: typeof ANSWER } {
  const told = orderOfWebhook(ctx, request)
  if (told === null || isSoldAtTill(told.detail)) return { records: [], answer: ANSWER }
  const externalId = String(told.id)
  if (Order.safeParse(told.detail).success) return { records: withReturn(orderRecord(externalId, told.detail)), answer: ANSWER }
  const event = headerOf(request.headers, 'x-cyberbiz-event') ?? null
  const version = `webhook-${contentHash(told.detail).slice(0, 16)}`
  return {
    records: [{ kind: 'order', externalId, version, eventAt: null, payload: { lookAt: { id: externalId, event } } }],
    answer: ANSWER,
  }
}
