/** The connector against a running Medusa. What it did is looked up in Medusa itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConnectorContext, RawRecord } from '../../connectors/kit/types.ts'
import type { MedusaConfig } from '../../connectors/medusa/config.ts'
import { medusa } from '../../connectors/medusa/index.ts'
import { contextOf } from './contextOf.ts'
import { startLossyProxy, type LossyProxy } from './lossyProxy.ts'
import { peer } from './medusa.ts'
import { medusaShop, type MedusaShop } from './medusaShop.ts'
import { memoryTokens } from './memoryTokens.ts'
import type { RunningPeer } from './peer.ts'

let running: RunningPeer
let proxy: LossyProxy
let shop: MedusaShop
let ctx: ConnectorContext<MedusaConfig>
const byText = (a: unknown, b: unknown) => String(a).localeCompare(String(b))
const begun = new Date(Date.now() - 60_000)

const context = (config: Record<string, unknown> = {}, tokens = memoryTokens()) => ({
  ...contextOf(medusa, { ...running.connection.config, baseUrl: proxy.url, shop: 'peer', ...config }),
  tokens,
})

beforeAll(async () => {
  running = await peer.start((line) => void process.stdout.write(`${line}\n`))
  proxy = await startLossyProxy(running.url)
  shop = await medusaShop(running)
  ctx = context()
}, 900_000)
afterAll(async () => {
  await proxy?.stop()
  await running?.stop()
})

async function pull(on = ctx, from = begun, to = new Date(Date.now() + 60_000)): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for await (const page of medusa.pullOrders!(on, { from, to })) records.push(...page)
  return records
}
const mapped = async (id: string) => {
  const record = (await pull()).find(({ externalId }) => externalId === id)
  if (!record) throw new Error(`order ${id} was not pulled`)
  return medusa.mapOrder!(ctx.connection, record)
}
const told = (externalId: string, waybill: string) => ({ externalId, key: `k-${waybill}`, waybill, courier: 'TCAT', lines: [] })

describe('the account', () => {
  it('a session and a secret API key are both good; a wrong password, a wrong key, an unknown location are said', async () => {
    expect(await medusa.check(ctx)).toEqual({ ok: true, problems: [] })
    const byKey = context({ apiKey: await shop.apiKey(), email: null, password: null })
    expect(await medusa.check(byKey)).toEqual({ ok: true, problems: [] })
    expect((await medusa.check(context({ password: 'wrong' }))).problems[0]?.remedy).toBe('Check email and password.')
    expect((await medusa.check(context({ apiKey: 'sk_wrong' }))).problems[0]?.remedy).toContain('apiKey')
    expect((await medusa.check(context({ stockLocationId: 'sloc_none' }))).problems[0]?.remedy).toContain('(Main)')
  })

  it('a session that Medusa does not take any more is opened anew, once', async () => {
    const tokens = memoryTokens()
    const on = context({}, tokens)
    await pull(on)
    tokens.spoil()
    await Promise.all([pull(on), pull(on), pull(on)])
    expect(tokens.refreshes()).toBe(2)
  })
})

describe('orders', () => {
  it('an order is pulled as it was placed, and again once its payment is captured, although its updated_at stays', async () => {
    const id = await shop.place({ 'SHIRT-S': 2, 'MUG-01': 1 })
    const placed = await mapped(id)
    expect(placed).toMatchObject({
      externalId: id,
      payment: { method: 'prepaid', state: 'pending', currency: 'TWD' },
      recipient: { name: '王小明', phone: '+886912345678', address: { city: '臺北市', district: '信義區', postalCode: '110' } },
      buyer: { email: 'wang@example.com' },
      totals: { itemsMinor: 143_000, shippingMinor: 10_000, discountMinor: 0, totalMinor: 153_000 },
      onHold: false,
      cancelled: false,
      fulfilled: false,
    })
    expect(
      placed.lines
        .map(({ sku, quantity, unitPriceMinor }) => [sku, quantity, unitPriceMinor])
        .toSorted(([a], [b]) => byText(a, b)),
    ).toEqual([
      ['MUG-01', 1, 25_000],
      ['SHIRT-S', 2, 59_000],
    ])
    const before = (await shop.order(id)).updated_at
    const from = new Date(Date.parse(before) + 500)
    await shop.capture(id)
    expect((await shop.order(id)).updated_at).toBe(before)
    const [moved] = await pull(ctx, from)
    expect(moved?.externalId).toBe(id)
    const after = medusa.mapOrder!(ctx.connection, moved!)
    expect(after.payment.state).toBe('paid')
    expect(after.externalVersion! > placed.externalVersion!).toBe(true)
    expect(medusa.mapOrder!(context({ paidWhen: 'authorized' }).connection, moved!).payment.state).toBe('paid')
  })

  it('none is lost and no version shown twice over several pages, while orders are placed and edited', async () => {
    const small = context({ pageSize: 2 })
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push(await shop.place({ 'MUG-01': 1 }))
    const from = new Date(Date.parse((await shop.order(ids[0]!)).updated_at) - 1)
    const given: string[] = []
    const to = new Date(Date.now() + 60_000)
    for await (const page of medusa.pullOrders!(small, { from, to })) {
      given.push(...page.map(({ externalId, version }) => `${externalId} ${version}`))
      if (given.length === 2) {
        await shop.edit(ids[0]!)
        await shop.edit(ids[3]!)
        ids.push(await shop.place({ 'MUG-01': 1 }))
      }
    }
    expect(new Set(given).size).toBe(given.length)
    const shown = given.map((entry) => entry.split(' ')[0])
    for (const id of ids) expect(shown).toContain(id)
  })
})

describe('what Medusa is told', () => {
  it('a tracking number told twice is one fulfilment with one label; delivered told twice is delivered', async () => {
    const id = await shop.place({ 'SHIRT-S': 1, 'MUG-01': 2 })
    for (let time = 0; time < 2; time++) await medusa.writeTracking!(ctx, told(id, 'W-1'))
    const shipped = await shop.order(id)
    expect(shipped.fulfillment_status).toBe('shipped')
    expect(shipped.fulfillments).toHaveLength(1)
    expect(shipped.fulfillments[0]?.labels.map((label) => label.tracking_number)).toEqual(['W-1'])
    expect((await mapped(id)).fulfilled).toBe(true)
    for (let time = 0; time < 2; time++)
      await medusa.writeDelivered!(ctx, { externalId: id, waybill: 'W-1', at: new Date().toISOString() })
    expect((await shop.order(id)).fulfillment_status).toBe('delivered')
  })

  it.each(['/fulfillments', '/shipments', '/mark-as-delivered'])(
    'an answer of %s that is lost leads to one effect',
    async (path) => {
      const id = await shop.place({ 'SHIRT-M': 1 })
      const waybill = `W-lost${path}`
      const tell = async () => {
        await medusa.writeTracking!(ctx, told(id, waybill))
        await medusa.writeDelivered!(ctx, { externalId: id, waybill, at: new Date().toISOString() })
      }
      proxy.loseNext('POST', path)
      await expect(tell()).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
      await tell()
      const done = await shop.order(id)
      expect(done.fulfillment_status).toBe('delivered')
      expect(done.fulfillments).toHaveLength(1)
      expect(done.fulfillments[0]?.labels).toHaveLength(1)
    },
  )

  it('a parcel with a part of the order leaves the rest open', async () => {
    const id = await shop.place({ 'SHIRT-M': 1, 'MUG-01': 1 })
    const { lines } = await mapped(id)
    const shirt = lines.find(({ sku }) => sku === 'SHIRT-M')!
    const part = { lineId: shirt.lineId, sku: 'SHIRT-M', externalSku: 'SHIRT-M', quantity: 1 }
    await medusa.writeTracking!(ctx, { ...told(id, 'W-3'), lines: [part] })
    expect((await mapped(id)).fulfilled).toBe(false)
    await medusa.writeTracking!(ctx, told(id, 'W-4'))
    const done = await shop.order(id)
    expect(done.fulfillments.map(({ labels }) => labels[0]?.tracking_number).toSorted(byText)).toEqual(['W-3', 'W-4'])
    expect((await mapped(id)).fulfilled).toBe(true)
  })

  it('what others fulfilled is refused with the reason; delivery before the number waits', async () => {
    const id = await shop.place({ 'MUG-01': 1 })
    const delivered = () => medusa.writeDelivered!(ctx, { externalId: id, waybill: 'W-6', at: new Date().toISOString() })
    await expect(delivered()).rejects.toMatchObject({ kind: 'Transient', code: 'no-fulfilment' })
    const { lines } = await mapped(id)
    await shop.fulfil(id)
    const all = lines.map(({ lineId, sku, externalSku, quantity }) => ({ lineId, sku, externalSku, quantity }))
    await expect(medusa.writeTracking!(ctx, { ...told(id, 'W-6'), lines: all })).rejects.toMatchObject({ kind: 'Rejected' })
  })

  it('a cancellation told twice is one and lets the reservation go; what was shipped is not cancelled', async () => {
    const reserved = async () => (await shop.levels()).find(({ sku }) => sku === 'MUG-01')?.reserved
    const before = await reserved()
    const id = await shop.place({ 'MUG-01': 3 })
    expect(await reserved()).toBe(before! + 3)
    for (let time = 0; time < 2; time++) await medusa.cancelOrder!(ctx, { externalId: id, reason: 'out of stock' })
    expect((await shop.order(id)).status).toBe('canceled')
    expect((await mapped(id)).cancelled).toBe(true)
    expect(await reserved()).toBe(before)
    const shipped = await shop.place({ 'MUG-01': 1 })
    await medusa.writeTracking!(ctx, told(shipped, 'W-7'))
    await expect(medusa.cancelOrder!(ctx, { externalId: shipped, reason: 'late' })).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'not_allowed',
    })
  })

  it('a refund asked for twice with one key pays once, also when an answer is lost; more than was captured is refused', async () => {
    const id = await shop.place({ 'MUG-01': 1 })
    await shop.capture(id)
    const ask = (key: string, amountMinor: number) =>
      medusa.refund!(ctx, { externalId: id, key, amountMinor, currency: 'TWD', lines: [], reason: 'damaged' })
    proxy.loseNext('POST', '/refund')
    await expect(ask('r1', 10_000)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    const first = await ask('r1', 10_000)
    expect(await ask('r1', 10_000)).toEqual(first)
    expect((await shop.order(id)).payment_collections[0]?.payments[0]?.refunds).toMatchObject([
      { id: first.refundId, amount: 100, note: 'damaged [r1]' },
    ])
    await expect(ask('r2', 99_999_00)).rejects.toMatchObject({ kind: 'Rejected', code: 'no-payment' })
  })
})

describe('stock', () => {
  it('every variant is listed, page by page, and read with its level', async () => {
    const small = context({ pageSize: 2 })
    const listings = []
    for await (const page of medusa.stock!.listListings!(small)) listings.push(...page)
    expect(listings.map(({ externalSku }) => externalSku).toSorted(byText)).toEqual(['MUG-01', 'SHIRT-M', 'SHIRT-S'])
    const levels = []
    for await (const page of medusa.stock!.read!(small)) levels.push(...page)
    for (const { sku, stocked } of await shop.levels())
      expect(levels).toContainEqual(expect.objectContaining({ externalSku: sku, onHand: stocked, location: null }))
  })

  it('a level that is pushed is what customers can buy: stocked less what Medusa has reserved', async () => {
    await shop.place({ 'SHIRT-M': 2 })
    const listings = []
    for await (const page of medusa.stock!.listListings!(ctx)) listings.push(...page)
    const shirt = listings.find(({ externalSku }) => externalSku === 'SHIRT-M')!
    const none = { listingId: 'p', variantId: 'variant_none', externalSku: null, title: null, quantity: 1, version: 1 }
    const outcomes = await medusa.stock!.push!(ctx, [{ ...shirt, quantity: 11, version: 1 }, none])
    expect(outcomes.map(({ error }) => error?.code ?? null)).toEqual([null, 'no-variant'])
    const level = (await shop.levels()).find(({ sku }) => sku === 'SHIRT-M')!
    expect(level.reserved).toBeGreaterThanOrEqual(2)
    expect(level.stocked - level.reserved).toBe(11)
  })
})
