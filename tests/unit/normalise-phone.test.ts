import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parsePhone } from '../../mappings/normalise/index.ts'

describe('phones as people and spreadsheets write them', () => {
  const mobile = '+886912345678'
  const rows: [unknown, string, string?][] = [
    ['0912345678', mobile],
    ['0912-345-678', mobile],
    ['0912 345 678', mobile],
    ['0912.345.678', mobile],
    ['(0912)345678', mobile],
    ['０９１２３４５６７８', mobile],
    ['０９１２－３４５－６７８', mobile],
    ['0912–345–678', mobile],
    [912345678, mobile],
    ['912345678', mobile],
    ['9.12345678E8', mobile],
    ['9.12345678E+08', mobile],
    ['912345678.0', mobile],
    [9.12345678e8, mobile],
    ["'0912345678", mobile],
    ['="0912345678"', mobile],
    ['+886912345678', mobile],
    ['+886 912 345 678', mobile],
    ['+886-0912-345-678', mobile],
    ['+886(0)912345678', mobile],
    ['886-912345678', mobile],
    ['886912345678', mobile],
    [886912345678, mobile],
    ['8860912345678', mobile],
    ['00886912345678', mobile],
    ['002886912345678', mobile],
    ['+０９１２３４５６７８', mobile],
    ['手機：0912345678', mobile],
    ['0912345678(公司)', mobile],
    ['0912345678 王先生', mobile],
    ['\u200b0912345678\n', mobile],
    ['0912345678/02-23456789', mobile],
    ['02-23456789、0912345678', mobile],
    ['0912345678 0987654321', mobile],
    ['02-2345-6789', '+886223456789'],
    ['(02)2345-6789', '+886223456789'],
    ['02 2345 6789', '+886223456789'],
    [223456789, '+886223456789'],
    ['+886 2 2345 6789', '+886223456789'],
    ['+886 (0)2 2345 6789', '+886223456789'],
    ['04-22345678', '+886422345678'],
    ['04-7234567', '+88647234567'],
    ['049-2345678', '+886492345678'],
    ['037-123456', '+88637123456'],
    ['089-123456', '+88689123456'],
    ['08-7234567', '+88687234567'],
    ['0836-22345', '+88683622345'],
    ['082-312345', '+88682312345'],
    ['03-5712345', '+88635712345'],
    ['0800-123-456', '+886800123456'],
    ['070-1234-5678', '+8867012345678'],
    ['02-2345-6789#123', '+886223456789', '123'],
    ['02-23456789 分機 12', '+886223456789', '12'],
    ['(02)23456789轉8', '+886223456789', '8'],
    ['02-23456789 ext.301', '+886223456789', '301'],
    ['02-23456789x5', '+886223456789', '5'],
    ['02-23456789＃１２３', '+886223456789', '123'],
    ['+852 9123 4567', '+85291234567'],
    ['+81-90-1234-5678', '+819012345678'],
    ['+1 (415) 555-0100', '+14155550100'],
    ['0081901234567890', '+81901234567890'],
  ]
  test.each(rows)('%s', (raw, e164, extension) => {
    expect(parsePhone(raw)).toEqual({ e164, masked: false, ...(extension && { extension }) })
  })

  test.each(['****', '09****678', '0912***678', '0912xxx678', '******78', '09●●●●●678', '＊＊＊＊'])('%s is masked', (raw) => {
    expect(parsePhone(raw)).toEqual({ e164: null, masked: true })
  })

  const wrong: [unknown, RegExp][] = [
    [null, /no phone/],
    ['', /no phone/],
    ['   ', /no phone/],
    ['無', /no digit/],
    ['09123456', /8|digits/],
    ['091234567', /10 digits, this one 9/],
    ['09123456789', /10 digits, this one 11/],
    ['27123456', /area code/],
    ['1234567', /7 digits/],
    ['9.12E8', /shortened/],
    ['9.1E+08', /shortened/],
    [1.5, /no phone/],
    [-912345678, /no phone/],
    [Number.NaN, /no phone/],
    [new Date(0), /no text/],
    ['+8861', /digits/],
    ['0000000000', /digits/],
  ]
  test.each(wrong)('%s is refused with a reason and without the number', (raw, reason) => {
    const phone = parsePhone(raw)
    expect(phone).toMatchObject({ e164: null, masked: false, problem: expect.stringMatching(reason) })
    if (typeof raw === 'string' && raw.length > 3) expect(phone.problem).not.toContain(raw)
  })
})

describe('for any input', { timeout: 60_000 }, () => {
  it('never throws, and says E.164, masked or why not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string({ unit: fc.constantFrom(...'0123456789+-() #x*轉E.９０') })), (raw) => {
        const phone = parsePhone(raw)
        if (phone.e164 !== null) expect(phone.e164).toMatch(/^\+[1-9]\d{6,14}$/)
        expect([phone.e164 !== null, phone.masked, phone.problem !== undefined].filter(Boolean)).toHaveLength(1)
      }),
      { numRuns: 3000 },
    )
  })

  it('reads its own output as the same number', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 6, maxLength: 14 })
    fc.assert(
      fc.property(
        fc.oneof(
          digits,
          digits.map((text) => `+${text}`),
          digits.map((text) => `09${text.slice(0, 8)}`),
        ),
        (raw) => {
          const { e164 } = parsePhone(raw)
          if (e164 !== null) expect(parsePhone(e164).e164).toBe(e164)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('reads every mobile number however it is grouped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999_999 }), fc.constantFrom('-', ' ', '', '.', ' - '), (rest, mark) => {
        const digits = String(rest).padStart(8, '0')
        expect(parsePhone(`09${digits.slice(0, 2)}${mark}${digits.slice(2, 5)}${mark}${digits.slice(5)}`).e164).toBe(
          `+8869${digits}`,
        )
        expect(parsePhone(Number(`9${digits}`)).e164).toBe(`+8869${digits}`)
      }),
    )
  })
})
