/**
 * Goods that a customer sends back: 7-ELEVEN ?p=22460, FamilyMart ?p=22465, Hi-Life ?p=22470 (bulk parcels, at the chain's own machine),
 * T-cat ?p=22512 (fetched at the door). Post and store-to-store parcels have no such call. ECPay has no number of ours for a return: a
 * lost answer cannot be looked up, and stays for a person.
 */
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Booking, ParcelMeaning, ReturnRequest } from '../kit/types.ts'
import type { EcpayConfig } from './config.ts'
import { dollarsField, goodsNameField, invalid, nameField, phonesOf } from './fields.ts'
import { homeFields, people } from './create.ts'
import { refusal } from './answer.ts'
import { signed } from './mac.ts'

const CVS_CALLS: Record<string, string> = {
  UNIMART: 'ReturnUniMartCVS',
  UNIMARTFREEZE: 'ReturnUniMartCVS',
  FAMI: 'ReturnCVS',
  HILIFE: 'ReturnHilifeCVS',
}

/** @throws OmnisagaError Rejected, code `no-such-call`; Invalid, its code the field. */
export function returnRequest(config: EcpayConfig, parcel: ReturnRequest): { url: string; fields: Record<string, string> } {
  const base = config.baseUrl.replace(/\/$/, '')
  const service = parcel.original?.service ?? parcel.service
  const original = parcel.original?.courierBookingId ?? ''
  if (original && !/^\d{1,20}$/.test(original))
    throw invalid('AllPayLogisticsID', 'not a number of ECPay', 'Book the return without it.')
  const declared = Math.max(MINOR_PER_MAJOR, Math.ceil(parcel.goodsAmountMinor / MINOR_PER_MAJOR) * MINOR_PER_MAJOR)
  const common: Record<string, string> = {
    MerchantID: config.merchantId,
    AllPayLogisticsID: original,
    ServerReplyURL: config.serverReplyUrl,
    GoodsName: goodsNameField(parcel.goodsName),
    GoodsAmount: String(dollarsField('GoodsAmount', declared)),
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
  }
  if (service === 'TCAT') {
    const home = { ...parcel, service, method: 'home' as const }
    const { ScheduledDeliveryTime: _asked, ...fields } = homeFields(config, home)
    const all = {
      ...common,
      LogisticsSubType: 'TCAT',
      ...people(home),
      ...fields,
      ScheduledPickupTime: '4',
      ScheduledDeliveryTime: '4',
    }
    return { url: `${base}/Express/ReturnHome`, fields: signed(all, config) }
  }
  const call = CVS_CALLS[service]
  if (!call) {
    throw new OmnisagaError('Rejected', `ECPay brings no ${service} parcel back from a customer`, {
      code: 'no-such-call',
      remedy: 'Book the return as a new parcel from the customer, or by another courier.',
    })
  }
  const { cell } = phonesOf(parcel.sender.phone)
  if (!cell) throw invalid('SenderPhone', 'no mobile number', 'Ask the customer for a mobile number (09 and 8 digits).')
  const fields: Record<string, string> = {
    ...common,
    CollectionAmount: '0',
    ServiceType: '4',
    SenderName: nameField('SenderName', parcel.sender.name),
    SenderPhone: cell,
    Remark: '',
    ...(call === 'ReturnCVS' ? { Quantity: '', Cost: '' } : {}),
  }
  return { url: `${base}/express/${call}`, fields: signed(fields, config) }
}

/** There is no call that tells. */
export const ASK_BACK_OFFICE = 'Look in the ECPay back office whether the return was booked, before it is booked again.'

/** How a return fetched at the door is known: ECPay's answer names no number. */
export const homeReturnId = (originalId: string): string => `R${originalId}`

/**
 * Stores: `RtnMerchantTradeNo|RtnOrderNo`, the second typed by the customer into the machine of the store. Home: `1|OK`.
 * @throws OmnisagaError Rejected with ECPay's words (`|reason`, `0|reason`); OutcomeUnknown for an answer in no known form.
 */
export function parseReturn(parcel: ReturnRequest, body: string): Booking {
  const service = parcel.original?.service ?? parcel.service
  const [first = '', ...rest] = body.split('|').map((part) => part.trim())
  const second = rest.join('|')
  if ((first === '' || first === '0') && second) throw refusal(second, parcel)
  const answer = { labelAmountMinor: 0, label: { service, return: true } }
  if (service === 'TCAT' && first === '1')
    return { ...answer, waybill: null, courierBookingId: homeReturnId(parcel.original?.courierBookingId ?? parcel.reference) }
  if (service !== 'TCAT' && /^\d{2,20}$/.test(first) && second)
    return { ...answer, waybill: second, courierBookingId: first, label: { ...answer.label, returnOrderNo: second } }
  throw new OmnisagaError('OutcomeUnknown', 'ECPay: an answer in no known form', {
    code: 'unreadable',
    remedy: ASK_BACK_OFFICE,
  })
}

/** Status reports of a return (?p=22531) name no sub-type; these codes mean the same wherever the workbook lists them. */
const RETURN_CODES: Record<string, ParcelMeaning> = {
  300: 'announced',
  325: 'announced',
  4001: 'inTransit',
  4002: 'inTransit',
  5001: 'problem',
  5002: 'lost',
  5007: 'lost',
  5008: 'delivered',
  7027: 'problem',
  9001: 'delivered',
  9002: 'delivered',
}
export const returnMeaningOf = (code: string): ParcelMeaning => RETURN_CODES[code] ?? 'unknown'
