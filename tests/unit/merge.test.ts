import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { mergeOrder, type Change } from '../../domain/merge.ts'
import { IncomingOrder, type OrderLine } from '../../domain/order.ts'

const line = (patch: Partial<OrderLine>): OrderLine => ({
  lineId: '1',
  sku: 'A-1',
  externalSku: 'A-1',
  name: '杯',
  variant: null,
  quantity: 1,
  unitPriceMinor: 10000,
  gift: false,
  ...patch,
})
const address = {
  postalCode: '100',
  city: '臺北市',
  district: '中正區',
  line: '重慶南路一段122號',
  raw: '台北市中正區重慶南路一段122號',
  country: 'TW',
}
const api: IncomingOrder = IncomingOrder.parse({
  channel: 'shopee',
  shop: '600000',
  connection: 'shopee-api',
  externalId: '240506AAA',
  externalVersion: '1714960000',
  placedAt: '2024-05-06T15:04:05+08:00',
  kind: 'online',
  buyer: { name: null, phone: null, email: null, memberId: 'buyer1' },
  recipient: { name: '王小明', phone: '+886912345678', address },
  delivery: { method: 'home', service: 'TCAT', cvs: null, location: null, promisedBy: '2024-05-08T23:59:59+08:00' },
  payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
  lines: [
    line({ lineId: '1001', quantity: 2 }),
    line({ lineId: '1002', sku: 'B-2', externalSku: 'B-2', name: '盤', unitPriceMinor: 20000 }),
  ],
  totals: { itemsMinor: 40000, shippingMinor: 6000, discountMinor: 0, totalMinor: 46000 },
  notes: '請放門口',
  priority: 0,
})
const masked = { name: null, phone: null, address: null, masked: true }
const make = (patch: Partial<IncomingOrder>, base = api): IncomingOrder =>
  IncomingOrder.parse({ ...structuredClone(base), ...patch })
const newer = (patch: Partial<IncomingOrder>) => make({ externalVersion: '1714960001', ...patch })
const fromFile = (patch: Partial<IncomingOrder>) => make({ connection: 'shopee-file', externalVersion: null, ...patch })
const told = (changes: Change[]) => changes.map((change) => `${change.kind} ${change.field}`)
const kinds = (known: IncomingOrder, incoming: IncomingOrder) => told(mergeOrder(known, incoming).changes)

describe('the same order told again', () => {
  it('changes nothing', () => expect(mergeOrder(api, structuredClone(api))).toEqual({ merged: api, changes: [] }))

  it('is not changed by the way a file writes it', () => {
    const file = fromFile({
      recipient: {
        name: '王 小明',
        phone: '0912-345-678',
        address: {
          postalCode: '10045',
          city: '台北市',
          district: '中正區',
          line: '重慶南路一段１２２號',
          raw: '10045 台北市 中正區 重慶南路一段１２２號',
          country: 'TW',
        },
      },
      delivery: { ...api.delivery, service: 'tcat', promisedBy: '2024-05-08T00:00:00+08:00' },
      lines: [
        line({ lineId: 'r7', sku: 'B-2', externalSku: null, name: null, unitPriceMinor: null }),
        line({ lineId: 'r8', quantity: 2, externalSku: null }),
      ],
      totals: { itemsMinor: 40000, shippingMinor: 0, discountMinor: 0, totalMinor: 40000 },
      notes: '請放門口 ',
      buyer: { ...api.buyer, memberId: 'Buyer1' },
    })
    const { merged, changes } = mergeOrder(api, file)
    expect(told(changes)).toEqual(['filled recipient.address.postalCode'])
    expect(merged.recipient.address).toEqual({ ...address, postalCode: '10045' })
    expect(merged.lines).toEqual(api.lines)
    // And the other way about: the API after the file.
    expect(kinds(file, api).filter((change) => !change.startsWith('filled'))).toEqual([])
  })

  it('counts pieces, not lines: one line of two is two lines of one', () => {
    expect(
      kinds(api, fromFile({ lines: [line({ lineId: '1' }), line({ lineId: '2', sku: 'B-2' }), line({ lineId: '3' })] })),
    ).toEqual([])
  })

  it('knows an article by its external number when our SKU was mapped since', () => {
    const mapped = make({ lines: [line({ sku: 'OUR-7', externalSku: 'X7' })] })
    expect(kinds(mapped, newer({ lines: [line({ sku: 'X7', externalSku: 'X7' })] }))).toEqual([])
    expect(kinds(mapped, newer({ lines: [line({ sku: null, externalSku: 'x7 ' })] }))).toEqual([])
    expect(kinds(make({ lines: [line({ sku: null, externalSku: null, name: null })] }), newer({ lines: [line({})] }))).toContain(
      'lines lines',
    )
  })

  it('keeps articles apart that share an external number', () => {
    const known = make({
      lines: [line({ lineId: '1', sku: 'M-1', externalSku: 'ITEM' }), line({ lineId: '2', sku: 'M-2', externalSku: 'ITEM' })],
    })
    const swapped = newer({ lines: [line({ lineId: '1', sku: 'M-1', externalSku: 'ITEM', quantity: 2 })] })
    expect(mergeOrder(known, swapped).merged.lines.map((one) => [one.lineId, one.sku, one.quantity])).toEqual([['1', 'M-1', 2]])
    expect(kinds(known, swapped)).toEqual(['lines lines'])
  })
})

describe('what is masked or missing', () => {
  it('never overwrites what is known', () => {
    for (const incoming of [
      newer({ recipient: masked, notes: null, placedAt: null }),
      fromFile({ recipient: masked, notes: null }),
    ]) {
      const { merged, changes } = mergeOrder(api, incoming)
      expect(changes).toEqual([])
      expect(merged).toMatchObject({ recipient: api.recipient, notes: api.notes, placedAt: api.placedAt })
    }
    const stars = newer({
      recipient: { name: '王*明', phone: '****', address: { ...address, line: '****', raw: '台北市中正區****' } },
    })
    expect(mergeOrder(api, stars)).toMatchObject({ changes: [], merged: { recipient: api.recipient } })
  })

  it('is filled in from the source that knows, which is no change of course', () => {
    const { merged, changes } = mergeOrder(make({ recipient: masked }), fromFile({}))
    expect(merged.recipient).toMatchObject({ ...api.recipient, masked: false })
    expect(new Set(changes.map((change) => change.kind))).toEqual(new Set(['filled']))
    expect(told(changes)).toEqual([
      'filled recipient.name',
      'filled recipient.phone',
      'filled recipient.address',
      'filled recipient.masked',
    ])
    expect(mergeOrder(merged, make({ recipient: masked }))).toEqual({ merged, changes: [] })
  })

  it('stays masked while name or phone are unknown', () => {
    expect(
      mergeOrder(make({ recipient: masked }), fromFile({ recipient: { name: '王小明', phone: null, address: null } })).merged
        .recipient,
    ).toMatchObject({ name: '王小明', masked: true })
  })

  it('is filled in part by part', () => {
    const bare = make({
      recipient: {
        ...api.recipient,
        address: { postalCode: null, city: '臺北市', district: null, line: '重慶南路一段122號', raw: null, country: null },
      },
      lines: [line({ name: null, unitPriceMinor: null })],
    })
    const { merged, changes } = mergeOrder(bare, newer({ lines: [line({})] }))
    expect(merged.recipient.address).toEqual(address)
    expect(merged.lines[0]).toMatchObject({ name: '杯', unitPriceMinor: 10000 })
    expect(changes.every((change) => change.kind === 'filled')).toBe(true)
  })

  it('does not mix the amounts of two sources', () => {
    const totals = { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: 46000 }
    const file = fromFile({ totals: { itemsMinor: 50000, shippingMinor: 0, discountMinor: 0, totalMinor: 50000 } })
    expect(mergeOrder(make({ totals }), file).merged.totals).toEqual(totals)
    expect(mergeOrder(make({ totals: { ...totals, totalMinor: null } }), file).merged.totals).toEqual(file.totals)
    const unpriced = make({ lines: [line({ unitPriceMinor: null })], totals: { ...totals, itemsMinor: 9000 } })
    expect(mergeOrder(unpriced, fromFile({ lines: [line({ unitPriceMinor: 10000 })] })).merged.lines[0]).toMatchObject({
      unitPriceMinor: null,
    })
  })

  it('fills in what cash on delivery collects', () => {
    const known = make({ payment: { method: 'cod', state: 'due', amountDueMinor: 0, currency: 'TWD' } })
    const file = fromFile({ payment: { method: 'cod', state: 'due', amountDueMinor: 46000, currency: 'TWD' } })
    expect(mergeOrder(known, file)).toMatchObject({
      merged: { payment: { amountDueMinor: 46000 } },
      changes: [{ kind: 'filled', field: 'payment.amountDueMinor' }],
    })
    expect(mergeOrder(make({ payment: file.payment }), newer({ payment: known.payment }))).toMatchObject({
      merged: { payment: { amountDueMinor: 46000 } },
      changes: [],
    })
  })
})

describe('what truly changed', () => {
  const moved = { ...address, line: '忠孝東路一段1號', raw: '台北市中正區忠孝東路一段1號' }
  const rows: [string, IncomingOrder, string[]][] = [
    ['cancelled', newer({ cancelled: true }), ['cancel cancelled']],
    ['on hold', newer({ onHold: true }), ['hold onHold']],
    ['more pieces', newer({ lines: [line({ lineId: '1001', quantity: 3 }), api.lines[1]!] }), ['lines lines']],
    ['a line less', newer({ lines: [api.lines[0]!] }), ['lines lines']],
    [
      'another article under the same line number',
      newer({ lines: [line({ lineId: '1001', sku: 'C-3', externalSku: 'C-3', quantity: 2 }), api.lines[1]!] }),
      ['lines lines'],
    ],
    ['another name', newer({ recipient: { ...api.recipient, name: '陳大文' } }), ['recipient recipient.name']],
    ['another phone', newer({ recipient: { ...api.recipient, phone: '+886987654321' } }), ['recipient recipient.phone']],
    ['another road', newer({ recipient: { ...api.recipient, address: moved } }), ['recipient recipient.address']],
    [
      'a floor added',
      newer({ recipient: { ...api.recipient, address: { ...address, line: `${address.line}5樓`, raw: `${address.raw}5樓` } } }),
      ['recipient recipient.address'],
    ],
    [
      'another district',
      newer({ recipient: { ...api.recipient, address: { ...address, district: '大安區' } } }),
      ['recipient recipient.address'],
    ],
    [
      'a convenience store instead',
      newer({ delivery: { ...api.delivery, method: 'cvs', cvs: { chain: 'FAMI', storeId: '1' } } }),
      ['delivery delivery.method'],
    ],
    ['another service', newer({ delivery: { ...api.delivery, service: 'HCT' } }), ['delivery delivery.service']],
    [
      'another promise by the same source',
      newer({ delivery: { ...api.delivery, promisedBy: '2024-05-09T23:59:59+08:00' } }),
      ['delivery delivery.promisedBy'],
    ],
    [
      'another way to pay',
      newer({ payment: { method: 'cod', state: 'due', amountDueMinor: 46000, currency: 'TWD' } }),
      ['payment payment.method', 'payment payment.state', 'payment payment.amountDueMinor'],
    ],
    ['refunded', newer({ payment: { ...api.payment, state: 'refunded' } }), ['payment payment.state']],
    ['another wish', newer({ notes: '週末送' }), ['notes notes']],
    ['another buyer, which steers nothing', newer({ buyer: { ...api.buyer, memberId: 'buyer2' } }), ['filled buyer.memberId']],
    [
      'other totals, which steer nothing',
      newer({ totals: { ...api.totals, totalMinor: 45000, discountMinor: 1000 } }),
      ['filled totals'],
    ],
    ['papers arrived', newer({ customs: { invoiceNumber: 'I1', hsCodes: ['1'] } }), ['filled customs']],
  ]
  test.each(rows)('%s', (_, incoming, changes) => {
    const { merged, changes: found } = mergeOrder(api, incoming)
    expect(told(found)).toEqual(changes)
    expect(IncomingOrder.safeParse(merged).success).toBe(true)
    expect(mergeOrder(merged, incoming).changes).toEqual([])
  })

  it('says released when the hold ends', () => expect(kinds(make({ onHold: true }), newer({}))).toEqual(['release onHold']))
  it('is a wish when one source adds a note, and a detail when another source tells more', () => {
    expect(kinds(make({ notes: null }), newer({ notes: '週末送' }))).toEqual(['notes notes'])
    expect(kinds(make({ notes: null }), fromFile({ notes: '週末送' }))).toEqual(['filled notes'])
  })
  it('takes a new address whole, never half of each', () => {
    expect(
      mergeOrder(api, newer({ recipient: { ...api.recipient, address: { ...moved, postalCode: null } } })).merged.recipient
        .address,
    ).toEqual({ ...moved, postalCode: null })
  })
  it('keeps the numbers of lines that stay, and gives a new line a free one', () => {
    const file = make({ connection: 'file-b', externalVersion: null }, make({ connection: 'file-a', externalVersion: null }))
    const incoming = {
      ...file,
      lines: [
        line({ lineId: '1002', sku: 'C-3', externalSku: null }),
        line({ lineId: '1', quantity: 3 }),
        line({ lineId: '2', sku: 'B-2' }),
      ],
    }
    const { merged, changes } = mergeOrder(make({ connection: 'file-a', externalVersion: null }), incoming)
    expect(merged.lines.map((one) => [one.lineId, one.sku, one.quantity])).toEqual([
      ['1002-2', 'C-3', 1],
      ['1001', 'A-1', 3],
      ['1002', 'B-2', 1],
    ])
    expect(changes).toMatchObject([{ kind: 'lines', from: 'A-1 × 2, B-2 × 1', to: 'C-3 × 1, A-1 × 3, B-2 × 1' }])
  })
  it('keeps what the courier collected when the channel still says due', () => {
    const collected = make({ payment: { method: 'cod', state: 'collected', amountDueMinor: 46000, currency: 'TWD' } })
    expect(kinds(collected, newer({ payment: { method: 'cod', state: 'due', amountDueMinor: 46000, currency: 'TWD' } }))).toEqual(
      [],
    )
  })
  it('reads a store number that lost its zeros as the same store', () => {
    const cvs = (storeId: string | null) => ({
      ...api.delivery,
      method: 'cvs' as const,
      cvs: { chain: 'FAMI' as const, storeId },
    })
    expect(kinds(make({ delivery: cvs('006598') }), newer({ delivery: cvs('6598') }))).toEqual([])
    expect(kinds(make({ delivery: cvs('006598') }), newer({ delivery: cvs(null) }))).toEqual([])
    expect(kinds(make({ delivery: cvs(null) }), newer({ delivery: cvs('006598') }))).toEqual(['filled delivery.cvs.storeId'])
    expect(kinds(make({ delivery: cvs('006598') }), newer({ delivery: cvs('006599') }))).toEqual([
      'delivery delivery.cvs.storeId',
    ])
  })
})

describe('an older telling', () => {
  const edits: Partial<IncomingOrder> = {
    recipient: { ...api.recipient, name: '陳大文' },
    lines: [line({ quantity: 9 })],
    notes: '舊',
    onHold: true,
    payment: { ...api.payment, state: 'pending' },
    delivery: { ...api.delivery, service: 'HCT' },
    totals: { itemsMinor: 1, shippingMinor: 1, discountMinor: 1, totalMinor: 1 },
    priority: 9,
  }
  it('never overwrites a newer one of the same source', () => {
    const older = make({ ...edits, externalVersion: '999999999', cancelled: true })
    expect(mergeOrder(api, older)).toEqual({ merged: api, changes: [] })
  })
  it('still fills in what is unknown', () => {
    const { merged, changes } = mergeOrder(make({ recipient: masked }), make({ externalVersion: '1714950000' }))
    expect(merged).toMatchObject({ externalVersion: '1714960000', recipient: { name: '王小明' } })
    expect(changes.every((change) => change.kind === 'filled')).toBe(true)
  })
  it('is also a file without versions that comes after the API', () => {
    expect(mergeOrder(api, fromFile(edits))).toEqual({ merged: api, changes: [] })
    expect(kinds(api, fromFile({ ...edits, cancelled: true }))).toEqual(['cancel cancelled'])
  })
  it('is not what comes after a file: the API then has the word', () => {
    expect(kinds(fromFile({}), newer({ recipient: { ...api.recipient, name: '陳大文' } }))).toEqual(['recipient recipient.name'])
  })
  it('is told by the versions of two connections of one source when the caller says so', () => {
    const other = make({ connection: 'shopee-second', externalVersion: '17-b', notes: '舊' })
    expect(told(mergeOrder(make({ externalVersion: '17-c' }), other, { sameSource: true }).changes)).toEqual([])
    expect(told(mergeOrder(make({ externalVersion: '17-a' }), other, { sameSource: true }).changes)).toEqual(['notes notes'])
  })
  it('has versions compared as numbers when they are numbers', () => {
    expect(kinds(make({ externalVersion: '9' }), make({ externalVersion: '10', notes: '新' }))).toEqual(['notes notes'])
    expect(kinds(make({ externalVersion: '10' }), make({ externalVersion: '9', notes: '新' }))).toEqual([])
  })
})

// Property tests share the machine with the rest of the run.
describe('for any two tellings', { timeout: 60_000 }, () => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value)
  const name = fc.constantFrom('王小明', '陳大文', '王*明', '****', ' ')
  const anAddress = fc.record({
    postalCode: maybe(fc.constantFrom('100', '10048', '106')),
    city: maybe(fc.constantFrom('臺北市', '台北市', '新北市')),
    district: maybe(fc.constantFrom('中正區', '大安區')),
    line: maybe(fc.constantFrom('重慶南路1號', '重慶南路１號', '忠孝東路2號', '****')),
    raw: maybe(fc.constantFrom('台北市中正區重慶南路1號', '重慶南路1號', '****')),
    country: maybe(fc.constantFrom('TW', 'JP')),
  })
  /** X is the channel's own number for A; a source may also use our SKU, or tell neither. */
  const anArticle = fc.constantFrom<[string | null, string | null][]>(
    ['A', 'A'],
    ['A', 'X'],
    ['A', null],
    [null, 'X'],
    ['X', 'X'],
    ['B', 'B'],
    ['B', null],
    [null, null],
  )
  const aLine = fc
    .record({
      lineId: fc.constantFrom('1', '2', '3'),
      article: anArticle,
      variant: maybe(fc.constantFrom('紅', '藍')),
      quantity: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ article: [sku, externalSku], ...rest }) => ({ ...rest, sku, externalSku }))
  const anOrder = fc
    .record({
      connection: fc.constantFrom('shopee-api', 'shopee-file'),
      externalVersion: maybe(fc.constantFrom('1', '2', '3')),
      notes: maybe(fc.constantFrom('a', 'b', 'ab')),
      recipient: fc.record({
        name: maybe(name),
        phone: maybe(fc.constantFrom('+886912345678', '+886987654321')),
        address: maybe(anAddress),
        masked: fc.boolean(),
      }),
      lines: fc.uniqueArray(aLine, { minLength: 1, maxLength: 3, selector: (one) => one.lineId }).map((lines) => lines.map(line)),
      payment: fc.record({
        method: fc.constantFrom('cod' as const, 'prepaid' as const),
        state: fc.constantFrom('pending' as const, 'paid' as const, 'collected' as const),
        amountDueMinor: fc.constantFrom(0, 46000),
        currency: fc.constant('TWD'),
      }),
      onHold: fc.boolean(),
      cancelled: fc.boolean(),
    })
    .map((patch) => make(patch))

  it('gives a valid order, and merging the same again asks for nothing', () => {
    fc.assert(
      fc.property(anOrder, anOrder, (known, incoming) => {
        const { merged } = mergeOrder(known, incoming)
        expect(IncomingOrder.safeParse(merged).success).toBe(true)
        expect(new Set(merged.lines.map((one) => one.lineId)).size).toBe(merged.lines.length)
        const again = mergeOrder(merged, incoming)
        // A detail of a line may still come in when two lines of one SKU tell different variants; nothing else may.
        expect(told(again.changes).filter((change) => change !== 'filled lines')).toEqual([])
        expect({ ...again.merged, lines: [] }).toEqual({ ...merged, lines: [] })
        const pieces = (order: IncomingOrder) => order.lines.map((one) => [one.lineId, one.quantity])
        expect(pieces(again.merged)).toEqual(pieces(merged))
      }),
      { numRuns: 600 },
    )
  })

  it('loses no known name and no known phone', () => {
    fc.assert(
      fc.property(anOrder, anOrder, (known, incoming) => {
        const { merged } = mergeOrder(known, incoming)
        for (const part of ['name', 'phone'] as const) {
          if (/^[^* ]+$/.test(known.recipient[part] ?? '*')) expect(merged.recipient[part]).toMatch(/^[^* ]+$/)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('leaves both tellings as they were', () => {
    fc.assert(
      fc.property(anOrder, anOrder, (known, incoming) => {
        const before = JSON.stringify([known, incoming])
        mergeOrder(known, incoming)
        expect(JSON.stringify([known, incoming])).toBe(before)
      }),
      { numRuns: 300 },
    )
  })
})
