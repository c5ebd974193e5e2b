import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { requestRefund } from '../../activities/refund.ts'
import { tell } from '../../activities/telling.ts'
import { settleTask } from '../../server/settleTask.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { leaseOutbox, type OwedKind } from '../../store/outbox.ts'
import { closeTasks, listTasks } from '../../store/tasks.ts'
import { applyConnections } from '../../store/configuration.ts'
import { lines, type Change } from './spineFixture.ts'
import { LINE_USER, startParticipants, type Participants } from './participantsFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
})
afterAll(() => at?.stop())
afterEach(async () => {
  const broken = await at.sound()
  if (broken.length > 0) throw new Error(`the audit finds: ${JSON.stringify(broken)}`)
  at.erp.plan.next.length = 0
  at.erp.plan.otherwise = 'ok'
  at.erp.calls.length = 0
  at.heard.channel.length = 0
  at.mail.received.length = 0
})

const onLine = (change: Change = {}): Change => ({
  buyer: { name: '陳測試', phone: null, email: 'chen@example.com', memberId: null, lineUserId: LINE_USER },
  ...change,
})
const openKinds = async (orderId: string) =>
  (await listTasks(at.spine.db.pool, { orderId, state: 'open' })).map(({ kind }) => kind)
/** Told, but nobody lived to write that down. */
async function killedAfter(orderId: string, kind: OwedKind): Promise<void> {
  const leased = await leaseOutbox(at.spine.db.pool, 200, 200, 1)
  const fact = leased.find((each) => each.orderId === orderId && each.kind === kind)
  if (!fact) expect.fail(`nothing of kind ${kind} is due`)
  expect(await tell(at.runtime, fact)).toHaveProperty('told')
}

describe('an order that everybody follows', () => {
  it('each participant is told each fact when it becomes true, in its order, and knows it with time', async () => {
    const id = await at.place()
    const { externalId } = (await at.spine.order(id)).doc
    await at.tell()
    expect(at.heard.channel).toEqual([`placed ${externalId}`])
    const { unitId, reference } = await at.booked(id)
    await at.tell()
    const waybill = `W-${unitId}-p1`
    expect(at.heard.channel.slice(1)).toEqual([`ships ${externalId} ${waybill} 2×TEE-S`])
    expect(at.heard.registered).toContain(`ecpay ${waybill}`)
    expect(at.erp.calls).toEqual([`sale ${id}`])
    expect(at.mail.received.map(({ to }) => to)).toEqual([['chen@example.com']])
    await at.news(reference, 'delivered')
    await at.tell()
    expect(at.erp.calls).toEqual([`sale ${id}`, `shipment ${unitId}`])
    expect(at.erp.shipments.get(unitId)).toMatchObject({ saleReference: id, waybill, lines: [{ sku: 'TEE-S', quantity: 2 }] })
    expect(at.heard.channel.at(-1)).toBe(`delivered ${externalId} ${waybill}`)
    expect(at.mail.received).toHaveLength(2)
    expect((await at.table(id)).sort()).toEqual([
      'channel delivered delivered acknowledged',
      'channel placed placed acknowledged',
      'channel waybill tracking acknowledged',
      'courier placed booking acknowledged',
      'customer delivered delivered acknowledged',
      'customer waybill onItsWay acknowledged',
      'erp placed sale acknowledged',
      'erp shipped shipment acknowledged',
      'tracker waybill registered acknowledged',
      'warehouse waybill label acknowledged',
    ])
    const sale = (await at.knows(id)).find(({ what }) => what === 'sale')
    expect(sale).toMatchObject({ connection: 'books', document: { id: `doc-${id}`, number: `N-${id}` }, attempts: 1 })
    for (const time of [sale?.owedAt, sale?.toldAt, sale?.acknowledgedAt]) expect(Date.parse(time ?? '')).not.toBeNaN()
  })

  it('an order of a channel that the ERP does not keep is not told to it', async () => {
    const id = await at.place({ channel: 'store', shop: 'taipei', connection: 'store-taipei' })
    await at.booked(id)
    await at.tell()
    expect(at.erp.calls).toEqual([])
    expect((await at.table(id)).filter((row) => row.startsWith('channel') || row.startsWith('pos'))).toEqual([])
  })

  it('goods that came back are told to the ERP', async () => {
    const id = await at.place()
    const { unitId, reference } = await at.booked(id)
    await at.news(reference, 'shipped')
    await at.news(reference, 'returned')
    await at.tell()
    expect([...at.erp.returns.values()].filter((each) => each.saleReference === id)).toMatchObject([
      { reference: `${unitId}-r`, location: 'north', lines: [{ quantity: 2 }] },
    ])
  })
})

describe('an ERP', () => {
  it('that is down hears of the sale when it is back, and of the shipment after it', async () => {
    const id = await at.place()
    at.erp.plan.otherwise = 'down'
    const { unitId, reference } = await at.booked(id)
    await at.news(reference, 'shipped')
    await at.due()
    await at.round()
    await at.due()
    await at.round()
    expect(new Set(at.erp.calls)).toEqual(new Set([`sale ${id}`]))
    expect((await at.table(id)).filter((row) => row.startsWith('erp'))).toEqual([
      'erp placed sale retrying',
      'erp shipped shipment owed',
    ])
    at.erp.plan.otherwise = 'ok'
    await at.tell()
    expect(at.erp.calls.slice(-2)).toEqual([`sale ${id}`, `shipment ${unitId}`])
    expect(await openKinds(id)).toEqual([])
  })

  it('that is down for long is a task, goes on being asked, and the task closes when it is back', async () => {
    const id = await at.place()
    await at.spine.untilRouted(id)
    at.erp.plan.otherwise = 'down'
    for (let round = 0; round < 10; round++) {
      await at.due()
      await at.round()
    }
    expect(await openKinds(id)).toEqual(['sale.notTold'])
    at.erp.plan.otherwise = 'ok'
    await at.tell()
    expect(at.erp.sales.has(id)).toBe(true)
    expect(await openKinds(id)).toEqual([])
  })

  it('that refuses is a task; what comes after it waits until a person has settled it', async () => {
    const id = await at.place()
    at.erp.plan.next.push('refuse')
    const { reference } = await at.booked(id)
    await at.news(reference, 'shipped')
    await at.tell()
    expect(at.erp.calls).toEqual([`sale ${id}`])
    expect(await openKinds(id)).toEqual(['sale.notTold'])
    expect((await at.table(id)).filter((row) => row.startsWith('erp'))).toEqual([
      'erp placed sale task',
      'erp shipped shipment owed',
    ])
    const [task] = await listTasks(at.spine.db.pool, { orderId: id, state: 'open' })
    if (!task) expect.fail('no task')
    await settleTask(at.runtime, task, 'retry')
    await closeTasks(at.spine.db.pool, { id: task.id }, 'retried')
    await at.tell()
    expect((await at.table(id)).filter((row) => row.startsWith('erp'))).toEqual([
      'erp placed sale acknowledged',
      'erp shipped shipment acknowledged',
    ])
  })

  it('whose answer is lost, or whose answer nobody lived to write down, has one document', async () => {
    const id = await at.place()
    at.erp.plan.next.push('lost')
    const { unitId, reference } = await at.booked(id)
    await at.tell()
    await at.news(reference, 'shipped')
    await killedAfter(id, 'shipment')
    await at.tell()
    expect(at.erp.calls).toEqual([`sale ${id}`, `sale ${id}`, `shipment ${unitId}`, `shipment ${unitId}`])
    expect([...at.erp.sales.keys()].filter((reference_) => reference_.startsWith(id))).toEqual([id])
  })

  it('is told that there is no sale when the order is cancelled, and nothing when it never heard of it', async () => {
    const told = await at.place()
    await at.spine.untilRouted(told)
    await at.tell()
    const untold = await at.place()
    await at.spine.untilRouted(untold)
    for (const id of [told, untold]) {
      await at.spine.command(id, 'cancel', { reason: 'changed my mind' })
      await at.spine.steps.recall(id)
      await at.spine.steps.releaseAll(id)
    }
    await at.tell()
    expect(at.erp.calls).toEqual([`sale ${told}`, `cancel ${told}`])
    expect(at.erp.sales.get(told)?.cancelled).toBe(true)
    expect((await at.table(untold)).filter((row) => row.startsWith('erp'))).toEqual([
      'erp placed sale notNeeded',
      'erp cancelled saleCancelled notNeeded',
    ])
    expect(at.heard.channel.filter((what) => what.startsWith('cancelled'))).toHaveLength(2)
  })

  it('that has heard of a sale hears of the change: the old one is taken back, a new one written', async () => {
    const id = await at.place({ lines: lines(['TEE-S', 2]) })
    await at.spine.untilRouted(id)
    await at.tell()
    await at.spine.command(id, 'change', {
      lines: lines(['TEE-S', 1]),
      totals: { itemsMinor: 10_000, totalMinor: 10_000, shippingMinor: 0, discountMinor: 0 },
    })
    await at.tell()
    expect(at.erp.calls, 'not before it is confirmed anew').toEqual([`sale ${id}`, `cancel ${id}`])
    const { unitId, reference } = await at.booked(id)
    await at.news(reference, 'shipped')
    await at.tell()
    expect(at.erp.calls.slice(2)).toEqual([`sale ${id}/2`, `shipment ${unitId}`])
    expect(at.erp.sales.get(`${id}/2`)).toMatchObject({ totalMinor: 10_000, lines: [{ quantity: 1 }] })
    expect(at.erp.shipments.get(unitId)?.saleReference).toBe(`${id}/2`)
    expect((await at.table(id)).filter((row) => row.includes('changed'))).not.toEqual([])
  })
})

describe('a customer', () => {
  const sentTo = async (id: string) =>
    (await at.knows(id))
      .filter(({ participant }) => participant === 'customer')
      .map(({ what, state, connection, reason }) => ({ what, state, connection, reason }))

  it('is told by the way that comes first, with the words of the template, once also after a kill', async () => {
    const id = await at.place(onLine())
    await at.booked(id)
    await killedAfter(id, 'notice')
    await at.tell()
    const messages = at.line.messages().filter(({ to }) => to === LINE_USER)
    expect(messages).toHaveLength(1)
    expect(messages[0]?.texts[0]).toMatch(/^訂單 R-\d+ 準備出貨[^]*託運單號：W-/)
    expect(at.mail.received).toEqual([])
    expect(await sentTo(id)).toEqual([{ what: 'onItsWay', state: 'acknowledged', connection: 'line', reason: null }])
  })

  it('whom one way refuses is told by the next', async () => {
    at.line.faults.add({ kind: 'refuse', message: 'Failed to send messages', path: '/push' })
    const id = await at.place(onLine())
    await at.booked(id)
    await at.tell()
    expect(await sentTo(id)).toMatchObject([{ state: 'acknowledged', connection: 'mail' }])
    expect(at.mail.received).toHaveLength(1)
  })

  it('whose mail server never answers is told again under the same Message-ID, and is a task when it goes on', async () => {
    const id = await at.place()
    await at.booked(id)
    at.mail.loseNextAnswer()
    await at.due()
    await at.round()
    expect(await sentTo(id)).toMatchObject([{ state: 'retrying', connection: 'mail' }])
    await at.tell()
    expect(at.mail.received).toHaveLength(2)
    expect(at.mail.distinct()).toBe(1)

    at.mail.refuseNext('rcpt', 451, 10)
    const other = await at.place()
    await at.booked(other)
    for (let round = 0; round < 10; round++) {
      await at.due()
      await at.round()
    }
    expect(await openKinds(other)).toEqual(['notice.notTold'])
    await at.tell()
    expect(await openKinds(other)).toEqual([])
  })

  it('whom nobody reaches, or who wants no notices, is not told, with the reason and without a task', async () => {
    const nobody = await at.place({ buyer: { name: null, phone: null, email: null, memberId: null } })
    const optedOut = await at.place(
      onLine({ buyer: { name: null, phone: null, email: 'a@example.com', memberId: null, optOut: true } }),
    )
    const bad = await at.place()
    for (const id of [nobody, optedOut, bad]) await at.booked(id)
    at.mail.refuseNext('rcpt', 550)
    await at.tell()
    expect(await sentTo(nobody)).toMatchObject([{ state: 'notNeeded', reason: 'no connection reaches this customer' }])
    expect(await sentTo(optedOut)).toMatchObject([{ state: 'notNeeded', reason: 'the customer does not want notices' }])
    expect(await sentTo(bad)).toMatchObject([{ state: 'notNeeded', reason: 'mail: mail server: 550 5.1.1' }])
    for (const id of [nobody, optedOut, bad]) expect(await openKinds(id)).toEqual([])
    const { rows } = await at.spine.db.pool.query('select reason, sent_at from notices where order_id = $1', [nobody])
    expect(rows).toEqual([{ reason: 'no connection reaches this customer', sent_at: null }])
  })

  it('is not woken at night: the notice is kept until the morning', async () => {
    const now = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Asia/Taipei',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    const clock = (ms: number) => now.format(new Date(Date.now() + ms))
    const { pool, secretKey, connectors } = at.runtime
    const policy = async (quietHours: { from: string; to: string } | null) =>
      await applyConnections(pool, secretKey, { policy: { quietHours } }, connectors)
    await policy({ from: clock(-3_600_000), to: clock(3_600_000) })
    const id = await at.place()
    await at.booked(id)
    await at.round()
    const { rows } = await pool.query<{ minutes: number; attempts: number }>(
      `select extract(epoch from due_at - now()) / 60 as minutes, attempts from outbox where order_id = $1 and kind = 'notice'`,
      [id],
    )
    expect(Number(rows[0]?.minutes)).toBeGreaterThan(55)
    expect(Number(rows[0]?.minutes)).toBeLessThanOrEqual(60)
    expect(rows[0]?.attempts).toBe(0)
    await policy(null)
    await at.tell()
    expect(await sentTo(id)).toMatchObject([{ state: 'acknowledged' }])
  })
})

describe('a refund', () => {
  const refund = async (id: string, key: string, amountMinor: number) =>
    (
      await changeOrder(at.spine.db.pool, id, 'world', (record, tx) =>
        requestRefund(tx, record, { key, amountMinor, lines: [], reason: 'came back' }),
      )
    ).result

  it('is paid once by its key, also after a time-out, and the order says so when all is paid back', async () => {
    const id = await at.place()
    expect(await refund(id, 'r1', 5_000)).toBe('asked')
    expect(await refund(id, 'r1', 5_000)).toBe('known')
    await at.round()
    at.channelFails.push(() => new OmnisagaError('OutcomeUnknown', 'no answer', { code: 'timeout' }))
    expect(await refund(id, 'r2', 15_000)).toBe('asked')
    await at.tell()
    expect(at.heard.channel.filter((what) => what.startsWith('refunded'))).toHaveLength(2)
    expect([...at.heard.refunds].filter(([key]) => key.includes(id))).toEqual([
      [`refund:${id}:r1`, 5_000],
      [`refund:${id}:r2`, 15_000],
    ])
    expect((await at.spine.order(id)).doc.payment.state).toBe('refunded')
    expect((await at.knows(id)).filter(({ what }) => what === 'refund')).toMatchObject([
      { fact: 'refunded', state: 'acknowledged', document: { id: expect.stringMatching(/^R-/) } },
      { fact: 'refunded', state: 'acknowledged' },
    ])
    expect((await at.table(id)).filter((row) => row.includes('customer'))).toEqual(
      Array(2).fill('customer refunded refunded acknowledged'),
    )
  })

  it('of more than was paid is refused', async () => {
    const id = await at.place()
    await refund(id, 'r1', 15_000)
    await expect(refund(id, 'r2', 5_001)).rejects.toMatchObject({ kind: 'Invalid', code: 'refundAmount' })
    await expect(refund(id, 'r3', 0)).rejects.toMatchObject({ kind: 'Invalid' })
  })

  it('of a channel that cannot pay back is a task for whoever transfers the money', async () => {
    const id = await at.place({ channel: 'store', shop: 'taipei', connection: 'store-taipei' })
    expect(await refund(id, 'r1', 20_000)).toBe('byHand')
    expect(await refund(id, 'r1', 20_000)).toBe('known')
    await at.tell()
    const [task] = await listTasks(at.spine.db.pool, { orderId: id, state: 'open' })
    expect(task).toMatchObject({ kind: 'refund.byHand', actions: ['done', 'skip'], value: '20000' })
    if (!task) return
    expect(await settleTask(at.runtime, task, 'done')).toBe('paid by a person')
    await closeTasks(at.spine.db.pool, { id: task.id }, 'paid')
    expect((await at.spine.order(id)).doc.payment.state).toBe('refunded')
  })
})

describe('what is owed', () => {
  it('is shown by the audit when nobody owes it', async () => {
    const id = await at.place()
    const { reference } = await at.booked(id)
    await at.news(reference, 'shipped')
    const { pool } = at.spine.db
    const lost = await pool.query(
      `delete from outbox where order_id = $1 and kind in ('sale', 'shipment', 'tracking', 'notice') returning *`,
      [id],
    )
    expect(await at.sound()).toHaveLength(3)
    await pool.query(`update notices set at = now() - interval '1 hour' where order_id = $1`, [id])
    await pool.query(`update connections set updated_at = now() - interval '2 hours'`)
    expect(await at.sound()).toHaveLength(4)
    for (const row of lost.rows)
      await pool.query(
        `insert into outbox (key, participant, connection, kind, order_id, payload) values ($1, $2, $3, $4, $5, $6)`,
        [row.key, row.participant, row.connection, row.kind, row.order_id, row.payload],
      )
  })

  it('to a tracker that does not know the courier is a task', async () => {
    const id = await at.place()
    await at.booked(id, 'BAD-1')
    await at.tell()
    expect(await openKinds(id)).toEqual(['registered.notTold'])
  })

  it('goes with the order or not at all', async () => {
    const id = await at.place()
    await expect(
      changeOrder(at.spine.db.pool, id, 'world', (record) => {
        record.record('confirmed')
        throw new Error('something else went wrong')
      }),
    ).rejects.toThrow('something else')
    expect((await at.table(id)).filter((row) => row.startsWith('erp'))).toEqual([])
  })
})
