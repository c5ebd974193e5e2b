/**
 * What is not where the order is served from is held where it is, and brought: for a customer who comes to a store later, from wherever
 * parcels leave; and from any place of ours where the policy brings before it buys (activities/store/bringing.ts asks for the transfers).
 */
import type { Demand } from '../../domain/routing/types.ts'
import { bringsFromElsewhere } from '../../domain/shortage.ts'
import { levels } from '../../store/ledger/operations.ts'
import type { ReserveLine, StockLevel } from '../../store/ledger/types.ts'
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
  const near = await placeNear(runtime, record, demand, own)
  if (near.missing.length === 0) return near
  // The newest word, as the sweep has it that rings who may go on.
  const { shortage } = await runtime.policy()
  return bringsFromElsewhere(shortage) ? await placeAnywhere(runtime, record, demand, own, near) : near
}

async function placeNear(runtime: Runtime, record: OrderRecord, demand: Demand[], own: string[] | null): Promise<Placing> {
  const placing = await place(runtime, record, demand, { locations: own })
  const [store] = own ?? []
  if (placing.missing.length === 0 || store === undefined || !canBeBrought(record)) return placing
  const there = await levels(runtime.pool, { ...claimantOf(record), orderId: record.id, skus: skusOf(demand), location: store })
  const left = new Map(there.map((level) => [level.sku, level.available]))
  const { taken, rest } = take(demand, left, store)
  const brought = await place(runtime, record, rest, { locations: null, isOut: (_sku, location) => location === store })
  if (brought.missing.length > 0) return { ...brought, lines: [] }
  return { ...brought, lines: [...taken, ...brought.lines] }
}

/**
 * The pieces that no place can serve, from the other places that have most of them.
 * @returns what is missing all the same, and then no lines.
 */
async function placeAnywhere(
  runtime: Runtime,
  record: OrderRecord,
  demand: Demand[],
  own: string[] | null,
  near: Placing,
): Promise<Placing> {
  const { rows: places } = await runtime.pool.query<{ id: string; ships: boolean }>(
    `select id, ships from locations where kind in ('warehouse', 'store')`,
  )
  const serving = new Set(
    places
      .filter(({ id, ships }) => (own === null || canBeBrought(record) ? ships : false) || own?.includes(id))
      .map(({ id }) => id),
  )
  const stock = await levels(runtime.pool, { ...claimantOf(record), orderId: record.id, skus: skusOf(demand) })
  const lacking = lackingOf(
    demand,
    stock.filter(({ location }) => serving.has(location)),
  )
  // There is enough where it may be served from, and the rules of routing do not allow it.
  if (lacking.size === 0) return near
  const others = stock
    .filter(({ location, available }) => available > 0 && !serving.has(location) && places.some(({ id }) => id === location))
    .sort((a, b) => b.available - a.available)
  const nowhere = near.missing.filter(({ sku }) => (lacking.get(sku) ?? 0) > sumOf(others.filter((level) => level.sku === sku)))
  if (nowhere.length > 0) return { ...near, lines: [], missing: nowhere }
  const { rest, brought } = bringOf(demand, lacking, others)
  const because = brought.map(({ sku, quantity, location }) => `${quantity} × ${sku} is brought from ${location}`).join(', ')
  const served = rest.length === 0 ? { ...near, missing: [], lines: [] } : await placeNear(runtime, record, rest, own)
  if (served.missing.length > 0) return near
  const decision = { ...served.decision, because: `${served.decision.because}; ${because}` }
  return { decision, missing: [], lines: [...served.lines, ...brought] }
}

const skusOf = (demand: Demand[]): string[] => [...new Set(demand.map(({ sku }) => sku))]

/** As much of each line as there is left at one place. */
function take(demand: Demand[], left: Map<string, number>, location: string): { taken: ReserveLine[]; rest: Demand[] } {
  const taken: ReserveLine[] = []
  const rest: Demand[] = []
  for (const line of demand) {
    const quantity = Math.min(line.quantity, left.get(line.sku) ?? 0)
    left.set(line.sku, (left.get(line.sku) ?? 0) - quantity)
    if (quantity > 0) taken.push({ ...line, quantity, location })
    if (quantity < line.quantity) rest.push({ ...line, quantity: line.quantity - quantity })
  }
  return { taken, rest }
}

/** By article: pieces of the demand that these levels do not cover. */
function lackingOf(demand: Demand[], served: readonly StockLevel[]): Map<string, number> {
  const lacking = new Map<string, number>()
  for (const { sku, quantity } of demand) lacking.set(sku, (lacking.get(sku) ?? 0) + quantity)
  for (const { sku, available } of served) lacking.set(sku, (lacking.get(sku) ?? 0) - available)
  return new Map([...lacking].filter(([, quantity]) => quantity > 0))
}

const sumOf = (found: readonly StockLevel[]): number => found.reduce((sum, { available }) => sum + available, 0)

function bringOf(
  demand: Demand[],
  lacking: ReadonlyMap<string, number>,
  others: readonly StockLevel[],
): { rest: Demand[]; brought: ReserveLine[] } {
  const left = new Map(lacking)
  const brought: ReserveLine[] = []
  let rest = demand
  for (const { sku, location, available } of others) {
    const quantity = Math.min(available, left.get(sku) ?? 0)
    left.set(sku, (left.get(sku) ?? 0) - quantity)
    const part = take(rest, new Map([[sku, quantity]]), location)
    brought.push(...part.taken)
    rest = part.rest
  }
  return { rest, brought }
}
