/** /Helper/QueryLogisticsTradeInfo/V5: was it booked, and under which numbers? developers.ecpay.com.tw ?p=22521 */
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Booking, ParcelRequest } from '../kit/types.ts'
import type { EcpayConfig } from './config.ts'
import { isUnknownMerchant, refusal, signedFields, waybillOf } from './answer.ts'
import { signed } from './mac.ts'

/** Valid for three minutes around `now`. */
export function queryRequest(config: EcpayConfig, reference: string, now: Date): { url: string; fields: Record<string, string> } {
  const fields: Record<string, string> = {
    MerchantID: config.merchantId,
    MerchantTradeNo: reference,
    TimeStamp: String(Math.floor(now.getTime() / 1000)),
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
  }
  return { url: `${config.baseUrl.replace(/\/$/, '')}/Helper/QueryLogisticsTradeInfo/V5`, fields: signed(fields, config) }
}

/** ECPay publishes no text for it; only these are taken for a "no", everything else is an error that a person sees. */
const NOT_FOUND = /查無|找不到|無此|不存在|not\s*(be\s*)?found|not\s*exist|no\s+(such\s+)?(data|order|trade)/i

/**
 * @returns the signed fields of the parcel; null: ECPay says there is none.
 * @throws OmnisagaError Misconfigured, OutcomeUnknown (a refusal in other words), Transient (an answer that cannot be believed)
 */
export function parseQuery(config: EcpayConfig, reference: string, body: string): Record<string, string> | null {
  if (body.startsWith('0|')) {
    const message = body.slice(2)
    if (NOT_FOUND.test(message) && !/CheckMacValue|檢查碼/i.test(message) && !isUnknownMerchant(message)) return null
    const refused = refusal(message)
    if (refused.kind !== 'Rejected') throw refused
    // Not Rejected: that would say that the parcel was refused, and a second one would be booked.
    throw new OmnisagaError('OutcomeUnknown', refused.message, {
      code: 'query-refused',
      remedy: 'Look the parcel up in the ECPay back office by its number before booking again.',
    })
  }
  const fields = signedFields(config, body.startsWith('1|') ? body.slice(2) : body)
  if (!fields)
    throw new OmnisagaError('Transient', 'ECPay: the answer to the query is not signed as it must be', { code: 'bad-mac' })
  if (!fields.AllPayLogisticsID) return null
  if (fields.MerchantTradeNo !== reference)
    throw new OmnisagaError('Transient', 'ECPay answered about another parcel', { code: 'other-parcel' })
  return fields
}

export function bookingOf(fields: Record<string, string>, parcel: ParcelRequest): Booking {
  const id = fields.AllPayLogisticsID ?? ''
  return {
    waybill: waybillOf(parcel.service, fields),
    courierBookingId: id,
    labelAmountMinor: parcel.amountDueMinor > 0 ? Number(fields.CollectionAmount || 0) * MINOR_PER_MAJOR : 0,
    label: {
      service: parcel.service,
      allPayLogisticsId: id,
      ...(fields.ShipmentNo ? { shipmentNo: fields.ShipmentNo } : {}),
      ...(fields.BookingNote ? { bookingNote: fields.BookingNote } : {}),
    },
  }
}
