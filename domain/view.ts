/** What a workflow sees of its order: ids and small facts, no personal data. Every activity of the saga returns it. */
import type { FactName } from './facts.ts'
import type { DeliveryMethod, OrderKind } from './order.ts'

export type UnitState =
  | 'planned' | 'ready' | 'handedOver' | 'picked' | 'packed' | 'shipped' | 'delivered' | 'returned'
  | 'recalling' | 'cancelled'
export type ParcelState = 'intended' | 'sent' | 'booked' | 'refused' | 'shipped' | 'delivered' | 'returning' | 'returned' | 'void'

export interface ParcelView { id: string; state: ParcelState; courier: string }
/** `shortTask` is true while a person must decide about a short pick of this unit. */
export interface UnitView { id: string; state: UnitState; parcel: ParcelView | null; bookings: number }

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
  /** ISO 8601; the no-show time of a try-on. */
  tryOnUntil: string | null
}

/** Unit states after which nothing more is to be done for it. */
export const FINISHED_UNIT: ReadonlySet<UnitState> = new Set(['delivered', 'returned', 'cancelled'])
