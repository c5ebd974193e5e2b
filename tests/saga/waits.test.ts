/** Orders that wait for what nobody can hurry: the closing of a group-buy, goods that are still to come or on their way. */
import { expect, test } from 'vitest'
import { arriveTransfer, shipTransfer } from '../../activities/store/transfers.ts'
import { endCampaign, setCampaign } from '../../store/campaigns.ts'
import { transaction } from '../../store/db.ts'
import { listTransfers } from '../../store/transfers.ts'
import { days, hours, useSagaWorld, type SagaOrder } from './sagaWorld.ts'

const world = useSagaWorld({ policy: { confirmTimeoutMs: hours(1), shortage: ['backorder', 'transfer', 'task'] } })

let serial = 0
/** A group-buy of an article of its own. */
async function groupBuy(minimum: number) {
  const [id, sku] = [`buy-${(serial += 1)}`, await world.sku({ north: 10 })]
  const closesAt = new Date(Date.now() + days(60)).toISOString()
  const allotments = [{ sku, location: 'wh-north', quantity: 10 }]
  await transaction(world.runtime.pool, (tx) =>
    setCampaign(tx, { id, title: null, minimum, counts: 'pieces', closesAt, allotments }),
  )
  const member = async (payment: 'paid' | 'cod') => {
    const order = await world.order({ lines: [[sku, 2]], kind: 'groupBuy', payment, change: { campaign: id } })
    await order.untilPhase('confirming')
    await order.idle()
    return order
  }
  return { id, sku, member, close: () => endCampaign(world.runtime.pool, id) }
}
/** The sweep looks again until it is so: it leaves alone what has just changed. */
const sweepUntil = (what: string, read: () => Promise<boolean>) =>
  world.until(what, async () => {
    await world.sweep()
    return await read()
  })
const leaves = async (order: SagaOrder) => {
  await order.pickAndPack()
  await order.untilBooked()
}

test('a member waits for the closing for weeks without a word; with the minimum reached it goes to the warehouse', async () => {
  const buy = await groupBuy(3)
  const [paid, door] = [await buy.member('paid'), await buy.member('cod')]
  await world.skip(days(21))
  expect([await paid.tasks(), await door.tasks(), await paid.notices()]).toEqual([[], [], []])
  await buy.close()
  await sweepUntil('the closing is heard', async () => (await paid.phase()) === 'confirmed')
  await leaves(paid)
  // Who pays at the door is asked now, and its time to answer begins now.
  await world.until('it is asked', async () => (await door.facts()).confirmAsked?.for !== 'campaign')
  await door.idle()
  await world.skip(hours(2))
  await door.untilTask('order.confirm')
  expect((await door.ask('confirm')).state).toBe('done')
  await leaves(door)
})

test('under the minimum everybody leaves after weeks of waiting, and the goods are free', async () => {
  const buy = await groupBuy(9)
  const members = [await buy.member('paid'), await buy.member('cod')]
  await world.skip(days(21))
  await buy.close()
  await sweepUntil('both hear', async () => {
    const phases = await Promise.all(members.map((order) => order.phase()))
    return phases.every((phase) => phase === 'cancelled')
  })
  for (const order of members) await order.untilClosed('cancelled')
  expect(await world.stock(buy.sku)).toMatchObject({ onHand: 10, held: 0, available: 10 })
  expect(await members[0]?.tasks()).toEqual(['refund.byHand'])
})

test('a backorder waits for months, is not forgotten when it is cancelled in between, and goes on when the goods come', async () => {
  const sku = await world.sku({})
  await world.runtime.pool.query(`update products set stock_policy = 'backorder', backorder_days = 90 where sku = $1`, [sku])
  const [first, second] = [await world.order({ lines: [[sku, 1]] }), await world.order({ lines: [[sku, 1]] })]
  for (const order of [first, second]) {
    await order.untilPhase('waitingStock')
    await order.idle()
  }
  await world.skip(days(60))
  expect(await second.tasks()).toEqual([])
  expect((await first.ask('cancel')).state).toBe('done')
  await first.untilClosed('cancelled')
  await world.receive(sku, 'wh-north', 1)
  await sweepUntil('the second is served', async () => (await second.phase()) === 'confirmed')
  await leaves(second)
})

test('what only a store has is waited for on the road, as long as that takes, and leaves the warehouse then', async () => {
  const sku = await world.sku({ store: 2 })
  const order = await world.order({ lines: [[sku, 2]] })
  await world.until('a transfer is asked for', async () => (await order.facts()).inTransfer !== undefined)
  await order.idle()
  await world.skip(days(3))
  const [transfer] = await listTransfers(world.runtime.pool, { orderId: order.id })
  await shipTransfer(world.runtime, transfer?.id ?? '', {})
  await world.skip(days(3))
  expect([await order.phase(), await order.units()]).toEqual(['confirmed', []])
  await arriveTransfer(world.runtime, transfer?.id ?? '')
  await world.until('it is routed', async () => (await order.units()).length > 0)
  expect((await order.units()).map(({ location }) => location)).toEqual(['wh-north'])
  await leaves(order)
})
