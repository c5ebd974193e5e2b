/** Orders of WooCommerce and CYBERBIZ through the whole system: placed in the shop, picked, shipped, told back; cancelled from both sides. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seedOrders as cyberbizOrders, startCyberbizSimulator, type CyberbizSimulator } from '../../simulators/cyberbiz/index.ts'
import { seedOrders as wooOrders, startWooSimulator, type WooSimulator } from '../../simulators/woocommerce/index.ts'
import { apply, isThere, openTasks, pull, show, untilBooked, untilShown, withoutWaves } from './marketplaceViews.ts'
import { startWorld, type World } from './world.ts'

const WOO = { consumerKey: 'ck_scenario', consumerSecret: 'cs_scenario', webhookSecret: 'hook-secret' }
const CYBERBIZ = { token: 'a.jwt.token', appSecret: 'app-secret', shopDomain: 'example.cyberbiz.co' }
const DAY_MS = 86_400_000
const TEE = { sku: 'TEE-S', price: 590 }

let world: World
let woo: WooSimulator
let cyberbiz: CyberbizSimulator
beforeAll(async () => {
  world = await startWorld({ policy: { bookingRetryMs: [200], courierRetryMs: 500 } })
  woo = await startWooSimulator({ ...WOO, statuses: ['arrived'] })
  cyberbiz = await startCyberbizSimulator(CYBERBIZ)
  // Only what a test asks for is pulled.
  const common = { pullEveryMs: DAY_MS, quota: { perSecond: 500, burst: 100 } }
  await apply(world, {
    name: 'woo',
    connector: 'woocommerce',
    config: { ...WOO, ...common, baseUrl: woo.url, deliveredStatus: 'arrived' },
  })
  await apply(world, { name: 'cyberbiz', connector: 'cyberbiz', config: { ...CYBERBIZ, ...common, baseUrl: cyberbiz.url } })
})
afterAll(async () => {
  await woo?.stop()
  await cyberbiz?.stop()
  await world?.stop()
})

/** The same story in both shops: what they call things differs. */
interface Shop {
  connection: string
  /** A new order of one TEE-S; with `cvs` to a 7-ELEVEN. */
  place(options?: { cvs?: boolean; cod?: boolean; unpaid?: boolean }): string
  webhook(id: string): { headers: Record<string, string>; body: string }
  cancel(id: string): void
  pay(id: string): void
  isCancelled(id: string): boolean
  /** What its buyer got back through the shop, in minor units; null: the shop pays nothing back by a call. */
  paidBackMinor(id: string): number | null
  /** Tracking numbers that buyers see. */
  numbers(id: string): string[]
  status(id: string): string
  shippedStatus: string
  deliveredStatus: string
  effects(): number
}
let serial = 0
const placeWoo = (options: { cvs?: boolean; cod?: boolean; unpaid?: boolean } = {}): string => {
  const shares = { cvsShare: options.cvs ? 1 : 0, codShare: options.cod ? 1 : 0 }
  const [order] = wooOrders(1, { skus: [{ ...TEE, name: '純棉短袖上衣' }], startAt: ++serial, ...shares })
  if (!order) throw new Error('nothing was placed')
  woo.seed([options.unpaid ? { ...order, status: 'pending', date_paid_gmt: null } : order])
  return String(order.id)
}
const placeCyberbiz = (options: { cvs?: boolean; cod?: boolean; unpaid?: boolean } = {}): string => {
  const shares = { cvsShare: options.cvs ? 1 : 0, codShare: options.cod ? 1 : 0 }
  const [order] = cyberbizOrders(1, { skus: [{ ...TEE, title: '純棉短袖上衣' }], startAt: ++serial, ...shares })
  if (!order) throw new Error('nothing was placed')
  cyberbiz.seed([options.unpaid ? { ...order, statuses: { ...order.statuses, financial_status: 'pending' } } : order])
  return String(order.id)
}
const shops: Record<string, Shop> = {
  WooCommerce: {
    connection: 'woo',
    place: placeWoo,
    webhook: (id) => woo.signedWebhook('order.updated', Number(id)),
    cancel: (id) => void woo.edit(Number(id), (order) => void (order.status = 'cancelled')),
    pay: (id) => void woo.edit(Number(id), (order) => void (order.status = 'processing')),
    isCancelled: (id) => woo.order(Number(id)).status === 'cancelled',
    paidBackMinor: (id) => woo.refunds(Number(id)).reduce((sum, { amount }) => sum + Math.round(Number(amount) * 100), 0),
    numbers: (id) => woo.notes(Number(id)).flatMap((note) => /：(\w+)$/.exec(note.note)?.[1] ?? []),
    status: (id) => woo.order(Number(id)).status,
    shippedStatus: 'completed',
    deliveredStatus: 'arrived',
    effects: () => woo.calls().filter((call) => call.method !== 'GET').length,
  },
  CYBERBIZ: {
    connection: 'cyberbiz',
    place: placeCyberbiz,
    webhook: (id) => cyberbiz.signedWebhook('orders/paid', Number(id)),
    cancel: (id) => void cyberbiz.cancel(Number(id)),
    pay: (id) => void cyberbiz.edit(Number(id), (order) => void (order.statuses.financial_status = 'paid')),
    isCancelled: (id) => cyberbiz.order(Number(id)).statuses.order_status === 'cancelled',
    paidBackMinor: () => null,
    numbers: (id) => cyberbiz.order(Number(id)).fulfillments.flatMap((each) => each.tracking_number ?? []),
    status: (id) => cyberbiz.order(Number(id)).statuses.fulfillment_status,
    shippedStatus: 'fulfilled',
    deliveredStatus: 'received',
    effects: () => cyberbiz.calls().filter((call) => call.method !== 'GET').length,
  },
}

describe.each(Object.entries(shops))('an order of %s', (_, shop) => {
  const ring = async (id: string, headers: Record<string, string> = {}) => {
    const push = shop.webhook(id)
    return await fetch(`${world.url}/webhooks/${shop.connection}`, {
      method: 'POST',
      headers: { ...push.headers, ...headers },
      body: push.body,
    })
  }
  const told = (id: string) => world.until(`${shop.connection} has the number of ${id}`, async () => shop.numbers(id)[0])

  it('pulled, picked and shipped: the shop has the number, once, and hears of the delivery', async () => {
    const id = shop.place()
    await pull(world, shop.connection)
    const order = await untilBooked(world, id)
    expect(order.recipient).toMatchObject({ phone: expect.stringMatching(/^\+8869/) as string })
    const waybill = await told(id)
    expect(waybill).toBe(order.parcels[0]?.waybill)
    await world.until('it shows as shipped', async () => shop.status(id) === shop.shippedStatus)
    const effects = shop.effects()
    // The shop's own telling of what we did changes nothing here.
    await pull(world, shop.connection)
    expect(shop.effects()).toBe(effects)
    await world.ecpay.advance(order.parcels[0]?.reference ?? '', { to: 'delivered' })
    await untilShown(world, 'is closed', id, (each) => each.closed)
    expect(await show(world, id)).toMatchObject({ phase: 'delivered', parcels: [{ state: 'delivered' }] })
    expect(shop.numbers(id)).toEqual([waybill])
    await world.until('it shows as delivered', async () => shop.status(id) === shop.deliveredStatus)
  })

  it('told by a webhook, to a 7-ELEVEN, paid there: the label collects what the shop wants', async () => {
    const id = shop.place({ cvs: true, cod: true })
    expect((await ring(id)).status).toBe(200)
    expect((await ring(id)).status).toBe(200)
    const asked = await untilShown(world, 'waits for the call to the customer', id, (each) => each.phase === 'confirming')
    expect((await world.post(`/api/v1/orders/${asked.id}/confirm`, {})).status).toBe(200)
    const order = await untilBooked(world, id)
    expect(order.delivery).toMatchObject({ method: 'cvs', cvs: { chain: 'UNIMART', storeId: '991182' } })
    expect(order.payment).toMatchObject({ method: 'cod', state: 'due', amountDueMinor: 67_000 })
    expect(order.parcels).toMatchObject([{ courier: 'ecpay', amountDueMinor: 67_000, labelAmountMinor: 67_000 }])
    await told(id)
  })

  it('told by a forged webhook is not there', async () => {
    const id = shop.place()
    const forged = { 'x-wc-webhook-signature': 'AAAA', 'x-cyberbiz-hmac-sha256': 'f'.repeat(64) }
    expect((await ring(id, forged)).status).toBe(401)
    expect(await isThere(world, id)).toBe(false)
    await pull(world, shop.connection)
    await untilBooked(world, id)
  })

  it('that is not paid waits, its goods held, and goes on when it is', async () => {
    const id = shop.place({ unpaid: true })
    await pull(world, shop.connection)
    await untilShown(world, 'waits', id, (order) => order.phase === 'confirming')
    shop.pay(id)
    await ring(id)
    await untilBooked(world, id)
  })

  it('cancelled in the shop before picking is undone here', async () => {
    const before = await world.stock('TEE-S')
    const id = shop.place()
    await withoutWaves(world, async () => {
      await pull(world, shop.connection)
      await untilShown(world, 'is confirmed', id, (order) => order.units[0]?.state === 'ready')
      shop.cancel(id)
      await ring(id)
      await untilShown(world, 'is cancelled', id, (order) => order.phase === 'cancelled' && order.closed)
    })
    expect(await show(world, id)).toMatchObject({ parcels: [] })
    expect(await world.stock('TEE-S')).toMatchObject({ onHand: before.onHand })
  })

  it('cancelled here is cancelled in the shop, paid back, and its echo changes nothing', async () => {
    const id = shop.place()
    const order = await withoutWaves(world, async () => {
      await pull(world, shop.connection)
      const shown = await untilShown(world, 'is confirmed', id, (each) => each.units[0]?.state === 'ready')
      const answer = await world.post(`/api/v1/orders/${shown.id}/cancel`, { reason: 'out of stock' })
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
      return shown
    })
    await world.until('the shop knows', async () => shop.isCancelled(id))
    const paidMinor = (await world.get<{ totals: { totalMinor: number } }>(`/api/v1/orders/${order.id}`)).body.totals.totalMinor
    expect(paidMinor).toBeGreaterThan(0)
    const [byHand] = await openTasks(world, { orderId: order.id })
    if (shop.paidBackMinor(id) === null) {
      expect(byHand).toMatchObject({ kind: 'refund.byHand', value: String(paidMinor) })
      expect((await world.post(`/api/v1/tasks/${byHand?.id}/done`, {})).status).toBe(200)
    } else await world.until('its buyer is paid back', async () => shop.paidBackMinor(id) === paidMinor)
    await pull(world, shop.connection)
    await untilShown(world, 'has told it', id, (each) => each.owed.every((owed) => owed.state === 'done') && each.closed)
    expect(await openTasks(world, { orderId: order.id })).toEqual([])
  })
})

it('and nothing is held, booked or told wrongly in the end', async () => {
  await world.until('everything owed is told', async () => {
    const { rows } = await world.runtime.pool.query<{ n: number }>(`select count(*)::int as n from outbox where state <> 'done'`)
    return rows[0]?.n === 0
  })
  expect((await world.audit()).violations).toEqual([])
  expect(await openTasks(world, { kind: 'inbox.unmappable' })).toEqual([])
})
