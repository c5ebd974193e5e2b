/** Who knows what of an order: every participant by every fact, owed, told and acknowledged. */
import type { Queryable } from './db.ts'
import type { OwedKind, Participant } from './outbox.ts'

export type OrderFact =
  'placed' | 'paid' | 'changed' | 'cancelled' | 'waybill' | 'shipped' | 'delivered' | 'returned' | 'refunded'

export interface ParticipantFact {
  participant: Participant
  /** The connection; null for a customer whom nobody reaches. */
  connection: string | null
  fact: OrderFact
  /** What it is told: a kind of the outbox, a notice's template, a wave, a booking. */
  what: string
  /** The unit, parcel or document it is about; null: the order. */
  about: string | null
  /** `retrying`: it was tried and not acknowledged yet. `task`: a person must act. `notNeeded`: with the reason. */
  state: 'owed' | 'retrying' | 'acknowledged' | 'task' | 'notNeeded'
  /** ISO 8601. */
  owedAt: string
  toldAt: string | null
  acknowledgedAt: string | null
  attempts: number
  /** Why not yet, or not at all. */
  reason: string | null
  /** What the participant made of it: its id and its number as people read it. */
  document: { id: string | null; number: string | null } | null
}

const FACT_OF: Record<Exclude<OwedKind, 'notice'>, OrderFact> = {
  placed: 'placed',
  tracking: 'waybill',
  delivered: 'delivered',
  cancelled: 'cancelled',
  refund: 'refunded',
  sale: 'placed',
  shipment: 'shipped',
  saleCancelled: 'cancelled',
  goodsReturned: 'returned',
  label: 'waybill',
  recall: 'cancelled',
  registered: 'waybill',
  pickupStore: 'changed',
}

/** Of what a notice tells. What is not named is about how the order stands: `placed`. */
const FACT_OF_NOTICE: Record<string, OrderFact> = {
  awaitPayment: 'paid',
  onItsWay: 'waybill',
  arrivedAtPickup: 'shipped',
  readyForPickup: 'shipped',
  delivered: 'delivered',
  cancelled: 'cancelled',
  refunded: 'refunded',
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

interface OwedRow extends Omit<ParticipantFact, 'fact' | 'what' | 'about' | 'state'> {
  kind: OwedKind
  key: string
  payload: { unitId?: string; parcelId?: string; reference?: string }
  state: 'due' | 'done' | 'dead' | 'skipped'
  template: string | null
}

/** In the order in which it became owed. */
export async function participantsOf(db: Queryable, orderId: string): Promise<ParticipantFact[]> {
  const [owed, kept, moved] = [await owedRows(db, orderId), await keptNotices(db, orderId), await movedRows(db, orderId)]
  return [...owed, ...kept, ...moved].sort((a, b) => a.owedAt.localeCompare(b.owedAt))
}

async function owedRows(db: Queryable, orderId: string): Promise<ParticipantFact[]> {
  const { rows } = await db.query<OwedRow>(
    `select o.participant, o.connection, o.kind, o.key, o.payload, o.state, o.attempts, o.error as reason, o.document, n.template,
       ${ISO('o.created_at')} as "owedAt", ${ISO('o.tried_at')} as "toldAt", ${ISO('o.done_at')} as "acknowledgedAt"
     from outbox o left join notices n on o.kind = 'notice' and n.key = o.payload->>'notice' where o.order_id = $1 order by o.id`,
    [orderId],
  )
  return rows.map(({ kind, key: _key, payload, state, template, ...row }) => {
    const isTold = state === 'done' || state === 'dead' || row.attempts > 0
    const [fact, what]: [OrderFact, string] =
      kind === 'notice'
        ? [FACT_OF_NOTICE[template ?? ''] ?? 'placed', template ?? kind]
        : [isRevision(payload) ? 'changed' : FACT_OF[kind], kind]
    return {
      ...row,
      fact,
      what,
      about: payload.parcelId ?? payload.unitId ?? payload.reference ?? null,
      state: stateOf(state, row.attempts),
      toldAt: isTold ? row.toldAt : null,
      acknowledgedAt: state === 'done' ? row.acknowledgedAt : null,
      document: row.document && { id: row.document.id ?? null, number: row.document.number ?? null },
    }
  })
}

/** A sale written anew because the order was changed. */
const isRevision = ({ reference }: OwedRow['payload']): boolean => reference?.includes('/') ?? false

const stateOf = (state: OwedRow['state'], attempts: number): ParticipantFact['state'] =>
  state === 'done'
    ? 'acknowledged'
    : state === 'dead'
      ? 'task'
      : state === 'skipped'
        ? 'notNeeded'
        : attempts > 0
          ? 'retrying'
          : 'owed'

/** Notices that nobody could be asked to send. */
async function keptNotices(db: Queryable, orderId: string): Promise<ParticipantFact[]> {
  const { rows } = await db.query<{ template: string; reason: string | null; at: string }>(
    `select n.template, n.reason, ${ISO('n.at')} as at from notices n
     where n.order_id = $1 and n.sent_at is null and not exists (select from outbox o where o.key = 'notice:' || n.key) order by n.id`,
    [orderId],
  )
  return rows.map(({ template, reason, at }) => ({
    participant: 'customer' as const,
    connection: null,
    fact: FACT_OF_NOTICE[template] ?? 'placed',
    what: template,
    about: null,
    state: 'notNeeded' as const,
    owedAt: at,
    toldAt: null,
    acknowledgedAt: null,
    attempts: 0,
    reason,
    document: null,
  }))
}

/** Told by waves and bookings, whose rows are their own outbox. */
async function movedRows(db: Queryable, orderId: string): Promise<ParticipantFact[]> {
  const { rows } = await db.query<ParticipantFact>(
    `select 'warehouse' as participant, w.connection, 'placed' as fact, 'wave' as what, u.id as about,
       case when w.state = 'written' then 'acknowledged' else 'retrying' end as state, ${ISO('u.handed_over_at')} as "owedAt",
       ${ISO('u.handed_over_at')} as "toldAt", ${ISO('w.written_at')} as "acknowledgedAt", 1 as attempts, null as reason, null as document
     from units u join waves w on w.id = u.wave_id where u.order_id = $1
     union all
     select 'courier', p.courier, case when p.state = 'void' then 'cancelled' else 'placed' end, case when p.state = 'void' then 'void' else 'booking' end, p.id,
       case when p.state = 'intended' then 'owed' when p.state = 'sent' then 'retrying' when p.state = 'refused' then
           case when exists (select from parcels n where n.unit_id = p.unit_id and n.attempt > p.attempt) then 'notNeeded' else 'task' end
         else 'acknowledged' end, ${ISO('p.created_at')}, case when p.state <> 'intended' then ${ISO('coalesce(p.booked_at, p.created_at)')} end,
       ${ISO('p.booked_at')}, p.attempt, p.refusal,
       case when p.courier_booking_id is not null then jsonb_build_object('id', p.courier_booking_id, 'number', p.waybill) end
     from parcels p where p.order_id = $1`,
    [orderId],
  )
  return rows
}
