/** Returns on a real database, without an engine: rules, receipt, inspection, money; two at once. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { payBackAll, requestRefund } from '../../activities/refund.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import { askReturn, decideReturn, type WantedReturn } from '../../activities/returns/ask.ts'
import { giveFeedback } from '../../activities/returns/feedback.ts'
import { inspectReturn } from '../../activities/returns/inspect.ts'
import { refundByPerson } from '../../activities/returns/money.ts'
import { receiveReturn } from '../../activities/returns/receive.ts'
import { returnRound } from '../../activities/returns/round.ts'
import { settleReturnTask } from '../../activities/returns/tasks.ts'
import { tell } from '../../activities/telling.ts'
import { main } from '../../cli/program.ts'
import { OrderDetailAnswer } from '../../server/schemas.ts'
import type { ParcelMeaning } from '../../connectors/kit/types.ts'
import { audit } from '../../store/audit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { getOrder } from '../../store/orders.ts'
import { leaseOutbox } from '../../store/outbox.ts'
import { readReturn } from '../../store/returns.ts'
import { listTasks } from '../../store/tasks.ts'
import { planted } from './planted.ts'
import { lines } from './spineFixture.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
})
afterAll(async () => {
  await at?.stop()
})

let keys = 0
const want = (change: Partial<WantedReturn> = {}): WantedReturn => {
  keys += 1
  return {
    key: `k${keys}`,
    lines: [{ lineId: '1', quantity: 2 }],
    reason: 'does not fit',
    way: 'store',
    location: null,
    pickup: null,
    exchange: null,
    ...change,
  }
}
const delivered = async (change: Parameters<Participants['place']>[0] = {}) => {
  const id = await at.place(change)
  const { reference } = await at.booked(id)
  await at.news(reference, 'delivered')
  await at.tell()
  return id
}
const approved = async (orderId: string, change: Partial<WantedReturn> = {}) =>
  (await askReturn(at.runtime, orderId, want(change), 'person:test')).row
const line = (lineId: string, quantity: number, disposition: 'restock' | 'outlet' | 'refurbish' | 'scrap') => ({
  lineId,
  quantity,
  disposition,
  location: null,
  note: null,
})
const onHand = async (sku: string, location: string) =>
  (await at.runtime.pool.query<{ n: number }>('select on_hand as n from stock where sku = $1 and location = $2', [sku, location]))
    .rows[0]?.n ?? 0
const policy = (returns: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  applyConnections(at.runtime.pool, at.runtime.secretKey, { policy: { returns, ...more } } as never, at.runtime.connectors)
const refundsOf = async (orderId: string) =>
  (
    await at.runtime.pool.query<{ key: string; amount: number }>(
      `select key, (payload->>'amountMinor')::bigint as amount from outbox where order_id = $1 and kind = 'refund' order by id`,
      [orderId],
    )
  ).rows
const openKinds = async (orderId: string) =>
  (await listTasks(at.runtime.pool, { orderId, state: 'open' })).map(({ kind }) => kind)
const violations = async () => (await audit(at.runtime.pool)).violations

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

describe('news of a parcel that comes back', () => {
  let reports = 0
  const tell = (waybill: string, meaning: ParcelMeaning, second: number) => {
    reports += 1
    const eventAt = new Date(Date.UTC(2026, 10, 23, 4, 0, second)).toISOString()
    const report = { reference: null, courierBookingId: null, waybill, code: meaning, meaning, detail: '', eventAt }
    return applyParcelReport(at.runtime.pool, 2_000_000 + reports, report, 1_000, ['ecpay'])
  }
  /** By courier, or handed in at a convenience store: one row, one waybill. */
  const coming = async (way: 'courier' | 'cvs', waybill: string) => {
    const row = await approved(await delivered(), { way })
    await at.runtime.pool.query(
      `insert into return_parcels (id, return_id, courier, service, reference, state, waybill)
       values ($1 || '-px', $1, 'ecpay', 'X', $1 || 'ref', 'booked', $2)
       on conflict (return_id) where state not in ('refused', 'void') do update set state = 'booked', waybill = excluded.waybill`,
      [row.id, waybill],
    )
    return row
  }
  const parcelOf = async (id: string) => (await readReturn(at.runtime.pool, id)).parcels.at(-1)

  it.each(['courier', 'cvs'] as const)(
    'by %s moves it on, in any order, and once it is here a person looks into the box',
    async (way) => {
      const row = await coming(way, `RW-${way}`)
      await tell(`RW-${way}`, 'shipped', 1)
      expect((await parcelOf(row.id))?.state).toBe('shipped')
      await tell(`RW-${way}`, 'delivered', 9)
      await tell(`RW-${way}`, 'inTransit', 5)
      await tell(`RW-${way}`, 'delivered', 9)
      expect(await parcelOf(row.id)).toMatchObject({ state: 'arrived', lastStatus: 'delivered' })
      expect((await openKinds(row.orderId)).filter((kind) => kind === 'return.receive')).toHaveLength(1)
      expect((await at.spine.order(row.orderId)).phase).toBe('delivered')
    },
  )

  it('that is lost, or goes back to the customer, is a task', async () => {
    const row = await coming('courier', 'RW-lost')
    await tell('RW-lost', 'lost', 1)
    await tell('RW-lost', 'returning', 2)
    expect((await openKinds(row.orderId)).filter((kind) => kind === 'return.parcel')).toHaveLength(2)
    expect((await parcelOf(row.id))?.state).toBe('booked')
  })
})

describe('what does not come', () => {
  it('ends after its time, and the customer hears of it', async () => {
    const row = await approved(await delivered())
    await at.runtime.pool.query(`update returns set due_at = now() - interval '1 minute' where id = $1`, [row.id])
    await returnRound(at.runtime)
    expect((await readReturn(at.runtime.pool, row.id)).state).toBe('expired')
    const notices = await at.runtime.pool.query('select from notices where order_id = $1 and template = $2', [
      row.orderId,
      'returnExpired',
    ])
    expect(notices.rowCount).toBe(1)
    // Late goods are here all the same.
    expect((await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')).state).toBe('received')
  })
})

describe('a parcel that came back', () => {
  it('is a return: received, restocked where it was received, and its cash is nobody to be paid back', async () => {
    const id = await at.place({ payment: { method: 'cod', state: 'due', amountDueMinor: 20_000 } })
    const { reference } = await at.booked(id)
    await at.news(reference, 'returning')
    await at.news(reference, 'returned')
    expect(await openKinds(id)).toEqual(['return.receive'])
    const before = await onHand('TEE-S', 'north')
    expect(await at.spine.command(id, 'restocked')).toMatchObject({ state: 'done' })
    expect(await at.spine.command(id, 'restocked')).toMatchObject({ state: 'done' })
    expect(await onHand('TEE-S', 'north')).toBe(before + 2)
    expect(await refundsOf(id)).toEqual([])
    expect(await openKinds(id)).toEqual([])
    expect(await violations()).toEqual([])
  })

  it('of a customer who does so again and again is confirmed by a person', async () => {
    await policy({}, { uncollectedLimit: 1 })
    const buyer = { name: '林測試', phone: '+886922333444', email: null, memberId: 'M-7' }
    const cod = { method: 'cod' as const, state: 'due' as const, amountDueMinor: 20_000 }
    const first = await at.place({ buyer, payment: cod })
    const { reference } = await at.booked(first)
    await at.runtime.pool.query('update parcels set amount_due_minor = 20000, label_amount_minor = 20000 where order_id = $1', [
      first,
    ])
    await at.news(reference, 'returned')
    const second = await at.place({ buyer: { ...buyer, phone: null }, payment: cod })
    await at.spine.steps.check(second)
    await at.spine.steps.reserve(second)
    await at.spine.steps.askConfirmation(second)
    expect(await openKinds(second)).toEqual(['order.uncollected'])
    await at.spine.command(second, 'confirm')
    expect(await openKinds(second)).toEqual([])
    await policy({}, { uncollectedLimit: null })
  })
})

describe('on the command line', () => {
  afterAll(() => {
    vi.unstubAllEnvs()
  })
  const omnisaga = (...argv: string[]) => command('returns', ...argv)
  const command = async (...argv: string[]): Promise<{ code: number; said: string }> => {
    vi.stubEnv('DATABASE_URL', at.spine.db.url)
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:9')
    vi.stubEnv('OMNISAGA_SECRET_KEY', 'a passphrase for tests')
    const said: string[] = []
    const hear = (chunk: unknown) => said.push(String(chunk)) > 0
    const spies = [
      vi.spyOn(process.stdout, 'write').mockImplementation(hear),
      vi.spyOn(process.stderr, 'write').mockImplementation(hear),
    ]
    try {
      return { code: await main(argv), said: said.join('') }
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
  }

  it('a return goes from the asking to the money, and says what can be done at each step', async () => {
    const id = await delivered({ lines: lines(['TEE-S', 2], ['TEE-M', 1, 30_000]) })
    const first = await omnisaga(
      'ask',
      id,
      '--line',
      'TEE-S=2',
      '--line',
      '2=1',
      '--reason',
      '不合身',
      '--key',
      'web-1',
      '--json',
    )
    expect(first.code, first.said).toBe(0)
    const row = JSON.parse(first.said) as { id: string; possible: string[] }
    expect(row).toMatchObject({
      state: 'approved',
      reason: '不合身',
      possible: [`omnisaga returns cancel ${row.id}`, `omnisaga returns receive ${row.id}`],
    })
    const again = await omnisaga(
      'ask',
      id,
      '--line',
      'TEE-S=2',
      '--line',
      '2=1',
      '--reason',
      '不合身',
      '--key',
      'web-1',
      '--json',
    )
    expect((JSON.parse(again.said) as { id: string }).id).toBe(row.id)
    expect((await omnisaga('receive', row.id, '--at', 'shop', '--line', 'TEE-S=1')).code).toBe(0)
    expect((await omnisaga('receive', row.id)).code).toBe(0)
    expect((await omnisaga('inspect', row.id, 'scrap', '--line', 'TEE-S=1', '--note', '破損')).code).toBe(0)
    const done = await omnisaga('inspect', row.id, 'restock')
    expect(done.said).toContain('1 × line 1: scrap at shop')
    expect(await refundsOf(id)).toMatchObject([{ amount: 50_000 }])
    expect((await omnisaga('--order', id)).said).toContain('done')
    await giveFeedback(at.runtime, id, { score: 4, text: '還可以' }, 'web')
    const whole = await getOrder(at.runtime.pool, id)
    expect(OrderDetailAnswer.parse(whole)).toMatchObject({
      returns: [{ id: row.id, state: 'done', dispositions: [{ disposition: 'scrap' }, { disposition: 'restock' }, {}] }],
      feedback: { score: 4, text: '還可以', by: 'web' },
    })
    const page = (await command('order', id)).said
    expect(page).toContain(`${row.id}  done  store, shop: 2 of 2 × TEE-S, 1 of 1 × TEE-M (1 scrap, 1 restock, 1 restock)`)
    expect(page).toContain('4 of 5  還可以')
    expect((await omnisaga('--state', 'refused', '--order', id)).said).toBe('There are no such returns.\n')
  })

  it('what is outside the rules is approved or refused by name', async () => {
    await policy({ windowDays: 7, rules: [{ excluded: true }] })
    const id = await delivered()
    const asked = JSON.parse((await omnisaga('ask', id, '--everything', '--reason', 'x', '--json')).said) as { id: string }
    expect((await omnisaga('show', asked.id)).said).toContain('TEE-S is not taken back')
    expect((await omnisaga('refuse', asked.id)).code).toBe(0)
    expect((await omnisaga('approve', asked.id)).code).toBe(0)
    expect((await readReturn(at.runtime.pool, asked.id)).state).toBe('approved')
    await policy({})
  })

  it('ugly input is told with its place, its value and the remedy', async () => {
    const id = await delivered()
    const asked = JSON.parse((await omnisaga('ask', id, '--line', '1=1', '--reason', 'x', '--json')).said) as { id: string }
    const refused: [string[], string][] = [
      [['ask', 'nobody', '--everything', '--reason', 'x'], 'there is no order nobody'],
      [['ask', id, '--line', 'SOCK=1', '--reason', 'x'], '--line SOCK: there is no such line\n  Lines are 1 (TEE-S)'],
      [['ask', id, '--line', '1=5', '--reason', 'x'], 'of line 1 the customer has 1 that can come back, not 5'],
      [['ask', id, '--line', '1=1', '--reason', 'x', '--to', 'moon'], 'there is no location moon'],
      [['show', 'rt-9'], 'there is no return rt-9\n  `omnisaga returns` lists them.'],
      [['receive', asked.id, '--at', 'moon'], 'there is no location moon'],
      [['receive', asked.id, '--line', '1=2'], 'of line 1 1 pieces are still to come, not 2'],
      [['inspect', asked.id, 'scrap'], `Receive it first: omnisaga returns receive ${asked.id}.`],
      [['--order', 'nobody'], 'there is no order nobody'],
    ]
    for (const [argv, words] of refused) {
      const { code, said } = await omnisaga(...argv)
      expect([code, said], argv.join(' ')).toEqual([1, expect.stringContaining(words)])
    }
    for (const [argv, words] of [
      [['ask', id, '--line', '1', '--reason', 'x'], '--line 1: write a line and its pieces'],
      [['ask', id, '--line', '1=1', '--everything', '--reason', 'x'], 'name what comes back'],
      [['ask', id, '--everything', '--reason', 'x', '--instead', 'TEE-M=1'], 'write SKU=PIECES@PRICE'],
    ] as [string[], string][]) {
      const { code, said } = await omnisaga(...argv)
      expect([code, said], argv.join(' ')).toEqual([2, expect.stringContaining(words)])
    }
  })
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
