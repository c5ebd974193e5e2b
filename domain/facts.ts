/**
 * What has become true of an order. A fact is written once, with its time and what undo would need; a fact that
 * stops being true (a block that was lifted, a reservation undone by a change) is withdrawn, and the log keeps both.
 */
export const FACTS = [
  'checked',
  'blocked',
  'reserved',
  'shortage',
  'inTransfer',
  'tryOnHeld',
  'tryOnArrived',
  'tryOnDecided',
  'confirmAsked',
  'confirmed',
  'routed',
  'handedToWarehouse',
  'storeClosed',
  'wrongAddress',
  'changeRefused',
  'returning',
  'cancelRequested',
  'cancelled',
  'undoFailed',
  'closed',
] as const
export type FactName = (typeof FACTS)[number]

export interface Fact {
  /** ISO 8601, UTC. */
  at: string
  [detail: string]: unknown
}

/** The facts that are true now. */
export type Facts = Partial<Record<FactName, Fact>>
