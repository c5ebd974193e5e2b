import { afterEach, beforeEach, expect, test } from 'vitest'
import { audit, type EngineAudit } from '../../store/audit.ts'
import { createReserver } from '../../store/ledger/reserver.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'
import { addLocations, line, request, stockUp } from './ledgerFixture.ts'

let db: FreshDatabase
beforeEach(async () => {
  db = await freshDatabase()
  await addLocations(db.pool)
  await db.pool.query(
    `insert into connections (name, connector, config) values ('courier', 'ecpay', '{}'), ('shop', 'shopee', '{}')`,
  )
})
afterEach(() => db.drop())

const sql = (text: string, values: unknown[] = []) => db.pool.query(text, values)

async function addOrder(id: string, { phase = 'received', facts = {}, closed = false, ageMinutes = 0 } = {}): Promise<void> {
  await sql(
    `insert into orders (id, channel, shop, external_id, content_hash, connection, connection_version, settings_version, kind, doc, facts,
       phase, closed, updated_at)
     values ($1, 'shopee', '1', $1, '', 'shop', 1, 1, 'online', '{}', $2, $3, $4, now() - $5 * interval '1 minute')`,
    [id, facts, phase, closed, ageMinutes],
  )
  await sql(`insert into order_lines (order_id, line_id, position, sku, ordered) values ($1, '1', 1, 'sku', 2)`, [id])
}

async function addParcel(
  id: string,
  { unit = `${id}-u`, state = 'booked', waybill = `wb-${id}` as string | null, label = 100, due = 100 } = {},
) {
  await sql(`insert into orders (id, channel, shop, external_id, content_hash, connection, connection_version, settings_version, kind, doc, closed)
    values ('op', 'shopee', '1', 'op', '', 'shop', 1, 1, 'online', '{}', true) on conflict do nothing`)
  await sql(`insert into order_lines (order_id, line_id, position, ordered) values ('op', '1', 1, 1) on conflict do nothing`)
  await sql(
    `insert into units (id, order_id, serial, location, state)
    select $1, 'op', (select count(*) from units), 'W1', 'packed' on conflict do nothing`,
    [unit],
  )
  await sql(
    `insert into parcels (id, order_id, unit_id, attempt, courier, service, reference, state, waybill, amount_due_minor, label_amount_minor)
     values ($1, 'op', $2, (select count(*) from parcels), 'courier', 'TCAT', $1, $3, $4, $5, $6)`,
    [id, unit, state, waybill, due, label],
  )
  await sql(`update orders set doc = (select jsonb_build_object('payment', jsonb_build_object('method', 'cod', 'state', 'due', 'amountDueMinor',
    sum(amount_due_minor))) from parcels where state = 'booked') where id = 'op'`)
}

const found = async (options?: Parameters<typeof audit>[1]) => (await audit(db.pool, options)).violations

const engine = (running: string[], failing: { workflowId: string; detail: string }[] = []): EngineAudit => ({
  runningOrderIds: async () => new Set(running),
  failingWorkflows: async () => failing,
})

test('a whole shop passes, and the audit says how much it looked at', async () => {
  await stockUp(db.pool, 'sku', 5)
  await addOrder('o1', { phase: 'reserved', facts: { reserved: { at: '2026-01-01T00:00:00Z' } } })
  const reserver = createReserver(db.pool)
  await reserver.reserve(request([line('sku', 2)], { orderId: 'o1' }))
  await reserver.close()
  await addParcel('p1')
  await addParcel('p2', { state: 'intended', waybill: null, label: 0 })
  expect(await audit(db.pool, { engine: engine(['o1']) })).toEqual({
    ok: true,
    checked: { orders: 2, holds: 1, movements: 1, parcels: 2 },
    violations: [],
  })
})

test('on hand that no movement explains', async () => {
  await stockUp(db.pool, 'sku', 5)
  await sql('update stock set on_hand = 7')
  expect(await found()).toEqual([
    { invariant: 'on hand equals its movements', subject: 'sku at W1', detail: 'on hand 7, movements 5' },
  ])
})

test('a movement without a stock row', async () => {
  await sql(`insert into movements (key, sku, location, quantity, reason) values ('m', 'ghost', 'W1', 3, 'received')`)
  expect(await found()).toEqual([
    { invariant: 'on hand equals its movements', subject: 'ghost at W1', detail: 'on hand 0, movements 3' },
  ])
})

test('held that no hold explains', async () => {
  await stockUp(db.pool, 'sku', 5)
  await sql('update stock set held = 2')
  expect(await found()).toEqual([
    { invariant: 'held equals the active holds', subject: 'sku at W1', detail: 'held 2, active holds 0' },
  ])
})

test('more held than on hand, which the table itself would refuse', async () => {
  await stockUp(db.pool, 'sku', 5)
  await sql('alter table stock drop constraint stock_check')
  await sql('update stock set held = 6')
  await sql(`insert into holds (key, order_id, line_id, sku, location, quantity) values ('k', 'o', '1', 'sku', 'W1', 6)`)
  expect(await found()).toEqual([{ invariant: 'holds never exceed on hand', subject: 'sku at W1', detail: 'holds 6, on hand 5' }])
})

test('a finished order that still holds goods; an expired hold is none', async () => {
  await stockUp(db.pool, 'sku', 5)
  await addOrder('o1', { closed: true })
  await sql('update stock set held = 3')
  await sql(`insert into holds (key, order_id, line_id, sku, location, quantity, expires_at)
    values ('k1', 'o1', '1', 'sku', 'W1', 2, null), ('k2', 'o1', '1', 'sku', 'W1', 1, now() - interval '1 second')`)
  expect(await found()).toEqual([
    { invariant: 'no active hold of a finished order', subject: 'o1', detail: 'line 1 holds 2 sku at W1' },
  ])
})

test('a stored phase that the facts do not give, on whichever page it lies', async () => {
  for (let at = 0; at < 7; at++) await addOrder(`o${at}`)
  await sql(`update orders set phase = 'shipped' where id in ('o0', 'o5', 'o6')`)
  const violations = await found({ pageSize: 3 })
  expect(violations.map((each) => each.subject)).toEqual(['o0', 'o5', 'o6'])
  expect(violations[0]).toEqual({
    invariant: 'stored phase equals derived phase',
    subject: 'o0',
    detail: 'stored shipped, derived received',
  })
})

test('a phase whose line counters moved on without it', async () => {
  await addOrder('o1')
  await sql('update order_lines set cancelled = 2')
  expect(await found()).toEqual([
    { invariant: 'stored phase equals derived phase', subject: 'o1', detail: 'stored received, derived cancelled' },
  ])
})

test('an open order that nobody works on, after a minute of grace', async () => {
  await addOrder('running', { ageMinutes: 5 })
  await addOrder('young')
  await addOrder('done', { ageMinutes: 5, closed: true })
  await addOrder('asked', { ageMinutes: 5 })
  await sql(
    `insert into tasks (kind, key, order_id, subject, title, detail, remedy, actions) values ('check', 't', 'asked', 's', 't', 'd', 'r', '{}')`,
  )
  await addOrder('lost', { ageMinutes: 5 })
  expect(await found({ engine: engine(['running']) })).toEqual([
    {
      invariant: 'every order not finished has a running workflow or an open task',
      subject: 'lost',
      detail: 'neither, and unchanged for a minute',
    },
  ])
})

test('an order whose workflow starts while the audit looks is not accused', async () => {
  await addOrder('late', { ageMinutes: 5 })
  let looks = 0
  const starting = { ...engine([]), runningOrderIds: async () => new Set(++looks > 1 ? ['late'] : []) }
  expect(await found({ engine: starting })).toEqual([])
})

test('a workflow that fails its tasks', async () => {
  expect(await found({ engine: engine([], [{ workflowId: 'order/o1', detail: 'attempt 7' }]) })).toEqual([
    { invariant: 'no workflow fails its tasks', subject: 'order/o1', detail: 'attempt 7' },
  ])
})

test('two active parcels for one unit, and one waybill on two parcels, which the indexes would refuse', async () => {
  await sql('drop index parcels_one_active')
  await sql('drop index parcels_waybill')
  await addParcel('p1', { unit: 'u1', waybill: 'same' })
  await addParcel('p2', { unit: 'u1' })
  await addParcel('p3', { unit: 'u3', waybill: 'same' })
  await addParcel('p4', { unit: 'u3', state: 'void', waybill: 'same' })
  expect(await found()).toEqual([
    { invariant: 'one active waybill a parcel', subject: 'u1', detail: '2 active parcels for one unit: p1, p2' },
    {
      invariant: 'one active waybill a parcel',
      subject: 'same',
      detail: '2 active parcels of courier with this waybill: p1, p3',
    },
  ])
})

test('a booked parcel that no number leads to', async () => {
  await addParcel('p1', { waybill: null })
  expect(await found()).toEqual([
    { invariant: 'one active waybill a parcel', subject: 'p1', detail: 'booked without a waybill or booking number' },
  ])
})

test('a label that asks for another amount than is due; one not booked yet asks for none', async () => {
  await addParcel('p1', { label: 59000, due: 59100 })
  await addParcel('p2', { state: 'sent', label: 0, due: 59100 })
  expect(await found()).toEqual([
    { invariant: 'COD label amount equals amount due', subject: 'p1', detail: 'label 59000, due 59100' },
  ])
})

test('a fact owed that is dead or overdue without a task', async () => {
  await sql(`insert into connections (name, connector, config, paused) values ('paused', 'shopee', '{}', true)`)
  await sql(`insert into outbox (key, participant, connection, kind, order_id, payload, state, attempts, due_at, lease_until) values
    ('dead', 'channel', 'shop', 'tracking', 'o1', '{}', 'dead', 8, now(), null),
    ('deadButAsked', 'channel', 'shop', 'tracking', 'o2', '{}', 'dead', 8, now(), null),
    ('overdue', 'channel', 'shop', 'tracking', 'o3', '{}', 'due', 0, now() - interval '1 hour', null),
    ('leased', 'channel', 'shop', 'tracking', 'o4', '{}', 'due', 1, now() - interval '1 hour', now() + interval '1 minute'),
    ('retrying', 'channel', 'shop', 'tracking', 'o5', '{}', 'due', 3, now() + interval '1 hour', null),
    ('waiting', 'channel', 'paused', 'tracking', 'o6', '{}', 'due', 0, now() - interval '1 hour', null),
    ('acknowledged', 'channel', 'shop', 'tracking', 'o7', '{}', 'done', 1, now() - interval '1 hour', null)`)
  await sql(
    `insert into tasks (kind, key, subject, title, detail, remedy, actions) values ('outbox', 'outbox:deadButAsked', 's', 't', 'd', 'r', '{}')`,
  )
  const invariant = 'every fact owed is acknowledged, being retried, or a task'
  expect((await found()).sort((a, b) => a.subject.localeCompare(b.subject))).toEqual([
    { invariant, subject: 'dead', detail: 'tracking for shop is dead after 8 attempts, and no task is open' },
    { invariant, subject: 'overdue', detail: 'tracking for shop is due after 0 attempts, and no task is open' },
  ])
})
