/** Goods that are not there: claims in their order under contention, what is asked for elsewhere, how long holds last. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { purchasesCsv } from '../../activities/shortage/purchases.ts'
import { tidyBackorders } from '../../activities/shortage/round.ts'
import { arriveTransfer, shipTransfer, sweepTransfers } from '../../activities/store/transfers.ts'
import { connectors } from '../../connectors/registry.ts'
import { audit } from '../../store/audit.ts'
import { listBackorders, listPurchaseRequests } from '../../store/backorders.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { levels, move } from '../../store/ledger/operations.ts'
import { closeTasks, listTasks } from '../../store/tasks.ts'
import { listTransfers } from '../../store/transfers.ts'
import { ledgerFaults } from './ledgerFixture.ts'
import { lines, startSpine, type Change, type Spine } from './spineFixture.ts'

let spine: Spine
let serial = 0
beforeAll(async () => {
  spine = await startSpine()
})
afterAll(() => spine?.stop())

const apply = (document: Record<string, unknown>) =>
  applyConnections(spine.runtime.pool, spine.runtime.secretKey, document, connectors)
const receive = (sku: string, quantity: number, location = 'north') =>
  transaction(spine.runtime.pool, (tx) =>
    move(tx, { key: `in:${sku}:${(serial += 1)}`, sku, location, quantity, reason: 'receipt' }),
  )
async function product(pieces: number, more: Record<string, unknown> = { stockPolicy: 'backorder', backorderDays: 10 }) {
  const sku = `LATER-${(serial += 1)}`
  await apply({ products: [{ sku, name: sku, ...more }] })
  if (pieces > 0) await receive(sku, pieces)
  return sku
}
const reserve = async (orderId: string) => {
  await spine.steps.check(orderId)
  await spine.steps.reserve(orderId)
  return (await spine.order(orderId)).phase
}
const order = async (sku: string, quantity: number, change: Change = {}) => {
  const id = await spine.place({ lines: lines([sku, quantity]), ...change })
  await reserve(id)
  return id
}
const claims = async (sku: string) =>
  (await listBackorders(spine.runtime.pool, { sku, state: 'open' })).map((each) => each.quantity)
const available = async (sku: string) =>
  (await levels(spine.runtime.pool, { sku })).reduce((sum, level) => sum + level.available, 0)
const cancel = async (orderId: string) => {
  await spine.command(orderId, 'cancel')
  await spine.steps.recall(orderId)
  await spine.steps.releaseAll(orderId)
}
const sound = async () => {
  expect((await audit(spine.runtime.pool)).violations).toEqual([])
  expect(await ledgerFaults(spine.runtime.pool)).toEqual([])
}

test('what is there is held, the rest is a claim with its promise, and the customer is told once', async () => {
  const sku = await product(2)
  const id = await order(sku, 5)
  const { phase, facts } = await spine.order(id)
  expect([phase, await spine.held(id), await claims(sku), await spine.tasks(id)]).toEqual(['waitingStock', 2, [3], []])
  const inDays = (Date.parse(String(facts.shortage?.promisedBy)) - Date.now()) / 86_400_000
  expect(Math.round(inDays)).toBe(10)
  await spine.steps.reserve(id)
  const notices = await spine.runtime.pool.query('select template from notices where order_id = $1', [id])
  expect(notices.rows).toEqual([{ template: 'backordered' }])
  await sound()
  await receive(sku, 3)
  expect(await reserve(id)).toBe('reserved')
  expect([await spine.held(id), await claims(sku)]).toEqual([5, []])
  await sound()
})

test('goods that arrive are nobody else’s: a newer order waits behind the claims, whoever asks first', async () => {
  const sku = await product(0)
  const [first, second] = [await order(sku, 2), await order(sku, 2)]
  await receive(sku, 3)
  expect(await available(sku)).toBe(0)
  const quick = await order(sku, 1) // asks before those that were promised are rung
  expect((await spine.order(quick)).phase).toBe('waitingStock')
  expect(await reserve(second)).toBe('waitingStock')
  expect(await spine.held(second)).toBe(1) // what the first leaves
  expect(await reserve(first)).toBe('reserved')
  await receive(sku, 2)
  expect([await reserve(second), await reserve(quick)]).toEqual(['reserved', 'reserved'])
  await sound()
})

test('the priority of the kind comes first, then that of the order, then age', async () => {
  const sku = await product(0)
  await apply({ policy: { claimPriority: { replenishment: 5, store: -1 } } })
  const ids = [
    await order(sku, 1, { kind: 'replenishment', priority: 9 }),
    await order(sku, 1),
    await order(sku, 1, { priority: 3 }),
    await order(sku, 1, { kind: 'store' }),
  ]
  const open = await listBackorders(spine.runtime.pool, { sku, state: 'open' })
  expect(open.map(({ orderId }) => ids.indexOf(orderId))).toEqual([3, 2, 1, 0])
  for (const place of [3, 2, 1, 0]) {
    await receive(sku, 1)
    await Promise.all(ids.map(reserve)) // all at once: only the next one gets it
    expect((await spine.order(ids[place] ?? '')).phase).toBe('reserved')
  }
  await apply({ policy: {} })
  await sound()
})

test('in a crowd no piece goes to anybody before the claims are served', async () => {
  const sku = await product(0)
  const claimed = await Promise.all(Array.from({ length: 8 }, () => order(sku, 2)))
  expect((await claims(sku)).reduce((sum, each) => sum + each, 0)).toBe(16)
  const strangers = await Promise.all(Array.from({ length: 16 }, () => spine.place({ lines: lines([sku, 1]) })))
  await Promise.all([
    ...Array.from({ length: 8 }, (_, index) => receive(sku, 2, index % 2 === 0 ? 'north' : 'south')),
    ...strangers.map(reserve),
    ...claimed.map(reserve),
  ])
  // Each further round may serve those whose goods came meanwhile.
  for (let round = 0; round < 8; round++) for (const id of claimed) await reserve(id)
  expect(await Promise.all(claimed.map(async (id) => (await spine.order(id)).phase))).toEqual(claimed.map(() => 'reserved'))
  expect(await Promise.all(strangers.map(spine.held))).toEqual(strangers.map(() => 0))
  await sound()
})

test('a claim ends with its order, and what it kept is for everybody again', async () => {
  const sku = await product(1)
  const id = await order(sku, 4)
  await receive(sku, 2)
  expect(await available(sku)).toBe(0)
  await cancel(id)
  expect([await claims(sku), await available(sku)]).toEqual([[], 3])
  await tidyBackorders(spine.runtime)
  const row = await spine.runtime.pool.query('select allotted from stock where sku = $1', [sku])
  expect(row.rows).toEqual([{ allotted: false }])
  await sound()
})

test('an order whose lines are changed claims what it lacks then', async () => {
  const sku = await product(2)
  const id = await order(sku, 5)
  expect(
    (await spine.command(id, 'change', { lines: lines([sku, 4]), totals: { itemsMinor: 40_000, totalMinor: 40_000 } })).state,
  ).toBe('done')
  expect(await reserve(id)).toBe('waitingStock')
  expect([await spine.held(id), await claims(sku)]).toEqual([2, [2]])
  await sound()
})

test('a promise that was not kept is one task, closed when it is served', async () => {
  const sku = await product(0)
  const id = await order(sku, 1)
  await spine.runtime.pool.query(`update backorders set promised_at = now() - interval '1 day' where order_id = $1`, [id])
  await tidyBackorders(spine.runtime)
  await tidyBackorders(spine.runtime)
  expect((await spine.tasks(id)).map(({ kind }) => kind)).toEqual(['backorder.overdue'])
  await receive(sku, 1)
  expect(await reserve(id)).toBe('reserved')
  await tidyBackorders(spine.runtime)
  expect(await spine.tasks(id)).toEqual([])
})

test('with an article that cannot be promised nothing of the order is held or claimed, and a person decides', async () => {
  const [sku, plain] = [await product(1), await product(0, {})]
  const id = await spine.place({ lines: lines([sku, 3], [plain, 1]) })
  expect(await reserve(id)).toBe('waitingStock')
  expect([await spine.held(id), await claims(sku)]).toEqual([0, []])
  expect((await spine.tasks(id)).map(({ kind }) => kind)).toEqual(['stock.short'])
})

const placesOf = async (orderId: string) =>
  (
    await spine.runtime.pool.query<{ location: string; quantity: number }>(
      `select location, sum(quantity)::int as quantity from holds where order_id = $1 and state = 'active' group by 1 order by 1`,
      [orderId],
    )
  ).rows.map(({ location, quantity }) => [location, quantity])
const transfersOf = (orderId: string) => listTransfers(spine.runtime.pool, { orderId })
const goOn = async (orderId: string) => {
  await spine.steps.askConfirmation(orderId)
  await spine.steps.route(orderId)
  return (await spine.order(orderId)).units.map(({ location, state }) => [location, state])
}

test('by the policy what only a store has is held there at once, brought by a transfer, and leaves when it has arrived', async () => {
  await apply({ policy: { shortage: ['transfer', 'task'] } })
  const sku = await product(1, {})
  await receive(sku, 3, 'shop')
  const id = await order(sku, 3)
  expect([(await spine.order(id)).phase, await placesOf(id), await spine.tasks(id)]).toEqual([
    'reserved',
    [
      ['north', 1],
      ['shop', 2],
    ],
    [],
  ])
  expect(await order(sku, 2).then(spine.tasks)).toMatchObject([{ kind: 'stock.short' }]) // nobody else gets what is on its way
  expect(await goOn(id)).toEqual([])
  const [transfer] = await transfersOf(id)
  expect(transfer).toMatchObject({
    from: 'shop',
    to: 'north',
    purpose: 'order',
    state: 'requested',
    lines: [{ sku, quantity: 2 }],
  })
  expect(await goOn(id)).toEqual([])
  expect((await transfersOf(id)).length).toBe(1)
  await shipTransfer(spine.runtime, transfer?.id ?? '', {})
  expect([await goOn(id), await placesOf(id)]).toEqual([[], [['north', 1]]])
  await sound()
  await arriveTransfer(spine.runtime, transfer?.id ?? '')
  expect(await goOn(id)).toEqual([['north', 'planned']])
  expect([await placesOf(id), (await transfersOf(id)).length]).toEqual([[['north', 3]], 1])
  await sound()
})

test('what is brought for an order that is cancelled before it is sent stays, and on its way it stays where it arrives', async () => {
  const sku = await product(0, {})
  await receive(sku, 5, 'shop')
  const [early, late] = [await order(sku, 1), await order(sku, 2)]
  for (const id of [early, late]) await goOn(id)
  const [sent] = await transfersOf(late)
  await shipTransfer(spine.runtime, sent?.id ?? '', {})
  for (const id of [early, late]) await cancel(id)
  await sweepTransfers(spine.runtime)
  expect((await transfersOf(early)).map(({ state }) => state)).toEqual(['cancelled'])
  await arriveTransfer(spine.runtime, sent?.id ?? '')
  expect((await transfersOf(late)).map(({ purpose, state }) => [purpose, state])).toEqual([['order', 'arrived']])
  expect((await levels(spine.runtime.pool, { sku })).map(({ location, available }) => [location, available])).toEqual([
    ['in-transit', 0],
    ['north', 2],
    ['shop', 3],
  ])
  await sound()
})

test('a pickup is brought from another store; an article that is nowhere leaves the whole order to a person', async () => {
  await apply({ locations: [{ id: 'shop-2', name: '二店', kind: 'store', ships: false, priority: 8 }] })
  const [sku, nowhere] = [await product(0, {}), await product(0, {})]
  await receive(sku, 2, 'shop-2')
  const delivery = { method: 'storePickup' as const, location: 'shop' }
  const both = await spine.place({ lines: lines([sku, 1], [nowhere, 1]), delivery })
  expect([await reserve(both), await spine.held(both)]).toEqual(['waitingStock', 0])
  expect(await spine.tasks(both)).toMatchObject([{ kind: 'stock.short', value: nowhere }])
  const id = await order(sku, 2, { delivery })
  expect([await placesOf(id), await goOn(id)]).toEqual([[['shop-2', 2]], []])
  expect(await transfersOf(id)).toMatchObject([{ from: 'shop-2', to: 'shop' }])
})

test('many orders that want the last pieces of a store at once: each piece is brought for one of them', async () => {
  const sku = await product(0, {})
  await receive(sku, 5, 'shop')
  const ids = await Promise.all(Array.from({ length: 12 }, () => order(sku, 1)))
  const held = await Promise.all(ids.map(spine.held))
  expect(held.reduce((sum, each) => sum + each, 0)).toBe(5)
  await sound()
})

test('a promised article is held and brought where a store has it, beside a claim for the one that nobody has', async () => {
  await apply({ policy: { shortage: ['backorder', 'transfer', 'purchase', 'task'] } })
  const [there, later] = [await product(0), await product(1)]
  await receive(there, 1, 'shop')
  const id = await spine.place({ lines: lines([there, 1], [later, 3]) })
  expect([await reserve(id), await placesOf(id), await claims(later), await claims(there)]).toEqual([
    'waitingStock',
    [
      ['north', 1],
      ['shop', 1],
    ],
    [2],
    [],
  ])
  await receive(later, 2)
  expect([await reserve(id), await spine.held(id)]).toEqual(['reserved', 4])
  await sound()
})

test('what is nowhere is bought: one request an article, closed when nobody needs it', async () => {
  await apply({ policy: { shortage: ['transfer', 'purchase', 'task'] } })
  const sku = await product(0, {})
  const [near, far, more] = [await order(sku, 2), await order(sku, 4), await order(sku, 5)]
  const toBuy = async () =>
    (await listPurchaseRequests(spine.runtime.pool, { sku })).map(({ quantity, orders, state }) => [quantity, orders, state])
  expect(await toBuy()).toEqual([[11, 3, 'open']])
  // The sweep rings who waits for stock.
  expect((await spine.order(near)).phase).toBe('waitingStock')
  expect(await Promise.all([near, far, more].map(spine.tasks))).toEqual([[], [], []])
  await cancel(more)
  expect(await toBuy()).toEqual([[6, 2, 'open']])
  await receive(sku, 6)
  expect([await reserve(near), await reserve(far)]).toEqual(['reserved', 'reserved'])
  expect(await toBuy()).toEqual([[4, 1, 'closed']])
  await order(sku, 7)
  expect(await toBuy()).toEqual([
    [7, 1, 'open'],
    [4, 1, 'closed'],
  ])
  await sound()
})

test('a backorder is bought as well where the policy says so', async () => {
  await apply({ policy: { shortage: ['backorder', 'transfer', 'purchase', 'task'] } })
  const sku = await product(1)
  const [one, two] = [await order(sku, 3), await order(sku, 2)]
  expect(await claims(sku)).toEqual([2, 2])
  expect(await listPurchaseRequests(spine.runtime.pool, { sku })).toMatchObject([{ quantity: 4, orders: 2, state: 'open' }])
  await receive(sku, 4)
  expect([await reserve(one), await reserve(two)]).toEqual(['reserved', 'reserved'])
  expect(await listPurchaseRequests(spine.runtime.pool, { sku })).toMatchObject([{ state: 'closed' }])
})

test('holds last as long as the product, the kind of order or the policy says', async () => {
  const hour = 3_600_000
  await apply({ policy: { holdTtlMs: 48 * hour, holdTtlMsByKind: { store: 5 * hour } } })
  const [short, plain] = [await product(5, { holdTtlMs: 2 * hour }), await product(5, {})]
  const cod = { payment: { method: 'cod' as const, state: 'due' as const, amountDueMinor: 10_000 } }
  const hoursOf = async (sku: string, change: Change) => {
    const id = await order(sku, 1, { ...cod, ...change })
    const { rows } = await spine.runtime.pool.query<{ expires_at: Date }>('select expires_at from holds where order_id = $1', [
      id,
    ])
    return Math.round(((rows[0]?.expires_at.getTime() ?? 0) - Date.now()) / hour)
  }
  expect([await hoursOf(short, { kind: 'store' }), await hoursOf(plain, { kind: 'store' }), await hoursOf(plain, {})]).toEqual([
    2, 5, 48,
  ])
})

test('buyers are asked once for all that is nowhere, again when more is needed, and never after it was served', async () => {
  await apply({ policy: { shortage: ['purchase', 'task'] } })
  await tidyBackorders(spine.runtime)
  const [plain, ugly] = [await product(0, {}), `B"1, 2`]
  await apply({ products: [{ sku: ugly, name: '杯, 大' }] })
  const [one, two] = [await order(plain, 2), await order(ugly, 1)]
  const tasks = async (state: 'open' | 'done') => await listTasks(spine.runtime.pool, { kind: 'stock.purchase', state })
  await Promise.all([tidyBackorders(spine.runtime), tidyBackorders(spine.runtime)])
  const [task, ...others] = await tasks('open')
  expect(others).toEqual([])
  for (const told of [`2 × ${plain} for 1 order`, `1 × ${ugly} for 1 order`]) expect(task?.detail).toContain(told)
  const wanted = (await listPurchaseRequests(spine.runtime.pool, { state: 'open' })).filter(({ sku }) =>
    [plain, ugly].includes(sku),
  )
  const csv = purchasesCsv(wanted)
  expect(csv.startsWith('\uFEFFsku,name,quantity,orders,since\r\n"B""1, 2","杯, 大",1,1,20')).toBe(true)
  expect(csv).toContain(`\r\n${plain},${plain},2,1,20`)

  await closeTasks(spine.runtime.pool, { id: task?.id ?? 0 }, 'skip: ordered', 'person:buyer')
  await tidyBackorders(spine.runtime)
  expect(await tasks('open')).toEqual([])
  const three = await order(plain, 3)
  await tidyBackorders(spine.runtime)
  expect((await tasks('open')).map(({ detail }) => detail.includes(`5 × ${plain} for 2 orders`))).toEqual([true])
  await cancel(three)
  await tidyBackorders(spine.runtime)
  expect((await tasks('open')).map(({ detail }) => detail.includes(`2 × ${plain} for 1 order`))).toEqual([true])
  for (const id of [one, two]) await cancel(id)
  for (const { orderId } of (
    await spine.runtime.pool.query<{ orderId: string }>('select distinct order_id as "orderId" from supply_needs')
  ).rows)
    await cancel(orderId)
  await tidyBackorders(spine.runtime)
  expect(await tasks('open')).toEqual([])
})
