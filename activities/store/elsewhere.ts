/** What a store does not have itself is held where it is, and brought: as much as there is at the store, the rest from who ships. */
import type { Demand } from '../../domain/routing/types.ts'
import { levels } from '../../store/ledger/operations.ts'
import type { ReserveLine } from '../../store/ledger/types.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { claimantOf, place, type Placing } from '../order/place.ts'
import type { Runtime } from '../runtime.ts'

/** Its customer comes to the store, later: there is time to bring the goods. */
const canBeBrought = ({ doc }: OrderRecord): boolean =>
  doc.delivery.location !== null && (doc.kind === 'tryOn' || doc.delivery.method === 'storePickup')

/** @param own the store of a store's own order; null: wherever goods ship from. */
export async function placeOrBring(
  runtime: Runtime,
  record: OrderRecord,
  demand: Demand[],
  own: string[] | null,
): Promise<Placing> {
  const placing = await place(runtime, record, demand, { locations: own })
  const [store] = own ?? []
  if (placing.missing.length === 0 || store === undefined || !canBeBrought(record)) return placing
  const skus = [...new Set(demand.map((line) => line.sku))]
  const there = await levels(runtime.pool, { ...claimantOf(record), skus, location: store })
  const left = new Map(there.map((level) => [level.sku, level.available]))
  const here: ReserveLine[] = []
  const rest: Demand[] = []
  for (const line of demand) {
    const quantity = Math.min(line.quantity, left.get(line.sku) ?? 0)
    left.set(line.sku, (left.get(line.sku) ?? 0) - quantity)
    if (quantity > 0) here.push({ ...line, quantity, location: store })
    if (quantity < line.quantity) rest.push({ ...line, quantity: line.quantity - quantity })
  }
  const brought = await place(runtime, record, rest, { locations: null, isOut: (_sku, location) => location === store })
  if (brought.missing.length > 0) return { ...brought, lines: [] }
  return { ...brought, lines: [...here, ...brought.lines] }
}
