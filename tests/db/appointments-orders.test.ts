/** Appointments and the orders they belong to; reminders, late and no-show by time; customers without an order. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  arriveAt,
  bookAppointment,
  cancelAppointment,
  moveAppointment,
  sweepAppointments,
} from '../../activities/store/appointments.ts'
import { audit } from '../../store/audit.ts'
import { listAppointments, type Appointment } from '../../store/appointments.ts'
import { lines, startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
const HALF_HOUR = 30 * 60_000
beforeAll(async () => {
  spine = await startSpine()
  const always = [{ from: '00:00', to: '24:00' }]
  const week = Object.fromEntries(['1', '2', '3', '4', '5', '6', '7'].map((day) => [day, always]))
  await spine.runtime.pool.query(`insert into store_hours values ('shop', $1)`, [{ week, slotMinutes: 30, staff: 3 }])
})
afterAll(() => spine.stop())

/** The beginning of the half hour in so many half hours. */
const slot = (inHalfHours: number) => new Date(Math.ceil(Date.now() / HALF_HOUR + inHalfHours) * HALF_HOUR).toISOString()
let serial = 0
const book = (orderId: string | null, inHalfHours: number): Promise<Appointment> =>
  bookAppointment(spine.runtime, {
    key: `k${serial++}`,
    location: 'shop',
    startsAt: slot(inHalfHours),
    kind: orderId === null ? 'groupBuy' : 'tryOn',
    orderId,
    campaign: null,
    customer: { name: '王小明', phone: '+886912345678', email: 'ming@example.com', lineUserId: null },
    notes: null,
    by: 'test',
  })
async function tryOn(): Promise<string> {
  const orderId = await spine.place({
    kind: 'tryOn',
    lines: lines(['TEE-S', 1]),
    delivery: { method: 'handOver', location: 'shop' },
    payment: { method: 'cod', state: 'unpaid', amountDueMinor: 10_000 },
  } as never)
  await spine.steps.check(orderId)
  await spine.steps.reserve(orderId)
  await spine.steps.holdForTryOn(orderId)
  return orderId
}
const until = async (orderId: string) => String((await spine.order(orderId)).facts.tryOnHeld?.until)
const stateOf = async (id: string) =>
  (await listAppointments(spine.runtime.pool, {})).find((appointment) => appointment.id === id)?.state
/** As if it had begun so many minutes ago. */
async function began(id: string, minutesAgo: number): Promise<void> {
  await spine.runtime.pool.query(
    `with moved as (update appointments set starts_at = date_trunc('second', now() - $2 * interval '1 minute'), updated_at = now() - interval '9 days' where id = $1 returning starts_at, location)
     insert into slots (location, starts_at, capacity, taken) select location, starts_at, 1, 1 from moved on conflict do nothing`,
    [id, minutesAgo],
  )
  await spine.runtime.pool.query(
    `update slots s set taken = (select count(*) from appointments a where a.location = s.location and a.starts_at = s.starts_at
       and a.state in ('booked', 'late', 'arrived'))`,
  )
}
const notices = async (): Promise<{ template: string; orderId: string | null; contact: unknown }[]> =>
  (await spine.runtime.pool.query('select template, order_id as "orderId", contact from notices order by id')).rows as never
const sound = async () => expect((await audit(spine.runtime.pool)).violations).toEqual([])

it('an appointment says until when a try-on is kept, and moving it moves that', async () => {
  const orderId = await tryOn()
  const appointment = await book(orderId, 6)
  expect(await until(orderId)).toBe(new Date(Date.parse(appointment.startsAt) + HALF_HOUR).toISOString())
  const course = (await spine.order(orderId)).course
  const moved = await moveAppointment(spine.runtime, appointment.id, { startsAt: slot(20) })
  expect(await until(orderId)).toBe(new Date(Date.parse(moved.startsAt) + HALF_HOUR).toISOString())
  expect((await spine.order(orderId)).course, 'the running wait starts over').toBeGreaterThan(course)
  expect(
    (await spine.runtime.pool.query(`select from holds where order_id = $1 and expires_at > $2`, [orderId, slot(20)])).rowCount,
  ).toBe(1)
  expect((await notices()).filter((notice) => notice.orderId === orderId).map((notice) => notice.template)).toEqual([
    'tryOnHeld',
    'appointmentBooked',
    'appointmentBooked',
  ])
  await sound()
})

it('an appointment that is booked before the goods are there counts once they are', async () => {
  const orderId = await spine.place({
    kind: 'tryOn',
    lines: lines(['TEE-S', 1]),
    delivery: { method: 'handOver', location: 'shop' },
  })
  await spine.steps.check(orderId)
  const appointment = await book(orderId, 8)
  await spine.steps.reserve(orderId)
  await spine.steps.holdForTryOn(orderId)
  expect(await until(orderId)).toBe(new Date(Date.parse(appointment.startsAt) + HALF_HOUR).toISOString())
})

it('who arrives at the appointment has arrived for the order, and the other way round', async () => {
  const [first, second] = [await tryOn(), await tryOn()]
  const byAppointment = await book(first, 6)
  expect((await arriveAt(spine.runtime, byAppointment.id)).state).toBe('arrived')
  expect((await spine.order(first)).is('tryOnArrived')).toBe(true)
  const byOrder = await book(second, 6)
  expect((await spine.command(second, 'arrived')).state).toBe('done')
  expect(await stateOf(byOrder.id)).toBe('arrived')
  await sound()
})

it('who does not come is late, then a no-show: the goods of the try-on are on sale again, the chair is free', async () => {
  const orderId = await tryOn()
  const { id } = await book(orderId, 6)
  await began(id, 11)
  await sweepAppointments(spine.runtime)
  expect(await stateOf(id)).toBe('late')
  expect(await spine.held(orderId)).toBe(1)
  await began(id, 31)
  await sweepAppointments(spine.runtime)
  await sweepAppointments(spine.runtime)
  expect(await stateOf(id)).toBe('noShow')
  expect(await spine.held(orderId)).toBe(0)
  expect((await spine.order(orderId)).phase).toBe('cancelled')
  expect((await notices()).filter((n) => n.orderId === orderId).map((n) => n.template)).toContain('tryOnMissed')
  await sound()
})

it("the saga's own no-show is the appointment's", async () => {
  const orderId = await tryOn()
  const { id } = await book(orderId, 6)
  await spine.steps.noShow(orderId)
  expect(await stateOf(id)).toBe('noShow')
  await sound()
})

it('a cancelled appointment leaves the goods to a person, or releases them where the policy says so', async () => {
  const orderId = await tryOn()
  const { id } = await book(orderId, 6)
  await cancelAppointment(spine.runtime, id)
  expect((await spine.tasks(orderId)).map((task) => task.kind)).toEqual(['tryOn.appointmentCancelled'])
  expect(await spine.held(orderId)).toBe(1)
  const again = await book(orderId, 7)
  expect(await spine.tasks(orderId)).toEqual([])
  const policy = await spine.runtime.policy()
  const releasing = { ...spine.runtime, policy: () => Promise.resolve({ ...policy, appointmentCancelled: 'release' as const }) }
  await cancelAppointment(releasing, again.id)
  expect(await spine.held(orderId)).toBe(0)
  await sound()
})

it('a customer without an order is reminded once, also by several sweeps, and told when the appointment is missed', async () => {
  const { id } = await book(null, 6)
  const before = (await notices()).length
  await spine.runtime.pool.query(`update appointments set updated_at = now() - interval '3 days' where id = $1`, [id])
  await Promise.all(Array.from({ length: 4 }, () => sweepAppointments(spine.runtime)))
  await sweepAppointments(spine.runtime)
  expect((await notices()).slice(before).map(({ template, orderId }) => [template, orderId])).toEqual([
    ['appointmentReminder', null],
  ])
  expect((await notices()).at(-1)?.contact).toMatchObject({ email: 'ming@example.com', location: 'shop' })
  await began(id, 31)
  await sweepAppointments(spine.runtime)
  expect((await notices()).at(-1)?.template).toBe('appointmentMissed')
  await sound()
})
