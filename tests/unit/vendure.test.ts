/** Against what a running Vendure 3.7.3 answered: tests/unit/fixtures/vendure.json, written by tests/peers/record.ts. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../connectors/kit/types.ts'
import * as api from '../../connectors/vendure/api.ts'
import { VendureConfig } from '../../connectors/vendure/config.ts'
import { mapOrder } from '../../connectors/vendure/order.ts'
import { orderRecord } from '../../connectors/vendure/pull.ts'
import { readEnvelope } from '../../connectors/vendure/session.ts'
import { parseStockLocations, parseUpdateVariants, parseVariants, updateVariantsRequest } from '../../connectors/vendure/stock.ts'
import { OmnisagaError } from '../../domain/errors.ts'

const { answers } = JSON.parse(readFileSync(new URL('fixtures/vendure.json', import.meta.url), 'utf8')) as {
  answers: Record<string, { status: number; body: unknown }>
}
const ANY: api.GraphqlCall = { operation: 'any', query: '', variables: {}, write: false }
/** `data` of a recorded answer, or what it is judged as. */
function read(name: string, call: api.GraphqlCall = ANY): unknown {
  const answer = answers[name]
  if (!answer) throw new Error(`nothing was recorded as ${name}`)
  return readEnvelope(call, { status: answer.status, headers: {}, body: JSON.stringify(answer.body) })
}
function judged(work: () => unknown): OmnisagaError {
  try {
    work()
  } catch (error) {
    if (error instanceof OmnisagaError) return error
    throw error
  }
  throw new Error('it was not refused')
}
const connection = (config: Record<string, unknown> = {}): Connection<VendureConfig> => ({
  name: 'web',
  connector: 'vendure',
  version: 1,
  config: VendureConfig.parse({ baseUrl: 'http://127.0.0.1:1', username: 'u', password: 'p', ...config }),
  paused: false,
})
const orderOf = (name: string): Record<string, unknown> => structuredClone(api.parseOrders(read(name))[0]!)
const mapped = (name: string, over: Record<string, unknown> = {}, config: Record<string, unknown> = {}) =>
  mapOrder(connection(config), { externalId: 'x', payload: { ...orderOf(name), ...over } })

describe('recorded answers', () => {
  it('a session is refused, expired and missing in three ways that are told apart', () => {
    expect(judged(() => api.parseLogin(read('login refused')))).toMatchObject({
      kind: 'Rejected',
      code: 'INVALID_CREDENTIALS_ERROR',
    })
    expect(judged(() => read('no session'))).toMatchObject({ kind: 'AuthExpired', code: 'FORBIDDEN' })
    expect(api.parseLogin(read('login')).id).toBe('1')
  })

  it.each([
    ['fulfilment again', api.parseAddFulfillment, 'ITEMS_ALREADY_FULFILLED_ERROR'],
    ['shipped again', api.parseTransition, 'FULFILLMENT_STATE_TRANSITION_ERROR'],
    ['cancelled again', api.parseCancelOrder, 'EMPTY_ORDER_LINE_SELECTION_ERROR'],
    ['refund too much', api.parseRefund, 'REFUND_AMOUNT_ERROR'],
  ])('a business error arrives as data: %s', (name, parse, code) => {
    expect(judged(() => parse(read(name)))).toMatchObject({ kind: 'Rejected', code })
  })

  it("GraphQL's own errors are sorted, and an uncoded one is not repeated", () => {
    expect(judged(() => read('wrong query'))).toMatchObject({ kind: 'Invalid', code: 'GRAPHQL_VALIDATION_FAILED' })
    expect(judged(() => read('fulfilment of no line'))).toMatchObject({ kind: 'Rejected', code: 'ENTITY_NOT_FOUND' })
    const body = JSON.stringify({ errors: [{ message: 'insert of 王小明 failed' }], data: null })
    for (const [write, kind] of [
      [true, 'OutcomeUnknown'],
      [false, 'Transient'],
    ] as const) {
      const error = judged(() => readEnvelope({ ...ANY, write }, { status: 200, headers: {}, body }))
      expect(error.kind).toBe(kind)
      expect(error.message).not.toContain('王小明')
    }
  })

  it('what was done is read: fulfilment, states, refund, levels', () => {
    expect(api.parseAddFulfillment(read('fulfilment')).state).toBe('Pending')
    expect(api.parseTransition(read('shipped')).state).toBe('Shipped')
    expect(api.parseTransition(read('delivered')).state).toBe('Delivered')
    expect(api.parseCancelOrder(read('cancelled')).state).toBe('Cancelled')
    expect(api.parseRefund(read('refund')).id).toMatch(/^\d+$/)
    expect(parseStockLocations(read('stock locations'))).toEqual([{ id: '1', name: 'Default Stock Location' }])
    expect(parseVariants(read('variants')).map(({ sku }) => sku)).toEqual(['SHIRT-S', 'SHIRT-M', 'MUG-01'])
    expect(parseUpdateVariants(read('levels written'))[0]?.stockLevels[0]?.stockOnHand).toBe(17)
    expect(updateVariantsRequest('1', [{ id: '7', stockOnHand: 3 }])).toMatchObject({
      write: true,
      variables: { input: [{ id: '7', stockLevels: [{ stockLocationId: '1', stockOnHand: 3 }] }] },
    })
  })

  it('an order whose payment was settled has its old updatedAt and a newer time of change', () => {
    const [before, after] = [orderOf('order placed'), orderOf('order settled')]
    expect(after.updatedAt).toBe(before.updatedAt)
    expect(orderRecord(after).eventAt! > orderRecord(before).eventAt!).toBe(true)
    const [watched] = api.parseOpenOrders(read('open orders'))
    expect(api.changedAt(watched!)).toBe(orderRecord(after).eventAt)
  })
})

describe('orders', () => {
  it('are mapped by their state and their payments', () => {
    expect(mapped('order placed')).toMatchObject({ payment: { state: 'pending' }, onHold: false, fulfilled: false, notes: null })
    expect(mapped('order settled')).toMatchObject({ payment: { state: 'paid' }, fulfilled: false })
    expect(mapped('order delivered')).toMatchObject({ payment: { state: 'paid' }, fulfilled: true })
    expect(mapped('order cancelled')).toMatchObject({ cancelled: true, onHold: false, lines: [{ sku: 'SHIRT-M', quantity: 1 }] })
    expect(mapped('order settled', { state: 'Modifying' })).toMatchObject({ onHold: true, notes: null })
    expect(mapped('order settled', { state: 'Teleported' })).toMatchObject({ onHold: true, notes: 'Vendure state Teleported' })
  })

  it('carry who gets what, in our words', () => {
    const order = mapped('order placed', {}, { services: { 'home-delivery': 'TCAT' } })
    expect(order.recipient).toMatchObject({
      name: '王小明',
      phone: '+886912345678',
      address: { postalCode: '110', city: '臺北市', district: '信義區', line: '信義路五段7號', country: 'TW' },
    })
    expect(order.delivery.service).toBe('TCAT')
    expect(order.lines.map(({ sku, quantity, unitPriceMinor }) => [sku, quantity, unitPriceMinor])).toEqual([
      ['SHIRT-S', 2, 59_000],
      ['MUG-01', 1, 25_000],
    ])
    expect(order.totals).toEqual({ itemsMinor: 143_000, shippingMinor: 10_000, discountMinor: 0, totalMinor: 153_000 })
  })

  it("tell what was paid back: ours with our key, the shop's own without, what failed not at all", () => {
    const refunds = [
      { id: '1', state: 'Settled', total: 1_250, reason: 'damaged [refund:o-1:r1]' },
      { id: '2', state: 'Pending', total: 300, reason: null },
      { id: '3', state: 'Failed', total: 400, reason: null },
    ]
    const payments = [{ id: '1', method: 'card', state: 'Settled', amount: 9_000, updatedAt: '2026-11-22T02:00:00Z', refunds }]
    expect(mapped('order settled', { payments }).paidBack).toEqual([
      { id: '1', amountMinor: 1_250, key: 'refund:o-1:r1' },
      { id: '2', amountMinor: 300, key: null },
    ])
  })

  it('with cash on delivery say what the courier must collect', () => {
    expect(mapped('order placed', {}, { codMethods: ['card'] }).payment).toEqual({
      method: 'cod',
      state: 'due',
      amountDueMinor: 153_000,
      currency: 'TWD',
    })
  })

  it('without customer and address, or masked, are null there; malformed ones name the field', () => {
    expect(mapped('order placed', { customer: null, shippingAddress: null }).recipient).toEqual({
      name: null,
      phone: null,
      address: null,
      masked: true,
    })
    const hidden = mapped('order placed', {
      shippingAddress: { fullName: '王**', streetLine1: '***', phoneNumber: '0912***678' },
    })
    expect(hidden.recipient).toMatchObject({ address: null, masked: true })
    expect(judged(() => mapped('order placed', { lines: 'none' }))).toMatchObject({ kind: 'Invalid', code: 'lines' })
    expect(judged(() => mapped('order placed', { lines: [] }))).toMatchObject({ kind: 'Invalid', code: 'lines' })
    expect(orderRecord({ nothing: true })).toMatchObject({ eventAt: null, version: expect.stringMatching(/^malformed-/) })
  })
})
