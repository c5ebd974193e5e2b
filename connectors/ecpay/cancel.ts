/** /Express/CancelC2COrder: store-to-store parcels of 7-ELEVEN that were not handed in yet. Nothing else can be cancelled by a call. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { EcpayConfig } from './config.ts'
import { refusal } from './answer.ts'
import { signed } from './mac.ts'
import { numbersOf } from './numbers.ts'

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
  const { payment, validation } = numbersOf(args)
  const fields: Record<string, string> = {
    MerchantID: config.merchantId,
    AllPayLogisticsID: args.courierBookingId,
    CVSPaymentNo: payment,
    CVSValidationNo: validation,
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
  }
  return { url: `${config.baseUrl.replace(/\/$/, '')}/Express/CancelC2COrder`, fields: signed(fields, config) }
}

/** `1|OK`, of changes too. @throws OmnisagaError Rejected with ECPay's words; OutcomeUnknown for an answer in no known form. */
export function parseDone(body: string): void {
  if (body.startsWith('1|')) return
  if (body.startsWith('0|')) throw refusal(body.slice(2))
  throw new OmnisagaError('OutcomeUnknown', 'ECPay: an answer in no known form', { code: 'unreadable' })
}
