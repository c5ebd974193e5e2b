/** Money that the channel's own people paid back in its back office: it is not paid a second time, and what does not fit a person sees. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hearPaidBack } from '../../activities/paidThere.ts'
import { payBackAll, requestRefund } from '../../activities/refund.ts'
import { askReturn } from '../../activities/returns/ask.ts'
import { inspectReturn } from '../../activities/returns/inspect.ts'
import { receiveReturn } from '../../activities/returns/receive.ts'
import type { IncomingOrder, PaidBack } from '../../domain/order.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { settleTask } from '../../server/settleTask.ts'
import { audit } from '../../store/audit.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { receiveOrder } from '../../store/orders.ts'
import { listTasks } from '../../store/tasks.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'

let at: Participants
/** What the shop's own people paid back, by the order's number there. */
let office: Map<string, PaidBack[]>
/** Runs once, when the shop is asked what it paid back. */
let meanwhile: () => void
let canBeAsked: boolean
beforeAll(async () => {
  at = await startParticipants()
  const { shop } = at.runtime.connectors
  shop!.fetchOrders = async (_ctx, ids) => {
    if (!canBeAsked) return []
    meanwhile()
    meanwhile = () => undefined
    const payload: Record<string, unknown> = { ...(await tellingOf(ids[0]!)) }
    return [{ kind: 'order' as const, externalId: ids[0]!, version: '1', eventAt: null, payload }]
  }
})
beforeEach(() => {
  office = new Map()
  meanwhile = () => undefined
  canBeAsked = true
})
afterAll(async () => {
  await at?.stop()
})

const numberOf = async (id: string) => (await at.spine.order(id)).doc.externalId
/** As the shop tells the order: our refunds come back in it. */
async function tellingOf(externalId: string): Promise<IncomingOrder> {
  const { rows } = await at.runtime.pool.query<{ id: string }>('select id from orders where external_id = $1', [externalId])
  const { doc, lines, id } = await at.spine.order(rows[0]!.id)
  const ours = [...at.heard.refunds].map(([key, amountMinor], index) => ({ id: `R-${index + 1}`, key, amountMinor }))
  return {
    ...doc,
    lines: lines.map((line) => ({ ...line, quantity: line.ordered })),
    paidBack: [...ours.filter(({ key }) => key.startsWith(`refund:${id}:`)), ...(office.get(externalId) ?? [])],
  } as IncomingOrder
}
const payInOffice = async (id: string, ...amounts: number[]) => {
  const externalId = await numberOf(id)
  office.set(
    externalId,
    amounts.map((amountMinor, index) => ({ id: `B-${index + 1}`, amountMinor, key: null })),
  )
}
const pull = async (id: string, change: Partial<IncomingOrder> = {}) => {
  const telling = { ...(await tellingOf(await numberOf(id))), ...change }
  await receiveOrder(at.runtime.pool, telling, { connectionVersion: 1 })
  await hearPaidBack(at.runtime.pool, id)
}
const refund = async (id: string, key: string, amountMinor: number) =>
  (
    await changeOrder(at.runtime.pool, id, 'world', (record, tx) =>
      requestRefund(tx, record, { key, amountMinor, lines: [], reason: 'came back' }),
    )
  ).result
const payBack = (id: string) =>
  changeOrder(at.runtime.pool, id, 'world', (record, tx) => payBackAll(tx, record, { key: 'gone', reason: 'not picked up' }))
const paid = (id: string) => [...at.heard.refunds].filter(([key]) => key.startsWith(`refund:${id}:`)).map(([, minor]) => minor)
const refunds = async (id: string) =>
  (await at.knows(id)).filter(({ what }) => what === 'refund').map(({ state, reason }) => ({ state, reason }))
const tasks = async (id: string) => await listTasks(at.runtime.pool, { orderId: id, state: 'open' })
const act = async (id: string, action: string) => await settleTask(at.runtime, (await tasks(id))[0]!, action, {}, 'person:test')
const isSound = async () => expect((await audit(at.runtime.pool)).violations).toEqual([])
const WORDS = 'shop paid TWD 50.00 back by itself (refund B-1): it is not paid a second time'

describe('before ours', () => {
  it('the same amount: nothing is paid, and the order says why', async () => {
    const id = await at.place()
    await payInOffice(id, 5_000)
    await pull(id)
    expect(await refund(id, 'r1', 5_000)).toBe('paidThere')
    expect(await refund(id, 'r1', 5_000)).toBe('known')
    await at.tell()
    expect(paid(id)).toEqual([])
    expect(await refunds(id)).toEqual([{ state: 'notNeeded', reason: WORDS }])
    expect(await tasks(id)).toEqual([])
    // It counts once: another refund of the same amount is another refund.
    expect(await refund(id, 'r2', 5_000)).toBe('asked')
    await at.tell()
    expect(paid(id)).toEqual([5_000])
    await expect(refund(id, 'r3', 10_001)).rejects.toMatchObject({
      message: expect.stringContaining('50.00 is asked back already, shop paid TWD 50.00 back by itself (refund B-1)') as string,
      remedy: 'Refund at most 100.00.',
    })
    await isSound()
  })

  it('another amount: a person sees both, and nothing is paid before they say so', async () => {
    const [retried, skipped] = [await at.place(), await at.place()]
    for (const id of [retried, skipped]) {
      await payInOffice(id, 3_000)
      await pull(id)
      expect(await refund(id, 'r1', 5_000)).toBe('disagrees')
      await at.tell()
      expect(paid(id)).toEqual([])
      expect(await tasks(id)).toMatchObject([
        {
          kind: 'refund.disagrees',
          actions: ['retry', 'skip'],
          detail: expect.stringMatching(
            /TWD 50\.00 is to be paid back.*shop paid TWD 30\.00 back by itself \(refund B-1\).*200\.00/,
          ),
        },
      ])
    }
    expect(await act(retried, 'retry')).toBe('the channel is asked to pay it back')
    expect(await act(skipped, 'skip')).toBe('nothing is paid for it')
    await at.tell()
    expect([paid(retried), paid(skipped)]).toEqual([[5_000], []])
    expect(await refunds(skipped)).toMatchObject([{ state: 'notNeeded' }])
    await isSound()
  })

  it('more than leaves room for ours: retry pays what is left', async () => {
    const id = await at.place()
    await payInOffice(id, 16_000)
    await pull(id)
    expect(await refund(id, 'r1', 5_000)).toBe('disagrees')
    expect(await tasks(id)).toMatchObject([{ value: '4000', remedy: expect.stringContaining('retry pays TWD 40.00') }])
    await at.runtime.pool.query(`update outbox set state = 'due' where order_id = $1 and kind = 'refund'`, [id])
    await at.tell()
    expect(paid(id)).toEqual([4_000])
    await isSound()
  })

  it('of an order that is to be paid back whole: the rest is paid; all of it: nothing', async () => {
    const [part, whole] = [await at.place(), await at.place()]
    await payInOffice(part, 3_000)
    await payInOffice(whole, 12_000, 8_000)
    for (const id of [part, whole]) {
      await pull(id)
      await payBack(id)
      await payBack(id)
      await at.tell()
      expect(await tasks(id)).toEqual([])
    }
    expect([paid(part), paid(whole)]).toEqual([[17_000], []])
    expect(await refunds(whole)).toMatchObject([{ state: 'notNeeded', reason: expect.stringContaining('refund B-1, B-2') }])
    await isSound()
  })

  it('all of it, by a channel that tells no amounts: nothing is left', async () => {
    const id = await at.place()
    const { doc } = await at.spine.order(id)
    await pull(id, { paidBack: undefined, payment: { ...doc.payment, state: 'refunded' } })
    canBeAsked = false
    expect(await refund(id, 'r1', 5_000)).toBe('paidThere')
    await at.tell()
    expect(paid(id)).toEqual([])
    await isSound()
  })

  it('of one piece of a return: only the other is paid when it is inspected later', async () => {
    const id = await at.place()
    const { reference } = await at.booked(id)
    await at.news(reference, 'delivered')
    const lines = [{ lineId: '1', quantity: 2 }]
    const { row } = await askReturn(
      at.runtime,
      id,
      { key: 'two', lines, reason: 'x', way: 'store', location: null, pickup: null, exchange: null },
      'web',
    )
    await payInOffice(id, 10_000)
    await pull(id)
    for (const wanted of [[], [10_000]]) {
      await receiveReturn(at.runtime, row.id, { location: 'shop', lines: [{ lineId: '1', quantity: 1 }] }, 'clerk')
      const piece = { lineId: '1', quantity: 1, disposition: 'restock' as const, location: null, note: null }
      await inspectReturn(at.runtime, row.id, { lines: [piece], refundMinor: null }, 'clerk')
      await at.tell()
      expect(paid(id)).toEqual(wanted)
    }
    expect(await tasks(id)).toEqual([])
    await isSound()
  })
})

describe('beside ours', () => {
  it('between our question and our call: nothing is paid', async () => {
    const [same, other] = [await at.place(), await at.place()]
    expect(await refund(same, 'r1', 5_000)).toBe('asked')
    await payInOffice(same, 5_000)
    await at.tell()
    expect(await refund(other, 'r1', 5_000)).toBe('asked')
    await payInOffice(other, 2_000)
    await at.tell()
    expect([paid(same), paid(other)]).toEqual([[], []])
    expect(await refunds(same)).toEqual([{ state: 'notNeeded', reason: WORDS }])
    expect(await tasks(other)).toMatchObject([{ kind: 'refund.disagrees' }])
    await act(other, 'retry')
    await at.tell()
    expect(paid(other)).toEqual([5_000])
    await isSound()
  })

  it('our own come back in the telling and count once, also one whose answer was lost', async () => {
    const id = await at.place()
    await refund(id, 'r1', 5_000)
    await at.tell()
    await pull(id)
    at.channelFails.push(() => new OmnisagaError('OutcomeUnknown', 'no answer', { code: 'timeout' }))
    await refund(id, 'r2', 5_000)
    await at.round()
    await pull(id)
    expect(await refund(id, 'r3', 10_000)).toBe('asked')
    await at.tell()
    await pull(id)
    expect(paid(id)).toEqual([5_000, 5_000, 10_000])
    expect(await refunds(id)).toMatchObject([{ state: 'acknowledged' }, { state: 'acknowledged' }, { state: 'acknowledged' }])
    expect(await tasks(id)).toEqual([])
    expect((await at.spine.order(id)).doc.payment.state).toBe('refunded')
    await isSound()
  })

  it('one of ours that a person gave up, and that the channel had paid all the same, is the refund that is wanted next', async () => {
    const id = await at.place()
    await at.tell()
    at.channelFails.push(() => new OmnisagaError('Rejected', 'no'))
    await refund(id, 'r1', 5_000)
    await at.tell()
    await act(id, 'skip')
    await pull(id)
    expect(await refund(id, 'r2', 5_000)).toBe('paidThere')
    await isSound()
  })

  it('while a person is to transfer it: the task closes, and nobody transfers it', async () => {
    const id = await at.place({ payment: { method: 'cod', state: 'collected', amountDueMinor: 20_000 } })
    expect(await refund(id, 'r1', 5_000)).toBe('byHand')
    expect(await tasks(id)).toMatchObject([{ kind: 'refund.byHand' }])
    await payInOffice(id, 2_000)
    await pull(id)
    expect(await tasks(id)).toMatchObject([{ detail: expect.stringContaining('shop paid TWD 20.00'), actions: ['done', 'skip'] }])
    await payInOffice(id, 2_000, 5_000)
    await pull(id)
    expect(await tasks(id)).toEqual([])
    expect(await refunds(id)).toMatchObject([
      { state: 'notNeeded', reason: expect.stringContaining('paid TWD 50.00 back by itself (refund B-1, B-2; 70.00 in all)') },
    ])
    await isSound()
  })

  it('after ours: the same amount once more is told once to a person, with both sides', async () => {
    const id = await at.place()
    await refund(id, 'r1', 5_000)
    await at.tell()
    await payInOffice(id, 4_000)
    await pull(id)
    expect(await tasks(id)).toEqual([])
    await payInOffice(id, 5_000)
    await pull(id)
    expect(await tasks(id)).toMatchObject([
      {
        kind: 'refund.twice',
        detail: expect.stringMatching(/TWD 50\.00 is paid back here.*shop paid TWD 50\.00 back by itself/),
      },
    ])
    await at.runtime.pool.query(`update tasks set state = 'done' where order_id = $1`, [id])
    await pull(id, { notes: 'another version' })
    expect(await tasks(id)).toEqual([])
    await isSound()
  })
})

it('whoever pays in whatever order, we never pay what goes beyond what was paid', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('refund' as const), key: fc.integer({ min: 1, max: 3 }), amount: fc.integer({ min: 1, max: 12_000 }) }),
    fc.record({ do: fc.constant('office' as const), amount: fc.integer({ min: 1, max: 12_000 }) }),
    fc.record({ do: fc.constantFrom('pull' as const, 'tell' as const, 'retry' as const, 'skip' as const, 'payBack' as const) }),
  ) // prettier-ignore
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      const id = await at.place()
      const theirs: number[] = []
      const back = () => [...paid(id), ...theirs].reduce((sum, amount) => sum + amount, 0)
      for (const each of steps) {
        if (each.do === 'refund')
          await refund(id, `k${each.key}`, each.amount).catch((error: { code?: string }) => {
            if (error.code !== 'refundAmount') throw error
          })
        // The shop itself pays no more than is left at it.
        else if (each.do === 'office' && back() + each.amount <= 20_000) {
          theirs.push(each.amount)
          await payInOffice(id, ...theirs)
        } else if (each.do === 'pull') await pull(id)
        else if (each.do === 'payBack') await payBack(id)
        else if (each.do === 'tell') await at.tell()
        else if ((each.do === 'retry' || each.do === 'skip') && (await tasks(id)).length > 0) {
          const [task] = await tasks(id)
          if (task!.actions.includes(each.do)) await act(id, each.do)
        }
        expect(back()).toBeLessThanOrEqual(20_000)
      }
      await at.tell()
      expect(back()).toBeLessThanOrEqual(20_000)
    }),
    { numRuns: 12 },
  )
  await isSound()
})
