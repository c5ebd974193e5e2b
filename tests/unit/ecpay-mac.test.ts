import { createRequire } from 'node:module'
import { describe, expect, it, vi } from 'vitest'
import { checkMacValue, hasValidMac, signed } from '../../connectors/ecpay/mac.ts'
import { macOf } from '../../simulators/ecpay/mac.ts'

/** ECPay's published test accounts. */
const b2c = { hashKey: '5294y06JbISpM5x9', hashIv: 'v77hoKGq4kWxNNIS' }
const c2c = { hashKey: 'XBERn1YOvpM9nfZc', hashIv: 'h1ONHk4P4yqbl5LK' }
const published = {
  MerchantID: '2000132',
  LogisticsType: 'CVS',
  LogisticsSubType: 'UNIMART',
  MerchantTradeDate: '2025/01/01 12:00:00',
}

describe('checkMacValue', () => {
  it("gives ECPay's published value", () => {
    expect(checkMacValue(published, b2c)).toBe('545E6146FD45BDA683C88454DB34CE8D')
    expect(macOf(published, b2c.hashKey, b2c.hashIv)).toBe('545E6146FD45BDA683C88454DB34CE8D')
  })

  it('does not depend on the order of the fields and leaves an old CheckMacValue out', () => {
    const reversed = Object.fromEntries(Object.entries(published).reverse())
    expect(checkMacValue({ CheckMacValue: 'OLD', ...reversed }, b2c)).toBe(checkMacValue(published, b2c))
  })

  it("agrees with ECPay's official SDK on plain strings", () => {
    // The SDK prints what it signs, keys included.
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const Helper = createRequire(import.meta.url)('ecpay_logistics_nodejs/lib/ecpay_logistics/helper.js') as new () => {
      gen_chk_mac_value(fields: Record<string, string>, mode: 0): string
    }
    const cases: Record<string, string>[] = [
      {
        MerchantID: '2000933',
        MerchantTradeNo: 'OS0123456789ABCDEF01',
        LogisticsType: 'CVS',
        LogisticsSubType: 'UNIMARTC2C',
        GoodsAmount: '590',
      },
      {
        MerchantID: '2000933',
        ReceiverName: '王小明',
        ReceiverAddress: '臺北市信義區市府路45號(大樓)',
        Remark: "~it's * fine! -_.",
        Empty: '',
      },
      {
        merchantid: 'a',
        MerchantTradeDate: '2026/11/22 09:00:00',
        GoodsName: 'A b c',
        ServerReplyURL: 'https://shop.example.com/webhooks/ecpay-c2c?x=1',
      },
    ]
    for (const fields of cases) expect(checkMacValue(fields, c2c)).toBe(new Helper().gen_chk_mac_value({ ...fields }, 0))
    log.mockRestore()
  })

  it('agrees with the independent writing of the simulator on characters that encoders disagree about', () => {
    for (const text of [`-_.!~*'() +&=/?#%@:;,$"<>[]{}|\\^\``, '𠮷野家 é ü ＃ 台', 'İstanbul ß', '%2B+%20', 'line\nbreak\ttab']) {
      const fields = { Zeta: text, alpha: '1', Beta: text, _x: 'y' }
      expect(checkMacValue(fields, b2c)).toBe(macOf(fields, b2c.hashKey, b2c.hashIv))
    }
  })

  it('signs half a surrogate pair as it will be sent instead of throwing', () => {
    const sent = Object.fromEntries(new URLSearchParams({ Remark: 'x\ud83dy' }))
    expect(checkMacValue({ Remark: 'x\ud83dy' }, b2c)).toBe(checkMacValue(sent, b2c))
  })
})

describe('hasValidMac', () => {
  it('accepts what it signed, in either letter case', () => {
    const fields = signed(published, b2c)
    expect(hasValidMac(fields, b2c)).toBe(true)
    expect(hasValidMac({ ...fields, CheckMacValue: (fields.CheckMacValue ?? '').toLowerCase() }, b2c)).toBe(true)
  })

  it('refuses a changed field, a missing value, another length and another key', () => {
    const fields = signed(published, b2c)
    expect(hasValidMac({ ...fields, LogisticsSubType: 'FAMI' }, b2c)).toBe(false)
    expect(hasValidMac({ ...fields, Added: '1' }, b2c)).toBe(false)
    expect(hasValidMac(published, b2c)).toBe(false)
    expect(hasValidMac({ ...fields, CheckMacValue: (fields.CheckMacValue ?? '').slice(1) }, b2c)).toBe(false)
    expect(hasValidMac(fields, c2c)).toBe(false)
  })

  it('fails closed without keys, even for a value made without keys', () => {
    const empty = { hashKey: '', hashIv: '' }
    expect(hasValidMac({ ...published, CheckMacValue: checkMacValue(published, empty) }, empty)).toBe(false)
    expect(() => signed(published, empty)).toThrow('hashKey or hashIv')
  })
})
