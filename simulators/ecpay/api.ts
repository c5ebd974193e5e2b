/** ECPay's calls: Create, Query V5, CancelC2COrder here, the others in more.ts. */
import type { SimAnswer, SimRequest } from '../kit/server.ts'
import { macOf } from './mac.ts'
import type { Merchant, Parcels } from './parcels.ts'
import type { Extra } from './more.ts'
import { problemOf } from './rules.ts'

export interface ApiOptions {
  merchants: ReadonlyMap<string, Merchant>
  parcels: Parcels
  extra: Extra
  homeCollection: boolean
  encodedAnswers: boolean
  now: () => number
}

const plainForm = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
export const text = (body: string): SimAnswer => ({ body })
const MAX_CLOCK_SKEW_S = 180

/** The handler of every request that is not a control route. */
export function createApi({
  merchants,
  parcels,
  extra,
  homeCollection,
  encodedAnswers,
  now,
}: ApiOptions): (request: SimRequest) => SimAnswer {
  /** The form, once merchant and CheckMacValue are right; otherwise ECPay's refusal. */
  function authenticated(request: SimRequest): { fields: Record<string, string>; merchant: Merchant } | SimAnswer {
    if (request.method !== 'POST') return { status: 405, body: 'Method Not Allowed' }
    if (!(request.headers['content-type'] ?? '').includes('application/x-www-form-urlencoded')) return text('0|Content-Type錯誤')
    const fields = Object.fromEntries(new URLSearchParams(request.rawBody.toString('utf8')))
    const merchant = merchants.get(fields.MerchantID ?? '')
    if (!merchant) return text('0|查無廠商編號')
    if (fields.CheckMacValue !== macOf(fields, merchant.hashKey, merchant.hashIv)) return text('0|CheckMacValue驗證失敗')
    return { fields, merchant }
  }
  const signedForm = (fields: Record<string, string>, merchant: Merchant, encode: boolean) => {
    const all = { ...fields, CheckMacValue: macOf(fields, merchant.hashKey, merchant.hashIv) }
    return encode ? new URLSearchParams(all).toString() : plainForm(all)
  }

  function create(fields: Record<string, string>, merchant: Merchant): SimAnswer {
    const problem = problemOf(fields, { kind: merchant.kind, homeCollection })
    if (problem) return text(`0|${problem}`)
    if (parcels.closedStores.has(fields.ReceiverStoreID ?? '')) return text('0|取件門市已關轉，請重選門市')
    if (fields.MerchantTradeNo && parcels.find(fields.MerchantTradeNo)) return text('0|MerchantTradeNo重複')
    const parcel = parcels.create(fields, merchant)
    const status = parcel.history[0] ?? { code: '300', at: parcel.tradeDate }
    return text(
      `1|${signedForm(
        {
          MerchantID: merchant.merchantId,
          MerchantTradeNo: parcel.merchantTradeNo,
          RtnCode: status.code,
          RtnMsg: '訂單處理中(綠界已收到訂單資料)',
          AllPayLogisticsID: parcel.allPayLogisticsId,
          LogisticsType: fields.LogisticsType ?? '',
          LogisticsSubType: fields.LogisticsSubType ?? '',
          GoodsAmount: fields.GoodsAmount ?? '',
          UpdateStatusDate: status.at,
          ReceiverName: fields.ReceiverName ?? '',
          ReceiverPhone: fields.ReceiverPhone ?? '',
          ReceiverCellPhone: fields.ReceiverCellPhone ?? '',
          ReceiverEmail: fields.ReceiverEmail ?? '',
          ReceiverAddress: fields.ReceiverAddress ?? '',
          CVSPaymentNo: parcel.cvsPaymentNo,
          CVSValidationNo: parcel.cvsValidationNo,
          BookingNote: parcel.bookingNote,
        },
        merchant,
        encodedAnswers,
      )}`,
    )
  }

  function query(fields: Record<string, string>, merchant: Merchant): SimAnswer {
    if (!/^\d{10}$/.test(fields.TimeStamp ?? '') || Math.abs(now() / 1000 - Number(fields.TimeStamp)) > MAX_CLOCK_SKEW_S)
      return text('0|TimeStamp逾時')
    const parcel = fields.AllPayLogisticsID
      ? parcels.findById(fields.AllPayLogisticsID)
      : parcels.find(fields.MerchantTradeNo ?? '')
    if (!parcel || parcel.request.MerchantID !== merchant.merchantId) return text('0|查無訂單資料')
    const f = parcel.request
    return text(
      signedForm(
        {
          MerchantID: merchant.merchantId,
          MerchantTradeNo: parcel.merchantTradeNo,
          AllPayLogisticsID: parcel.allPayLogisticsId,
          GoodsAmount: f.GoodsAmount ?? '',
          LogisticsType: `${f.LogisticsType}_${f.LogisticsSubType}`,
          HandlingCharge: '0',
          TradeDate: parcel.tradeDate,
          LogisticsStatus: parcel.history.at(-1)?.code ?? '',
          GoodsName: f.GoodsName ?? '',
          ShipmentNo: parcel.shipmentNo,
          BookingNote: parcel.bookingNote,
          CollectionAmount: f.IsCollection === 'Y' ? (f.CollectionAmount ?? '0') : '0',
          CollectionAllocateDate: parcel.paidOut?.date ?? '',
          CollectionAllocateAmount: String(parcel.paidOut?.amount ?? 0),
          CollectionChargeFee: String(parcel.paidOut?.fee ?? 0),
          ActualWeight: '',
        },
        merchant,
        true,
      ),
    )
  }

  function cancelC2c(fields: Record<string, string>): SimAnswer {
    const parcel = parcels.findById(fields.AllPayLogisticsID ?? '')
    if (!parcel || parcel.request.LogisticsSubType !== 'UNIMARTC2C') return text('0|查無訂單資料')
    if (parcel.cvsPaymentNo !== fields.CVSPaymentNo || parcel.cvsValidationNo !== fields.CVSValidationNo)
      return text('0|寄貨編號或驗證碼錯誤')
    if (parcel.history.length > 1) return text('0|訂單已寄件，無法取消')
    parcel.cancelled = true
    parcels.advance(parcel, '9999')
    return text('1|OK')
  }

  return (request) => {
    const asked = authenticated(request)
    if (!('merchant' in asked)) return asked
    switch (request.path.toLowerCase()) {
      case '/express/create':
        return create(asked.fields, asked.merchant)
      case '/helper/querylogisticstradeinfo/v5':
        return query(asked.fields, asked.merchant)
      case '/express/cancelc2corder':
        return cancelC2c(asked.fields)
      default:
        return extra.calls.get(request.path.toLowerCase())?.(asked.fields, asked.merchant) ?? { status: 404, body: 'Not Found' }
    }
  }
}
