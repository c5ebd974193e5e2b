/** Money on delivery, from the order to the courier's payout; what nobody fetched; what would be collected wrongly. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pullRemittances } from '../../activities/remittances.ts'
import { openTasks, show, untilBooked, untilTask, type OrderShown } from './marketplaceViews.ts'
import { startWorld, storeOrder, type World } from './world.ts'

const PHONE = '0922333444'
const cod = (change: Record<string, unknown> = {}) =>
  storeOrder({
    kind: 'online',
    buyer: { name: '林測試', phone: PHONE },
    recipient: { name: '林測試', phone: PHONE },
    delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '991182' } },
    payment: { method: 'cod', amountDueMinor: 65_000 },
    lines: [{ sku: 'TEE-S', quantity: 1, unitPriceMinor: 59_000 }],
    totals: { itemsMinor: 59_000, shippingMinor: 6_000, discountMinor: 0, totalMinor: 65_000 },
    ...change,
  })

describe('money on delivery', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ policy: { uncollectedLimit: 1 } })
  })
  afterAll(() => world?.stop())

  const place = async (order: Record<string, unknown> = cod()) => {
    const { status, body } = await world.post<OrderShown>('/api/v1/orders', order)
    expect(status, JSON.stringify(body)).toBeLessThan(300)
    return body.id
  }
  const confirm = async (id: string) => {
    await world.untilPhase(id, 'confirming')
    expect((await world.post(`/api/v1/orders/${id}/confirm`, {})).status).toBe(200)
  }
  const atEcpay = (reference: string) => world.ecpay.parcels().find((parcel) => parcel.merchantTradeNo === reference)
  const label = (parcelId: string) =>
    world.post<{ documents: unknown[]; refused: { reason: string }[] }>('/api/v1/labels', { parcels: [parcelId] })

  it('is confirmed before anybody picks, collected to the cent at 7-ELEVEN, and paid out by ECPay', async () => {
    const waits = await place()
    const id = await place()
    await confirm(id)
    const { parcels } = await untilBooked(world, id)
    const [parcel] = parcels
    // The waves that took the confirmed one have left the other alone.
    expect((await show(world, waits)).units).toEqual([])
    expect(await world.phase(waits)).toBe('confirming')
    expect(parcel).toMatchObject({ amountDueMinor: 65_000, labelAmountMinor: 65_000 })
    expect((await label(parcel?.id ?? '')).body).toMatchObject({ documents: [{}], refused: [] })
    const reference = parcel?.reference ?? ''
    expect(atEcpay(reference)).toMatchObject({ request: { IsCollection: 'Y', CollectionAmount: '650' } })
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    expect((await show(world, id)).payment.state).toBe('collected')
    world.ecpay.payOut(reference, { date: '2026/11/22', amount: 650, fee: 15 })
    const result = await pullRemittances(world.runtime, 'ecpay', { from: '2026-11-01', to: '2026-11-30' })
    expect(result).toMatchObject({ matched: 1, differing: 0, unknown: 0 })
    expect((await show(world, id)).parcels).toMatchObject([{ collectedMinor: 65_000, feeMinor: 1_500, remittedOn: '2026-11-22' }])
    await world.post(`/api/v1/orders/${waits}/cancel`, {})
  })

  it('a label that would collect what is paid already is not printed again, and a person stops the parcel', async () => {
    const order = cod()
    const id = await place(order)
    await confirm(id)
    const [parcel] = (await untilBooked(world, id)).parcels
    await place({ ...order, payment: { method: 'prepaid', state: 'paid' } }) // the shop has the money meanwhile
    await world.until('it is paid', async () => (await show(world, id)).payment.method === 'prepaid')
    const refused = await label(parcel?.id ?? '')
    expect(refused.body.documents).toEqual([])
    expect(refused.body.refused[0]?.reason).toContain('collect TWD 650.00, and TWD 0.00 is due')
    expect((await untilTask(world, { orderId: id, kind: 'label.amount' })).title).toBe('A label would collect the wrong amount')
  })

  it('a parcel that nobody fetched comes back, is on sale again, and the next order of that customer asks a person', async () => {
    const before = (await world.stock('CAP')).onHand
    const id = await place(cod({ lines: [{ sku: 'CAP', quantity: 1, unitPriceMinor: 59_000 }] }))
    await confirm(id)
    const [parcel] = (await untilBooked(world, id)).parcels
    await world.ecpay.advance(parcel?.reference ?? '', { to: 'returned' })
    await world.untilPhase(id, 'returned')
    expect((await world.stock('CAP')).onHand).toBe(before - 1)
    expect((await world.post(`/api/v1/orders/${id}/restocked`, {})).status).toBe(200)
    expect((await world.stock('CAP')).onHand).toBe(before)
    const next = await place()
    await world.untilPhase(next, 'confirming')
    expect((await world.get<{ buyerHistory: { uncollected: number } }>(`/api/v1/orders/${next}`)).body.buyerHistory).toEqual({
      uncollected: 1,
    })
    await untilTask(world, { orderId: next, kind: 'order.uncollected' })
    await confirm(next)
    await untilBooked(world, next)
    expect((await openTasks(world, { orderId: next })).map(({ kind }) => kind)).toEqual([])
  })

  it('leaves nothing that the audit finds', async () => {
    expect((await world.audit()).violations).toEqual([])
  })
})
