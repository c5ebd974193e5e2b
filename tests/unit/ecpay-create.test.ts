import { describe, expect, it } from 'vitest'
import { createRequest, parseCreate } from '../../connectors/ecpay/create.ts'
import { hasValidMac, signed } from '../../connectors/ecpay/mac.ts'
import { deliverySlotOf, distanceOf, goodsNameField, nameField, phonesOf } from '../../connectors/ecpay/fields.ts'
import { EcpayConfig } from '../../connectors/ecpay/config.ts'
import type { ParcelRequest } from '../../connectors/kit/types.ts'
import { configOf, cvs, home, NOW, STAGE } from './ecpay-fixtures.ts'

const fieldsOf = (parcel: ParcelRequest, over: Record<string, unknown> = {}) => createRequest(configOf(over), parcel, NOW).fields
const refusalOf = (parcel: ParcelRequest, over: Record<string, unknown> = {}) => {
  try {
    createRequest(configOf(over), parcel, NOW)
  } catch (error) {
    return error as { kind: string; code: string; message: string; remedy: string }
  }
  throw new Error('it was accepted')
}

describe('createRequest', () => {
  it('fills a T-cat home delivery and signs it', () => {
    const { url, fields } = createRequest(configOf(), home, NOW)
    expect(url).toBe(`${STAGE}/Express/Create`)
    expect(fields).toMatchObject({
      MerchantID: '2000132',
      MerchantTradeNo: home.reference,
      MerchantTradeDate: '2026/11/22 09:02:03',
      LogisticsType: 'HOME',
      LogisticsSubType: 'TCAT',
      GoodsAmount: '590',
      IsCollection: 'N',
      GoodsName: '純棉上衣 x 2',
      SenderName: '台北倉庫',
      SenderPhone: '0226550115',
      SenderCellPhone: '',
      ReceiverName: '王小明',
      ReceiverPhone: '',
      ReceiverCellPhone: '0912345678',
      SenderZipCode: '115',
      ReceiverZipCode: '110',
      ReceiverAddress: '臺北市信義區市府路45號',
      Temperature: '0001',
      Distance: '00',
      Specification: '0001',
      ScheduledPickupTime: '4',
      ScheduledDeliveryTime: '4',
      ServerReplyURL: 'https://shop.example.com/webhooks/ecpay',
    })
    expect(fields).not.toHaveProperty('CollectionAmount')
    expect(hasValidMac(fields, configOf())).toBe(true)
  })

  it('fills a 7-ELEVEN parcel that collects: the declared value is what is collected', () => {
    const fields = fieldsOf({ ...cvs, amountDueMinor: 65_000 })
    expect(fields).toMatchObject({
      LogisticsType: 'CVS',
      LogisticsSubType: 'UNIMART',
      IsCollection: 'Y',
      CollectionAmount: '650',
      GoodsAmount: '650',
      ReceiverStoreID: '131386',
    })
    expect(fields).not.toHaveProperty('ReceiverAddress')
  })

  it('lets declared value and collection differ for FamilyMart', () => {
    const fields = fieldsOf({ ...cvs, service: 'FAMI', cvs: { chain: 'FAMI', storeId: '006598' }, amountDueMinor: 65_000 })
    expect(fields).toMatchObject({ GoodsAmount: '590', CollectionAmount: '650' })
  })

  it('declares one dollar for a free gift, and whole dollars for a value with cents', () => {
    expect(fieldsOf({ ...home, goodsAmountMinor: 0 }).GoodsAmount).toBe('1')
    expect(fieldsOf({ ...home, goodsAmountMinor: 59_050 }).GoodsAmount).toBe('591')
  })

  it('sends what the customer asked for: the slot where ECPay has one, the words in any case', () => {
    expect(fieldsOf({ ...home, askedTime: '14:00-18:00', notes: '請按電鈴' })).toMatchObject({
      ScheduledDeliveryTime: '2',
      Remark: '14:00-18:00 請按電鈴',
    })
    expect(fieldsOf({ ...home, askedTime: '晚上' })).toMatchObject({ ScheduledDeliveryTime: '4', Remark: '晚上' })
  })

  it.each<[string, ParcelRequest, string]>([
    ['ReceiverName', { ...home, recipient: { ...home.recipient, name: '王' } }, 'Give the full name'],
    ['ReceiverPhone', { ...home, recipient: { ...home.recipient, phone: '+81312345678' } }, '09 and 8 digits'],
    ['ReceiverCellPhone', { ...cvs, recipient: { ...cvs.recipient, phone: '+886226550115' } }, 'mobile number'],
    ['ReceiverZipCode', { ...home, recipient: { ...home.recipient, postalCode: null } }, 'postal code'],
    ['ReceiverAddress', { ...home, recipient: { ...home.recipient, address: '路'.repeat(60) } }, 'Shorten'],
    ['ReceiverStoreID', { ...cvs, cvs: { chain: 'UNIMART', storeId: '' } }, 'number of the pickup store'],
    ['CollectionAmount', { ...cvs, amountDueMinor: 65_050 }, 'whole dollars'],
    ['CollectionAmount', { ...cvs, amountDueMinor: 2_000_100 }, 'several parcels'],
    ['GoodsAmount', { ...home, goodsAmountMinor: 2_000_100 }, 'several parcels'],
    ['IsCollection', { ...home, amountDueMinor: 59_000 }, 'homeCollection'],
    ['Temperature', { ...cvs, temperature: 'frozen' }, 'TCAT'],
    ['GoodsWeight', { ...home, service: 'POST', weightGrams: null }, 'weight'],
    ['SenderCellPhone', { ...cvs, service: 'UNIMARTC2C' }, 'mobile number'],
    ['MerchantTradeNo', { ...home, reference: 'with-dash' }, 'caller'],
  ])('refuses what ECPay would refuse and names %s', (field, parcel, remedy) => {
    const error = refusalOf(parcel)
    expect(error).toMatchObject({ kind: 'Invalid', code: field })
    expect(error.message).toContain(field)
    expect(error.remedy).toContain(remedy)
  })

  it('never repeats a name, number or address in an error', () => {
    const long = '機密路'.repeat(30)
    for (const recipient of [
      { ...home.recipient, name: '乂' },
      { ...home.recipient, phone: '0987' },
      { ...home.recipient, address: long },
    ]) {
      const { message } = refusalOf({ ...home, recipient })
      for (const secret of ['乂', '0987', '機密']) expect(message).not.toContain(secret)
    }
  })

  it('collects at the door only where the contract has it', () => {
    expect(fieldsOf({ ...home, amountDueMinor: 65_000 }, { homeCollection: true })).toMatchObject({
      IsCollection: 'Y',
      CollectionAmount: '650',
      GoodsAmount: '590',
    })
  })
})

describe('field rules', () => {
  it('counts a Chinese character as two and cuts names at ten', () => {
    expect(nameField('ReceiverName', '歐陽 娜娜2')).toBe('歐陽娜娜')
    expect(nameField('ReceiverName', '瓦歷斯·諾幹·吉瓦斯')).toBe('瓦歷斯諾幹')
    expect(nameField('ReceiverName', 'Alexander Hamilton')).toBe('AlexanderH')
    expect(nameField('ReceiverName', '𠮷野')).toBe('𠮷野')
    expect(() => nameField('ReceiverName', 'Amy')).toThrow('ReceiverName')
    expect(() => nameField('ReceiverName', '0912345678')).toThrow('leaves nothing')
  })
  it('cleans goods names of what ECPay refuses and never sends an empty one', () => {
    expect(goodsNameField('【新品】T恤（M）*2 <特價> 100%')).toBe('新品 T恤(M) 2 特價 100')
    expect(goodsNameField('★☆★')).toBe('商品')
    expect([...goodsNameField('長'.repeat(80))]).toHaveLength(25)
  })
  it('reads telephone numbers in every usual form', () => {
    expect(phonesOf('+886912345678')).toEqual({ cell: '0912345678', landline: '' })
    expect(phonesOf('０９１２－３４５－６７８')).toEqual({ cell: '0912345678', landline: '' })
    expect(phonesOf('+886-2-2655-0115')).toEqual({ cell: '', landline: '0226550115' })
    expect(phonesOf('(02)2655-0115#123')).toEqual({ cell: '', landline: '0226550115#123' })
    expect(phonesOf('912345678')).toEqual({ cell: '', landline: '' })
  })
  it('maps asked times to a slot only when they name one', () => {
    expect(['13點前', '上午', '09:00-12:00', 'before 13:00'].map(deliverySlotOf)).toEqual(['1', '1', '1', '1'])
    expect(['14~18點', '下午', '14:00-18:00'].map(deliverySlotOf)).toEqual(['2', '2', '2'])
    expect([null, '晚上', '上午或下午', '18:00-20:00'].map(deliverySlotOf)).toEqual(['4', '4', '4', '4'])
  })
  it('knows same city, other city and the islands', () => {
    expect(distanceOf('115台北市南港區', '臺北市', '110')).toBe('00')
    expect(distanceOf('臺北市南港區', '高雄市', '800')).toBe('01')
    expect(distanceOf('臺北市南港區', '澎湖縣', '880')).toBe('02')
    expect(distanceOf('臺北市南港區', '臺東縣', '952')).toBe('02')
  })
  it('wants a reply address that ECPay can reach, unless everything is on this machine', () => {
    const base = { merchantId: '2000132', hashKey: 'k', hashIv: 'v' }
    expect(EcpayConfig.safeParse({ ...base, serverReplyUrl: 'https://shop.example.com:8443/x' }).error?.issues[0]?.path).toEqual([
      'serverReplyUrl',
    ])
    expect(EcpayConfig.safeParse({ ...base, serverReplyUrl: 'http://127.0.0.1/x' }).success).toBe(false)
    expect(
      EcpayConfig.safeParse({ ...base, baseUrl: 'http://127.0.0.1:9000', serverReplyUrl: 'http://127.0.0.1:8080/x' }).success,
    ).toBe(true)
  })
})

describe('parseCreate', () => {
  const config = configOf()
  const answer = (fields: Record<string, string>, encode = false) => {
    const all = signed(
      {
        MerchantID: '2000132',
        MerchantTradeNo: home.reference,
        RtnCode: '300',
        RtnMsg: '訂單處理中(綠界已收到訂單資料)',
        ...fields,
      },
      config,
    )
    return `1|${
      encode
        ? new URLSearchParams(all)
        : Object.entries(all)
            .map(([name, value]) => `${name}=${value}`)
            .join('&')
    }`
  }

  it('reads a booking whether or not the values are URL-encoded', () => {
    for (const encode of [false, true]) {
      const body = answer(
        { AllPayLogisticsID: '1718546', BookingNote: '900012345678', ReceiverAddress: '信義路100%+1號', GoodsAmount: '590' },
        encode,
      )
      expect(parseCreate(config, home, body)).toEqual({
        waybill: '900012345678',
        courierBookingId: '1718546',
        labelAmountMinor: 0,
        label: { service: 'TCAT', allPayLogisticsId: '1718546', bookingNote: '900012345678' },
      })
    }
  })
  it('joins both numbers of a 7-ELEVEN store-to-store parcel', () => {
    const body = answer({ AllPayLogisticsID: '7', CVSPaymentNo: 'F0012345', CVSValidationNo: '6789', GoodsAmount: '650' })
    expect(parseCreate(config, { ...cvs, service: 'UNIMARTC2C', amountDueMinor: 65_000 }, body)).toMatchObject({
      waybill: 'F00123456789',
      labelAmountMinor: 65_000,
    })
  })
  it('believes the label, not the request: another amount in the answer shows', () => {
    const body = answer({ AllPayLogisticsID: '7', GoodsAmount: '600' })
    expect(parseCreate(config, { ...cvs, amountDueMinor: 65_000 }, body).labelAmountMinor).toBe(60_000)
  })
  it.each([
    ['0|ReceiverStoreID格式錯誤', 'Rejected', 'refused'],
    ['0|餘額不足', 'Rejected', 'refused'],
    ['0|CheckMacValue驗證失敗', 'Misconfigured', 'CheckMacValue'],
    ['0|MerchantTradeNo重複', 'OutcomeUnknown', 'duplicate'],
    ['<html>maintenance</html>', 'OutcomeUnknown', 'unreadable'],
    ['', 'OutcomeUnknown', 'unreadable'],
    ['1|AllPayLogisticsID=1&CheckMacValue=00000000000000000000000000000000', 'OutcomeUnknown', 'bad-mac'],
  ])('sorts the answer %s into %s', (body, kind, code) => {
    expect(() => parseCreate(config, home, body)).toThrow(expect.objectContaining({ kind, code }))
  })
  it("leaves personal data out of the vendor's words", () => {
    expect(() => parseCreate(config, home, '0|收件人 王小明 0912345678 資料錯誤')).toThrow(
      expect.objectContaining({ message: 'ECPay: 收件人 … … 資料錯誤' }),
    )
  })
})
