/** AfterShip Tracking 2026-07 as its official SDK and webhook document have it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkRequest, parseTrackings, registerRequest, told, trackingsRequest } from '../../connectors/aftership/api.ts'
import { AftershipConfig } from '../../connectors/aftership/config.ts'
import { aftership } from '../../connectors/aftership/index.ts'
import { mapReport, meaningOf, newsOf } from '../../connectors/aftership/report.ts'
import type { ConnectorContext, HttpRequest } from '../../connectors/kit/types.ts'
import { startAftershipSimulator, type AftershipSimulator } from '../../simulators/aftership/index.ts'

const config = AftershipConfig.parse({ apiKey: 'asat_key', slugs: { YAMATO: 'taqbin-jp', sagawa: 'sagawa' } })
const now = new Date('2026-11-22T02:00:00Z')
const parcel = { waybill: '400511223355', courier: 'yamato', service: 'YAMATO', reference: 'OSACCEPTANCE00000001' }

describe('requests', () => {
  it('register a number with its courier and our reference, and nothing about people', () => {
    expect(registerRequest(config, parcel, now)).toMatchObject({
      url: 'https://api.aftership.com/tracking/2026-07/trackings',
      headers: { 'as-api-key': 'asat_key', 'content-type': 'application/json' },
      body: '{"tracking_number":"400511223355","slug":"taqbin-jp","order_id":"OSACCEPTANCE00000001"}',
      write: true,
    })
  })
  it('name the courier by connection where the service is not mapped, and leave it out where neither is', () => {
    const bodyOf = (over: object) => JSON.parse(String(registerRequest(config, { ...parcel, ...over }, now).body)) as object
    expect(bodyOf({ service: 'other', courier: 'sagawa' })).toHaveProperty('slug', 'sagawa')
    expect(bodyOf({ service: 'other' })).not.toHaveProperty('slug')
  })
  it('are unsigned without a secret', () => {
    expect(checkRequest(config, now).headers).toEqual({ 'as-api-key': 'asat_key' })
  })
  // Made with Authentication.sign of @aftership/tracking-sdk 17.0.0 (AuthType.AES), same key, secret and date.
  const signing = { ...config, apiSecret: 'asas_secret' }
  it.each([
    ['a query', checkRequest(signing, now), 'FbBFS44ibIEGDJsH3pplwbiSRg8n3emOf6ng+ywT/E8='],
    [
      'a query that is sorted and escaped',
      trackingsRequest(signing, { numbers: ['RR123456789TW', 'JP/4005-11 22'], cursor: 'MTAw+/==' }, now),
      'VeACsZq24TskmVuYsjoUwO7SlOkIjeVZ0aH7Crilcmc=',
    ],
    ['a body', registerRequest(signing, parcel, now), 'qcUXU3ltfucPNv8ByCAQuu3knCgwnjqGPOfetkTGWpU='],
  ])('are signed as the SDK signs: %s', (_what, call, signature) => {
    expect(call.headers).toMatchObject({
      'as-signature-hmac-sha256': signature,
      date: 'Sun, 22 Nov 2026 02:00:00 GMT',
    })
  })
})

const tracking = {
  id: 'f'.repeat(32),
  tracking_number: '400511223355',
  slug: 'taqbin-jp',
  order_id: 'OSACCEPTANCE00000001',
  tag: 'Delivered',
  subtag: 'Delivered_001',
  subtag_message: 'Delivered',
  updated_at: '2026-11-22T05:00:00+00:00',
  signed_by: '佐藤',
  return_to_sender: false,
  checkpoints: [
    { tag: 'InTransit', subtag: 'InTransit_001', checkpoint_time: '2026-11-22T08:00:00+09:00' },
    { tag: 'Delivered', subtag: 'Delivered_001', checkpoint_time: '2026-11-22T11:30:00' },
    { tag: 'InTransit', subtag: 'InTransit_002', checkpoint_time: '2026-11-22T12:00:00+09:00' },
  ],
}

describe('a tracking', () => {
  it('becomes its status since the checkpoint that says so, without names', () => {
    const record = newsOf(tracking, { utcOffset: '+09:00' })
    expect(record).toEqual({
      kind: 'courierStatus',
      externalId: '400511223355',
      version: 'taqbin-jp@Delivered_001@2026-11-22T11:30:00+09:00',
      eventAt: '2026-11-22T11:30:00+09:00',
      payload: {
        slug: 'taqbin-jp',
        orderId: 'OSACCEPTANCE00000001',
        tag: 'Delivered',
        subtag: 'Delivered_001',
        message: 'Delivered',
        returnToSender: false,
      },
    })
    expect(record && mapReport(record)).toEqual({
      reference: 'OSACCEPTANCE00000001',
      courierBookingId: null,
      waybill: '400511223355',
      code: 'Delivered_001',
      meaning: 'delivered',
      detail: 'Delivered',
      eventAt: '2026-11-22T11:30:00+09:00',
    })
  })
  it('is the same news when only AfterShip touched it, and other news at another time', () => {
    const version = (over: object) => newsOf({ ...tracking, ...over }, config)?.version
    expect(version({ updated_at: '2026-11-23T00:00:00+00:00' })).toBe(version({}))
    expect(version({ checkpoints: tracking.checkpoints.slice(0, 1) })).not.toBe(version({}))
  })
  it('that no checkpoint explains has the time when it was changed', () => {
    expect(newsOf({ ...tracking, tag: 'Expired', subtag: 'Expired_001' }, config)?.eventAt).toBe('2026-11-22T05:00:00+00:00')
  })
  it('that waits for its first news is none', () => {
    expect(newsOf({ ...tracking, tag: 'Pending', subtag: 'Pending_001', checkpoints: [] }, config)).toBeNull()
  })
  it('that is not as documented is refused alone', () => {
    const json = { data: { trackings: [{ ...tracking, checkpoints: 'none' }, tracking] } }
    const { items, next } = parseTrackings(json, config)
    expect([items.length, next]).toEqual([2, null])
    expect(() => mapReport(items[0]!)).toThrow(expect.objectContaining({ kind: 'Invalid', code: 'malformed' }) as Error)
    expect(mapReport(items[1]!).meaning).toBe('delivered')
  })
})

it.each([
  ['InfoReceived', 'InfoReceived_001', false, 'announced'],
  ['InTransit', 'InTransit_013', false, 'inTransit'],
  ['OutForDelivery', null, false, 'outForDelivery'],
  ['AttemptFail', 'AttemptFail_001', false, 'attemptFailed'],
  ['AvailableForPickup', 'AvailableForPickup_001', false, 'arrivedAtPickup'],
  ['Delivered', 'Delivered_005', false, 'delivered'],
  ['Exception', 'Exception_021', false, 'problem'],
  ['Exception', 'Exception_010', true, 'returning'],
  ['InTransit', 'InTransit_001', true, 'returning'],
  ['Exception', 'Exception_011', true, 'returned'],
  ['Delivered', 'Delivered_001', true, 'problem'],
  ['Expired', 'Expired_001', false, 'problem'],
  ['Teleported', 'Teleported_001', false, 'unknown'],
] as const)('%s %s (goes back: %s) means %s', (tag, subtag, back, meaning) => {
  expect(meaningOf(tag, subtag, back)).toBe(meaning)
})

it('the code of a refusal is that of meta', () => {
  expect(told({ meta: { code: 4010, message: 'The value of slug is invalid.' } })).toMatchObject({ code: '4010' })
  expect(told('<html>')).toEqual({})
})

describe('against the stand-in', () => {
  let sim: AftershipSimulator
  let asked: HttpRequest[]
  const ctx = () =>
    ({
      connection: { config: { ...config, baseUrl: sim.url, apiKey: sim.apiKey, webhookSecret: sim.webhookSecret } },
      http: {
        async request(request: HttpRequest) {
          asked.push(request)
          const response = await fetch(request.url, { ...request, body: request.body as string | undefined })
          return { status: response.status, headers: {}, body: await response.text() }
        },
      },
      now: () => new Date(),
    }) as unknown as ConnectorContext<AftershipConfig>
  beforeEach(async () => {
    sim = await startAftershipSimulator({ pageCap: 20 })
    asked = []
  })
  afterEach(() => sim.stop())

  it('asks for many numbers in batches, page by page, and gives each with news once', async () => {
    const numbers = Array.from({ length: 70 }, (_, at) => `RR${100_000_000 + at}TW`)
    for (const number of numbers) {
      sim.add(number)
      sim.news(number, { tag: 'InTransit', checkpoint_time: '2026-11-22T09:30:00+09:00' })
    }
    sim.add('RR999999999TW')
    const records = await aftership.tracker!.poll!(ctx(), [...numbers, 'RR999999999TW', 'RR000000000TW'])
    expect(records.map(({ externalId }) => externalId)).toEqual(numbers)
    expect(asked).toHaveLength(5) // 50 numbers on three pages, 21 on two
  })
  it('takes what is registered already as registered, and tells of what is refused', async () => {
    const parcels = [parcel, parcel, { ...parcel, waybill: '台灣' }]
    expect(await aftership.tracker!.register(ctx(), parcels)).toEqual([
      { waybill: '台灣', error: expect.stringMatching(/format of tracking_number.*4017/) as string },
    ])
    expect(sim.trackings()).toMatchObject([{ tracking_number: parcel.waybill, slug: 'taqbin-jp', order_id: parcel.reference }])
  })
  it('answers a webhook about an estimate and keeps nothing of it', () => {
    sim.add('RR100000000TW')
    sim.news('RR100000000TW', { tag: 'InTransit' })
    expect(aftership.receiveWebhook!(ctx(), sim.push('RR100000000TW', 'edd_revise'))).toMatchObject({
      records: [],
      answer: { status: 200 },
    })
    expect(aftership.receiveWebhook!(ctx(), sim.push('RR100000000TW')).records).toMatchObject([{ externalId: 'RR100000000TW' }])
  })
})
