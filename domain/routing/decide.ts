/**
 * From where an order's goods leave. Every set of locations that has the goods is a plan; plans are compared by the criteria in their
 * order, and the decision keeps what it knew: candidates, numbers, rules. Pure.
 */
import { addDays, localTime } from '../localTime.ts'
import { distanceKm } from './distance.ts'
import { leavesOn } from './time.ts'
import {
  DEFAULT_RANK,
  type Candidate,
  type CourierChoice,
  type Criterion,
  type Demand,
  type Goods,
  type Place,
  type Plan,
  type RoutedOrder,
  type RoutingDecision,
  type RoutingQuestion,
  type RoutingRule,
  type RuleCondition,
  type Tariff,
} from './types.ts'

/** Sets of several locations are looked for among so many, the best of them singly. */
const SPLIT_AMONG = 10
/** Stands for what is not known: worse than anything known, so that a known answer wins. */
const UNKNOWN = 1e12

const includes = <T>(list: readonly T[] | undefined, value: T) => list === undefined || list.includes(value)
const startsWithOne = (prefixes: readonly string[], text: string | null) =>
  text !== null && prefixes.some((prefix) => text.startsWith(prefix))

export function applies(when: RuleCondition, order: RoutedOrder): boolean {
  return (
    includes(when.channel, order.channel) &&
    includes(when.kind, order.kind) &&
    includes(when.method, order.method) &&
    includes(when.temperature, order.temperature) &&
    (when.postalPrefix === undefined || startsWithOne(when.postalPrefix, order.postalCode)) &&
    (when.cod === undefined || when.cod === order.cod) &&
    (when.fragile === undefined || when.fragile === order.fragile) &&
    (when.valueAtLeastMinor === undefined || order.valueMinor >= when.valueAtLeastMinor) &&
    (when.valueBelowMinor === undefined || order.valueMinor < when.valueBelowMinor) &&
    (when.weightAtLeastGrams === undefined || (order.weightGrams ?? 0) >= when.weightAtLeastGrams) &&
    (when.priorityAtLeast === undefined || order.priority >= when.priorityAtLeast)
  )
}

type Of<E extends RoutingRule['effect']> = Extract<RoutingRule, { effect: E }>

export function decide(question: RoutingQuestion): RoutingDecision {
  const { order, routing, available } = question
  const spoke = routing.rules.filter((rule) => applies(rule.when, order))
  const first = <E extends RoutingRule['effect']>(effect: E) => spoke.find((rule): rule is Of<E> => rule.effect === effect)
  const rank = first('rank')?.by ?? DEFAULT_RANK
  const preferred = new Set(first('prefer')?.locations ?? [])
  const wanted = bySku(order.demand)
  const judged = question.places.map((place) => ({ place, candidate: judge(question, place, spoke, wanted) }))
  const usable = judged.filter(({ candidate }) => candidate.leftOut === null)

  const missing = order.demand.flatMap((line) => {
    const total = usable.reduce((sum, { place }) => sum + Math.max(0, available(line.sku, place.id)), 0)
    return total < (wanted.get(line.sku) ?? 0) ? [{ ...line, available: total }] : []
  })
  const plans = missing.length > 0 ? [] : plansOf(question, usable, first('split')?.maxUnits ?? routing.maxUnits, preferred, rank)
  const [plan = null, ...others] = plans
  return {
    plan,
    missing,
    candidates: judged.map(({ candidate }) => candidate),
    rules: spoke.map((rule) => ({ name: rule.name, did: effectOf(rule) })),
    rank,
    others: others.slice(0, 3),
    because: reasonOf(plan, others[0] ?? null, rank, missing, usable.length, whereElse(question)),
  }
}

function bySku(demand: Demand[]): Map<string, number> {
  const wanted = new Map<string, number>()
  for (const line of demand) wanted.set(line.sku, (wanted.get(line.sku) ?? 0) + line.quantity)
  return wanted
}

function judge(
  { order, routing, available, now }: RoutingQuestion,
  place: Place,
  spoke: RoutingRule[],
  wanted: Map<string, number>,
): Candidate {
  const byCourier = order.method === 'home' || order.method === 'cvs'
  const courier = byCourier ? chooseCourier(order, place, routing.tariffs, courierRule(spoke, order)) : null
  const leaves = leavesOn(place, now)
  const arrivesOn = !byCourier ? leaves : courier?.days == null ? null : addDays(leaves, courier.days)
  const promised = order.promisedBy === null ? null : localTime(order.promisedBy, place.zone).date
  const stock = [...wanted].map(([sku, quantity]) => ({ sku, wanted: quantity, available: available(sku, place.id) }))
  const barred = spoke.find(
    (rule) =>
      (rule.effect === 'only' && !rule.locations.includes(place.id)) ||
      (rule.effect === 'never' && rule.locations.includes(place.id)),
  )
  const leftOut = place.closed
    ? 'it is closed'
    : barred
      ? `rule ${barred.name}`
      : stock.every((row) => row.available <= 0)
        ? 'it has none of the goods'
        : null
  return {
    location: place.id,
    leftOut,
    stock,
    distanceKm: distanceKm(place.postalCode, order.postalCode),
    courier,
    leavesOn: leaves,
    arrivesOn,
    keepsPromise: promised === null || arrivesOn === null ? null : arrivesOn <= promised,
  }
}

/** Whether the cheapest or the quickest is wanted; the cheapest when no rule says. */
export const courierRule = (rules: readonly RoutingRule[], order: RoutedOrder): 'cost' | 'time' =>
  rules.find((rule): rule is Of<'courier'> => rule.effect === 'courier' && applies(rule.when, order))?.by ?? 'cost'

/**
 * The tariff rows that fit, the most exact of each courier's service, then the cheapest or the quickest. Unpriced couriers come last.
 * @returns null when there is none, or none that takes what breaks.
 */
export function chooseCourier(
  order: Pick<RoutedOrder, 'method' | 'postalCode' | keyof Goods>,
  place: Pick<Place, 'couriers'>,
  tariffs: readonly Tariff[],
  by: 'cost' | 'time',
): CourierChoice | null {
  const exactness = (row: Tariff) =>
    Math.max(
      0,
      ...(row.postalPrefix ?? []).filter((prefix) => order.postalCode?.startsWith(prefix)).map((prefix) => prefix.length),
    )
  const fitting = tariffs.filter(
    (row) =>
      place.couriers.includes(row.courier) &&
      row.method === order.method &&
      row.temperature === order.temperature &&
      (row.fragile || !order.fragile) &&
      (row.postalPrefix === undefined || startsWithOne(row.postalPrefix, order.postalCode)) &&
      (row.upToGrams === undefined || (order.weightGrams ?? 0) <= row.upToGrams),
  )
  const best = new Map<string, Tariff>()
  for (const row of fitting) {
    const key = `${row.courier}\u0000${row.service}`
    const known = best.get(key)
    const isBetter =
      known === undefined ||
      exactness(row) > exactness(known) ||
      (exactness(row) === exactness(known) && row.priceMinor < known.priceMinor)
    if (isBetter) best.set(key, row)
  }
  const [choice] = [...best.values()].sort((a, b) =>
    by === 'cost' ? a.priceMinor - b.priceMinor || a.days - b.days : a.days - b.days || a.priceMinor - b.priceMinor,
  )
  if (choice) return { courier: choice.courier, service: choice.service, priceMinor: choice.priceMinor, days: choice.days }
  const [unpriced] = place.couriers.filter((courier) => !order.fragile || !refusesFragile(courier, order.method, tariffs))
  return unpriced === undefined ? null : { courier: unpriced, service: null, priceMinor: null, days: null }
}

const refusesFragile = (courier: string, method: RoutedOrder['method'], tariffs: readonly Tariff[]): boolean =>
  tariffs.some((row) => row.courier === courier && row.method === method && !row.fragile)

interface Judged {
  place: Place
  candidate: Candidate
}

function plansOf(
  question: RoutingQuestion,
  usable: Judged[],
  maxUnits: number,
  preferred: Set<string>,
  rank: readonly Criterion[],
): Plan[] {
  const scored = (chosen: Judged[]) => planOf(question, chosen, preferred)
  const compare = (a: Plan, b: Plan) => {
    for (const criterion of rank) if (a.score[criterion] !== b.score[criterion]) return a.score[criterion] - b.score[criterion]
    return a.units.map((unit) => unit.location).join() < b.units.map((unit) => unit.location).join() ? -1 : 1
  }
  // The best of them singly come first: a set takes its pieces from its first location as far as they go.
  const byWorth = usable
    .map((each) => ({ each, score: scoreOf([each], question.order, preferred, [each.place.id]) }))
    .sort(
      (a, b) =>
        compare({ units: [], score: a.score }, { units: [], score: b.score }) || a.each.place.priority - b.each.place.priority,
    )
    .map(({ each }) => each)
  const plans = byWorth.flatMap((each) => scored([each]) ?? [])
  for (let size = 2; size <= maxUnits; size++) {
    for (const set of setsOf(byWorth.slice(0, SPLIT_AMONG), size)) {
      const plan = scored(set)
      // A set of which one gives nothing is a smaller set.
      if (plan !== null && plan.units.length === size) plans.push(plan)
    }
  }
  return plans.sort(compare)
}

function* setsOf<T>(items: T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) return yield []
  for (let index = from; index <= items.length - size; index++)
    for (const rest of setsOf(items, size - 1, index + 1)) yield [items[index] as T, ...rest]
}

/** Takes each line whole where that goes, else from one location after another. Null: the set has not enough. */
function planOf({ order, available }: RoutingQuestion, chosen: Judged[], preferred: Set<string>): Plan | null {
  const left = new Map<string, number>()
  const at = (sku: string, { place }: Judged) => left.get(`${sku}\u0000${place.id}`) ?? Math.max(0, available(sku, place.id))
  const lines = new Map<string, Demand[]>()
  for (const line of order.demand) {
    const whole = chosen.find((each) => at(line.sku, each) >= line.quantity)
    let wanted = line.quantity
    for (const each of whole ? [whole] : chosen) {
      const quantity = Math.min(wanted, at(line.sku, each))
      if (quantity <= 0) continue
      left.set(`${line.sku}\u0000${each.place.id}`, at(line.sku, each) - quantity)
      lines.set(each.place.id, [...(lines.get(each.place.id) ?? []), { ...line, quantity }])
      wanted -= quantity
    }
    if (wanted > 0) return null
  }
  const used = chosen.filter(({ place }) => lines.has(place.id))
  return {
    units: used.map(({ place, candidate }) => ({
      location: place.id,
      courier: candidate.courier,
      lines: lines.get(place.id) ?? [],
    })),
    score: scoreOf(
      used,
      order,
      preferred,
      used.map(({ place }) => place.id),
    ),
  }
}

function scoreOf(used: Judged[], order: RoutedOrder, preferred: Set<string>, locations: string[]): Record<Criterion, number> {
  const sum = (of: (each: Judged) => number | null) => used.reduce((total, each) => total + (of(each) ?? UNKNOWN), 0)
  const needsFreight = order.method === 'home' || order.method === 'cvs'
  return {
    late: used.filter(({ candidate }) => candidate.keepsPromise === false).length,
    units: used.length,
    days: Math.max(0, ...used.map(({ candidate }) => (candidate.arrivesOn === null ? UNKNOWN : sinceEpoch(candidate.arrivesOn)))),
    cost: needsFreight ? sum(({ candidate }) => candidate.courier?.priceMinor ?? null) : 0,
    distance: sum(({ candidate }) => candidate.distanceKm),
    preferred: preferred.size === 0 ? 0 : locations.filter((location) => !preferred.has(location)).length,
    priority: sum(({ place }) => place.priority),
  }
}

const sinceEpoch = (date: string) => Date.parse(date) / 86_400_000

function effectOf(rule: RoutingRule): string {
  switch (rule.effect) {
    case 'only':
      return `only ${rule.locations.join(', ')}`
    case 'never':
      return `never ${rule.locations.join(', ')}`
    case 'prefer':
      return `prefers ${rule.locations.join(', ')}`
    case 'rank':
      return `compares by ${rule.by.join(', ')}`
    case 'split':
      return rule.maxUnits === 1 ? 'in one parcel only' : `in at most ${rule.maxUnits} parcels`
    case 'courier':
      return rule.by === 'cost' ? 'the cheapest courier' : 'the quickest courier'
  }
}

const WORDS: Record<Criterion, string> = {
  late: 'keeps the promise',
  units: 'needs fewer parcels',
  days: 'arrives sooner',
  cost: 'costs less freight',
  distance: 'lies nearer',
  preferred: 'lies more to the wish of a rule',
  priority: 'comes earlier in the order of locations',
}

/** Why there was no second plan. */
function whereElse({ order, places }: RoutingQuestion): string {
  if (places.length > 1) return 'no other way has everything'
  if (order.kind === 'tryOn' || order.method === 'storePickup' || order.method === 'handOver')
    return 'the order is for this store'
  return 'it is the only location that ships'
}

function reasonOf(
  plan: Plan | null,
  next: Plan | null,
  rank: readonly Criterion[],
  missing: RoutingDecision['missing'],
  usable: number,
  whereElse: string,
): string {
  if (plan === null)
    return missing.length > 0
      ? `not enough of ${missing.map((line) => `${line.sku} (${line.available} of ${line.quantity})`).join(', ')}`
      : usable === 0
        ? 'no location may or can send it'
        : 'no allowed set of locations has everything'
  const from = plan.units.map((unit) => unit.location).join(' and ')
  if (next === null) return `${from}: ${whereElse}`
  const decided = rank.find((criterion) => plan.score[criterion] !== next.score[criterion])
  const than = next.units.map((unit) => unit.location).join(' and ')
  return decided ? `${from} ${WORDS[decided]} than ${than}` : `${from}, as good as ${than}`
}
