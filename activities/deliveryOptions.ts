/** The ways in which a basket can really be delivered: each is routed as an order would be, now. */
import { decide } from '../domain/routing/decide.ts'
import { addDays, localTime } from '../domain/localTime.ts'
import type { Demand, Goods, RoutedOrder, Routing } from '../domain/routing/types.ts'
import { levels } from '../store/ledger/operations.ts'
import { goodsOf, placesFor } from './order/place.ts'
import type { Runtime } from './runtime.ts'
import { heldPieces } from './store/bringing.ts'

export interface Basket {
  channel: string
  postalCode: string | null
  lines: { sku: string; quantity: number }[]
  cod: boolean
  valueMinor: number
  /** Of an order that is there already: what it holds can be delivered too. */
  heldBy?: string
}
export interface DeliveryOption {
  option: 'sameDay' | 'nextDay' | 'home' | 'cvs' | 'storePickup'
  /** Of storePickup: the store. */
  location: string | null
  from: string[]
  courier: string | null
  service: string | null
  /** What the courier asks, all parcels together; null: no tariff. */
  freightMinor: number | null
  /** Local date at which it is there; null: not known. */
  arrivesOn: string | null
}

export interface Offer {
  /** Best first; an option that cannot be kept is not there. */
  options: DeliveryOption[]
  /** Why nothing can be delivered; null when something can. */
  because: string | null
}

export const deliveryOptions = async (runtime: Runtime, basket: Basket): Promise<DeliveryOption[]> =>
  (await deliveryOffer(runtime, basket)).options

export async function deliveryOffer(runtime: Runtime, basket: Basket): Promise<Offer> {
  const { routing } = await runtime.policy()
  const demand = basket.lines.map((line, index) => ({ lineId: String(index + 1), ...line }))
  const goods = await goodsOf(runtime.pool, routing, demand)
  const stock = await levels(runtime.pool, { channel: basket.channel, campaign: null, skus: demand.map((line) => line.sku) })
  const left = new Map(stock.map((level) => [`${level.sku}\u0000${level.location}`, level.available]))
  for (const { sku, location, quantity } of basket.heldBy === undefined ? [] : await heldPieces(runtime.pool, basket.heldBy))
    left.set(`${sku}\u0000${location}`, (left.get(`${sku}\u0000${location}`) ?? 0) + quantity)
  const ask = async (method: RoutedOrder['method'], only: string[] | null, wanted: Routing) => {
    const places = await placesFor(runtime.pool, method, wanted, only)
    const now = new Date().toISOString()
    const decision = decide({
      now,
      order: { ...orderOf(basket, method), ...goods, demand },
      places,
      available: (sku, location) => left.get(`${sku}\u0000${location}`) ?? 0,
      routing: wanted,
    })
    return { decision, today: localTime(now, places[0]?.zone ?? 'UTC').date }
  }
  const options: DeliveryOption[] = []
  let because = ''
  for (const by of ['time', 'cost'] as const) {
    const { decision, today } = await ask('home', null, quickest(routing, by))
    const option = optionOf('home', decision)
    because = decision.plan === null ? decision.because : `${decision.because}, but no courier can be booked there`
    if (option === null) continue
    if (by === 'cost') options.push(option)
    else if (option.arrivesOn !== null && option.arrivesOn <= today) options.push({ ...option, option: 'sameDay' })
    else if (option.arrivesOn === addDays(today, 1)) options.push({ ...option, option: 'nextDay' })
  }
  const cvs = optionOf('cvs', (await ask('cvs', null, routing)).decision)
  if (cvs?.courier) options.push(cvs)
  for (const store of await storesWith(runtime, demand, left)) {
    const pickup = optionOf('storePickup', (await ask('storePickup', [store], routing)).decision)
    if (pickup) options.push({ ...pickup, location: store })
  }
  return { options, because: options.length > 0 ? null : because }
}

const orderOf = (basket: Basket, method: RoutedOrder['method']): Omit<RoutedOrder, 'demand' | keyof Goods> => ({
  channel: basket.channel,
  kind: 'online',
  method,
  priority: 0,
  postalCode: basket.postalCode,
  promisedBy: null,
  cod: basket.cod,
  valueMinor: basket.valueMinor,
})

/** The retailer's own rules first; what they leave open is decided by this wish. */
const quickest = (routing: Routing, by: 'time' | 'cost'): Routing =>
  by === 'cost'
    ? routing
    : {
        ...routing,
        rules: [
          { name: 'as soon as possible', when: {}, effect: 'courier', by: 'time' },
          { name: 'as soon as possible', when: {}, effect: 'rank', by: ['days', 'units', 'cost', 'priority'] },
          ...routing.rules.filter((rule) => rule.effect !== 'courier' && rule.effect !== 'rank'),
        ],
      }

function optionOf(option: DeliveryOption['option'], decision: ReturnType<typeof decide>): DeliveryOption | null {
  if (decision.plan === null) return null
  const { units } = decision.plan
  const used = decision.candidates.filter((each) => units.some((unit) => unit.location === each.location))
  // Without a courier at one of the places nothing can be promised.
  if (option !== 'storePickup' && units.some((unit) => unit.courier === null)) return null
  const prices = units.map((unit) => unit.courier?.priceMinor ?? null)
  const days = used.map((each) => each.arrivesOn)
  return {
    option,
    location: null,
    from: units.map((unit) => unit.location),
    courier: units[0]?.courier?.courier ?? null,
    service: units[0]?.courier?.service ?? null,
    freightMinor:
      option === 'storePickup' ? 0 : prices.includes(null) ? null : prices.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    arrivesOn: days.includes(null)
      ? null
      : (days
          .map((day) => day ?? '')
          .sort()
          .at(-1) ?? null),
  }
}

/** Stores that have all of it themselves. */
async function storesWith(runtime: Runtime, demand: Demand[], left: Map<string, number>): Promise<string[]> {
  const { rows } = await runtime.pool.query<{ id: string }>(`select id from locations where kind = 'store' order by priority, id`)
  return rows
    .map((row) => row.id)
    .filter((id) => demand.every((line) => (left.get(`${line.sku}\u0000${id}`) ?? 0) >= line.quantity))
}
