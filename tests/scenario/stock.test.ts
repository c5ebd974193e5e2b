/** Stock across channels from the outside: an order here changes what two shops show there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { takeOrder } from '../../activities/intake.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { standInShop, type Account } from '../db/standInShop.ts'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

const shops = standInShop()
const [web, mall] = [shops.account('web'), shops.account('mall')]
const means = (connection: string, listingId: string, skus: Record<string, number>) => ({
  connection,
  listingId,
  externalSku: listingId,
  skus: Object.entries(skus).map(([sku, quantity]) => ({ sku, quantity })),
})
const shop = (name: string, stock: Record<string, unknown>) => ({
  name,
  connector: 'stand-in',
  config: { channel: name, account: name },
  stock: { push: true, listEveryMs: 1_000, readEveryMs: 1_000, ...stock },
})

describe('stock across channels', () => {
  let world: World
  const apply = (document: Record<string, unknown>) =>
    applyConnections(world.runtime.pool, world.runtime.secretKey, document, world.runtime.connectors)
  beforeAll(async () => {
    world = await startWorld({ connectors: { 'stand-in': shops.connector } })
    web.listings = [{ listingId: 'w-tee', variantId: 'S', externalSku: 'TEE-S', title: 'Tee' }]
    await apply({
      connections: [shop('web', {}), shop('mall', { safetyQuantity: 10 })],
      locations: [{ id: 'mall-warehouse', name: 'Their own', kind: 'consigned' }],
      listings: [
        means('web', 'w-cap', { CAP: 1 }),
        means('web', 'w-set', { CAP: 1, MUG: 2 }),
        means('mall', 'm-cap', { CAP: 1 }),
        means('mall', 'm-mug', { MUG: 1 }),
      ],
    })
  })
  afterAll(() => world?.stop())

  const shows = (account: Account, listing: string, quantity: number) =>
    world
      .until(`it shows ${quantity} of ${listing}`, async () => account.shows.get(listing) === quantity, 30_000)
      .catch((error: Error) => {
        throw new Error(`${error.message}; it shows ${account.shows.get(listing)}`)
      })
  const place = async (sku: string, quantity: number, change: Record<string, unknown> = {}) => {
    const order = storeOrder({ lines: [{ sku, quantity, unitPriceMinor: 10_000 }], payment: { method: 'cod' }, ...change })
    const answer = await world.post<OrderBody>('/api/v1/orders', order)
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    return answer.body.id
  }

  it('shows what there is, also of a listing that was found by itself', async () => {
    await shows(web, 'w-tee/S', 100)
    await shows(web, 'w-cap', 100)
    await shows(web, 'w-set', 50)
    await shows(mall, 'm-cap', 90)
  })

  it('an order lowers the level at both shops, its cancellation raises it', async () => {
    const id = await place('CAP', 7)
    await shows(web, 'w-cap', 93)
    await shows(mall, 'm-cap', 83)
    expect((await world.post(`/api/v1/orders/${id}/cancel`, { reason: 'changed their mind' })).status).toBeLessThan(300)
    await shows(web, 'w-cap', 100)
    await shows(mall, 'm-cap', 90)
  })

  it('what is kept for one channel is shown and sold by no other', async () => {
    const allot = (body: Record<string, unknown>) =>
      world.post<{ id: number }>('/api/v1/allotments', { sku: 'MUG', location: 'wh-north', ...body })
    const forStores = await allot({ channel: 'store', quantity: 30 })
    const forMall = await allot({ channel: 'mall', quantity: 40 })
    expect([forStores.status, forMall.status]).toEqual([200, 200])
    await shows(web, 'w-set', 15) // 30 of 100 are nobody's
    await shows(mall, 'm-mug', 60)
    // A store's own order sells the stores' allotment: nobody else sees a difference.
    const id = await place('MUG', 5)
    await world.until('it is held', async () => {
      const { body } = await world.get<{ allotments: { channel: string; used: number }[] }>('/api/v1/allotments?sku=MUG')
      return body.allotments.find(({ channel }) => channel === 'store')?.used === 5
    })
    const tooMany = await place('MUG', 56)
    await world.untilPhase(tooMany, 'waitingStock')
    expect([web.shows.get('w-set'), mall.shows.get('m-mug')]).toEqual([15, 60])
    await world.post(`/api/v1/orders/${tooMany}/cancel`, { reason: 'too many' })
    await world.post(`/api/v1/orders/${id}/cancel`, { reason: 'test' })
    expect((await world.post(`/api/v1/allotments/${forStores.body.id}/close`, {})).status).toBe(200)
    expect((await world.post(`/api/v1/allotments/${forMall.body.id}/close`, {})).status).toBe(200)
    await shows(web, 'w-set', 50)
  })

  it('a shop that was down for a while gets the newest level only', async () => {
    await shows(mall, 'm-cap', 90)
    const before = mall.pushes.length
    mall.otherwise = 'down'
    const ids = [await place('CAP', 1)]
    await world.until('it was tried', async () => mall.pushes.length > before)
    ids.push(await place('CAP', 2), await place('CAP', 3))
    await shows(web, 'w-cap', 94)
    const asked = mall.pushes.length
    mall.otherwise = 'ok'
    await shows(mall, 'm-cap', 84)
    const afterwards = mall.pushes.slice(asked).flat()
    expect(afterwards.filter(({ listingId }) => listingId === 'm-cap').map(({ quantity }) => quantity)).toEqual([84])
    for (const id of ids) await world.post(`/api/v1/orders/${id}/cancel`, { reason: 'test' })
    await shows(mall, 'm-cap', 90)
  })

  it('a bundle sold by the shop is packed by its parts, and the shop hears of the whole', async () => {
    const { orderId } = await takeOrder(world.runtime, {
      ...(storeOrder() as Omit<Parameters<typeof takeOrder>[1], 'channel'>),
      channel: 'web',
      shop: 'main',
      connection: 'web',
      externalId: 'WEB-1',
      externalVersion: null,
      kind: 'online',
      buyer: { name: '王測試', phone: '+886912345678', email: null, memberId: null },
      recipient: {
        name: '王測試',
        phone: '+886912345678',
        address: {
          postalCode: '110',
          city: '臺北市',
          district: '信義區',
          line: '市府路45號',
          raw: '臺北市信義區市府路45號',
          country: 'TW',
        },
      },
      delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null },
      payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
      lines: [
        {
          lineId: '9001',
          sku: null,
          externalSku: 'w-set',
          name: 'Set',
          variant: null,
          quantity: 2,
          unitPriceMinor: 90_000,
          gift: false,
        },
      ],
      totals: { itemsMinor: 180_000, shippingMinor: 0, discountMinor: 0, totalMinor: 180_000 },
      notes: null,
      priority: 0,
    })
    await shows(web, 'w-set', 48)
    await shows(web, 'w-cap', 98)
    const shown = async () => (await world.get<OrderBody>(`/api/v1/orders/${orderId}`)).body
    expect((await shown()).lines.map(({ lineId, sku }) => [lineId, sku])).toEqual([
      ['9001+1xCAP', 'CAP'],
      ['9001+2xMUG', 'MUG'],
    ])
    const parcel = await world.until('its parcel is booked', async () => {
      const last = (await shown()).parcels.at(-1)
      return last?.state === 'booked' ? last : null
    })
    await world.ecpay.advance(parcel.reference, { to: 'delivered' })
    await world.untilPhase(orderId, 'delivered')
    await world.until('the shop was told', async () => web.tracking.length > 0)
    expect(web.tracking).toEqual([{ externalId: 'WEB-1', lines: [{ lineId: '9001', quantity: 2 }] }])
    // Goods that left were held before: nothing changes for who buys.
    expect((await world.stock('MUG')).onHand).toBe(96)
    expect(web.shows.get('w-set')).toBe(48)
  })

  it('what another system counts differently is reported, and repaired once that is the policy', async () => {
    web.counts = [{ externalSku: 'CAP', externalLocation: '1', location: 'wh-north', onHand: 95, at: null }]
    await apply({ connections: [shop('web', { read: true })] })
    const drift = async () =>
      (await world.get<{ drift: { sku: string; difference: number; state: string }[] }>('/api/v1/stock/drift')).body.drift
    const [found] = await world.until('it is a task', async () => {
      const open = (await drift()).filter(({ state }) => state === 'open')
      return open.length > 0 && open
    })
    expect(found).toMatchObject({ sku: 'CAP', difference: -3, state: 'open' })
    const tasks = await world.get<{ tasks: { kind: string; detail: string }[] }>('/api/v1/tasks?kind=stock.drift')
    expect(tasks.body.tasks).toMatchObject([{ detail: 'CAP at wh-north: 95 there, 98 here' }])
    await apply({ connections: [shop('web', { read: true, drift: { mode: 'repair', toleranceQuantity: 0 } })] })
    await world.until('it is repaired', async () => (await world.stock('CAP')).onHand === 95)
    await shows(web, 'w-cap', 95)
    await world.until('nothing differs', async () => (await drift()).length === 0)
    await world.until('the task is closed', async () => {
      const { body } = await world.get<{ tasks: unknown[] }>('/api/v1/tasks?kind=stock.drift')
      return body.tasks.length === 0
    })
  })

  it("goods in a marketplace's own warehouse are counted and sold by nobody here", async () => {
    await transaction(world.runtime.pool, (tx) =>
      setOnHand(tx, { key: 'consigned', sku: 'RARE', location: 'mall-warehouse', onHand: 5, reason: 'sent there' }),
    )
    expect(await world.stock('RARE', 'mall-warehouse')).toMatchObject({ onHand: 5, available: 0 })
    const id = await place('RARE', 1)
    await world.untilPhase(id, 'waitingStock')
    const picked = await place('RARE', 1, { delivery: { method: 'storePickup', location: 'mall-warehouse' } })
    await world.untilPhase(picked, 'waitingStock')
    for (const each of [id, picked]) await world.post(`/api/v1/orders/${each}/cancel`, { reason: 'test' })
    for (const each of [id, picked]) await world.untilPhase(each, 'cancelled')
  })

  it('and everything still adds up', async () => {
    await world.until('every level is told', async () => {
      const due = await world.runtime.pool.query('select from listing_levels where version > told_version')
      return due.rowCount === 0
    })
    expect((await world.audit()).violations).toEqual([])
  })
})
