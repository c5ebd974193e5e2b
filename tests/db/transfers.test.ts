/** Goods brought to a store for an order: held once or on the way once, whoever says what how often, and whatever is asked meanwhile. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { arriveTransfer, cancelTransfer, shipTransfer, sweepTransfers } from '../../activities/store/transfers.ts'
import { audit } from '../../store/audit.ts'
import { transaction } from '../../store/db.ts'
import { levels, setOnHand } from '../../store/ledger/operations.ts'
import { askTransfer, listTransfers, type Transfer } from '../../store/transfers.ts'
import { planted } from './planted.ts'
import { lines, startSpine, type Change, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
})
afterAll(() => spine.stop())

let serial = 0
/** An article of which there are so many in the warehouse and in the shop. */
async function article(north: number, shop = 0): Promise<string> {
  const sku = `A-${serial++}`
  await spine.runtime.pool.query('insert into products (sku, name) values ($1, $1)', [sku])
  for (const [location, onHand] of [
    ['north', north],
    ['shop', shop],
  ] as const)
    await transaction(spine.runtime.pool, (tx) =>
      setOnHand(tx, { key: `${sku}@${location}`, sku, location, onHand, reason: 'count' }),
    )
  return sku
}
async function tryOn(wanted: [string, number][], more: Change = {}): Promise<string> {
  const orderId = await spine.place({
    kind: 'tryOn',
    lines: lines(...wanted),
    delivery: { method: 'handOver', location: 'shop' },
    ...more,
  })
  await spine.steps.check(orderId)
  await spine.steps.reserve(orderId)
  await spine.steps.holdForTryOn(orderId)
  return orderId
}
const transfersOf = (orderId: string) => listTransfers(spine.runtime.pool, { orderId })
const transferOf = async (orderId: string): Promise<Transfer> => (await transfersOf(orderId))[0] as Transfer
const at = async (sku: string, location: string) => {
  const [level] = await levels(spine.runtime.pool, { sku, location })
  return { onHand: level?.onHand ?? 0, held: level?.held ?? 0 }
}
const sound = async () => expect((await audit(spine.runtime.pool)).violations).toEqual([])

it('what the store lacks is held at the warehouse, sent, and kept aside when it is there', async () => {
  const sku = await article(5, 1)
  const orderId = await tryOn([[sku, 3]])
  expect([await at(sku, 'shop'), await at(sku, 'north')]).toEqual([
    { onHand: 1, held: 1 },
    { onHand: 5, held: 2 },
  ])
  const { id, ...asked } = await transferOf(orderId)
  expect(asked).toMatchObject({ from: 'north', to: 'shop', state: 'requested', lines: [{ sku, quantity: 2 }] })
  expect((await spine.order(orderId)).is('inTransfer')).toBe(true)

  const shipped = await shipTransfer(spine.runtime, id, { carrier: '黑貓', waybill: 'T-1', expectedOn: '2026-11-25' })
  expect(shipped).toMatchObject({ state: 'shipped', via: 'in-transit', waybill: 'T-1', expectedOn: '2026-11-25' })
  expect([await at(sku, 'north'), await at(sku, 'in-transit')]).toEqual([
    { onHand: 3, held: 0 },
    { onHand: 2, held: 0 },
  ])
  await sound()
  await arriveTransfer(spine.runtime, 'T-1')
  expect([await at(sku, 'shop'), await at(sku, 'in-transit')]).toEqual([
    { onHand: 3, held: 3 },
    { onHand: 0, held: 0 },
  ])
  const kept = await spine.runtime.pool.query(
    `select from holds where order_id = $1 and state = 'active' and kept_aside and expires_at is null`,
    [orderId],
  )
  expect(kept.rowCount).toBe(1)
  expect((await spine.order(orderId)).is('inTransfer')).toBe(false)
  await sound()
})

it('said by many at once, it is sent once and arrives once', async () => {
  const sku = await article(4)
  const orderId = await tryOn([[sku, 2]])
  const { id } = await transferOf(orderId)
  const eight = Array.from({ length: 8 }, (_, index) => index)
  const settled = async (work: () => Promise<Transfer>) => {
    const answers = await Promise.allSettled(eight.map(work))
    // A lock that took too long is told as such and changes nothing.
    expect(answers.some((answer) => answer.status === 'fulfilled')).toBe(true)
    expect((await work()).state).toMatch(/shipped|arrived/)
  }
  await settled(() => shipTransfer(spine.runtime, id, {}))
  expect([await at(sku, 'north'), await at(sku, 'in-transit')]).toEqual([
    { onHand: 2, held: 0 },
    { onHand: 2, held: 0 },
  ])
  await settled(() => arriveTransfer(spine.runtime, id))
  expect(await at(sku, 'shop')).toEqual({ onHand: 2, held: 2 })
  await sound()
})

it('an arrival that is killed half way has not happened, and is said again', async () => {
  const sku = await article(4)
  const orderId = await tryOn([[sku, 2]])
  const { id } = await transferOf(orderId)
  await shipTransfer(spine.runtime, id, {})
  await spine.runtime.pool.query(`create function killed() returns trigger language plpgsql as $$ begin raise 'killed'; end $$`)
  await spine.runtime.pool.query('create trigger killed before insert on holds for each row execute function killed()')
  await expect(arriveTransfer(spine.runtime, id)).rejects.toThrow('killed')
  await spine.runtime.pool.query('drop trigger killed on holds; drop function killed()')
  expect([await at(sku, 'shop'), await at(sku, 'in-transit')]).toEqual([
    { onHand: 0, held: 0 },
    { onHand: 2, held: 0 },
  ])
  await sound()
  await arriveTransfer(spine.runtime, id)
  expect(await at(sku, 'shop')).toEqual({ onHand: 2, held: 2 })
  await sound()
})

it('an order that is cancelled before it is sent calls it off; one that is cancelled on the way has it sent back', async () => {
  const sku = await article(9)
  const [early, late] = [await tryOn([[sku, 2]]), await tryOn([[sku, 3]])]
  for (const orderId of [early, late]) {
    if (orderId === late) await shipTransfer(spine.runtime, (await transferOf(late)).id, {})
    await spine.command(orderId, 'cancel')
    await spine.steps.recall(orderId)
    await spine.steps.releaseAll(orderId)
  }
  await sweepTransfers(spine.runtime)
  expect(await transferOf(early)).toMatchObject({ state: 'cancelled', endedBecause: 'its order wants nothing of it any more' })
  expect((await transferOf(late)).state).toBe('shipped')
  await arriveTransfer(spine.runtime, (await transferOf(late)).id)
  expect(await at(sku, 'shop')).toEqual({ onHand: 3, held: 0 })
  const back = (await transfersOf(late)).find((transfer) => transfer.purpose === 'back') as Transfer
  expect(back).toMatchObject({ from: 'shop', to: 'north', state: 'requested', lines: [{ sku, quantity: 3 }] })
  await shipTransfer(spine.runtime, back.id, {})
  await arriveTransfer(spine.runtime, back.id)
  expect(await at(sku, 'north')).toEqual({ onHand: 9, held: 0 })
  await sound()
})

it('what is not kept goes back from where it came, what the store had itself stays', async () => {
  const [brought, own] = [await article(5), await article(0, 5)]
  const orderId = await tryOn([
    [brought, 2],
    [own, 2],
  ])
  const { id } = await transferOf(orderId)
  await shipTransfer(spine.runtime, id, {})
  await arriveTransfer(spine.runtime, id)
  await spine.command(orderId, 'arrived')
  expect((await spine.command(orderId, 'decide', { keep: { 1: 1, 2: 1 } })).state).toBe('done')
  const back = (await transfersOf(orderId)).filter((transfer) => transfer.purpose === 'back')
  expect(back.map(({ from, to, lines: all }) => [from, to, all.map((line) => [line.sku, line.quantity])])).toEqual([
    ['shop', 'north', [[brought, 1]]],
  ])
  expect([await at(brought, 'shop'), await at(own, 'shop')]).toEqual([
    { onHand: 2, held: 1 },
    { onHand: 5, held: 1 },
  ])
  await sound()
})

it('pieces that the sender does not find are asked for again; pieces lost on the way are a task, and held anew', async () => {
  const sku = await article(6)
  const orderId = await tryOn([[sku, 3]])
  const first = await transferOf(orderId)
  await shipTransfer(spine.runtime, first.id, { quantities: { 1: 2 } })
  expect((await transfersOf(orderId)).map(({ state, lines: all }) => [state, all[0]?.quantity])).toEqual([
    ['shipped', 3],
    ['requested', 1],
  ])
  await arriveTransfer(spine.runtime, first.id, { quantities: { 1: 1 } })
  expect((await spine.tasks(orderId)).map((task) => task.kind)).toEqual(['transfer.short'])
  expect(await at(sku, 'in-transit')).toEqual({ onHand: 0, held: 0 })
  expect((await spine.order(orderId)).is('reserved')).toBe(false)
  await spine.steps.reserve(orderId)
  expect(await spine.held(orderId)).toBe(3)
  await sound()
})

it('a pickup order waits for its goods, and is routed to the store once they are there', async () => {
  const sku = await article(3)
  const orderId = await spine.place({ lines: lines([sku, 1]), delivery: { method: 'storePickup', location: 'shop' } })
  await spine.untilRouted(orderId)
  expect((await spine.order(orderId)).is('routed')).toBe(false)
  const { id } = await transferOf(orderId)
  await expect(cancelTransfer(spine.runtime, id)).rejects.toMatchObject({ kind: 'Rejected' })
  await shipTransfer(spine.runtime, id, {})
  await spine.steps.route(orderId)
  expect((await spine.order(orderId)).is('routed'), 'nothing is routed while it is on the way').toBe(false)
  await arriveTransfer(spine.runtime, id)
  await spine.steps.route(orderId)
  expect((await spine.order(orderId)).units.map((unit) => unit.location)).toEqual(['shop'])
  await sound()
})

/** Tried on at the shop, kept, and to be sent home. */
async function keptForHome(sku: string, quantity: number): Promise<string> {
  const orderId = await tryOn([[sku, quantity]], { delivery: { method: 'home', location: 'shop' } })
  for (const { id } of await transfersOf(orderId)) {
    await shipTransfer(spine.runtime, id, {})
    await arriveTransfer(spine.runtime, id)
  }
  await spine.command(orderId, 'arrived')
  await spine.command(orderId, 'decide', { keep: { 1: quantity } })
  await spine.steps.askConfirmation(orderId)
  await spine.steps.route(orderId)
  return orderId
}
const roads = async (orderId: string) =>
  (await transfersOf(orderId)).map(({ purpose, from, to, state }) => [purpose, from, to, state])

it('what was brought, kept and goes home leaves the warehouse, and its piece at the shop is asked back', async () => {
  const sku = await article(5)
  const orderId = await keptForHome(sku, 2)
  expect((await spine.order(orderId)).units.map(({ location }) => location)).toEqual(['north'])
  expect([await at(sku, 'shop'), await at(sku, 'north')]).toEqual([
    { onHand: 2, held: 0 },
    { onHand: 3, held: 2 },
  ])
  expect(await roads(orderId)).toEqual([
    ['order', 'north', 'shop', 'arrived'],
    ['back', 'shop', 'north', 'requested'],
  ])
  await spine.steps.route(orderId)
  expect((await roads(orderId)).length).toBe(2)
  await sound()
})

it('the only piece there is, brought and kept, goes back to the warehouse for its order and leaves from there', async () => {
  const sku = await article(1)
  const orderId = await keptForHome(sku, 1)
  expect((await spine.order(orderId)).units).toEqual([])
  expect(await roads(orderId)).toEqual([
    ['order', 'north', 'shop', 'arrived'],
    ['order', 'shop', 'north', 'requested'],
  ])
  expect([await at(sku, 'shop'), await spine.tasks(orderId)]).toEqual([{ onHand: 1, held: 1 }, []])
  const [, back] = await transfersOf(orderId)
  await shipTransfer(spine.runtime, back?.id ?? '', {})
  await spine.steps.route(orderId)
  expect((await spine.order(orderId)).is('routed')).toBe(false)
  await arriveTransfer(spine.runtime, back?.id ?? '')
  await spine.steps.route(orderId)
  expect((await spine.order(orderId)).units.map(({ location }) => location)).toEqual(['north'])
  expect([await at(sku, 'shop'), await at(sku, 'north'), (await roads(orderId)).length]).toEqual([
    { onHand: 0, held: 0 },
    { onHand: 1, held: 1 },
    2,
  ])
  await sound()
})

it('the warehouse gets some meanwhile: its own goods leave, and the shop keeps its piece', async () => {
  const sku = await article(0, 1)
  const orderId = await keptForHome(sku, 1)
  expect(await roads(orderId)).toEqual([['order', 'shop', 'north', 'requested']])
  await transaction(spine.runtime.pool, (tx) =>
    setOnHand(tx, { key: `${sku}/more`, sku, location: 'north', onHand: 4, reason: 'count' }),
  )
  await spine.command(orderId, 'retry')
  await spine.steps.route(orderId)
  expect((await spine.order(orderId)).units.map(({ location }) => location)).toEqual(['north'])
  expect([await roads(orderId), await at(sku, 'shop')]).toEqual([
    [['order', 'shop', 'north', 'cancelled']],
    { onHand: 1, held: 0 },
  ])
  await sound()
})

it('a shop that ships sends what was brought and kept itself', async () => {
  const sku = await article(1)
  await spine.runtime.pool.query(`update locations set ships = true, courier_home = 'ecpay' where id = 'shop'`)
  try {
    const orderId = await keptForHome(sku, 1)
    expect((await spine.order(orderId)).units.map(({ location }) => location)).toEqual(['shop'])
    expect((await roads(orderId)).length).toBe(1)
  } finally {
    await spine.runtime.pool.query(`update locations set ships = false, courier_home = null where id = 'shop'`)
  }
  await sound()
})

it('replenishment is a transfer of nobody; what is held stays where it is', async () => {
  const sku = await article(3)
  await tryOn([[sku, 2]])
  const make = (quantity: number, key: string) =>
    transaction(spine.runtime.pool, (tx) =>
      askTransfer(tx, {
        key,
        purpose: 'stock',
        orderId: null,
        from: 'north',
        to: 'south',
        lines: [{ lineId: '1', sku, quantity }],
        by: 'test',
      }),
    )
  await expect(shipTransfer(spine.runtime, await make(2, `${sku}/2`), {})).rejects.toMatchObject({ kind: 'Invalid' })
  const id = await make(1, `${sku}/1`)
  await shipTransfer(spine.runtime, id, {})
  await arriveTransfer(spine.runtime, id)
  expect([await at(sku, 'north'), await at(sku, 'south')]).toEqual([
    { onHand: 2, held: 2 },
    { onHand: 1, held: 0 },
  ])
  await sound()
})

it('goods that are in two places, or in none, are found by the audit', async () => {
  const { pool } = spine.runtime
  const sku = await article(5)
  const asked = { key: sku, purpose: 'stock', orderId: null, from: 'north', to: 'shop', by: 'test' } as const
  const id = await transaction(pool, (tx) => askTransfer(tx, { ...asked, lines: [{ lineId: '1', sku, quantity: 3 }] }))
  await shipTransfer(spine.runtime, id, {})
  const after = (change: string) => planted(pool, 'the goods of a transfer are in one place', change)
  expect(await after('select 1')).toEqual([])
  expect(await after(`delete from movements where reference = '${id}' and location = 'north'`)).toEqual([
    { subject: id, detail: `${sku} at north: moved 0, and its lines say -3 (shipped)` },
  ])
  const again = `insert into movements (key, sku, location, quantity, reason, reference) values ('again', '${sku}', 'shop', 3, 'transferIn', '${id}')`
  expect(await after(again)).toEqual([{ subject: id, detail: `${sku} at shop: moved 3, and its lines say 0 (shipped)` }])
  expect(await after(`update transfers set state = 'cancelled', shipped_at = null where id = '${id}'`)).toHaveLength(2)
})
