/**
 * Parcels (section 6 of the ways an order can take), from the order over HTTP to what the courier and the mail server have. Elsewhere: the
 * faults of a courier (couriers.test.ts), money and closed pickup stores (cod.test.ts), packing and manifests (warehouse.test.ts), waybills
 * cancelled step by step (tests/saga/cancel.test.ts), every rule of lateness, feedback and insurance (tests/db/parcels.test.ts), labels of
 * many parcels (tests/db/server-parcels.test.ts).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startEasypostSimulator, TEST_KEY as EASYPOST_KEY, type EasypostSimulator } from '../../simulators/easypost/index.ts'
import { startTrack17Simulator, TEST_KEY as TRACK17_KEY, type Track17Simulator } from '../../simulators/17track/index.ts'
import { Routing } from '../../domain/routing/types.ts'
import { connectors } from '../../connectors/registry.ts'
import { applyConnections } from '../../store/configuration.ts'
import type { ParticipantFact } from '../../store/participants.ts'
import { startSmtpServer, type TestSmtpServer } from '../harness/smtpServer.ts'
import { act, bookedOnce, bookedReference, parcelOf, place, placeCod, toSevenEleven, withPolicy } from './courierViews.ts'
import { apply, openTasks, show, untilBooked, untilShown, untilTask } from './marketplaceViews.ts'
import { startWorld, type World } from './world.ts'

const HOUR_MS = 3_600_000
/** Of two couriers that go home, the cheaper one insures nothing. */
const routing = Routing.parse({
  places: { 'wh-north': { couriers: ['easypost'] } },
  tariffs: [
    { courier: 'ecpay', service: 'TCAT', method: 'home', priceMinor: 12_000, days: 1 },
    { courier: 'easypost', service: 'cheapest', method: 'home', priceMinor: 90_000, days: 1 },
  ],
})

let world: World
let mail: TestSmtpServer
let tracker: Track17Simulator
let easypost: EasypostSimulator
beforeAll(async () => {
  mail = await startSmtpServer({ user: 'shop', password: 'mail password' })
  tracker = await startTrack17Simulator()
  easypost = await startEasypostSimulator()
  const smtp = { host: '127.0.0.1', port: mail.port, security: 'none', user: 'shop', password: 'mail password' }
  world = await startWorld({
    stock: { 'TEE-S': 100, RARE: 5 },
    policy: { bookingRetryMs: [200], courierRetryMs: 500, insureAboveMinor: 500_000, routing },
    connections: [
      { name: 'mail', connector: 'smtp', config: { ...smtp, from: 'shop@example.com' } },
      { name: '17track', connector: '17track', config: { apiKey: TRACK17_KEY, baseUrl: tracker.url, follows: ['ecpay'] } },
      {
        name: 'easypost',
        connector: 'easypost',
        config: {
          apiKey: EASYPOST_KEY,
          baseUrl: easypost.url,
          usdRate: 32,
          from: {
            company: 'Shop',
            street1: '1 Zhongzheng Rd',
            city: 'New Taipei',
            zip: '251',
            country: 'TW',
            phone: '+886912000111',
          },
        },
      },
    ],
  })
  const dear = { sku: 'RARE', name: '名錶', weightGrams: 400 }
  await applyConnections(world.runtime.pool, world.runtime.secretKey, { products: [dear] }, connectors)
})
afterAll(async () => {
  await world?.stop()
  await easypost?.stop()
  await tracker?.stop()
  await mail?.stop()
})
beforeEach(() => world.ecpay.faults.clear())

/** Every customer has a mailbox of their own. */
let customers = 0
const customer = (more: Record<string, unknown> = {}) => {
  const email = `c${(customers += 1)}@example.com`
  return { email, buyer: { name: '陳測試', phone: '0912345678', email, ...more } }
}
const mailsTo = (email: string) =>
  new Set(mail.received.filter(({ to }) => to.includes(email)).map((each) => each.messageId)).size
const participants = async (id: string) =>
  (await world.get<{ participants: ParticipantFact[] }>(`/api/v1/orders/${id}`)).body.participants
const toldTo = async (id: string) => (await participants(id)).filter(({ participant }) => participant === 'customer')
/** The customer has been told these things, and nothing else. */
const untilTold = (id: string, email: string, templates: string[]) =>
  world.until(`the customer hears ${templates.join(', ')}`, async () => {
    const told = await toldTo(id)
    const isAll = told.every(({ state }) => state === 'acknowledged') && mailsTo(email) === templates.length
    return (
      isAll &&
      told
        .map(({ what }) => what)
        .sort()
        .join() === [...templates].sort().join()
    )
  })
const onItsWay = async (id: string) => {
  const reference = await bookedReference(world, id)
  await world.ecpay.advance(reference, { to: 'shipped' })
  await untilShown(world, 'has left', id, (order) => order.phase === 'shipped')
  return reference
}
const settled = (id: string) =>
  world.until('nothing waits for a person', async () => (await openTasks(world, { orderId: id })).length === 0)

describe('a parcel is booked', () => {
  const print = async (parcelId = '') =>
    (await world.post<{ documents: unknown[]; refused: { reason: string }[] }>('/api/v1/labels', { parcels: [parcelId] })).body
  /** It is packed already: the warehouse says no, and somebody fetches it. */
  const callOff = async (id: string) => {
    await world.post(`/api/v1/orders/${id}/cancel`, {})
    const recall = await untilTask(world, { orderId: id, kind: 'recall.refused' })
    await act(world, recall, 'recalled')
    await world.untilPhase(id, 'cancelled')
  }

  it('once, however often its label is printed; called off where the courier takes no call, a person is asked to', async () => {
    const id = await place(world)
    const [parcel] = (await untilBooked(world, id)).parcels
    for (const again of [1, 2, 3]) expect(await print(parcel?.id), `${again}`).toMatchObject({ documents: [{}], refused: [] })
    await bookedOnce(world, id)
    await callOff(id)
    const task = await untilTask(world, { orderId: id, kind: 'booking.cancel' })
    expect(`${task.detail} ${task.remedy}`).toContain(parcel?.waybill)
    await act(world, task, 'skip')
    await bookedOnce(world, id)
  })

  it('with the courier that insures what is dear, at its value; called off, its label is paid back and not printed again', async () => {
    const { buyer } = customer()
    const id = await place(world, { buyer, lines: [{ sku: 'RARE', quantity: 1, unitPriceMinor: 900_000 }] })
    const [parcel] = (await untilBooked(world, id)).parcels
    const sent = () => easypost.shipments().find(({ reference }) => reference === parcel?.reference)
    expect(parcel).toMatchObject({ courier: 'easypost', insuredMinor: 900_000 })
    expect(sent()).toMatchObject({ insurance: '281.25', refund_status: null })
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await callOff(id)
    expect(sent()?.refund_status).toBe('submitted')
    expect(easypost.purchases()).toBe(1)
    expect(await print(parcel?.id)).toMatchObject({ documents: [], refused: [{ reason: 'its booking was cancelled' }] })
  })

  it('with one that insures nothing where no other goes, and a person hears of it before it leaves', async () => {
    const dear = { lines: [{ sku: 'RARE', quantity: 1, unitPriceMinor: 900_000 }] }
    const id = await place(world, { ...toSevenEleven({ method: 'prepaid', state: 'paid' }), ...dear })
    const task = await untilTask(world, { orderId: id, kind: 'parcel.uninsured' })
    expect(task.detail).toContain('is worth TWD 9000.00; ecpay insures nothing')
    expect((await show(world, id)).parcels).toMatchObject([{ state: 'booked', insuredMinor: null }])
    await act(world, task, 'skip')
    await onItsWay(id)
  })
})

describe('where it is', () => {
  it('is told by the courier and asked of a tracker: what comes late is kept where it belongs, and undoes nothing', async () => {
    const before = await world.stock('TEE-S')
    const [slow, quick] = [await place(world), await place(world)]
    await onItsWay(slow)
    await bookedReference(world, quick)
    const waybills = [(await parcelOf(world, slow)).waybill ?? '', (await parcelOf(world, quick)).waybill ?? '']
    await world.until('17TRACK follows both', async () =>
      waybills.every((waybill) => tracker.numbers().some(({ number }) => number === waybill)),
    )
    // The tracker has an hour's old news of one, and is the first to know that the other is delivered.
    tracker.news(waybills[0] ?? '', { status: 'InTransit', at: new Date(Date.now() - HOUR_MS).toISOString() })
    tracker.news(waybills[1] ?? '', { status: 'Delivered', subStatus: 'Delivered_Other', at: new Date().toISOString() })
    const config = { apiKey: TRACK17_KEY, baseUrl: tracker.url, follows: ['ecpay'], trackEveryMs: 60_000 }
    await apply(world, { name: '17track', connector: '17track', config })
    await untilShown(world, 'is delivered', quick, (order) => order.phase === 'delivered' && order.closed)
    const heard = await untilShown(world, 'has the old news', slow, ({ parcels }) => parcels[0]?.events.length === 3)
    expect(heard.parcels[0]?.events[0]?.meaning, 'in the order in which it happened').toBe('inTransit')
    expect(heard.parcels[0]).toMatchObject({ state: 'shipped', lastStatus: '3001' })
    // Now the courier says it too, twice and in any order.
    for (const id of [slow, quick])
      await world.ecpay.advance((await parcelOf(world, id)).reference, { to: 'delivered', twice: true, shuffle: true })
    await world.untilPhase(slow, 'delivered')
    expect((await world.stock('TEE-S')).onHand).toBe(before.onHand - 2)
  })

  it('is late: customer and person hear of it once, and its delivery settles it', async () => {
    const { email, buyer } = customer()
    const promisedBy = new Date(Date.now() - HOUR_MS).toISOString()
    const id = await place(world, { buyer, delivery: { method: 'home', promisedBy } })
    const reference = await bookedReference(world, id)
    const task = await untilTask(world, { orderId: id, kind: 'parcel.late' })
    expect(task.detail).toContain('it was promised by')
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await untilTold(id, email, ['onItsWay', 'parcelLate', 'delivered'])
  })

  it('is not known: no news is a task, that it is lost is another, and it turns up all the same', async () => {
    const id = await place(world)
    const reference = await bookedReference(world, id)
    await withPolicy(world, { stuckParcelMs: 1 }, async () => {
      await world.ecpay.advance(reference, { code: '3001' })
      expect((await untilTask(world, { orderId: id, kind: 'parcel.stuck' })).detail).toContain('has told nothing about waybill')
    })
    await world.ecpay.advance(reference, { code: '5002' })
    const lost = await untilTask(world, { orderId: id, kind: 'parcel.lost' })
    expect(lost).toMatchObject({ title: 'The courier has lost a parcel', remedy: expect.stringContaining('Claim it') as string })
    expect((await openTasks(world, { orderId: id })).map(({ kind }) => kind)).toEqual(['parcel.lost'])
    await act(world, lost, 'skip')
    await world.ecpay.advance(reference, { code: '3003' })
    await world.untilPhase(id, 'delivered')
  })
})

describe('a parcel does not get there', () => {
  it('for a wrong address: corrected by a person while the courier has it, tried again, refused at the door, on sale again', async () => {
    const { email, buyer } = customer()
    const id = await placeCod(world, { buyer })
    const reference = await onItsWay(id)
    await world.ecpay.advance(reference, { code: '3008' })
    const task = await untilTask(world, { orderId: id, kind: 'parcel.wrongAddress' })
    const left = (await world.stock('TEE-S')).onHand
    await act(world, task, 'change', { recipient: { address: '台北市信義區市府路46號' } })
    expect((await untilTask(world, { orderId: id, kind: 'parcel.newAddress' })).title).toBe(
      'The courier must be told the right address',
    )
    expect((await openTasks(world, { orderId: id })).map(({ kind }) => kind)).toEqual(['parcel.newAddress'])
    expect((await show(world, id)).recipient.address?.line).toContain('46')
    await world.ecpay.advance(reference, { code: '3006' })
    await settled(id)
    for (const code of ['3117', '5004', '5008']) await world.ecpay.advance(reference, { code })
    await world.untilPhase(id, 'returned')
    const receive = await untilTask(world, { orderId: id, kind: 'return.receive' })
    expect(receive.detail).toContain('the recipient refused it')
    await act(world, receive, 'restocked')
    expect((await world.stock('TEE-S')).onHand).toBe(left + 1)
    expect(await openTasks(world, { orderId: id })).toEqual([])
    await untilTold(id, email, ['confirmCod', 'onItsWay', 'wrongAddress', 'parcelRefused', 'cameBack'])
  })

  it('nor is it fetched: it comes back, a person looks at it, it is on sale again, and who paid is paid back', async () => {
    const id = await place(world, toSevenEleven({ method: 'prepaid', state: 'paid' }))
    const reference = await onItsWay(id)
    const gone = await world.stock('TEE-S')
    await world.ecpay.advance(reference, { to: 'returned' })
    await world.untilPhase(id, 'returned')
    expect((await world.stock('TEE-S')).onHand).toBe(gone.onHand)
    const task = await untilTask(world, { orderId: id, kind: 'return.receive' })
    await act(world, task, 'restocked')
    expect((await world.stock('TEE-S')).onHand).toBe(gone.onHand + 1)
    // It was paid, and the customer has nothing: what is paid back a person decides.
    expect(await openTasks(world, { orderId: id })).toMatchObject([{ kind: 'return.refund', value: '59000' }])
    // Said again it is not counted again.
    await world.post(`/api/v1/orders/${id}/restocked`, {})
    expect((await world.stock('TEE-S')).onHand).toBe(gone.onHand + 1)
  })
})

describe('the customer', () => {
  /** From an hour ago to an hour from now, on the clock of the warehouse. */
  const tonight = () => {
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Taipei', timeStyle: 'short' })
    return { from: clock.format(Date.now() - HOUR_MS), to: clock.format(Date.now() + HOUR_MS) }
  }

  it('hears of it at each step, but not at night, and not at all who wants no notices', async () => {
    const [sleeper, silent] = [customer(), customer({ optOut: true })]
    const [id, other] = await withPolicy(world, { quietHours: tonight() }, async () => {
      const placed = [await place(world, { buyer: sleeper.buyer }), await place(world, { buyer: silent.buyer })] as const
      await world.until('the notice waits for the morning', async () =>
        (await toldTo(placed[0])).some(
          ({ what, state, reason }) => what === 'onItsWay' && state === 'owed' && reason === 'quiet hours',
        ),
      )
      expect(mailsTo(sleeper.email)).toBe(0)
      return placed
    })
    // In the morning.
    await world.runtime.pool.query(`update outbox set due_at = now() where order_id = $1 and kind = 'notice' and state = 'due'`, [
      id,
    ])
    await untilTold(id, sleeper.email, ['onItsWay'])
    for (const each of [id, other]) {
      await world.ecpay.advance(await bookedReference(world, each), { to: 'delivered' })
      await world.untilPhase(each, 'delivered')
    }
    await untilTold(id, sleeper.email, ['onItsWay', 'delivered'])
    await world.until('both notices are let go', async () => {
      const told = await toldTo(other)
      return (
        told.length === 2 &&
        told.every(({ state, reason }) => state === 'notNeeded' && reason === 'the customer does not want notices')
      )
    })
    expect(mailsTo(silent.email)).toBe(0)
  })

  it('is asked how it was, and a bad word is a task until there is a better one', async () => {
    const { email, buyer } = customer()
    const id = await place(world, { buyer })
    const say = (score: number, text: string) => world.post(`/api/v1/orders/${id}/feedback`, { score, text })
    const reference = await onItsWay(id)
    expect((await say(1, '還沒到')).status, 'nothing is delivered yet').toBe(409)
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    await withPolicy(world, { feedbackAfterMs: 0 }, () => untilTold(id, email, ['onItsWay', 'delivered', 'feedback']))
    expect((await say(2, '盒子破了')).status).toBe(200)
    expect(await untilTask(world, { orderId: id, kind: 'order.feedback' })).toMatchObject({
      title: 'The customer is not content: 2 of 5',
      detail: expect.stringContaining('盒子破了') as string,
    })
    expect((await say(5, '換新的了，謝謝')).status).toBe(200)
    expect(await openTasks(world, { orderId: id })).toEqual([])
  })
})

it('and nothing is held, booked, told or counted wrongly in the end', async () => {
  expect((await world.audit()).violations).toEqual([])
})
