/** The courier is asked to come for a manifest: EasyPost's stand-in, HTTP and the command line. It comes once, whatever was lost. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { main } from '../../cli/program.ts'
import { startEasypostSimulator, TEST_KEY, type EasypostSimulator } from '../../simulators/easypost/index.ts'
import { applyConnections } from '../../store/configuration.ts'
import { drawings } from '../harness/pdf.ts'
import { inStoreOrder, startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
let sim: EasypostSimulator
beforeAll(async () => {
  at = await startFixture()
  sim = await startEasypostSimulator()
  const from = { company: 'Shop', street1: '19 Sanchong Rd', city: 'Taipei', zip: '115', country: 'TW', phone: '+886226550115' }
  const config = { apiKey: TEST_KEY, baseUrl: sim.url, from }
  const connections = [{ name: 'easypost', connector: 'easypost', config }]
  await applyConnections(at.db.pool, at.runtime.secretKey, { connections }, at.runtime.connectors)
})
afterAll(async () => {
  await sim?.stop()
  await at?.stop()
})
beforeEach(() => sim.faults.clear())
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

let serial = 0
/** A packed unit with a parcel that the courier booked. */
async function packed(courier: 'easypost' | 'ecpay'): Promise<string> {
  serial += 1
  const { body } = await at.post('/api/v1/orders', inStoreOrder(`P-${serial}`))
  const orderId = (body as { id: string }).id
  const [unit, reference] = [`${orderId}-u1`, `OSPICKUP${serial}`]
  let booked = {
    courierBookingId: `B${serial}`,
    waybill: `90781234${serial}` as string | null,
    label: {} as Record<string, unknown>,
  }
  if (courier === 'easypost') {
    const { connector, context } = await at.runtime.connection('easypost')
    booked = await connector.courier!.book(context, {
      reference,
      service: 'USPS/GroundAdvantage',
      method: 'home',
      cvs: null,
      sender: { name: '', phone: '', postalCode: '', address: '' },
      recipient: {
        name: 'Wang',
        phone: '+886912345678',
        postalCode: '110',
        city: 'Taipei',
        district: 'Xinyi',
        address: '45 Shifu Rd',
      },
      goodsName: 'Shirt',
      goodsAmountMinor: 59_000,
      amountDueMinor: 0,
      weightGrams: 800,
      temperature: 'ambient',
      askedTime: null,
      notes: null,
      channelOrder: null,
    })
  }
  await at.db.pool.query(
    `insert into units (id, order_id, serial, location, state, weight_grams) values ($1, $2, 1, 'taipei', 'packed', 800)`,
    [unit, orderId],
  )
  await at.db.pool.query(
    `insert into parcels (id, order_id, unit_id, attempt, courier, service, reference, state, waybill, courier_booking_id, amount_due_minor, label_amount_minor, label)
     values ($1, $2, $3, 1, $4, 'USPS/GroundAdvantage', $5, 'booked', $6, $7, 0, 0, $8)`,
    [
      `${unit}-p1`,
      orderId,
      unit,
      courier,
      reference,
      booked.waybill,
      booked.courierBookingId,
      JSON.stringify(booked.label ?? {}),
    ],
  )
  return `${unit}-p1`
}
async function manifestOf(count: number, courier: 'easypost' | 'ecpay' = 'easypost'): Promise<string> {
  for (let each = 0; each < count; each++) await packed(courier)
  const { status, body } = await at.post('/api/v1/manifests', { location: 'taipei', courier })
  expect(status).toBe(201)
  expect(body).toMatchObject({ parcels: count, pickup: null })
  return (body as { id: string }).id
}

const HOUR_MS = 3_600_000
const inHours = (hours: number) => new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + hours * HOUR_MS).toISOString()
const tomorrow = { from: inHours(20), until: inHours(24) }
const later = { from: inHours(40), until: inHours(44) }
interface Shown {
  pickup: { state: string; id: string | null; confirmation: string | null; from: string; until: string } | null
}
const ask = (id: string, body: unknown = tomorrow) => at.post(`/api/v1/manifests/${id}/pickup`, body)
const pickupOf = async (id: string) => ((await at.call(`/api/v1/manifests/${id}`)).body as Shown).pickup
/** How often somebody was asked to come while this ran. */
async function collectionsOf(work: () => Promise<void>): Promise<number> {
  const before = sim.collections()
  await work()
  return sim.collections() - before
}

describe('a courier is asked to come for a manifest', () => {
  it('comes once for all its parcels; asked again, the same pickup is told, kept and listed', async () => {
    const id = await manifestOf(3)
    const times = await collectionsOf(async () => {
      const first = await ask(id, { ...tomorrow, instructions: 'Gate 2' })
      expect(first.status).toBe(200)
      const { pickup } = first.body as Shown
      expect(pickup).toMatchObject({ state: 'confirmed', confirmation: expect.stringMatching(/^WTC/) as string, ...tomorrow })
      expect(((await ask(id, later)).body as Shown).pickup).toEqual(pickup)
      expect(await pickupOf(id)).toEqual(pickup)
      const { manifests } = (await at.call('/api/v1/manifests?courier=easypost')).body as {
        manifests: (Shown & { id: string })[]
      }
      expect(manifests.find((each) => each.id === id)?.pickup).toEqual(pickup)
    })
    expect(times).toBe(1)
    expect(sim.pickups().at(-1)).toMatchObject({ instructions: 'Gate 2', address: { street1: '19 Sanchong Rd' } })
    expect(sim.pickups().at(-1)?.shipments).toHaveLength(3)
  })

  it('comes once when two ask at the same moment', async () => {
    const id = await manifestOf(1)
    const times = await collectionsOf(async () => {
      const both = await Promise.all([ask(id), ask(id)])
      for (const { status, text } of both)
        expect(status === 200 || (status === 503 && text.includes('at this moment'))).toBe(true)
      expect((await ask(id)).status).toBe(200)
    })
    expect(times).toBe(1)
  })

  it('comes once when its answer was lost: it is looked up before it is asked again, also for another time', async () => {
    const id = await manifestOf(1)
    const times = await collectionsOf(async () => {
      sim.faults.add({ kind: 'lostAnswer', path: '/buy', method: 'POST' })
      const lost = await ask(id)
      expect(lost.status).toBe(503)
      expect(lost.text).toContain('looked up first')
      expect(await pickupOf(id)).toMatchObject({ state: 'unknown', ...tomorrow })
      expect(((await ask(id, later)).body as Shown).pickup).toMatchObject({ state: 'confirmed', ...tomorrow })
    })
    expect(times).toBe(1)
  })

  it('stays unknown while it cannot be looked up', async () => {
    const id = await manifestOf(1)
    sim.faults.add({ kind: 'serverError', path: '/buy', method: 'POST' })
    expect((await ask(id)).status).toBe(503)
    sim.faults.add({ kind: 'serverError', path: '/v2/pickups/', method: 'GET', times: 0 })
    expect((await ask(id, later)).status).toBe(503)
    expect(await pickupOf(id)).toMatchObject({ state: 'unknown', ...tomorrow })
    sim.faults.clear()
    expect(((await ask(id, later)).body as Shown).pickup).toMatchObject({ state: 'confirmed', ...later })
  })

  it('comes once when the process was gone before it could keep the answer, or before it asked', async () => {
    const id = await manifestOf(2)
    const times = await collectionsOf(async () => {
      const first = ((await ask(id)).body as Shown).pickup
      await at.db.pool.query(
        `update manifests set pickup_state = 'asked', pickup_id = null, pickup_confirmation = null where id = $1`,
        [id],
      )
      expect(((await ask(id, later)).body as Shown).pickup).toEqual(first)
    })
    expect(times).toBe(1)
    const never = await manifestOf(1)
    await at.db.pool.query(`update manifests set pickup_state = 'asked', pickup_from = $2, pickup_until = $3 where id = $1`, [
      never,
      tomorrow.from,
      tomorrow.until,
    ])
    expect(((await ask(never, later)).body as Shown).pickup).toMatchObject({ state: 'confirmed', ...later })
  })

  it('refused, it is told in its words with what to do, and may be asked for another time', async () => {
    const id = await manifestOf(1)
    sim.faults.add({ kind: 'refuse', path: '/buy', code: 'PICKUP.FAILURE', message: 'No driver passes there on that day' })
    const refused = await ask(id)
    expect(refused).toMatchObject({
      status: 409,
      body: {
        detail: expect.stringContaining('No driver passes') as string,
        errors: [{ remedy: expect.stringContaining('another time') as string }],
      },
    })
    expect(await pickupOf(id)).toBeNull()
    expect(((await ask(id, later)).body as Shown).pickup).toMatchObject({ state: 'confirmed', ...later })
  })

  it('is not asked for parcels that were handed over or cancelled', async () => {
    const id = await manifestOf(2)
    await at.db.pool.query(
      `update parcels set state = 'void' where id = (select parcel_id from manifest_parcels where manifest_id = $1 and position = 1)`,
      [id],
    )
    expect((await ask(id)).status).toBe(200)
    expect(sim.pickups().at(-1)?.shipments).toHaveLength(1)
    const gone = await manifestOf(1)
    await at.db.pool.query(`update manifests set handed_over_at = now() where id = $1`, [gone])
    expect(await ask(gone)).toMatchObject({ status: 409, body: { detail: expect.stringContaining('any more') as string } })
  })

  it('a courier that is not asked by a call: the answer says how it comes', async () => {
    const id = await manifestOf(1, 'ecpay')
    const { status, text } = await ask(id)
    expect(status).toBe(422)
    expect(text).toContain('T-cat is told with each booking')
    expect(await pickupOf(id)).toBeNull()
  })

  it('what is no time to come is refused before anybody is asked', async () => {
    const id = await manifestOf(1)
    const before = sim.pickups().length
    for (const [body, status] of [
      [{}, 400],
      [{ from: 'tomorrow', until: '18:00' }, 400],
      [{ from: '2026-11-23T14:00:00', until: '2026-11-23T18:00:00' }, 400],
      [{ ...tomorrow, when: 'soon' }, 400],
      [{ ...tomorrow, instructions: 'x'.repeat(201) }, 400],
      [{ from: tomorrow.until, until: tomorrow.from }, 422],
      [{ from: tomorrow.from, until: tomorrow.from }, 422],
      [{ from: inHours(-30), until: inHours(-20) }, 422],
    ] as const)
      expect([body, (await ask(id, body)).status]).toEqual([body, status])
    expect((await ask('m-none')).status).toBe(404)
    expect(await pickupOf(id)).toBeNull()
    expect(sim.pickups()).toHaveLength(before)
    // Closed for good, so that the next manifest does not depend on it.
    expect((await ask(id)).status).toBe(200)
  })
})

describe('our own paper', () => {
  it('says when the courier comes', async () => {
    const id = await manifestOf(1)
    const drawn = async () => {
      const answer = await fetch(`${at.server.url}/api/v1/manifests/${id}/paper?own=true`)
      const pdf = Buffer.from(await answer.arrayBuffer())
      return drawings(pdf).join('').length
    }
    const before = await drawn()
    expect((await ask(id)).status).toBe(200)
    expect(await drawn()).toBeGreaterThan(before)
  })
})

describe('on the command line', () => {
  async function omnisaga(...argv: string[]): Promise<{ code: number; text: string }> {
    const text: string[] = []
    const keep = (chunk: unknown) => text.push(String(chunk)) > 0
    vi.spyOn(process.stdout, 'write').mockImplementation(keep)
    vi.spyOn(process.stderr, 'write').mockImplementation(keep)
    vi.stubEnv('DATABASE_URL', at.db.url)
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:9')
    vi.stubEnv('OMNISAGA_SECRET_KEY', 'a passphrase for tests')
    try {
      return { code: await main(argv), text: text.join('') }
    } finally {
      vi.restoreAllMocks()
    }
  }
  const pickup = (id: string, from: string, until: string, ...more: string[]) =>
    omnisaga('manifest', 'pickup', id, '--from', from, '--until', until, ...more)

  it('says when the courier comes, and why it does not', async () => {
    const id = await manifestOf(2)
    expect(await pickup(id, 'tomorrow', tomorrow.until)).toMatchObject({
      code: 2,
      text: expect.stringContaining('offset') as string,
    })
    expect(await omnisaga('manifest', 'pickup', id)).toMatchObject({ code: 2 })
    expect(await pickup(id, tomorrow.until, tomorrow.from)).toMatchObject({
      code: 1,
      text: expect.stringContaining('is not after') as string,
    })
    expect(await pickup('m-none', tomorrow.from, tomorrow.until)).toMatchObject({
      code: 1,
      text: expect.stringContaining('no manifest m-none') as string,
    })
    sim.faults.add({ kind: 'refuse', path: '/buy', message: 'Nobody comes on a holiday' })
    const refused = await pickup(id, tomorrow.from, tomorrow.until)
    expect(refused.code).toBe(1)
    expect(refused.text).toMatch(/Nobody comes on a holiday[^]*another time/)
    const done = await pickup(id, later.from, later.until)
    expect(done).toMatchObject({ code: 0, text: expect.stringMatching(/comes +easypost for m-.*number WTC\d+/) as string })
    const again = await pickup(id, tomorrow.from, tomorrow.until, '--json')
    expect(JSON.parse(again.text)).toMatchObject({ id, pickup: { state: 'confirmed', ...later } })
  })
})
