/** Webhooks of LINE: base64 HMAC-SHA256 of the raw body by the channel secret; events are told apart by webhookEventId (webhook.yml). */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { webhookJson } from '../kit/json.ts'
import { headerOf, hmac, verifySignature } from '../kit/signature.ts'
import type { ConnectorContext, RawRecord } from '../kit/types.ts'
import type { LineConfig } from './config.ts'

const Events = z.looseObject({
  destination: z.string().optional(),
  events: z.array(
    z.looseObject({
      type: z.string(),
      webhookEventId: z.string().min(1),
      timestamp: z.number(),
      source: z.looseObject({ type: z.string(), userId: z.string().optional() }).nullish(),
    }),
  ),
})

const ANSWER = { status: 200, contentType: 'application/json', body: '{}' }

/** Who follows and who blocks the account is kept; what people write to it is theirs and is not. */
const KEPT = new Set(['follow', 'unfollow'])

/** @throws Rejected, code `forged`; Invalid: signed, but not as documented. */
export function receiveWebhook(
  ctx: ConnectorContext<LineConfig>,
  { headers, rawBody }: { headers: Record<string, string>; rawBody: Buffer },
): { records: RawRecord[]; answer: typeof ANSWER } {
  verifySignature({
    vendor: 'LINE',
    secret: ctx.connection.config.channelSecret,
    given: headerOf(headers, 'x-line-signature'),
    expected: (secret) => hmac('sha256', secret, rawBody, 'base64'),
  })
  const records = readEvents(rawBody)
    .events.filter(({ type }) => KEPT.has(type))
    .map((event): RawRecord => ({
      kind: 'contact',
      externalId: event.source?.userId ?? 'unknown',
      version: event.webhookEventId, // the same when it is delivered again
      eventAt: new Date(event.timestamp).toISOString(),
      payload: { type: event.type, userId: event.source?.userId ?? null },
    }))
  return { records, answer: ANSWER }
}

function readEvents(rawBody: Buffer): z.infer<typeof Events> {
  const json = webhookJson(rawBody, 'LINE')
  const parsed = Events.safeParse(json)
  if (parsed.success) return parsed.data
  throw new OmnisagaError('Invalid', `LINE webhook: ${parsed.error.issues[0]?.path.join('.')} is not as documented`, {
    code: 'webhook-body',
  })
}
