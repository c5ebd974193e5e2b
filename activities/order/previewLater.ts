/** What a change does that waits until the warehouse has given the goods back. */
import { zeroCounters } from '../../domain/phase.ts'
import { transaction } from '../../store/db.ts'
import { readOrder } from '../../store/orderRecord.ts'
import type { Runtime } from '../runtime.ts'
import { patched } from './patch.ts'
import { differencesOf, stateOf, type Difference, type OrderState } from './previewState.ts'
import { changeAwaited, patchOf } from './recall.ts'

/** Nothing of a line that ships anew is picked any more. */
const asOrdered = ({ lineId, sku, name, ordered }: Pick<OrderState['lines'][number], 'lineId' | 'sku' | 'name' | 'ordered'>) => {
  const { held: _held, ...counters } = zeroCounters(ordered)
  return { lineId, sku, name, ...counters }
}

export const changedLater = (stage: Runtime, orderId: string): Promise<Difference[]> =>
  transaction(stage.pool, async (tx) => {
    const record = await readOrder(tx, orderId)
    const change = changeAwaited(record)
    if (change === null) return []
    const { skus, lines, ...patch } = await patchOf(tx, change)
    const state = await stateOf(tx, orderId)
    const before = { ...state, lines: state.lines.map(asOrdered) }
    const told = lines?.map((line) => asOrdered({ ...line, ordered: line.quantity })) ?? before.lines
    return differencesOf(before, {
      ...before,
      doc: patched(before.doc, patch),
      dueMinor: patch.payment?.amountDueMinor ?? before.dueMinor,
      lines: told.map((line) => ({ ...line, sku: skus?.[line.lineId] ?? line.sku })),
    })
  })
