import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseAddress, type AddressParts } from '../../mappings/normalise/index.ts'
import { cities, districts } from '../../mappings/normalise/districts.ts'
import { fold } from '../../mappings/normalise/places.ts'

type Row = [written: string, postalCode: string | null, city: string | null, district: string | null, line: string | null]
const given = (address: { postalCode: string | null; city: string | null; district: string | null; line: string | null }) => [
  address.postalCode,
  address.city,
  address.district,
  address.line,
]

describe('the table of districts', () => {
  it('has 22 cities, 368 districts and no name twice in a city', () => {
    expect(cities).toHaveLength(22)
    expect(districts).toHaveLength(368)
    expect(new Set(districts.map((one) => one.city + one.name)).size).toBe(368)
    expect(
      districts.every(
        (one) => /^[1-9]\d\d$/.test(one.postalCode) && /^\p{Script=Han}{2,4}[區鄉鎮市]$|^[東西南北中]區$/u.test(one.name),
      ),
    ).toBe(true)
  })

  it('has one district for a postal code, except in Hsinchu and Chiayi', () => {
    const shared = new Set(districts.map((one) => one.postalCode).filter((code, index, all) => all.indexOf(code) !== index))
    expect([...shared].sort()).toEqual(['300', '600'])
  })
})

describe('Taiwan as people write it', () => {
  const plain: Row[] = [
    ['100台北市中正區重慶南路一段122號', '100', '臺北市', '中正區', '重慶南路一段122號'],
    ['10048 臺北市 中正區 重慶南路 1 段 122 號', '10048', '臺北市', '中正區', '重慶南路1段122號'],
    ['100048臺北市中正區重慶南路一段122號', '100048', '臺北市', '中正區', '重慶南路一段122號'],
    ['100-48臺北市中正區重慶南路一段122號', '10048', '臺北市', '中正區', '重慶南路一段122號'],
    ['100-006 台北市中正區重慶南路1號', '100006', '臺北市', '中正區', '重慶南路1號'],
    ['(100)台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['[100] 台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['〒100 台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['郵遞區號：100 台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['１００台北市中正區重慶南路１段１２２號３樓', '100', '臺北市', '中正區', '重慶南路1段122號3樓'],
    ['台北市中正區重慶南路1號 100', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台北市中正區重慶南路1號(10048)', '10048', '臺北市', '中正區', '重慶南路1號'],
    ['台北市中正區重慶南路一段５－３號２樓之１', '100', '臺北市', '中正區', '重慶南路一段5-3號2樓之1'],
    ['台北市台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['臺北市中正區台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台北市中正區中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台灣台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台灣省彰化縣彰化市中正路1號', '500', '彰化縣', '彰化市', '中正路1號'],
    ['中華民國 臺北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['100台灣台北市中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台北市，中正區，重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台北市\n中正區\n重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台北市　中正區　重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台北信義區松仁路100號', '110', '臺北市', '信義區', '松仁路100號'],
    ['新竹東區光復路二段101號', '300', '新竹市', '東區', '光復路二段101號'],
    ['新竹竹北市光明六路10號', '302', '新竹縣', '竹北市', '光明六路10號'],
    ['嘉義西區中山路1號', '600', '嘉義市', '西區', '中山路1號'],
    ['台北縣板橋市文化路一段5號', '220', '新北市', '板橋區', '文化路一段5號'],
    ['新北市板橋市文化路一段5號', '220', '新北市', '板橋區', '文化路一段5號'],
    ['台北縣林口鄉文化一路1號', '244', '新北市', '林口區', '文化一路1號'],
    ['桃園縣桃園市中正路1號', '330', '桃園市', '桃園區', '中正路1號'],
    ['桃園縣中壢市中正路1號', '320', '桃園市', '中壢區', '中正路1號'],
    ['桃園縣龜山鄉文化一路1號', '333', '桃園市', '龜山區', '文化一路1號'],
    ['台中縣大里市中興路1號', '412', '臺中市', '大里區', '中興路1號'],
    ['臺中縣大安鄉中山南路1號', '439', '臺中市', '大安區', '中山南路1號'],
    ['台南縣永康市中山路1號', '710', '臺南市', '永康區', '中山路1號'],
    ['台南市西區民生路1號', '700', '臺南市', '中西區', '民生路1號'],
    ['高雄縣鳳山市光復路1號', '830', '高雄市', '鳳山區', '光復路1號'],
    ['高雄縣三民鄉民生里1號', '849', '高雄市', '那瑪夏區', '民生里1號'],
    ['苗栗縣頭份鎮中正路1號', '351', '苗栗縣', '頭份市', '中正路1號'],
    ['彰化縣員林鎮中正路1號', '510', '彰化縣', '員林市', '中正路1號'],
    ['彰化市中正路1號', '500', '彰化縣', '彰化市', '中正路1號'],
    ['板橋區文化路1號', '220', '新北市', '板橋區', '文化路1號'],
    ['104中山區民生東路1號', '104', '臺北市', '中山區', '民生東路1號'],
    ['203中山區復興路1號', '203', '基隆市', '中山區', '復興路1號'],
    ['100 重慶南路一段122號', '100', '臺北市', '中正區', '重慶南路一段122號'],
    ['330 桃園市中正路1號', '330', '桃園市', '桃園區', '中正路1號'],
    ['屏東縣屏東市屏東市場1號', '900', '屏東縣', '屏東市', '屏東市場1號'],
    ['屏東縣屏東市民生路1號', '900', '屏東縣', '屏東市', '民生路1號'],
    ['員林市民生路1號', '510', '彰化縣', '員林市', '民生路1號'],
    ['台北市內湖區民權東路六段1號', '114', '臺北市', '內湖區', '民權東路六段1號'],
    ['台中市大里區大里路1號', '412', '臺中市', '大里區', '大里路1號'],
    ['屏東縣霧台鄉中山巷1號', '902', '屏東縣', '霧臺鄉', '中山巷1號'],
    ['雲林縣台西鄉中山路1號', '636', '雲林縣', '臺西鄉', '中山路1號'],
    ['台東縣台東市中山路1號', '950', '臺東縣', '臺東市', '中山路1號'],
    ['苗栗縣苑里鎮中山路1號', '358', '苗栗縣', '苑裡鎮', '中山路1號'],
    ['苗栗縣南莊鄉中正路1號', '353', '苗栗縣', '南庄鄉', '中正路1號'],
    ['新北市新莊區中正路1號', '242', '新北市', '新莊區', '中正路1號'],
    ['台北巿中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['金門縣金城鎮民生路1號', '893', '金門縣', '金城鎮', '民生路1號'],
    ['福建省連江縣南竿鄉介壽村1號', '209', '連江縣', '南竿鄉', '介壽村1號'],
    ['880澎湖縣馬公市中正路1號', '880', '澎湖縣', '馬公市', '中正路1號'],
    ['951台東縣綠島鄉南寮村1號', '951', '臺東縣', '綠島鄉', '南寮村1號'],
    ['台北市中正區黎明里北平西路3號', '100', '臺北市', '中正區', '黎明里北平西路3號'],
    ['台北市中正區郵政第100號信箱', '100', '臺北市', '中正區', '郵政第100號信箱'],
    ['高雄市前鎮區前鎮街1號', '806', '高雄市', '前鎮區', '前鎮街1號'],
    ['臺南市新市區中正路1號', '744', '臺南市', '新市區', '中正路1號'],
    ['嘉義縣阿里山鄉中正村1號', '605', '嘉義縣', '阿里山鄉', '中正村1號'],
    ['台北市大安區和平東路一段堃峯大樓①棟', '106', '臺北市', '大安區', '和平東路一段堃峯大樓①棟'],
    ['\u200b台北市\ufeff中正區重慶南路1號', '100', '臺北市', '中正區', '重慶南路1號'],
    ['台北市中正區重慶南路1號3F Room 302', '100', '臺北市', '中正區', '重慶南路1號3F Room 302'],
  ]
  test.each(plain)('%s', (written, postalCode, city, district, line) => {
    const address = parseAddress(written)
    expect(given(address)).toEqual([postalCode, city, district, line])
    expect(address).toMatchObject({ raw: written, country: 'TW' })
    expect(address.problem).toBeUndefined()
  })

  const doubtful: [...Row, RegExp][] = [
    ['中山區民生東路1號', null, null, '中山區', '民生東路1號', /臺北市, 基隆市/],
    ['東區中華路1號', null, null, '東區', '中華路1號', /city is missing/],
    ['台北市重慶南路1號', null, '臺北市', null, '重慶南路1號', /no district/],
    ['300新竹市光復路1號', '300', '新竹市', null, '光復路1號', /no district/],
    ['106台北市中正區重慶南路1號', '106', '臺北市', '中正區', '重慶南路1號', /106 belongs to 大安區/],
    ['407台北市中正區重慶南路1號', '407', '臺北市', '中正區', '重慶南路1號', /407 belongs to 臺中市/],
    ['999台北市中正區重慶南路1號', '999', '臺北市', '中正區', '重慶南路1號', /no district has the postal code 999/],
    ['台北市板橋區文化路1號', null, '臺北市', null, '板橋區文化路1號', /no district/],
    ['123巷5號', null, null, null, '123巷5號', /city is missing/],
    ['台北市中正區', '100', '臺北市', '中正區', null, /nothing follows/],
    ['台北郵政第100號信箱', null, '臺北市', null, '郵政第100號信箱', /post office box/],
    ['台北市中正區****', '100', '臺北市', '中正區', null, /masked/],
    ['****', null, null, null, null, /masked/],
    ['', null, null, null, null, /no address/],
    ['自取', null, null, null, '自取', /city is missing/],
  ]
  test.each(doubtful)('%s leaves what is not certain open and says so', (written, postalCode, city, district, line, problem) => {
    const address = parseAddress(written)
    expect(given(address)).toEqual([postalCode, city, district, line])
    expect(address.problem).toMatch(problem)
    expect(address.raw).toBe(written)
  })
})

describe('parts that a source keeps apart', () => {
  const rows: [string | null, AddressParts, (string | null)[]][] = [
    ['重慶南路1號', { city: '台北市', district: '中正區' }, ['100', '臺北市', '中正區', '重慶南路1號']],
    [
      '台北市中正區重慶南路1號',
      { postalCode: '100', city: '台北市', district: '中正區' },
      ['100', '臺北市', '中正區', '重慶南路1號'],
    ],
    ['中正區重慶南路1號', { city: '台北市', district: '中正區' }, ['100', '臺北市', '中正區', '重慶南路1號']],
    ['重慶南路1號', { postalCode: '10048', city: '臺北市' }, ['10048', '臺北市', '中正區', '重慶南路1號']],
    ['重慶南路1號', { postalCode: '100' }, ['100', '臺北市', '中正區', '重慶南路1號']],
    ['中山路1號', { postalCode: '203', district: '中山區' }, ['203', '基隆市', '中山區', '中山路1號']],
    ['文化路1號', { city: '台北縣', district: '板橋市' }, ['220', '新北市', '板橋區', '文化路1號']],
    ['文化路1號', { city: '新北市板橋區' }, ['220', '新北市', '板橋區', '文化路1號']],
    ['松仁路1號', { city: '台北', district: '信義區' }, ['110', '臺北市', '信義區', '松仁路1號']],
    ['松仁路1號', { city: '台北市', district: '台北市信義區' }, ['110', '臺北市', '信義區', '松仁路1號']],
    ['10048台北市中正區重慶南路1號', { postalCode: '100' }, ['10048', '臺北市', '中正區', '重慶南路1號']],
    ['重慶南路1號', { postalCode: '100.0', city: '台北市' }, ['100', '臺北市', '中正區', '重慶南路1號']],
    [
      'No. 1, Songren Rd.',
      { city: 'Taipei City', postalCode: '110', country: 'Taiwan' },
      ['110', '臺北市', '信義區', 'No. 1, Songren Rd.'],
    ],
    ['重慶南路1號', { city: '台北市', district: '****', postalCode: '100' }, ['100', '臺北市', '中正區', '重慶南路1號']],
  ]
  test.each(rows)('%s with %j', (raw, parts, expected) => {
    const address = parseAddress(raw, parts)
    expect(given(address)).toEqual(expected)
    expect(address).toMatchObject({ raw, country: 'TW' })
    expect(address.problem).toBeUndefined()
  })

  it('says so when the columns and the address disagree', () => {
    expect(parseAddress('台北市中正區重慶南路1號', { city: '新北市' }).problem).toMatch(/新北市.*臺北市/)
    expect(parseAddress('台北市中正區重慶南路1號', { city: '台北市', district: '大安區' }).problem).toMatch(/大安區.*中正區/)
    expect(parseAddress('100台北市中正區重慶南路1號', { postalCode: '106' }).problem).toMatch(/106 and 100 disagree/)
    expect(parseAddress('重慶南路1號', { city: '台北市', district: '板橋區' })).toMatchObject({ city: '臺北市', district: null })
    expect(parseAddress('重慶南路1號', { city: '台北市', district: '中正區', postalCode: '10' }).problem).toMatch(
      /3, 5 or 6 digits/,
    )
  })
})

describe('addresses elsewhere', () => {
  const rows: [string, AddressParts, string | null, string | null][] = [
    ['香港九龍彌敦道1號', {}, 'HK', null],
    ['澳門新馬路1號', {}, 'MO', null],
    ['日本東京都千代田區1-1', {}, 'JP', null],
    ['1-1 Chiyoda, Tokyo 100-0001, Japan', {}, 'JP', null],
    ['廣東省深圳市南山區科技路1號', {}, 'CN', '廣東省'],
    ['上海市浦東新區世紀大道1號', {}, 'CN', '上海市'],
    ['1 Market St, San Francisco, CA 94105, USA', {}, 'US', 'CA'],
    ['100 Queen St W, Toronto, ON M5H 2N2', { country: 'CA' }, 'CA', 'ON'],
    ['1 Main St', { country: 'US', province: 'California', city: 'San Francisco', postalCode: '94105' }, 'US', 'California'],
    ['Flat 1, 1 Nathan Road, Hong Kong', {}, 'HK', null],
    ['新加坡烏節路1號', {}, 'SG', null],
    ['Orchard Road 1', { country: 'Singapore' }, 'SG', null],
  ]
  test.each(rows)('%s %j stays as written, with its country', (raw, parts, country, province) => {
    expect(parseAddress(raw, parts)).toMatchObject({ raw, line: raw, country, province, district: null })
  })

  it('takes no road, school or company for a country', () => {
    expect(parseAddress('404中國街1號')).toMatchObject({ country: 'TW', city: '臺中市', district: '北區' })
    expect(parseAddress('中國醫藥大學附設醫院')).toMatchObject({ country: 'TW', city: null })
    expect(parseAddress('台中市北區日本街1號')).toMatchObject({ country: 'TW', district: '北區' })
  })

  it('reads the city and district of a Taiwanese address in English', () => {
    expect(parseAddress('No. 1, Sec. 5, Xinyi Rd., Xinyi Dist., Taipei City 110, Taiwan (R.O.C.)')).toMatchObject({
      country: 'TW',
      city: '臺北市',
      district: '信義區',
      postalCode: '110',
    })
  })

  it('leaves a country it does not know open', () => {
    expect(parseAddress('1 Main St', { country: 'Ruritania' })).toMatchObject({
      country: null,
      raw: '1 Main St',
      problem: expect.stringMatching(/country/),
    })
  })
})

describe('for any input', { timeout: 60_000 }, () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '台北市',
      '臺北市',
      '中正區',
      '新竹',
      '東區',
      '台北縣',
      '板橋市',
      '100',
      '10048',
      ' ',
      '　',
      '\n',
      '路',
      '１號',
      '****',
      ',',
      '台灣',
      '香港',
      '(',
      ')',
      '○○',
      '屏東市',
      '市場',
      '-',
      '福建省',
      '金門縣',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  const written = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''))
  const parts = fc.record(
    {
      postalCode: fc.option(piece),
      city: fc.option(piece),
      district: fc.option(piece),
      province: fc.option(piece),
      country: fc.option(fc.constantFrom('TW', '台灣', 'JP', 'xx1')),
    },
    { requiredKeys: [] },
  )

  it('never throws, and raw keeps what was written', () => {
    fc.assert(
      fc.property(written, parts, (raw, kept) => {
        expect(parseAddress(raw, kept).raw).toBe(raw.replaceAll('\u0000', '').replace(/\p{Surrogate}/gu, '\ufffd'))
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        expect(() => parseAddress(anything)).not.toThrow()
      }),
    )
  })

  it('finds in its own output what it found before', () => {
    fc.assert(
      fc.property(written, (raw) => {
        const first = parseAddress(raw)
        if (first.problem !== undefined || first.country !== 'TW' || !/\p{Script=Han}/u.test(raw)) return
        const whole = [first.postalCode, first.city, first.district, first.line].join('')
        expect(given(parseAddress(whole))).toEqual(given(first))
        expect(parseAddress(raw, first)).toEqual(first)
      }),
      { numRuns: 500 },
    )
  })

  it.each(districts.map((one) => [one.city, one.name, one.postalCode]))(
    '%s%s goes through with and without its code %s',
    (city, name, code) => {
      const whole = { city, district: name, line: '中正路1號', postalCode: code, country: 'TW' }
      for (const spelling of [
        `${city}${name}`,
        `${city.replace('臺', '台')}${name.replace('臺', '台')}`,
        fold(`${city}${name}`),
        `${city} ${name} `,
        `${city}${city}${name}`,
      ]) {
        expect(parseAddress(`${spelling}中正路1號`)).toMatchObject(whole)
        expect(parseAddress(`${code}${spelling}中正路1號`)).toMatchObject(whole)
        expect(parseAddress(`${code}01 ${spelling}中正路1號`)).toMatchObject({ ...whole, postalCode: `${code}01` })
      }
      expect(parseAddress('中正路1號', { city, district: name })).toMatchObject(whole)
      expect(parseAddress(`${city}${name}中正路1號`, { city, district: name, postalCode: code })).toMatchObject(whole)
      expect(parseAddress(`${code}${name}中正路1號`)).toMatchObject(whole)
    },
  )
})
