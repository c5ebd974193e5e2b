/**
 * A stand-in for the LINE Messaging API, written from line-openapi (messaging-api.yml, webhook.yml; Apache-2.0): push messages with the
 * retry key, bot info, signed webhooks. Loopback only. Control: GET /_sim/messages · /_sim/faults.
 */
import { createHmac, randomUUID } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'

export interface LineSimulatorOptions {
  channelAccessToken: string
  channelSecret: string
  port?: number
  /** Messages that may still be sent this month. @default no limit */
  monthlyQuota?: number
}
export interface SentLineMessage {
  to: string
  texts: string[]
  retryKey: string | null
}
export interface LineSimulator {
  url: string
  /** What was accepted, oldest first. */
  messages(): SentLineMessage[]
  faults: FaultPlan
  /** A webhook as LINE sends it, signed, not sent. */
  signedWebhook(events: Record<string, unknown>[]): { headers: Record<string, string>; body: string }
  /** The signature of a body. */
  sign(body: string | Buffer): string
  /** An event that a webhook carries. */
  event(type: string, userId: string): Record<string, unknown>
  stop(): Promise<void>
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** A user, a group or a room. */
const RECEIVER = /^[UCR][0-9a-f]{32}$/
const MAX_TEXT = 5000

const json = (status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): SimAnswer => ({
  status,
  headers: { 'x-line-request-id': randomUUID(), ...headers },
  body,
})
const invalid = (property: string) =>
  json(400, {
    message: `The property, '${property}', in the request body is invalid`,
    details: [{ message: 'invalid', property }],
  })

interface Accepted {
  requestId: string
  sentMessages: { id: string }[]
}

export async function startLineSimulator(options: LineSimulatorOptions): Promise<LineSimulator> {
  const sent: SentLineMessage[] = []
  const byRetryKey = new Map<string, Accepted>()
  let lastId = 461_230_966_842_064_800n
  let left = options.monthlyQuota ?? Number.POSITIVE_INFINITY

  function push(request: SimRequest): SimAnswer {
    const retryKey = request.headers['x-line-retry-key'] ?? null
    if (retryKey !== null && !UUID.test(retryKey)) return json(400, { message: "Invalid value for 'X-Line-Retry-Key'" })
    const body = request.json as { to?: unknown; messages?: unknown } | null
    if (body === null || typeof body !== 'object') return json(400, { message: 'The request body could not be parsed' })
    if (typeof body.to !== 'string' || !RECEIVER.test(body.to)) return invalid('to')
    if (!Array.isArray(body.messages) || body.messages.length === 0 || body.messages.length > 5) return invalid('messages')
    const texts: string[] = []
    for (const [index, message] of (body.messages as { type?: unknown; text?: unknown }[]).entries()) {
      if (message.type !== 'text') return invalid(`messages[${index}].type`)
      if (typeof message.text !== 'string' || message.text === '' || message.text.length > MAX_TEXT)
        return invalid(`messages[${index}].text`)
      texts.push(message.text)
    }
    const earlier = retryKey === null ? undefined : byRetryKey.get(retryKey)
    if (earlier)
      return json(
        409,
        { message: 'The retry key is already accepted', sentMessages: earlier.sentMessages },
        { 'x-line-accepted-request-id': earlier.requestId },
      )
    if (left < texts.length) return json(429, { message: 'You have reached your monthly limit.' })
    left -= texts.length
    const sentMessages = texts.map(() => ({ id: String((lastId += 1n)) }))
    if (retryKey !== null) byRetryKey.set(retryKey, { requestId: randomUUID(), sentMessages })
    sent.push({ to: body.to, texts, retryKey })
    return json(200, { sentMessages })
  }

  const server = await startSimServer({
    port: options.port,
    handle(request) {
      if (request.headers.authorization !== `Bearer ${options.channelAccessToken}`)
        return json(
          401,
          { message: 'Authentication failed. Confirm that the access token in the authorization header is valid.' },
          { 'www-authenticate': 'Bearer error="invalid_token"' },
        )
      if (request.path === '/v2/bot/info' && request.method === 'GET')
        return json(200, {
          userId: 'U0123456789abcdef0123456789abcdef',
          basicId: '@000aaaaa',
          displayName: '測試商店',
          chatMode: 'bot',
          markAsReadMode: 'auto',
        })
      if (request.path === '/v2/bot/message/push' && request.method === 'POST') return push(request)
      return json(404, { message: 'Not found' })
    },
    refuse: (fault) => json(400, { message: fault.message ?? 'Failed to send messages' }),
    control: ({ route }) => (route === '/messages' ? { body: { messages: sent } } : null),
  })

  const sign = (body: string | Buffer) => createHmac('sha256', options.channelSecret).update(body).digest('base64')
  return {
    url: server.url,
    sign,
    messages: () => structuredClone(sent),
    faults: server.faults,
    event: (type, userId) => ({
      type,
      mode: 'active',
      timestamp: Date.now(),
      source: { type: 'user', userId },
      webhookEventId: randomUUID().replaceAll('-', '').slice(0, 26).toUpperCase(),
      deliveryContext: { isRedelivery: false },
      ...(type === 'follow' ? { replyToken: randomUUID().replaceAll('-', ''), follow: { isUnblocked: false } } : {}),
    }),
    signedWebhook(events) {
      const body = JSON.stringify({ destination: 'U0123456789abcdef0123456789abcdef', events })
      return { headers: { 'content-type': 'application/json; charset=utf-8', 'x-line-signature': sign(body) }, body }
    },
    stop: server.stop,
  }
}
