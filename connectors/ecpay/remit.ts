/**
 * Cash that ECPay collected and paid out, from Query V5 (?p=22521): CollectionAmount, CollectionAllocateDate, CollectionAllocateAmount,
 * CollectionChargeFee. An amount of 0 without a date means that nothing was paid out yet. ECPay does not say whether the amount paid out
 * has its fee deducted: both are taken as paid in full.
 */
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import type { Remittance } from '../kit/types.ts'

const dollars = (text: string | undefined): number => {
  const amount = Number(text || 0)
  return Number.isFinite(amount) ? amount : 0
}

/** @param fields the signed answer of a query. @returns null: nothing was paid out on these days. */
export function remittanceOf(fields: Record<string, string>, window: { from: string; to: string }): Remittance | null {
  const day = /^(\d{4})[/-](\d{2})[/-](\d{2})/.exec(fields.CollectionAllocateDate?.trim() ?? '')
  if (!day) return null
  const paidOutOn = `${day[1]}-${day[2]}-${day[3]}`
  if (paidOutOn < window.from || paidOutOn > window.to) return null
  const collected = dollars(fields.CollectionAmount)
  const paid = dollars(fields.CollectionAllocateAmount)
  const fee = dollars(fields.CollectionChargeFee)
  const inFull = paid === collected || paid + fee === collected
  return {
    reference: fields.MerchantTradeNo || null,
    courierBookingId: fields.AllPayLogisticsID ?? '',
    collectedMinor: Math.round((inFull ? collected : paid) * MINOR_PER_MAJOR),
    feeMinor: Math.round(fee * MINOR_PER_MAJOR),
    paidOutOn,
  }
}
