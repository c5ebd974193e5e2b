/**
 * Tasks (section 9 of the ways an order can take): what the machine cannot decide, opened by what goes wrong outside, read and settled as a
 * person does, over HTTP and at the terminal. Elsewhere, each by its own scenario: remittances, closed stores and uncollected parcels
 * (cod.test.ts), wrong addresses, late, lost and silent parcels, insurance, feedback (parcels.test.ts), returns (returns.test.ts), facts
 * that nobody takes (participants.test.ts), stopped connections (couriers.test.ts), what a channel asks too late (marketplace.test.ts), rows of
 * files (imports.test.ts), pickups and transfers (store.test.ts). Every action in every state of an order: tests/db/possible.test.ts.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectors } from '../../connectors/registry.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { act, bookedOnce, bookedReference, place, placeCod, withPolicy } from './courierViews.ts'
import { openTasks, show, untilBooked, untilShown, untilTask, withoutWaves } from './marketplaceViews.ts'
import { preview, read, seen, settle } from './taskViews.ts'
import { startWorld, storeOrder, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ policy: { bookingRetryMs: [200], courierRetryMs: 500 } })
  await configureHand({})
  for (const sku of ['MUG', 'VASE'])
    await transaction(world.runtime.pool, (tx) =>
      setOnHand(tx, { key: `count:wh-hand:${sku}`, sku, location: 'wh-hand', onHand: 10, reason: 'count' }),
    )
})
afterAll(() => world?.stop())
beforeEach(() => {
  world.ecpay.faults.clear()
  world.wms.slow(0)
})

/** A place where people pick, asked first; it hands nothing to convenience stores unless `change` says so. */
const configureHand = (change: Record<string, unknown>) =>
  applyConnections(
    world.runtime.pool,
    world.runtime.secretKey,
    {
      locations: [
        {
          id: 'wh-hand',
          name: '手揀倉',
          kind: 'warehouse',
          priority: -1,
          courierHome: 'ecpay',
          sender: { name: '林小倉', phone: '+886912000333', postalCode: '330', address: '桃園市桃園區縣府路1號' },
          ...change,
        },
      ],
      products: [{ sku: 'VASE', name: '花瓶' }],
    },
    connectors,
  )
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPriceMinor: 59_000 })
const NEVER_MS = 86_400_000
/** Money is owed to who has paid, and a person transfers it: the store's till cannot. */
const payBackByHand = async (orderId: string) => {
  const task = await read(world, { orderId, kind: 'refund.byHand' }, { says: /59/, offers: ['done', 'skip'] })
  await settle(world, task, 'done')
}

describe('choose, and edit and go on', () => {
  it('an article that nobody knows: its name is learned once', async () => {
    const order = { lines: [line('T恤小號')] }
    const id = await place(world, order)
    const task = await read(
      world,
      { orderId: id, kind: 'order.check' },
      { says: /T恤小號/, offers: ['chooseSku', 'change', 'retry', 'cancel'] },
    )
    await settle(world, task, 'chooseSku')
    await untilBooked(world, id)
    await untilBooked(world, await place(world, order))
  })

  it('an order to a 7-ELEVEN that names none: somebody at a terminal chooses one', async () => {
    const id = await place(world, { delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: null } } })
    const task = await read(world, { orderId: id, kind: 'order.check' }, { says: /store/, offers: ['change', 'retry', 'cancel'] })
    const body = { delivery: { cvs: { chain: 'UNIMART', storeId: '991182' } } }
    const cli = ['--set', 'delivery.cvs.chain=UNIMART', '--set', 'delivery.cvs.storeId=991182']
    await settle(world, task, 'change', { body, cli })
    expect((await untilBooked(world, id)).parcels).toMatchObject([{ service: 'UNIMART' }])
  })

  it('goods that are not there: another article instead, or called off', async () => {
    const [changed, gone] = [await place(world, { lines: [line('RARE')] }), await place(world, { lines: [line('RARE')] })]
    const says = { says: /nothing .*held|Nothing .*held/, offers: ['retry', 'change', 'cancel'] }
    const first = await read(world, { orderId: changed, kind: 'stock.short' }, says)
    await settle(world, first, 'change', { body: { lines: [{ lineId: '1', sku: 'TEE-M' }] } })
    await untilBooked(world, changed)
    await settle(world, await read(world, { orderId: gone, kind: 'stock.short' }, says), 'cancel')
    await world.untilPhase(gone, 'cancelled')
    await payBackByHand(gone)
  })
})

describe('who does not answer', () => {
  it('a customer who shall pay at the door: a person rings up and confirms', async () => {
    const id = await withPolicy(world, { confirmTimeoutMs: 500 }, async () => {
      const placed = await place(world, { payment: { method: 'cod' } })
      await untilTask(world, { orderId: placed, kind: 'order.confirm' })
      return placed
    })
    const task = await read(world, { orderId: id, kind: 'order.confirm' }, { says: /held/, offers: ['confirm', 'cancel'] })
    await settle(world, task, 'confirm')
    await untilBooked(world, id)
  })

  it('a warehouse that says nothing: waited for a while longer, or called off, fetched by hand', async () => {
    world.wms.slow(NEVER_MS)
    const waits = await withPolicy(world, { pickTimeoutMs: 1, recallTimeoutMs: 1 }, async () => {
      const [first, gone] = [await place(world), await place(world)]
      for (const orderId of [first, gone]) await untilTask(world, { orderId, kind: 'unit.silent' })
      const silent = { says: /answer/, offers: ['skip', 'cancel'] }
      await settle(world, await read(world, { orderId: first, kind: 'unit.silent' }, silent), 'skip')
      await withoutWaves(world, async () => {
        await settle(world, await read(world, { orderId: gone, kind: 'unit.silent' }, silent), 'cancel')
        const which = { orderId: gone, kind: 'recall.unanswered' }
        await settle(world, await read(world, which, { says: /answer/, offers: ['recalled', 'letGo'] }), 'recalled')
        await world.untilPhase(gone, 'cancelled')
        await payBackByHand(gone)
      })
      return first
    })
    world.wms.slow(0)
    await untilBooked(world, waits)
  })

  it('a store where a customer has tried on, and nobody says what is kept', async () => {
    const id = await withPolicy(world, { tryOnDecisionMs: 500 }, async () => {
      const placed = await place(world, {
        kind: 'tryOn',
        delivery: { method: 'home', location: 'store-taipei' },
        payment: { method: 'cod', amountDueMinor: 118_000 },
        lines: [line('TEE-S'), line('TEE-M')],
      })
      await untilShown(world, 'is kept for the try-on', placed, ({ facts }) => 'tryOnHeld' in facts)
      await world.post(`/api/v1/orders/${placed}/arrived`, {})
      await untilTask(world, { orderId: placed, kind: 'tryOn.undecided' })
      return placed
    })
    const task = await read(world, { orderId: id, kind: 'tryOn.undecided' }, { says: /kept|held/, offers: ['decide', 'cancel'] })
    await settle(world, task, 'decide')
    expect((await show(world, id)).payment.amountDueMinor).toBe(59_000)
  })
})

describe('where the goods are', () => {
  it('not all of it is on the shelf: the rest goes, and what is missing is paid back', async () => {
    const id = await withoutWaves(world, async () => {
      const placed = await place(world, { lines: [line('TEE-M', 2)] })
      world.wms.short(placed, 1)
      return placed
    })
    // What was found is packed and booked meanwhile.
    await untilBooked(world, id)
    const task = await read(
      world,
      { orderId: id, kind: 'pick.short' },
      { says: /1 × TEE-M/, offers: ['shipWithout', 'retry', 'cancel'] },
    )
    await settle(world, task, 'shipWithout')
    await untilBooked(world, id)
    await payBackByHand(id)
  })

  it('where a person picks: sent from elsewhere instead', async () => {
    const id = await place(world, { lines: [line('MUG')] })
    const says = { says: /wh-hand/, offers: ['packed', 'reroute', 'cancel'] }
    await settle(world, await read(world, { orderId: id, kind: 'unit.pick' }, says), 'reroute')
    await untilBooked(world, id)
    await world.until('it lay in the north', async () => world.wms.units().some(({ orderId }) => orderId === id))
  })

  it('packed by a person, no courier goes there, one is found; then called off: put back, and the courier is told by hand', async () => {
    const id = await place(world, {
      lines: [line('VASE')],
      delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '991182' } },
    })
    const offers = ['packed', 'reroute', 'cancel']
    await settle(world, await read(world, { orderId: id, kind: 'unit.pick' }, { says: /wh-hand/, offers }), 'packed')
    const missing = await read(
      world,
      { orderId: id, kind: 'courier.missing' },
      { says: /packed and stay held/, offers: ['retry', 'change', 'cancel'] },
    )
    await configureHand({ courierCvs: 'ecpay' })
    await settle(world, missing, 'retry')
    const { parcels } = await untilBooked(world, id)
    await world.post(`/api/v1/orders/${id}/cancel`, {})
    await world.untilPhase(id, 'cancelled')
    await payBackByHand(id)
    const putBack = await read(world, { orderId: id, kind: 'unit.putBack' }, { says: /wh-hand/, offers: ['skip'] })
    await settle(world, putBack, 'skip')
    const booking = await read(
      world,
      { orderId: id, kind: 'booking.cancel' },
      { says: new RegExp(parcels[0]?.waybill ?? 'none'), offers: ['skip'] },
    )
    await settle(world, booking, 'skip')
  })

  it('packed and called off too late: the order goes on', async () => {
    const id = await place(world)
    const reference = await bookedReference(world, id)
    await world.post(`/api/v1/orders/${id}/cancel`, {})
    const task = await read(world, { orderId: id, kind: 'recall.refused' }, { says: /packed/, offers: ['recalled', 'letGo'] })
    await settle(world, task, 'letGo')
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
  })

  it('back again: looked at, on sale, paid back', async () => {
    const id = await place(world)
    await world.ecpay.advance(await bookedReference(world, id), { to: 'returned' })
    await untilShown(world, 'is closed', id, ({ phase, closed }) => phase === 'returned' && closed)
    const receive = await read(
      world,
      { orderId: id, kind: 'return.receive' },
      { says: /came back|back/, offers: ['restocked', 'skip'] },
    )
    await settle(world, receive, 'restocked')
    const refund = await read(world, { orderId: id, kind: 'return.refund' }, { says: /paid back/, offers: ['refund', 'skip'] })
    await settle(world, refund, 'refund')
    await payBackByHand(id)
  })
})

describe('a courier says no', () => {
  it('and two people at the desk see it, look before they act, one corrects it, and it goes on by itself', async () => {
    world.ecpay.faults.add({ kind: 'refuse', path: '/Express/Create', message: '收件人電話錯誤', times: 0 })
    const id = await place(world)
    const task = await untilTask(world, { orderId: id, kind: 'booking.refused' })
    expect(task).toMatchObject({
      actions: ['retry', 'change', 'cancel'],
      detail: expect.stringContaining('Nothing is booked') as string,
    })
    const at = `/api/v1/tasks/${task.id}`
    expect(await preview(world, task, 'change', { recipient: { phone: '0987654321' } })).toMatchObject({
      possible: true,
      asks: ['ecpay is asked to book a parcel'],
    })
    expect((await preview(world, task, 'cancel')).changes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ of: 'phase', to: 'cancelling' }),
        expect.objectContaining({ of: 'told', to: 'recall' }),
      ]),
    )
    expect((await show(world, id)).phase).toBe('packed')
    expect((await world.post(`${at}/change`, { recipient: { phone: 'none' } })).status).toBe(400)
    expect((await world.post(`${at}/packed`, {})).status).toBe(409)
    world.ecpay.faults.clear()
    const both = await Promise.all(
      ['0987654321', '0987654322'].map((phone) => world.post(`${at}/change`, { recipient: { phone } })),
    )
    expect(both.filter(({ status }) => status === 200).length).toBeLessThan(2)
    await untilBooked(world, id)
    await bookedOnce(world, id)
    const changes = (await show(world, id)).commands.filter(({ verb }) => verb === 'change')
    expect(changes.filter(({ state }) => state === 'done')).toHaveLength(1)
    for (const refused of changes.filter(({ state }) => state !== 'done')) expect(refused.answer).toContain('was closed by local')
    expect(await seen(world, task.id)).toMatchObject({
      state: 'done',
      closedBy: 'local',
      done: expect.arrayContaining([expect.objectContaining({ verb: 'change', who: 'local', state: 'done' })]) as unknown,
    })
    expect(await openTasks(world, { orderId: id })).toEqual([])
  })

  it('every time: tried again once the cause is mended', async () => {
    world.ecpay.faults.add({ kind: 'refuse', path: '/Express/Create', message: '收件人地址不在配送範圍', times: 0 })
    const id = await place(world)
    const task = await read(
      world,
      { orderId: id, kind: 'booking.refused' },
      { says: /收件人地址不在配送範圍/, offers: ['retry', 'change', 'cancel'] },
    )
    world.ecpay.faults.clear()
    await settle(world, task, 'retry')
    await untilBooked(world, id)
    await bookedOnce(world, id)
    expect(await openTasks(world, { orderId: id })).toEqual([])
  })

  it('and the customer does not want to wait: called off', async () => {
    world.ecpay.faults.add({ kind: 'refuse', path: '/Express/Create', message: '超材', times: 0 })
    const id = await place(world)
    const task = await read(
      world,
      { orderId: id, kind: 'booking.refused' },
      { says: /超材.*Nothing is booked|Nothing is booked.*超材/, offers: ['retry', 'change', 'cancel'] },
    )
    await settle(world, task, 'cancel')
    await act(world, await untilTask(world, { orderId: id, kind: 'recall.refused' }), 'recalled')
    await world.untilPhase(id, 'cancelled')
    await payBackByHand(id)
  })
})

describe('a label would collect the wrong amount', () => {
  it('somebody at a terminal has it made anew, and, where the courier cancels nothing by a call, says so by doing it again', async () => {
    const order = storeOrder({ payment: { method: 'cod' } })
    const id = await placeCod(world, order)
    const [parcel] = (await untilBooked(world, id)).parcels
    expect(parcel).toMatchObject({ amountDueMinor: 59_000 })
    await place(world, { ...order, payment: { method: 'prepaid', state: 'paid' } }) // the shop has the money meanwhile
    const which = { orderId: id, kind: 'label.amount' }
    const task = await read(world, which, { says: /590/, offers: ['rebook', 'cancel', 'skip'] })
    await settle(world, task, 'rebook', { cli: [] })
    const again = await read(world, which, { says: new RegExp(parcel?.waybill ?? 'none'), offers: ['rebook', 'cancel', 'skip'] })
    expect(await show(world, id), 'nothing is booked twice').toMatchObject({ parcels: [{ state: 'booked' }] })
    await settle(world, again, 'rebook', { cli: [] })
    const { parcels } = await untilBooked(world, id)
    expect(parcels).toMatchObject([{ state: 'void' }, { state: 'booked', amountDueMinor: 0 }])
    const sent = world.ecpay.parcels().find(({ merchantTradeNo }) => merchantTradeNo === parcels[1]?.reference)
    expect(sent?.request.IsCollection).not.toBe('Y')
  })
})

describe('a file of the warehouse', () => {
  it('that cannot be read is set aside, and the same news come in a good one', async () => {
    world.wms.damageNextFile()
    const id = await place(world)
    const task = await read(world, { kind: 'feed.rejected' }, { says: /set aside|cannot be read/, offers: ['skip'] })
    await settle(world, task, 'skip')
    await untilBooked(world, id)
  })
})

it('and in the end nothing is held, booked, told or counted wrongly, and nobody waits', async () => {
  await world.until('nobody waits', async () => (await openTasks(world)).length === 0)
  expect((await world.audit()).violations).toEqual([])
})
