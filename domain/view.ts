/** What a workflow sees of its order: ids and small facts, no personal data. Every activity of the saga returns it. */
import type { FactName } from './facts.ts'
import type { DeliveryMethod, OrderKind } from './order.ts'

export type UnitState =
  'planned' | 'ready' | 'handedOver' | 'picked' | 'packed' | 'shipped' | 'delivered' | 'returned' | 'recalling' | 'cancelled'
export type ParcelState = 'intended' | 'sent' | 'booked' | 'refused' | 'shipped' | 'delivered' | 'returning' | 'returned' | 'void'

/** `connector` is the kind of the courier's connection; its calls have a queue of their own. */
export interface ParcelView {
  id: string
  state: ParcelState
  connector: string
}
export interface UnitView {
  id: string
  state: UnitState
  /** The newest parcel, whatever became of it. */
  parcel: ParcelView | null
  /** Bookings tried so far, and how many may be tried before a person must decide: those asked for, and our own. */
  bookings: number
  bookingsAllowed: number
  /** The label of its parcel is to be made anew: the booking is cancelled first. */
  isRebooked: boolean
  /** The next booking was asked for: it does not wait, as a repeat of the saga's own does. */
  isBookingAsked: boolean
  /** Pieces the warehouse did not find and that no other unit has taken over yet. */
  short: number
  /** How it leaves: by a courier, or over the counter. */
  leaves: 'courier' | 'counter'
}

export interface OrderView {
  orderId: string
  kind: OrderKind
  delivery: DeliveryMethod
  payment: 'prepaid' | 'cod'
  paid: boolean
  /** Grows with every change of the order row; a stale view never overwrites a newer one. */
  revision: number
  /** Grows when a person or the channel changes what is to be done; running waits then start over. */
  course: number
  facts: FactName[]
  units: UnitView[]
  /** Wanted pieces that no unit carries (after a short pick). */
  missing: number
  /** ISO 8601; the no-show time of a try-on. */
  tryOnUntil: string | null
}

/** Unit states after which nothing more is to be done for it. */
export const FINISHED_UNIT: ReadonlySet<UnitState> = new Set(['delivered', 'returned', 'cancelled'])
