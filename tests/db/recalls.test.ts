/** An order called back from the warehouse to be changed, on a real database without an engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startParticipants, type Participants } from './participantsFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
})
afterAll(async () => {
  await at?.stop()
})

describe('called back to be changed', () => {
  const atWarehouse = async () => {
    const id = await at.place()
    await at.spine.untilRouted(id)
    await at.spine.handOver(id)
    return id
  }
  const back = async (id: string) => {
    await at.spine.steps.recall(id)
    expect(await at.spine.command(id, 'recalled')).toMatchObject({ state: 'done' })
    await at.spine.steps.releaseAll(id)
    return await at.spine.order(id)
  }

  it('the order begins again with the change, still confirmed, and nothing of the first try counts', async () => {
    const id = await atWarehouse()
    expect(await at.spine.command(id, 'change', { notes: '請放管理室' })).toMatchObject({ state: 'refused' })
    expect(await at.spine.command(id, 'recall')).toMatchObject({ state: 'done' })
    const order = await back(id)
    expect(order.doc.notes).toBe('請放管理室')
    expect([order.is('cancelled'), order.is('cancelRequested'), order.is('confirmed'), order.is('reserved')]).toEqual([
      false,
      false,
      true,
      false,
    ])
    expect(order.lines.map(({ ordered, held, picked, packed, cancelled }) => [ordered, held, picked, packed, cancelled])).toEqual(
      [[2, 0, 0, 0, 0]],
    )
    await at.spine.untilRouted(id)
    expect((await at.spine.order(id)).units.map(({ state }) => state).at(-1)).not.toBe('cancelled')
  })

  it('a cancellation that comes meanwhile wins, and letting it go leaves the order as it was', async () => {
    const cancelled = await atWarehouse()
    await at.spine.command(cancelled, 'change', { recall: true, notes: 'x' })
    expect(await at.spine.command(cancelled, 'cancel')).toMatchObject({ state: 'done' })
    expect((await back(cancelled)).phase).toBe('cancelled')
    const kept = await atWarehouse()
    await at.spine.command(kept, 'change', { recall: true, notes: 'x' })
    await at.spine.steps.recall(kept)
    expect(await at.spine.command(kept, 'letGo')).toMatchObject({ state: 'done' })
    expect(await at.spine.order(kept)).toMatchObject({ phase: 'picking', doc: { notes: null } })
  })

  it('with nothing to change is refused', async () => {
    expect(await at.spine.command(await atWarehouse(), 'recall')).toMatchObject({
      state: 'refused',
      answer: 'no change of it came too late: say what is to be changed',
    })
  })
})
