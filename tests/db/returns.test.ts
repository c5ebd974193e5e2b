/** Returns on a real database, without an engine: rules, receipt, inspection; two at once; the audit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askReturn, decideReturn } from '../../activities/returns/ask.ts'
import { inspectReturn } from '../../activities/returns/inspect.ts'
import { refundByPerson } from '../../activities/returns/money.ts'
import { receiveReturn } from '../../activities/returns/receive.ts'
import { settleReturnTask } from '../../activities/returns/tasks.ts'
import { applyConnections } from '../../store/configuration.ts'
import { listTasks } from '../../store/tasks.ts'
import { planted } from './planted.ts'
import { lines } from './spineFixture.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'
import { line, returnsOf } from './returnsFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
})
afterAll(async () => {
  await at?.stop()
})
const { want, delivered, approved, onHand, policy, refundsOf, openKinds, violations } = returnsOf(() => at)

describe('a return', () => {
  it('within the rules is approved, received at another place, inspected piece by piece and paid back in one', async () => {
    const id = await delivered({ lines: lines(['TEE-S', 2], ['TEE-M', 1, 30_000]) })
    const row = await approved(id, {
      lines: [
        { lineId: '1', quantity: 2 },
        { lineId: '2', quantity: 1 },
      ],
    })
    expect(row).toMatchObject({ state: 'approved', because: [], location: 'north' })
    const before = await onHand('TEE-S', 'shop')
    await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')
    await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')
    expect((await at.spine.order(id)).lines.map(({ returned }) => returned)).toEqual([2, 1])
    expect(await openKinds(id)).toEqual(['return.inspect'])
    await inspectReturn(
      at.runtime,
      row.id,
      { lines: [line('1', 1, 'restock'), line('1', 1, 'scrap')], refundMinor: null },
      'clerk',
    )
    expect(await refundsOf(id)).toEqual([])
    const done = await inspectReturn(at.runtime, row.id, { lines: [line('2', 1, 'restock')], refundMinor: null }, 'clerk')
    expect(done.state).toBe('done')
    expect(await onHand('TEE-S', 'shop')).toBe(before + 1)
    await at.tell()
    expect(await refundsOf(id)).toEqual([{ key: `refund:${id}:${row.id}/3`, amount: 50_000 }])
    expect(at.heard.refunds.get(`refund:${id}:${row.id}/3`)).toBe(50_000)
    expect(at.erp.returns.get(`${row.id}/3`)).toMatchObject({ saleReference: id, location: 'shop' })
    expect((await at.spine.order(id)).phase).toBe('returned')
    expect(await openKinds(id)).toEqual([])
    expect(await violations()).toEqual([])
  })

  it('of more than the customer has is refused, also when it is asked twice at once', async () => {
    const id = await delivered()
    await expect(approved(id, { lines: [{ lineId: '1', quantity: 3 }] })).rejects.toMatchObject({ kind: 'Invalid' })
    await expect(approved(id, { lines: [{ lineId: '9', quantity: 1 }] })).rejects.toMatchObject({ kind: 'Invalid' })
    const both = await Promise.allSettled([approved(id), approved(id)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('sent twice under one key is one return', async () => {
    const id = await delivered()
    const wanted = want()
    const rows = await Promise.all([1, 2].map(() => askReturn(at.runtime, id, wanted, 'web')))
    expect(new Set(rows.map(({ row }) => row.id)).size).toBe(1)
    expect(rows.filter(({ isNew }) => isNew)).toHaveLength(1)
  })

  it('outside the rules waits for a person, whose word the customer hears', async () => {
    await policy({ needsApprovalAboveMinor: 15_000, rules: [{ skus: ['TEE-M'], excluded: true }] })
    const dear = await approved(await delivered())
    expect(dear).toMatchObject({ state: 'asked', because: [expect.stringContaining('worth 200.00')] })
    await expect(receiveReturn(at.runtime, dear.id, { location: 'shop', lines: null }, 'clerk')).rejects.toMatchObject({
      kind: 'Rejected',
      remedy: 'Approve it first.',
    })
    const [task] = await listTasks(at.runtime.pool, { orderId: dear.orderId, state: 'open', kind: 'return.approve' })
    expect(task?.actions).toEqual(['approve', 'refuse'])
    expect(await settleReturnTask(at.runtime, task!, 'refuse', {}, 'boss')).toBe('the return is refused')
    expect(await openKinds(dear.orderId)).toEqual([])
    const excluded = await approved(await delivered({ lines: lines(['TEE-M', 1, 10_000]) }), {
      lines: [{ lineId: '1', quantity: 1 }],
    })
    expect(excluded.because).toEqual(['TEE-M is not taken back'])
    expect((await decideReturn(at.runtime, excluded.id, 'approve', 'boss')).state).toBe('approved')
    await policy({})
  })

  it('of a category goes by the rule of the category, as the configuration says what is in it', async () => {
    const product = (category: string | null) =>
      applyConnections(
        at.runtime.pool,
        at.runtime.secretKey,
        { products: [{ sku: 'TEE-S', name: 'Tee S', category }] } as never,
        at.runtime.connectors,
      )
    await policy({ rules: [{ categories: ['underwear'], excluded: true }] })
    await product('underwear')
    expect(await approved(await delivered())).toMatchObject({ state: 'asked', because: ['TEE-S is not taken back'] })
    await product(null)
    expect(await approved(await delivered())).toMatchObject({ state: 'approved' })
    await policy({})
  })

  it('of a product with a rule is dealt with as it comes in', async () => {
    await policy({ disposition: 'outlet', locations: { outlet: 'south' } })
    const id = await delivered()
    const row = await approved(id)
    const before = await onHand('TEE-S', 'south')
    expect((await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')).state).toBe('done')
    expect(await onHand('TEE-S', 'south')).toBe(before + 2)
    expect(await refundsOf(id)).toMatchObject([{ amount: 20_000 }])
    await policy({})
  })
})

describe('at the same moment', () => {
  it('two inspectors deal with the same pieces once', async () => {
    const id = await delivered()
    const row = await approved(id)
    await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')
    const inspection = { lines: [line('1', 2, 'restock')], refundMinor: null }
    const before = await onHand('TEE-S', 'shop')
    const both = await Promise.allSettled([1, 2].map((n) => inspectReturn(at.runtime, row.id, inspection, `clerk ${n}`)))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { kind: 'Rejected', code: 'inspected' } })
    expect(await onHand('TEE-S', 'shop')).toBe(before + 2)
    expect(await refundsOf(id)).toHaveLength(1)
  })

  it('two clerks receive the same goods once', async () => {
    const row = await approved(await delivered())
    await Promise.all([1, 2].map(() => receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')))
    expect((await at.spine.order(row.orderId)).lines[0]?.returned).toBe(2)
  })

  it('a refund asked for twice is one', async () => {
    const id = await delivered({ lines: lines(['TEE-S', 2]).map((each) => ({ ...each, unitPriceMinor: null })) })
    const row = await approved(id)
    await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')
    await inspectReturn(at.runtime, row.id, { lines: [line('1', 2, 'scrap')], refundMinor: null }, 'clerk')
    expect(await openKinds(id)).toEqual(['return.refund'])
    await at.runtime.pool.query(`update orders set doc = jsonb_set(doc, '{totals,totalMinor}', '20000') where id = $1`, [id])
    await Promise.all([1, 2].map(() => refundByPerson(at.runtime, row.id, 5_000)))
    expect(await refundsOf(id)).toMatchObject([{ amount: 5_000 }])
  })
})

describe('the audit', () => {
  it('finds pieces nobody deals with, a disposition without its movement, and too much money', async () => {
    const row = await approved(await delivered())
    await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')
    const { pool } = at.runtime
    const found = async () => [...new Set((await violations()).map(({ invariant }) => invariant))].sort()
    expect(await found()).toEqual([])
    await pool.query(`update tasks set state = 'done' where key = $1`, [`return:${row.id}:inspect`])
    expect(await found()).toEqual(['every piece that came back has a disposition or a task'])
    await inspectReturn(at.runtime, row.id, { lines: [line('1', 2, 'restock')], refundMinor: null }, 'clerk')
    expect(await found()).toEqual([])
    const after = (change: string) => planted(pool, 'dispositions equal movements', change)
    const twice = `insert into movements (key, sku, location, quantity, reason, reference) select key || 'again', sku, location, quantity, reason, reference from movements where reference = '${row.id}'`
    expect(await after(twice)).toMatchObject([
      { subject: row.id, detail: expect.stringContaining('is of no disposition') as string },
    ])
    expect(await after(`update movements set reference = 'another' where reference = '${row.id}'`)).toMatchObject([
      { subject: row.id },
    ])
    expect(await after(`delete from movements where reference = '${row.id}'`)).toMatchObject([
      { subject: row.id, detail: expect.stringContaining('movement none') as string },
    ])
    await pool.query(`update return_dispositions set quantity = 1 where return_id = $1`, [row.id])
    await pool.query(`update outbox set payload = payload || '{"amountMinor": 20001}' where kind = 'refund' and order_id = $1`, [
      row.orderId,
    ])
    expect(await found()).toEqual([
      'dispositions equal movements',
      'every piece that came back has a disposition or a task',
      'money paid back never exceeds money paid',
    ])
  })
})
