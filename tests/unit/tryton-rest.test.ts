/** Requests and answers of Tryton's REST protocol as trytond 8.2.1 gave them. */
import { describe, expect, it } from 'vitest'
import { TrytonConfig } from '../../connectors/tryton/config.ts'
import { productOf } from '../../connectors/tryton/index.ts'
import { addressOf, contactsOf } from '../../connectors/tryton/party.ts'
import { actionRequest, createRequest, dateOf, decimal, parseAnswer, searchRequest } from '../../connectors/tryton/rest.ts'
import { soldOf } from '../../connectors/tryton/sale.ts'
import { trimMoves } from '../../connectors/tryton/shipment.ts'
import type { ErpSale } from '../../connectors/kit/types.ts'

const config = TrytonConfig.parse({
  baseUrl: 'https://erp.example.com/',
  database: 'shop',
  applicationKey: 'secret-key',
  companyId: 1,
  warehouses: { main: 'WH' },
  shippingProduct: 'SHIPPING',
})
const decoded = (text: string | null | undefined) => JSON.parse(Buffer.from(text ?? '', 'base64url').toString('utf8')) as unknown
const answer = (status: number, body: unknown) => ({
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const nobody = { name: null, phone: null, email: null, address: null }
const sale = (more: Partial<ErpSale> = {}): ErpSale => ({
  reference: 'R',
  channel: 'shopee',
  externalId: 'X',
  placedAt: null,
  currency: 'TWD',
  buyer: nobody,
  recipient: nobody,
  lines: [{ lineId: '1', sku: 'A', name: null, quantity: 2, unitPriceMinor: 59_000 }],
  shippingMinor: 0,
  discountMinor: 0,
  totalMinor: 118_000,
  ...more,
})

describe('requests', () => {
  it('searches with domain, order and context in URL-safe base64, fields one by one', () => {
    const made = searchRequest(config, 'sale.sale', {
      domain: [['reference', '=', '訂單?>1']],
      fields: ['state', 'lines.product.code'],
      limit: 5,
      order: [['id', 'ASC']],
      context: { locations: [5] },
    })
    const url = new URL(made.url)
    expect(url.pathname).toBe('/shop/rest/model/sale.sale')
    expect(url.searchParams.get('d')).not.toMatch(/[+/]/)
    expect(decoded(url.searchParams.get('d'))).toEqual([['reference', '=', '訂單?>1']])
    expect(url.searchParams.getAll('f')).toEqual(['state', 'lines.product.code'])
    expect(url.searchParams.get('s')).toBe('5')
    expect(decoded(made.headers?.['x-tryton-context'])).toEqual({ company: 1, _skip_warnings: true, locations: [5] })
    expect(made).toMatchObject({ method: 'GET', headers: { authorization: 'bearer secret-key' } })
    expect(made.write).toBeUndefined()
  })

  it('marks what changes something as a write, and asks Tryton to ask when it shall', () => {
    const asking = { ...config, skipWarnings: false }
    expect(createRequest(config, 'party.party', { name: 'x' }, ['id'])).toMatchObject({
      method: 'POST',
      write: true,
      body: { name: 'x' },
    })
    const pressed = actionRequest(asking, { model: 'sale.sale', id: 7, action: 'quote' }, ['state'])
    expect(new URL(pressed.url).pathname).toBe('/shop/rest/model/sale.sale/7/quote')
    expect(pressed).toMatchObject({ write: true, body: {} })
    expect(decoded(pressed.headers?.['x-tryton-context'])).toEqual({ company: 1 })
  })

  it('writes amounts and days as classes', () => {
    expect(decimal(59_050)).toEqual({ __class__: 'Decimal', decimal: '590.50' })
    expect(decimal(-100)).toEqual({ __class__: 'Decimal', decimal: '-1.00' })
    expect(dateOf('2026-11-02')).toEqual({ __class__: 'date', year: 2026, month: 11, day: 2 })
  })
})

describe('answers', () => {
  it.each([
    [
      400,
      { status: 400, message: 'You can not call "quote" on "1 [REF-1]" of "Sale".', description: '' },
      'Rejected',
      'user-error',
    ],
    [400, { status: 400, message: 'You are not allowed to access "Sale Line".', description: '' }, 'Misconfigured', 'access'],
    [
      400,
      { status: 400, message: 'Calling button "process on "Sale" is not allowed.', description: '' },
      'Misconfigured',
      'access',
    ],
    [423, '<!doctype html><title>423 Locked</title>', 'Transient', 'concurrency'],
    [404, '<!doctype html><title>404 Not Found</title>', 'Rejected', 'not-found'],
    [403, '<!doctype html><title>403 Forbidden</title>', 'Misconfigured', 'http-403'],
  ])('%i is %s', (status, body, kind, code) => {
    expect(() => parseAnswer(answer(status, body), 'Tryton', true)).toThrow(expect.objectContaining({ kind, code }) as Error)
  })

  it('keeps names of buttons in a message, and no name of a person', () => {
    const body = { status: 400, message: 'You can not call "quote" on "王小明 [REF-1]" of "Party".', description: '' }
    expect(() => parseAnswer(answer(400, body), 'Tryton', true)).toThrow('You can not call "quote" on … of ….')
  })
})

describe('what is written', () => {
  it('sells shipping as a service, and says which service is missing', () => {
    expect(soldOf(config, sale({ shippingMinor: 6_000 }))).toEqual([
      { code: 'A', quantity: 2, minor: 59_000 },
      { code: 'SHIPPING', quantity: 1, minor: 6_000 },
    ])
    expect(() => soldOf(config, sale({ discountMinor: 100 }))).toThrow(/discountProduct/)
  })

  it('takes a masked buyer', () => {
    expect(contactsOf(nobody)).toEqual([])
    expect(addressOf(nobody, null)).toEqual({
      party_name: null,
      street_unstructured: null,
      postal_code: null,
      city: null,
      country: null,
    })
  })

  it('trims a shipment to the lines of the unit, over several moves of one product', () => {
    const moves = [
      { id: 1, quantity: 3, product: { code: 'A' } },
      { id: 2, quantity: 2, product: { code: 'A' } },
      { id: 3, quantity: 1, product: { code: 'B' } },
    ]
    const line = (sku: string, quantity: number) => ({ lineId: '1', sku, name: null, quantity, unitPriceMinor: 0 })
    expect(trimMoves(moves, [line('A', 4)], 9)).toEqual([
      ['write', [1], { from_location: 9 }],
      ['write', [2], { from_location: 9, quantity: 1 }],
      ['delete', [3]],
    ])
    expect(trimMoves(moves, [line('A', 6)], 9)).toBeNull()
    expect(trimMoves(moves, [line('C', 1)], 9)).toBeNull()
  })

  it('reads a weight in any unit, and leaves products without a code', () => {
    const product = { id: 1, code: 'A', name: 'A', identifiers: [{ type: 'ean', code: '4006381333931' }] }
    expect(productOf({ ...product, weight: 0.2, weight_uom: { symbol: 'kg' } })).toEqual([
      { sku: 'A', name: 'A', barcode: '4006381333931', weightGrams: 200 },
    ])
    expect(productOf({ ...product, weight: 2, weight_uom: { symbol: 'parsec' } })[0]?.weightGrams).toBeNull()
    expect(productOf({ ...product, code: null })).toEqual([])
  })
})
