/** A store's day, from outside: appointments, goods brought for a try-on, what is kept and exchanged, pickups against a voucher. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { historyCost } from '../../bench/historyCost.ts'
import { workflowIdOf } from '../../domain/ids.ts'
import { transaction } from '../../store/db.ts'
import { move } from '../../store/ledger/operations.ts'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({
    policy: { appointmentLateMs: 1_000, appointmentNoShowMs: 2_000, unwantedTransfer: 'back' },
    stock: { 'TEE-S': 20, 'TEE-M': 20, CAP: 20, MUG: 20 },
  })
  const always = [{ from: '00:00', to: '24:00' }]
  const week = Object.fromEntries(['1', '2', '3', '4', '5', '6', '7'].map((day) => [day, always]))
  await world.runtime.pool.query(`insert into store_hours values ('store-taipei', $1)`, [{ week, slotMinutes: 30, staff: 2 }])
  await world.runtime.pool.query(`update products set family = 'TEE', variant = right(sku, 1) where sku like 'TEE-%'`)
  await world.runtime.pool.query(`update products set substitutes = '{CAP}' where sku = 'MUG'`)
})
afterAll(() => world.stop())

const HALF_HOUR = 30 * 60_000
const slot = (inHalfHours: number) => new Date(Math.ceil(Date.now() / HALF_HOUR + inHalfHours) * HALF_HOUR).toISOString()
interface Transfer {
  id: string
  purpose: string
  state: string
  from: string
  to: string
  lines: { lineId: string; sku: string; quantity: number }[]
}
const transfersOf = async (orderId: string) =>
  (await world.get<{ transfers: Transfer[] }>(`/api/v1/transfers?orderId=${orderId}`)).body.transfers
const place = async (change: Record<string, unknown>) =>
  (await world.post<{ id: string }>('/api/v1/orders', storeOrder(change))).body.id
const tryOn = (lines: unknown[], method = 'home') =>
  place({
    kind: 'tryOn',
    delivery: { method, location: 'store-taipei' },
    payment: { method: 'cod', amountDueMinor: 59_000 * lines.length },
    lines,
  })
const line = (sku: string) => ({ sku, quantity: 1, unitPriceMinor: 59_000 })
const book = (orderId: string | null, inHalfHours: number) =>
  world.post<{ id: string; state: string }>('/api/v1/appointments', {
    location: 'store-taipei',
    startsAt: slot(inHalfHours),
    kind: orderId === null ? 'groupBuy' : 'tryOn',
    ...(orderId === null ? {} : { orderId }),
    customer: { name: '王小明', phone: '0912-345-678' },
  })
const ask = (orderId: string, verb: string, body: unknown = {}) =>
  world.post<{ state: string; answer: string; detail?: string }>(`/api/v1/orders/${orderId}/${verb}`, body)
const bring = async (orderId: string) => {
  const [transfer] = await world.until('a transfer is asked for', async () => {
    const all = await transfersOf(orderId)
    return all.length > 0 ? all : null
  })
  const waybill = `T-${orderId}`
  expect((await world.post(`/api/v1/transfers/${transfer?.id}/shipped`, { carrier: '黑貓', waybill })).status).toBe(200)
  expect((await world.post<Transfer>(`/api/v1/transfers/${waybill}/arrived`, {})).body.state).toBe('arrived')
  return transfer as Transfer
}
const sound = async () => expect((await world.audit()).violations).toEqual([])

it('a web customer books a try-on, it is brought, one is kept, one exchanged, one released; signed for, it leaves the warehouse', async () => {
  const orderId = await tryOn([line('TEE-S'), line('CAP'), line('MUG')])
  await world.untilPhase(orderId, 'tryOn')
  const appointment = await book(orderId, 4)
  expect(appointment.status).toBe(201)
  const brought = await bring(orderId)
  expect(brought.lines.map((each) => each.sku).sort()).toEqual(['CAP', 'MUG'])
  expect(await world.stock('MUG', 'store-taipei')).toMatchObject({ onHand: 1, held: 1 })

  expect((await world.post<{ state: string }>(`/api/v1/appointments/${appointment.body.id}/arrived`, {})).body.state).toBe(
    'arrived',
  )
  const lines = (await world.get<{ lines: { lineId: string; sku: string }[] }>(`/api/v1/orders/${orderId}`)).body.lines
  const of = (sku: string) => lines.find((each) => each.sku === sku)?.lineId ?? ''
  const refused = await ask(orderId, 'decide', { keep: { [of('CAP')]: 1 }, exchange: { [of('TEE-S')]: 'RARE' } })
  expect(refused.status, JSON.stringify(refused.body)).toBe(409)
  const decided = await ask(orderId, 'decide', { keep: { [of('CAP')]: 1 }, exchange: { [of('TEE-S')]: 'TEE-M' } })
  expect(decided.body.state, JSON.stringify(decided.body)).toBe('done')
  await world.untilPhase(orderId, 'confirming')

  const preview = (
    await world.get<{
      lines: { sku: string; quantity: number; held: number }[]
      amounts: { amountDueMinor: number }
      choices: { option: string }[]
    }>(`/api/v1/orders/${orderId}/preview`)
  ).body
  expect(preview.lines.map(({ sku, quantity, held }) => [sku, quantity, held])).toEqual([
    ['CAP', 1, 1],
    ['TEE-M', 1, 1],
  ])
  expect(preview.amounts.amountDueMinor).toBe(118_000)
  expect(preview.choices.map((choice) => choice.option)).toContain('home')

  const evidence = { kind: 'signature', reference: 'signatures/1.png', person: '王小明', at: '2026-11-22T15:00:00+08:00' }
  expect((await ask(orderId, 'confirm', { evidence })).body.state).toBe('done')
  const kept = (
    await world.get<{ evidence: { person: string; seen: { amountDueMinor: number } }[] }>(`/api/v1/orders/${orderId}/preview`)
  ).body.evidence
  expect(kept).toMatchObject([{ person: '王小明', seen: { amountDueMinor: 118_000 } }])
  await world.untilPhase(orderId, 'packed')
  const reference = await world.until('its parcel is booked', async () => {
    const { parcels } = (await world.get<OrderBody>(`/api/v1/orders/${orderId}`)).body
    return parcels.find((parcel) => parcel.state === 'booked')?.reference
  })
  await world.ecpay.advance(reference, { to: 'shipped' })
  await world.untilPhase(orderId, 'shipped')
  const units = await world.runtime.pool.query(`select priority from units where order_id = $1`, [orderId])
  expect(units.rows.every((unit: { priority: number }) => unit.priority >= 10)).toBe(true)

  // What was brought and is not kept goes back to where it came from.
  const back = (await transfersOf(orderId)).find((transfer) => transfer.purpose === 'back')
  expect(back).toMatchObject({ from: 'store-taipei', to: 'wh-north', state: 'requested', lines: [{ sku: 'MUG', quantity: 1 }] })
  for (const step of ['shipped', 'arrived'])
    expect((await world.post(`/api/v1/transfers/${back?.id}/${step}`, {})).status).toBe(200)
  expect(await world.stock('MUG', 'store-taipei')).toMatchObject({ onHand: 0 })
  await sound()

  // The cash is paid out without a word to the engine: this is all that it is billed for.
  await world.ecpay.advance(reference, { to: 'delivered' })
  const workflow = world.runtime.temporal.workflow.getHandle(workflowIdOf(orderId))
  await workflow.result()
  expect(historyCost(await workflow.fetchHistory()).actions).toBeLessThanOrEqual(30)
})

it('who does not come to the appointment is a no-show; the goods are on sale again, also those that were brought', async () => {
  // More than the store can have left of what was brought before.
  const orderId = await tryOn([line('CAP'), line('CAP')], 'handOver')
  await world.untilPhase(orderId, 'tryOn')
  const { body } = await book(orderId, 6)
  await bring(orderId)
  // As if it had begun a minute ago; the saga waits for the new time.
  await world.runtime.pool.query(
    `with gone as (update slots set taken = taken - 1 where (location, starts_at) = (select location, starts_at from appointments where id = $1)),
     past as (insert into slots values ('store-taipei', date_trunc('minute', now()) - interval '1 minute', 1, 1))
     update appointments set starts_at = date_trunc('minute', now()) - interval '1 minute' where id = $1`,
    [body.id],
  )
  await world.untilPhase(orderId, 'cancelled')
  const [appointment] = (await world.get<{ appointments: { state: string }[] }>(`/api/v1/appointments?orderId=${orderId}`)).body
    .appointments
  expect(appointment?.state).toBe('noShow')
  expect(await world.stock('CAP', 'store-taipei')).toMatchObject({ held: 0 })
  await world.until(
    'the order is closed',
    async () => (await world.get<{ closed: boolean }>(`/api/v1/orders/${orderId}`)).body.closed,
  )
  await sound()
})

it('a group-buy member without an order books like everybody, and a full slot is refused', async () => {
  expect((await book(null, 9)).body.state).toBe('booked')
  expect((await book(null, 9)).body.state).toBe('booked')
  expect((await book(null, 9)).status).toBe(409)
  await sound()
})

it('a web order is brought to the store and handed over against its voucher, once', async () => {
  const orderId = await place({
    delivery: { method: 'storePickup', location: 'store-taipei' },
    lines: [line('MUG')],
    kind: 'online',
  })
  await bring(orderId)
  await world.untilPhase(orderId, 'packed')
  const pdf = await fetch(`${world.url}/api/v1/orders/${orderId}/voucher.pdf`)
  expect([pdf.status, pdf.headers.get('content-type')]).toEqual([200, 'application/pdf'])
  const { rows } = await world.runtime.pool.query<{ code: string }>('select code from vouchers where order_id = $1', [orderId])
  const code = rows[0]?.code ?? ''
  expect((await world.post('/api/v1/vouchers/P-WRONG/collected', {})).status).toBe(404)
  expect((await ask(orderId, 'collected', { code: 'PWRONG' })).status).toBe(409)
  const scans = await Promise.all([1, 2].map(() => world.post<{ state: string }>(`/api/v1/vouchers/${code}/collected`, {})))
  // On a slow machine an answer may come later than the request waits for it.
  expect(scans.filter((scan) => scan.body.state === 'done').length).toBeLessThanOrEqual(1)
  await world.untilPhase(orderId, 'delivered')
  const again = await world.post<{ answer: string; commandId: string }>(`/api/v1/vouchers/${code.toLowerCase()}/collected`, {})
  expect(again.status, JSON.stringify(again.body)).toBe(409)
  expect(await world.stock('MUG', 'store-taipei')).toMatchObject({ held: 0 })
  await sound()
})

it('what nobody fetches is given back and its money is owed to the customer', async () => {
  const orderId = await place({
    delivery: { method: 'storePickup', location: 'store-taipei' },
    lines: [line('TEE-S')],
    kind: 'online',
  })
  await world.untilPhase(orderId, 'packed')
  await world.runtime.pool.query(`update vouchers set expires_at = now() - interval '1 second' where order_id = $1`, [orderId])
  await world.untilPhase(orderId, 'cancelled')
  const tasks = (await world.get<{ tasks: { kind: string; orderId: string }[] }>('/api/v1/tasks')).body.tasks
  expect(
    tasks
      .filter((task) => task.orderId === orderId)
      .map((task) => task.kind)
      .sort(),
  ).toEqual(['refund.byHand', 'unit.putBack'])
  await sound()
})

it('a paid try-on keeps one of two: the other is paid back; the only piece there is comes home by the warehouse', async () => {
  const { pool } = world.runtime
  await pool.query(`insert into products (sku, name) values ('LAST', '最後一件')`)
  await transaction(pool, (tx) => move(tx, { key: 'last', sku: 'LAST', location: 'wh-north', quantity: 1, reason: 'receipt' }))
  const orderId = await place({
    kind: 'tryOn',
    delivery: { method: 'home', location: 'store-taipei' },
    totals: { itemsMinor: 118_000, totalMinor: 118_000 },
    lines: [line('LAST'), line('TEE-S')],
  })
  await world.untilPhase(orderId, 'tryOn')
  await bring(orderId)
  expect((await ask(orderId, 'arrived')).body.state).toBe('done')
  const { lines } = (await world.get<OrderBody>(`/api/v1/orders/${orderId}`)).body
  const last = lines.find((each) => each.sku === 'LAST')?.lineId ?? ''
  expect((await ask(orderId, 'decide', { keep: { [last]: 1 } })).body.state).toBe('done')
  const tasks = (await world.get<{ tasks: { kind: string; value: string }[] }>(`/api/v1/tasks?orderId=${orderId}`)).body.tasks
  expect(tasks).toMatchObject([{ kind: 'refund.byHand', value: '59000' }])

  const home = await world.until('it is asked back for its order', async () =>
    (await transfersOf(orderId)).find(({ from, state }) => from === 'store-taipei' && state === 'requested'),
  )
  expect(home).toMatchObject({ purpose: 'order', to: 'wh-north', lines: [{ sku: 'LAST', quantity: 1 }] })
  for (const step of ['shipped', 'arrived'])
    expect((await world.post(`/api/v1/transfers/${home.id}/${step}`, {})).status).toBe(200)
  await world.untilPhase(orderId, 'packed')
  expect(await world.stock('LAST', 'store-taipei')).toMatchObject({ onHand: 0 })
  await sound()
})

it('a voucher is good at its own store alone', async () => {
  const orderId = await place({
    delivery: { method: 'storePickup', location: 'store-taipei' },
    lines: [line('TEE-M')],
    kind: 'online',
  })
  await world.untilPhase(orderId, 'packed')
  const { rows } = await world.runtime.pool.query<{ code: string }>('select code from vouchers where order_id = $1', [orderId])
  const scan = (location: string) =>
    world.post<{ state: string; detail: string }>(`/api/v1/vouchers/${rows[0]?.code}/collected`, { location })
  const elsewhere = await scan('wh-north')
  expect([elsewhere.status, elsewhere.body.detail]).toEqual([409, 'its goods wait at store-taipei, not at wh-north'])
  expect((await scan('store-taipei')).status).toBeLessThan(300)
  await world.untilPhase(orderId, 'delivered')
  const again = await scan('store-taipei')
  expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining('handed over already') as string])
  await sound()
})

it('for what is out of stock it is told when it comes and what would do as well', async () => {
  const expectedOn = '2099-01-05'
  expect(
    (await world.post('/api/v1/receipts', { receipts: [{ sku: 'MUG', location: 'store-taipei', quantity: 5, expectedOn }] }))
      .status,
  ).toBe(200)
  expect(
    (await world.post('/api/v1/receipts', { receipts: [{ sku: 'NOBODY', location: 'x', quantity: 5, expectedOn }] })).status,
  ).toBe(422)
  const of = async (sku: string) =>
    (
      await world.get<{
        expected: { expectedOn: string }[]
        variants: { sku: string }[]
        elsewhere: { location: string }[]
        substitutes: { sku: string }[]
      }>(`/api/v1/stock/alternatives?sku=${sku}&location=store-taipei`)
    ).body
  const mug = await of('MUG')
  expect(mug.expected).toMatchObject([{ expectedOn, quantity: 5, from: 'receipt' }])
  expect(mug.elsewhere).toMatchObject([{ location: 'wh-north' }])
  expect(mug.substitutes.map((each) => each.sku)).toEqual(['CAP'])
  expect((await of('TEE-S')).variants).toMatchObject([{ sku: 'TEE-M', variant: 'M' }])
})
