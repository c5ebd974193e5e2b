/** What the labels of an order collect against what is due for it. Pure. */
import type { Payment } from './order.ts'
import type { ParcelState, UnitState } from './view.ts'

export interface Labelled {
  id: string
  unitId: string
  attempt: number
  state: ParcelState
  amountDueMinor: number
  rebook: 'asked' | 'refused' | null
}
export interface LabelsOf {
  payment: Pick<Payment, 'method' | 'state' | 'amountDueMinor'>
  units: readonly { id: string; state: UnitState }[]
  parcels: readonly Labelled[]
  /** Wanted pieces that no unit carries. */
  missing: number
}
/** Minor units. */
export interface LabelsOff {
  due: number
  onLabels: number
}

const UNDER_WAY: ReadonlySet<ParcelState> = new Set(['booked', 'shipped', 'returning'])
const LABELLED: ReadonlySet<ParcelState> = new Set([...UNDER_WAY, 'delivered', 'returned'])

/** Its booking is being cancelled, so that another label can be made. */
export const isRebooked = ({ state, rebook }: Pick<Labelled, 'state' | 'rebook'>): boolean =>
  rebook === 'asked' && (state === 'booked' || state === 'sent')

/** Another booking of its unit was asked for, and nothing of this one stands. */
export const isBookingAsked = ({ state, rebook }: Pick<Labelled, 'state' | 'rebook'>): boolean =>
  rebook === 'asked' && (state === 'refused' || state === 'void')

/**
 * @returns both amounts where labels that are still to be collected collect more than is due, or, once every unit has one, another
 * amount; else null. What was collected already is no label's matter any more.
 */
export function labelsOff({ payment, units, parcels, missing }: LabelsOf): LabelsOff | null {
  const labelled = parcels.filter((parcel) => LABELLED.has(parcel.state) && !isRebooked(parcel))
  if (!labelled.some(({ state }) => UNDER_WAY.has(state))) return null
  // Cash that was paid at the door is what the channel now calls paid.
  const isPaid = payment.method !== 'cod' || payment.state === 'paid'
  const counted = isPaid ? labelled.filter(({ state }) => UNDER_WAY.has(state)) : labelled
  const due = payment.method === 'cod' ? payment.amountDueMinor : 0
  const onLabels = counted.reduce((sum, parcel) => sum + parcel.amountDueMinor, 0)
  const hasLabel = new Set(labelled.map(({ unitId }) => unitId))
  const isComplete = missing === 0 && units.every(({ id, state }) => state === 'cancelled' || hasLabel.has(id))
  return onLabels > due || (isComplete && !isPaid && onLabels !== due) ? { due, onLabels } : null
}

/** @returns the labels to be made anew, newest first, as few as make the amounts right; those that have left cannot be. */
export function labelsToRemake<P extends Labelled>(parcels: readonly P[], { due, onLabels }: LabelsOff): P[] {
  let rest = onLabels
  const remade: P[] = []
  for (const parcel of parcels.filter(({ state }) => state === 'booked').sort((a, b) => (a.id < b.id ? 1 : -1))) {
    if (remade.length > 0 && rest <= due) break
    remade.push(parcel)
    rest -= parcel.amountDueMinor
  }
  return remade
}
