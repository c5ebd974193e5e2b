/** Routing: from where an order's goods leave, by which courier, and why. Shapes of the question, the rules and the answer. */
import { z } from 'zod'
import { OrderKind } from '../order.ts'

const positive = z.number().int().positive()
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 14:30')

/** Which orders a rule speaks of; what is absent is not asked. */
export const RuleCondition = z.strictObject({
  channel: z.array(z.string()).optional(),
  kind: z.array(OrderKind).optional(),
  method: z.array(z.enum(['home', 'cvs', 'storePickup', 'handOver'])).optional(),
  temperature: z.array(z.enum(['ambient', 'chilled', 'frozen'])).optional(),
  /** The first digits of the recipient's postal code. */
  postalPrefix: z.array(z.string().regex(/^\d{1,6}$/)).optional(),
  cod: z.boolean().optional(),
  /** Something in it breaks. */
  fragile: z.boolean().optional(),
  valueAtLeastMinor: z.number().int().nonnegative().optional(),
  valueBelowMinor: positive.optional(),
  weightAtLeastGrams: positive.optional(),
  priorityAtLeast: z.number().int().optional(),
})
export type RuleCondition = z.infer<typeof RuleCondition>

/**
 * By what plans are compared, the first that differs decides. `late`: units after the promised time; `units`: parcels; `days`: the last
 * arrival; `cost`: freight; `distance`: kilometres; `preferred`: units elsewhere than a rule prefers; `priority`: the locations' own order.
 */
export const Criterion = z.enum(['late', 'units', 'days', 'cost', 'distance', 'preferred', 'priority'])
export type Criterion = z.infer<typeof Criterion>
export const DEFAULT_RANK: readonly Criterion[] = ['preferred', 'late', 'units', 'priority', 'cost', 'distance']

const base = { name: z.string().min(1), when: RuleCondition.default({}) }
const places = z.array(z.string()).min(1)
/** In the order in which they are written; of rules that say the same thing of an order the first wins, `only` and `never` add up. */
export const RoutingRule = z.discriminatedUnion('effect', [
  z.strictObject({ ...base, effect: z.literal('only'), locations: places }),
  z.strictObject({ ...base, effect: z.literal('never'), locations: places }),
  z.strictObject({ ...base, effect: z.literal('prefer'), locations: places }),
  z.strictObject({ ...base, effect: z.literal('rank'), by: z.array(Criterion).min(1) }),
  z.strictObject({ ...base, effect: z.literal('split'), maxUnits: z.number().int().min(1).max(5) }),
  z.strictObject({ ...base, effect: z.literal('courier'), by: z.enum(['cost', 'time']) }),
])
export type RoutingRule = z.infer<typeof RoutingRule>

/** One row of a courier's price list: what a parcel of up to so many grams to these postal codes costs, and how long it takes. */
export const Tariff = z.strictObject({
  courier: z.string(),
  service: z.string(),
  method: z.enum(['home', 'cvs']),
  temperature: z.enum(['ambient', 'chilled', 'frozen']).default('ambient'),
  /** Absent: everywhere. The longest prefix that fits is taken. */
  postalPrefix: z.array(z.string().regex(/^\d{1,6}$/)).optional(),
  upToGrams: positive.optional(),
  /** False: not for goods that break. */
  fragile: z.boolean().default(true),
  priceMinor: z.number().int().nonnegative(),
  /** Days from the hand-over to the recipient. */
  days: z.number().int().nonnegative(),
})
export type Tariff = z.infer<typeof Tariff>

/** What a location adds to its configuration for routing. */
export const RoutingPlace = z.strictObject({
  postalCode: z.string().nullable().default(null),
  /** Local time: what is routed later leaves on the next open day. */
  cutOff: clock.nullable().default(null),
  /** ISO weekdays on which parcels leave, Monday is 1. */
  openDays: z.array(z.number().int().min(1).max(7)).min(1).default([1, 2, 3, 4, 5, 6, 7]),
  /** Units a day; absent: no limit. */
  dailyCapacity: positive.nullable().default(null),
  closed: z.boolean().default(false),
  /** Couriers it can hand parcels to, besides the configured one of each way of delivery. */
  couriers: z.array(z.string()).default([]),
})
export type RoutingPlace = z.infer<typeof RoutingPlace>

export const Routing = z.strictObject({
  rules: z.array(RoutingRule).default([]),
  tariffs: z.array(Tariff).default([]),
  /** By location id. */
  places: z.record(z.string(), RoutingPlace).default({}),
  /** Parcels an order may become when no rule says otherwise. */
  maxUnits: z.number().int().min(1).max(5).default(5),
})
export type Routing = z.infer<typeof Routing>

export interface Demand {
  lineId: string
  sku: string
  quantity: number
}
export interface RoutedOrder {
  channel: string
  kind: OrderKind
  method: 'home' | 'cvs' | 'storePickup' | 'handOver'
  priority: number
  postalCode: string | null
  /** ISO 8601 with offset. */
  promisedBy: string | null
  cod: boolean
  valueMinor: number
  /** Null: a product's weight is not known. */
  weightGrams: number | null
  temperature: 'ambient' | 'chilled' | 'frozen'
  /** Something in it breaks. */
  fragile: boolean
  demand: Demand[]
}
/** What the goods ask of a courier. */
export type Goods = Pick<RoutedOrder, 'weightGrams' | 'temperature' | 'fragile'>
export interface Place extends RoutingPlace {
  id: string
  zone: string
  /** Lower ships first. */
  priority: number
  /** The couriers it can hand parcels of this order's way of delivery to. */
  couriers: string[]
  /** Units already routed there for the day on which a unit of now would leave. */
  unitsToday: number
}
export interface RoutingQuestion {
  /** ISO 8601, UTC. */
  now: string
  order: RoutedOrder
  places: Place[]
  /** Pieces of the SKU that can be had at the location now. */
  available(sku: string, location: string): number
  routing: Routing
}

export interface CourierChoice {
  courier: string
  service: string | null
  /** Null: no tariff fits. */
  priceMinor: number | null
  days: number | null
}
/** What was known of a location when it was judged. */
export interface Candidate {
  location: string
  /** Why it was left out; null when it could be taken. */
  leftOut: string | null
  stock: { sku: string; wanted: number; available: number }[]
  distanceKm: number | null
  courier: CourierChoice | null
  /** Local date on which a unit would leave, and arrive; null when not known. */
  leavesOn: string | null
  arrivesOn: string | null
  keepsPromise: boolean | null
}
export interface Plan {
  units: { location: string; courier: CourierChoice | null; lines: Demand[] }[]
  score: Record<Criterion, number>
}
export interface RoutingDecision {
  /** The chosen one; null when the goods are not there. */
  plan: Plan | null
  missing: (Demand & { available: number })[]
  candidates: Candidate[]
  /** The rules that spoke of this order, with what each did. */
  rules: { name: string; did: string }[]
  rank: readonly Criterion[]
  /** The runners-up, best first, at most three. */
  others: Plan[]
  /** In a sentence a person can read. */
  because: string
}
