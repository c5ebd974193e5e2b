/** What happens at a store's counter: vouchers are shown, or nobody comes; tried-on goods are kept, exchanged, given back. */
import type { Runtime } from '../../activities/runtime.ts'
import { sweepPickups } from '../../activities/store/pickups.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { vouchersOf } from '../../store/vouchers.ts'

export type AtCounter =
  | { is: 'voucher'; order: number; how: 'shown' | 'shownElsewhere' | 'mistyped' | 'expires'; unheard: boolean }
  | { is: 'tried'; order: number; keep: number; keepOthers: number; other: 'CAP' | 'TEE-M' | null; unheard: boolean }

/** @returns what the till asks of the order; null: it asks nothing. */
export async function voucherShown(
  runtime: Runtime,
  orderId: string,
  { how }: Extract<AtCounter, { is: 'voucher' }>,
): Promise<Record<string, unknown> | null> {
  if (how === 'expires') {
    await runtime.pool.query(
      `update vouchers set expires_at = now() - interval '1 second' where order_id = $1 and used_at is null`,
      [orderId],
    )
    await sweepPickups(runtime)
    return null
  }
  const [voucher] = await vouchersOf(runtime.pool, orderId)
  if (voucher === undefined) return null
  if (how === 'mistyped') return { code: `${voucher.code}X` }
  return { code: voucher.code, location: how === 'shown' ? voucher.location : 'north' }
}

/** So many of the first line, so many of each other one; instead of the rest of the first line another article. */
export async function triedOn(
  runtime: Runtime,
  orderId: string,
  { keep, keepOthers, other }: Pick<Extract<AtCounter, { is: 'tried' }>, 'keep' | 'keepOthers' | 'other'>,
): Promise<Record<string, unknown>> {
  const { lines } = await readOrder(runtime.pool, orderId)
  const [first] = lines
  const kept = lines.map(({ lineId, ordered, cancelled }, at): [string, number] => [
    lineId,
    Math.min(ordered - cancelled, at === 0 ? keep : keepOthers),
  ])
  return { keep: Object.fromEntries(kept), exchange: first !== undefined && other !== null ? { [first.lineId]: other } : {} }
}
