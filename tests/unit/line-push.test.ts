import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LINE_SIGNATURE_HTTP_HEADER_NAME, validateSignature } from '@line/bot-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { LineConfig } from '../../connectors/line/config.ts'
import { line } from '../../connectors/line/index.ts'
import { isUserId, parsePush, pushRequest, retryKey } from '../../connectors/line/push.ts'
import type { ConnectorContext, Notice } from '../../connectors/kit/types.ts'
import { startLineSimulator, type LineSimulator } from '../../simulators/line/index.ts'
import { root } from '../harness/paths.ts'

const USER = 'U4af4980629f4f1b2c3d4e5f60718293a'
const config = LineConfig.parse({ channelAccessToken: 'token', channelSecret: 'test_secret' })
const notice = (change: Partial<Notice> = {}): Notice => ({
  key: 'o-1-u1-p1:delivered',
  to: { email: null, lineUserId: USER, phone: null, name: '陳小姐' },
  template: 'delivered',
  subject: '訂單 A-1 已送達',
  text: '陳小姐 您好：\n您的訂單已送達。',
  ...change,
})
interface Schema {
  required?: string[]
  properties: Record<string, { minItems?: number; maxItems?: number }>
}
const spec = parse(readFileSync(join(root, 'tests/unit/line/messaging-api.yml'), 'utf8')) as {
  paths: Record<
    string,
    { post: { parameters: { name: string; schema: { format: string } }[]; responses: Record<string, unknown> } }
  >
  components: { schemas: { PushMessageRequest: Schema; TextMessage: { required: string[]; allOf: [unknown, Schema] } } }
}

describe('a push', () => {
  it("is as LINE's own OpenAPI document asks", () => {
    const request = pushRequest(config, notice())
    expect(request.url).toBe('https://api.line.me/v2/bot/message/push')
    const { post } = spec.paths['/v2/bot/message/push'] ?? expect.fail('not in the document')
    const [parameter] = post.parameters
    expect(Object.keys(request.headers ?? {})).toEqual([parameter?.name.toLowerCase()])
    const { PushMessageRequest, TextMessage } = spec.components.schemas
    const body = request.body as { to: string; messages: Record<string, unknown>[] }
    expect(PushMessageRequest.required?.filter((name) => !(name in body))).toEqual([])
    expect(Object.keys(body).filter((name) => !(name in PushMessageRequest.properties))).toEqual([])
    const { minItems = 0, maxItems = 0 } = PushMessageRequest.properties.messages ?? {}
    expect(body.messages.length).toBeGreaterThanOrEqual(minItems)
    expect(body.messages.length).toBeLessThanOrEqual(maxItems)
    const known = ['type', ...Object.keys(TextMessage.allOf[1].properties)]
    for (const message of body.messages) {
      expect(TextMessage.required.filter((name) => !(name in message))).toEqual([])
      expect(Object.keys(message).filter((name) => !known.includes(name))).toEqual([])
      expect(message.type).toBe('text')
    }
    expect(Object.keys(post.responses)).toEqual(expect.arrayContaining(['200', '400', '409', '429']))
  })

  it('has one UUID for one key, another for another', () => {
    expect(retryKey('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(retryKey('a')).toBe(retryKey('a'))
    expect(retryKey('a')).not.toBe(retryKey('b'))
  })

  it('cuts what is too long, never through a character', () => {
    const body = pushRequest(config, notice({ subject: 'x', text: '😀'.repeat(3000) })).body as { messages: { text: string }[] }
    const text = body.messages[0]?.text ?? ''
    expect(text.length).toBeLessThanOrEqual(5000)
    expect(() => encodeURIComponent(text), 'no half of a character').not.toThrow()
  })

  it('that was accepted before is accepted; a refusal is told in the words of LINE', () => {
    expect(() => parsePush({ status: 409, headers: {}, body: '{"message":"The retry key is already accepted"}' })).not.toThrow()
    expect(() => parsePush({ status: 400, headers: {}, body: '{"message":"Failed to send messages"}' })).toThrow(
      expect.objectContaining({ kind: 'Rejected', message: expect.stringContaining('Failed to send messages') }),
    )
  })

  it('goes to users of LINE alone', () => {
    expect(isUserId(USER)).toBe(true)
    for (const other of ['', 'chen', 'C4af4980629f4f1b2c3d4e5f60718293a', `${USER}0`]) expect(isUserId(other), other).toBe(false)
    expect(line.notify?.reaches(config, { email: 'a@example.com', lineUserId: null, phone: null, name: null })).toBe(false)
    expect(line.notify?.reaches(config, notice().to)).toBe(true)
  })
})

describe('a webhook of LINE', () => {
  let sim: LineSimulator
  beforeAll(async () => {
    sim = await startLineSimulator({ channelAccessToken: 'token', channelSecret: 'test_secret' })
  })
  afterAll(() => sim.stop())
  const ctx = { connection: { config } } as ConnectorContext<LineConfig>
  const receive = (sent: { headers: Record<string, string>; body: string }) =>
    line.receiveWebhook?.(ctx, { headers: sent.headers, rawBody: Buffer.from(sent.body) })

  it('verifies what the official SDK verifies, and nothing else', () => {
    const sent = sim.signedWebhook([sim.event('follow', USER)])
    const signature = sent.headers[LINE_SIGNATURE_HTTP_HEADER_NAME] ?? ''
    expect(validateSignature(sent.body, 'test_secret', signature)).toBe(true)
    expect(receive(sent)?.records).toHaveLength(1)
    const forged = { ...sent, body: sent.body.replace('follow', 'fellow') }
    expect(validateSignature(forged.body, 'test_secret', signature)).toBe(false)
    expect(() => receive(forged)).toThrow(expect.objectContaining({ code: 'forged' }))
  })

  it('signs the documented example as LINE does', () => {
    const headers = { 'X-Line-Signature': 't7Hn4ZDHqs6e+wdvI5TyQIvzie0DmMUmuXEBqyyE/tM=' }
    // The signature is right; the body is no webhook.
    expect(() => receive({ headers, body: '{"hello":"world"}' })).toThrow(expect.objectContaining({ code: 'webhook-body' }))
  })

  it('keeps who follows and who leaves, told twice as one, and drops what people write', () => {
    const follow = sim.event('follow', USER)
    const events = [
      follow,
      sim.event('unfollow', USER),
      sim.event('message', USER),
      { ...follow, deliveryContext: { isRedelivery: true } },
    ]
    const records = receive(sim.signedWebhook(events))?.records ?? []
    expect(records.map(({ kind, externalId, payload }) => [kind, externalId, payload.type])).toEqual([
      ['contact', USER, 'follow'],
      ['contact', USER, 'unfollow'],
      ['contact', USER, 'follow'],
    ])
    expect(records[0]?.version).toBe(records[2]?.version)
  })

  it('without events, as the console verifies an address, is answered', () => {
    expect(receive(sim.signedWebhook([]))).toMatchObject({ records: [], answer: { status: 200 } })
  })
})
