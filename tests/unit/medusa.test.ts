/** Against what a running Medusa 2.21.2 answered: tests/unit/fixtures/medusa.json, written by tests/peers/record.ts. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../connectors/kit/types.ts'
import * as api from '../../connectors/medusa/api.ts'
import { MedusaConfig } from '../../connectors/medusa/config.ts'
import { mapOrder } from '../../connectors/medusa/order.ts'
import { orderRecord } from '../../connectors/medusa/pull.ts'
import { OmnisagaError } from '../../domain/errors.ts'

const { answers } = JSON.parse(readFileSync(new URL('fixtures/medusa.json', import.meta.url), 'utf8')) as {
  answers: Record<string, { status: number; body: unknown }>
}
const body = (name: string): unknown => {
  const answer = answers[name]
  if (!answer) throw new Error(`nothing was recorded as ${name}`)
  return answer.body
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
const connection = (config: Record<string, unknown> = {}): Connection<MedusaConfig> => ({
  name: 'web',
  connector: 'medusa',
  version: 1,
  config: MedusaConfig.parse({ baseUrl: 'http://127.0.0.1:1', apiKey: 'sk', ...config }),
  paused: false,
})
const orderOf = (name: string): Record<string, unknown> => structuredClone(api.parseOrders(body(name))[0]!)
const mapped = (name: string, over: Record<string, unknown> = {}, config: Record<string, unknown> = {}) =>
  mapOrder(connection(config), { externalId: 'x', payload: { ...orderOf(name), ...over } })

describe('recorded answers', () => {
  it('an order whose payment was captured has its old updated_at, a newer time of change, and its payment leads to it', () => {
    const [before, after] = [orderOf('order placed'), orderOf('order captured')]
    expect(after.updated_at).toBe(before.updated_at)
    expect(orderRecord(after).eventAt! > orderRecord(before).eventAt!).toBe(true)
    const [payment] = api.parseChangedPayments(body('payments'))
    expect(payment?.payment_collection?.order?.id).toBe(after.id)
    expect(orderRecord(after).version).not.toBe(orderRecord(before).version)
  })

  it('variants, inventory, locations, levels and refunds are read', () => {
    expect(api.parseVariants(body('variants')).map(({ sku }) => sku)).toEqual(['SHIRT-M', 'SHIRT-S', 'MUG-01'])
    expect(api.parseInventory(body('inventory'))).toContainEqual(expect.objectContaining({ sku: 'SHIRT-S' }))
    expect(api.parseStockLocations(body('stock locations'))).toMatchObject([{ name: 'Main' }])
    expect(api.parseLevels(body('levels written'))).toMatchObject([{ stocked_quantity: 17, reserved_quantity: 0 }])
    expect(api.parseRefunds(body('refund'))).toMatchObject([{ note: 'damaged [r1]' }])
    expect(api.parseLogin(body('login'))).toBe('(token)')
  })

  it('a fulfilment carries its waybill from the first moment, and a label all three fields', () => {
    const items = [{ id: 'i1', quantity: 2 }]
    expect(api.fulfillRequest('o 1', { items, waybill: 'W', locationId: null, notify: false })).toEqual({
      method: 'POST',
      path: '/admin/orders/o%201/fulfillments',
      query: [],
      body: { items, metadata: { omnisaga_waybill: 'W' }, no_notification: true },
      write: true,
    })
    expect(api.shipRequest('o', 'f', { items, waybill: 'W', trackingUrl: 'https://t/W', notify: true }).body).toEqual({
      items,
      labels: [{ tracking_number: 'W', tracking_url: 'https://t/W', label_url: '' }],
      no_notification: false,
    })
  })
})

describe('orders', () => {
  it('are mapped by their statuses and by what of them has left', () => {
    expect(mapped('order placed')).toMatchObject({ payment: { state: 'pending' }, onHold: false, fulfilled: false, notes: null })
    expect(mapped('order placed', {}, { paidWhen: 'authorized' }).payment.state).toBe('paid')
    expect(mapped('order captured')).toMatchObject({ payment: { state: 'paid' }, fulfilled: false })
    expect(mapped('order fulfilled').fulfilled).toBe(false)
    expect(mapped('order delivered')).toMatchObject({ payment: { state: 'paid' }, fulfilled: true })
    expect(mapped('order cancelled')).toMatchObject({ cancelled: true, onHold: false })
    expect(mapped('order placed', { status: 'draft' }).onHold).toBe(true)
    expect(mapped('order placed', { status: 'teleported' })).toMatchObject({ onHold: true, notes: 'Medusa status teleported' })
    expect(mapped('order placed', { payment_status: 'odd' })).toMatchObject({ onHold: true, notes: 'Medusa payment_status odd' })
  })

  it('carry who gets what, in our words and hundredths', () => {
    const order = mapped('order placed', {}, { services: { 'Home delivery': 'TCAT' } })
    expect(order.recipient).toMatchObject({
      name: '王小明',
      phone: '+886912345678',
      address: { postalCode: '110', city: '臺北市', district: '信義區', line: '信義路五段7號', country: 'TW' },
    })
    expect(order.delivery.service).toBe('TCAT')
    expect(order.payment.currency).toBe('TWD')
    expect(order.totals).toEqual({ itemsMinor: 143_000, shippingMinor: 10_000, discountMinor: 0, totalMinor: 153_000 })
    expect(order.lines).toContainEqual(expect.objectContaining({ sku: 'SHIRT-S', quantity: 2, unitPriceMinor: 59_000 }))
  })

  it('leave out what needs no shipping; of such things alone nothing is to be shipped', () => {
    const items = orderOf('order placed').items as Record<string, unknown>[]
    const card = { ...items[0], requires_shipping: false }
    expect(mapped('order placed', { items: [card, items[1]] }).lines).toHaveLength(1)
    expect(mapped('order placed', { items: [card] })).toMatchObject({ fulfilled: true })
  })

  it("tell what was paid back: ours with our key, the shop's own without", () => {
    const refunds = [
      { id: 'ref_1', amount: 12.5, note: 'damaged [refund:o-1:r1]' },
      { id: 'ref_2', amount: 3, note: null },
    ]
    const payment_collections = [
      {
        payments: [
          { id: 'pay_1', amount: 50, refunds },
          { id: 'pay_2', amount: 5 },
        ],
      },
    ]
    expect(mapped('order captured', { payment_collections }).paidBack).toEqual([
      { id: 'ref_1', amountMinor: 1_250, key: 'refund:o-1:r1' },
      { id: 'ref_2', amountMinor: 300, key: null },
    ])
  })

  it('malformed ones name the field', () => {
    expect(judged(() => mapped('order placed', { items: 'none' }))).toMatchObject({ kind: 'Invalid', code: 'items' })
    expect(judged(() => mapped('order placed', { items: [] }))).toMatchObject({ kind: 'Invalid', code: 'items' })
  })
})
