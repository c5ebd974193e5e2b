/** 17TRACK: recorded answers, the whole tables of statuses, and the stand-in. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorOf, newsOf, parseRegister, parseTrack, registerRequest } from '../../connectors/17track/api.ts'
import { Track17Config } from '../../connectors/17track/config.ts'
import { track17 } from '../../connectors/17track/index.ts'
import { meaningOf, STATUSES, SUB_STATUSES } from '../../connectors/17track/status.ts'
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits } from '../../connectors/kit/limits.ts'
import type { ConnectorContext } from '../../connectors/kit/types.ts'
import { startTrack17Simulator, TEST_KEY, type Track17Simulator } from '../../simulators/17track/index.ts'

const { tracker } = track17
if (!tracker?.poll) throw new Error('no tracker')
const { register, poll, mapReport } = tracker
const answer = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./17track-answers/${name}.json`, import.meta.url), 'utf8')) as unknown

let sim: Track17Simulator
beforeEach(async () => {
  sim = await startTrack17Simulator()
})
afterEach(() => sim.stop())
const config = (over: Record<string, unknown> = {}) => Track17Config.parse({ apiKey: TEST_KEY, baseUrl: sim.url, ...over })
const context = (over: Record<string, unknown> = {}): ConnectorContext<Track17Config> => ({
  connection: { name: 'track', connector: '17track', version: 1, config: config(over), paused: false },
  http: createHttpClient({
    connection: 'track',
    quota: { take: async () => undefined, pause: async () => undefined },
    limits: defaultLimits,
  }),
  tokens: {
    read: async () => null,
    refresh: async () => {
      throw new Error('17TRACK has no tokens')
    },
  },
  now: () => new Date(),
})
const parcel = (waybill: string, service = 'TCAT') => ({ waybill, courier: 'ecpay', service, reference: `OS${waybill}` })

describe('answers as they were recorded', () => {
  it('registering: what is taken, what is not, and known before counts as taken', () => {
    expect(parseRegister(answer('register_mixed'))).toEqual([
      { waybill: '1234', error: "The format of '…' is invalid. (-18010012)" },
    ])
    expect(parseRegister(answer('register_already_registered'))).toEqual([])
  })
  it('news keep a status of the future, and leave out numbers that are not registered', () => {
    const [record, ...others] = parseTrack(answer('gettrackinfo_yanwen_190012'), config())
    expect(others).toEqual([])
    expect(record).toMatchObject({
      kind: 'courierStatus',
      externalId: 'YT2616912345678901',
      version: 'InTransit_Arrival@2026-06-29T21:05:00+08:00',
      eventAt: '2026-06-29T21:05:00+08:00',
    })
    expect(record && mapReport(record)).toMatchObject({
      meaning: 'inTransit',
      code: 'InTransit_Arrival',
      waybill: 'YT2616912345678901',
    })
  })
  it("a delivery's time is the carrier's own clock, in the connection's zone where it names none", () => {
    const [record] = parseTrack(answer('gettrackinfo_correios_2151'), config({ utcOffset: '-03:00' }))
    expect(record?.eventAt).toBe('2026-06-30T14:23:00-03:00')
    expect(record && mapReport(record)).toMatchObject({ meaning: 'delivered', reference: 'order-1042' })
  })
  it('a parcel on its way back', () => {
    const [record] = parseTrack(answer('gettrackinfo_exception_returning'), config())
    expect(record && mapReport(record)).toMatchObject({ meaning: 'returning', detail: 'Being returned to sender' })
  })
})

describe('statuses', () => {
  it('are all there: 9 statuses and 30 sub-statuses, each below its status', () => {
    expect(Object.keys(STATUSES)).toHaveLength(9)
    expect(Object.keys(SUB_STATUSES)).toHaveLength(30)
    for (const name of Object.keys(SUB_STATUSES)) expect(STATUSES).toHaveProperty(name.split('_')[0] ?? '')
    for (const name of Object.keys(STATUSES))
      expect(Object.keys(SUB_STATUSES).some((sub) => sub.split('_')[0] === name)).toBe(true)
  })
  it.each([
    ['InTransit', 'InTransit_PickedUp', 'shipped'],
    ['Exception', 'Exception_Returned', 'returned'],
    ['Exception', 'Exception_Lost', 'lost'],
    ['DeliveryFailure', 'DeliveryFailure_NoBody', 'attemptFailed'],
    ['AvailableForPickup', 'AvailableForPickup_Other', 'arrivedAtPickup'],
    ['Delivered', null, 'delivered'],
    ['InTransit', 'InTransit_QuantumTunnelling', 'unknown'],
    ['Teleported', null, 'unknown'],
  ])('%s %s means %s', (status, sub, meaning) => {
    expect(meaningOf(status, sub)).toBe(meaning)
  })
})

describe('at the stand-in', () => {
  it('registers in batches of 40, twice without harm, with the carrier that the connection names', async () => {
    const parcels = Array.from({ length: 90 }, (_, at) => parcel(`RR00000${at}TW`))
    const ctx = context({ carriers: { TCAT: 100437 } })
    expect(await register(ctx, parcels)).toEqual([])
    expect(await register(ctx, parcels)).toEqual([])
    expect(sim.numbers()).toHaveLength(90)
    expect(sim.registrations()).toBe(6)
    expect(sim.numbers()[0]).toMatchObject({ carrier: 100437, tag: 'OSRR000000TW' })
    expect(await register(ctx, [parcel('?')])).toEqual([{ waybill: '?', error: "The format of '…' is invalid. (-18010012)" }])
  })
  it('asks for news of many', async () => {
    const waybills = Array.from({ length: 50 }, (_, at) => `RR00000${at}TW`)
    await register(
      context(),
      waybills.map((waybill) => parcel(waybill)),
    )
    sim.news('RR0000041TW', { status: 'Delivered', subStatus: 'Delivered_Other' })
    sim.news('RR000000TW', {})
    const news = await poll(context(), [...waybills, 'UNKNOWN123'])
    expect(news).toHaveLength(50)
    expect(news.filter(({ eventAt }) => eventAt).map(({ externalId }) => externalId)).toEqual(['RR000000TW', 'RR0000041TW'])
  })
  it('a wrong key stops the connection, and so does an empty quota', async () => {
    sim.revoke()
    await expect(register(context(), [parcel('RR1TW123')])).rejects.toMatchObject({ kind: 'Misconfigured', code: '-18010002' })
    expect(await track17.check(context())).toMatchObject({ ok: false })
    expect(errorOf(-18019908, 'quota')).toMatchObject({ kind: 'Misconfigured' })
    expect(errorOf(-18019907, 'day')).toMatchObject({ kind: 'RateLimited' })
    expect(errorOf(-18010003, 'inside')).toMatchObject({ kind: 'Transient' })
  })
  it('its three requests a second are the default of the connection', () => {
    expect(config().quota).toMatchObject({ perSecond: 3, burst: 3 })
  })
  it('never sends more than 40 numbers, though a caller may', () => {
    const many = Array.from({ length: 40 }, (_, at) => parcel(`RR00000${at}TW`))
    expect((JSON.parse(registerRequest(config(), many).body) as unknown[]).length).toBe(40)
  })
})

describe('webhooks', () => {
  beforeEach(async () => {
    await register(context(), [parcel('RR123456789TW')])
    sim.news('RR123456789TW', { status: 'OutForDelivery', subStatus: 'OutForDelivery_Other' })
  })
  const receive = (request: { headers: Record<string, string>; rawBody: Buffer }) => track17.receiveWebhook?.(context(), request)
  it('a true one is the same news as the poll', async () => {
    const pushed = receive(sim.push('RR123456789TW'))
    expect(pushed?.records).toEqual(await poll(context(), ['RR123456789TW']))
  })
  it('that a number is followed no longer is no news', () => {
    expect(receive(sim.push('RR123456789TW', 'TRACKING_STOPPED'))).toMatchObject({ records: [], answer: { status: 200 } })
    const rawBody = readFileSync(new URL('./17track-answers/webhook_tracking_stopped.json', import.meta.url))
    const sign = createHash('sha256')
      .update(`${rawBody.toString('utf8')}/${TEST_KEY}`)
      .digest('hex')
    expect(receive({ headers: { sign }, rawBody })?.records).toEqual([])
  })
  it('a forged one, one without signature or of another body is refused', () => {
    const { headers, rawBody } = sim.push('RR123456789TW')
    const refused = expect.objectContaining({ code: 'forged' }) as Error
    expect(() => receive({ headers: {}, rawBody })).toThrow(refused)
    expect(() => receive({ headers: { sign: 'a'.repeat(64) }, rawBody })).toThrow(refused)
    expect(() => receive({ headers, rawBody: Buffer.concat([rawBody, Buffer.from(' ')]) })).toThrow(refused)
  })
  it('a number without news yet is none', () => {
    expect(newsOf({ number: 'RR1', track_info: null }, config())).toBeNull()
  })
})
