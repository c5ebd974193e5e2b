/** Money on delivery, from the order to the courier's payout; what nobody fetched; what would be collected wrongly. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomUUID } from 'node:crypto'
import { pullRemittances } from '../../activities/remittances.ts'
import { startLineSimulator, type LineSimulator } from '../../simulators/line/index.ts'
import { openTasks, show, untilBooked, untilShown, untilTask, type OrderShown } from './marketplaceViews.ts'
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
  let line: LineSimulator
  beforeAll(async () => {
    line = await startLineSimulator({ channelAccessToken: 'token', channelSecret: 'secret' })
    const config = { channelAccessToken: 'token', channelSecret: 'secret', baseUrl: line.url }
    world = await startWorld({
      policy: { uncollectedLimit: 1, bookingRetryMs: [200] },
      connections: [{ name: 'line', connector: 'line', config }],
    })
    world.runtime.publicUrl = world.url
  })
  afterAll(async () => {
    await world?.stop()
    await line?.stop()
  })

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

  describe('whose pickup store is closed', () => {
    /** An order of a customer of its own, to a store of its own. */
    const toStore = (storeId: string, sku = 'TEE-S') => {
      const lineUserId = `U${randomUUID().replaceAll('-', '')}`
      const phone = '0955666777'
      const order = cod({
        buyer: { name: '王測試', phone, lineUserId },
        recipient: { name: '王測試', phone },
        delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId } },
        lines: [{ sku, quantity: 1, unitPriceMinor: 59_000 }],
      })
      return { order, lineUserId }
    }
    const asked = (lineUserId: string) =>
      line.messages().filter((message) => message.to === lineUserId && JSON.stringify(message).includes('/map/'))
    const linkTo = (lineUserId: string) =>
      world.until('the customer is sent a link to the map', async () => {
        return /https?:\/\/\S+/.exec(JSON.stringify(asked(lineUserId)).replaceAll('\\n', ' '))?.[0].replace(/["\\].*$/, '')
      })
    const formOf = (html: string) => {
      const fields = [...html.matchAll(/name="([^"]+)" value="([^"]*)"/g)]
      return new URLSearchParams(
        fields.map(([, name = '', value = '']): [string, string] => [name, value.replaceAll('&amp;', '&')]),
      )
    }
    const actionOf = (html: string) => /action="([^"]+)"/.exec(html)?.[1] ?? ''
    /** What the customer's browser does: our page, the courier's map, the first store on it. */
    async function chooseOnMap(link: string): Promise<string> {
      const page = await (await fetch(link)).text()
      const map = await (await fetch(actionOf(page), { method: 'POST', body: formOf(page) })).text()
      const [first = ''] = map.split('</form>')
      const answer = await fetch(actionOf(first), { method: 'POST', body: formOf(first), headers: { accept: 'text/html' } })
      expect([200, 202], await answer.text()).toContain(answer.status)
      return formOf(first).get('CVSStoreID') ?? ''
    }

    it('before it is booked: the customer chooses another, and it goes there for the same money', async () => {
      world.ecpay.closeStore('131386')
      const { order, lineUserId } = toStore('131386')
      const id = await place(order)
      await confirm(id)
      const link = await linkTo(lineUserId)
      expect((await show(world, id)).parcels).toMatchObject([
        { state: 'refused', refusal: expect.stringContaining('門市已關轉') },
      ])
      expect(await openTasks(world, { orderId: id }), 'the customer is asked first').toEqual([])
      expect((await fetch(link.replace(/mark=.{4}/, 'mark=AAAA'))).status).toBe(401)
      expect(await chooseOnMap(link)).toBe('896539')
      const { parcels, delivery, facts } = await untilBooked(world, id)
      expect(delivery.cvs).toEqual({ chain: 'UNIMART', storeId: '896539' })
      expect(facts).not.toHaveProperty('storeClosed')
      expect(parcels).toMatchObject([{ state: 'refused' }, { amountDueMinor: 65_000, labelAmountMinor: 65_000 }])
      expect(atEcpay(parcels[1]?.reference ?? '')?.request).toMatchObject({ ReceiverStoreID: '896539', CollectionAmount: '650' })
      const again = await fetch(link)
      expect([again.status, (await again.text()).includes('不需要再選擇門市')]).toEqual([409, true])
      expect(await openTasks(world, { orderId: id })).toEqual([])
    })

    it('after it is booked: the choice is told to the courier, and the parcel is delivered there', async () => {
      const { order, lineUserId } = toStore('991182')
      const id = await place(order)
      await confirm(id)
      const reference = (await untilBooked(world, id)).parcels[0]?.reference ?? ''
      await world.ecpay.advance(reference, { code: '2037' })
      await world.ecpay.advance(reference, { code: '2037', twice: true })
      const link = await linkTo(lineUserId)
      expect(await chooseOnMap(link)).toBe('896539')
      await world.until('ECPay has the new store', async () => atEcpay(reference)?.request.ReceiverStoreID === '896539')
      await untilShown(world, 'has told it', id, ({ owed }) =>
        owed.some(({ kind, state }) => kind === 'pickupStore' && state === 'done'),
      )
      expect(await show(world, id)).toMatchObject({ delivery: { cvs: { storeId: '896539' } }, parcels: [{ state: 'booked' }] })
      await world.ecpay.advance(reference, { code: '2000' })
      await world.ecpay.advance(reference, { to: 'delivered' })
      await world.untilPhase(id, 'delivered')
      expect((await show(world, id)).payment.state).toBe('collected')
      expect(asked(lineUserId), 'once, however often the courier says it').toHaveLength(1)
      expect(await openTasks(world, { orderId: id })).toEqual([])
    })

    it('and who never answers: a person is asked, the parcel comes back and is on sale again', async () => {
      const { order, lineUserId } = toStore('991182', 'MUG')
      const before = (await world.stock('MUG')).onHand
      const id = await place(order)
      await confirm(id)
      const reference = (await untilBooked(world, id)).parcels[0]?.reference ?? ''
      await world.ecpay.advance(reference, { to: 'shipped' })
      await world.ecpay.advance(reference, { code: '2037' })
      await linkTo(lineUserId)
      expect(await openTasks(world, { orderId: id, kind: 'parcel.storeClosed' })).toEqual([])
      // Two days later.
      await world.runtime.pool.query(
        `update orders set facts = jsonb_set(facts, '{storeClosed,at}', to_jsonb(now() - interval '49 hours')) where id = $1`,
        [id],
      )
      const task = await untilTask(world, { orderId: id, kind: 'parcel.storeClosed' })
      expect(task.actions).toEqual(['change', 'skip'])
      expect(task.detail).toContain('store 991182')
      for (const code of ['2016', '2044']) await world.ecpay.advance(reference, { code })
      await world.untilPhase(id, 'returned')
      expect((await untilTask(world, { orderId: id, kind: 'return.receive' })).detail).toContain('the pickup store was closed')
      expect((await world.post(`/api/v1/orders/${id}/restocked`, {})).status).toBe(200)
      expect((await world.stock('MUG')).onHand).toBe(before)
      expect(await openTasks(world, { orderId: id })).toEqual([])
      // The store was closed: nobody left it there.
      expect((await world.get<{ buyerHistory: { uncollected: number } }>(`/api/v1/orders/${id}`)).body.buyerHistory).toEqual({
        uncollected: 0,
      })
    })
  })

  it('leaves nothing that the audit finds', async () => {
    expect((await world.audit()).violations).toEqual([])
  })
})
