/**
 * ECPay's calls beside booking: map (?p=22409), print (?p=22441, 22421, 22426, 22436), returns (?p=22460, 22465, 22470, 22512), other
 * stores (?p=22480, 22485), list of stores (?p=49055). Texts of refusals are assumed where ECPay publishes none.
 */
import type { SimAnswer } from '../kit/server.ts'
import type { Merchant, Parcel, Parcels } from './parcels.ts'

type Fields = Record<string, string>
type Call = (fields: Fields, merchant: Merchant) => SimAnswer
const text = (body: string): SimAnswer => ({ body })
const REGISTERED: Record<string, [subType: string, needsCode: boolean]> = {
  '/express/printunimartc2corderinfo': ['UNIMARTC2C', true],
  '/express/printfamic2corderinfo': ['FAMIC2C', false],
  '/express/printhilifec2corderinfo': ['HILIFEC2C', false],
  '/express/printokmartc2corderinfo': ['OKMARTC2C', false],
}
const RETURNS: Record<string, string> = {
  '/express/returnunimartcvs': 'UNIMART',
  '/express/returncvs': 'FAMI',
  '/express/returnhilifecvs': 'HILIFE',
}
const STORES: Record<string, [id: string, name: string][]> = {
  UNIMART: [
    ['131386', '南港門市'],
    ['896539', '三重門市'],
  ],
  FAMI: [['006598', '全家南港店']],
  HILIFE: [['2001', '萊爾富南港店']],
  OKMART: [['1328', 'OK南港店']],
}
const B2C_ON_ONE_SHEET = (subType: string) => (subType.startsWith('UNIMART') ? 'UNIMART' : subType)
const width = (value: string) => Array.from(value).reduce((sum, char) => sum + (char.charCodeAt(0) > 127 ? 2 : 1), 0)

export interface ReturnOrder {
  rtnMerchantTradeNo: string
  call: string
  fields: Fields
}
export interface Extra {
  /** By path in lower case. */
  calls: ReadonlyMap<string, Call>
  returns: ReturnOrder[]
  /** How many pages were printed. */
  printed(): number
}

export function createExtra(parcels: Parcels): Extra {
  const returns: ReturnOrder[] = []
  let printed = 0
  const calls = new Map<string, Call>()
  const mine = (id: string, merchant: Merchant): Parcel | undefined => {
    const parcel = parcels.findById(id)
    return parcel?.request.MerchantID === merchant.merchantId ? parcel : undefined
  }
  const subTypeOf = (parcel: Parcel) => parcel.request.LogisticsSubType ?? ''
  const sheet = (found: Parcel[]): SimAnswer => {
    printed += 1
    const labels = found
      .map(
        (parcel) =>
          `<div class="label" data-no="${parcel.allPayLogisticsId}"><img src="/barcode/${parcel.allPayLogisticsId}"></div>`,
      )
      .join('')
    return text(`<html><head><title>託運單</title></head><body>${labels}</body></html>`)
  }

  calls.set('/helper/printtradedocument', (fields, merchant) => {
    const found = (fields.AllPayLogisticsID ?? '').split(',').map((id) => mine(id.trim(), merchant))
    const known = found.filter((parcel) => parcel !== undefined)
    if (known.length !== found.length || known.some((parcel) => subTypeOf(parcel).endsWith('C2C'))) return text('0|查無訂單資料')
    if (new Set(known.map((parcel) => B2C_ON_ONE_SHEET(subTypeOf(parcel)))).size > 1) return text('0|不同物流不可合併列印')
    return sheet(known)
  })
  for (const [path, [subType, needsCode]] of Object.entries(REGISTERED)) {
    calls.set(path, (fields, merchant) => {
      const ids = (fields.AllPayLogisticsID ?? '').split(',')
      const numbers = (fields.CVSPaymentNo ?? '').split(',')
      const codes = (fields.CVSValidationNo ?? '').split(',')
      if (numbers.length !== ids.length || (needsCode && codes.length !== ids.length)) return text('0|參數數量不一致')
      const found = ids.map((id, index) => {
        const parcel = mine(id, merchant)
        const fits = parcel?.cvsPaymentNo === numbers[index] && (!needsCode || parcel?.cvsValidationNo === codes[index])
        return parcel && subTypeOf(parcel) === subType && fits ? parcel : undefined
      })
      const known = found.filter((parcel) => parcel !== undefined)
      return known.length === found.length ? sheet(known) : text('0|查無訂單資料')
    })
  }

  calls.set('/express/map', (fields, merchant) => {
    const c2c = (fields.LogisticsSubType ?? '').endsWith('C2C')
    if (fields.LogisticsType !== 'CVS' || c2c !== (merchant.kind === 'C2C')) return text('0|LogisticsSubType參數錯誤')
    if (!['Y', 'N'].includes(fields.IsCollection ?? '')) return text('0|IsCollection參數錯誤')
    if (!URL.canParse(fields.ServerReplyURL ?? '') || (fields.ServerReplyURL ?? '').length > 200)
      return text('0|ServerReplyURL格式錯誤')
    if ((fields.ExtraData ?? '').length > 20 || (fields.MerchantTradeNo ?? '').length > 20) return text('0|ExtraData長度錯誤')
    const stores = STORES[(fields.LogisticsSubType ?? '').replace(/C2C$|FREEZE$/, '')] ?? []
    const open = stores.filter(([id]) => !parcels.closedStores.has(id))
    const forms = open.map(([id, name]) => {
      const answer = mapAnswer(fields, id, name)
      const inputs = Object.entries(answer).map(([key, value]) => `<input type="hidden" name="${key}" value="${value}">`)
      return `<form method="post" action="${fields.ServerReplyURL}">${inputs.join('')}<button>${name}</button></form>`
    })
    return text(`<html><body>${forms.join('')}</body></html>`)
  })

  for (const [path, chain] of Object.entries(RETURNS)) {
    calls.set(path, (fields, merchant) => {
      if (merchant.kind !== 'B2C') return text('|此廠商未申請該物流類型')
      const original = fields.AllPayLogisticsID ? mine(fields.AllPayLogisticsID, merchant) : undefined
      if (fields.AllPayLogisticsID && (!original || B2C_ON_ONE_SHEET(subTypeOf(original)) !== chain)) return text('|查無訂單資料')
      if (fields.ServiceType !== '4' || !['', '0'].includes(fields.CollectionAmount ?? '')) return text('|ServiceType參數錯誤')
      if (!/^\d+$/.test(fields.GoodsAmount ?? '') || Number(fields.GoodsAmount) < 1 || Number(fields.GoodsAmount) > 20_000)
        return text('|GoodsAmount需為1~20000之整數')
      if (width(fields.SenderName ?? '') < 4 || width(fields.SenderName ?? '') > 10) return text('|SenderName長度需為4~10字元')
      if (!/^(09\d{8})?$/.test(fields.SenderPhone ?? '')) return text('|SenderPhone格式錯誤')
      const number = String(1_531_548_185_000 + returns.length + 1)
      returns.push({ rtnMerchantTradeNo: number, call: path, fields })
      return text(`${number}|${chain === 'HILIFE' ? 'H' : 'R'}${String(returns.length).padStart(11, '0')}`)
    })
  }
  calls.set('/express/returnhome', (fields, merchant) => {
    const original = fields.AllPayLogisticsID ? mine(fields.AllPayLogisticsID, merchant) : undefined
    if (fields.AllPayLogisticsID && !original) return text('0|查無訂單資料')
    if ((fields.LogisticsSubType ?? original?.request.LogisticsSubType) !== 'TCAT') return text('0|LogisticsSubType參數錯誤')
    for (const name of ['SenderName', 'SenderZipCode', 'SenderAddress', 'ReceiverName', 'ReceiverZipCode', 'ReceiverAddress'])
      if (!original && !fields[name]) return text(`0|${name}不可為空`)
    returns.push({ rtnMerchantTradeNo: String(1_531_548_185_000 + returns.length + 1), call: '/express/returnhome', fields })
    return text('1|OK')
  })

  calls.set('/express/updatestoreinfo', (fields, merchant) => {
    const parcel = mine(fields.AllPayLogisticsID ?? '', merchant)
    if (!parcel || !['UNIMARTC2C', 'FAMIC2C', 'OKMARTC2C'].includes(subTypeOf(parcel))) return text('0|查無訂單資料')
    if (parcel.cvsPaymentNo !== fields.CVSPaymentNo) return text('0|寄貨編號錯誤')
    if (subTypeOf(parcel) === 'UNIMARTC2C' && parcel.cvsValidationNo !== fields.CVSValidationNo) return text('0|驗證碼錯誤')
    if (!['01', '02'].includes(fields.StoreType ?? '')) return text('0|StoreType參數錯誤')
    if (!/^\d{1,6}$/.test((fields.StoreType === '01' ? fields.ReceiverStoreID : fields.ReturnStoreID) ?? ''))
      return text('0|ReceiverStoreID格式錯誤')
    if (parcels.closedStores.has(fields.ReceiverStoreID ?? '')) return text('0|取件門市已關轉，請重選門市')
    parcel.request = { ...parcel.request, ReceiverStoreID: fields.ReceiverStoreID ?? '' }
    return text('1|OK')
  })
  calls.set('/helper/updateshipmentinfo', (fields, merchant) => {
    const parcel = mine(fields.AllPayLogisticsID ?? '', merchant)
    if (!parcel || !['UNIMART', 'UNIMARTFREEZE', 'FAMI', 'HILIFE'].includes(subTypeOf(parcel))) return text('0|查無訂單資料')
    if (!fields.ShipmentDate && !fields.ReceiverStoreID) return text('0|ShipmentDate與ReceiverStoreID不可同時為空')
    if (parcels.closedStores.has(fields.ReceiverStoreID ?? '')) return text('0|取件門市已關轉，請重選門市')
    // 7-ELEVEN moves a parcel only while it waits for another store (2037).
    const waits = parcel.history.at(-1)?.code === '2037'
    if (subTypeOf(parcel).startsWith('UNIMART') && fields.ReceiverStoreID && !waits) return text('0|目前狀態不可更換門市')
    parcel.request = { ...parcel.request, ReceiverStoreID: fields.ReceiverStoreID || (parcel.request.ReceiverStoreID ?? '') }
    return text('1|OK')
  })

  calls.set('/helper/getstorelist', (fields) => {
    const types = fields.CvsType === 'All' ? Object.keys(STORES) : [fields.CvsType ?? '']
    const found = types.map((type) => ({ type, stores: STORES[type.replace(/FREEZE$/, '')] }))
    if (found.some(({ stores }) => !stores)) return { body: { RtnCode: 0, RtnMsg: 'CvsType參數錯誤' } }
    const list = found.map(({ type, stores = [] }) => ({
      CvsType: type,
      StoreInfo: stores.map(([StoreId, StoreName]) => ({
        StoreId,
        StoreName,
        StoreAddr: '臺北市南港區三重路19號',
        StorePhone: '02-26550115',
      })),
    }))
    return { body: { RtnCode: 1, RtnMsg: '成功', StoreList: list } }
  })

  return { calls, returns, printed: () => printed }
}

/** What the map posts to ServerReplyURL once a store is chosen; it carries no CheckMacValue. */
export const mapAnswer = (asked: Fields, storeId: string, name: string): Fields => ({
  MerchantID: asked.MerchantID ?? '',
  MerchantTradeNo: asked.MerchantTradeNo ?? '',
  LogisticsSubType: asked.LogisticsSubType ?? '',
  CVSStoreID: storeId,
  CVSStoreName: name,
  CVSAddress: '臺北市南港區三重路19號',
  CVSTelephone: '',
  CVSOutSide: '0',
  ExtraData: asked.ExtraData ?? '',
})
