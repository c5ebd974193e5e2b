/** What may go wrong at a store's counter: exchanges that cannot be had, vouchers that are not good, evidence that proves nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alternatives, alternativesAt } from '../../activities/store/alternatives.ts'
import { previewOrder, voucherPdf } from '../../activities/store/preview.ts'
import { readReceipts } from '../../activities/store/receiptsFile.ts'
import { requestRefund } from '../../activities/refund.ts'
import { audit } from '../../store/audit.ts'
import { transaction } from '../../store/db.ts'
import { evidenceOf } from '../../store/evidence.ts'
import { levels, setOnHand } from '../../store/ledger/operations.ts'
import { expectReceipts, listReceipts } from '../../store/receipts.ts'
import { listTransfers } from '../../store/transfers.ts'
import { vouchersOf } from '../../store/vouchers.ts'
import { lines, startSpine, type Change, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
})
afterAll(() => spine.stop())

let serial = 0
/** An article with so many pieces by place. */
async function article(pieces: Record<string, number>, more: { family?: string; variant?: string; substitutes?: string[] } = {}) {
  const sku = `S-${serial++}`
  await spine.runtime.pool.query('insert into products (sku, name, family, variant, substitutes) values ($1, $1, $2, $3, $4)', [
    sku,
    more.family ?? null,
    more.variant ?? null,
    more.substitutes ?? [],
  ])
  for (const [location, onHand] of Object.entries(pieces))
    await transaction(spine.runtime.pool, (tx) =>
      setOnHand(tx, { key: `${sku}@${location}`, sku, location, onHand, reason: 'count' }),
    )
  return sku
}
const at = async (sku: string, location: string) => {
  const [level] = await levels(spine.runtime.pool, { sku, location })
  return [level?.onHand ?? 0, level?.held ?? 0]
}
const sound = async () => expect((await audit(spine.runtime.pool)).violations).toEqual([])

async function tryOn(wanted: [string, number][], change: Change = {}) {
  const orderId = await spine.place({
    kind: 'tryOn',
    lines: lines(...wanted),
    delivery: { method: 'handOver', location: 'shop' },
    payment: { method: 'cod', state: 'due', amountDueMinor: wanted.reduce((sum, [, quantity]) => sum + quantity * 10_000, 0) },
    ...change,
  })
  await spine.steps.check(orderId)
  await spine.steps.reserve(orderId)
  await spine.steps.holdForTryOn(orderId)
  await spine.command(orderId, 'arrived')
  return orderId
}
/** Waits at the shop to be fetched. */
async function pickup(sku: string) {
  const orderId = await spine.place({ lines: lines([sku, 1]), delivery: { method: 'storePickup', location: 'shop' } })
  await spine.steps.check(orderId)
  await spine.steps.reserve(orderId)
  await spine.steps.askConfirmation(orderId)
  await spine.steps.route(orderId)
  const unitId = (await spine.order(orderId)).units[0]?.id ?? ''
  await spine.steps.handOver(orderId, unitId)
  const [voucher] = await vouchersOf(spine.runtime.pool, orderId)
  return { orderId, unitId, code: voucher?.code ?? '' }
}

describe('an exchange', () => {
  it.each([
    ['of a line that there is not', { keep: {}, exchange: { 9: 'CAP' } }, /there is no line 9; lines are 1/],
    ['of a line that is kept whole', { keep: { 1: 2 }, exchange: { 1: 'CAP' } }, /kept whole/],
    ['for the same article', { keep: {}, exchange: { 1: 'SAME' } }, /already/],
    ['for an article that nobody knows', { keep: {}, exchange: { 1: 'NOBODY' } }, /nobody knows the article NOBODY/],
    ['for more than there is', { keep: {}, exchange: { 1: 'FEW' } }, /there are not 2 of S-\d+ to be had/],
    ['of more than was ordered', { keep: { 1: 3 } }, /has 2 pieces, not 3/],
  ])('%s is refused, and everything stays as it was', async (_, detail, reason) => {
    const [tried, few] = [await article({ shop: 4 }), await article({ shop: 1, north: 1 })]
    const orderId = await tryOn([[tried, 2]])
    const named = JSON.parse(JSON.stringify(detail).replace('SAME', tried).replace('FEW', few)) as Record<string, unknown>
    expect(await spine.command(orderId, 'decide', named)).toEqual({
      state: 'refused',
      answer: expect.stringMatching(reason) as string,
    })
    const order = await spine.order(orderId)
    expect([order.lines.length, order.is('tryOnDecided'), await spine.held(orderId)]).toEqual([1, false, 2])
    expect([await at(tried, 'shop'), await at(few, 'shop')]).toEqual([
      [4, 2],
      [1, 0],
    ])
    await sound()
  })

  it('one of two is held, the other is not to be had: nothing of the decision is done', async () => {
    const [first, second, other] = [await article({ shop: 1 }), await article({ shop: 1 }), await article({ shop: 1 })]
    const orderId = await tryOn([
      [first, 1],
      [second, 1],
    ])
    const { state } = await spine.command(orderId, 'decide', { keep: {}, exchange: { 1: other, 2: other } })
    expect([state, await at(other, 'shop'), (await spine.order(orderId)).lines.length]).toEqual(['refused', [1, 0], 2])
    await sound()
  })

  it('for what only the warehouse has is held there and brought', async () => {
    const [tried, other] = [await article({ shop: 1 }), await article({ north: 1 })]
    const orderId = await tryOn([[tried, 1]])
    expect(await spine.command(orderId, 'decide', { keep: {}, exchange: { 1: other } })).toMatchObject({ state: 'done' })
    expect([await at(tried, 'shop'), await at(other, 'north')]).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(await listTransfers(spine.runtime.pool, { orderId })).toMatchObject([
      { from: 'north', to: 'shop', state: 'requested', lines: [{ lineId: '1-x1', sku: other }] },
    ])
    expect((await spine.order(orderId)).doc.payment.amountDueMinor).toBe(10_000)
    await sound()
  })
})

describe('a pickup voucher', () => {
  it('is good once: who shows a copy of it hears when it was used', async () => {
    const sku = await article({ shop: 2 })
    const { orderId, code } = await pickup(sku)
    const typed = `${code.slice(0, 4).toLowerCase()}-${code.slice(4)}`
    expect(await spine.command(orderId, 'collected', { code: typed, location: 'shop' })).toMatchObject({ state: 'done' })
    expect(await spine.command(orderId, 'collected', { code })).toMatchObject({
      state: 'refused',
      answer: expect.stringMatching(/handed over already, at 20/) as string,
    })
    expect(await at(sku, 'shop')).toEqual([1, 0])
    expect(await voucherPdf(spine.runtime, orderId)).toBeNull()
    await sound()
  })

  it('is not good at another store, nor for another order', async () => {
    const { orderId, code } = await pickup(await article({ shop: 1 }))
    const other = await pickup(await article({ shop: 1 }))
    expect(await spine.command(orderId, 'collected', { code, location: 'shop-2' })).toMatchObject({
      state: 'refused',
      answer: 'its goods wait at shop, not at shop-2',
    })
    expect((await spine.command(orderId, 'collected', { code: other.code })).answer).toContain('is not of this order')
    expect((await spine.command(orderId, 'collected', { code: 'PNOTHING' })).answer).toContain('is not of this order')
    expect((await spine.order(orderId)).unit(`${orderId}-u1`).state).toBe('packed')
    await sound()
  })

  it('of an order that is being cancelled, or is cancelled, hands nothing over', async () => {
    const sku = await article({ shop: 1 })
    const { orderId, code } = await pickup(sku)
    await spine.command(orderId, 'cancel')
    for (const step of ['recall', 'releaseAll'] as const) {
      expect((await spine.command(orderId, 'collected', { code })).answer).toBe('its order is cancelled: nothing is handed over')
      await spine.steps[step](orderId)
    }
    expect((await spine.command(orderId, 'collected', { code })).state).toBe('refused')
    expect(await at(sku, 'shop')).toEqual([1, 0])
    await sound()
  })

  it('that ran out is refused once its goods were given back, and says until when it was good', async () => {
    const sku = await article({ shop: 1 })
    const { orderId, code } = await pickup(sku)
    await spine.runtime.pool.query('update vouchers set expired_at = now() where code = $1', [code])
    await spine.command(orderId, 'cancel', { reason: 'not picked up' })
    expect((await spine.command(orderId, 'collected', { code })).answer).toMatch(/^it was good until 20.*nothing is handed over$/)
    await sound()
  })

  it('that ran out is still good where a person decides', async () => {
    const sku = await article({ shop: 1 })
    const { orderId, code } = await pickup(sku)
    await spine.runtime.pool.query('update vouchers set expired_at = now() where code = $1', [code])
    expect((await spine.command(orderId, 'collected', { code })).state).toBe('done')
    expect(await at(sku, 'shop')).toEqual([0, 0])
    await sound()
  })

  it('shown by several at once is handed over once', async () => {
    const sku = await article({ shop: 3 })
    const { orderId, code } = await pickup(sku)
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => spine.command(orderId, 'collected', { code })))
    const told = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.state] : []))
    // A lock that took too long is told as such and changes nothing.
    expect(told.filter((state) => state === 'done').length).toBeLessThanOrEqual(1)
    const done = await spine.runtime.pool.query(
      `select from commands where order_id = $1 and verb = 'collected' and state = 'done'`,
      [orderId],
    )
    expect([done.rowCount, await at(sku, 'shop')]).toEqual([1, [2, 0]])
    await sound()
  })
})

describe('evidence', () => {
  const good = { kind: 'signature', reference: 'signatures/1.png', person: '王小明', at: '2026-11-22T15:00:00+08:00' }
  const decided = async () => {
    const orderId = await tryOn([[await article({ shop: 2 }), 2]])
    await spine.command(orderId, 'decide', { keep: { 1: 1 } })
    return orderId
  }

  it.each([
    ['of nobody', { person: ' ' }, /who agreed/],
    ['that is kept nowhere', { reference: '' }, /where it is kept/],
    ['without a time', { at: 'yesterday' }, /is no time/],
    ['of tomorrow', { at: '2099-01-01T00:00:00Z' }, /to come/],
    ['of no known kind', { kind: 'nod' }, /signature/],
  ])('%s confirms nothing', async (_, change, reason) => {
    const orderId = await decided()
    expect(await spine.command(orderId, 'confirm', { evidence: { ...good, ...change } })).toEqual({
      state: 'refused',
      answer: expect.stringMatching(reason) as string,
    })
    expect([(await spine.order(orderId)).is('confirmed'), await evidenceOf(spine.runtime.pool, orderId)]).toEqual([false, []])
  })

  it('of a confirmation that is refused is not kept; of one that was made before it is kept beside', async () => {
    const early = await tryOn([[await article({ shop: 1 }), 1]])
    expect((await spine.command(early, 'confirm', { evidence: good })).state).toBe('refused')
    expect(await evidenceOf(spine.runtime.pool, early)).toEqual([])
    const orderId = await decided()
    for (const person of ['王小明', '王太太'])
      expect((await spine.command(orderId, 'confirm', { evidence: { ...good, person } })).state).toBe('done')
    expect(await evidenceOf(spine.runtime.pool, orderId)).toMatchObject([
      { person: '王小明', by: 'person:test', seen: { amountDueMinor: 10_000, lines: [{ lineId: '1', quantity: 1 }] } },
      { person: '王太太' },
    ])
  })
})

describe('for what is out of stock', () => {
  it('there is nothing to offer, and it says so', async () => {
    const sku = await article({})
    expect(await alternativesAt(spine.runtime, sku, 'shop')).toEqual({
      sku,
      location: 'shop',
      available: 0,
      expected: [],
      variants: [],
      elsewhere: [],
      substitutes: [],
    })
  })

  it('two of everything come in their order: soonest, nearest, as listed; what is held is offered to nobody', async () => {
    const family = `F-${serial}`
    const [two, one, none] = [
      await article({ shop: 2 }, { family, variant: 'M' }),
      await article({ shop: 1 }, { family, variant: 'L' }),
      await article({ shop: 1 }, { family, variant: 'XL' }),
    ]
    await tryOn([[none, 1]])
    const [near, far] = [await article({ shop: 1 }), await article({ north: 1 })]
    const sku = await article({ north: 2, south: 1 }, { family, variant: 'S', substitutes: [far, near, 'GONE'] })
    await spine.runtime.pool.query(`update locations set sender = jsonb_build_object('postalCode', $2::text) where id = $1`, [
      'south',
      '802',
    ])
    const receipt = { sku, quantity: 1, reference: 'PO-1' }
    await transaction(spine.runtime.pool, (tx) =>
      expectReceipts(tx, [
        { ...receipt, location: 'shop', expectedOn: '2099-02-02' },
        { ...receipt, location: 'shop', expectedOn: '2099-02-01' },
        { ...receipt, location: 'north', expectedOn: '2099-01-01' },
      ]),
    )
    const found = await alternatives(spine.runtime, sku, 'shop')
    expect(found.variants.map((each) => [each.sku, each.available])).toEqual([
      [two, 2],
      [one, 1],
    ])
    expect(found.elsewhere.map((each) => [each.location, each.available])).toEqual([
      ['north', 2],
      ['south', 1],
    ])
    expect(found.substitutes.map((each) => [each.sku, each.location])).toEqual([
      [far, 'north'],
      [near, 'shop'],
    ])
    expect(found.expected.map((each) => [each.location, each.expectedOn])).toEqual([
      ['shop', '2099-02-01'],
      ['shop', '2099-02-02'],
      ['north', '2099-01-01'],
    ])
    const orderId = await spine.place({ lines: lines([sku, 9]), delivery: { method: 'storePickup', location: 'shop' } })
    expect((await previewOrder(spine.runtime, orderId)).lines).toMatchObject([{ sku, held: 0, expectedOn: '2099-02-01' }])
  })

  it('an article or a place that nobody knows is told as such', async () => {
    await expect(alternativesAt(spine.runtime, 'NOBODY', 'shop')).rejects.toMatchObject({ kind: 'Invalid' })
    await expect(alternativesAt(spine.runtime, 'CAP', 'moon')).rejects.toThrow('nobody knows the location moon')
  })
})

describe('a file of expected receipts', () => {
  const read = (text: string) => readReceipts({ bytes: Buffer.from(text), fileName: 'receipts.csv' })

  it('is read as people write it: other words, quotes, tabs, years of the Republic', async () => {
    const ugly =
      '\uFEFF料號\t倉庫\t數量\t到貨日\t採購單號\r\n"CAP"\t north \t"1,200"\t116/1/5\tPO-1\r\n\r\nCAP\tnorth\t３ 件\t2027年1月6日\t\r\n'
    expect(await read(ugly)).toEqual({
      rows: [
        { row: 2, receipt: { sku: 'CAP', location: 'north', quantity: 1200, expectedOn: '2027-01-05', reference: 'PO-1' } },
        { row: 4, receipt: { sku: 'CAP', location: 'north', quantity: 3, expectedOn: '2027-01-06', reference: '' } },
      ],
      wrong: [],
    })
  })

  it.each([
    [',north,1,2027-01-05', 'sku', ''],
    ['CAP,,1,2027-01-05', 'location', ''],
    ['CAP,north,some,2027-01-05', 'quantity', 'some'],
    ['CAP,north,1.5,2027-01-05', 'quantity', '1.5'],
    ['CAP,north,-2,2027-01-05', 'quantity', '-2'],
    ['CAP,north,,2027-01-05', 'quantity', ''],
    ['CAP,north,99999999,2027-01-05', 'quantity', '99999999'],
    ['CAP,north,1,5/6/2027', 'expected_on', '5/6/2027'],
    ['CAP,north,1,2027-02-30', 'expected_on', '2027-02-30'],
    ['CAP,north,1', 'expected_on', ''],
  ])('a row that says %j is told by its place, and the next one counts', async (row, column, value) => {
    const { rows, wrong } = await read(`sku,location,quantity,expected_on\n${row}\nCAP,north,1,2027-01-05\n`)
    expect(wrong).toMatchObject([{ row: 2, column, value, message: expect.stringMatching(/./) as string }])
    expect(rows.map((each) => each.row)).toEqual([3])
  })

  it.each([
    ['nothing', '', /empty/],
    ['other columns', 'a,b\n1,2\n', /does not name sku, location, quantity, expected_on/],
    ['no header', 'CAP,north,1,2027-01-05\n', /does not name/],
    ['a page of the web', '<html></html>', /web page/],
  ])('with %s is refused as a whole', async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message)
  })

  it('told again it has its new quantity, and nought takes it back', async () => {
    const sku = await article({})
    const tell = (quantity: number) =>
      transaction(spine.runtime.pool, (tx) =>
        expectReceipts(tx, [{ sku, location: 'north', quantity, expectedOn: '2099-01-01', reference: 'PO-9' }]),
      )
    const known = async () => (await listReceipts(spine.runtime.pool, { sku })).map((each) => each.quantity)
    await tell(5)
    await tell(7)
    expect(await known()).toEqual([7])
    await tell(0)
    expect(await known()).toEqual([])
  })
})

describe('a try-on that was paid before', () => {
  const paid = { payment: { method: 'prepaid' as const, state: 'paid' as const, amountDueMinor: 0 } }
  const refunds = async (orderId: string) =>
    (
      await spine.runtime.pool.query<{ amount: number; lines: unknown; reason: string }>(
        `select (payload->'amountMinor')::int as amount, payload->'lines' as lines, payload->>'reason' as reason
         from outbox where order_id = $1 and kind = 'refund' order by id`,
        [orderId],
      )
    ).rows

  it('and keeps less is paid back the difference, once; what is left can be paid back later, and no more', async () => {
    const [first, second] = [await article({ shop: 3 }), await article({ shop: 1 })]
    const orderId = await tryOn(
      [
        [first, 3],
        [second, 1],
      ],
      paid,
    )
    await spine.command(orderId, 'decide', { keep: { 1: 1, 2: 1 } })
    expect(await refunds(orderId)).toMatchObject([
      { amount: 20_000, lines: [{ lineId: '1', quantity: 2 }], reason: 'not kept after trying on' },
    ])
    expect(await spine.tasks(orderId)).toMatchObject([{ kind: 'refund.byHand', value: '20000' }])
    expect((await spine.command(orderId, 'decide', { keep: {} })).state).toBe('refused')
    const order = await spine.order(orderId)
    expect([order.doc.totals.totalMinor, order.doc.payment.state]).toEqual([20_000, 'paid'])
    const rest = (amountMinor: number) =>
      transaction(spine.runtime.pool, (tx) =>
        requestRefund(tx, order, { key: `rest/${amountMinor}`, amountMinor, lines: [], reason: 'brought back' }),
      )
    await expect(rest(20_001)).rejects.toThrow(/400\.00 was paid, 200\.00 is asked back already/)
    await rest(20_000)
    await sound()
  })

  it('and exchanges one for another size is paid back for the third alone', async () => {
    const [tried, other] = [await article({ shop: 3 }), await article({ shop: 1 })]
    const orderId = await tryOn(
      [
        [tried, 1],
        [tried, 1],
        [tried, 1],
      ],
      paid,
    )
    await spine.command(orderId, 'decide', { keep: { 1: 1 }, exchange: { 2: other } })
    expect(await refunds(orderId)).toMatchObject([{ amount: 10_000, lines: [{ lineId: '3', quantity: 1 }] }])
    await sound()
  })

  it('and keeps nothing, or never comes, is paid back with its shipping', async () => {
    const sku = await article({ shop: 2 })
    const totals = { itemsMinor: 10_000, shippingMinor: 800, discountMinor: 0, totalMinor: 10_800 }
    const [nothing, missed] = [await tryOn([[sku, 1]], { ...paid, totals }), await tryOn([[sku, 1]], { ...paid, totals })]
    await spine.command(nothing, 'decide', { keep: {} })
    await spine.runtime.pool.query(`update orders set facts = facts - 'tryOnArrived' where id = $1`, [missed])
    await spine.steps.noShow(missed)
    expect([await refunds(nothing), await refunds(missed)]).toMatchObject([[{ amount: 10_800 }], [{ amount: 10_800 }]])
    await sound()
  })

  it('and keeps all, or was not paid yet, is paid back nothing', async () => {
    const sku = await article({ shop: 4 })
    const [all, unpaid] = [
      await tryOn([[sku, 2]], paid),
      await tryOn([[sku, 2]], { payment: { method: 'prepaid', state: 'pending' } }),
    ]
    await spine.command(all, 'decide', { keep: { 1: 2 } })
    await spine.command(unpaid, 'decide', { keep: { 1: 1 } })
    expect([await refunds(all), await refunds(unpaid), await spine.tasks(unpaid)]).toEqual([[], [], []])
  })

  it('whose source told no price of what is not kept is a person’s to pay back', async () => {
    const sku = await article({ shop: 2 })
    const [line] = lines([sku, 2])
    const orderId = await tryOn([], {
      ...paid,
      lines: [{ ...(line as NonNullable<typeof line>), unitPriceMinor: null }],
      totals: { itemsMinor: 30_000, shippingMinor: 0, discountMinor: 0, totalMinor: 30_000 },
    })
    await spine.command(orderId, 'decide', { keep: { 1: 1 } })
    expect([await refunds(orderId), (await spine.tasks(orderId)).map(({ kind }) => kind)]).toEqual([[], ['refund.byHand']])
  })
})
