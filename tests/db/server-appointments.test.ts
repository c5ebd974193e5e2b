/** Appointments over HTTP, as a shop's page and a store's tablet use them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startFixture, type Fixture } from './serverFixture.ts'

let fixture: Fixture
/** A Monday far enough away that it is never over. */
const day = '2099-11-23'
const slots = async () =>
  ((await fixture.call(`/api/v1/stores/taipei-store/slots?date=${day}`)).body as { slots: { startsAt: string; free: number }[] })
    .slots

beforeAll(async () => {
  fixture = await startFixture()
  await fixture.db.pool.query(`insert into store_hours values ('taipei-store', $1)`, [
    { week: { '1': [{ from: '11:00', to: '12:00' }] }, slotMinutes: 30, staff: 1 },
  ])
})
afterAll(() => fixture.stop())

it('a customer books, moves and cancels, and the slots show it', async () => {
  expect(await slots()).toEqual([
    { startsAt: '2099-11-23T03:00:00.000Z', endsAt: '2099-11-23T03:30:00.000Z', free: 1 },
    { startsAt: '2099-11-23T03:30:00.000Z', endsAt: '2099-11-23T04:00:00.000Z', free: 1 },
  ])
  const body = {
    location: 'taipei-store',
    startsAt: '2099-11-23T11:00:00+08:00',
    customer: { name: '王小明', phone: '0912-345-678' },
  }
  const first = await fixture.post('/api/v1/appointments', body, { 'idempotency-key': 'a' })
  expect(first.status).toBe(201)
  expect(first.body).toMatchObject({
    state: 'booked',
    startsAt: '2099-11-23T03:00:00.000Z',
    customer: { phone: '+886912345678' },
  })
  expect((await fixture.post('/api/v1/appointments', body, { 'idempotency-key': 'a' })).body).toEqual(first.body)
  const { id } = first.body as { id: string }

  const full = await fixture.post('/api/v1/appointments', body)
  expect(full.status).toBe(409)
  expect(full.text).toContain('2099-11-23T03:30:00.000Z')

  const moved = await fixture.post(`/api/v1/appointments/${id}/move`, { startsAt: '2099-11-23T11:30:00+08:00' })
  expect(moved.body).toMatchObject({ startsAt: '2099-11-23T03:30:00.000Z' })
  expect((await slots()).map((slot) => slot.free)).toEqual([1, 0])
  expect((await fixture.post(`/api/v1/appointments/${id}/cancel`, {})).body).toMatchObject({ state: 'cancelled' })
  expect((await slots()).map((slot) => slot.free)).toEqual([1, 1])
  expect((await fixture.post(`/api/v1/appointments/${id}/arrived`, {})).status).toBe(409)
})

it.each([
  ['between two slots', { startsAt: '2099-11-23T11:10:00+08:00' }, 422],
  ['at a place without opening hours', { location: 'taipei' }, 422],
  ['without a zone', { startsAt: '2099-11-23T11:00:00' }, 400],
])('an appointment %s is refused', async (_, more, status) => {
  const body = { location: 'taipei-store', startsAt: '2099-11-23T11:00:00+08:00', ...more }
  expect((await fixture.post('/api/v1/appointments', body)).status).toBe(status)
})
