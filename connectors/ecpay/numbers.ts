/** The store-to-store numbers of a parcel: what the label remembers, else read from the waybill (7-ELEVEN's ends with the validation number). */
import { OmnisagaError } from '../../domain/errors.ts'
import type { BookedParcel } from '../kit/types.ts'

const VALIDATION_DIGITS = 4
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** @throws OmnisagaError Rejected, code `no-validation-number`: the numbers are not known here. */
export function numbersOf(parcel: Pick<BookedParcel, 'service' | 'waybill'> & { label?: Record<string, unknown> }): {
  payment: string
  validation: string
} {
  const label = parcel.label ?? {}
  const waybill = parcel.waybill ?? ''
  const unimart = parcel.service === 'UNIMARTC2C'
  const cut = unimart && /^[A-Za-z0-9]{9,25}$/.test(waybill)
  const payment = text(label.cvsPaymentNo) || (unimart ? (cut ? waybill.slice(0, -VALIDATION_DIGITS) : '') : waybill)
  const validation = text(label.cvsValidationNo) || (cut ? waybill.slice(-VALIDATION_DIGITS) : '')
  if (payment && (validation || !unimart)) return { payment, validation }
  throw new OmnisagaError('Rejected', `the ${unimart ? 'validation number' : 'store number'} of this parcel is not known here`, {
    code: 'no-validation-number',
    remedy: 'Do it in the ECPay back office.',
  })
}
