/** Orders of one recipient that may go into one box: which may, and with which others. Pure. */
import type { IncomingOrder } from './order.ts'

/** `prepaid`: only what is paid, so that no label collects for two orders. */
export type MergeParcels = 'off' | 'prepaid'

export interface ForBox {
  order: Pick<IncomingOrder, 'recipient' | 'delivery' | 'payment' | 'customs'>
  /** Special wishes: whoever wishes something else gets a box of their own. */
  notes: string | null
  courier: string
  /** The courier's service that it goes by. */
  service: string | null
  fragile: boolean
  temperature: string
}

/** How people write the same: full-width and half-width, spaces, capitals. */
const plain = (text: string | null): string =>
  (text ?? '')
    .normalize('NFKC')
    .replace(/[\s,，、-]/g, '')
    .toLowerCase()

/**
 * The same for all that may go into one box; null: a box of its own. Who cannot be told apart from somebody else (masked, no phone, no
 * address) is never put together.
 */
export function boxKeyOf({ order, notes, courier, service, fragile, temperature }: ForBox, merge: MergeParcels): string | null {
  const { recipient, delivery, payment, customs } = order
  if (merge === 'off' || payment.method !== 'prepaid' || payment.state !== 'paid') return null
  // The channel books its own parcel for its own order; papers of customs name one order.
  if (delivery.service === 'channel' || customs) return null
  if (recipient.masked === true || !recipient.phone || !plain(recipient.name)) return null
  const to = placeOf(order)
  if (to === null) return null
  const how = [delivery.method, courier, service, delivery.askedTime ?? null, notes, fragile, temperature]
  return JSON.stringify([recipient.phone, plain(recipient.name), ...to, ...how])
}

function placeOf({ recipient, delivery }: ForBox['order']): string[] | null {
  if (delivery.method === 'cvs') return delivery.cvs?.storeId ? [delivery.cvs.chain, delivery.cvs.storeId] : null
  const { address } = recipient
  if (delivery.method !== 'home' || !address || !plain(address.line)) return null
  return [address.country, address.province ?? null, address.city, address.district, address.line].map(plain)
}

/**
 * Units by box, in the order in which they are given; a box stands where its first unit stood.
 * @param fits whether these fit into one box.
 */
export function intoBoxes<T extends { boxKey: string | null }>(
  units: readonly T[],
  fits: (together: readonly T[]) => boolean,
): T[][] {
  const boxes: T[][] = []
  const open = new Map<string, T[]>()
  for (const unit of units) {
    const box = unit.boxKey === null ? undefined : open.get(unit.boxKey)
    if (box !== undefined && fits([...box, unit])) {
      box.push(unit)
      continue
    }
    const fresh = [unit]
    boxes.push(fresh)
    if (unit.boxKey !== null) open.set(unit.boxKey, fresh)
  }
  return boxes
}
