/** The money of what comes back, on a real database: never more than was paid, once, and by whom. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { payBackAll, requestRefund } from '../../activities/refund.ts'
import { tell } from '../../activities/telling.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { leaseOutbox } from '../../store/outbox.ts'
import { listTasks } from '../../store/tasks.ts'
import { lines } from './spineFixture.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'
import { returnsOf } from './returnsFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
})
afterAll(async () => {
  await at?.stop()
})
const { refundsOf, openKinds, violations } = returnsOf(() => at)

describe('money', () => {
  const refund = async (id: string, key: string, amountMinor: number, byPerson = false) =>
    (
      await changeOrder(at.runtime.pool, id, 'world', (record, tx) =>
        requestRefund(tx, record, { key, amountMinor, lines: [], reason: 'test', byPerson }),
      )
    ).result
  const payBack = (id: string, key: string) =>
    changeOrder(at.runtime.pool, id, 'world', (record, tx) => payBackAll(tx, record, { key, reason: 'it will not come' }))
  const unpriced = () => lines(['TEE-S', 2]).map((each) => ({ ...each, unitPriceMinor: null }))
  const asked = async (id: string) => (await refundsOf(id)).reduce((sum, { amount }) => sum + amount, 0)

  it('never comes to more than was paid, whoever asks for how much in whatever order', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('refund' as const), key: fc.integer({ min: 1, max: 4 }), amount: fc.integer({ min: -1, max: 15_000 }), byPerson: fc.boolean() }),
      fc.record({ do: fc.constant('payBack' as const), key: fc.integer({ min: 1, max: 2 }) }),
      fc.record({ do: fc.constant('skip' as const), key: fc.integer({ min: 1, max: 4 }) }),
    ) // prettier-ignore
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), fc.boolean(), async (steps, isTotalTold) => {
        const id = await at.place()
        if (!isTotalTold)
          await at.runtime.pool.query(`update orders set doc = jsonb_set(doc, '{totals,totalMinor}', 'null') where id = $1`, [id])
        for (const each of steps) {
          if (each.do === 'refund')
            await refund(id, `k${each.key}`, each.amount, each.byPerson).catch((error: { code?: string }) => {
              if (error.code !== 'refundAmount') throw error
            })
          else if (each.do === 'payBack') await payBack(id, `all${each.key}`)
          else
            await at.runtime.pool.query(`update outbox set state = 'skipped' where key = $1 and state <> 'done'`, [
              `refund:${id}:k${each.key}`,
            ])
          const rows = await at.runtime.pool.query<{ sum: number }>(
            `select coalesce(sum((payload->>'amountMinor')::bigint), 0)::bigint as sum from outbox
             where order_id = $1 and kind = 'refund' and state <> 'skipped'`,
            [id],
          )
          expect(rows.rows[0]?.sum).toBeLessThanOrEqual(20_000)
        }
      }),
      { numRuns: 15 },
    )
    expect(await violations()).toEqual([])
  })

  it("that nobody knows the sum of is a person's, with what is known; only an amount that a person names is paid", async () => {
    const id = await at.place({
      lines: unpriced(),
      totals: { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null },
    })
    await expect(refund(id, 'r1', 5_000)).rejects.toMatchObject({ code: 'refundAmount', message: 'what was paid is not known' })
    await payBack(id, 'gone')
    await payBack(id, 'gone')
    expect(await listTasks(at.runtime.pool, { orderId: id, state: 'open' })).toMatchObject([
      { kind: 'refund.byHand', detail: expect.stringContaining('no price of 2 × TEE-S; TWD 0.00 is asked back already') },
    ])
    expect(await refund(id, 'r2', 5_000, true)).toBe('asked')
    expect(await asked(id)).toBe(5_000)
  })

  it('is paid back whole less what was asked back before, and asked for once', async () => {
    const id = await at.place()
    await refund(id, 'part', 6_000)
    await payBack(id, 'gone')
    await payBack(id, 'gone again')
    expect((await refundsOf(id)).map(({ amount }) => amount)).toEqual([6_000, 14_000])
  })

  it('that nobody paid is not paid back', async () => {
    const id = await at.place({ payment: { method: 'cod', state: 'due', amountDueMinor: 20_000 } })
    await payBack(id, 'gone')
    expect(await refundsOf(id)).toEqual([])
    expect(await openKinds(id)).toEqual([])
    await expect(refund(id, 'r1', 1_000)).rejects.toMatchObject({ message: 'nothing was paid that could be refunded' })
  })

  it('that a process paid which then died is asked for again under the same key, and paid once', async () => {
    const id = await at.place()
    await at.tell()
    await refund(id, 'r1', 4_321)
    const [row] = await leaseOutbox(at.runtime.pool, 10, 10, 60_000)
    expect(row).toMatchObject({ kind: 'refund', orderId: id })
    await tell(at.runtime, row!)
    // It is gone before it could write that it is done; nobody else touches the row until its lease ends.
    expect(await at.round()).toBe(0)
    expect(at.heard.refunds.get(`refund:${id}:r1`)).toBe(4_321)
    await at.tell()
    expect(at.heard.channel.filter((what) => what.startsWith('refunded') && what.endsWith(' 4321'))).toHaveLength(1)
    expect((await at.knows(id)).filter(({ what }) => what === 'refund')).toMatchObject([{ state: 'acknowledged' }])
  })
})
