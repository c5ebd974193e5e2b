import { describe, expect, it } from 'vitest'
import { ecpay } from '../../connectors/ecpay/index.ts'
import { signed } from '../../connectors/ecpay/mac.ts'
import { meaningOf } from '../../connectors/ecpay/status.ts'
import { mapReport } from '../../connectors/ecpay/webhook.ts'
import { configOf, contextOf, NOW } from './ecpay-fixtures.ts'

const report = {
  MerchantID: '2000132',
  MerchantTradeNo: 'OS0123456789ABCDEF01',
  RtnCode: '3003',
  RtnMsg: '配完',
  AllPayLogisticsID: '1718546',
  LogisticsType: 'HOME',
  LogisticsSubType: 'TCAT',
  GoodsAmount: '590',
  UpdateStatusDate: '2026/11/22 14:30:05',
  ReceiverName: '王小明',
  ReceiverAddress: '',
  BookingNote: '900012345678',
}
const receive = (fields: Record<string, string>, config = configOf()) => {
  const receiveWebhook = ecpay.receiveWebhook
  if (!receiveWebhook) throw new Error('no webhook')
  return receiveWebhook(contextOf(config), { headers: {}, rawBody: Buffer.from(new URLSearchParams(fields).toString()) })
}
const forged = expect.objectContaining({ kind: 'Rejected', code: 'forged' })

describe('receiveWebhook', () => {
  it('stores a signed report under parcel, code and time, and answers 1|OK', () => {
    const { records, answer } = receive(signed(report, configOf()))
    expect(answer).toEqual({ status: 200, contentType: 'text/plain; charset=utf-8', body: '1|OK' })
    expect(records).toEqual([
      {
        kind: 'courierStatus',
        externalId: '1718546',
        version: '3003@2026/11/22 14:30:05',
        eventAt: '2026-11-22T14:30:05+08:00',
        payload: report,
      },
    ])
  })
  it('gives a repeat the same identity and a later report of the same code another', () => {
    const identity = (fields: Record<string, string>) =>
      receive(signed(fields, configOf())).records.map(({ externalId, version }) => [externalId, version])
    expect(identity(report)).toEqual(identity({ ...report, RtnMsg: 'again' }))
    expect(identity({ ...report, UpdateStatusDate: '2026/11/22 14:30:06' })).not.toEqual(identity(report))
  })
  it('refuses a wrong, a missing and a foreign CheckMacValue', () => {
    expect(() => receive({ ...signed(report, configOf()), RtnCode: '2067' })).toThrow(forged)
    expect(() => receive(report)).toThrow(forged)
    expect(() => receive(signed(report, { hashKey: 'other', hashIv: 'other' }))).toThrow(forged)
    expect(() => receive({})).toThrow(forged)
  })
  it('refuses a report about another merchant even when it is signed with our keys', () => {
    expect(() => receive(signed({ ...report, MerchantID: '2000214' }, configOf()))).toThrow(forged)
  })
  it('refuses a body in which a field comes twice', () => {
    const body = `${new URLSearchParams(signed(report, configOf()))}&RtnCode=3003`
    expect(() => ecpay.receiveWebhook?.(contextOf(), { headers: {}, rawBody: Buffer.from(body) })).toThrow(forged)
  })
  it('fails closed when the keys are empty', () => {
    const config = { ...configOf(), hashKey: '', hashIv: '' }
    expect(() => receive({ ...report, CheckMacValue: 'A'.repeat(32) }, config)).toThrow(forged)
  })
  it('keeps a report whose time it cannot read, under the time it came', () => {
    const { records } = receive(signed({ ...report, UpdateStatusDate: 'soon' }, configOf()))
    expect(records[0]).toMatchObject({ version: '3003@soon', eventAt: NOW.toISOString() })
  })
  it('tells a signed report without a parcel from a forged one', () => {
    expect(() => receive(signed({ ...report, AllPayLogisticsID: '', MerchantTradeNo: '' }, configOf()))).toThrow(
      expect.objectContaining({ kind: 'Invalid', code: 'malformed' }),
    )
  })
})

describe('mapReport', () => {
  const map = (over: Record<string, unknown>) =>
    mapReport({ externalId: '1', eventAt: '2026-11-22T14:30:05+08:00', payload: { ...report, ...over } })
  it('names parcel, waybill, meaning and time', () => {
    expect(map({})).toEqual({
      reference: 'OS0123456789ABCDEF01',
      courierBookingId: '1718546',
      waybill: '900012345678',
      code: '3003',
      meaning: 'delivered',
      detail: '配完',
      eventAt: '2026-11-22T14:30:05+08:00',
    })
  })
  it('judges a code by its sub-type: 3003 is delivered for T-cat and unknown for 7-ELEVEN', () => {
    expect(map({ LogisticsType: 'CVS', LogisticsSubType: 'UNIMART' }).meaning).toBe('unknown')
  })
  it('keeps an unknown code as unknown, with its number', () => {
    expect(map({ RtnCode: '8888' })).toMatchObject({ code: '8888', meaning: 'unknown' })
  })
  it('understands the joined type of query answers', () => {
    expect(map({ LogisticsType: 'HOME_TCAT', LogisticsSubType: '' }).meaning).toBe('delivered')
  })
})

/** Every code of ECPay's status workbook, by sub-type. */
const WORKBOOK: Record<string, string> = {
  UNIMART: `300 310 2000 2001 2002 2003 2004 2005 2006 2007 2008 2009 2010 2011 2012 2013 2014 2015 2016 2017 2018 2019 2020
    2021 2022 2023 2024 2025 2026 2027 2028 2029 2030 2031 2032 2033 2034 2035 2036 2037 2038 2039 2040 2041 2042 2043
    2044 2045 2046 2047 2048 2049 2050 2051 2052 2053 2054 2055 2057 2058 2059 2060 2061 2062 2063 2065 2066 2067 2070
    2071 2072 2073 2074 2075 2076 2094 2095 2098 4001 4002 4003 4004 7017 7018 7021 7022 7023 7038`,
  UNIMARTC2C: `300 2030 2041 2042 2043 2048 2051 2053 2058 2061 2062 2066 2067 2068 2069 2070 2072 2073 2074 2075 2076 2077 2078
    2079 2080 2081 2082 2083 2084 2085 2086 2087 2088 2089 2092 2093 2094 2096 2097 2098 2099 2101 2102 2103 2104 2105
    7013 7017 7018 7019 7020 7038 9999`,
  FAMI: `300 310 2105 3018 3019 3020 3021 3022 3023 3024 3025 3029 3031 3032 4001 4002 5009 7006 7007 7008 7009 7010 7011
    7012 7013 7014 7015 7016 7032 7033 7034 7035 7036 7037`,
  FAMIC2C: `300 310 2105 3018 3019 3020 3021 3022 3023 3024 3025 3029 3031 3032 4001 4002 5009 7006 7007 7008 7009 7010 7011
    7012 7013 7014 7015 7016 7032 7034 7035 7036`,
  HILIFE: `300 310 311 325 2000 2001 2002 2003 2004 2005 2006 2007 2009 2010 2011 2012 2013 2014 2015 2016 2017 2018 2019 2020
    2021 2022 2023 2024 2025 2026 2027 2028 2029 2030 2031 2032 2033 2034 2035 2036 2037 2038 2039 2040 2041 2042 2043
    2045 2046 2047 2048 2049 2050 2051 2052 2053 2054 2055 2057 2058 2059 2060 2061 2062 2063 2065 2066 2067 2068 2069
    2070 2071 2072 2073 2074 2075 2101 2102 2103 2104 2105 3018 3019 3020 3021 3022 3023 3024 3025 3029 3031 3032 3033
    4001 4002 5001 5002 5003 5004 5005 5006 5007 5008 5009 7001 7002 7003 7004 7005 7006 7007 7008 7009 7010 7011 7012
    7013 7014 7016 7032 9001 9002 9999`,
  HILIFEC2C: `300 310 311 325 2000 2001 2002 2003 2004 2005 2006 2007 2009 2010 2011 2012 2013 2014 2015 2016 2017 2018 2019 2020
    2021 2022 2023 2024 2025 2026 2027 2028 2029 2030 2031 2032 2033 2034 2035 2036 2037 2038 2039 2040 2041 2042 2043
    2045 2046 2047 2048 2049 2050 2051 2052 2053 2054 2055 2057 2058 2059 2060 2061 2062 2063 2065 2066 2067 2068 2069
    2070 2071 2072 2073 2074 2075 2101 2102 2103 2104 2105 3018 3019 3020 3021 3022 3023 3024 3025 3029 3031 3032 3033
    4001 4002 5001 5002 5003 5004 5005 5006 5007 5008 5009 7001 7002 7003 7004 7005 7006 7007 7008 7009 7010 7011 7012
    7013 7014 7016 7032 9001 9002 9999`,
  OKMARTC2C: `300 2030 2055 2072 2073 2074 2075 2078 2105 3021 3022 3023 3032 7101 7102 7103 7104 7105 7106 7107 7201 7202 7203
    7204 7205 7206 7207 7255`,
  TCAT: `300 310 311 325 3001 3002 3003 3004 3005 3006 3007 3008 3009 3010 3011 3012 3013 3014 3015 3016 3017 3117 3118 3119
    3120 3121 3122 3123 3124 3125 5001 5002 5003 5004 5005 5006 5007 5008 7001 7002 7003 7004 7005 7024 7025 7026 7027
    7028 7029 7030 7031`,
  POST: `320 3301 3302 3303 3304 3305 3306 3307 3308 3309 3310 3311 3312 3313 3314 3315 7300 7301 7302`,
}

describe('status codes', () => {
  it('gives every code of the workbook a meaning under its sub-type', () => {
    const missing = Object.entries(WORKBOOK).flatMap(([subType, text]) =>
      text
        .split(/\s+/)
        .filter((code) => meaningOf(subType, code) === 'unknown')
        .map((code) => `${subType} ${code}`),
    )
    expect(missing).toEqual([])
  })
  it('knows no code that the workbook does not list', () => {
    for (const [subType, text] of Object.entries(WORKBOOK)) {
      const listed = new Set(text.split(/\s+/))
      const extra = Array.from({ length: 10_000 }, (_, code) => String(code)).filter(
        (code) => !listed.has(code) && meaningOf(subType, code) !== 'unknown',
      )
      expect(extra).toEqual([])
    }
  })
  it.each([
    ['TCAT', '300', 'announced'],
    ['TCAT', '3001', 'shipped'],
    ['TCAT', '3006', 'outForDelivery'],
    ['TCAT', '3002', 'attemptFailed'],
    ['TCAT', '3003', 'delivered'],
    ['TCAT', '5002', 'lost'],
    ['TCAT', '5008', 'returned'],
    ['TCAT', '3122', 'attemptFailed'],
    ['TCAT', '3124', 'returning'],
    ['TCAT', '3008', 'wrongAddress'],
    ['TCAT', '3117', 'refused'],
    ['POST', '3305', 'refused'],
    ['UNIMART', '2037', 'storeClosed'],
    ['UNIMARTC2C', '2104', 'storeClosed'],
    ['FAMI', '7011', 'storeClosed'],
    ['FAMI', '7032', 'problem'], // the sender's own store
    ['OKMARTC2C', '7101', 'storeClosed'],
    ['UNIMART', '2030', 'shipped'],
    ['UNIMART', '2063', 'arrivedAtPickup'],
    ['UNIMART', '2073', 'arrivedAtPickup'],
    ['UNIMART', '2067', 'delivered'],
    ['UNIMART', '2065', 'returning'],
    ['UNIMART', '2044', 'returned'],
    ['UNIMARTFREEZE', '2067', 'delivered'],
    ['UNIMARTC2C', '2068', 'shipped'],
    ['UNIMARTC2C', '2070', 'returned'],
    ['FAMI', '3024', 'shipped'],
    ['FAMI', '3018', 'arrivedAtPickup'],
    ['FAMI', '3022', 'delivered'],
    ['FAMIC2C', '3032', 'shipped'],
    ['HILIFE', '5004', 'problem'],
    ['TCAT', '5004', 'returning'],
    ['POST', '3308', 'delivered'],
    ['OKMARTC2C', '3023', 'returned'],
    ['NOSUCH', '300', 'unknown'],
  ])('%s %s means %s', (subType, code, meaning) => {
    expect(meaningOf(subType, code)).toBe(meaning)
  })
})
