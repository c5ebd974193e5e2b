/** Where an order waits, since when, and what can be done: read from its facts, told in one sentence. */
import { ACTIONS } from '../../domain/actions.ts'
import type { Phase } from '../../domain/order.ts'
import type { Verb } from '../../store/commands.ts'
import type { OrderDetail } from '../../store/orders.ts'
import { localTime } from './text.ts'

export interface UnitLine {
  id: string
  location: string
  state: string
  handedOverAt: string | null
  packedAt: string | null
  /** Numbers of other orders in the same box. */
  sharesBoxWith: string[] | null
}
export interface ParcelLine {
  id: string
  unitId: string
  courier: string
  service: string
  state: string
  waybill: string | null
  /** The parcel of another order in whose box it goes along. */
  ridesIn: string | null
  refusal: string | null
  /** The value that its courier insures; null: none. */
  insuredMinor: number | null
  amountDueMinor: number
  /** Cash that the courier paid out; null: nothing yet. */
  collectedMinor: number | null
  feeMinor: number | null
  remittedOn: string | null
  lastStatus: string | null
  lastNewsAt: string | null
  events: { code: string; meaning: string; detail: string | null; at: string }[]
}
export interface TaskLine {
  id: number
  kind: string
  title: string
  remedy: string
  actions: string[]
  openedAt: string
}
export interface CommandLine {
  id: string
  verb: string
  who: string
  state: string
  answer: string | null
  at: string
}

export interface Waiting {
  where: string
  since: string
}

const unitsOf = (order: OrderDetail) => order.units as UnitLine[]
const parcelsOf = (order: OrderDetail) => order.parcels as ParcelLine[]

/** The fact that began each phase. */
const BEGAN: Partial<Record<Phase, string>> = {
  blocked: 'blocked',
  waitingStock: 'shortage',
  reserved: 'reserved',
  tryOn: 'tryOnHeld',
  confirming: 'confirmAsked',
  confirmed: 'confirmed',
  picking: 'handedToWarehouse',
  returning: 'returning',
  cancelling: 'cancelRequested',
  cancelled: 'cancelled',
}

const latest = (times: (string | null | undefined)[]): string | undefined =>
  times
    .filter((time): time is string => typeof time === 'string')
    .sort()
    .at(-1)

function sinceOf(order: OrderDetail): string {
  if (order.phase === 'packed') return latest(unitsOf(order).map((unit) => unit.packedAt)) ?? order.updatedAt
  if (order.phase === 'shipped')
    return latest(parcelsOf(order).flatMap((parcel) => parcel.events.map((event) => event.at))) ?? order.updatedAt
  const fact = order.phase === 'tryOn' && order.facts['tryOnArrived'] ? 'tryOnArrived' : BEGAN[order.phase]
  const began = fact === undefined ? undefined : (order.facts[fact] as { at?: string } | undefined)?.at
  return began ?? order.updatedAt
}

const named = (names: (string | null | undefined)[]): string => [...new Set(names.filter(Boolean))].join(', ')

/** Tasks without which the goods go no further. */
const STOPS: ReadonlySet<string> = new Set([
  'booking.refused',
  'courier.missing',
  'order.route',
  'parcel.newAddress',
  'parcel.storeClosed',
  'parcel.wrongAddress',
  'pick.short',
  'recall.refused',
  'recall.unanswered',
])

function placeOf(order: OrderDetail): string {
  const at = named(
    unitsOf(order)
      .filter((unit) => unit.state !== 'cancelled')
      .map((unit) => unit.location),
  )
  const recalling = named(unitsOf(order).flatMap(({ state, location }) => (state === 'recalling' ? [location] : [])))
  const couriers = named(
    parcelsOf(order)
      .filter((parcel) => !['void', 'refused'].includes(parcel.state))
      .map((parcel) => (parcel.waybill ? `${parcel.courier} ${parcel.waybill}` : parcel.courier)),
  )
  const beside = unitsOf(order).flatMap((unit) => (unit.state === 'packed' ? (unit.sharesBoxWith ?? []) : []))
  const stop = (order.tasks as TaskLine[]).find(({ kind }) => STOPS.has(kind))
  if (stop !== undefined && !order.closed) return `for a person, task ${stop.id}: ${stop.title}`
  if (order.facts['storeClosed'] && !order.closed) return 'for the customer to choose another pickup store'
  switch (order.phase) {
    case 'received':
      return 'to be checked and reserved'
    case 'blocked':
      return 'for a person to mend what the check found'
    case 'waitingStock':
      return `for stock of ${named(order.lines.map((line) => line.sku))}`
    case 'reserved':
      return 'to be confirmed'
    case 'tryOn':
      return order.facts['tryOnArrived']
        ? 'for the store to say what the customer keeps'
        : `for the customer at ${order.delivery.location ?? 'the store'}, until ${localTime((order.facts['tryOnHeld'] as { until?: string } | undefined)?.until)}`
    case 'confirming':
      return 'for the customer to confirm'
    case 'confirmed':
      if (at === '') return 'to be routed'
      return (order.tasks as TaskLine[]).some((task) => task.kind === 'unit.pick')
        ? `for a person to pick and pack at ${at}`
        : `for the next wave of ${at}`
    case 'picking':
      return `for ${at === '' ? 'the warehouse' : at} to pick and pack`
    case 'packed':
      if (order.delivery.method === 'storePickup') return `for the customer to collect it at ${at}`
      if (parcelsOf(order).length === 0 && beside.length > 0)
        return `for the box that it shares with order ${named(beside)} to be booked`
      return parcelsOf(order).at(-1)?.state === 'refused'
        ? 'to be booked once more: the courier refused the parcel'
        : `for the courier${couriers === '' ? '' : ` (${couriers})`} to take it`
    case 'shipped':
      return `for ${couriers === '' ? 'the courier' : couriers} to deliver`
    case 'returning':
      return `for ${couriers === '' ? 'the courier' : couriers} to bring it back`
    case 'cancelling':
      return recalling === '' ? 'to be undone' : `for ${recalling} to give the goods back`
    case 'delivered':
    case 'returned':
    case 'cancelled':
      return order.closed ? 'for nothing' : 'to be closed'
  }
}

export const waitingOf = (order: OrderDetail): Waiting => ({ where: placeOf(order), since: sinceOf(order) })

/** `body` is what must be told, with places to fill in. */
export interface Possible {
  verb: string
  note: string
  body?: string
}

const BODIES: Partial<Record<Verb, string>> = {
  change: '{"recipient":{"phone":"PHONE"}}',
  decide: '{"keep":{"LINE":QTY}}',
}

/** What the order would take now, whoever asks; tasks name their own actions beside. */
export const possibleNow = (order: OrderDetail): Possible[] =>
  order.possible.map((verb) => {
    const body = BODIES[verb]
    return { verb, note: ACTIONS[verb], ...(body === undefined ? {} : { body }) }
  })
