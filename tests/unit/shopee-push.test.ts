import { describe, expect, it } from 'vitest'
import { receiveWebhook } from '../../connectors/shopee/push.ts'
import { pushSign } from '../../connectors/shopee/sign.ts'
import { seedOrders, startShopeeSimulator } from '../../simulators/shopee/index.ts'
import { context, NOW, PARTNER, PUSH } from './shopee-fixtures.ts'

// The body is the sample of the facts; the shop is ours.
const sample = {
  msg_id: '64ca21a145e29bda3a6e31203c800e00',
  shop_id: PARTNER.shopId,
  code: 3,
  timestamp: 1765689440,
  data: { completed_scenario: null, items: [], ordersn: '251214B9XAB0ST', status: 'READY_TO_SHIP', update_time: 1765689439 },
}
const receive = (body: unknown, options: { authorization?: string; config?: Record<string, unknown> } = {}) => {
  const rawBody = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const authorization = options.authorization ?? pushSign(PUSH.partnerKey, PUSH.callbackUrl, rawBody)
  return receiveWebhook(context({ config: options.config ?? {} }), { headers: { Authorization: authorization }, rawBody })
}
const forged = expect.objectContaining({ kind: 'Rejected', code: 'forged' }) as Error

describe('Shopee push', () => {
  it('becomes a reason to look at the order, answered with 200', () => {
    const { records, answer } = receive(sample)
    expect(answer.status).toBe(200)
    expect(records).toEqual([
      {
        kind: 'order',
        externalId: '251214B9XAB0ST',
        version: expect.stringMatching(/^push-3-/) as string,
        eventAt: '2025-12-14T05:17:19.000Z',
        payload: { lookAt: { order_sn: '251214B9XAB0ST', code: 3, status: 'READY_TO_SHIP' } },
      },
    ])
  })

  it('sent twice it is one record; about another state it is another', () => {
    const again = receive({ ...sample, msg_id: 'other', timestamp: sample.timestamp + 60 })
    expect(again.records[0]?.version).toBe(receive(sample).records[0]?.version)
    const later = receive({ ...sample, data: { ...sample.data, status: 'SHIPPED', update_time: 1765699439 } })
    expect(later.records[0]?.version).not.toBe(again.records[0]?.version)
  })

  it('a tracking number (code 4) is a reason too', () => {
    expect(receive({ ...sample, code: 4, data: { ordersn: 'A', tracking_no: 'TW1' } }).records[0]?.externalId).toBe('A')
  })

  it('other codes and other shops of the app are answered and dropped', () => {
    expect(receive({ ...sample, code: 15 })).toMatchObject({ records: [], answer: { status: 200 } })
    expect(receive({ ...sample, shop_id: 1 })).toMatchObject({ records: [], answer: { status: 200 } })
    expect(receive({ code: 0, data: {} })).toMatchObject({ records: [], answer: { status: 200 } })
  })

  it('is refused when one byte of the body differs from what was signed', () => {
    const authorization = pushSign(PUSH.partnerKey, PUSH.callbackUrl, Buffer.from(JSON.stringify(sample)))
    expect(() => receive(`${JSON.stringify(sample)} `, { authorization })).toThrow(forged)
  })

  it('is refused when it was signed for another address or with another key', () => {
    const raw = Buffer.from(JSON.stringify(sample))
    expect(() => receive(sample, { authorization: pushSign(PUSH.partnerKey, 'https://other.example/', raw) })).toThrow(forged)
    expect(() => receive(sample, { authorization: pushSign('other', PUSH.callbackUrl, raw) })).toThrow(forged)
  })

  it('fails closed: no signature, no key or no address means refused', () => {
    expect(() => receive(sample, { authorization: '' })).toThrow(forged)
    expect(() => receiveWebhook(context(), { headers: {}, rawBody: Buffer.from('{}') })).toThrow(forged)
    expect(() => receive(sample, { config: { pushPartnerKey: null } })).toThrow(forged)
    expect(() => receive(sample, { config: { callbackUrl: null } })).toThrow(forged)
    expect(() => receive(sample, { config: { pushPartnerKey: '' } })).toThrow(forged)
  })

  it('a signed body that is no push is Invalid', () => {
    expect(() => receive('not json')).toThrow(expect.objectContaining({ kind: 'Invalid' }) as Error)
    expect(() => receive({ code: 3 })).toThrow(expect.objectContaining({ kind: 'Invalid' }) as Error)
  })

  it('takes what the stand-in for Shopee signs', async () => {
    const sim = await startShopeeSimulator({ ...PARTNER, push: PUSH, now: () => NOW })
    try {
      const [order] = seedOrders(1, { newest: NOW })
      sim.seed(order ? [order] : [])
      const push = sim.signedPush(order?.orderSn ?? '')
      expect(receiveWebhook(context(), { headers: push.headers, rawBody: Buffer.from(push.body) }).records).toHaveLength(1)
    } finally {
      await sim.stop()
    }
  })
})
