/** A chair is never promised twice, whoever asks at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { transaction } from '../../store/db.ts'
import { book, freeSlots, listAppointments, move, setState, type NewAppointment } from '../../store/appointments.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

let db: FreshDatabase
beforeAll(async () => {
  db = await freshDatabase({ max: 32 })
  await db.pool.query(`insert into locations (id, name, kind) values ('xinyi', '信義店', 'store'), ('depot', '倉', 'warehouse')`)
})
afterAll(() => db.drop())

const now = new Date('2026-11-22T00:00:00Z')
const day = '2026-11-23'
const [ten, half, eleven] = ['2026-11-23T02:00:00.000Z', '2026-11-23T02:30:00.000Z', '2026-11-23T03:00:00.000Z'] as const

beforeEach(async () => {
  await db.pool.query('delete from appointments; delete from slots; delete from store_hours')
  const hours = { week: { '1': [{ from: '10:00', to: '12:00' }] }, slotMinutes: 30, staff: 2 }
  await db.pool.query(`insert into store_hours values ('xinyi', $1)`, [hours])
})

let serial = 0
const asked = (more: Partial<NewAppointment> = {}): NewAppointment => ({
  key: `k${serial++}`,
  location: 'xinyi',
  startsAt: ten,
  kind: 'tryOn',
  orderId: null,
  campaign: null,
  customer: { name: '王小明', phone: '+886912345678', email: null, lineUserId: null },
  notes: null,
  by: 'test',
  ...more,
})
const booked = (more?: Partial<NewAppointment>) => transaction(db.pool, (tx) => book(tx, asked(more), now))
const free = async () => (await freeSlots(db.pool, 'xinyi', day)).map((slot) => slot.free)
/** What slots count is what is booked. */
const counted = async () => {
  const { rows } = await db.pool.query<{ taken: number; seated: number }>(
    `select s.taken, (select count(*)::int from appointments a where a.location = s.location and a.starts_at = s.starts_at
       and a.state in ('booked', 'late', 'arrived')) as seated from slots s`,
  )
  for (const row of rows) expect(row.taken).toBe(row.seated)
}

it('thirty-two ask for the two chairs of a slot at once: two get one, the others hear what is free next', async () => {
  const answers = await Promise.allSettled(Array.from({ length: 32 }, () => booked()))
  expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(2)
  const refusals = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [answer.reason as Error & { code: string; remedy: string }] : [],
  )
  expect(new Set(refusals.map((refusal) => refusal.code))).toEqual(new Set(['full']))
  expect(refusals[0]?.remedy).toContain(half)
  expect(await free()).toEqual([0, 2, 2, 2])
  await counted()
})

it('one request sent many times at once is one appointment', async () => {
  const same = asked()
  const answers = await Promise.all(Array.from({ length: 12 }, () => transaction(db.pool, (tx) => book(tx, same, now))))
  expect(new Set(answers.map((answer) => answer.id)).size).toBe(1)
  expect(await free()).toEqual([1, 2, 2, 2])
})

it('many who swap their slots at once neither wait in a circle nor lose a chair', async () => {
  const early = await Promise.all([booked(), booked()])
  const late = await Promise.all([booked({ startsAt: half }), booked({ startsAt: eleven })])
  const swap = (ids: { id: string }[], startsAt: string) =>
    ids.map(({ id }) => transaction(db.pool, (tx) => move(tx, id, { startsAt }, now)))
  await Promise.allSettled([...swap(early, half), ...swap(late, ten), ...swap(early, eleven), ...swap(late, half)])
  await counted()
  expect((await listAppointments(db.pool, { location: 'xinyi' })).filter((each) => each.state === 'booked')).toHaveLength(4)
})

describe('an appointment', () => {
  it('is moved: the old chair is free again', async () => {
    const { id } = await booked()
    await transaction(db.pool, (tx) => move(tx, id, { startsAt: eleven }, now))
    expect(await free()).toEqual([2, 2, 1, 2])
  })
  it('stays where it is when the new slot is full', async () => {
    const { id } = await booked()
    await booked({ startsAt: half })
    await booked({ startsAt: half })
    await expect(transaction(db.pool, (tx) => move(tx, id, { startsAt: half }, now))).rejects.toThrow(/fully booked/)
    expect(await free()).toEqual([1, 0, 2, 2])
  })
  it('is cancelled once, however often that is asked', async () => {
    const { id } = await booked()
    await Promise.all(Array.from({ length: 8 }, () => transaction(db.pool, (tx) => setState(tx, id, 'cancelled'))))
    expect(await free()).toEqual([2, 2, 2, 2])
  })
  it('is missed, and who comes after all is served though the chairs are taken', async () => {
    const { id } = await booked()
    await transaction(db.pool, (tx) => setState(tx, id, 'noShow'))
    await Promise.all([booked(), booked()])
    await transaction(db.pool, (tx) => setState(tx, id, 'arrived'))
    await counted()
    expect((await free())[0]).toBe(0)
  })
  it.each([
    ['between slots', { startsAt: '2026-11-23T02:10:00Z' }, 'no-slot'],
    ['on a closed day', { startsAt: '2026-11-24T02:00:00Z' }, 'no-slot'],
    ['in the past', { startsAt: '2026-11-16T02:00:00Z' }, 'past'],
    ['at a place that takes none', { location: 'depot' }, 'no-hours'],
    ['nowhere', { location: 'moon' }, 'location'],
  ])('is refused %s, with a remedy', async (_, more, code) => {
    await expect(booked(more)).rejects.toMatchObject({ code, remedy: expect.stringMatching(/./) as string })
    expect(await free()).toEqual([2, 2, 2, 2])
  })
})
