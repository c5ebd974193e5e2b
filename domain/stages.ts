/** Which stage an order is in: the first one that is not yet true. The workflow and the model test choose by the same function. */
import type { FactName } from './facts.ts'
import { FINISHED_UNIT, type OrderView } from './view.ts'

export type Stage = 'check' | 'reserve' | 'tryOn' | 'confirm' | 'route' | 'fulfil' | 'undo' | 'close'

/** The order of the steps is written here and nowhere else. */
export function nextStage(view: Pick<OrderView, 'facts' | 'kind' | 'units' | 'missing'>): Stage {
  const is = (fact: FactName) => view.facts.includes(fact)
  if (is('cancelled')) return 'close'
  if (is('cancelRequested')) return 'undo'
  if (!is('checked')) return 'check'
  if (!is('reserved')) return 'reserve'
  if (view.kind === 'tryOn' && !is('tryOnDecided')) return 'tryOn'
  if (!is('confirmed')) return 'confirm'
  if (!is('routed')) return 'route'
  if (view.units.some((unit) => !FINISHED_UNIT.has(unit.state)) || view.missing > 0) return 'fulfil'
  return 'close'
}
