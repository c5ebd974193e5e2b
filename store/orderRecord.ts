/**
 * One order as a unit of work: locked, loaded, changed in memory, written back with its phase in the same transaction.
 * Everything that changes an order goes through `changeOrder`; nothing else writes facts, counters or phase.
 */
import type { FactName, Facts } from '../domain/facts.ts'
import type { CanonicalOrder, IncomingOrder, Phase } from '../domain/order.ts'
import { isBookingAsked, isRebooked } from '../domain/labels.ts'
import { phaseOf, type Counters } from '../domain/phase.ts'
import { type OrderView, type ParcelState, type UnitState } from '../domain/view.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { framedTransaction, type Pool, type Queryable, type Tx } from './db.ts'
import { noticeStatement, type NewNotice } from './notices.ts'
import { happenings, oweStatements, type Statement } from './owed.ts'
import { judgeLabels, labelsOffOf } from './labelAmounts.ts'
import { closeTasks } from './tasks.ts'

/** The canonical order less its lines, as kept in `orders.doc`. */
export type OrderDoc = Omit<IncomingOrder, 'lines'> & {
  /** A person has the money; the source may not know it. */
  paidHere?: boolean
  /** As its source told them, since we lowered ours: pieces that were not kept, or not found. */
  toldAmounts?: {
    amountDueMinor: number
    itemsMinor: number | null
    totalMinor: number | null
    /** What was paid by then. */
    paidMinor?: number
  }
}

export interface LineRecord extends Counters {
  lineId: string
  sku: string | null
  externalSku: string | null
  name: string | null
  variant: string | null
  unitPriceMinor: number | null
  gift: boolean
}

export interface UnitLineRecord {
  lineId: string
  sku: string
  quantity: number
  picked: number
  packed: number
  short: number
}

export interface UnitRecord {
  id: string
  serial: number
  location: string
  state: UnitState
  bookingsAllowed: number
  /** The same for all units, of other orders too, that go into one box; null: a box of its own. */
  sharedBox: string | null
  lines: UnitLineRecord[]
}

export interface ParcelRecord {
  id: string
  unitId: string
  attempt: number
  courier: string
  connector: string
  service: string
  reference: string
  state: ParcelState
  waybill: string | null
  courierBookingId: string | null
  amountDueMinor: number
  labelAmountMinor: number | null
  /** The parcel of another order in whose box it goes along: no booking and no label of its own. */
  ridesIn: string | null
  /** Another booking was asked for instead: this one is cancelled first where it stands, or the courier does not cancel it by a call. */
  rebook: 'asked' | 'refused' | null
}

interface OrderRow {
  id: string
  connection: string
  doc: OrderDoc
  facts: Facts
  phase: Phase
  closed: boolean
  revision: number
  course: number
  news: number
  settings_version: number
  external_version: string | null
  content_hash: string
}

export class OrderRecord {
  readonly id: string
  readonly connection: string
  doc: OrderDoc
  facts: Facts
  closed: boolean
  externalVersion: string | null
  contentHash: string
  lines: LineRecord[]
  units: UnitRecord[]
  parcels: ParcelRecord[]
  readonly settingsVersion: number
  phase: Phase
  #revision: number
  #course: number
  #news: number
  #log: { fact: FactName; withdrawn: boolean; data: Record<string, unknown> }[] = []
  /** Goes out with the order when it is written. */
  #beside: Statement[] = []
  readonly #loaded: { lines: string; units: string; states: { units: Map<string, string>; parcels: Map<string, string> } }
  readonly #hasTasks: boolean
  readonly #labelsWereOff: ReturnType<typeof labelsOffOf>

  constructor(row: OrderRow, { lines, units, parcels, hasTasks }: Parts) {
    this.id = row.id
    this.connection = row.connection
    this.doc = row.doc
    this.facts = row.facts
    this.closed = row.closed
    this.externalVersion = row.external_version
    this.contentHash = row.content_hash
    this.settingsVersion = row.settings_version
    this.phase = row.phase
    this.lines = lines
    this.units = units
    this.parcels = parcels
    this.#revision = row.revision
    this.#course = row.course
    this.#news = row.news
    this.#hasTasks = hasTasks
    const states = { units: statesOf(units), parcels: statesOf(parcels) }
    this.#loaded = { lines: JSON.stringify(lines), units: JSON.stringify(units), states }
    this.#labelsWereOff = labelsOffOf(this)
  }

  is(fact: FactName): boolean {
    return this.facts[fact] !== undefined
  }

  /** A fact becomes true; telling it twice changes nothing. */
  record(fact: FactName, data: Record<string, unknown> = {}): void {
    if (this.is(fact)) return
    this.facts[fact] = { ...data, at: new Date().toISOString() }
    this.#log.push({ fact, withdrawn: false, data })
  }

  withdraw(...facts: FactName[]): void {
    for (const fact of facts.filter((name) => this.is(name))) {
      delete this.facts[fact]
      this.#log.push({ fact, withdrawn: true, data: {} })
    }
  }

  /** @returns how to go back to what is so now, for a command that is refused half way. */
  remember(): () => void {
    const { doc, facts, closed, lines, units, parcels } = structuredClone({
      doc: this.doc,
      facts: this.facts,
      closed: this.closed,
      lines: this.lines,
      units: this.units,
      parcels: this.parcels,
    })
    const [course, news, logged, beside] = [this.#course, this.#news, this.#log.length, this.#beside.length]
    return () => {
      Object.assign(this, { doc, facts, closed, lines, units, parcels })
      this.#course = course
      this.#news = news
      this.#log.length = logged
      this.#beside.length = beside
    }
  }

  /** The customer shall hear of it; telling the same twice is telling it once. */
  tellCustomer(notice: Omit<NewNotice, 'orderId'>): void {
    this.alsoWrite(noticeStatement({ ...notice, orderId: this.id }))
  }

  /** Written together with the order, in the same round trip. */
  alsoWrite(statement: Statement): void {
    this.#beside.push(statement)
  }

  get course(): number {
    return this.#course
  }

  /** What is to be done has changed: running waits of the workflow start over at the first stage that is not yet true. */
  changeCourse(): void {
    this.#course += 1
    this.wake()
  }

  /** The workflow should look at this order. */
  wake(): void {
    this.#news += 1
  }

  line(lineId: string): LineRecord {
    return found(
      this.lines.find((line) => line.lineId === lineId),
      `line ${lineId} of order ${this.id}`,
    )
  }

  unit(unitId: string): UnitRecord {
    return found(
      this.units.find((unit) => unit.id === unitId),
      `unit ${unitId} of order ${this.id}`,
    )
  }

  /** The newest parcel of a unit, whatever became of it. */
  parcelOf(unitId: string): ParcelRecord | null {
    return this.parcels.filter((parcel) => parcel.unitId === unitId).sort((a, b) => b.attempt - a.attempt)[0] ?? null
  }

  /** Pieces of a line that are wanted and that no living unit carries. */
  missingOf(line: LineRecord): number {
    const carried = this.units
      .filter((unit) => unit.state !== 'cancelled')
      .flatMap((unit) => unit.lines)
      .filter((unitLine) => unitLine.lineId === line.lineId)
      .reduce((total, unitLine) => total + unitLine.quantity - unitLine.short, 0)
    return Math.max(0, line.ordered - line.cancelled - carried)
  }

  view(): OrderView {
    return {
      orderId: this.id,
      kind: this.doc.kind,
      delivery: this.doc.delivery.method,
      payment: this.doc.payment.method,
      paid: this.doc.payment.state === 'paid' || this.doc.payment.state === 'collected',
      revision: this.#revision,
      course: this.#course,
      facts: Object.keys(this.facts) as FactName[],
      units: this.units.map((unit) => {
        const parcel = this.parcelOf(unit.id)
        return {
          id: unit.id,
          state: unit.state,
          parcel: parcel && { id: parcel.id, state: parcel.state, connector: parcel.connector },
          bookings: parcel?.attempt ?? 0,
          bookingsAllowed: unit.bookingsAllowed,
          isRebooked: parcel !== null && isRebooked(parcel),
          isBookingAsked: parcel !== null && isBookingAsked(parcel),
          short: unit.lines.reduce((total, line) => total + line.short, 0),
          leaves: this.doc.delivery.method === 'home' || this.doc.delivery.method === 'cvs' ? 'courier' : 'counter',
        }
      }),
      missing: this.is('routed') ? this.lines.reduce((total, line) => total + this.missingOf(line), 0) : 0,
      tryOnUntil: (this.facts.tryOnHeld?.until as string | undefined) ?? null,
    }
  }

  /** What became true is owed to whom it concerns. */
  #owed(): Statement[] {
    const facts = this.#log.filter(({ fact, withdrawn }) => !withdrawn && this.is(fact))
    const happened = happenings(this.#loaded.states, { facts, units: this.units, parcels: this.parcels })
    return oweStatements({ id: this.id, connection: this.connection, channel: this.doc.channel }, happened)
  }

  /** Writes facts, counters, units and phase back in one statement, and what is owed for it. Called once, at the end of `changeOrder`. */
  async save(tx: Tx, seen: boolean): Promise<void> {
    this.phase = phaseOf(this.lines, this.facts)
    this.#revision += 1
    const values: unknown[] = [
      this.id,
      this.doc,
      this.facts,
      this.phase,
      this.closed,
      this.#revision,
      this.#course,
      this.#news,
      seen,
      this.externalVersion,
      this.contentHash,
      JSON.stringify(this.#log),
    ]
    let name = 'save-order'
    let parts = ''
    const lines = JSON.stringify(this.lines)
    if (lines !== this.#loaded.lines) {
      name += '-lines'
      parts += SAVE_LINES(values.push(lines))
    }
    const units = JSON.stringify(this.units)
    if (units !== this.#loaded.units) {
      name += '-units'
      parts += SAVE_UNITS(values.push(units))
    }
    const [row] = await Promise.all([
      tx.query<{ news: number }>({ name, text: SAVE_ORDER(parts), values }),
      ...[...this.#owed(), ...this.#beside].map((statement) => tx.query(statement)),
    ])
    found(row.rows[0], `order ${this.id}`)
    await judgeLabels(tx, this, this.#labelsWereOff)
  }

  /** `closeTasks` of this order's tasks, without asking where none was open: most orders never have one. */
  async closeTasks(tx: Tx, which: { key: string } | { prefix: string }, outcome: string): Promise<void> {
    if (this.#hasTasks) await closeTasks(tx, which, outcome)
  }
}

const SAVE_ORDER = (parts: string) => `
  with logged as (
    insert into order_facts (order_id, fact, withdrawn, data)
    select $1, n.fact, n.withdrawn, n.data from jsonb_to_recordset($12::jsonb) as n(fact text, withdrawn boolean, data jsonb)
  )${parts}
  update orders set doc = $2, facts = $3, phase = $4, closed = $5, revision = $6, course = $7, news = $8,
    seen_news = case when $9 then $8 else seen_news end, rung_at = case when $9 then null else rung_at end,
    external_version = $10, content_hash = $11, updated_at = now() where id = $1 returning news`

const SAVE_LINES = (at: number) => `, saved_lines as (
    update order_lines l set sku = n.sku, external_sku = n."externalSku", name = n.name, variant = n.variant,
      unit_price_minor = n."unitPriceMinor", held = n.held, picked = n.picked, packed = n.packed, shipped = n.shipped,
      delivered = n.delivered, returned = n.returned, cancelled = n.cancelled
    from jsonb_to_recordset($${at}::jsonb) as n("lineId" text, sku text, "externalSku" text, name text, variant text,
      "unitPriceMinor" bigint, held int, picked int, packed int, shipped int, delivered int, returned int, cancelled int)
    where l.order_id = $1 and l.line_id = n."lineId"
  )`

const SAVE_UNITS = (at: number) => `, told_units as (
    select * from jsonb_to_recordset($${at}::jsonb) as n(id text, state text, "bookingsAllowed" int, lines jsonb)
  ), saved_units as (
    update units u set state = n.state, bookings_allowed = n."bookingsAllowed" from told_units n where u.id = n.id
  ), saved_unit_lines as (
    update unit_lines l set picked = m.picked, packed = m.packed, short = m.short
    from told_units n cross join lateral jsonb_to_recordset(n.lines) as m("lineId" text, picked int, packed int, short int)
    where l.unit_id = n.id and l.line_id = m."lineId"
  )`

const statesOf = (parts: { id: string; state: string }[]) => new Map(parts.map(({ id, state }) => [id, state]))

/** A unit that nobody works on any more: what was picked for it counts no longer, or the next unit would count it again. */
export function strikeUnit(record: OrderRecord, unit: UnitRecord): void {
  if (unit.state === 'cancelled') return
  unit.state = 'cancelled'
  for (const { lineId, picked, packed } of unit.lines) {
    const line = record.line(lineId)
    line.picked = Math.max(0, line.picked - picked)
    line.packed = Math.max(0, line.packed - packed)
  }
}

const found = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new OmnisagaError('Invalid', `there is no ${what}`, { code: 'notFound' })
  return value
}

/** Everything that hangs on an order, in one round trip: it is read for every step of every saga. */
const PARTS = `select
  (select coalesce(json_agg(l), '[]') from (
    select line_id as "lineId", sku, external_sku as "externalSku", name, variant, unit_price_minor as "unitPriceMinor", gift,
      ordered, held, picked, packed, shipped, delivered, returned, cancelled from order_lines where order_id = $1 order by position
  ) l) as lines,
  (select coalesce(json_agg(u), '[]') from (
    select u.id, u.serial, u.location, u.state, u.bookings_allowed as "bookingsAllowed", u.shared_box as "sharedBox",
      coalesce((select json_agg(json_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'picked', l.picked,
        'packed', l.packed, 'short', l.short) order by l.line_id) from unit_lines l where l.unit_id = u.id), '[]') as lines
    from units u where u.order_id = $1 order by u.serial
  ) u) as units,
  (select coalesce(json_agg(p), '[]') from (
    select p.id, unit_id as "unitId", attempt, courier, c.connector, service, reference, state, waybill,
      courier_booking_id as "courierBookingId", amount_due_minor as "amountDueMinor", label_amount_minor as "labelAmountMinor", rebook,
      rides_in as "ridesIn"
    from parcels p join connections c on c.name = p.courier where order_id = $1 order by attempt
  ) p) as parcels,
  exists (select from tasks where order_id = $1 and state = 'open') as "hasTasks"`

interface Parts {
  lines: LineRecord[]
  units: UnitRecord[]
  parcels: ParcelRecord[]
  hasTasks: boolean
}

const ROW = 'id, connection, doc, facts, phase, closed, revision, course, news, settings_version, external_version, content_hash'

/**
 * The lock comes first, in a statement of its own: what is read after it is what the last holder wrote. Both go to the server
 * together.
 */
async function lock(tx: Tx, orderId: string): Promise<OrderRecord> {
  const [rows, parts] = await Promise.all([
    tx.query<OrderRow>({
      name: 'lock-order',
      text: `select ${ROW} from orders where id = $1 for no key update`,
      values: [orderId],
    }),
    tx.query<Parts>({ name: 'read-parts', text: PARTS, values: [orderId] }),
  ])
  return new OrderRecord(found(rows.rows[0], `order ${orderId}`), found(parts.rows[0], `order ${orderId}`))
}

export async function readOrder(db: Queryable, orderId: string): Promise<OrderRecord> {
  const { rows } = await db.query<OrderRow & Parts>({
    name: 'read-order',
    text: `select o.*, p.* from (select ${ROW} from orders where id = $1) o cross join (${PARTS}) p`,
    values: [orderId],
  })
  const row = found(rows[0], `order ${orderId}`)
  return new OrderRecord(row, row)
}

export interface Changed<T> {
  result: T
  view: OrderView
  record: OrderRecord
}

/** Locks the order, lets `change` work on it, writes it back. `by: 'saga'` marks the news as seen. */
export async function changeOrder<T>(
  pool: Pool,
  orderId: string,
  by: 'saga' | 'world',
  change: (record: OrderRecord, tx: Tx) => Promise<T> | T,
): Promise<Changed<T>> {
  return await framedTransaction(pool, {
    read: (tx) => lock(tx, orderId),
    work: async (tx, record) => ({ result: await change(record, tx), record }),
    write: (tx, record) => record.save(tx, by === 'saga'),
  }).then(({ result, record }) => ({ result, view: record.view(), record }))
}

/** Several orders in one transaction, each as `changeOrder` has it; locked in the order of their ids. */
export async function changeOrders<T>(
  pool: Pool,
  orderIds: readonly string[],
  change: (records: ReadonlyMap<string, OrderRecord>, tx: Tx) => Promise<T>,
): Promise<T> {
  const ids = [...new Set(orderIds)].sort()
  return await framedTransaction(pool, {
    read: (tx) => Promise.all(ids.map((id) => lock(tx, id))),
    work: (tx, records) => change(new Map(records.map((record) => [record.id, record])), tx),
    write: (tx, records) => Promise.all(records.map((record) => record.save(tx, false))),
  })
}

/** The canonical order as every command and route shows it. */
export function canonicalOf(record: OrderRecord): CanonicalOrder {
  const {
    cancelled: _cancelled,
    onHold: _onHold,
    fulfilled: _fulfilled,
    toldAmounts: _toldAmounts,
    paidHere: _paidHere,
    ...doc
  } = record.doc
  return {
    id: record.id,
    ...doc,
    lines: record.lines.map((line) => ({
      lineId: line.lineId,
      sku: line.sku,
      externalSku: line.externalSku,
      name: line.name,
      variant: line.variant,
      quantity: line.ordered,
      unitPriceMinor: line.unitPriceMinor,
      gift: line.gift,
    })),
    phase: record.phase,
  }
}

/** The order as its source tells it, for checks and merging. */
export const incomingOf = (record: OrderRecord): IncomingOrder => {
  const { id: _id, phase: _phase, ...order } = canonicalOf(record)
  return { ...order, cancelled: record.doc.cancelled, onHold: record.doc.onHold }
}
