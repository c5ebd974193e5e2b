/** Parcels, step by step: what is booked for which amount and value, what the courier reports of those that do not get there, late ones, feedback. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { applyAdvice } from '../../activities/advice.ts'
import { createCourierSteps } from '../../activities/order/courier.ts'
import { leaveClosedStores } from '../../activities/order/closedStore.ts'
import { createOrderSteps } from '../../activities/order/steps.ts'
import { askFeedback, giveFeedback } from '../../activities/returns/feedback.ts'
import { lateParcels } from '../../activities/returns/late.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import type { Booking, Connector, ParcelRequest } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Policy } from '../../domain/policy.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { applyConnections } from '../../store/configuration.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { getOrder } from '../../store/orders.ts'
import { listTasks } from '../../store/tasks.ts'
import { uncollectedOf } from '../../store/uncollected.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'
import { advice, lines, type Change } from './spineFixture.ts'

/** Two couriers: `van` insures nothing, `safe` does. `answer` says how the next booking is answered. */
const asked: { by: string; parcel: ParcelRequest }[] = []
const cancelled: string[] = []
const plan: { answer: ((parcel: ParcelRequest) => Partial<Booking>) | null; cancel: OmnisagaError | null } = {
  answer: null,
  cancel: null,
}
let bookings = 0
const van: Connector = {
  name: 'van',
  title: 'A van',
  kind: 'courier',
  configSchema: z.object({ insures: z.boolean().default(false) }),
  secretFields: [],
  check: () => Promise.resolve({ ok: true, problems: [] }),
  courier: {
    insures: (config) => (config as { insures: boolean }).insures,
    async book({ connection }, parcel) {
      asked.push({ by: connection.name, parcel })
      bookings += 1
      const insures = (connection.config as { insures: boolean }).insures
      const answer = plan.answer
      plan.answer = null
      return {
        waybill: `V${bookings}`,
        courierBookingId: `VB${bookings}`,
        labelAmountMinor: parcel.amountDueMinor,
        insuredMinor: insures ? (parcel.insured?.valueMinor ?? null) : null,
        label: {},
        ...answer?.(parcel),
      }
    },
    lookUp: async () => null,
    async cancel(_context, { courierBookingId }) {
      if (plan.cancel) throw plan.cancel
      cancelled.push(courierBookingId)
    },
    mapReport: () => {
      throw new Error('a van reports nothing')
    },
    serviceFor: () => 'VAN',
  },
}

let at: Participants
let runtime: Runtime
let steps: ReturnType<typeof createOrderSteps>
let couriers: ReturnType<typeof createCourierSteps>
beforeAll(async () => {
  at = await startParticipants()
  const connectors: Record<string, Connector> = { ...at.runtime.connectors, van }
  const { pool, secretKey } = at.runtime
  runtime = {
    ...at.runtime,
    connectors,
    connectorOf: async (name) => (await openConnection(pool, secretKey, name, { connectors, evenIfStopped: true })).connector,
    connection: (name, more = {}) => openConnection(pool, secretKey, name, { connectors, ...more }),
  }
  steps = createOrderSteps(runtime)
  couriers = createCourierSteps(runtime)
  const north = {
    id: 'north',
    name: '北倉',
    kind: 'warehouse',
    priority: 0,
    warehouseConnection: 'warehouse',
    courierHome: 'van',
    courierCvs: 'van',
  }
  await applyConnections(
    pool,
    secretKey,
    {
      connections: [
        { name: 'van', connector: 'van', config: {} },
        { name: 'safe', connector: 'van', config: { insures: true } },
      ],
      locations: [north],
    },
    connectors,
  )
})
afterAll(() => at?.stop())
afterEach(async () => {
  Object.assign(plan, { answer: null, cancel: null })
  await policy({ insureAboveMinor: null, lateParcelMs: null, feedbackAfterMs: null, quietHours: null, routing: {} })
})

const policy = (change: Partial<Record<keyof Policy, unknown>>) =>
  applyConnections(runtime.pool, runtime.secretKey, { policy: change }, runtime.connectors)
const tasks = async (orderId: string) => await listTasks(runtime.pool, { orderId, state: 'open' })
const kinds = async (orderId: string) => (await tasks(orderId)).map(({ kind }) => kind)
const told = async (orderId: string) =>
  (
    await runtime.pool.query<{ template: string }>('select template from notices where order_id = $1 order by id', [orderId])
  ).rows.map(({ template }) => template)
interface ParcelShown {
  id: string
  state: string
  reference: string
  refusal: string | null
  insuredMinor: number | null
  backBecause: string | null
}
const parcels = async (orderId: string) => (await getOrder(runtime.pool, orderId))?.parcels as ParcelShown[]

/** Packed, and the parcel intended. @returns its unit and the intended parcel. */
async function packed(orderId: string): Promise<{ unitId: string; parcelId: string }> {
  await at.spine.untilRouted(orderId)
  await at.spine.handOver(orderId)
  const order = await at.spine.order(orderId)
  const unitId = order.units.at(-1)?.id ?? ''
  await applyAdvice(
    runtime.pool,
    advice(
      unitId,
      'packed',
      order.lines.map((each) => [each.lineId, each.ordered, 0]),
    ),
  )
  return { unitId, parcelId: await intend(orderId, unitId) }
}
async function intend(orderId: string, unitId: string): Promise<string> {
  const view = await steps.intendParcel(orderId, unitId)
  return view.units.find(({ id }) => id === unitId)?.parcel?.id ?? ''
}
const book = async (orderId: string, parcelId: string) =>
  await new MockActivityEnvironment().run(() => couriers.book(orderId, parcelId))
const cod = (amountDueMinor = 25_000, change: Change = {}): Change => ({
  payment: { method: 'cod', state: 'due', amountDueMinor },
  ...change,
})

describe('the amount on the label', () => {
  it('is what is due when it is sent, not when it was intended', async () => {
    const id = await at.place(cod())
    const { unitId, parcelId } = await packed(id)
    await changeOrder(runtime.pool, id, 'world', (record) => {
      record.doc = { ...record.doc, payment: { ...record.doc.payment, amountDueMinor: 20_000 } }
    })
    const before = asked.length
    await book(id, parcelId)
    expect(asked, 'nothing is sent for an amount that is not due').toHaveLength(before)
    expect(await parcels(id)).toMatchObject([{ state: 'void' }])
    await book(id, await intend(id, unitId))
    expect(asked.at(-1)?.parcel.amountDueMinor).toBe(20_000)
    expect(await parcels(id)).toMatchObject([{ state: 'void' }, { state: 'booked', labelAmountMinor: 20_000 }])
  })

  it('that the courier answers wrongly is given back at once: nobody is told of it, and a person decides', async () => {
    const id = await at.place(cod())
    const { unitId, parcelId } = await packed(id)
    plan.answer = () => ({ labelAmountMinor: 30_000 })
    await book(id, parcelId)
    expect(cancelled.at(-1)).toBe(`VB${bookings}`)
    expect(await parcels(id)).toMatchObject([
      { state: 'refused', refusal: 'its label would collect TWD 300.00, and TWD 250.00 is due; its booking was cancelled' },
    ])
    expect(await told(id)).not.toContain('onItsWay')
    expect((await at.table(id)).filter((row) => row.includes('waybill'))).toEqual([])
    const view = await steps.askAboutRefusal(id, unitId)
    expect(view.units[0]).toMatchObject({ bookings: 1, bookingsAllowed: 1 })
    expect(await tasks(id)).toMatchObject([{ kind: 'booking.refused', detail: expect.stringContaining('TWD 250.00 is due') }])
    await at.spine.command(id, 'retry')
    await book(id, await intend(id, unitId))
    expect((await parcels(id)).map(({ state }) => state)).toEqual(['refused', 'booked'])
    expect(await kinds(id)).toEqual([])
  })

  it('that is wrong and cannot be cancelled by a call is a task with the waybill, and its news are no news of the order', async () => {
    const id = await at.place(cod())
    const { parcelId } = await packed(id)
    plan.answer = () => ({ labelAmountMinor: 0 })
    plan.cancel = new OmnisagaError('Rejected', 'too late', { code: 'late' })
    await book(id, parcelId)
    const [task] = await tasks(id)
    expect(task).toMatchObject({ kind: 'booking.cancel', value: `V${bookings}`, actions: ['skip'] })
    expect(task?.detail).toContain('would collect TWD 0.00, and TWD 250.00 is due')
    const [parcel] = await parcels(id)
    await at.news(parcel?.reference ?? '', 'shipped', 'van')
    expect(await kinds(id)).toEqual(['booking.cancel', 'parcel.shipped'])
    expect((await at.spine.order(id)).phase).toBe('packed')
  })
})

describe('a parcel worth more than the rule lets go uninsured', () => {
  const dear: Change = { lines: lines(['TEE-S', 1, 500_000]) }

  it('is booked with its value insured, and shows it', async () => {
    await policy({
      insureAboveMinor: 300_000,
      routing: {
        places: { north: { couriers: ['safe'] } },
        tariffs: [
          { courier: 'van', service: 'VAN', method: 'home', priceMinor: 5_000, days: 1 },
          { courier: 'safe', service: 'VAN', method: 'home', priceMinor: 9_000, days: 1 },
        ],
      },
    })
    const [cheap, id] = [await at.place({ lines: lines(['TEE-S', 1]) }), await at.place(dear)]
    for (const each of [cheap, id]) await book(each, (await packed(each)).parcelId)
    expect(asked.slice(-2)).toMatchObject([
      { by: 'van', parcel: { insured: null } },
      { by: 'safe', parcel: { insured: { valueMinor: 500_000, currency: 'TWD' } } },
    ])
    expect(await parcels(cheap)).toMatchObject([{ insuredMinor: null }])
    expect(await parcels(id)).toMatchObject([{ insuredMinor: 500_000 }])
    expect([...(await kinds(cheap)), ...(await kinds(id))]).toEqual([])
  })

  it('goes with a courier that insures nothing where there is no other, and a person hears of it before it leaves', async () => {
    await policy({ insureAboveMinor: 300_000 })
    const id = await at.place(dear)
    await book(id, (await packed(id)).parcelId)
    expect(await parcels(id)).toMatchObject([{ state: 'booked', insuredMinor: null }])
    expect(await tasks(id)).toMatchObject([
      {
        kind: 'parcel.uninsured',
        connection: 'van',
        detail: expect.stringContaining('is worth TWD 5000.00; van insures nothing'),
      },
    ])
  })
})

describe('a parcel that does not get there', () => {
  const PHONE = '+886933000111'
  const under = async (change: Change = {}) => {
    const id = await at.place({ recipient: { ...recipient, phone: PHONE }, ...change })
    const { parcelId, unitId } = await packed(id)
    await book(id, parcelId)
    const reference = (await parcels(id)).at(-1)?.reference ?? ''
    return { id, unitId, parcelId, news: (meaning: Parameters<typeof at.news>[1]) => at.news(reference, meaning, 'van') }
  }
  const recipient = {
    name: '測試',
    phone: PHONE,
    address: {
      postalCode: '110',
      city: '臺北市',
      district: '信義區',
      line: '市府路45號',
      raw: '台北市信義區市府路45號',
      country: 'TW',
    },
  }
  const uncollected = () =>
    uncollectedOf(runtime.pool, { name: null, phone: PHONE, email: null, memberId: null }, { phone: PHONE })

  it('refused: comes back, is on sale again; paid goods leave their money to a person, and cash that nobody paid stays unpaid', async () => {
    const before = await uncollected()
    for (const [change, left] of [
      [{}, ['return.refund']],
      [cod(), []],
    ] as [Change, string[]][]) {
      const { id, news } = await under(change)
      for (const meaning of ['shipped', 'outForDelivery', 'refused'] as const) await news(meaning)
      expect((await at.spine.order(id)).phase).toBe('returning')
      expect(await told(id)).toContain('parcelRefused')
      await news('returned')
      expect(await parcels(id)).toMatchObject([{ state: 'returned', backBecause: 'refused' }])
      expect(await tasks(id)).toMatchObject([
        { kind: 'return.receive', detail: expect.stringContaining('the recipient refused it') },
      ])
      expect(await at.spine.command(id, 'restocked')).toMatchObject({ state: 'done' })
      expect(await kinds(id)).toEqual(left)
    }
    expect(await uncollected(), 'the customer’s record says so').toBe(before + 1)
  })

  it('wrong address: a person corrects it although it has left, tells the courier, and it is delivered', async () => {
    const { id, news } = await under()
    await news('shipped')
    await news('wrongAddress')
    await news('wrongAddress')
    expect((await told(id)).filter((template) => template === 'wrongAddress')).toHaveLength(1)
    const [task] = await tasks(id)
    expect(task).toMatchObject({
      kind: 'parcel.wrongAddress',
      title: 'The courier does not find the recipient',
      actions: ['change', 'skip'],
    })
    expect(await at.spine.command(id, 'change', { lines: lines(['TEE-M', 1]) })).toMatchObject({ state: 'refused' })
    expect(await at.spine.command(id, 'change', { recipient: { address: { line: '市府路46號' } } })).toEqual({
      state: 'done',
      answer: 'the address is corrected; call the courier',
    })
    expect((await at.spine.order(id)).doc.recipient.address?.line).toBe('市府路46號')
    expect(await tasks(id)).toMatchObject([{ kind: 'parcel.newAddress', title: 'The courier must be told the right address' }])
    await news('outForDelivery')
    expect(await kinds(id)).toEqual([])
    expect(await at.spine.command(id, 'change', { recipient: { address: { line: '市府路47號' } } })).toMatchObject({
      state: 'refused',
    })
    await news('delivered')
    expect((await at.spine.order(id)).phase).toBe('delivered')
  })

  it('wrong address, and nobody corrects it: comes back for that reason, which is not held against the customer', async () => {
    const before = await uncollected()
    const { id, news } = await under(cod())
    for (const meaning of ['shipped', 'wrongAddress', 'returning', 'returned'] as const) await news(meaning)
    expect(await parcels(id)).toMatchObject([{ backBecause: 'wrongAddress' }])
    expect(await kinds(id)).toEqual(['return.receive'])
    expect((await at.spine.order(id)).is('wrongAddress')).toBe(false)
    expect(await uncollected()).toBe(before)
  })

  it('old trouble that is told late is over', async () => {
    const { id, news } = await under()
    await news('delivered')
    await news('storeClosed')
    await news('wrongAddress')
    expect(await kinds(id)).toEqual([])
    expect((await at.spine.order(id)).is('storeClosed')).toBe(false)
  })

  it('a closed store, and no way to a map: a person is asked at once, and the answer is told to the courier', async () => {
    const { id, news } = await under({ delivery: { method: 'cvs', cvs: { chain: 'FAMI', storeId: '006598' } } })
    await news('shipped')
    await news('storeClosed')
    await leaveClosedStores(runtime)
    await leaveClosedStores(runtime)
    expect(await tasks(id)).toMatchObject([{ kind: 'parcel.storeClosed', value: '006598', actions: ['change', 'skip'] }])
    const other = (chain: string, storeId: string) => at.spine.command(id, 'change', { delivery: { cvs: { chain, storeId } } })
    expect((await other('FAMI', '006598')).answer).toBe('that is the store that is closed')
    expect((await other('HILIFE', '006598')).answer).toBe('that is the store that is closed')
    expect((await other('UNIMART', '131386')).answer).toContain('choose another store of that chain')
    expect(await other('FAMI', '001779')).toMatchObject({ state: 'done' })
    expect(await kinds(id)).toEqual([])
    expect((await at.knows(id)).find(({ what }) => what === 'pickupStore')).toMatchObject({
      participant: 'courier',
      connection: 'van',
      fact: 'changed',
    })
  })
})

describe('a late parcel', () => {
  const late = () => lateParcels(runtime)
  const soon = async (change: Change = {}) => {
    const id = await at.place(change)
    const { unitId, reference } = await at.booked(id)
    return { id, unitId, reference }
  }
  const promised = (ms: number): Change => ({ delivery: { promisedBy: new Date(Date.now() + ms).toISOString() } })

  it('is told once to customer and person when its promise is broken, and settled by its delivery', async () => {
    const [broken, kept, none] = [await soon(promised(-60_000)), await soon(promised(86_400_000)), await soon()]
    await late()
    await late()
    expect(await kinds(broken.id)).toEqual(['parcel.late'])
    expect((await told(broken.id)).filter((template) => template === 'parcelLate')).toHaveLength(1)
    for (const { id } of [kept, none]) expect([await kinds(id), (await told(id)).includes('parcelLate')]).toEqual([[], false])
    await at.news(broken.reference, 'delivered')
    expect(await kinds(broken.id)).toEqual([])
  })

  it('without a promise is late by the policy, from when it left', async () => {
    const { id, reference } = await soon()
    await policy({ lateParcelMs: 3_600_000 })
    await late()
    expect(await kinds(id), 'it has not left').toEqual([])
    await at.news(reference, 'shipped')
    await late()
    expect(await kinds(id), 'it has just left').toEqual([])
    await runtime.pool.query(`update parcels set shipped_at = now() - interval '61 minutes' where reference = $1`, [reference])
    await late()
    expect(await tasks(id)).toMatchObject([{ kind: 'parcel.late', detail: expect.stringContaining('it left long ago') }])
    await at.news(reference, 'returned')
    expect(await kinds(id)).toEqual(['return.receive'])
  })

  it('that is on its way back, or here, is not late', async () => {
    const { id, reference } = await soon(promised(-60_000))
    await at.news(reference, 'returning')
    await late()
    expect(await kinds(id)).toEqual([])
  })
})

describe('feedback', () => {
  const delivered = async (change: Change = {}, daysAgo = 2) => {
    const id = await at.place(change)
    const { reference } = await at.booked(id)
    await at.news(reference, 'delivered')
    await runtime.pool.query(`update parcels set delivered_at = now() - $2 * interval '1 day' where order_id = $1`, [id, daysAgo])
    return id
  }
  const askedFor = async (id: string) => (await told(id)).filter((template) => template === 'feedback').length

  it('is asked for once, some time after the delivery, and not of who came before the rule', async () => {
    const [id, fresh, old] = [await delivered(), await delivered({}, 0), await delivered({}, 30)]
    await askFeedback(runtime)
    expect(await askedFor(id), 'nobody is asked without the rule').toBe(0)
    await policy({ feedbackAfterMs: 86_400_000 })
    await askFeedback(runtime)
    await askFeedback(runtime)
    expect([await askedFor(id), await askedFor(fresh), await askedFor(old)]).toEqual([1, 0, 0])
  })

  it('is not asked for at night, nor of who wants no notices', async () => {
    const optOut = await delivered({ buyer: { name: null, phone: null, email: 'b@example.com', memberId: null, optOut: true } })
    const id = await delivered({ buyer: { name: null, phone: null, email: 'night@example.com', memberId: null } })
    await at.tell()
    const clock = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Asia/Taipei',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    const quietHours = { from: clock.format(Date.now() - 3_600_000), to: clock.format(Date.now() + 3_600_000) }
    await policy({ feedbackAfterMs: 86_400_000, quietHours })
    await askFeedback(runtime)
    const mails = () => at.mail.received.filter(({ to }) => to.includes('night@example.com')).length
    const before = mails()
    await at.tell()
    expect(mails()).toBe(before)
    await policy({ quietHours: null })
    await at.tell()
    expect(mails()).toBe(before + 1)
    expect((await at.knows(optOut)).filter(({ what }) => what === 'feedback')).toMatchObject([
      { state: 'notNeeded', reason: 'the customer does not want notices' },
    ])
    expect(await kinds(id)).toEqual([])
  })

  it('that is bad is a task, which a better word closes; before the delivery there is none to give', async () => {
    const id = await delivered()
    await giveFeedback(runtime, id, { score: 2, text: '盒子破了' }, 'customer')
    expect(await tasks(id)).toMatchObject([
      { kind: 'order.feedback', title: 'The customer is not content: 2 of 5', actions: ['skip'] },
    ])
    await giveFeedback(runtime, id, { score: 5, text: null }, 'customer')
    expect(await kinds(id)).toEqual([])
    await giveFeedback(runtime, await delivered(), { score: 3, text: null }, 'customer')
    const open = await at.place()
    await expect(giveFeedback(runtime, open, { score: 1, text: null }, 'customer')).rejects.toMatchObject({
      code: 'notDelivered',
    })
    expect(await kinds(open)).toEqual([])
  })
})
