/**
 * Who is owed which fact when it becomes true: the one place that says so. Written with the order itself (orderRecord.ts), so that a
 * fact and what is owed for it become true together. Told by activities/dispatch.ts.
 */
import type { FactName } from '../domain/facts.ts'
import type { Queryable } from './db.ts'
import { owe, type OwedKind, type Participant } from './outbox.ts'
import type { Side } from './sides.ts'

/** What happened to an order, seen from whoever must know of it. */
export type Happening = 'placed' | 'confirmed' | 'booked' | 'shipped' | 'delivered' | 'returned' | 'cancelled'

interface Debt {
  kind: OwedKind
  /**
   * `origin`: the connection that brought the order. `erp`: every one that keeps books for its channel. `warehouse`: the one that packed the
   * unit. `tracker`: every one that follows the parcel's courier.
   */
  to: 'origin' | 'erp' | 'warehouse' | 'tracker'
  side: Side
}

const OWED: Record<Happening, Debt[]> = {
  placed: [{ kind: 'placed', to: 'origin', side: 'acknowledge' }],
  confirmed: [{ kind: 'sale', to: 'erp', side: 'erp' }],
  booked: [
    { kind: 'tracking', to: 'origin', side: 'tracking' },
    { kind: 'label', to: 'warehouse', side: 'warehouse' },
    { kind: 'registered', to: 'tracker', side: 'tracker' },
  ],
  // An ERP that was connected meanwhile hears of the sale first.
  shipped: [
    { kind: 'sale', to: 'erp', side: 'erp' },
    { kind: 'shipment', to: 'erp', side: 'erp' },
  ],
  delivered: [{ kind: 'delivered', to: 'origin', side: 'delivered' }],
  returned: [{ kind: 'goodsReturned', to: 'erp', side: 'erp' }],
  // An ERP that has a sale is told by CANCELLED_SALES.
  cancelled: [{ kind: 'cancelled', to: 'origin', side: 'cancel' }],
}

const PARTICIPANT: Record<Debt['to'], Participant> = {
  origin: 'channel',
  erp: 'erp',
  warehouse: 'warehouse',
  tracker: 'tracker',
}

export interface Became {
  what: Happening
  unitId?: string
  parcel?: { id: string; courier: string; service: string }
  /** Pieces that a customer gave back. */
  returned?: { about: string; returnId: string; lines: { lineId: string; quantity: number }[] }
  /** Of a cancellation: who asked, and why. */
  by?: string
  reason?: string
}

export interface Statement {
  name: string
  text: string
  values: unknown[]
}

/** What a fact is about: the same of the same is owed once. */
const aboutOf = (orderId: string, became: Became): string =>
  became.returned?.about ?? became.parcel?.id ?? became.unitId ?? orderId

const isOwed = (debt: Debt, became: Became): boolean => {
  // The channel booked it itself, or asked for it itself.
  if (debt.to === 'origin' && became.parcel?.service === 'channel') return false
  return !(debt.kind === 'cancelled' && (became.by ?? '').startsWith('channel:'))
}

/** @returns nothing when what happened concerns nobody. */
export function oweStatements(order: { id: string; connection: string; channel: string }, happened: Became[]): Statement[] {
  const debts = happened.flatMap((became) =>
    OWED[became.what]
      .filter((debt) => isOwed(debt, became))
      .map(({ kind, to, side }) => ({
        kind,
        to,
        side,
        participant: PARTICIPANT[to],
        // A sale is one document of the order, whatever made it owed.
        about: kind === 'sale' ? order.id : aboutOf(order.id, became),
        unit: became.unitId ?? null,
        courier: became.parcel?.courier ?? null,
        payload: payloadOf(order.id, kind, became),
      })),
  )
  const statements =
    debts.length === 0
      ? []
      : [{ name: 'owe-facts', text: OWE, values: [order.id, order.connection, order.channel, JSON.stringify(debts)] }]
  const cancelled = happened.find(({ what }) => what === 'cancelled')
  return cancelled === undefined ? statements : [...statements, cancelledSales(order.id, cancelled.reason ?? '')]
}

function payloadOf(orderId: string, kind: OwedKind, { unitId, parcel, returned, reason }: Became): Record<string, unknown> {
  if (kind === 'sale') return { reference: orderId }
  return {
    ...(unitId === undefined ? {} : { unitId }),
    ...(parcel === undefined ? {} : { parcelId: parcel.id }),
    ...(returned === undefined ? {} : returned),
    ...(reason === undefined ? {} : { reason }),
  }
}

/** Every ERP that has heard of the sale, or may have, is told that it is none. */
export const cancelledSales = (orderId: string, reason: string): Statement => ({
  name: 'owe-cancelled-sales',
  text: `insert into outbox (key, participant, connection, kind, order_id, payload)
         select 'saleCancelled:' || substr(o.key, 6), 'erp', o.connection, 'saleCancelled', o.order_id,
           jsonb_build_object('reference', o.payload->'reference', 'reason', $2::text)
         from outbox o where o.order_id = $1 and o.kind = 'sale' order by o.id on conflict (key) do nothing`,
  values: [orderId, reason],
})

/** An ERP that has heard of the sale, or may have, hears of it anew as another document; one that has not reads what is true then. */
export async function reviseSales(db: Queryable, order: { id: string }): Promise<void> {
  const told = await db.query<{ key: string; connection: string; serial: number }>(
    `select distinct on (connection) key, connection, count(*) over (partition by connection) as serial from outbox
     where order_id = $1 and kind = 'sale' order by connection, id desc`,
    [order.id],
  )
  for (const { key, connection, serial } of told.rows) {
    const untold = await db.query(
      `update outbox set error = null where key = $1 and state = 'due' and tried_at is null returning id`,
      [key],
    )
    if (untold.rowCount !== 0) continue
    const reference = `${order.id}/${Number(serial) + 1}`
    await db.query(cancelledSales(order.id, 'the order was changed'))
    await owe(db, {
      key: `sale:${reference}:${connection}`,
      participant: 'erp',
      connection,
      kind: 'sale',
      orderId: order.id,
      payload: { reference },
    })
  }
}

const OWE = `
  insert into outbox (key, participant, connection, kind, order_id, payload)
  select d.kind || ':' || d.about || case when d."to" in ('erp', 'tracker') then ':' || c.name else '' end,
    case when d."to" = 'origin' and 'pos' = any(c.sides) then 'pos' else d.participant end, c.name, d.kind, $1, d.payload
  from rows from (jsonb_to_recordset($4::jsonb) as
      (kind text, "to" text, side text, participant text, about text, unit text, courier text, payload jsonb)) with ordinality d
  join connections c on d.side = any(c.sides) and case d."to"
    when 'origin' then c.name = $2
    when 'erp' then jsonb_typeof(c.config->'channels') is distinct from 'array' or c.config->'channels' ? $3
    when 'tracker' then c.config->'follows' ? d.courier
    else c.name = (select l.warehouse_connection from units u join locations l on l.id = u.location where u.id = d.unit)
  end
  order by d.ordinality, c.name on conflict (key) do nothing`

/** What became true of units and parcels since the order was loaded. */
export interface StatesBefore {
  units: ReadonlyMap<string, string>
  parcels: ReadonlyMap<string, string>
}

const LEFT = new Set(['shipped', 'delivered', 'returned'])
const UNBOOKED = new Set([undefined, 'intended', 'sent'])
const BOOKED = new Set(['booked', 'shipped', 'delivered', 'returning', 'returned'])

/** Compares an order with what it was when it was loaded. Pure. */
export function happenings(
  before: StatesBefore,
  now: {
    facts: { fact: FactName; data: Record<string, unknown> }[]
    units: { id: string; state: string }[]
    parcels: { id: string; unitId: string; state: string; courier: string; service: string }[]
  },
): Became[] {
  const became: Became[] = []
  for (const { fact, data } of now.facts) {
    if (fact === 'confirmed') became.push({ what: 'confirmed' })
    if (fact === 'cancelled') became.push({ what: 'cancelled', by: String(data.by ?? ''), reason: String(data.reason ?? '') })
  }
  for (const parcel of now.parcels)
    if (BOOKED.has(parcel.state) && UNBOOKED.has(before.parcels.get(parcel.id)))
      became.push({ what: 'booked', unitId: parcel.unitId, parcel })
  for (const { id, state } of now.units) {
    const was = before.units.get(id)
    if (was === state) continue
    if (LEFT.has(state) && !LEFT.has(was ?? '')) became.push({ what: 'shipped', unitId: id })
    if (state === 'delivered') became.push({ what: 'delivered', unitId: id })
    if (state === 'returned') became.push({ what: 'returned', unitId: id })
  }
  return became
}
