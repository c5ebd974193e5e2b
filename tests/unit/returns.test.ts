/** What the rules say of a return, what becomes of its pieces, and what they are worth. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { exchangeLines, exchangeOrder } from '../../activities/returns/exchange.ts'
import { cyberbiz } from '../../connectors/cyberbiz/index.ts'
import { returnsOf } from '../../connectors/cyberbiz/returns.ts'
import { shopee } from '../../connectors/shopee/index.ts'
import { explode } from '../../domain/bundle.ts'
import { paidMinor } from '../../domain/paid.ts'
import { dispositionFor, ReturnsPolicy, ruleFor, valueOf, whyAsk, type PricedLine } from '../../domain/returns.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import type { ReturnRow } from '../../store/returns.ts'

const shirt = { sku: 'TEE', category: 'clothes' }
const underwear = { sku: 'BRIEF', category: 'underwear' }
const unknown = { sku: 'GIFT-1', category: null }
const now = new Date('2026-11-22T12:00:00Z')
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000)
const policy = (change: Record<string, unknown> = {}) => ReturnsPolicy.parse(change)
const why = (given: Record<string, unknown>, asked: Partial<Parameters<typeof whyAsk>[1]> = {}) =>
  whyAsk(policy(given), { products: [shirt], valueMinor: 10_000, deliveredAt: daysAgo(3), now, ...asked })

describe('a return is approved by itself', () => {
  it('within the window, to its last moment', () => {
    expect(why({})).toEqual([])
    expect(why({}, { deliveredAt: daysAgo(7) })).toEqual([])
    expect(why({}, { deliveredAt: daysAgo(7.01) })).toEqual(['TEE was delivered on 2026-11-15, its window of 7 days is over'])
  })

  it('within the window of the product, which may be longer or shorter than the common one', () => {
    const rules = [
      { categories: ['underwear'], windowDays: 0 },
      { skus: ['TEE'], windowDays: 30 },
    ]
    expect(why({ rules }, { deliveredAt: daysAgo(29) })).toEqual([])
    expect(why({ rules }, { products: [shirt, underwear], deliveredAt: daysAgo(1) })).toEqual([
      'BRIEF was delivered on 2026-11-21, its window of 0 days is over',
    ])
  })

  it('never when a product of it is excluded, whenever it was delivered', () => {
    expect(why({ rules: [{ categories: ['underwear'], excluded: true }] }, { products: [underwear] })).toEqual([
      'BRIEF is not taken back',
    ])
  })

  it('never when nobody said when it was delivered', () => {
    expect(why({}, { deliveredAt: null })).toEqual(['it is not known when TEE was delivered'])
  })

  it('only up to a value, and what it is worth must be known for that', () => {
    const limit = { needsApprovalAboveMinor: 10_000 }
    expect(why(limit)).toEqual([])
    expect(why(limit, { valueMinor: 10_001 })).toEqual(['it is worth 100.01, more than 100.00'])
    expect(why(limit, { valueMinor: null })).toEqual(['what it is worth is not known'])
    expect(why({}, { valueMinor: null })).toEqual([])
  })

  it('and every reason against it is told, not the first alone', () => {
    expect(
      why(
        { needsApprovalAboveMinor: 0, rules: [{ skus: ['BRIEF'], excluded: true }] },
        { products: [shirt, underwear], deliveredAt: daysAgo(9) },
      ),
    ).toHaveLength(3)
  })
})

describe('the rule of a product', () => {
  const rules = [
    { skus: ['TEE'], disposition: 'outlet' },
    { categories: ['clothes', 'underwear'], disposition: 'scrap' },
    { windowDays: 3 },
  ]
  it('is the first that fits: by SKU, by category, or the one for all', () => {
    const given = policy({ rules, disposition: 'restock' })
    expect([shirt, underwear, unknown].map((each) => dispositionFor(given, each))).toEqual(['outlet', 'scrap', 'restock'])
    expect(ruleFor(given, unknown)).toEqual({ windowDays: 3 })
  })
  it('leaves the disposition to a person where nothing says one', () => {
    expect(dispositionFor(policy({ rules }), unknown)).toBeNull()
  })
  it('for a category does not fit a product of which nobody knows the category', () => {
    expect(ruleFor(policy({ rules: [{ categories: ['clothes'], excluded: true }] }), unknown)).toBeUndefined()
  })
})

const line = (lineId: string, ordered: number, unitPriceMinor: number | null, gift = false): PricedLine => ({
  lineId,
  sku: lineId,
  ordered,
  unitPriceMinor,
  gift,
})

describe('what pieces are worth', () => {
  const lines = [line('a', 2, 59_000), line('b', 1, 20_000), line('g', 1, null, true)]
  const none = { itemsMinor: null, discountMinor: null }
  it('is their price; a gift is worth nothing', () => {
    expect(valueOf([{ lineId: 'a', quantity: 1 }], lines, none)).toBe(59_000)
    expect(valueOf([{ lineId: 'g', quantity: 1 }], lines, none)).toBe(0)
  })
  it('is less their share of the discount, rounded so that the parts never come to more than the whole', () => {
    const totals = { itemsMinor: 138_000, discountMinor: 10_000 }
    expect(valueOf([{ lineId: 'a', quantity: 1 }], lines, totals)).toBe(54_700)
    expect(
      valueOf(
        lines.map(({ lineId, ordered }) => ({ lineId, quantity: ordered })),
        lines,
        totals,
      ),
    ).toBe(128_000)
  })
  it('is not known where a price is not', () => {
    expect(valueOf([{ lineId: 'x', quantity: 1 }], [line('x', 1, null)], none)).toBeNull()
    expect(valueOf([{ lineId: 'a', quantity: 1 }], [...lines, line('x', 1, null)], none)).toBe(59_000)
  })
  it('of a bundle is that of the whole; parts without the others have none', () => {
    const whole = { ...line('set', 1, 90_000), externalSku: null, name: null, variant: null, quantity: 1 }
    const parts = explode({ ...whole, quantity: 1 }, [
      { sku: 'CUP', quantity: 2 },
      { sku: 'POT', quantity: 1 },
    ]).map((each) => ({ ...line(each.lineId, each.quantity, each.unitPriceMinor), sku: each.sku }))
    const [cups, pot] = parts
    expect(valueOf([{ lineId: cups!.lineId, quantity: 2 }], parts, none)).toBeNull()
    expect(
      valueOf([{ lineId: cups!.lineId, quantity: 2 }, { lineId: pot!.lineId, quantity: 1 }], parts, none), // prettier-ignore
    ).toBe(90_000)
  })
})

describe('what was paid', () => {
  const totals = { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null }
  const lines = [{ ordered: 2, cancelled: 0, unitPriceMinor: 10_000, gift: false }]
  const paid = { method: 'prepaid' as const, state: 'paid' as const, amountDueMinor: 0 }
  test.each([
    ['the total where it is told', { payment: paid, totals: { ...totals, totalMinor: 25_000 } }, 25_000],
    ['nothing before it is paid', { payment: { ...paid, state: 'pending' as const }, totals: { ...totals, totalMinor: 25_000 } }, 0],
    ['nothing before the cash is collected', { payment: { method: 'cod' as const, state: 'due' as const, amountDueMinor: 9 }, totals }, 0],
    ['the cash that was collected', { payment: { method: 'cod' as const, state: 'collected' as const, amountDueMinor: 19_000 }, totals }, 19_000],
    ['the goods, their shipping, less the discount', { payment: paid, totals: { ...totals, shippingMinor: 6_000, discountMinor: 1_000 } }, 25_000],
  ])('is %s', (_what, order, expected) => {
    expect(paidMinor(order, lines)).toBe(expected)
  }) // prettier-ignore
  it('is not known where neither a total nor every price is told', () => {
    expect(paidMinor({ payment: paid, totals }, [...lines, { ...lines[0]!, unitPriceMinor: null }])).toBeNull()
  })
  it('of an order that was given up is all of it; what was taken off before was not paid', () => {
    expect(paidMinor({ payment: paid, totals }, [{ ...lines[0]!, cancelled: 2 }])).toBe(20_000)
    expect(paidMinor({ payment: paid, totals }, [{ ...lines[0]!, cancelled: 1 }])).toBe(10_000)
  })
})

describe('what a channel says of a return', () => {
  const shopeeSays = (change: Record<string, unknown> = {}) =>
    shopee.mapReturn!({} as never, {
      externalId: 'R1',
      payload: {
        return_sn: 'R1',
        order_sn: 'S1',
        status: 'REQUESTED',
        reason: 'PHYSICAL_DMG',
        text_reason: '破損',
        currency: 'TWD',
        refund_amount: 590,
        update_time: 1_700_000_000,
        needs_logistics: true,
        return_solution: 0,
        tracking_number: '',
        item: [{ item_id: 5, model_id: 7, amount: 2 }],
        ...change,
      },
    })
  it('Shopee: pieces by item and model, money in minor units; it pays by itself', () => {
    expect(shopeeSays()).toEqual({
      externalId: 'S1',
      number: 'R1',
      state: 'asked',
      status: 'REQUESTED',
      reason: 'PHYSICAL_DMG: 破損',
      lines: [{ lineId: '5_7', quantity: 2 }],
      unclear: null,
      goodsComeBack: true,
      paysBack: true,
      refundMinor: 59_000,
      waybill: null,
    })
  })
  it('Shopee: a status nobody has heard of is kept and not guessed; money alone brings no goods', () => {
    expect(shopeeSays({ status: 'JUDGING' })).toMatchObject({ state: 'unknown', status: 'JUDGING' })
    expect(shopeeSays({ return_solution: 1 }).goodsComeBack).toBe(false)
    expect(shopeeSays({ needs_logistics: false }).goodsComeBack).toBe(false)
    expect(shopeeSays({ item: [] }).unclear).toContain('does not say which pieces')
    expect(() => shopeeSays({ order_sn: undefined })).toThrow(/Shopee return R1.*order_sn/)
  })
  it('CYBERBIZ: the order says it, and its lines where they do', () => {
    const told = (status: string, lines: (string | null)[]) => {
      const order = {
        kind: 'order' as const,
        externalId: '9',
        version: 'v',
        eventAt: null,
        payload: {
          id: 9,
          statuses: { return_status: status },
          line_items: lines.map((return_status, index) => ({ id: index + 1, return_status })),
        },
      }
      return returnsOf(order).map((record) => cyberbiz.mapReturn!({} as never, record))
    }
    expect(told('no_need', [null])).toEqual([])
    expect(told('request_return', [null, null])).toMatchObject([
      { number: '9', state: 'asked', lines: null, unclear: null, paysBack: false },
    ])
    expect(told('request_return', ['no_need', 'request_return'])).toMatchObject([{ lines: [{ lineId: '2', quantity: null }] }])
    expect(told('partial_return', [null])).toMatchObject([{ state: 'closed', unclear: expect.stringContaining('which pieces') }])
    expect(told('refused', [null])).toMatchObject([{ state: 'cancelled' }])
    expect(told('problem', [null])).toMatchObject([{ state: 'unknown', status: 'problem' }])
  })
})

describe('the order of an exchange', () => {
  const totals = { itemsMinor: 59_000, shippingMinor: 0, discountMinor: 0, totalMinor: 59_000 }
  const record = {
    id: 'o-1',
    doc: { externalId: 'A', kind: 'store', delivery: {}, payment: { currency: 'TWD' }, totals },
    lines: [line('1', 1, 59_000)],
  } as unknown as OrderRecord
  const costing = (unitPriceMinor: number) =>
    exchangeOrder(
      record,
      {
        id: 'rt-1',
        lines: [{ lineId: '1', quantity: 1 }],
        exchange: { lines: exchangeLines([{ sku: 'COAT', quantity: 1, unitPriceMinor }]) },
        createdAt: now.toISOString(),
        dueAt: null,
      } as unknown as ReturnRow,
      { name: 'store', version: 1, config: { shop: 'taipei' } },
    )
  it('that costs more collects the difference at the door, and no more', () => {
    expect(costing(89_000)).toMatchObject({
      payment: { method: 'cod', state: 'due', amountDueMinor: 30_000 },
      totals: { itemsMinor: 89_000, discountMinor: 59_000, totalMinor: 30_000 },
      onHold: true,
    })
  })
  it('that costs as much or less collects nothing', () => {
    for (const price of [59_000, 40_000])
      expect(costing(price)).toMatchObject({ payment: { method: 'prepaid', state: 'pending', amountDueMinor: 0 } })
  })
})

describe('over any sequence of returns', () => {
  /** Lines with prices, a discount that is not more than they cost, and who returns what when. */
  const shop = fc
    .array(
      fc.record({ ordered: fc.integer({ min: 1, max: 5 }), price: fc.integer({ min: 0, max: 200_000 }), gift: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .chain((wares) => {
      const lines = wares.map(({ ordered, price, gift }, index) => line(String(index), ordered, gift ? 0 : price, gift))
      const items = lines.reduce((sum, each) => sum + each.ordered * (each.unitPriceMinor ?? 0), 0)
      const pieces = lines.flatMap(({ lineId, ordered }) => Array.from({ length: ordered }, () => lineId))
      return fc.record({
        lines: fc.constant(lines),
        items: fc.constant(items),
        discount: fc.integer({ min: 0, max: items }),
        isTold: fc.boolean(),
        sequence: fc.shuffledSubarray(pieces.map((lineId, index) => ({ lineId, index }))),
        cuts: fc.array(fc.boolean(), { minLength: pieces.length, maxLength: pieces.length }),
      })
    })

  it('no more is worth than what was paid for the goods, and all at once is worth exactly that', () => {
    fc.assert(
      fc.property(shop, ({ lines, items, discount, isTold, sequence, cuts }) => {
        const totals = { itemsMinor: isTold ? items : null, discountMinor: discount }
        const returns: { lineId: string }[][] = [[]]
        for (const [index, piece] of sequence.entries()) {
          if (cuts[index]) returns.push([])
          returns.at(-1)!.push(piece)
        }
        const worth = returns.map((pieces) => {
          const counted = new Map<string, number>()
          for (const { lineId } of pieces) counted.set(lineId, (counted.get(lineId) ?? 0) + 1)
          return valueOf(
            [...counted].map(([lineId, quantity]) => ({ lineId, quantity })),
            lines,
            totals,
          )
        })
        for (const each of worth) expect(each).toBeGreaterThanOrEqual(0)
        expect(worth.reduce<number>((sum, each) => sum + (each ?? 0), 0)).toBeLessThanOrEqual(items - discount)
        const all = lines.map(({ lineId, ordered }) => ({ lineId, quantity: ordered }))
        expect(valueOf(all, lines, totals)).toBe(items - discount)
      }),
      { numRuns: 500 },
    )
  })
})
