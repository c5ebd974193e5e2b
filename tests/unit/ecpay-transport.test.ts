import nock from 'nock'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ecpay } from '../../connectors/ecpay/index.ts'
import { hasValidMac, signed } from '../../connectors/ecpay/mac.ts'
import { configOf, contextOf, cvs, home, STAGE } from './ecpay-fixtures.ts'

const courier = ecpay.courier
if (!courier) throw new Error('no courier')
const config = configOf()
const created = (over: Record<string, string> = {}) =>
  `1|${new URLSearchParams(
    signed(
      {
        MerchantID: '2000132',
        MerchantTradeNo: home.reference,
        RtnCode: '300',
        AllPayLogisticsID: '1718546',
        GoodsAmount: '590',
        BookingNote: '900012345678',
        ...over,
      },
      config,
    ),
  )}`
const known = (over: Record<string, string> = {}) =>
  new URLSearchParams(
    signed(
      {
        MerchantID: '2000132',
        MerchantTradeNo: home.reference,
        AllPayLogisticsID: '1718546',
        BookingNote: '900012345678',
        CollectionAmount: '0',
        ShipmentNo: '',
        ...over,
      },
      config,
    ),
  ).toString()
const QUERY = '/Helper/QueryLogisticsTradeInfo/V5'

beforeAll(() => nock.disableNetConnect())
afterEach(() => {
  const unasked = nock.pendingMocks()
  nock.cleanAll()
  if (unasked.length > 0) throw new Error(`never asked: ${unasked.join(', ')}`)
})
afterAll(() => nock.restore())

describe('book', () => {
  it('posts a signed form to /Express/Create', async () => {
    let sent: Record<string, string> = {}
    nock(STAGE, { reqheaders: { 'content-type': 'application/x-www-form-urlencoded' } })
      .post('/Express/Create', (body: Record<string, string>) => {
        sent = { ...body }
        return true
      })
      .reply(200, created())
    expect(await courier.book(contextOf(), home)).toMatchObject({
      waybill: '900012345678',
      courierBookingId: '1718546',
      labelAmountMinor: 0,
    })
    expect(sent).toMatchObject({ MerchantTradeNo: home.reference, ReceiverName: '王小明', LogisticsSubType: 'TCAT' })
    expect(hasValidMac(sent, config)).toBe(true)
  })
  it('asks for the number of a bulk convenience-store parcel, which Create does not tell', async () => {
    nock(STAGE)
      .post('/Express/Create')
      .reply(200, created({ BookingNote: '' }))
      .post(QUERY)
      .reply(200, known({ ShipmentNo: '55501234' }))
    expect(await courier.book(contextOf(), cvs)).toMatchObject({ waybill: '55501234', label: { shipmentNo: '55501234' } })
  })
  it('stays booked when only that question fails', async () => {
    nock(STAGE)
      .post('/Express/Create')
      .reply(200, created({ BookingNote: '' }))
      .post(QUERY)
      .reply(500)
    expect(await courier.book(contextOf(), cvs)).toMatchObject({ waybill: null, courierBookingId: '1718546' })
  })
  it.each([
    ['a refusal', (scope: nock.Interceptor) => scope.reply(200, '0|餘額不足'), { kind: 'Rejected', message: 'ECPay: 餘額不足' }],
    [
      'a server error after sending',
      (scope: nock.Interceptor) => scope.reply(500, 'oops'),
      { kind: 'OutcomeUnknown', code: '500' },
    ],
    [
      'a broken connection after sending',
      (scope: nock.Interceptor) => scope.replyWithError(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })),
      { kind: 'OutcomeUnknown', code: 'ECONNRESET' },
    ],
    [
      'a refused connection',
      (scope: nock.Interceptor) => scope.replyWithError(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })),
      { kind: 'Transient', code: 'ECONNREFUSED' },
    ],
    [
      '429',
      (scope: nock.Interceptor) => scope.reply(429, '', { 'retry-after': '7' }),
      { kind: 'RateLimited', retryAfterMs: 7000 },
    ],
    [
      'a block for calling too fast',
      (scope: nock.Interceptor) => scope.reply(403),
      { kind: 'RateLimited', retryAfterMs: 1_800_000 },
    ],
    ['a wrong address', (scope: nock.Interceptor) => scope.reply(404), { kind: 'Misconfigured' }],
  ])('maps %s', async (_name, answer, expected) => {
    answer(nock(STAGE).post('/Express/Create'))
    await expect(courier.book(contextOf(), home)).rejects.toMatchObject(expected)
  })
  it('says OutcomeUnknown when no answer comes in time', async () => {
    nock(STAGE).post('/Express/Create').delay(2000).reply(200, created())
    await expect(courier.book(contextOf(config, { timeoutMs: 50 }), home)).rejects.toMatchObject({
      kind: 'OutcomeUnknown',
      code: 'timeout',
    })
    nock.abortPendingRequests()
  })
  it('sends nothing when a field would be refused', async () => {
    await expect(courier.book(contextOf(), { ...home, recipient: { ...home.recipient, name: '王' } })).rejects.toMatchObject({
      kind: 'Invalid',
    })
  })
  it('lets no key, signature or personal data into an error', async () => {
    nock(STAGE)
      .post('/Express/Create')
      .replyWithError(Object.assign(new Error('王小明 HashKey=5294y06JbISpM5x9'), { code: 'EPIPE' }))
    const error: unknown = await courier.book(contextOf(), home).catch((e: unknown) => e)
    const everything = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).stack)
    for (const secret of ['5294y06JbISpM5x9', '王小明', '0912345678', 'CheckMacValue']) expect(everything).not.toContain(secret)
  })
})

describe('lookUp', () => {
  it('asks by our own number, signed and dated', async () => {
    let sent: Record<string, string> = {}
    nock(STAGE)
      .post(QUERY, (body: Record<string, string>) => {
        sent = { ...body }
        return true
      })
      .reply(200, known())
    expect(await courier.lookUp(contextOf(), home)).toMatchObject({ waybill: '900012345678', courierBookingId: '1718546' })
    expect(sent).toMatchObject({ MerchantID: '2000132', MerchantTradeNo: home.reference, TimeStamp: '1795309323' })
    expect(hasValidMac(sent, config)).toBe(true)
  })
  it('tells what the label collects', async () => {
    nock(STAGE)
      .post(QUERY)
      .reply(200, known({ CollectionAmount: '650', ShipmentNo: '1' }))
    expect((await courier.lookUp(contextOf(), { ...cvs, amountDueMinor: 65_000 }))?.labelAmountMinor).toBe(65_000)
  })
  it('is null only when ECPay says there is none', async () => {
    nock(STAGE).post(QUERY).reply(200, '0|查無訂單資料')
    expect(await courier.lookUp(contextOf(), home)).toBeNull()
  })
  it.each([
    ['an unsigned answer', () => known().replace(/BookingNote=\d+/, 'BookingNote=1'), 'Transient'],
    ['an empty answer', () => '', 'Transient'],
    ['an answer about another parcel', () => known({ MerchantTradeNo: 'OTHER' }), 'Transient'],
    ['an unfamiliar refusal', () => '0|系統維護中', 'OutcomeUnknown'],
    ['a wrong key', () => '0|CheckMacValue驗證失敗', 'Misconfigured'],
  ])('never takes %s for a "no"', async (_name, body, kind) => {
    nock(STAGE).post(QUERY).reply(200, body())
    await expect(courier.lookUp(contextOf(), home)).rejects.toMatchObject({ kind })
  })
})

describe('cancel', () => {
  const args = { reference: home.reference, courierBookingId: '7', waybill: 'F00123456789', service: 'UNIMARTC2C' }
  it('sends both numbers of a store-to-store parcel', async () => {
    let sent: Record<string, string> = {}
    nock(STAGE)
      .post('/Express/CancelC2COrder', (body: Record<string, string>) => {
        sent = { ...body }
        return true
      })
      .reply(200, '1|OK')
    await courier.cancel(contextOf(), args)
    expect(sent).toMatchObject({ AllPayLogisticsID: '7', CVSPaymentNo: 'F0012345', CVSValidationNo: '6789' })
  })
  it('is Rejected in plain words where ECPay has no such call', async () => {
    for (const service of ['TCAT', 'POST', 'UNIMART', 'FAMIC2C']) {
      await expect(courier.cancel(contextOf(), { ...args, service })).rejects.toMatchObject({
        kind: 'Rejected',
        code: 'no-such-call',
      })
    }
  })
  it("passes ECPay's refusal on", async () => {
    nock(STAGE).post('/Express/CancelC2COrder').reply(200, '0|訂單已寄件，無法取消')
    await expect(courier.cancel(contextOf(), args)).rejects.toMatchObject({
      kind: 'Rejected',
      message: 'ECPay: 訂單已寄件，無法取消',
    })
  })
})

describe('check and serviceFor', () => {
  it('is well when ECPay says a made-up number is unknown, and names what is wrong otherwise', async () => {
    nock(STAGE).post(QUERY).reply(200, '0|查無訂單資料').post(QUERY).reply(200, '0|CheckMacValue驗證失敗')
    expect(await ecpay.check(contextOf())).toEqual({ ok: true, problems: [] })
    const { ok, problems } = await ecpay.check(contextOf())
    expect(ok).toBe(false)
    expect(problems[0]?.remedy).toContain('hashKey')
  })
  it('takes the wished service where it fits, else the configured one', () => {
    const c2c = configOf({ services: { UNIMART: 'UNIMARTC2C' } })
    expect(courier.serviceFor(config, { method: 'home', chain: null, wished: null })).toBe('TCAT')
    expect(courier.serviceFor(config, { method: 'home', chain: null, wished: 'POST' })).toBe('POST')
    expect(courier.serviceFor(c2c, { method: 'cvs', chain: 'UNIMART', wished: null })).toBe('UNIMARTC2C')
    expect(courier.serviceFor(c2c, { method: 'cvs', chain: 'UNIMART', wished: 'FAMI' })).toBe('UNIMARTC2C')
    expect(() => courier.serviceFor(config, { method: 'cvs', chain: null, wished: null })).toThrow('chain')
  })
})
