/** Status reports: a signed form to ServerReplyURL, to be answered `1|OK`. developers.ecpay.com.tw ?p=22526 */
import { OmnisagaError } from '../../domain/errors.ts'
import { parseForm } from '../kit/form.ts'
import type { ParcelReport, RawRecord } from '../kit/types.ts'
import type { EcpayConfig } from './config.ts'
import { fromTaipeiTime } from './fields.ts'
import { hasValidMac } from './mac.ts'
import { waybillOf } from './answer.ts'
import { homeReturnId, returnMeaningOf } from './returns.ts'
import { meaningOf } from './status.ts'

export const ACKNOWLEDGED = { status: 200, contentType: 'text/plain; charset=utf-8', body: '1|OK' } as const

const forged = (why: string) => new OmnisagaError('Rejected', `ECPay status report refused: ${why}`, { code: 'forged' })

/**
 * The same report (parcel, code, time) is the same event, however often ECPay sends it.
 * @throws OmnisagaError Rejected, code `forged`; Invalid when a signed report names no parcel or status.
 */
export function readReport(config: EcpayConfig, rawBody: Buffer, receivedAt: Date): RawRecord {
  const fields = readForm(rawBody)
  if (!hasValidMac(fields, config)) throw forged('its CheckMacValue is missing or wrong')
  if (fields.MerchantID !== config.merchantId) throw forged('it is about another merchant')
  const id = fields.RtnMerchantTradeNo || fields.AllPayLogisticsID || fields.MerchantTradeNo || ''
  const { RtnCode: code = '', UpdateStatusDate: updated = '', CheckMacValue: _mac, ...payload } = fields
  if (!id || !code) {
    throw new OmnisagaError('Invalid', `ECPay status report without ${id ? 'RtnCode' : 'AllPayLogisticsID'}`, {
      code: 'malformed',
    })
  }
  return {
    kind: 'courierStatus',
    externalId: id,
    version: `${code}@${updated}`,
    eventAt: fromTaipeiTime(updated) ?? receivedAt.toISOString(),
    payload: { ...payload, RtnCode: code, UpdateStatusDate: updated },
  }
}

function readForm(rawBody: Buffer): Record<string, string> {
  try {
    return parseForm(rawBody.toString('utf8'))
  } catch (error) {
    throw forged(error instanceof OmnisagaError ? error.message : 'it is not a form')
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Pure. Home services in `LogisticsSubType` may be absent in old reports: the type then decides as far as it can. */
export function mapReport(record: {
  externalId: string
  payload: Record<string, unknown>
  eventAt: string | null
}): ParcelReport {
  const { payload } = record
  const fields = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, text(value)]))
  // Some answers join both: LogisticsType `HOME_TCAT`.
  const subType = fields.LogisticsSubType || (fields.LogisticsType ?? '').split('_')[1] || ''
  const code = fields.RtnCode ?? ''
  const eventAt = record.eventAt ?? fromTaipeiTime(fields.UpdateStatusDate)
  if (!code || !eventAt)
    throw new OmnisagaError('Invalid', `ECPay status report ${record.externalId} without ${code ? 'time' : 'code'}`, {
      code: 'malformed',
    })
  const detail = (fields.RtnMsg ?? '').slice(0, 200)
  // Of a return: it names the parcel that brought the goods, whose own course it is not.
  if (fields.RtnMerchantTradeNo) {
    const home = Boolean(fields.BookingNote)
    return {
      reference: null,
      courierBookingId: home ? homeReturnId(fields.AllPayLogisticsID ?? '') : fields.RtnMerchantTradeNo,
      waybill: fields.BookingNote || null,
      code,
      meaning: returnMeaningOf(code),
      detail,
      eventAt,
    }
  }
  return {
    reference: fields.MerchantTradeNo || null,
    courierBookingId: fields.AllPayLogisticsID || null,
    waybill: waybillOf(subType, fields),
    code,
    meaning: meaningOf(subType, code),
    detail,
    eventAt,
  }
}
