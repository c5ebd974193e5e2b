/** Phase: one pure function of the per-line counters and the facts. Nothing else decides it; the audit recomputes it. */
import type { Facts } from './facts.ts'
import type { Phase } from './order.ts'

/** Quantities of one line; each counter is cumulative (a delivered piece also counts as shipped, packed and picked). */
export interface Counters {
  ordered: number
  held: number
  picked: number
  packed: number
  shipped: number
  delivered: number
  returned: number
  cancelled: number
}

export const zeroCounters = (ordered: number): Counters => ({
  ordered,
  held: 0,
  picked: 0,
  packed: 0,
  shipped: 0,
  delivered: 0,
  returned: 0,
  cancelled: 0,
})

const sum = (lines: Counters[], of: (line: Counters) => number) => lines.reduce((total, line) => total + of(line), 0)

export function phaseOf(lines: Counters[], facts: Facts): Phase {
  const wanted = sum(lines, (l) => l.ordered - l.cancelled)
  if (facts.cancelled || wanted === 0) return 'cancelled'
  if (facts.cancelRequested) return 'cancelling'
  if (sum(lines, (l) => l.returned) >= wanted) return 'returned'
  if (sum(lines, (l) => l.delivered) >= wanted) return 'delivered'
  // Closed with a part that came back undelivered: what the customer has decides.
  if (facts.closed && sum(lines, (l) => l.delivered + l.returned) >= wanted)
    return sum(lines, (l) => l.delivered) > 0 ? 'delivered' : 'returned'
  if (facts.returning) return 'returning'
  if (sum(lines, (l) => l.shipped) >= wanted) return 'shipped'
  if (sum(lines, (l) => l.packed) >= wanted) return 'packed'
  if (facts.handedToWarehouse || sum(lines, (l) => l.picked) > 0) return 'picking'
  // A change can send a confirmed order back to check or reserve: then it waits there, whatever was confirmed before.
  if (facts.blocked) return 'blocked'
  if (facts.shortage && !facts.reserved) return 'waitingStock'
  if (facts.routed || facts.confirmed) return 'confirmed'
  if (facts.tryOnHeld && !facts.tryOnDecided) return 'tryOn'
  if (facts.confirmAsked) return 'confirming'
  if (facts.reserved) return 'reserved'
  return 'received'
}
