/** Appointments: a slot is taken under its row's lock, so that a chair is never promised twice. */
import { OpeningHours, slotsOf, type Slot } from '../domain/appointments.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { addDays, localTime } from '../domain/localTime.ts'
import { appointmentIdOf } from '../domain/ids.ts'
import type { Policy } from '../domain/policy.ts'
import type { Queryable, Tx } from './db.ts'

export type AppointmentState = 'booked' | 'late' | 'arrived' | 'noShow' | 'cancelled'
export interface Customer {
  name: string | null
  phone: string | null
  email: string | null
  lineUserId: string | null
}
export interface Appointment extends Slot {
  id: string
  location: string
  kind: 'tryOn' | 'groupBuy' | 'visit'
  orderId: string | null
  campaign: string | null
  customer: Customer
  notes: string | null
  state: AppointmentState
}
export interface NewAppointment {
  /** The request's own: asked twice, it is one appointment. */
  key: string
  location: string
  /** ISO 8601; must be the beginning of a slot. */
  startsAt: string
  kind: Appointment['kind']
  orderId: string | null
  campaign: string | null
  customer: Customer
  notes: string | null
  by: string
}

const COLUMNS = `id, location, to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startsAt",
  to_char(ends_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "endsAt",
  kind, order_id as "orderId", campaign, customer, notes, state`
/** States in which the chair is taken. */
const SEATED: readonly AppointmentState[] = ['booked', 'late', 'arrived']

interface Store {
  hours: OpeningHours
  zone: string
}

/** @throws Invalid: no such store, or none that takes appointments. */
async function storeOf(db: Queryable, location: string): Promise<Store> {
  const { rows } = await db.query<{ zone: string; hours: unknown }>(
    'select l.zone, h.hours from locations l left join store_hours h on h.location = l.id where l.id = $1',
    [location],
  )
  const [row] = rows
  if (row === undefined)
    throw new OmnisagaError('Invalid', `there is no location ${location}`, { code: 'location', remedy: 'Name a configured one.' })
  if (row.hours === null)
    throw new OmnisagaError('Invalid', `${location} takes no appointments`, {
      code: 'no-hours',
      remedy: 'Give the location `openingHours` in the configuration.',
    })
  return { hours: OpeningHours.parse(row.hours), zone: row.zone }
}

/** The slots of a local day with what is free of each. */
export async function freeSlots(db: Queryable, location: string, day: string): Promise<(Slot & { free: number })[]> {
  const { hours, zone } = await storeOf(db, location)
  const slots = slotsOf(hours, day, zone)
  const { rows } = await db.query<{ startsAt: Date; taken: number }>(
    'select starts_at as "startsAt", taken from slots where location = $1 and starts_at = any($2::timestamptz[])',
    [location, slots.map((slot) => slot.startsAt)],
  )
  const taken = new Map(rows.map((row) => [row.startsAt.toISOString(), row.taken]))
  return slots.map((slot) => ({ ...slot, free: Math.max(0, hours.staff - (taken.get(slot.startsAt) ?? 0)) }))
}

/** @throws Invalid when nothing begins then; Rejected, code `full`, naming the next free slots. */
async function takeSlot(tx: Tx, location: string, startsAt: string, now: Date): Promise<Slot> {
  const { hours, zone } = await storeOf(tx, location)
  const wanted = new Date(startsAt).toISOString()
  const day = localTime(wanted, zone).date
  const slot = slotsOf(hours, day, zone).find((each) => each.startsAt === wanted)
  if (slot === undefined)
    throw new OmnisagaError('Invalid', `no appointment begins at ${startsAt} at ${location}`, {
      code: 'no-slot',
      remedy: `Choose one of GET /api/v1/stores/${location}/slots?date=${day}.`,
    })
  if (slot.startsAt < now.toISOString())
    throw new OmnisagaError('Invalid', `${startsAt} is over`, { code: 'past', remedy: 'Choose a slot to come.' })
  await tx.query(
    `insert into slots (location, starts_at, capacity) values ($1, $2, $3)
     on conflict (location, starts_at) do update set capacity = greatest(slots.taken, excluded.capacity)`,
    [location, slot.startsAt, hours.staff],
  )
  const got = await tx.query('update slots set taken = taken + 1 where location = $1 and starts_at = $2 and taken < capacity', [
    location,
    slot.startsAt,
  ])
  if (got.rowCount === 1) return slot
  const next = await nextFree(tx, location, day, slot.startsAt)
  throw new OmnisagaError('Rejected', `${startsAt} at ${location} is fully booked`, {
    code: 'full',
    remedy: next.length > 0 ? `The next free ones are ${next.join(', ')}.` : 'Choose another day.',
  })
}

async function nextFree(db: Queryable, location: string, day: string, after: string): Promise<string[]> {
  const days = [day, addDays(day, 1)]
  const slots = (await Promise.all(days.map((each) => freeSlots(db, location, each)))).flat()
  return slots
    .filter((slot) => slot.free > 0 && slot.startsAt > after)
    .slice(0, 3)
    .map((slot) => slot.startsAt)
}

const freeSlot = (tx: Tx, { location, startsAt }: Pick<Appointment, 'location' | 'startsAt'>) =>
  tx.query('update slots set taken = taken - 1 where location = $1 and starts_at = $2 and taken > 0', [location, startsAt])

/** @throws Invalid, Rejected (`full`; `order-has-one`: the order has another appointment). */
export async function book(tx: Tx, asked: NewAppointment, now: Date): Promise<Appointment> {
  const known = await tx.query<Appointment>(`select ${COLUMNS} from appointments where key = $1`, [asked.key])
  if (known.rows[0] !== undefined) return known.rows[0]
  const slot = await takeSlot(tx, asked.location, asked.startsAt, now)
  // Two requests with one key: the slot's lock lets the second look only now.
  const again = await tx.query<Appointment>(`select ${COLUMNS} from appointments where key = $1`, [asked.key])
  if (again.rows[0] !== undefined) {
    await freeSlot(tx, { ...asked, startsAt: slot.startsAt })
    return again.rows[0]
  }
  if (asked.orderId !== null) await refuseSecond(tx, asked.orderId)
  const { rows } = await tx.query<Appointment>(
    `insert into appointments (id, key, location, starts_at, ends_at, kind, order_id, campaign, customer, notes, by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning ${COLUMNS}`,
    [
      appointmentIdOf(asked.key),
      asked.key,
      asked.location,
      slot.startsAt,
      slot.endsAt,
      asked.kind,
      asked.orderId,
      asked.campaign,
      asked.customer,
      asked.notes,
      asked.by,
    ],
  )
  return rows[0] as Appointment
}

async function refuseSecond(tx: Tx, orderId: string): Promise<void> {
  const other = await tx.query<{ id: string }>('select id from appointments where order_id = $1 and state = any($2)', [
    orderId,
    SEATED,
  ])
  if (other.rows[0] !== undefined)
    throw new OmnisagaError('Rejected', `order ${orderId} has the appointment ${other.rows[0].id} already`, {
      code: 'order-has-one',
      remedy: 'Move that one.',
    })
}

/** The order's newest appointment that was not cancelled. */
export async function appointmentOf(db: Queryable, orderId: string): Promise<Appointment | null> {
  const { rows } = await db.query<Appointment>(
    `select ${COLUMNS} from appointments where order_id = $1 and state <> 'cancelled' order by created_at desc limit 1`,
    [orderId],
  )
  return rows[0] ?? null
}

/** @throws Invalid when there is none. */
export async function getAppointment(db: Queryable, id: string): Promise<Appointment> {
  const { rows } = await db.query<Appointment>(`select ${COLUMNS} from appointments where id = $1`, [id])
  if (rows[0] === undefined)
    throw new OmnisagaError('Invalid', `there is no appointment ${id}`, { code: 'no-appointment', remedy: 'List them.' })
  return rows[0]
}

/** Booked (or moved) before their reminder was due, and not reminded yet. */
export async function toRemind(db: Queryable, beforeMs: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from appointments where state = 'booked' and reminded_at is null and starts_at > now()
       and starts_at <= now() + $1 * interval '1 millisecond' and updated_at <= starts_at - $1 * interval '1 millisecond'
     order by starts_at limit 200`,
    [beforeMs],
  )
  return rows.map((row) => row.id)
}

/** Of these states, begun more than `afterMs` ago. */
export async function missedAppointments(
  db: Queryable,
  states: readonly AppointmentState[],
  afterMs: number,
): Promise<{ id: string; orderId: string | null }[]> {
  const { rows } = await db.query<{ id: string; orderId: string | null }>(
    `select id, order_id as "orderId" from appointments
     where state = any($1) and state in ('booked', 'late') and starts_at < now() - $2 * interval '1 millisecond' order by starts_at limit 200`,
    [states, afterMs],
  )
  return rows
}

/** @throws Invalid when there is none. */
export async function lockAppointment(tx: Tx, id: string): Promise<Appointment> {
  const { rows } = await tx.query<Appointment>(`select ${COLUMNS} from appointments where id = $1 for update`, [id])
  if (rows[0] === undefined)
    throw new OmnisagaError('Invalid', `there is no appointment ${id}`, { code: 'no-appointment', remedy: 'List them.' })
  return rows[0]
}

function refuseUnless(appointment: Appointment, states: readonly AppointmentState[], what: string): void {
  if (!states.includes(appointment.state))
    throw new OmnisagaError('Rejected', `appointment ${appointment.id} is ${appointment.state} and cannot be ${what}`, {
      code: 'state',
    })
}

/** The new chair first, then the old one goes: a full slot leaves everything as it was. */
export async function move(tx: Tx, id: string, to: { location?: string; startsAt: string }, now: Date): Promise<Appointment> {
  const old = await lockAppointment(tx, id)
  refuseUnless(old, ['booked', 'late', 'noShow'], 'moved')
  const location = to.location ?? old.location
  const wanted = new Date(to.startsAt).toISOString()
  if (location === old.location && wanted === old.startsAt) return old
  // Two who swap their slots would wait for one another: rows are locked in key order.
  await tx.query(
    'select from slots where (location, starts_at) in (($1, $2::timestamptz), ($3, $4::timestamptz)) order by location, starts_at for update',
    [old.location, old.startsAt, location, wanted],
  )
  const slot = await takeSlot(tx, location, wanted, now)
  if (old.state !== 'noShow') await freeSlot(tx, old)
  const { rows } = await tx.query<Appointment>(
    `update appointments set location = $2, starts_at = $3, ends_at = $4, state = 'booked', reminded_at = null, updated_at = now()
     where id = $1 returning ${COLUMNS}`,
    [id, location, slot.startsAt, slot.endsAt],
  )
  return rows[0] as Appointment
}

/** Cancelling twice is cancelling once. The chair of who cancels, or does not come, is free again. */
export async function setState(tx: Tx, id: string, state: AppointmentState): Promise<Appointment> {
  const old = await lockAppointment(tx, id)
  if (old.state === state) return old
  if (state === 'arrived') refuseUnless(old, ['booked', 'late', 'noShow'], 'met')
  if (state === 'cancelled') refuseUnless(old, ['booked', 'late'], 'cancelled')
  if (state === 'late') refuseUnless(old, ['booked'], 'late')
  if (state === 'noShow') refuseUnless(old, ['booked', 'late'], 'missed')
  if (state === 'cancelled' || state === 'noShow') await freeSlot(tx, old)
  // Who comes after all is served, by one more than there were to be if need be.
  if (state === 'arrived' && old.state === 'noShow')
    await tx.query(
      'update slots set taken = taken + 1, capacity = greatest(capacity, taken + 1) where location = $1 and starts_at = $2',
      [old.location, old.startsAt],
    )
  await tx.query('update appointments set state = $2, updated_at = now() where id = $1', [id, state])
  return { ...old, state }
}

export async function listAppointments(
  db: Queryable,
  filter: { location?: string; from?: string; to?: string; orderId?: string; state?: AppointmentState },
): Promise<Appointment[]> {
  const { rows } = await db.query<Appointment>(
    `select ${COLUMNS} from appointments where ($1::text is null or location = $1) and ($2::timestamptz is null or starts_at >= $2)
       and ($3::timestamptz is null or starts_at < $3) and ($4::text is null or order_id = $4) and ($5::text is null or state = $5)
     order by starts_at, id limit 500`,
    [filter.location ?? null, filter.from ?? null, filter.to ?? null, filter.orderId ?? null, filter.state ?? null],
  )
  return rows
}

export const noShowAt = ({ startsAt }: Pick<Appointment, 'startsAt'>, policy: Pick<Policy, 'appointmentNoShowMs'>): Date =>
  new Date(Date.parse(startsAt) + policy.appointmentNoShowMs)

/** What the saga's own timer, or the verb `arrived`, makes of the order's appointment. */
export async function settleAppointment(tx: Tx, orderId: string, state: 'noShow' | 'arrived'): Promise<void> {
  const appointment = await appointmentOf(tx, orderId)
  if (appointment === null) return
  if (state === 'arrived' ? appointment.state !== 'arrived' : ['booked', 'late'].includes(appointment.state))
    await setState(tx, appointment.id, state)
}
