/** Group-buys on a real database: who is counted, who is too late, and what a closing in the middle of a crowd does. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeCampaigns } from '../../activities/campaigns/round.ts'
import { listAllotments } from '../../store/allotments.ts'
import { audit } from '../../store/audit.ts'
import { closeDueCampaigns, endCampaign, listCampaigns, setCampaign } from '../../store/campaigns.ts'
import { transaction } from '../../store/db.ts'
import { levels, move } from '../../store/ledger/operations.ts'
import { lines, startSpine, type Change, type Spine } from './spineFixture.ts'

let spine: Spine
let serial = 0
beforeAll(async () => {
  spine = await startSpine()
  // Rings go nowhere here: the steps are called one by one.
  Object.assign(spine.runtime.temporal, {
    withDeadline: () => Promise.resolve(),
  })
})
afterAll(() => spine?.stop())

/** A campaign with a SKU of its own. */
async function campaign(minimum: number, pieces: number, more: { counts?: 'orders' } = {}) {
  serial += 1
  const [id, sku] = [`buy-${serial}`, `GROUP-${serial}`]
  const { pool } = spine.runtime
  await pool.query('insert into products (sku, name) values ($1, $1)', [sku])
  await transaction(pool, (tx) => move(tx, { key: `in:${sku}`, sku, location: 'north', quantity: pieces, reason: 'receipt' }))
  const entry = {
    id,
    title: null,
    minimum,
    counts: more.counts ?? ('pieces' as const),
    closesAt: new Date(Date.now() + 3_600_000).toISOString(),
    allotments: [{ sku, location: 'north', quantity: pieces }],
  }
  await transaction(pool, (tx) => setCampaign(tx, entry))
  return {
    id,
    sku,
    entry,
    /** Taken in, checked, reserved, and as far as it is let. */
    async order(quantity: number, change: Change = {}) {
      const orderId = await spine.place({ kind: 'groupBuy', campaign: id, lines: lines([sku, quantity]), ...change })
      await spine.steps.check(orderId)
      await spine.steps.reserve(orderId)
      await spine.steps.askConfirmation(orderId)
      return orderId
    },
    async close() {
      await endCampaign(pool, id)
      await closeCampaigns(spine.runtime)
    },
    state: async () => (await listCampaigns(pool, { id }))[0],
    available: async () => (await levels(pool, { sku, location: 'north' }))[0]?.available,
  }
}
const cod = { payment: { method: 'cod' as const, state: 'due' as const, amountDueMinor: 10_000 } }
const facts = async (orderId: string) => (await spine.order(orderId)).facts
const goOn = async (orderId: string) => {
  await spine.steps.askConfirmation(orderId)
  return (await spine.order(orderId)).phase
}
const undo = async (orderId: string) => {
  await spine.steps.recall(orderId)
  await spine.steps.releaseAll(orderId)
  return (await spine.order(orderId)).phase
}
const noticesOf = async (orderId: string) =>
  (
    await spine.runtime.pool.query<{ template: string }>('select template from notices where order_id = $1 order by id', [
      orderId,
    ])
  ).rows
const clean = async () => expect((await audit(spine.runtime.pool)).violations).toEqual([])

test('a paid order of an open group-buy holds and waits; nobody confirms it by hand', async () => {
  const buy = await campaign(3, 10)
  const orderId = await buy.order(2)
  expect((await facts(orderId)).confirmAsked).toMatchObject({ for: 'campaign' })
  expect(await spine.held(orderId)).toBe(2)
  expect(await spine.command(orderId, 'confirm')).toEqual({
    state: 'refused',
    answer: `its group-buy ${buy.id} is still open`,
  })
  await spine.steps.remindOfConfirmation(orderId)
  expect(await spine.tasks(orderId)).toEqual([])
  expect(await buy.state()).toMatchObject({ state: 'open', orders: 1, pieces: 2 })
  await clean()
})

test('with its minimum reached all go on, the door payers are asked, and the rest of the allotment is on sale', async () => {
  const buy = await campaign(3, 10)
  const [paid, door] = [await buy.order(2), await buy.order(1, cod)]
  expect(await buy.available()).toBe(0)
  await buy.close()
  expect(await buy.state()).toMatchObject({ state: 'reached', counted: 3 })
  expect([await goOn(paid), await goOn(door)]).toEqual(['confirmed', 'confirming'])
  expect(await noticesOf(door)).toEqual([{ template: 'confirmCod' }])
  expect((await spine.command(door, 'confirm')).state).toBe('done')
  expect(await buy.available()).toBe(7)
  expect((await listAllotments(spine.runtime.pool, { campaign: buy.id })).length).toBe(0)
  await clean()
})

test('under its minimum all are released and told once, what was paid is asked back, and everything is on sale again', async () => {
  const buy = await campaign(4, 10)
  const [paid, door, unpaid] = [
    await buy.order(2),
    await buy.order(1, cod),
    await buy.order(1, { payment: { state: 'pending' } }), // not paid: it does not count
  ]
  await buy.close()
  await closeCampaigns(spine.runtime) // and again, as after a crash
  expect(await buy.state()).toMatchObject({ state: 'failed', counted: 3 })
  for (const id of [paid, door, unpaid]) expect(await undo(id)).toBe('cancelled')
  expect(await noticesOf(paid)).toEqual([{ template: 'campaignFailed' }])
  expect(await noticesOf(unpaid)).toEqual([{ template: 'awaitPayment' }, { template: 'campaignFailed' }])
  const refunds = await spine.runtime.pool.query(
    `select order_id, payload->'amountMinor' as amount from outbox where kind = 'refund' and order_id = any($1)`,
    [[paid, door, unpaid]],
  )
  expect(refunds.rows).toEqual([{ order_id: paid, amount: 20_000 }])
  expect(await spine.tasks(paid)).toMatchObject([{ kind: 'refund.byHand' }])
  expect(await buy.available()).toBe(10)
  await clean()
})

test('who found nothing left in the allotment leaves at the closing, refunded and told, while the members go on', async () => {
  const buy = await campaign(2, 3)
  const [first, second] = [await buy.order(3), await buy.order(1)]
  expect((await spine.order(second)).phase).toBe('waitingStock')
  await buy.close()
  expect([await goOn(first), await undo(second)]).toEqual(['confirmed', 'cancelled'])
  expect(await noticesOf(second)).toEqual([{ template: 'campaignMissed' }])
  await clean()
})

test('an order that came in after the closing holds nothing and leaves, also before the sweep has closed it', async () => {
  const buy = await campaign(0, 5)
  await endCampaign(spine.runtime.pool, buy.id)
  const late = await buy.order(1)
  expect(await spine.held(late)).toBe(0)
  expect(await undo(late)).toBe('cancelled')
  expect(await noticesOf(late)).toEqual([{ template: 'campaignMissed' }])
  await buy.close()
  expect((await buy.state())?.state).toBe('reached')
})

test('the closing waits for orders that came in time and are still on their way to the stock', async () => {
  const buy = await campaign(2, 5)
  const orderId = await spine.place({ kind: 'groupBuy', campaign: buy.id, lines: lines([buy.sku, 2]) })
  await buy.close()
  expect((await buy.state())?.state).toBe('open')
  await spine.steps.check(orderId)
  await spine.steps.reserve(orderId)
  await spine.steps.askConfirmation(orderId)
  await closeCampaigns(spine.runtime)
  expect(await buy.state()).toMatchObject({ state: 'reached', counted: 2 })
  expect(await goOn(orderId)).toBe('confirmed')
})

test('one that never gets to the stock is waited for a minute', async () => {
  const buy = await campaign(0, 5)
  await spine.place({ kind: 'groupBuy', campaign: buy.id, lines: lines([buy.sku, 1]) })
  await spine.runtime.pool.query(`update campaigns set closes_at = now() - interval '61 seconds' where id = $1`, [buy.id])
  await spine.runtime.pool.query(`update orders set created_at = now() - interval '2 minutes' where doc->>'campaign' = $1`, [
    buy.id,
  ])
  await closeCampaigns(spine.runtime)
  expect((await buy.state())?.state).toBe('reached')
})

test('orders that arrive while several workers close it are each counted or too late, never both', async () => {
  const buy = await campaign(1, 400, { counts: 'orders' })
  const early = await Promise.all(Array.from({ length: 12 }, () => buy.order(1)))
  const crowd = Array.from({ length: 24 }, async (_, index) => {
    if (index === 12) await endCampaign(spine.runtime.pool, buy.id)
    return await buy.order(1)
  })
  const closing = (async () => {
    let state = 'open'
    while (state === 'open') {
      await Promise.all([1, 2, 3].map(() => closeDueCampaigns(spine.runtime.pool)))
      state = (await buy.state())?.state ?? ''
    }
  })()
  const all = [...early, ...(await Promise.all(crowd))]
  await closing
  await closeCampaigns(spine.runtime)
  const settled = await buy.state()
  const members = await spine.runtime.pool.query<{ id: string }>(
    'select order_id as id from campaign_members where campaign = $1',
    [buy.id],
  )
  const phases = await Promise.all(all.map(async (id) => ((await facts(id)).cancelRequested ? await undo(id) : await goOn(id))))
  const confirmed = all.filter((_, index) => phases[index] === 'confirmed')
  expect(new Set(phases)).toEqual(new Set(['confirmed', 'cancelled']))
  expect(confirmed.sort()).toEqual(members.rows.map(({ id }) => id).sort())
  expect(settled).toMatchObject({ state: 'reached', counted: confirmed.length })
  expect(await buy.available()).toBe(400 - confirmed.length)
  await clean()
})

test('a closed one stays as it was judged, whatever is applied again', async () => {
  const buy = await campaign(5, 5)
  await buy.close()
  expect(await transaction(spine.runtime.pool, (tx) => setCampaign(tx, { ...buy.entry, minimum: 0 }))).toBe(false)
  expect(await buy.state()).toMatchObject({ state: 'failed', minimum: 5 })
  expect(await buy.available()).toBe(5)
  await expect(endCampaign(spine.runtime.pool, buy.id)).rejects.toThrow('no open campaign')
})
