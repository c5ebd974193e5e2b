/**
 * Labels: /helper/printTradeDocument for bulk and home parcels (developers.ecpay.com.tw ?p=22441), and for store-to-store parcels a page
 * of each chain (?p=22421 7-ELEVEN, ?p=22426 FamilyMart, ?p=22436 OK; Hi-Life alike). ECPay answers an HTML page; several numbers,
 * joined by commas, are put 2 to 4 on an A4 sheet. Printing books nothing, however often.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import type { BookedParcel, Document } from '../kit/types.ts'
import type { EcpayConfig } from './config.ts'
import { invalid } from './fields.ts'
import { refusal } from './answer.ts'
import { signed } from './mac.ts'
import { numbersOf } from './numbers.ts'

const C2C_PAGES: Record<string, string> = {
  UNIMARTC2C: 'PrintUniMartC2COrderInfo',
  FAMIC2C: 'PrintFAMIC2COrderInfo',
  HILIFEC2C: 'PrintHILIFEC2COrderInfo',
  OKMARTC2C: 'PrintOKMARTC2COrderInfo',
}

/** @throws OmnisagaError Invalid when parcels of several services are asked for at once: each chain has a form of its own. */
export function printRequest(config: EcpayConfig, parcels: BookedParcel[]): { url: string; fields: Record<string, string> } {
  const [first] = parcels
  if (!first) throw invalid('AllPayLogisticsID', 'no parcel was named', 'Name at least one parcel.')
  if (parcels.some(({ service }) => service !== first.service)) {
    throw invalid(
      'LogisticsSubType',
      'parcels of different services do not go on one sheet',
      'Print the parcels of one service together.',
    )
  }
  const base = config.baseUrl.replace(/\/$/, '')
  const ids = parcels.map(({ courierBookingId }) => courierBookingId).join(',')
  const common: Record<string, string> = {
    MerchantID: config.merchantId,
    AllPayLogisticsID: ids,
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
  }
  const page = C2C_PAGES[first.service]
  if (!page) {
    const mode: Record<string, string> = first.service === 'POST' ? { PrintMode: config.postLabel === 'A6' ? '2' : '1' } : {}
    return { url: `${base}/helper/printTradeDocument`, fields: signed({ ...common, ...mode }, config) }
  }
  const numbers = parcels.map((parcel) => numbersOf(parcel))
  const withCode = first.service === 'UNIMARTC2C'
  return {
    url: `${base}/Express/${page}`,
    fields: signed(
      {
        ...common,
        CVSPaymentNo: numbers.map(({ payment }) => payment).join(','),
        ...(withCode ? { CVSValidationNo: numbers.map(({ validation }) => validation).join(',') } : {}),
      },
      config,
    ),
  }
}

/**
 * The page's own links are relative to ECPay, so that it is told where it came from.
 * @throws OmnisagaError Rejected with ECPay's words.
 */
export function parsePrint(config: EcpayConfig, body: string): Document {
  if (body.startsWith('0|')) throw refusal(body.slice(2))
  if (!/<(html|body|div|table|img|form|iframe)\b/i.test(body)) {
    const words = body.slice(0, 100)
    if (/CheckMacValue|錯誤|失敗|查無|error/i.test(words)) throw refusal(words)
    throw new OmnisagaError('Transient', 'ECPay: no label in its answer', { code: 'no-label' })
  }
  const base = `<base href="${config.baseUrl.replace(/\/$/, '')}/">`
  const html = /<head[^>]*>/i.test(body) ? body.replace(/<head[^>]*>/i, (head) => head + base) : base + body
  return { contentType: 'text/html; charset=utf-8', bytes: Buffer.from(html, 'utf8') }
}
