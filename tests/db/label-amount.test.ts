/** Another amount is due than a label collects: nothing is printed, a person hears both amounts, and the label is made anew on their word. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { printLabels } from '../../activities/labels.ts'
import { audit } from '../../store/audit.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { listTasks } from '../../store/tasks.ts'
import { addBench } from '../model/bench.ts'
import { OrderWorld, type Event } from '../model/orderWorld.ts'
import { startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
  await addBench(spine)
})
afterAll(() => spine?.stop())

let world: OrderWorld
let id: string
const order = () => readOrder(spine.runtime.pool, id)
const parcels = async () => (await order()).parcels.map(({ state, amountDueMinor }) => [state, amountDueMinor])
const openTask = async () => (await listTasks(spine.runtime.pool, { orderId: id, state: 'open', kind: 'label.amount' }))[0]
const told = (what: Extract<Event, { is: 'told' }>['what']) => world.happen({ is: 'told', order: 0, what })
const printed = async () => (await printLabels(spine.runtime, [id])).refused.map(({ reason }) => reason)
const act = async (verb: 'rebook' | 'skip') => {
  await spine.command(id, verb, {}, { taskId: (await openTask())?.id ?? 0 })
  await world.players[0]?.rest()
}

const untilBooked = async () => {
  for (let taken = 0; taken < 9 && (await order()).parcels[0]?.state !== 'booked'; taken++) {
    await world.happen({ is: 'onward', order: 0 })
    await world.happen({ is: 'rest', order: 0 })
  }
}

/** Its label is not printed and a person is asked. */
async function labelledThenCheaper(): Promise<void> {
  world = await OrderWorld.begin(spine, ['cod'])
  id = world.players[0]?.orderId ?? ''
  await untilBooked()
  expect(await parcels()).toEqual([['booked', 36_000]])
  await told('cheaper')
  expect(await openTask()).toMatchObject({
    title: 'A label would collect the wrong amount',
    detail: expect.stringContaining('collect TWD 360.00, and TWD 260.00 is due') as string,
    actions: ['rebook', 'skip', 'cancel'],
  })
  expect(await printed()).toEqual(['the labels of its order collect TWD 360.00, and TWD 260.00 is due'])
  expect((await audit(spine.runtime.pool)).violations).toEqual([])
}

describe('cash on delivery of 360.00, labelled and packed, of which 260.00 is due now', () => {
  beforeEach(labelledThenCheaper)

  it('is booked anew for 260.00, and the old booking is cancelled', async () => {
    await act('rebook')
    expect(await parcels()).toEqual([
      ['void', 36_000],
      ['booked', 26_000],
    ])
    expect([...world.courier.booked.values()].map(({ cancelled }) => cancelled)).toEqual([true, false])
    expect(await openTask()).toBeUndefined()
    expect(await world.faults()).toEqual([])
  })

  it('is booked anew on a second word where the courier cancels nothing by a call', async () => {
    world.courier.plan.cancel.push('refuse')
    await act('rebook')
    expect(await parcels()).toEqual([['booked', 36_000]])
    expect((await openTask())?.remedy).toContain('at the courier by hand, then rebook')
    expect(await printed()).not.toEqual([])
    await act('rebook')
    expect(await parcels()).toEqual([
      ['void', 36_000],
      ['booked', 26_000],
    ])
  })

  it('goes as it is once a person has settled the difference, until another amount is due', async () => {
    await act('skip')
    // The stand-in prints nothing; it is asked, and that is what counts here.
    expect((await printed()).join()).not.toContain('is due')
    expect((await audit(spine.runtime.pool)).violations).toEqual([])
    await told('cheaper')
    expect((await openTask())?.detail).toContain('collect TWD 360.00, and TWD 160.00 is due')
    expect(await printed()).toEqual(['the labels of its order collect TWD 360.00, and TWD 160.00 is due'])
  })

  it('needs no word any more when the channel takes it back', async () => {
    await told('dearer')
    expect(await openTask()).toBeUndefined()
    expect((await printed()).join()).not.toContain('is due')
  })

  it('cannot be changed once it has left: a person settles it', async () => {
    await world.happen({ is: 'news', order: 0, parcel: 0, meaning: 'shipped', minute: 1 })
    expect(await openTask()).toMatchObject({ actions: ['skip'], detail: expect.stringContaining('has left') as string })
    expect(await world.faults()).toEqual([])
  })

  it('is a violation when nobody was asked', async () => {
    await spine.runtime.pool.query('delete from tasks')
    expect((await audit(spine.runtime.pool)).violations).toEqual([
      {
        invariant: 'COD label amount equals amount due',
        subject: id,
        detail: 'its labels collect 36000, due 26000, and there is no task with these amounts',
      },
    ])
  })
})

it('an amount that is lowered together with the goods falls only when the goods do', async () => {
  world = await OrderWorld.begin(spine, ['cod'])
  id = world.players[0]?.orderId ?? ''
  await untilBooked()
  await told('less')
  await world.players[0]?.rest()
  expect((await order()).doc.payment.amountDueMinor).toBe(36_000)
  const [task] = await listTasks(spine.runtime.pool, { orderId: id, state: 'open', kind: 'change.refused' })
  expect(task?.detail).toContain('TWD 360.00 stays due; the channel expects TWD 260.00.')
})
