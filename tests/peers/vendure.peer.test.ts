/** The connector against a running Vendure. What it did is looked up in Vendure itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConnectorContext, RawRecord } from '../../connectors/kit/types.ts'
import type { VendureConfig } from '../../connectors/vendure/config.ts'
import { vendure } from '../../connectors/vendure/index.ts'
import { contextOf } from './contextOf.ts'
import { startLossyProxy, type LossyProxy } from './lossyProxy.ts'
import { memoryTokens } from './memoryTokens.ts'
import type { RunningPeer } from './peer.ts'
import { peer } from './vendure.ts'
import { vendureShop, type VendureShop } from './vendureShop.ts'

let running: RunningPeer
let proxy: LossyProxy
let shop: VendureShop
let ctx: ConnectorContext<VendureConfig>
const byText = (a: unknown, b: unknown) => String(a).localeCompare(String(b))
const begun = new Date(Date.now() - 60_000)

const context = (config: Record<string, unknown> = {}, tokens = memoryTokens()) => ({
  ...contextOf(vendure, { ...running.connection.config, baseUrl: proxy.url, shop: 'peer', ...config }),
  tokens,
})

beforeAll(async () => {
  running = await peer.start((line) => void process.stdout.write(`${line}\n`))
  proxy = await startLossyProxy(running.url)
  shop = await vendureShop(running)
  ctx = context()
}, 900_000)
afterAll(async () => {
  await proxy?.stop()
  await running?.stop()
})

async function pull(on = ctx, from = begun, to = new Date(Date.now() + 60_000)): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for await (const page of vendure.pullOrders!(on, { from, to })) records.push(...page)
  return records
}
const mapped = async (code: string) => {
  const record = (await pull()).find(({ externalId }) => externalId === code)
  if (!record) throw new Error(`order ${code} was not pulled`)
  return vendure.mapOrder!(ctx.connection, record)
}
const told = (externalId: string, waybill: string) => ({ externalId, key: `k-${waybill}`, waybill, courier: 'TCAT', lines: [] })
const paid = async (goods: Record<string, number>) => {
  const code = await shop.place(goods)
  await shop.settle(code)
  return code
}

describe('the account', () => {
  it('a good one is found good, a wrong password and an unknown location are said', async () => {
    expect(await vendure.check(ctx)).toEqual({ ok: true, problems: [] })
    const wrong = await vendure.check(context({ password: 'wrong' }))
    expect(wrong.problems[0]).toMatchObject({ remedy: 'Check username and password.' })
    const elsewhere = await vendure.check(context({ stockLocationId: '99' }))
    expect(elsewhere.problems[0]?.remedy).toContain('1 (Default Stock Location)')
  })

  it('a session that Vendure does not know any more is opened anew, once', async () => {
    const tokens = memoryTokens()
    const on = context({}, tokens)
    await pull(on)
    tokens.spoil()
    await Promise.all([pull(on), pull(on), pull(on)])
    expect(tokens.refreshes()).toBe(2)
  })
})

describe('orders', () => {
  it('an order is pulled as it was placed, and again once its payment is settled, although its updatedAt stays', async () => {
    const code = await shop.place({ 'SHIRT-S': 2, 'MUG-01': 1 })
    const placed = await mapped(code)
    expect(placed).toMatchObject({
      externalId: code,
      payment: { method: 'prepaid', state: 'pending', currency: 'TWD' },
      recipient: { name: '王小明', phone: '+886912345678', address: { city: '臺北市', district: '信義區', postalCode: '110' } },
      buyer: { name: '王小明', email: 'wang@example.com' },
      totals: { itemsMinor: 143_000, shippingMinor: 10_000, discountMinor: 0, totalMinor: 153_000 },
      onHold: false,
      cancelled: false,
      fulfilled: false,
    })
    expect(placed.lines.map(({ sku, quantity, unitPriceMinor }) => [sku, quantity, unitPriceMinor])).toEqual([
      ['SHIRT-S', 2, 59_000],
      ['MUG-01', 1, 25_000],
    ])
    const before = (await shop.order(code)).updatedAt
    const from = new Date(Date.parse(before) + 1)
    await shop.settle(code)
    expect((await shop.order(code)).updatedAt).toBe(before)
    const [moved] = await pull(ctx, from)
    expect(moved?.externalId).toBe(code)
    const after = vendure.mapOrder!(ctx.connection, moved!)
    expect(after.payment.state).toBe('paid')
    expect(after.externalVersion! > placed.externalVersion!).toBe(true)
  })

  it('none is lost and none shown twice over several pages, while orders are placed and edited', async () => {
    const small = context({ pageSize: 2 })
    const codes = [] as string[]
    for (let n = 0; n < 5; n++) codes.push(await shop.place({ 'MUG-01': 1 }))
    const from = new Date(Date.parse((await shop.order(codes[0]!)).updatedAt) - 1)
    const given: string[] = []
    const to = new Date(Date.now() + 60_000)
    for await (const page of vendure.pullOrders!(small, { from, to })) {
      given.push(...page.map(({ externalId, version }) => `${externalId} ${version}`))
      if (given.length === 2) {
        codes.push(await shop.place({ 'MUG-01': 1 }))
        await vendure.cancelOrder!(ctx, { externalId: codes[0]!, reason: 'edited while it was read' })
      }
    }
    expect(new Set(given).size).toBe(given.length)
    const ids = given.map((entry) => entry.split(' ')[0])
    for (const code of codes) expect(ids).toContain(code)
  })
})

describe('what Vendure is told', () => {
  it('a tracking number told twice is one fulfilment, shipped; delivered told twice is delivered', async () => {
    const code = await paid({ 'SHIRT-S': 1, 'MUG-01': 2 })
    for (let time = 0; time < 2; time++) await vendure.writeTracking!(ctx, told(code, 'W-1'))
    expect(await shop.order(code)).toMatchObject({
      state: 'Shipped',
      fulfillments: [{ state: 'Shipped', trackingCode: 'W-1', lines: [{ quantity: 1 }, { quantity: 2 }] }],
    })
    expect((await mapped(code)).fulfilled).toBe(true)
    for (let time = 0; time < 2; time++)
      await vendure.writeDelivered!(ctx, { externalId: code, waybill: 'W-1', at: new Date().toISOString() })
    expect((await shop.order(code)).state).toBe('Delivered')
  })

  it('an answer that is lost after sending leads to one fulfilment', async () => {
    const code = await paid({ 'SHIRT-M': 1 })
    const lost = proxy.lost()
    // Vendure's calls have one path: the look-up passes, the fulfilment that follows loses its answer.
    const write = vendure.writeTracking!(
      {
        ...ctx,
        http: {
          request: (request) => {
            if (request.write) proxy.loseNext('POST', '/admin-api')
            return ctx.http.request(request)
          },
        },
      },
      told(code, 'W-2'),
    )
    await expect(write).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    expect(proxy.lost()).toBe(lost + 1)
    await vendure.writeTracking!(ctx, told(code, 'W-2'))
    expect(await shop.order(code)).toMatchObject({ state: 'Shipped', fulfillments: [{ trackingCode: 'W-2' }] })
  })

  it('a parcel with a part of the order leaves the rest open', async () => {
    const code = await paid({ 'SHIRT-M': 1, 'MUG-01': 1 })
    const { lines } = await mapped(code)
    const part = { lineId: lines[0]!.lineId, sku: 'SHIRT-M', externalSku: 'SHIRT-M', quantity: 1 }
    await vendure.writeTracking!(ctx, { ...told(code, 'W-3'), lines: [part] })
    expect((await shop.order(code)).state).toBe('PartiallyShipped')
    expect((await mapped(code)).fulfilled).toBe(false)
    await vendure.writeTracking!(ctx, told(code, 'W-4'))
    expect((await shop.order(code)).state).toBe('Shipped')
  })

  it('an order that is authorised only gets its fulfilment; Vendure itself never says shipped of it', async () => {
    const code = await shop.place({ 'MUG-01': 1 })
    await vendure.writeTracking!(ctx, told(code, 'W-5'))
    expect(await shop.order(code)).toMatchObject({
      state: 'PaymentAuthorized',
      fulfillments: [{ state: 'Shipped', trackingCode: 'W-5' }],
    })
    await vendure.writeDelivered!(ctx, { externalId: code, waybill: 'W-5', at: new Date().toISOString() })
    await shop.settle(code)
    expect((await shop.order(code)).state).toBe('PaymentSettled')
    expect((await mapped(code)).fulfilled).toBe(true)
  })

  it('what others fulfilled is refused with the reason', async () => {
    const other = await paid({ 'MUG-01': 1 })
    await shop.fulfil(other)
    const { lines } = await mapped(other)
    const all = lines.map(({ lineId, sku, externalSku, quantity }) => ({ lineId, sku, externalSku, quantity }))
    await expect(vendure.writeTracking!(ctx, { ...told(other, 'W-6'), lines: all })).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'ITEMS_ALREADY_FULFILLED_ERROR',
    })
  })

  it('a cancellation told twice is one; what was shipped is not cancelled; delivery before the number waits', async () => {
    const code = await paid({ 'MUG-01': 1 })
    for (let time = 0; time < 2; time++) await vendure.cancelOrder!(ctx, { externalId: code, reason: 'out of stock' })
    expect((await shop.order(code)).state).toBe('Cancelled')
    expect((await mapped(code)).cancelled).toBe(true)
    const shipped = await paid({ 'MUG-01': 1 })
    const delivered = () => vendure.writeDelivered!(ctx, { externalId: shipped, waybill: 'W-7', at: new Date().toISOString() })
    await expect(delivered()).rejects.toMatchObject({ kind: 'Transient', code: 'no-fulfilment' })
    await vendure.writeTracking!(ctx, told(shipped, 'W-7'))
    await expect(vendure.cancelOrder!(ctx, { externalId: shipped, reason: 'late' })).rejects.toMatchObject({ code: 'shipped' })
  })

  it('a refund asked for twice with one key pays once; more than was paid is refused', async () => {
    const code = await paid({ 'MUG-01': 1 })
    const ask = (key: string, amountMinor: number) =>
      vendure.refund!(ctx, { externalId: code, key, amountMinor, currency: 'TWD', lines: [], reason: 'damaged' })
    const first = await ask('r1', 10_000)
    expect(await ask('r1', 10_000)).toEqual(first)
    expect((await shop.order(code)).payments[0]?.refunds).toEqual([{ id: first.refundId, total: 10_000, reason: 'damaged [r1]' }])
    await expect(ask('r2', 999_999_00)).rejects.toMatchObject({ kind: 'Rejected', code: 'no-payment' })
  })
})

describe('stock', () => {
  it('every variant is listed, page by page, and read with its level', async () => {
    const small = context({ pageSize: 2, locations: { 1: 'wh-main' } })
    const listings = []
    for await (const page of vendure.stock!.listListings!(small)) listings.push(...page)
    expect(listings.map(({ externalSku }) => externalSku).toSorted(byText)).toEqual(['MUG-01', 'SHIRT-M', 'SHIRT-S'])
    const levels = []
    for await (const page of vendure.stock!.read!(small)) levels.push(...page)
    const shown = await shop.levels()
    for (const { sku, onHand } of shown)
      expect(levels).toContainEqual(
        expect.objectContaining({ externalSku: sku, onHand, location: 'wh-main', externalLocation: '1' }),
      )
  })

  it('a level that is pushed is what customers can buy: on hand less what Vendure has allocated', async () => {
    await shop.place({ 'SHIRT-M': 2 })
    const listings = []
    for await (const page of vendure.stock!.listListings!(ctx)) listings.push(...page)
    const shirt = listings.find(({ externalSku }) => externalSku === 'SHIRT-M')!
    const none = { listingId: '1', variantId: '999', externalSku: null, title: null, quantity: 1, version: 1 }
    const outcomes = await vendure.stock!.push!(ctx, [{ ...shirt, quantity: 11, version: 1 }, none])
    expect(outcomes.map(({ error }) => error?.code ?? null)).toEqual([null, 'no-variant'])
    const level = (await shop.levels()).find(({ sku }) => sku === 'SHIRT-M')!
    expect(level.allocated).toBeGreaterThanOrEqual(2)
    expect(level.onHand - level.allocated).toBe(11)
  })
})
