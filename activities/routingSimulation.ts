/** What other rules would do to orders that are already routed: decided anew with the stock that was known then. */
import { OmnisagaError } from '../domain/errors.ts'
import { decide } from '../domain/routing/decide.ts'
import type { Demand, Routing, RoutingDecision } from '../domain/routing/types.ts'
import { levels } from '../store/ledger/operations.ts'
import { readOrder, type OrderRecord } from '../store/orderRecord.ts'
import { missingInRouting } from '../store/references.ts'
import { findOrderId } from '../store/orders.ts'
import { decisionsOf, type KeptDecision } from '../store/routingDecisions.ts'
import { claimantOf, goodsOf, placesFor, routedOrder, routingFor } from './order/place.ts'
import { ownLocation } from './order/reserve.ts'
import type { Runtime } from './runtime.ts'

export interface Simulated {
  orderId: string
  externalId: string
  /** The locations then, and under the new rules; empty when the goods would not be placed. */
  was: string[]
  would: string[]
  changed: boolean
  because: string
  freightBeforeMinor: number | null
  freightAfterMinor: number | null
  keepsPromise: boolean | null
  /** Whether stock is judged as it was known then; false: the order was never placed, so as it is now. */
  asKnownThen: boolean
}
export interface Simulation {
  orders: Simulated[]
  /** As they were given: no order answers to them. */
  unknown: string[]
}

/** @throws Invalid when the rules name a location or a courier that is not there: such a rule would do nothing, without a word. */
export async function simulateRouting(runtime: Runtime, given: string[], routing: Routing): Promise<Simulation> {
  const [wrong, ...more] = await missingInRouting(runtime.pool, routing, runtime.connectors)
  if (wrong !== undefined)
    throw new OmnisagaError(
      'Invalid',
      [wrong, ...more].map(({ path, value, message }) => `${path} ${value}: ${message}`).join('; '),
      { code: 'references', remedy: wrong.remedy },
    )
  const orders: Simulated[] = []
  const unknown: string[] = []
  for (const each of given) {
    const id = await findOrderId(runtime.pool, each)
    if (id === null) unknown.push(each)
    else orders.push(await simulateOne(runtime, await readOrder(runtime.pool, id), routing))
  }
  return { orders, unknown }
}

async function simulateOne(runtime: Runtime, record: OrderRecord, routing: Routing): Promise<Simulated> {
  const kept = (await decisionsOf(runtime.pool, record.id)).find(
    (each) => each.stage === 'reserve' && each.decision.plan !== null,
  )
  const demand = record.lines.flatMap(({ lineId, sku, ordered }) => (sku === null ? [] : [{ lineId, sku, quantity: ordered }]))
  const before = kept?.decision ?? (await ask(runtime, record, demand, await routingFor(runtime, record), undefined))
  const after = await ask(runtime, record, demand, routing, kept)
  const was = locationsOf(before)
  const would = locationsOf(after)
  const unitsThen = new Set(would)
  const promises = after.candidates.filter((each) => unitsThen.has(each.location)).map((each) => each.keepsPromise)
  return {
    orderId: record.id,
    externalId: record.doc.externalId,
    was,
    would,
    changed: was.join() !== would.join(),
    because: after.because,
    freightBeforeMinor: freightOf(before),
    freightAfterMinor: freightOf(after),
    keepsPromise: promises.includes(false) ? false : promises.length === 0 || promises.includes(null) ? null : true,
    asKnownThen: kept !== undefined,
  }
}

const locationsOf = ({ plan }: RoutingDecision): string[] => (plan?.units ?? []).map((unit) => unit.location).sort()

/** Null when any of the parcels has no price. */
function freightOf({ plan }: RoutingDecision): number | null {
  const prices = (plan?.units ?? []).map((unit) => unit.courier?.priceMinor ?? null)
  return prices.length === 0 || prices.includes(null) ? null : prices.reduce<number>((sum, price) => sum + (price ?? 0), 0)
}

async function ask(
  runtime: Runtime,
  record: OrderRecord,
  demand: Demand[],
  routing: Routing,
  kept: KeptDecision | undefined,
): Promise<RoutingDecision> {
  const known = new Map<string, number>()
  if (kept)
    for (const { location, stock } of kept.decision.candidates)
      for (const { sku, available } of stock) known.set(`${sku}\u0000${location}`, available)
  else
    for (const level of await levels(runtime.pool, { ...claimantOf(record), skus: demand.map((line) => line.sku) }))
      known.set(`${level.sku}\u0000${level.location}`, level.available)
  return decide({
    now: kept?.at ?? new Date().toISOString(),
    order: { ...routedOrder(record), ...(await goodsOf(runtime.pool, routing, demand)), demand },
    places: await placesFor(runtime.pool, record.doc.delivery.method, routing, ownLocation(record)),
    available: (sku, location) => known.get(`${sku}\u0000${location}`) ?? 0,
    routing,
  })
}
