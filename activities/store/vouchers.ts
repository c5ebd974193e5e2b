/** A pickup voucher at the counter: good once, at its store, for an order that still stands. */
import type { Queryable } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { findVoucher, type Voucher } from '../../store/vouchers.ts'
import { Refusal } from '../order/refusal.ts'

/**
 * @param shown.location where it was shown, when the till tells.
 * @throws Refusal, before anything is handed over: who shows a copy of it a second time gets nothing.
 */
export async function voucherShown(
  db: Queryable,
  record: OrderRecord,
  { code, location }: { code: string; location?: string | undefined },
): Promise<Voucher> {
  const voucher = await findVoucher(db, code)
  if (voucher === null || voucher.orderId !== record.id) throw new Refusal(`the code ${code} is not of this order`)
  if (voucher.usedAt !== null) throw new Refusal(`it was handed over already, at ${voucher.usedAt}`)
  if (location !== undefined && location !== voucher.location)
    throw new Refusal(`its goods wait at ${voucher.location}, not at ${location}`)
  if (record.is('cancelled') || record.is('cancelRequested'))
    throw new Refusal(
      voucher.expiredAt === null
        ? 'its order is cancelled: nothing is handed over'
        : `it was good until ${voucher.expiresAt}; its order is cancelled and nothing is handed over`,
    )
  return voucher
}
