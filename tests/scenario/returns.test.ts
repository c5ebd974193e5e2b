/** Goods that come back, from outside to outside: bought online and brought to a store, bought in a store and fetched, exchanged. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seedOrders as seedCyberbiz, startCyberbizSimulator, type CyberbizSimulator } from '../../simulators/cyberbiz/index.ts'
import { macOf } from '../../simulators/ecpay/mac.ts'
import { seedOrders as seedShopee } from '../../simulators/shopee/index.ts'
import { seedOrders, startWooSimulator, type WooSimulator } from '../../simulators/woocommerce/index.ts'
import { apply, openTasks, pull, show, untilBooked } from './marketplaceViews.ts'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

const WOO = { consumerKey: 'ck_scenario', consumerSecret: 'cs_scenario', webhookSecret: 'hook-secret' }

const CYBERBIZ = { token: 'a.jwt.token', appSecret: 'app-secret', shopDomain: 'example.cyberbiz.co' }

interface ReturnBody {
  id: string
  state: string
  way: string
  location: string
  exchangeOrderId: string | null
  exchangeState: string | null
  lines: { lineId: string; received: number }[]
  parcels: { state: string; courierBookingId: string | null; courier: string; waybill: string | null }[]
}

let world: World
let woo: WooSimulator
let cyberbiz: CyberbizSimulator
beforeAll(async () => {
  world = await startWorld({ policy: { bookingRetryMs: [200], courierRetryMs: 500 } })
  woo = await startWooSimulator({ ...WOO, statuses: ['arrived'] })
  cyberbiz = await startCyberbizSimulator(CYBERBIZ)
  const common = { pullEveryMs: 86_400_000, quota: { perSecond: 500, burst: 100 } }
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

const deliver = async (id: string): Promise<void> => {
  const { parcels } = await untilBooked(world, id)
  await world.ecpay.advance(parcels.at(-1)!.reference, { to: 'delivered' })
  await world.untilPhase(id, 'delivered')
}
const askBack = async (orderId: string, change: Record<string, unknown>): Promise<ReturnBody> => {
  const { status, body } = await world.post<ReturnBody>(`/api/v1/orders/${orderId}/returns`, { reason: '不合身', ...change })
  expect(status, JSON.stringify(body)).toBe(201)
  return body
}
const shownReturn = async (id: string) => (await world.get<ReturnBody>(`/api/v1/returns/${id}`)).body
const isSound = () => world.until('the audit is clean', async () => ((await world.audit()).ok ? true : null))

describe('a customer gives goods back', () => {
  it('bought online, delivered, brought to a store: one restocked, one scrapped, paid back by the shop once though its answer was lost', async () => {
    const [order] = seedOrders(1, { skus: [{ sku: 'TEE-S', price: 590, name: '純棉短袖上衣' }], startAt: 50 })
    const [line] = order!.line_items
    const two = { ...line!, quantity: 1 }
    woo.seed([
      {
        ...order!,
        total: '1260.00',
        line_items: [two, { ...two, id: two.id + 500, sku: 'TEE-M', product_id: two.product_id + 1 }],
      },
    ])
    await pull(world, 'woo')
    const externalId = String(order!.id)
    await world.until('the order is here', async () => (await world.get(`/api/v1/orders/${externalId}`)).status === 200)
    await deliver(externalId)
    const { id, lines } = await show(world, externalId)
    const [small, medium] = lines.map(({ lineId }) => lineId)
    const before = await world.stock('TEE-S', 'store-taipei')

    const asked = await askBack(id, { way: 'store', lines: lines.map(({ lineId }) => ({ lineId, quantity: 1 })) })
    expect(asked.state).toBe('approved')
    await world.post(`/api/v1/returns/${asked.id}/received`, { location: 'store-taipei' })
    expect(await openTasks(world, { orderId: id })).toMatchObject([{ kind: 'return.inspect' }])
    woo.faults.add({ kind: 'lostAnswer', method: 'POST', path: '/refunds' })
    const inspected = await world.post<ReturnBody>(`/api/v1/returns/${asked.id}/inspect`, {
      lines: [
        { lineId: small, quantity: 1, disposition: 'restock' },
        { lineId: medium, quantity: 1, disposition: 'scrap', note: '破損' },
      ],
    })
    expect(inspected.body.state).toBe('done')
    await world.until('it is paid back', async () =>
      (await show(world, id)).owed.find((row) => row.kind === 'refund' && row.state === 'done'),
    )
    expect(woo.refunds(order!.id).map(({ amount }) => Number(amount))).toEqual([1180])
    expect((await show(world, id)).owed.find(({ kind }) => kind === 'refund')?.attempts).toBeGreaterThan(1)
    expect((await world.stock('TEE-S', 'store-taipei')).onHand).toBe(before.onHand + 1)
    expect((await show(world, id)).phase).toBe('returned')
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await isSound()
  })

  it("paid back by the shop's owner in the back office while it came back: paid once, and the order says by whom", async () => {
    const [order] = seedOrders(1, { skus: [{ sku: 'TEE-S', price: 590, name: '純棉短袖上衣' }], startAt: 60 })
    woo.seed([order!])
    await pull(world, 'woo')
    const externalId = String(order!.id)
    await world.until('the order is here', async () => (await world.get(`/api/v1/orders/${externalId}`)).status === 200)
    await deliver(externalId)
    const { id, lines } = await show(world, externalId)
    const asked = await askBack(id, { way: 'store', lines: [{ lineId: lines[0]!.lineId, quantity: 1 }] })
    await world.post(`/api/v1/returns/${asked.id}/received`, { location: 'store-taipei' })
    const [inspect] = await openTasks(world, { orderId: id })
    // Nobody has told us of it when we are about to pay.
    const { id: refundId } = woo.refundInOffice(order!.id, '590.00', '客人來電')
    expect((await world.post(`/api/v1/tasks/${inspect!.id}/restock`, {})).status).toBe(200)
    const ours = await world.until('nothing is to be paid any more', async () =>
      (await show(world, id)).owed.find(({ kind, state }) => kind === 'refund' && state !== 'due'),
    )
    const why = `woo paid TWD 590.00 back by itself (refund ${refundId}): it is not paid a second time`
    expect(ours).toMatchObject({ state: 'skipped', error: why })
    // What the shop tells of it afterwards changes nothing.
    await pull(world, 'woo')
    await world.until('it is taken in', async () => {
      const { rows } = await world.runtime.pool.query<{ n: number }>(
        `select count(*)::int as n from inbox where connection = 'woo' and state = 'new'`,
      )
      return rows[0]?.n === 0
    })
    expect(woo.refunds(order!.id).map(({ amount }) => amount)).toEqual(['590.00'])
    const { participants } = (
      await world.get<{ participants: { fact: string; state: string; reason: string }[] }>(`/api/v1/orders/${id}`)
    ).body
    expect(participants.filter(({ fact }) => fact === 'refunded')).toMatchObject([{ state: 'notNeeded', reason: why }])
    expect((await shownReturn(asked.id)).state).toBe('done')
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await isSound()
  })

  it('brought to a 7-ELEVEN with the number that the courier gave, reported on its way, received and paid back', async () => {
    const cvs = { chain: 'UNIMART', storeId: '991182' }
    const placed = await world.post<OrderBody>('/api/v1/orders', storeOrder({ delivery: { method: 'cvs', cvs } }))
    const { id } = placed.body
    await deliver(id)
    const [original] = (await show(world, id)).parcels
    const asked = await askBack(id, { way: 'cvs', location: 'wh-north', lines: [{ lineId: '1', quantity: 1 }] })
    const parcel = await world.until('the return is booked', async () => {
      const [trouble] = await openTasks(world, { orderId: id, kind: 'return.book' })
      if (trouble) throw new Error(trouble.detail)
      const { parcels } = await shownReturn(asked.id)
      return parcels[0]?.state === 'booked' ? parcels[0] : null
    })
    const booked = world.ecpay.extra.returns.at(-1)!
    const brought = world.ecpay.parcels().find((each) => each.merchantTradeNo === original!.reference)!
    expect(booked).toMatchObject({
      call: '/express/returnunimartcvs',
      fields: {
        AllPayLogisticsID: brought.allPayLogisticsId,
        GoodsAmount: '590',
        CollectionAmount: '0',
        SenderPhone: '0912345678',
      },
    })
    expect(parcel).toMatchObject({ courierBookingId: booked.rtnMerchantTradeNo, waybill: expect.stringMatching(/^R\d{11}$/) })
    const report = async (code: string, at: string) => {
      const { MerchantID = '', AllPayLogisticsID = '' } = booked.fields
      const fields = {
        MerchantID,
        RtnMerchantTradeNo: booked.rtnMerchantTradeNo,
        RtnCode: code,
        RtnMsg: '',
        AllPayLogisticsID,
        GoodsAmount: '590',
        UpdateStatusDate: at,
      }
      const CheckMacValue = macOf(fields, '5294y06JbISpM5x9', 'v77hoKGq4kWxNNIS')
      const body = new URLSearchParams({ ...fields, CheckMacValue })
      expect(await (await fetch(`${world.url}/webhooks/ecpay`, { method: 'POST', body })).text()).toBe('1|OK')
    }
    await report('4001', '2026/11/22 12:00:00')
    await report('9001', '2026/11/23 12:00:00')
    await world.until('it has arrived', async () => (await shownReturn(asked.id)).parcels[0]?.state === 'arrived')
    const receive = await world.until(
      'a person is told',
      async () => (await openTasks(world, { orderId: id, kind: 'return.receive' }))[0],
    )
    expect((await world.post(`/api/v1/tasks/${receive.id}/received`, {})).status).toBe(200)
    const [inspect] = await openTasks(world, { orderId: id, kind: 'return.inspect' })
    await world.post(`/api/v1/tasks/${inspect!.id}/restock`, {})
    const [byHand] = await openTasks(world, { orderId: id })
    expect(byHand).toMatchObject({ kind: 'refund.byHand' })
    await world.post(`/api/v1/tasks/${byHand!.id}/done`, {})
    expect((await show(world, id)).payment.state).toBe('refunded')
    await isSound()
  })

  it('bought in a store and taken along, fetched by a courier, received at the warehouse: a person transfers the money', async () => {
    const placed = await world.post<OrderBody>('/api/v1/orders', storeOrder({ delivery: { method: 'handOver' } }))
    const { id } = placed.body
    await world.untilPhase(id, 'delivered')
    const pickup = { name: '陳測試', phone: '0912345678', postalCode: '110', address: '臺北市信義區市府路45號' }
    const asked = await askBack(id, { way: 'courier', location: 'wh-north', pickup, lines: [{ lineId: '1', quantity: 1 }] })
    await world.until('the courier is booked', async () => {
      const [trouble] = await openTasks(world, { orderId: id, kind: 'return.book' })
      if (trouble) throw new Error(trouble.detail)
      return (await shownReturn(asked.id)).parcels[0]?.state === 'booked'
    })
    expect(world.ecpay.extra.returns.at(-1)?.fields).toMatchObject({ SenderName: '陳測試', ReceiverName: '林小倉' })
    const before = await world.stock('TEE-S')
    await world.post(`/api/v1/returns/${asked.id}/received`, { location: 'wh-north' })
    const [inspect] = await openTasks(world, { orderId: id, kind: 'return.inspect' })
    expect((await world.post(`/api/v1/tasks/${inspect!.id}/restock`, {})).status).toBe(200)
    expect((await world.stock('TEE-S')).onHand).toBe(before.onHand + 1)
    const [byHand] = await openTasks(world, { orderId: id })
    expect(byHand).toMatchObject({ kind: 'refund.byHand', actions: ['done', 'skip'] })
    await world.post(`/api/v1/tasks/${byHand!.id}/done`, {})
    expect((await show(world, id)).owed.find(({ kind }) => kind === 'refund')?.state).toBe('done')
    await isSound()
  })
})

describe('an exchange', () => {
  const bought = async () => {
    const { body } = await world.post<OrderBody>('/api/v1/orders', storeOrder({ delivery: { method: 'home' } }))
    await deliver(body.id)
    return body.id
  }
  const other = { exchange: { lines: [{ sku: 'TEE-M', quantity: 1, unitPriceMinor: 59_000 }] } }

  it('holds the other size at once and sends it when the first is back', async () => {
    const id = await bought()
    const before = await world.stock('TEE-M')
    const asked = await askBack(id, { way: 'store', lines: [{ lineId: '1', quantity: 1 }], ...other })
    const exchange = await world.until('the exchange is held', async () => {
      const { exchangeOrderId } = await shownReturn(asked.id)
      return exchangeOrderId !== null && (await world.phase(exchangeOrderId)) === 'confirming' ? exchangeOrderId : null
    })
    expect((await world.stock('TEE-M')).available).toBe(before.available - 1)
    expect((await show(world, exchange)).parcels).toEqual([])
    await world.post(`/api/v1/returns/${asked.id}/received`, { location: 'store-taipei' })
    await deliver(exchange)
    const [inspect] = await openTasks(world, { orderId: id, kind: 'return.inspect' })
    await world.post(`/api/v1/tasks/${inspect!.id}/restock`, {})
    expect((await show(world, id)).owed.filter(({ kind }) => kind === 'refund')).toEqual([])
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await isSound()
  })

  it('of goods that were paid at the door: what the other costs more is collected at the door, once the first is back', async () => {
    const cod = { method: 'cod', state: 'due', amountDueMinor: 59_000 }
    const { body } = await world.post<OrderBody>('/api/v1/orders', storeOrder({ payment: cod }))
    await world.untilPhase(body.id, 'confirming')
    expect((await world.post(`/api/v1/orders/${body.id}/confirm`, {})).status).toBe(200)
    await deliver(body.id)
    const before = await world.stock('CAP')
    const dearer = { exchange: { lines: [{ sku: 'CAP', quantity: 1, unitPriceMinor: 69_000 }] } }
    const asked = await askBack(body.id, { way: 'store', lines: [{ lineId: '1', quantity: 1 }], ...dearer })
    const exchange = await world.until('the other is held', async () => {
      const { exchangeOrderId } = await shownReturn(asked.id)
      return exchangeOrderId !== null && (await world.phase(exchangeOrderId)) === 'confirming' ? exchangeOrderId : null
    })
    expect((await world.stock('CAP')).available).toBe(before.available - 1)
    expect(await show(world, exchange)).toMatchObject({ parcels: [], payment: { method: 'cod', amountDueMinor: 10_000 } })
    await world.post(`/api/v1/returns/${asked.id}/received`, { location: 'store-taipei' })
    await deliver(exchange)
    expect((await show(world, exchange)).parcels).toMatchObject([{ amountDueMinor: 10_000, labelAmountMinor: 10_000 }])
    const [inspect] = await openTasks(world, { orderId: body.id, kind: 'return.inspect' })
    await world.post(`/api/v1/tasks/${inspect!.id}/restock`, {})
    expect((await show(world, body.id)).owed.filter(({ kind }) => kind === 'refund')).toEqual([])
    expect([...(await openTasks(world, { orderId: body.id })), ...(await openTasks(world, { orderId: exchange }))]).toEqual([])
    await isSound()
  })

  it('whose goods do not come in time is undone: nothing is held any more', async () => {
    const id = await bought()
    const before = await world.stock('TEE-M')
    const asked = await askBack(id, { way: 'store', lines: [{ lineId: '1', quantity: 1 }], ...other })
    const exchange = await world.until('the exchange is held', async () => {
      const { exchangeOrderId } = await shownReturn(asked.id)
      return exchangeOrderId !== null && (await world.phase(exchangeOrderId)) === 'confirming' ? exchangeOrderId : null
    })
    await world.runtime.pool.query(`update returns set due_at = now() where id = $1`, [asked.id])
    await world.untilPhase(exchange, 'cancelled')
    expect((await world.stock('TEE-M')).available).toBe(before.available)
    expect(await shownReturn(asked.id)).toMatchObject({ state: 'expired', exchangeState: 'cancelled' })
    await isSound()
  })
})

describe('asked for at the channel', () => {
  let serial = 0
  /** An order of Shopee that is delivered by a courier of ours. */
  const soldAtShopee = async () => {
    serial += 1
    const [order] = seedShopee(1, {
      skus: [{ sku: 'TEE-S', name: '純棉短袖上衣', variant: 'S', price: 590 }],
      cvsShare: 0,
      codShare: 0,
      startAt: 900 + serial * 3,
    })
    world.shopee.seed([order!])
    await pull(world)
    await world.until('the order is here', async () => (await world.get(`/api/v1/orders/${order!.orderSn}`)).status === 200)
    await deliver(order!.orderSn)
    return { orderSn: order!.orderSn, id: (await show(world, order!.orderSn)).id }
  }
  const returnOf = (orderId: string) =>
    world.until('the return is here', async () => {
      await pull(world)
      const { returns } = (
        await world.get<{ returns: (ReturnBody & { channel: { status: string } })[] }>(`/api/v1/orders/${orderId}`)
      ).body
      return returns[0] ?? null
    })

  it('a return asked for at Shopee is approved by the rules, received and inspected; Shopee pays, and is told by a person', async () => {
    const { orderSn, id } = await soldAtShopee()
    const { returnSn } = world.shopee.askReturn(orderSn, { textReason: '瑕疵' })
    const asked = await returnOf(id)
    expect(asked).toMatchObject({
      state: 'approved',
      way: 'channel',
      parcels: [],
      channel: { number: returnSn, status: 'REQUESTED', paysBack: true },
    })
    expect(await openTasks(world, { orderId: id })).toMatchObject([{ kind: 'return.channel', actions: ['done', 'skip'] }])
    world.shopee.editReturn(returnSn, { status: 'ACCEPTED', trackingNumber: 'RNSHS00177569' })
    await world.until('Shopee has accepted it', async () => {
      await pull(world)
      return (await openTasks(world, { orderId: id })).length === 0
    })
    expect((await shownReturn(asked.id)).parcels).toMatchObject([
      { courier: 'shopee', state: 'booked', waybill: 'RNSHS00177569' },
    ])
    await world.post(`/api/v1/returns/${asked.id}/received`, { location: 'wh-north' })
    const [inspect] = await openTasks(world, { orderId: id, kind: 'return.inspect' })
    await world.post(`/api/v1/tasks/${inspect!.id}/restock`, {})
    expect((await shownReturn(asked.id)).state).toBe('done')
    expect((await show(world, id)).owed.filter(({ kind }) => kind === 'refund')).toEqual([])
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await isSound()
  })

  it("asked for at CYBERBIZ, it is taken back and the money is a person's, until the shop says that it paid all of it back", async () => {
    const [order] = seedCyberbiz(1, { skus: [{ sku: 'TEE-S', title: '純棉短袖上衣', price: 590 }], startAt: 70 })
    cyberbiz.seed([order!])
    const number = String(order!.id)
    const says = async (statuses: { return_status?: string; financial_status?: string }) => {
      cyberbiz.edit(order!.id, (each) => void Object.assign(each.statuses, statuses))
      await pull(world, 'cyberbiz')
    }
    await pull(world, 'cyberbiz')
    await world.until('the order is here', async () => (await world.get(`/api/v1/orders/${number}`)).status === 200)
    await deliver(number)
    const { id } = await show(world, number)
    await says({ return_status: 'request_return' })
    const asked = await world.until('the return is here', async () => {
      const { returns } = (await world.get<{ returns: ReturnBody[] }>(`/api/v1/orders/${id}`)).body
      return returns[0] ?? null
    })
    expect(asked).toMatchObject({
      state: 'approved',
      way: 'channel',
      channel: { number, status: 'request_return', paysBack: false },
    })
    expect(await openTasks(world, { orderId: id })).toMatchObject([{ kind: 'return.channel' }])
    await says({ return_status: 'returning' })
    await world.until('nobody needs to say so there', async () => (await openTasks(world, { orderId: id })).length === 0)
    await world.post(`/api/v1/returns/${asked.id}/received`, { location: 'wh-north' })
    const [inspect] = await openTasks(world, { orderId: id })
    expect((await world.post(`/api/v1/tasks/${inspect!.id}/restock`, {})).status).toBe(200)
    expect((await shownReturn(asked.id)).state).toBe('done')
    expect(await openTasks(world, { orderId: id })).toMatchObject([{ kind: 'refund.byHand', actions: ['done', 'skip'] }])
    await says({ return_status: 'returned', financial_status: 'refunded' })
    await world.until('nobody transfers it as well', async () => (await openTasks(world, { orderId: id })).length === 0)
    expect((await show(world, id)).owed.find(({ kind }) => kind === 'refund')).toMatchObject({
      state: 'skipped',
      error: expect.stringContaining('cyberbiz paid TWD 670.00 back by itself'),
    })
    await isSound()
  })

  it('one that the buyer gives up there ends here; one that is not clear is a task with both sides', async () => {
    const { orderSn, id } = await soldAtShopee()
    const given = world.shopee.askReturn(orderSn)
    const asked = await returnOf(id)
    world.shopee.editReturn(given.returnSn, { status: 'CANCELLED' })
    await world.until('it is given up', async () => {
      await pull(world)
      return (await shownReturn(asked.id)).state === 'cancelled'
    })
    world.shopee.askReturn(orderSn, { items: [{ itemId: 1, modelId: 2, amount: 1 }], refundAmount: 100 })
    const told = await world.until('a person is asked', async () => {
      await pull(world)
      return (await openTasks(world, { orderId: id, kind: 'return.told' }))[0] ?? null
    })
    expect(told.detail).toMatch(
      /channel:shopee says of return .*REQUESTED \(1 of line 1_2, TWD 100\.00 back.*is delivered: there is no line 1_2/,
    )
    expect((await world.post(`/api/v1/tasks/${told.id}/skip`, {})).status).toBe(200)
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await isSound()
  })
})

describe('after the point of no return', () => {
  const address = '台北市中正區重慶南路1號'
  it('a change is refused with the reason, then a person has the parcel called back: it is changed and ships anew', async () => {
    const { body } = await world.post<OrderBody>('/api/v1/orders', storeOrder())
    const first = (await untilBooked(world, body.id)).parcels.at(-1)!
    const before = await world.stock('TEE-S')
    const late = await world.post<{ answer: string }>(`/api/v1/orders/${body.id}/change`, { recipient: { address } })
    expect(late).toMatchObject({ status: 409, body: { answer: expect.stringContaining('warehouse') } })
    expect((await world.post(`/api/v1/orders/${body.id}/recall`, {})).status).toBe(200)
    // The box is closed: the warehouse says no, and a person fetches it.
    const refused = await world.until(
      'the warehouse answers',
      async () => (await openTasks(world, { orderId: body.id, kind: 'recall.refused' }))[0] ?? null,
    )
    expect((await world.post(`/api/v1/tasks/${refused.id}/recalled`, {})).status).toBe(200)
    const again = await world.until('it is booked anew', async () => {
      const shown = await show(world, body.id)
      const parcel = shown.parcels.at(-1)
      return parcel !== undefined && parcel.id !== first.id && parcel.state === 'booked' ? shown : null
    })
    expect(again.recipient.address?.raw).toContain('重慶南路')
    expect(again.parcels.find(({ id }) => id === first.id)?.state).toBe('void')
    expect(
      world.ecpay.parcels().find((each) => each.merchantTradeNo === again.parcels.at(-1)?.reference)?.request.ReceiverAddress,
    ).toContain('重慶南路')
    expect((await world.stock('TEE-S')).held).toBe(before.held)
    await world.ecpay.advance(again.parcels.at(-1)!.reference, { to: 'delivered' })
    await world.untilPhase(body.id, 'delivered')
    await world.until('only the old waybill is left to a person', async () =>
      (await openTasks(world, { orderId: body.id })).every(({ kind }) => kind === 'booking.cancel'),
    )
    await isSound()
  })
})

describe('the channel and the courier disagree', () => {
  it('what is cancelled here and cannot be cancelled there any more is a task with both sides', async () => {
    const [order] = seedShopee(1, {
      skus: [{ sku: 'TEE-S', name: '純棉短袖上衣', variant: 'S', price: 590 }],
      cvsShare: 0,
      codShare: 0,
      startAt: 990,
    })
    world.shopee.seed([order!])
    await pull(world)
    await world.until('the order is here', async () => (await world.get(`/api/v1/orders/${order!.orderSn}`)).status === 200)
    await untilBooked(world, order!.orderSn)
    const atShopee = () => world.shopee.orders().find(({ orderSn }) => orderSn === order!.orderSn)?.status
    await world.until('Shopee has the waybill', async () => atShopee() === 'PROCESSED')
    const { id } = await show(world, order!.orderSn)
    expect((await world.post(`/api/v1/orders/${id}/cancel`, { reason: 'the customer called' })).status).toBe(200)
    const recall = await world.until(
      'the warehouse answers',
      async () => (await openTasks(world, { orderId: id, kind: 'recall.refused' }))[0] ?? null,
    )
    await world.post(`/api/v1/tasks/${recall.id}/recalled`, {})
    await world.untilPhase(id, 'cancelled')
    const task = await world.until(
      'a person hears of it',
      async () => (await openTasks(world, { orderId: id })).find(({ detail }) => detail.includes('Can not cancel')) ?? null,
    )
    expect(atShopee()).toBe('PROCESSED')
    expect((await show(world, id)).owed.find(({ kind }) => kind === 'cancelled')).toMatchObject({ state: 'dead' })
    expect((await world.post(`/api/v1/tasks/${task.id}/skip`, {})).status).toBe(200)
    expect((await show(world, id)).phase).toBe('cancelled')
    await isSound()
  })

  it('a cancellation that comes too late is a task with both sides, and a change after the point of no return says why not', async () => {
    const { body } = await world.post<OrderBody>('/api/v1/orders', storeOrder())
    const { parcels } = await untilBooked(world, body.id)
    const late = await world.post<{ answer: string }>(`/api/v1/orders/${body.id}/change`, {
      recipient: { address: '台北市中正區重慶南路1號' },
    })
    expect(late).toMatchObject({ status: 409, body: { answer: expect.stringContaining('warehouse') } })
    await world.ecpay.advance(parcels.at(-1)!.reference, { to: 'delivered' })
    await world.untilPhase(body.id, 'delivered')
    expect((await world.post(`/api/v1/orders/${body.id}/feedback`, { score: 1, text: '包裝破損' })).status).toBe(200)
    expect(await openTasks(world, { orderId: body.id })).toMatchObject([{ kind: 'order.feedback' }])
    const refused = await world.post<{ answer: string }>(`/api/v1/orders/${body.id}/cancel`, {})
    expect(refused).toMatchObject({ status: 409 })
  })
})

describe('a channel changes its mind after the point of no return', () => {
  it('its task shows what a recall would do, calls the goods back, and the parcel ships anew to the right person', async () => {
    const order = storeOrder()
    const { body } = await world.post<OrderBody>('/api/v1/orders', order)
    const first = (await untilBooked(world, body.id)).parcels.at(-1)!
    await world.post('/api/v1/orders', { ...order, recipient: { ...(order.recipient as object), name: '林小華' } })
    const task = await world.until(
      'a person hears of it',
      async () => (await openTasks(world, { orderId: body.id, kind: 'change.refused' }))[0] ?? null,
    )
    expect(task.actions).toEqual(['recall', 'skip'])
    const would = await world.post<{ possible: boolean; later: unknown[]; asks: string[] }>(
      `/api/v1/tasks/${task.id}/recall?preview=true`,
      {},
    )
    expect(would.body).toMatchObject({ possible: true, asks: [expect.stringContaining('is asked to cancel')] })
    expect(would.body.later).toContainEqual(expect.objectContaining({ of: 'recipient', name: 'name', to: '林○華' }))
    expect((await show(world, body.id)).phase).toBe('packed')
    expect((await world.post(`/api/v1/tasks/${task.id}/recall`, {})).status).toBe(200)
    const refused = await world.until(
      'the warehouse answers',
      async () => (await openTasks(world, { orderId: body.id, kind: 'recall.refused' }))[0] ?? null,
    )
    expect((await world.post(`/api/v1/tasks/${refused.id}/recalled`, {})).status).toBe(200)
    const again = await world.until('it is booked anew', async () => {
      const parcel = (await show(world, body.id)).parcels.at(-1)
      return parcel !== undefined && parcel.id !== first.id && parcel.state === 'booked' ? parcel : null
    })
    expect(world.ecpay.parcels().find((each) => each.merchantTradeNo === again.reference)?.request.ReceiverName).toBe('林小華')
    await world.ecpay.advance(again.reference, { to: 'delivered' })
    await world.untilPhase(body.id, 'delivered')
    await isSound()
  })
})
