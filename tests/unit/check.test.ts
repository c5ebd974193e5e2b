import { describe, expect, it, test } from 'vitest'
import { checkOrder } from '../../domain/check.ts'
import { IncomingOrder } from '../../domain/order.ts'

const known = { skus: new Set(['A-1', 'B-2']) }
const good: IncomingOrder = IncomingOrder.parse({
  channel: 'shopee',
  shop: '600000',
  connection: 'shopee-main',
  externalId: '240506AAA',
  externalVersion: '1714960000',
  placedAt: '2024-05-06T15:04:05+08:00',
  kind: 'online',
  buyer: { name: null, phone: null, email: null, memberId: 'buyer1' },
  recipient: {
    name: '王小明',
    phone: '+886912345678',
    address: {
      postalCode: '100',
      city: '臺北市',
      district: '中正區',
      line: '重慶南路一段122號',
      raw: '100台北市中正區重慶南路一段122號',
      country: 'TW',
    },
  },
  delivery: { method: 'home', service: 'TCAT', cvs: null, location: null, promisedBy: null },
  payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
  lines: [
    { lineId: '1', sku: 'A-1', externalSku: 'A-1', name: '杯', variant: null, quantity: 2, unitPriceMinor: 29500, gift: false },
    { lineId: '2', sku: 'B-2', externalSku: 'B-2', name: '贈品', variant: null, quantity: 1, unitPriceMinor: null, gift: true },
  ],
  totals: { itemsMinor: 59000, shippingMinor: 6000, discountMinor: 5000, totalMinor: 60000 },
  notes: null,
  priority: 0,
})
type Patch = { [K in keyof IncomingOrder]?: Partial<IncomingOrder[K]> }
function order(patch: Patch): IncomingOrder {
  const copy: Record<string, unknown> = structuredClone(good)
  for (const [key, value] of Object.entries(patch)) {
    const before = copy[key]
    copy[key] = value !== null && typeof value === 'object' && !Array.isArray(value) && before ? { ...before, ...value } : value
  }
  return IncomingOrder.parse(copy)
}
const found = (patch: Patch) => checkOrder(order(patch), known).map((problem) => `${problem.code} ${problem.field}`)
const address = (patch: Partial<NonNullable<IncomingOrder['recipient']['address']>>) => ({
  recipient: { address: { ...good.recipient.address!, ...patch } },
})
const cod = { method: 'cod' as const, state: 'due' as const, amountDueMinor: 60000 }
const hidden = { name: null, phone: null, address: null, masked: true }
const cvs = { method: 'cvs' as const, cvs: { chain: 'UNIMART' as const, storeId: '131386' } }

describe('an order that is right', () => {
  const rows: [string, Patch][] = [
    ['prepaid, at home', {}],
    ['cash on delivery, at home', { payment: cod }],
    ['cash on delivery that was paid meanwhile', { payment: { ...cod, state: 'paid', amountDueMinor: 0 } }],
    ['at a convenience store, without an address', { delivery: cvs, recipient: { address: null } }],
    ['masked, shipped by the channel', { recipient: hidden, delivery: { service: 'channel' } }],
    [
      'masked, to a store that the channel knows',
      { recipient: hidden, delivery: { method: 'cvs', service: 'channel', cvs: null } },
    ],
    [
      'handed over in a store',
      { delivery: { method: 'handOver', location: 'store-1' }, recipient: { name: null, phone: null, address: null } },
    ],
    [
      'overseas with papers',
      {
        ...address({ country: 'JP', city: null, district: null, line: 'Tokyo 1-1' }),
        customs: { invoiceNumber: 'INV-1', hsCodes: ['6911.10'] },
      },
    ],
    ['overseas by the channel', { ...address({ country: 'SG', city: null, district: null }), delivery: { service: 'channel' } }],
    ['without any amounts', { totals: { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null } }],
    ['with a discount nobody tells', { totals: { discountMinor: null, totalMinor: 12300 } }],
    ['without the price of a line', { lines: [{ ...good.lines[0]!, unitPriceMinor: null }] }],
    ['with an address not yet given a postal code', address({ postalCode: null })],
    ['in another currency', { payment: { currency: 'JPY' } }],
  ]
  test.each(rows)('%s', (_, patch) => expect(found(patch)).toEqual([]))
})

describe('an order that is not', () => {
  const rows: [string, Patch, string[]][] = [
    ['names a product we do not know', { lines: [{ ...good.lines[0]!, sku: 'X-9' }] }, ['unknownSku lines[0].sku']],
    [
      'names no product',
      { lines: [good.lines[0]!, { ...good.lines[1]!, sku: null, externalSku: null }] },
      ['unknownSku lines[1].sku'],
    ],
    ['has lines that do not add up', { lines: [{ ...good.lines[0]!, quantity: 3 }] }, ['amountsDisagree totals.itemsMinor']],
    ['has a total that does not add up', { totals: { totalMinor: 60100 } }, ['amountsDisagree totals.totalMinor']],
    [
      'has a total that the lines contradict',
      { totals: { itemsMinor: null, totalMinor: 60100 } },
      ['amountsDisagree totals.totalMinor'],
    ],
    [
      'asks the courier for another sum',
      { payment: { ...cod, amountDueMinor: 59000 } },
      ['amountsDisagree payment.amountDueMinor'],
    ],
    ['is cash on delivery of nothing', { payment: { ...cod, amountDueMinor: 0 } }, ['amountsDisagree payment.amountDueMinor']],
    ['is prepaid with money due', { payment: { amountDueMinor: 100 } }, ['amountsDisagree payment.amountDueMinor']],
    ['has less than nothing due', { payment: { ...cod, amountDueMinor: -100 } }, ['amountsDisagree payment.amountDueMinor']],
    ['is in no currency', { payment: { currency: 'NTD' } }, ['currencyUnknown payment.currency']],
    ['has no address', { recipient: { address: null } }, ['incompleteAddress recipient.address']],
    ['has an address without its city', address({ city: null }), ['incompleteAddress recipient.address.city']],
    ['has an address without its district', address({ district: null }), ['incompleteAddress recipient.address.district']],
    ['has an address without a road', address({ line: ' ' }), ['incompleteAddress recipient.address.line']],
    [
      'is not parsed at all',
      address({ city: null, district: null, line: null, country: null }),
      [
        'incompleteAddress recipient.address.city',
        'incompleteAddress recipient.address.district',
        'incompleteAddress recipient.address.line',
      ],
    ],
    ['goes to a store nobody names', { delivery: { ...cvs, cvs: null } }, ['missingPickupStore delivery.cvs']],
    [
      'goes to a store without its number',
      { delivery: { ...cvs, cvs: { chain: 'FAMI', storeId: null } } },
      ['missingPickupStore delivery.cvs.storeId'],
    ],
    ['has no name', { recipient: { name: '' } }, ['missingRecipient recipient.name']],
    ['has no phone', { recipient: { phone: null } }, ['missingPhone recipient.phone']],
    ['is masked and ours to deliver', { recipient: hidden }, ['maskedRecipient recipient']],
    [
      'is masked and ours to bring to a store',
      { recipient: hidden, delivery: { ...cvs, cvs: null } },
      ['maskedRecipient recipient'],
    ],
    [
      'leaves the country without papers',
      address({ country: 'JP', city: null, district: null }),
      ['overseasWithoutPapers customs'],
    ],
    [
      'leaves the country with empty papers',
      { ...address({ country: 'US' }), customs: { invoiceNumber: ' ', hsCodes: ['1'] } },
      ['overseasWithoutPapers customs'],
    ],
    [
      'leaves the country for nowhere',
      { ...address({ country: 'US', line: null, raw: null }), customs: { invoiceNumber: '1', hsCodes: ['1'] } },
      ['incompleteAddress recipient.address.line'],
    ],
    ['is picked up nobody knows where', { delivery: { method: 'storePickup' } }, ['missingLocation delivery.location']],
  ]
  test.each(rows)('%s', (_, patch, problems) => expect(found(patch)).toEqual(problems))

  it('has every problem told at once, each with a remedy and a short value', () => {
    const problems = checkOrder(
      order({
        lines: [{ ...good.lines[0]!, sku: 'S'.repeat(200) }],
        payment: { ...cod, amountDueMinor: 0 },
        recipient: { phone: null },
        totals: { totalMinor: 1 },
      }),
      known,
    )
    expect(problems.map((problem) => problem.code)).toEqual(['unknownSku', 'amountsDisagree', 'amountsDisagree', 'missingPhone'])
    for (const problem of problems) {
      expect(problem.remedy).toMatch(/^[A-Z].*\.$/)
      expect((problem.value ?? '').length).toBeLessThanOrEqual(40)
    }
  })

  it('shows amounts in the currency, and no name, phone or address in a message', () => {
    const [amounts] = checkOrder(order({ totals: { totalMinor: 60150 } }), known)
    expect(amounts).toMatchObject({ value: 'TWD 601.50', message: expect.stringContaining('TWD 600,') })
    const all = JSON.stringify([
      checkOrder(order(address({ city: null })), known),
      checkOrder(order({ recipient: { phone: null } }), known),
    ])
    for (const secret of ['王小明', '重慶南路', '912345678']) expect(all).not.toContain(secret)
  })
})
