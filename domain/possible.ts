/** What may be asked of an order in the state it is in: one pure function of its facts, for tasks, the server and the command line. */
import type { FactName } from './facts.ts'
import { labelsOff, labelsToRemake, type Labelled, type LabelsOf } from './labels.ts'
import type { DeliveryMethod, OrderKind } from './order.ts'
import { isPaid } from './paid.ts'
import type { ParcelState, UnitState } from './view.ts'

export interface Standing {
  closed: boolean
  kind: OrderKind
  method: DeliveryMethod
  onHold: boolean
  payment: LabelsOf['payment']
  facts: readonly FactName[]
  units: LabelsOf['units']
  parcels: readonly Labelled[]
  /** Pieces that have left, of all lines. */
  shipped: number
  /** Wanted pieces that no unit carries. */
  missing: number
}

type Rule = (at: Standing, is: (fact: FactName) => boolean) => boolean

const LEFT: ReadonlySet<ParcelState> = new Set(['shipped', 'delivered', 'returning', 'returned'])
const WITH_WAREHOUSE: ReadonlySet<UnitState> = new Set(['handedOver', 'picked', 'packed', 'recalling'])
const hasUnit = (at: Standing, state: UnitState): boolean => at.units.some((unit) => unit.state === state)
const hasLeft = (at: Standing): boolean => at.shipped > 0 || at.parcels.some(({ state }) => LEFT.has(state))
const isBeingCancelled = (is: (fact: FactName) => boolean): boolean => is('cancelled') || is('cancelRequested')
/** After a refusal the address may still be mended though everything is packed. */
const allPackedUnbooked = (at: Standing): boolean =>
  at.units.length > 0 &&
  at.units.every(({ state }) => state === 'packed') &&
  at.parcels.every(({ state }) => state === 'refused' || state === 'void')

const hasWrongLabel = (at: LabelsOf): boolean => {
  const off = labelsOff(at)
  return off !== null && labelsToRemake(at.parcels, off).length > 0
}

/** What is not named here is judged by nobody beforehand: it is offered, and its preview says what becomes of it. */
const RULES: Record<string, Rule> = {
  confirm: (at, is) => is('reserved') && !is('confirmed') && !at.onHold && (at.kind !== 'tryOn' || is('tryOnDecided')),
  paid: (at) =>
    !isPaid(at.payment) &&
    !at.parcels.some(({ state, amountDueMinor }) => amountDueMinor > 0 && state !== 'refused' && state !== 'void'),
  cancel: (at, is) => !isBeingCancelled(is) && !hasLeft(at),
  change: (at, is) =>
    !isBeingCancelled(is) &&
    // What has left may still go to another store, or another address of the same town.
    (is('storeClosed') ||
      is('wrongAddress') ||
      (!hasLeft(at) && (!at.units.some(({ state }) => WITH_WAREHOUSE.has(state)) || allPackedUnbooked(at)))),
  recall: (at, is) => is('changeRefused') && !isBeingCancelled(is) && !hasLeft(at),
  arrived: (_at, is) => is('tryOnHeld') && !is('tryOnDecided'),
  decide: (_at, is) => is('tryOnHeld') && !is('tryOnDecided'),
  collected: (at) => (at.method === 'storePickup' || at.method === 'handOver') && hasUnit(at, 'packed'),
  packed: (at) => hasUnit(at, 'ready'),
  reroute: (at, is) =>
    !isBeingCancelled(is) && (at.method === 'home' || at.method === 'cvs') && (hasUnit(at, 'planned') || hasUnit(at, 'ready')),
  shipWithout: (at, is) => is('routed') && at.missing > 0,
  recalled: (at) => hasUnit(at, 'recalling'),
  letGo: (at, is) => is('cancelRequested') && (hasUnit(at, 'recalling') || !hasUnit(at, 'cancelled') || hasLeft(at)),
  rebook: (at, is) => !isBeingCancelled(is) && hasWrongLabel({ ...at, missing: is('routed') ? at.missing : 0 }),
  restocked: (at) => hasUnit(at, 'returned'),
}
const AFTER_THE_END: ReadonlySet<string> = new Set(['restocked', 'skip'])

/** Whether its order judges it beforehand; `retry` and `skip` are always taken, and some only the work itself can judge. */
export const isJudged = (verb: string): boolean => verb in RULES

/** @returns whether the order would take it now. */
export function isPossible(verb: string, at: Standing): boolean {
  if (at.closed && verb in RULES && !AFTER_THE_END.has(verb)) return false
  return RULES[verb]?.(at, (fact) => at.facts.includes(fact)) ?? !(at.closed && verb === 'retry')
}
