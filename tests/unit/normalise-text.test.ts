import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { isMasked, normaliseHeader, normaliseText, parseDate, parseQuantity } from '../../mappings/normalise/index.ts'

describe('normaliseText', { timeout: 60_000 }, () => {
  test.each([
    ['ＡＢＣ　１２３', 'ABC 123'],
    ['  堃峯喆①㈱　', '堃峯喆①㈱'],
    ['\u7a1f\uf9d1\u{20bb7}', '\u7a1f\uf9d1\u{20bb7}'],
    ['葛\u{e0100}城', '葛\u{e0100}城'],
    ['a\u200bb\ufeffc\u202dd\u00ade', 'abcde'],
    ['第一行\r\n\t第二行', '第一行 第二行'],
    ['a\u0000b\u0007c\u0085d\u00a0e', 'abc d e'],
    ['👨\u200d👩\u200d👧 謝謝', '👨\u200d👩\u200d👧 謝謝'],
    ['王\u200d明', '王明'],
    ['（備註：５個）', '（備註：5個）'],
    ['\ud800x', '\ufffdx'],
    [null, ''],
    [undefined, ''],
  ])('%j becomes %j', (written, expected) => expect(normaliseText(written)).toBe(expected))

  it('never throws, changes nothing twice and keeps every ideograph', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = normaliseText(text)
        expect(normaliseText(once)).toBe(once)
        const ideographs = (value: string) => value.match(/\p{Script=Han}/gu) ?? []
        expect(ideographs(once)).toEqual(ideographs(text))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('normaliseHeader', () => {
  test.each([
    ['訂單\n編號', '訂單編號'],
    ['訂單編號（ＴＭ）', '訂單編號(tm)'],
    ['蝦皮商品編碼 (商品ID_規格ID)', '蝦皮商品編碼(商品id_規格id)'],
    ['蝦皮商品編碼（商品ＩＤ＿規格ＩＤ）', '蝦皮商品編碼(商品id_規格id)'],
    ['退貨 ／ 退款狀態', '退貨/退款狀態'],
    ['\ufeff數量', '數量'],
    ['*數量', '數量'],
    ['數量：', '數量'],
    ['【收件人】姓名', '[收件人]姓名'],
    ['Order-ID ', 'order-id'],
    [null, ''],
  ])('%j is found as %j', (written, expected) => expect(normaliseHeader(written)).toBe(expected))
})

describe('isMasked', () => {
  test.each([
    '****',
    '*',
    '＊＊＊',
    '王*明',
    '王＊明',
    '王**',
    '*明',
    '王○明',
    '王○○',
    '陳○',
    '王◯明',
    '王●明',
    '王ＸＸ',
    '王XX',
    '王OO',
    '王O明',
    '王Ｏ明',
    '歐陽OO',
    '林OO小姐',
    '王〇明',
    '陳〇〇',
    'J*hn',
    'j***n@example.com',
    '09****678',
    '0912*45*78',
    '台北市○○區',
    '台北市中正區****',
  ])('%s is', (value) => {
    expect(isMasked(value)).toBe(true)
  })
  test.each([
    '',
    null,
    undefined,
    '王小明',
    '歐陽明',
    'Max',
    'Xavier Xu',
    'John',
    'OO',
    'X先生',
    '陳X',
    '小O',
    'LEXXA',
    '二〇三號',
    '一〇一大樓',
    '60*90',
    '3*2',
    '○ 請放門口',
    '0912345678',
    '王O先生',
    '曾XL',
    '阿Ken',
    '黃o',
  ])('%s is not', (value) => {
    expect(isMasked(value)).toBe(false)
  })
  it('never throws', () => fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof isMasked(text) === 'boolean')))
})

describe('parseQuantity', () => {
  test.each([
    [3, 3],
    ['3', 3],
    ['３', 3],
    ['1,200', 1200],
    ['2.00', 2],
    [' 5 ', 5],
    ['2 件', 2],
    ['10個', 10],
    ['x2', 2],
    ['×3', 3],
    ['3pcs', 3],
    ['0', 0],
    [0, 0],
    [-1, -1],
    ['-1', -1],
    ['="4"', 4],
    [1.5, null],
    ['1.5', null],
    ['', null],
    [null, null],
    [undefined, null],
    ['abc', null],
    ['1e3', null],
    ['2盒(6入)', null],
    ['12,34', null],
    [Number.NaN, null],
    [Infinity, null],
    [3e9, null],
    ['99999999999', null],
    [true, null],
    [new Date(0), null],
    ['2-3', null],
    ['約3', null],
  ])('%j is %j', (raw, quantity) => expect(parseQuantity(raw)).toBe(quantity))
  it('gives a whole number or null for anything', () => {
    fc.assert(
      fc.property(fc.anything(), (raw) => {
        const quantity = parseQuantity(raw)
        expect(quantity === null || Number.isInteger(quantity)).toBe(true)
      }),
    )
  })
})

describe('parseDate', { timeout: 60_000 }, () => {
  const rows: [unknown, string | null][] = [
    [45418, '2024-05-06T00:00:00+08:00'],
    [45418.625, '2024-05-06T15:00:00+08:00'],
    [45418.999988426, '2024-05-06T23:59:59+08:00'],
    ['45418.5', '2024-05-06T12:00:00+08:00'],
    [1, '1900-01-01T00:00:00+08:00'],
    [59, '1900-02-28T00:00:00+08:00'],
    [60, null],
    [61, '1900-03-01T00:00:00+08:00'],
    [0, null],
    [0.5, null],
    [-1, null],
    ['2024/05/06 15:04', '2024-05-06T15:04:00+08:00'],
    ['2024-05-06 15:04:05', '2024-05-06T15:04:05+08:00'],
    ['2024-05-06', '2024-05-06T00:00:00+08:00'],
    ['2024/5/6', '2024-05-06T00:00:00+08:00'],
    ['2024.05.06', '2024-05-06T00:00:00+08:00'],
    ['2024年5月6日', '2024-05-06T00:00:00+08:00'],
    ['２０２４／０５／０６　１５：０４', '2024-05-06T15:04:00+08:00'],
    ['2024-05-06 15:04:05.250', '2024-05-06T15:04:05.250+08:00'],
    ['20240506', '2024-05-06T00:00:00+08:00'],
    [20240506, '2024-05-06T00:00:00+08:00'],
    ['20240506150405', '2024-05-06T15:04:05+08:00'],
    ['113/05/06', '2024-05-06T00:00:00+08:00'],
    ['113.5.6 09:30', '2024-05-06T09:30:00+08:00'],
    ['民國113年5月6日', '2024-05-06T00:00:00+08:00'],
    ['民國 99 年 1 月 2 日', '2010-01-02T00:00:00+08:00'],
    ['99/01/02', '2010-01-02T00:00:00+08:00'],
    ['1130506', '2024-05-06T00:00:00+08:00'],
    [1130506, '2024-05-06T00:00:00+08:00'],
    ['民國113年2月29日', '2024-02-29T00:00:00+08:00'],
    ['2024/5/6 上午 12:05:06', '2024-05-06T00:05:06+08:00'],
    ['2024/5/6 下午 3:04', '2024-05-06T15:04:00+08:00'],
    ['2024/5/6 下午 12:04', '2024-05-06T12:04:00+08:00'],
    ['2024/5/6 3:04 PM', '2024-05-06T15:04:00+08:00'],
    ['2024/5/6(一) 15:04', '2024-05-06T15:04:00+08:00'],
    ['2024/5/6 15時04分', '2024-05-06T15:04:00+08:00'],
    ['2024-05-06 24:00', '2024-05-07T00:00:00+08:00'],
    ['2024-05-06T07:04:05Z', '2024-05-06T15:04:05+08:00'],
    ['2024-05-06T09:04:05+02:00', '2024-05-06T15:04:05+08:00'],
    [new Date(Date.UTC(2024, 4, 6, 15, 4, 5)), '2024-05-06T15:04:05+08:00'],
    ['5/6/2024', null],
    ['24/05/06', null],
    ['2024-02-30', null],
    ['2023-02-29', null],
    ['2024-13-01', null],
    ['2024-05-06 25:00', null],
    ['2024-05-06 10:60', null],
    ['', null],
    ['明天', null],
    ['-', null],
    [null, null],
    [undefined, null],
    [new Date(Number.NaN), null],
    [Number.NaN, null],
    [true, null],
    ['1714960000', null],
    [1714960000, null],
    ['2024-05-06 下午', null],
  ]
  test.each(rows)('%s in Taipei is %s', (cell, iso) => expect(parseDate(cell, 'Asia/Taipei')).toBe(iso))

  it('counts from 1904 where the workbook does', () => {
    expect(parseDate(0, 'Asia/Taipei', { date1904: true })).toBe('1904-01-01T00:00:00+08:00')
    expect(parseDate(43956, 'Asia/Taipei', { date1904: true })).toBe('2024-05-06T00:00:00+08:00')
  })

  it('knows when clocks are put forward and back', () => {
    expect(parseDate('2024-01-15 12:00', 'America/New_York')).toBe('2024-01-15T12:00:00-05:00')
    expect(parseDate('2024-07-15 12:00', 'America/New_York')).toBe('2024-07-15T12:00:00-04:00')
    expect(parseDate('2024-03-10 02:30', 'America/New_York')).toBe('2024-03-10T03:30:00-04:00')
    expect(parseDate('2024-03-10 12:00', 'America/New_York')).toBe('2024-03-10T12:00:00-04:00')
    expect(parseDate('2024-11-03 01:30', 'America/New_York')).toBe('2024-11-03T01:30:00-04:00')
    expect(parseDate('2024-05-06 00:00', 'Asia/Kolkata')).toBe('2024-05-06T00:00:00+05:30')
  })

  it('names an unknown zone', () => {
    expect(() => parseDate('2024-05-06', 'Asia/Taipeh')).toThrow(
      expect.objectContaining({ kind: 'Misconfigured', remedy: expect.stringContaining('Asia/Taipei') }),
    )
  })

  it('never throws, and reads its own output as the same instant', () => {
    const instants = fc.date({ min: new Date('1960-01-01'), max: new Date('2199-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(
        instants,
        fc.constantFrom('Asia/Taipei', 'America/New_York', 'Europe/London', 'Australia/Lord_Howe'),
        (date, zone) => {
          const iso = parseDate(date.toISOString(), zone)
          expect(new Date(iso ?? '').getTime()).toBe(date.getTime())
          expect(parseDate(iso, zone)).toBe(iso)
        },
      ),
    )
    fc.assert(
      fc.property(fc.anything(), (cell) => {
        expect(() => parseDate(cell, 'Asia/Taipei')).not.toThrow()
      }),
    )
  })
})
