/** Orders on a real database, a saga that is played step by step, and everything around it that may happen at any time. */
import { applyAdvice } from '../../activities/advice.ts'
import { leaveClosedPlaces } from '../../activities/order/closedPlaces.ts'
import { obeyWaiting } from '../../activities/order/obey.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import type { Runtime } from '../../activities/runtime.ts'
import type { ParcelMeaning, ShipmentAdvice } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import { RoutingPlace } from '../../domain/routing/types.ts'
import { setAllotment } from '../../store/allotments.ts'
import { giveCommand, type Verb } from '../../store/commands.ts'
import { setCampaign } from '../../store/campaigns.ts'
import { transaction, type Pool } from '../../store/db.ts'
import { setOnHand, sweep } from '../../store/ledger/operations.ts'
import { changeOrder, readOrder } from '../../store/orderRecord.ts'
import { receiveOrder } from '../../store/orders.ts'
import { listReturns } from '../../store/returns.ts'
import { listTransfers } from '../../store/transfers.ts'
import { advice, incoming, lines, type Spine } from '../db/spineFixture.ts'
import { standInCourier, type BookingFate, type CancelFate } from '../saga/standInCourier.ts'
import { CAMPAIGN, campaignEnds, returnHappens, returnRoundHappens, transferHappens, type Around } from './around.ts'
import { BENCH, benchHappens, type AtBench } from './bench.ts'
import { triedOn, voucherShown, type AtCounter } from './counter.ts'
import { SagaPlayer } from './sagaPlayer.ts'
import { payBack, settleMoneyTask, standInTill, wronglyPaid, type AtTill } from './till.ts'
import { faults } from './truths.ts'

export type Kind = keyof typeof WISHES
export type Event =
  | Around
  | AtBench
  | AtCounter
  | AtTill
  | { is: 'step'; order: number }
  | { is: 'rest'; order: number }
  /** What usually comes next: a yes, a wave, a packed box, a courier's scan. */
  | { is: 'onward'; order: number }
  | { is: 'crash'; order: number }
  /** The worker dies within the next step, after so many words with the database. */
  | { is: 'die'; order: number; after: number }
  | { is: 'timeOut'; order: number }
  | { is: 'verb'; order: number; verb: Verb; detail?: Record<string, unknown>; unheard: boolean }
  | { is: 'wave' }
  | { is: 'advice'; order: number; unit: number; status: ShipmentAdvice['status']; short: number }
  | { is: 'news'; order: number; parcel: number; meaning: ParcelMeaning; minute: number }
  | { is: 'booking'; fate: BookingFate }
  | { is: 'cancelling'; fate: CancelFate }
  | { is: 'stock'; location: 'north' | 'south' | 'shop'; sku: 'TEE-S' | 'TEE-M' | 'CAP'; onHand: number }
  | { is: 'allot'; location: 'north' | 'south'; sku: 'TEE-M'; quantity: number }
  | { is: 'expire'; order: number; swept: boolean }
  | {
      is: 'told'
      order: number
      what: 'again' | 'cancelled' | 'more' | 'less' | 'cheaper' | 'dearer' | 'paid' | 'address' | 'held' | 'released'
    }
  | { is: 'close'; location: 'north' | 'south'; closed: boolean }

const WISHES = {
  prepaid: { lines: lines(['TEE-M', 2]) },
  cod: { lines: lines(['TEE-M', 2], ['TEE-S', 1]), payment: cash(36_000) },
  split: { lines: lines(['TEE-S', 2], ['CAP', 1]), payment: cash(36_000) },
  pickup: { kind: 'store', lines: lines(['TEE-S', 2]), delivery: by('storePickup', 'shop') },
  tryOn: { kind: 'tryOn', lines: lines(['TEE-S', 1], ['TEE-M', 2]), payment: cash(36_000), delivery: by('home', 'shop') },
  brought: { kind: 'tryOn', lines: lines(['TEE-S', 4]), payment: cash(46_000), delivery: by('home', 'shop') },
  groupBuy: { kind: 'groupBuy', campaign: CAMPAIGN, lines: lines(['TEE-M', 2]) },
  groupBuyCod: { kind: 'groupBuy', campaign: CAMPAIGN, lines: lines(['TEE-M', 1], ['TEE-S', 1]), payment: cash(26_000) },
  /** Paid before it is tried on, and taken along. */
  tryOnPaid: { kind: 'tryOn', lines: lines(['TEE-M', 2], ['TEE-S', 1]), delivery: by('storePickup', 'shop') },
  /** Packed with scanners; several of them go into one box. */
  shared: { lines: lines(['RARE', 1]) },
} satisfies Record<string, Partial<IncomingOrder>>
function cash(amountDueMinor: number): IncomingOrder['payment'] {
  return { method: 'cod', state: 'pending', amountDueMinor, currency: 'TWD' }
}
function by(method: 'home' | 'storePickup', location: string): IncomingOrder['delivery'] {
  return { method, service: null, cvs: null, location, promisedBy: null }
}

/** What an earlier sequence left behind; the configuration stays. */
// Movements are append-only for everybody who does not say that he is a replica.
const EMPTY = `begin; set local session_replication_role = replica; truncate orders, order_lines, order_facts, units, unit_lines, parcels, parcel_events, holds, reservations, movements, stock,
  allotments, tasks, commands, outbox, notices, waves, campaigns, transfers, returns, vouchers, packing, stations, scans cascade; commit`
const STOCK: [string, string, number][] = [
  ['north', 'TEE-S', 6],
  ['north', 'TEE-M', 7],
  ['south', 'TEE-M', 6],
  ['south', 'CAP', 4],
  ['shop', 'TEE-S', 3],
  ['shop', 'TEE-M', 3],
  [BENCH, 'RARE', 4],
]

let worlds = 0

export class OrderWorld {
  readonly courier = standInCourier('ecpay')
  readonly till = standInTill()
  readonly players: SagaPlayer[] = []
  readonly #runtime: Runtime
  /** The same, for what a worker does: it dies where it is told to. */
  readonly #mortal: Runtime
  #dieAfter: number | null = null
  readonly #told: IncomingOrder[] = []
  readonly #closed = new Set<string>()
  #serial = 0

  private constructor(spine: Spine) {
    const { runtime } = spine
    this.#runtime = {
      ...runtime,
      connection: async (name, options) => {
        const real = await runtime.connection(name, options)
        if (name === 'ecpay') return { ...real, connector: this.courier.connector }
        return name === 'store-taipei' ? { ...real, connector: { ...real.connector, refund: this.till.refund } } : real
      },
      policy: async (version) => {
        const policy = await runtime.policy(version)
        const places = Object.fromEntries([...this.#closed].map((id) => [id, { ...RoutingPlace.parse({}), closed: true }]))
        return {
          ...policy,
          mergeParcels: 'prepaid',
          routing: { ...policy.routing, places: { ...policy.routing.places, ...places } },
        }
      },
      // The engine is not there to be rung; the sweep rings another time.
      temporal: deaf,
    }
    this.#mortal = { ...this.#runtime, pool: mortal(runtime.pool, () => this.#dies()) }
  }

  /** @param onward how far they have come when it begins. */
  static async begin(spine: Spine, kinds: readonly Kind[], onward = 0): Promise<OrderWorld> {
    worlds += 1
    const world = new OrderWorld(spine)
    await spine.db.pool.query(EMPTY)
    for (const [location, sku, onHand] of STOCK)
      await transaction(spine.db.pool, (tx) =>
        setOnHand(tx, { key: `begin:${worlds}:${location}:${sku}`, sku, location, onHand, reason: 'count' }),
      )
    await transaction(spine.db.pool, (tx) => setCampaign(tx, groupBuy()))
    for (const kind of kinds) await world.#place(kind)
    for (let taken = 0; taken < onward; taken++)
      for (const order of kinds.keys()) await world.happen({ is: taken === 0 ? 'rest' : 'onward', order })
    return world
  }

  async #place(kind: Kind): Promise<void> {
    const told = incoming({ ...WISHES[kind], externalId: `M-${worlds}-${this.players.length}` })
    this.#told.push(told)
    const { orderId } = await receiveOrder(this.#runtime.pool, told, { connectionVersion: 1 })
    this.players.push(new SagaPlayer(this.#mortal, orderId))
  }

  /** Other goods for those that come back are an order of their own. */
  async #takeUpExchanges(): Promise<void> {
    const known = this.players.map(({ orderId }) => orderId)
    const { rows } = await this.#runtime.pool.query<{ id: string }>(
      'select id from orders where id <> all($1) order by created_at, id',
      [known],
    )
    for (const { id } of rows) this.players.push(new SagaPlayer(this.#mortal, id))
  }

  /** What breaks what must always be true, in words; none when all is well. */
  faults = async (): Promise<string[]> => [
    ...(await faults(this.#runtime.pool, this.courier)),
    ...(await wronglyPaid(this.#runtime, this.till)),
  ]

  async happen(event: Event): Promise<void> {
    const { pool } = this.#runtime
    const player = 'order' in event ? this.players[event.order % this.players.length] : undefined
    const id = player?.orderId ?? ''
    switch (event.is) {
      case 'step':
        await player?.step()
        return
      case 'rest':
        return await player?.rest()
      case 'onward':
        return await this.#onward(event.order, id)
      case 'crash':
        return player?.forget()
      case 'die':
        this.#dieAfter = event.after
        await player?.step().catch((error: unknown) => {
          if (!(error instanceof Died)) throw error
        })
        if (this.#dieAfter === null) player?.forget()
        this.#dieAfter = null
        return
      case 'transfer':
        return await unlessRefused(transferHappens(this.#runtime, event))
      case 'return':
        await unlessRefused(returnHappens(this.#runtime, id, event))
        return await this.#takeUpExchanges()
      case 'returnRound':
        await unlessRefused(returnRoundHappens(this.#runtime, event))
        return await this.#takeUpExchanges()
      case 'bench':
        return await unlessRefused(benchHappens(this.#runtime, event))
      case 'voucher': {
        const detail = await voucherShown(this.#runtime, id, event)
        if (detail === null) return
        return await this.happen({ is: 'verb', order: event.order, verb: 'collected', detail, unheard: event.unheard })
      }
      case 'tried': {
        const detail = await triedOn(this.#runtime, id, event)
        return await this.happen({ is: 'verb', order: event.order, verb: 'decide', detail, unheard: event.unheard })
      }
      case 'payBack':
        this.till.plan.splice(0, Number.POSITIVE_INFINITY, event.fate)
        this.#dieAfter = event.after
        await payBack(this.#mortal, event).catch((error: unknown) => {
          if (!(error instanceof Died)) throw error
        })
        this.#dieAfter = null
        return
      case 'byHand':
        return await unlessRefused(settleMoneyTask(this.#runtime, event))
      case 'campaignEnds':
        return await unlessRefused(campaignEnds(this.#runtime))
      case 'timeOut':
        return await player?.timeOut()
      case 'verb': {
        await giveCommand(pool, {
          orderId: id,
          verb: event.verb,
          detail: event.detail ?? (await this.#detail(id, event)),
          who: 'person:test',
        })
        if (!event.unheard) await player?.look()
        return
      }
      case 'wave':
        return await this.#wave()
      case 'advice': {
        const { units } = await readOrder(pool, id)
        const unit = units[event.unit % Math.max(1, units.length)]
        if (unit === undefined || !['north'].includes(unit.location) || unit.state === 'planned' || unit.state === 'ready') return
        const told = unit.lines.map(({ lineId, quantity }): [string, number, number] => {
          const short = Math.min(quantity, event.short)
          return [lineId, quantity - short, short]
        })
        await applyAdvice(pool, advice(unit.id, event.status, event.status === 'cancelled' ? [] : told))
        return
      }
      case 'news':
        return await this.#news(id, event)
      case 'booking':
        this.courier.plan.book.push(event.fate)
        return
      case 'cancelling':
        this.courier.plan.cancel.push(event.fate)
        return
      case 'stock':
        this.#serial += 1
        return await unlessRefused(
          transaction(pool, (tx) => setOnHand(tx, { ...event, key: `count:${worlds}:${this.#serial}`, reason: 'count' })),
        )
      case 'allot':
        await transaction(pool, (tx) => setAllotment(tx, { ...event, channel: 'elsewhere' }))
        return
      case 'expire':
        await pool.query(
          `update holds set expires_at = now() - interval '1 second' where order_id = $1 and state = 'active' and expires_at is not null`,
          [id],
        )
        if (event.swept) await sweep(pool)
        return
      case 'told':
        return await this.#tell(event)
      case 'close':
        if (event.closed) this.#closed.add(event.location)
        else this.#closed.delete(event.location)
        await leaveClosedPlaces(this.#runtime)
    }
  }

  async #onward(order: number, id: string): Promise<void> {
    await this.players[order % this.players.length]?.rest()
    const { phase, units, parcels, facts } = await readOrder(this.#runtime.pool, id)
    const say = (verb: Verb) => this.happen({ is: 'verb', order, verb, unheard: false })
    if (facts.inTransfer) return await this.#bring()
    if (facts.confirmAsked?.for === 'campaign') return await this.happen({ is: 'campaignEnds' })
    if (phase === 'confirming') return await say('confirm')
    if (phase === 'tryOn' && facts.tryOnArrived && order % 2 === 1)
      return await this.happen({ is: 'tried', order, keep: 0, keepOthers: 1, other: 'CAP', unheard: false })
    if (phase === 'tryOn') return await say(facts.tryOnArrived ? 'decide' : 'arrived')
    const waiting = units.findIndex(({ state }) => ['ready', 'handedOver', 'picked', 'recalling'].includes(state))
    const unit = units[waiting]
    if (unit?.state === 'recalling')
      return await this.happen({ is: 'advice', order, unit: waiting, status: 'cancelled', short: 0 })
    if (unit?.location === BENCH)
      return await this.happen({ is: 'bench', unit: 0, how: unit.state === 'ready' ? 'wave' : 'pack' })
    if (unit?.state === 'ready') return unit.location === 'north' ? await this.#wave() : await say('packed')
    if (unit !== undefined) return await this.happen({ is: 'advice', order, unit: waiting, status: 'packed', short: 0 })
    const parcel = parcels.findIndex(({ state }) => state === 'booked' || state === 'shipped' || state === 'returning')
    const meanings = { booked: 'shipped', shipped: 'delivered', returning: 'returned' } as const
    const meaning = meanings[parcels[parcel]?.state as keyof typeof meanings]
    if (meaning !== undefined) return await this.happen({ is: 'news', order, parcel, meaning, minute: this.#serial % 60 })
    if (phase === 'packed') return await say('collected')
    await this.#takeBack(order, id)
  }

  /** A customer who has everything sends something back, for money or for other goods. */
  async #takeBack(order: number, orderId: string): Promise<void> {
    const all = await listReturns(this.#runtime.pool, { orderId })
    const which = all.findIndex(({ state }) => state === 'approved' || state === 'received')
    const say = (how: 'ask' | 'receive' | 'inspect', other: 'TEE-S' | null = null) =>
      this.happen({ is: 'return', order, which: Math.max(0, which), how, quantity: 1, disposition: 'restock', other })
    if (all.length === 0) return await say('ask', order % 2 === 0 ? 'TEE-S' : null)
    if (which >= 0) await say(all[which]?.state === 'approved' ? 'receive' : 'inspect')
  }

  async #bring(): Promise<void> {
    const under = (await listTransfers(this.#runtime.pool, {})).findIndex(
      ({ state }) => state === 'requested' || state === 'shipped',
    )
    if (under < 0) return
    for (const how of ['ship', 'arrive'] as const) await this.happen({ is: 'transfer', which: under, how, less: 0 })
  }

  #dies(): boolean {
    if (this.#dieAfter === null || this.#dieAfter-- > 0) return false
    this.#dieAfter = null
    return true
  }

  async #detail(orderId: string, { verb }: { verb: Verb }): Promise<Record<string, unknown>> {
    if (verb !== 'decide') return {}
    const record = await readOrder(this.#runtime.pool, orderId)
    return { keep: Object.fromEntries(record.lines.slice(0, 1).map(({ lineId }) => [lineId, 1])) }
  }

  /** As activities/waves.ts takes them in, less the file. */
  async #wave(): Promise<void> {
    const { pool } = this.#runtime
    const ready = await pool.query<{ id: string; orderId: string }>(
      `select id, order_id as "orderId" from units where location = 'north' and state = 'ready' order by ready_at`,
    )
    for (const { id, orderId } of ready.rows)
      await changeOrder(pool, orderId, 'world', (record) => {
        const unit = record.unit(id)
        const { doc } = record
        if (unit.state !== 'ready' || record.is('cancelRequested') || !record.is('checked') || !record.is('confirmed')) return
        if (doc.onHold === true) return
        unit.state = 'handedOver'
        record.record('handedToWarehouse')
      })
  }

  async #news(orderId: string, event: Extract<Event, { is: 'news' }>): Promise<void> {
    const { parcels } = await readOrder(this.#runtime.pool, orderId)
    const parcel = parcels[event.parcel % Math.max(1, parcels.length)]
    if (parcel === undefined) return
    const box = await this.#runtime.pool.query<{ reference: string }>('select reference from parcels where id = $1', [
      parcel.ridesIn ?? parcel.id,
    ])
    const reference = box.rows[0]?.reference ?? ''
    // A courier speaks of what it has booked alone.
    if (!this.courier.booked.has(reference)) return
    this.#serial += 1
    await applyParcelReport(
      this.#runtime.pool,
      this.#serial,
      {
        reference,
        courierBookingId: null,
        waybill: null,
        code: event.meaning,
        meaning: event.meaning,
        detail: event.meaning,
        eventAt: new Date(Date.UTC(2026, 10, 22, 4, event.minute)).toISOString(),
      },
      1_000,
    )
  }

  async #tell({ order, what }: Extract<Event, { is: 'told' }>): Promise<void> {
    const at = order % this.players.length
    const before = this.#told[at]
    if (before === undefined) return
    const told = retold(before, what)
    this.#told[at] = told
    await receiveOrder(this.#runtime.pool, told, { connectionVersion: 1 })
  }

  /** All that can be done by itself is done; every courier answers, every warehouse packs, every parcel arrives. */
  async finish(): Promise<void> {
    this.#closed.clear()
    this.courier.reset()
    await this.happen({ is: 'returnRound', late: false })
    await this.happen({ is: 'payBack', fate: 'ok', twice: false, after: null })
    for (const player of this.players) await player.look()
    for (const player of this.players) await player.rest()
  }

  async obeyAll(): Promise<void> {
    for (const { orderId } of this.players)
      await changeOrder(this.#runtime.pool, orderId, 'saga', (record, tx) => obeyWaiting(record, tx))
  }
}

function retold(order: IncomingOrder, what: Extract<Event, { is: 'told' }>['what']): IncomingOrder {
  const [first, ...others] = order.lines
  switch (what) {
    case 'again':
      return order
    case 'cancelled':
      return { ...order, cancelled: true }
    case 'held':
      return { ...order, onHold: true }
    case 'released':
      return { ...order, onHold: false }
    case 'cheaper':
    case 'dearer': {
      const { payment } = order
      const amountDueMinor = Math.max(6_000, payment.amountDueMinor + (what === 'dearer' ? 10_000 : -10_000))
      return payment.method === 'cod' ? { ...order, payment: { ...payment, amountDueMinor } } : order
    }
    case 'paid':
      return { ...order, payment: { ...order.payment, method: 'prepaid', state: 'paid', amountDueMinor: 0 } }
    case 'address':
      return { ...order, recipient: { ...order.recipient, name: `${order.recipient.name}二` } }
    case 'more':
    case 'less': {
      if (first === undefined) return order
      const quantity = Math.max(1, Math.min(3, first.quantity + (what === 'more' ? 1 : -1)))
      const moreMinor = (quantity - first.quantity) * (first.unitPriceMinor ?? 0)
      const { totals, payment } = order
      return {
        ...order,
        lines: [{ ...first, quantity }, ...others],
        totals: {
          ...totals,
          itemsMinor: (totals.itemsMinor ?? 0) + moreMinor,
          totalMinor: (totals.totalMinor ?? 0) + moreMinor,
        },
        payment:
          payment.method === 'cod' ? { ...payment, amountDueMinor: Math.max(0, payment.amountDueMinor + moreMinor) } : payment,
      }
    }
  }
}

/** What the ledger refuses is refused, and nothing else happens. */
async function unlessRefused(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof OmnisagaError) || (error.kind !== 'Invalid' && error.kind !== 'Rejected')) throw error
  })
}

class Died extends Error {}

/** A pool whose next word fails when `dies` says so: what was committed before stays, what would come after does not happen. */
function mortal(pool: Pool, dies: () => boolean): Pool {
  return new Proxy(pool, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'query' && name !== 'connect') return value.bind(target) as unknown
      return (...args: unknown[]): unknown =>
        dies() ? Promise.reject(new Died('the worker died')) : Reflect.apply(value, target, args)
    },
  })
}

const groupBuy = () => ({
  id: CAMPAIGN,
  title: null,
  minimum: 2,
  counts: 'pieces' as const,
  closesAt: new Date(Date.now() + 3_600_000).toISOString(),
  allotments: [{ sku: 'TEE-M', location: 'north', quantity: 3 }],
})

const deaf = {
  withDeadline: <T>(_deadline: unknown, work: () => Promise<T>) => work(),
  workflow: {
    signalWithStart: () => Promise.resolve(),
    start: () => Promise.resolve(),
    getHandle: () => ({ signal: () => Promise.resolve() }),
  },
} as unknown as Runtime['temporal']
