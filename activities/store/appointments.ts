/** Appointments and the orders they belong to: booked, moved, met, missed and cancelled together, under the order's lock. */
import {
  book,
  getAppointment,
  lockAppointment,
  missedAppointments,
  move,
  noShowAt,
  setState,
  toRemind,
  type Appointment,
  type NewAppointment,
} from '../../store/appointments.ts'
import { transaction, type Tx } from '../../store/db.ts'
import { prolong } from '../../store/ledger/operations.ts'
import { noticeStatement } from '../../store/notices.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import { ring } from '../engine.ts'
import { customerCame, missTryOn, waitsForCustomer } from '../order/tryOn.ts'
import type { Runtime } from '../runtime.ts'

const TEMPLATES = {
  Booked: { template: 'appointmentBooked' },
  Reminder: { template: 'appointmentReminder' },
  Missed: { template: 'appointmentMissed' },
} as const
type Word = keyof typeof TEMPLATES

/** By the order where there is one: its customer, and whether they want notices. */
async function tell(tx: Tx, appointment: Appointment, word: Word): Promise<void> {
  const { id, orderId, startsAt, location, customer } = appointment
  const notice = { key: `${id}:${word}:${startsAt}`, ...TEMPLATES[word], data: { until: startsAt, location } }
  await tx.query(
    noticeStatement(
      orderId === null ? { ...notice, orderId, contact: { ...NOBODY, ...customer, location } } : { ...notice, orderId },
    ),
  )
}
const NOBODY = { name: null, phone: null, email: null, lineUserId: null }

/** Changes an appointment, and its order in the same transaction; the order's lock comes first, as everywhere. */
async function together<T>(
  runtime: Runtime,
  orderId: string | null,
  work: (tx: Tx, record: OrderRecord | null) => Promise<T>,
): Promise<T> {
  if (orderId === null) return await transaction(runtime.pool, (tx) => work(tx, null))
  let course = 0
  const { result, record } = await changeOrder(runtime.pool, orderId, 'world', async (locked, tx) => {
    course = locked.course
    return await work(tx, locked)
  })
  if (record.course !== course && !record.closed) await ringLater(runtime, orderId)
  return result
}

/** What is written is true; the sweep rings again where the engine is away. */
async function ringLater(runtime: Runtime, orderId: string): Promise<void> {
  await ring(runtime, orderId).catch((error: unknown) =>
    runtime.log.warn({ orderId, error: (error as Error).name }, 'the order could not be rung yet'),
  )
}

/** The goods of a try-on are kept until its no-show; a running wait of the saga starts over with the new time. */
export async function expectUntil(tx: Tx, record: OrderRecord, until: Date, holdTtlMs: number): Promise<void> {
  if (!waitsForCustomer(record)) return
  record.withdraw('tryOnHeld')
  record.record('tryOnHeld', { until: until.toISOString() })
  await prolong(tx, { orderId: record.id, expiresAt: new Date(Math.max(until.getTime(), Date.now()) + holdTtlMs) })
  record.changeCourse()
}

/** @throws Invalid, Rejected: see store/appointments.ts; Invalid when there is no such order. */
export async function bookAppointment(runtime: Runtime, asked: NewAppointment): Promise<Appointment> {
  const policy = await runtime.policy()
  return await together(runtime, asked.orderId, async (tx, record) => {
    const appointment = await book(tx, asked, new Date())
    await tell(tx, appointment, 'Booked')
    if (record !== null) {
      await closeTasks(tx, { key: `order:${record.id}:appointment` }, 'booked again')
      await expectUntil(tx, record, noShowAt(appointment, policy), policy.holdTtlMs)
    }
    return appointment
  })
}

export async function moveAppointment(
  runtime: Runtime,
  id: string,
  to: { location?: string; startsAt: string },
): Promise<Appointment> {
  const policy = await runtime.policy()
  const { orderId } = await getAppointment(runtime.pool, id)
  return await together(runtime, orderId, async (tx, record) => {
    const appointment = await move(tx, id, to, new Date())
    await tell(tx, appointment, 'Booked')
    if (record !== null) await expectUntil(tx, record, noShowAt(appointment, policy), policy.holdTtlMs)
    return appointment
  })
}

/** The same as `arrived` of its order. */
export async function arriveAt(runtime: Runtime, id: string): Promise<Appointment> {
  const { orderId } = await getAppointment(runtime.pool, id)
  return await together(runtime, orderId, async (tx, record) => {
    const appointment = await setState(tx, id, 'arrived')
    if (record !== null && waitsForCustomer(record)) {
      await customerCame(record, tx)
      record.changeCourse()
    }
    return appointment
  })
}

/** The chair is free; what becomes of a try-on's goods the policy says. */
export async function cancelAppointment(runtime: Runtime, id: string): Promise<Appointment> {
  const policy = await runtime.policy()
  const { orderId } = await getAppointment(runtime.pool, id)
  return await together(runtime, orderId, async (tx, record) => {
    const before = await lockAppointment(tx, id)
    const appointment = await setState(tx, id, 'cancelled')
    if (before.state === 'cancelled' || record === null || !waitsForCustomer(record)) return appointment
    if (policy.appointmentCancelled === 'release') {
      await missTryOn(record, tx, 'appointmentCancelled')
      record.changeCourse()
      return appointment
    }
    await expectUntil(tx, record, new Date(Date.now() + policy.tryOnNoShowMs), policy.holdTtlMs)
    await openTask(tx, {
      kind: 'tryOn.appointmentCancelled',
      key: `order:${record.id}:appointment`,
      orderId: record.id,
      connection: record.connection,
      subject: record.doc.externalId,
      title: 'The appointment of a try-on was cancelled',
      detail: `The goods of ${record.doc.externalId} are kept until ${String(record.facts.tryOnHeld?.until)}.`,
      remedy: 'Agree on another appointment, or cancel the order so that the goods go back on sale. Skip to let them wait.',
      actions: ['cancel', 'skip'],
    })
    return appointment
  })
}

/** Reminders that are due, who is late, and who did not come. @returns how many were touched. */
export async function sweepAppointments(runtime: Runtime): Promise<number> {
  const policy = await runtime.policy()
  let touched = 0
  for (const id of await toRemind(runtime.pool, policy.appointmentReminderMs)) {
    await transaction(runtime.pool, async (tx) => {
      const appointment = await lockAppointment(tx, id)
      if (appointment.state !== 'booked') return
      await tell(tx, appointment, 'Reminder')
      await tx.query('update appointments set reminded_at = now() where id = $1', [id])
    })
    touched += 1
  }
  for (const { id, orderId } of await missedAppointments(runtime.pool, ['booked'], policy.appointmentLateMs)) {
    await together(runtime, orderId, async (tx) => {
      const { state } = await lockAppointment(tx, id)
      if (state === 'booked') await setState(tx, id, 'late')
    })
    touched += 1
  }
  for (const { id, orderId } of await missedAppointments(runtime.pool, ['booked', 'late'], policy.appointmentNoShowMs)) {
    await together(runtime, orderId, async (tx, record) => {
      const now = await lockAppointment(tx, id)
      // Moved or met meanwhile.
      if (!['booked', 'late'].includes(now.state) || noShowAt(now, policy).getTime() > Date.now()) return
      const missed = await setState(tx, id, 'noShow')
      if (record === null || !waitsForCustomer(record)) return await tell(tx, missed, 'Missed')
      await missTryOn(record, tx, 'noShow')
      record.changeCourse()
    })
    touched += 1
  }
  return touched
}
