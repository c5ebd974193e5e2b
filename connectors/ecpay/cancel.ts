/** /Express/CancelC2COrder: store-to-store parcels of 7-ELEVEN that were not handed in yet. Nothing else can be cancelled by a call. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { EcpayConfig } from './config.ts'
import { refusal } from './answer.ts'
import { signed } from './mac.ts'

const VALIDATION_DIGITS = 4

/** @throws OmnisagaError Rejected: ECPay has no such call for this service, or the waybill does not hold both numbers. */
export function cancelRequest(
  config: EcpayConfig,
  args: { courierBookingId: string; waybill: string | null; service: string },
): { url: string; fields: Record<string, string> } {
  if (args.service !== 'UNIMARTC2C') {
    throw new OmnisagaError('Rejected', `ECPay has no call that cancels a ${args.service} parcel`, {
      code: 'no-such-call',
      remedy:
        'Do not hand the parcel over: an unused number expires by itself. If the courier has it already, let it come back as a return.',
    })
  }
  const waybill = args.waybill ?? ''
  if (!/^[A-Za-z0-9]{9,25}$/.test(waybill)) {
    throw new OmnisagaError('Rejected', 'the validation number of this parcel is not known here', {
      code: 'no-validation-number',
      remedy: 'Cancel it in the ECPay back office.',
    })
  }
  const fields: Record<string, string> = {
    MerchantID: config.merchantId,
    AllPayLogisticsID: args.courierBookingId,
    CVSPaymentNo: waybill.slice(0, -VALIDATION_DIGITS),
    CVSValidationNo: waybill.slice(-VALIDATION_DIGITS),
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
  }
  return { url: `${config.baseUrl.replace(/\/$/, '')}/Express/CancelC2COrder`, fields: signed(fields, config) }
}

/** @throws OmnisagaError Rejected with ECPay's words; OutcomeUnknown for an answer in no known form. */
export function parseCancel(body: string): void {
  if (body.startsWith('1|')) return
  if (body.startsWith('0|')) throw refusal(body.slice(2))
  throw new OmnisagaError('OutcomeUnknown', 'ECPay: an answer in no known form', { code: 'unreadable' })
}
