/** How ECPay answers: `1|…` or `0|reason` with HTTP 200, and what its reasons mean for us. */
import { OmnisagaError } from '../../domain/errors.ts'
import { parseForm } from '../kit/form.ts'
import type { HttpResponse, ParcelRequest } from '../kit/types.ts'
import type { EcpayConfig } from './config.ts'
import { hasValidMac } from './mac.ts'

/** ECPay answers 403 for half an hour to who calls too fast (its own words for the payment API, ?p=2890). */
export const BLOCKED = { status: 403, retryAfterMs: 30 * 60_000 } as const

/** @throws OmnisagaError for every status but 200. */
export function bodyOf(response: HttpResponse, write: boolean): string {
  if (response.status === 200) return response.body.trim()
  const code = String(response.status)
  if (response.status === 404 || response.status === 405) {
    throw new OmnisagaError('Misconfigured', `ECPay: HTTP ${code}`, { code, remedy: 'Check baseUrl of the connection.' })
  }
  throw new OmnisagaError(write ? 'OutcomeUnknown' : 'Transient', `ECPay: HTTP ${code}`, { code })
}

/** The vendor's words without what we sent of a person; they go into logs and tasks. */
function withoutPersonalData(message: string, parcel: ParcelRequest | null): string {
  if (!parcel) return message
  const { name, phone, address } = parcel.recipient
  return [name, phone, phone.replace(/^\+886/, '0'), address]
    .filter((text): text is string => Boolean(text && text.length > 1))
    .reduce((text, personal) => text.replaceAll(personal, '…'), message)
}

/** ECPay does not know the account; its own number, not that of an order (廠商訂單編號). */
export const isUnknownMerchant = (message: string): boolean =>
  /MerchantID|廠商編號|特店編號/i.test(message) && /查無|找不到|無此|不存在|錯誤|invalid|not\s*found/i.test(message)

export function refusal(message: string, parcel: ParcelRequest | null = null): OmnisagaError {
  const words = withoutPersonalData(message, parcel).slice(0, 200)
  if (/CheckMacValue|檢查碼|MacValue/i.test(message)) {
    return new OmnisagaError('Misconfigured', `ECPay: ${words}`, {
      code: 'CheckMacValue',
      remedy: 'Check merchantId, hashKey and hashIv of the connection.',
    })
  }
  if (isUnknownMerchant(message)) {
    return new OmnisagaError('Misconfigured', `ECPay: ${words}`, {
      code: 'MerchantID',
      remedy: 'Check merchantId and baseUrl of the connection: stage and production know different accounts.',
    })
  }
  if (/(MerchantTradeNo|訂單編號|交易編號)/i.test(message) && /(重[複覆]|duplicat|already|exist|已存在|已使用)/i.test(message)) {
    return new OmnisagaError('OutcomeUnknown', `ECPay: ${words}`, {
      code: 'duplicate',
      remedy: 'The number is ours: look the parcel up.',
    })
  }
  if (/門市.{0,6}(關|轉店|不存在|停業|撤店)|無此門市/.test(message)) {
    return new OmnisagaError('Rejected', `ECPay: ${words}`, {
      code: 'storeClosed',
      remedy: 'Choose another pickup store.',
    })
  }
  return new OmnisagaError('Rejected', `ECPay: ${words}`, { code: 'refused', remedy: 'Correct what ECPay names and book again.' })
}

/** ECPay documents neither whether values in `1|k=v` answers are URL-encoded: both readings are tried, the signature decides. */
function readings(text: string): Record<string, string>[] {
  const plain = Object.fromEntries(
    text.split('&').map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
  return [parseForm(text), plain]
}

/** The fields of a signed answer. @throws OmnisagaError by `refusal`; OutcomeUnknown when it is not what ECPay sends. */
export function readAnswer(config: EcpayConfig, body: string, parcel: ParcelRequest | null): Record<string, string> {
  if (body.startsWith('0|')) throw refusal(body.slice(2), parcel)
  if (!body.startsWith('1|')) {
    throw new OmnisagaError('OutcomeUnknown', 'ECPay: an answer in no known form', {
      code: 'unreadable',
      remedy: 'Look the parcel up.',
    })
  }
  const fields = readings(body.slice(2)).find((reading) => hasValidMac(reading, config))
  if (!fields)
    throw new OmnisagaError('OutcomeUnknown', 'ECPay: the CheckMacValue of its answer is wrong', {
      code: 'bad-mac',
      remedy: 'Look the parcel up.',
    })
  return fields
}

/** @see readings */
export const signedFields = (config: EcpayConfig, body: string): Record<string, string> | undefined =>
  readings(body).find((reading) => hasValidMac(reading, config))

/** Home: the consignment number. Store to store at 7-ELEVEN: payment and validation number together are what its tracking knows. */
export function waybillOf(service: string, fields: Record<string, string>): string | null {
  if (service === 'TCAT' || service === 'POST') return fields.BookingNote || null
  const number = fields.CVSPaymentNo || fields.ShipmentNo || ''
  if (!number) return null
  return service === 'UNIMARTC2C' ? number + (fields.CVSValidationNo ?? '') : number
}
