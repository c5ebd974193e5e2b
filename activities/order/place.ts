/** Where an order's goods are to be held: the pure routing decision, with what the database knows for it. */
import { decide } from '../../domain/routing/decide.ts'
import { localTime } from '../../domain/localTime.ts'
import {
  RoutingPlace,
  type Demand,
  type Goods,
  type Place,
  type RoutedOrder,
  type Routing,
  type RoutingDecision,
} from '../../domain/routing/types.ts'
import type { Queryable } from '../../store/db.ts'
import { levels } from '../../store/ledger/operations.ts'
import type { ReserveLine } from '../../store/ledger/types.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import type { Runtime } from '../runtime.ts'

export interface Placing {
  decision: RoutingDecision
  /** What to hold, empty when something is missing. */
  lines: ReserveLine[]
  missing: RoutingDecision['missing']
}

/** Whose allotments the order may hold from. */
export const claimantOf = (record: OrderRecord): { channel: string; campaign: string | null } => ({
  channel: record.doc.channel,
  campaign: record.doc.campaign ?? null,
})

/**
 * @param options.locations only these, also when they do not ship (a store's own order); null: every one that ships.
 * @param options.isOut shelves that were found empty.
 */
export async function place(
  runtime: Runtime,
  record: OrderRecord,
  demand: Demand[],
  options: { locations?: string[] | null; isOut?: (sku: string, location: string) => boolean } = {},
): Promise<Placing> {
  const routing = await routingFor(runtime, record)
  const skus = [...new Set(demand.map((line) => line.sku))]
  const [places, stock, goods] = await Promise.all([
    placesFor(runtime.pool, record.doc.delivery.method, routing, options.locations ?? null),
    levels(runtime.pool, { ...claimantOf(record), orderId: record.id, skus }),
    goodsOf(runtime.pool, routing, demand),
  ])
  const left = new Map(stock.map((level) => [`${level.sku}\u0000${level.location}`, level.available]))
  const isOut = options.isOut ?? (() => false)
  const decision = decide({
    now: new Date().toISOString(),
    order: { ...routedOrder(record), ...goods, demand },
    places,
    available: (sku, location) => (isOut(sku, location) ? 0 : (left.get(`${sku}\u0000${location}`) ?? 0)),
    routing,
  })
  const missing =
    decision.plan === null && decision.missing.length === 0
      ? demand.map((line) => ({ ...line, available: 0 })) // there, but not where the rules allow
      : decision.missing
  return {
    decision,
    missing,
    lines: (decision.plan?.units ?? []).flatMap(({ location, lines }) => lines.map((line) => ({ ...line, location }))),
  }
}

/** The rules and prices that the order began with, and the places as they are now: a closed one is closed for everybody. */
export async function routingFor(runtime: Runtime, record: OrderRecord): Promise<Routing> {
  const [began, now] = await Promise.all([runtime.policy(record.settingsVersion), runtime.policy()])
  return { ...began.routing, places: now.routing.places }
}

/** What routing asks of an order, less its goods. */
export function routedOrder(record: Pick<OrderRecord, 'doc'>): Omit<RoutedOrder, 'demand' | keyof Goods> {
  const { channel, kind, delivery, priority, recipient, payment, totals } = record.doc
  return {
    channel,
    kind,
    method: delivery.method,
    priority,
    postalCode: recipient.address?.postalCode ?? null,
    promisedBy: kind === 'tryOn' ? null : delivery.promisedBy,
    cod: payment.method === 'cod',
    valueMinor: totals.totalMinor ?? totals.itemsMinor ?? 0,
  }
}

/** What the goods are like matters to tariffs and rules alone: where there are none, nobody asks. */
export async function goodsOf(db: Queryable, routing: Routing, demand: Demand[]): Promise<Goods> {
  if (routing.tariffs.length === 0 && routing.rules.length === 0)
    return { weightGrams: null, temperature: 'ambient', fragile: false }
  const { rows } = await db.query<{ sku: string; grams: number | null; temperature: Goods['temperature']; fragile: boolean }>({
    name: 'goods-of',
    text: 'select sku, weight_grams as grams, temperature, fragile from products where sku = any($1)',
    values: [demand.map((line) => line.sku)],
  })
  const grams = demand.map((line) => {
    const each = rows.find((row) => row.sku === line.sku)?.grams ?? null
    return each === null ? null : each * line.quantity
  })
  const coldest = (['frozen', 'chilled'] as const).find((wanted) => rows.some((row) => row.temperature === wanted))
  return {
    weightGrams: grams.includes(null) ? null : grams.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    temperature: coldest ?? 'ambient',
    fragile: rows.some((row) => row.fragile),
  }
}

interface LocationRow {
  id: string
  zone: string
  priority: number
  courier: string | null
  postalCode: string | null
}

/** @param only null: every location that ships. */
export async function placesFor(
  db: Queryable,
  method: RoutedOrder['method'],
  routing: Routing,
  only: string[] | null,
): Promise<Place[]> {
  const courier = method === 'cvs' ? 'courier_cvs' : 'courier_home'
  const { rows } = await db.query<LocationRow>({
    name: `places-${courier}`,
    text: `select id, zone, priority, ${courier} as courier, sender->>'postalCode' as "postalCode" from locations
           where case when $1::text[] is null then ships else id = any($1) end order by priority, id`,
    values: [only],
  })
  const limited = rows.filter((row) => routing.places[row.id]?.dailyCapacity)
  const loads = limited.length === 0 ? new Map<string, number>() : await loadsOf(db, limited)
  return rows.map((row) => placeOf(row, routing, loads.get(row.id) ?? 0))
}

function placeOf(row: LocationRow, routing: Routing, unitsToday: number): Place {
  const more = routing.places[row.id] ?? RoutingPlace.parse({})
  const couriers = [...new Set([row.courier, ...more.couriers].flatMap((name) => name ?? []))]
  return {
    ...more,
    id: row.id,
    zone: row.zone,
    priority: row.priority,
    postalCode: more.postalCode ?? (row.postalCode || null),
    couriers,
    unitsToday,
  }
}

/** Units made today, by each location's own calendar, that were not struck off. */
async function loadsOf(db: Queryable, places: LocationRow[]): Promise<Map<string, number>> {
  const now = new Date().toISOString()
  const { rows } = await db.query<{ location: string; units: number }>(
    `select u.location, count(*)::int as units from units u
     join jsonb_to_recordset($1::jsonb) as p(id text, zone text, day date) on p.id = u.location
     where u.state <> 'cancelled' and (u.made_at at time zone p.zone)::date = p.day group by u.location`,
    [JSON.stringify(places.map(({ id, zone }) => ({ id, zone, day: localTime(now, zone).date })))],
  )
  return new Map(rows.map((row) => [row.location, row.units]))
}
