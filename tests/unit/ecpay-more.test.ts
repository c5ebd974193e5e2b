/** Map, labels, returns, other stores and cash paid out: the requests, the official SDK's field rules, and the stand-in. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ecpay } from '../../connectors/ecpay/index.ts'
import { hasValidMac } from '../../connectors/ecpay/mac.ts'
import { mapRequest, readMapReply, storeListRequest } from '../../connectors/ecpay/map.ts'
import { parsePrint, printRequest } from '../../connectors/ecpay/print.ts'
import { remittanceOf } from '../../connectors/ecpay/remit.ts'
import { parseReturn, returnRequest } from '../../connectors/ecpay/returns.ts'
import { changeStoreRequest } from '../../connectors/ecpay/update.ts'
import { mapReport } from '../../connectors/ecpay/webhook.ts'
import type { BookedParcel, Booking, ParcelRequest, ReturnRequest } from '../../connectors/kit/types.ts'
import { startEcpaySimulator, type EcpaySimulator } from '../../simulators/ecpay/index.ts'
import { configOf, contextOf, cvs, home, NOW } from './ecpay-fixtures.ts'

const courier = ecpay.courier
if (!courier) throw new Error('no courier')
const C2C = { merchantId: '2000933', hashKey: 'XBERn1YOvpM9nfZc', hashIv: 'h1ONHk4P4yqbl5LK' }
const seller = { ...cvs.sender, phone: '0911222333' }

let sim: EcpaySimulator
beforeEach(async () => {
  sim = await startEcpaySimulator({ now: () => NOW.getTime(), callbackRetryMs: 1, callbackAttempts: 1 })
})
afterEach(() => sim.stop())
const context = (over: Record<string, unknown> = {}) =>
  contextOf(configOf({ baseUrl: sim.url, serverReplyUrl: 'http://127.0.0.1:9/webhooks/ecpay', ...over }))

const parcelOf = (request: ParcelRequest, booking: Booking): BookedParcel => ({
  ...booking,
  reference: request.reference,
  service: request.service,
})
const booked = async (request: ParcelRequest, account = {}) => parcelOf(request, await courier.book(context(account), request))
const back = (request: ParcelRequest, original: BookedParcel | null): ReturnRequest => ({
  ...request,
  sender: { name: '王小明', phone: '0912345678', postalCode: '110', address: '臺北市信義區市府路45號' },
  recipient: {
    name: '台北倉庫',
    phone: '0226550115',
    postalCode: '115',
    city: '臺北市',
    district: '南港區',
    address: '三重路19-2號',
  },
  original,
})

/** The rules in the official SDK: each field's pattern or options, and which are required. */
function sdkProblems(api: string, fields: Record<string, string>): string[] {
  const require = createRequire(import.meta.url)
  const xml = readFileSync(require.resolve('ecpay_logistics_nodejs/lib/ecpay_logistics/ECpayLogistics.xml'), 'utf8')
  const body = new RegExp(`<${api}>([\\s\\S]*?)</${api}>`).exec(xml)?.[1] ?? ''
  const params = [...body.matchAll(/<param\b([^>]*)>([\s\S]*?)<\/param>/g)]
  expect(params.length).toBeGreaterThan(2)
  return params.flatMap(([, attributes = '', inner = '']) => {
    const name = /name="(\w+)"/.exec(attributes)?.[1] ?? ''
    const value = fields[name]
    // The SDK wants every field named, also optional ones; those we leave out are empty to it.
    const pattern = /<pattern>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?<\/pattern>/.exec(inner)?.[1]
    if (pattern && value !== undefined && !new RegExp(pattern).test(value)) return [`${name}: ${pattern}`]
    const options = [...inner.matchAll(/<option[^>]*>(.*?)<\/option>/g)].map((match) => match[1])
    return options.length > 0 && value !== undefined && !options.includes(value) ? [`${name}: ${options.join()}`] : []
  })
}

describe("requests keep the official SDK's field rules", () => {
  const config = configOf()
  const toC2c = (service: string): BookedParcel => ({
    reference: 'OS1',
    courierBookingId: '10001',
    waybill: 'G65445297175',
    service,
    label: { cvsPaymentNo: 'G6544529', cvsValidationNo: '7175' },
  })
  const unimart: BookedParcel = { ...toC2c('UNIMART'), label: {} }
  it.each([
    ['Map', mapRequest(config, { chain: 'FAMI', replyUrl: 'https://shop.example.com/map', extra: 'ABC123', cod: true }).fields],
    ['printTradeDocument', printRequest(config, [unimart]).fields],
    ['PrintUniMartC2COrderInfo', printRequest(config, [toC2c('UNIMARTC2C')]).fields],
    ['PrintFAMIC2COrderInfo', printRequest(config, [toC2c('FAMIC2C')]).fields],
    ['PrintHILIFEC2COrderInfo', printRequest(config, [toC2c('HILIFEC2C')]).fields],
    ['PrintOKMARTC2COrderInfo', printRequest(config, [toC2c('OKMARTC2C')]).fields],
    ['UpdateStoreInfo', changeStoreRequest(config, toC2c('UNIMARTC2C'), '131386').fields],
    ['UpdateShipmentInfo', changeStoreRequest(config, unimart, '131386').fields],
    ['ReturnUniMartCVS', returnRequest(config, back(cvs, unimart)).fields],
    ['ReturnCVS', returnRequest(config, back(cvs, { ...unimart, service: 'FAMI' })).fields],
    ['ReturnHiLifeCVS', returnRequest(config, back(cvs, { ...unimart, service: 'HILIFE' })).fields],
    ['ReturnHome', returnRequest(config, back(home, { ...unimart, service: 'TCAT' })).fields],
  ])('%s', (api, fields) => {
    expect(sdkProblems(api, fields)).toEqual([])
    expect(hasValidMac(fields, config)).toBe(true)
  })
  it('and the rules do find what breaks them', () => {
    expect(sdkProblems('Map', { MerchantID: 'x', LogisticsSubType: 'NONE' }).map((problem) => problem.split(':')[0])).toEqual([
      'MerchantID',
      'LogisticsSubType',
    ])
  })
  it('go to the addresses that ECPay names', () => {
    const url = (request: { url: string }) => new URL(request.url).pathname
    expect(url(printRequest(config, [unimart]))).toBe('/helper/printTradeDocument')
    expect(url(printRequest(config, [toC2c('HILIFEC2C')]))).toBe('/Express/PrintHILIFEC2COrderInfo')
    expect(url(changeStoreRequest(config, toC2c('OKMARTC2C'), '1328'))).toBe('/Express/UpdateStoreInfo')
    expect(url(returnRequest(config, back(cvs, null)))).toBe('/express/ReturnUniMartCVS')
    expect(url(storeListRequest(config, 'OKMART'))).toBe('/Helper/GetStoreList')
  })
})

describe('the store map', () => {
  const choice = (over: Record<string, string> = {}) =>
    Buffer.from(
      new URLSearchParams({
        MerchantID: '2000132',
        MerchantTradeNo: 'X1',
        LogisticsSubType: 'UNIMART',
        CVSStoreID: '131386',
        CVSStoreName: '南港門市',
        CVSAddress: '',
        CVSTelephone: '',
        CVSOutSide: '0',
        ExtraData: 'X1',
        ...over,
      }).toString(),
    )
  it('is a page that posts itself to ECPay, and what ECPay answers is read', async () => {
    const page = courier.pickupMap?.(context(), {
      chain: 'FAMI',
      replyUrl: 'http://127.0.0.1:8/map',
      extra: 'TOKEN7',
      cod: false,
    })
    const html = page?.bytes.toString('utf8') ?? ''
    const fields = Object.fromEntries(
      [...html.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    )
    const answer = await fetch(`${sim.url}/Express/map`, {
      method: 'POST',
      body: new URLSearchParams(fields as Record<string, string>),
    })
    const form = [...(await answer.text()).matchAll(/name="([^"]+)" value="([^"]*)"/g)].map<[string, string]>(
      ([, name, value]) => [name ?? '', value ?? ''],
    )
    const chosen = courier.readMapReply?.(context(), { headers: {}, rawBody: Buffer.from(new URLSearchParams(form).toString()) })
    expect(chosen).toEqual({ chain: 'FAMI', storeId: '006598', name: '全家南港店', extra: 'TOKEN7' })
  })
  it('an answer of another merchant, without a store, or of no chain is refused', () => {
    expect(readMapReply(configOf(), choice()).storeId).toBe('131386')
    const wrong: Record<string, string>[] = [
      { MerchantID: '2000933' },
      { CVSStoreID: '' },
      { LogisticsSubType: 'TCAT' },
      { ExtraData: '' },
      { CVSStoreID: "1'--" },
    ]
    for (const over of wrong)
      expect(() => readMapReply(configOf(), choice(over))).toThrow(expect.objectContaining({ code: 'forged' }))
  })
  it('does not take a mark that ECPay would cut', () => {
    expect(() =>
      mapRequest(configOf(), { chain: 'FAMI', replyUrl: 'https://x.tw/m', extra: 'x'.repeat(21), cod: false }),
    ).toThrow('ExtraData')
  })
  it('lists the stores of a chain', async () => {
    const points = await courier.pickupPoints?.(context(), { chain: 'OKMART' })
    expect(points).toEqual([
      { chain: 'OKMART', storeId: '1328', name: 'OK南港店', address: '臺北市南港區三重路19號', phone: '02-26550115' },
    ])
  })
})

describe('labels', () => {
  it('one sheet for several parcels, printed again without a second booking', async () => {
    const parcels = [await booked(home), await booked({ ...home, reference: 'OS2' })]
    for (const _again of [1, 2]) {
      const sheet = await courier.labels?.(context(), parcels)
      expect(sheet?.contentType).toContain('text/html')
      expect(sheet?.bytes.toString('utf8').match(/class="label"/g)).toHaveLength(2)
    }
    expect(sim.parcels()).toHaveLength(2)
    expect(sim.extra.printed()).toBe(2)
  })
  it.each([
    ['UNIMARTC2C', 'UNIMART', '131386'],
    ['FAMIC2C', 'FAMI', '006598'],
    ['HILIFEC2C', 'HILIFE', '2001'],
    ['OKMARTC2C', 'OKMART', '1328'],
  ] as const)('%s prints on the page of its chain', async (service, chain, storeId) => {
    const parcel = await booked({ ...cvs, service, sender: seller, cvs: { chain, storeId } }, C2C)
    const page = await courier.labels?.(context(C2C), [parcel])
    expect(page?.bytes.toString('utf8')).toContain(`data-no="${parcel.courierBookingId}"`)
  })
  it('parcels of two services do not share a sheet, and a page keeps its own pictures', () => {
    const one = { reference: 'OS1', courierBookingId: '1', waybill: '1', service: 'TCAT', label: {} }
    expect(() => printRequest(configOf(), [one, { ...one, service: 'FAMI' }])).toThrow('different services')
    const html = parsePrint(configOf(), '<html><head><title>x</title></head><body></body></html>').bytes.toString('utf8')
    expect(html).toContain('<head><base href="https://logistics-stage.ecpay.com.tw/">')
    expect(() => parsePrint(configOf(), '0|查無訂單資料')).toThrow(expect.objectContaining({ kind: 'Rejected' }))
  })
  it('a store-to-store parcel whose numbers are not known cannot be printed here', () => {
    const parcel = { reference: 'OS1', courierBookingId: '1', waybill: null, service: 'UNIMARTC2C', label: {} }
    expect(() => printRequest(configOf(), [parcel])).toThrow(expect.objectContaining({ code: 'no-validation-number' }))
  })
})

describe('returns', () => {
  it.each([
    ['UNIMART', 'UNIMART', '131386'],
    ['FAMI', 'FAMI', '006598'],
    ['HILIFE', 'HILIFE', '2001'],
  ] as const)('%s gives the number that the customer types into the machine', async (service, chain, storeId) => {
    const request = { ...cvs, service, cvs: { chain, storeId } }
    const booking = await courier.bookReturn?.(context(), back(request, await booked(request)))
    expect(booking?.waybill).toMatch(/^[RH]\d{11}$/)
    expect(booking?.courierBookingId).toBe(sim.extra.returns[0]?.rtnMerchantTradeNo)
    expect(sim.extra.returns).toHaveLength(1)
  })
  it('T-cat fetches at the door', async () => {
    const original = await booked(home)
    const booking = await courier.bookReturn?.(context(), back(home, original))
    expect(booking).toMatchObject({ courierBookingId: `R${original.courierBookingId}`, waybill: null })
    expect(sim.extra.returns[0]?.fields).toMatchObject({
      SenderName: '王小明',
      ReceiverName: '台北倉庫',
      LogisticsSubType: 'TCAT',
    })
  })
  it('post and store-to-store parcels have no such call; a refusal is told in ECPay’s words without the customer', async () => {
    for (const service of ['POST', 'UNIMARTC2C', 'OKMARTC2C'])
      expect(() => returnRequest(configOf(), back({ ...cvs, service }, null))).toThrow(
        expect.objectContaining({ code: 'no-such-call' }),
      )
    expect(() => parseReturn(back(cvs, null), '|查無訂單資料')).toThrow(expect.objectContaining({ kind: 'Rejected' }))
    expect(() => parseReturn(back(cvs, null), 'garbage')).toThrow(expect.objectContaining({ kind: 'OutcomeUnknown' }))
  })
  it("a return's report is not taken for the course of the parcel that brought the goods", () => {
    const report = (more: Record<string, string>) =>
      mapReport({
        externalId: '153',
        payload: { AllPayLogisticsID: '10001', RtnMerchantTradeNo: '1531548185001', RtnMsg: '', ...more },
        eventAt: '2026-11-22T10:00:00+08:00',
      })
    expect(report({ RtnCode: '5008', BookingNote: '900011' })).toMatchObject({
      courierBookingId: 'R10001',
      waybill: '900011',
      meaning: 'delivered',
      reference: null,
    })
    expect(report({ RtnCode: '325' })).toMatchObject({ courierBookingId: '1531548185001', meaning: 'announced' })
    expect(report({ RtnCode: '1234' })).toMatchObject({ meaning: 'unknown', code: '1234' })
  })
})

describe('another pickup store', () => {
  it('of a store-to-store parcel, and of a bulk parcel once 7-ELEVEN waits for one', async () => {
    const c2c = await booked({ ...cvs, service: 'UNIMARTC2C', sender: seller }, C2C)
    await courier.changeStore?.(context(C2C), c2c, '896539')
    expect(sim.parcels()[0]?.request.ReceiverStoreID).toBe('896539')
    const bulk = await booked({ ...cvs, reference: 'OS2' })
    await expect(courier.changeStore?.(context(), bulk, '896539')).rejects.toMatchObject({ kind: 'Rejected' })
    await sim.advance('OS2', { code: '2037' })
    await courier.changeStore?.(context(), bulk, '896539')
    expect(sim.parcels()[1]?.request.ReceiverStoreID).toBe('896539')
  })
  it('home parcels and Hi-Life store to store have no such call', () => {
    const parcel = { reference: 'OS1', courierBookingId: '1', waybill: 'X12345678', service: 'HILIFEC2C', label: {} }
    for (const service of ['HILIFEC2C', 'TCAT'])
      expect(() => changeStoreRequest(configOf(), { ...parcel, service }, '2001')).toThrow(
        expect.objectContaining({ code: 'no-such-call' }),
      )
  })
})

describe('cash paid out', () => {
  const window = { from: '2026-11-01', to: '2026-11-30' }
  it('is read for each open parcel, within the days asked for', async () => {
    const request = { ...cvs, amountDueMinor: 65_000 }
    const open = [await booked(request), await booked({ ...request, reference: 'OS2' })]
    sim.payOut(request.reference, { date: '2026/11/20', amount: 650, fee: 10 })
    sim.payOut('OS2', { date: '2026/12/01', amount: 650, fee: 10 })
    expect(await courier.remittances?.(context(), { ...window, open })).toEqual([
      {
        reference: request.reference,
        courierBookingId: open[0]?.courierBookingId,
        collectedMinor: 65_000,
        feeMinor: 1_000,
        paidOutOn: '2026-11-20',
      },
    ])
  })
  it.each([
    ['nothing yet', {}, null],
    ['in full', { CollectionAllocateDate: '2026/11/20', CollectionAllocateAmount: '650' }, 65_000],
    ['less its fee', { CollectionAllocateDate: '2026/11/20 10:00:00', CollectionAllocateAmount: '640' }, 65_000],
    ['too little', { CollectionAllocateDate: '2026/11/20', CollectionAllocateAmount: '500' }, 50_000],
  ])('%s', (_name, over, collectedMinor) => {
    const fields = {
      AllPayLogisticsID: '1',
      MerchantTradeNo: 'OS1',
      CollectionAmount: '650',
      CollectionAllocateAmount: '0',
      CollectionChargeFee: '10',
      CollectionAllocateDate: '',
      ...over,
    }
    expect(remittanceOf(fields, window)?.collectedMinor ?? null).toBe(collectedMinor)
  })
})
