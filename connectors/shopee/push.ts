/**
 * Pushes. Shopee signs `callback address|raw body` with the push partner key; the header `Authorization` carries the hex digest.
 * A push says little and may be late, so it is kept only as "look at this order": the pull fetches the order as it is now.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import { contentHash } from '../../domain/ids.ts'
import { webhookJson } from '../kit/json.ts'
import type { RawRecord } from '../kit/types.ts'
import { Push } from './schemas.ts'
import { pushSign, sameSignature } from './sign.ts'
import type { ShopeeContext } from './transport.ts'

/** Order status, tracking number. Other codes are answered and dropped. */
const ORDER_CODES = new Set([3, 4])

export interface LookAt {
  order_sn: string
  code: number
  status: string | null
}
const forged = (why: string) => new OmnisagaError('Rejected', `Shopee push refused: ${why}`, { code: 'forged' })

export function receiveWebhook(
  ctx: Pick<ShopeeContext, 'connection'>,
  request: { headers: Record<string, string>; rawBody: Buffer },
): { records: RawRecord[]; answer: { status: number; contentType: string; body: string } } {
  const { pushPartnerKey, callbackUrl, shopId } = ctx.connection.config
  if (!pushPartnerKey || !callbackUrl) throw forged('the connection has no pushPartnerKey or no callbackUrl')
  const given = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1]
  if (!given) throw forged('no Authorization header')
  if (!sameSignature(given, pushSign(pushPartnerKey, callbackUrl, request.rawBody))) throw forged('wrong signature')

  const json = webhookJson(request.rawBody, 'Shopee')
  const answer = { status: 200, contentType: 'application/json', body: '{}' }
  const parsed = Push.safeParse(json)
  if (!parsed.success) {
    // The console's test push has no shop; it wants a 2xx, and there is nothing to keep.
    const isTest = typeof json === 'object' && json !== null && (json as { code?: unknown }).code === 0
    if (isTest) return { records: [], answer }
    throw new OmnisagaError('Invalid', `Shopee push: ${parsed.error.issues[0]?.path.join('.')} is not as documented`, {
      code: 'push-body',
    })
  }
  const push = parsed.data
  const orderSn = push.data?.ordersn
  // One address serves every shop of the app.
  if (!ORDER_CODES.has(push.code) || push.shop_id !== shopId || !orderSn) return { records: [], answer }
  const lookAt: LookAt = { order_sn: orderSn, code: push.code, status: push.data?.status ?? null }
  return {
    records: [
      {
        kind: 'order',
        externalId: orderSn,
        version: `push-${push.code}-${contentHash(push.data).slice(0, 16)}`,
        eventAt: new Date((push.data?.update_time ?? push.timestamp) * 1000).toISOString(),
        payload: { lookAt },
      },
    ],
    answer,
  }
}
