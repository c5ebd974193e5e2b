/** Several orders in one box, on a real database: who may share, who books, and what becomes of the box when one is cancelled. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCourierSteps, type CourierSteps } from '../../activities/order/courier.ts'
import { printLabels } from '../../activities/labels.ts'
import { createManifest, handedOver } from '../../activities/packing/manifests.ts'
import { deliveryNoteOf } from '../../activities/packing/papers.ts'
import { scan as scanAt, type ScanAnswer } from '../../activities/packing/scan.ts'
import { stationView } from '../../activities/packing/station.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import { makeWavesNow } from '../../activities/waves.ts'
import type { ParcelMeaning, ParcelRequest } from '../../connectors/kit/types.ts'
import { audit } from '../../store/audit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { getManifest, manifestParcels } from '../../store/manifests.ts'
import { getOrder } from '../../store/orders.ts'
import { getWave } from '../../store/waves.ts'
import { lines, startSpine, type Change, type Spine } from './spineFixture.ts'

let spine: Spine
/** What the courier was asked. */
const asked: { call: string; request: Pick<ParcelRequest, 'reference'> & Partial<ParcelRequest> }[] = []
beforeAll(async () => {
  spine = await startSpine()
  const { ecpay } = spine.runtime.connectors
  if (ecpay?.courier === undefined) throw new Error('no courier to stand in for')
  const bookingOf = (reference: string) => ({
    waybill: `W-${reference}`,
    courierBookingId: `B-${reference}`,
    labelAmountMinor: 0,
    label: { of: reference },
  })
  const van = {
    ...ecpay,
    name: 'van',
    courier: {
      ...ecpay.courier,
      book: (_: unknown, request: ParcelRequest) => {
        asked.push({ call: 'book', request })
        return Promise.resolve(bookingOf(request.reference))
      },
      lookUp: (_: unknown, request: ParcelRequest) =>
        Promise.resolve(asked.some((each) => each.request.reference === request.reference) ? bookingOf(request.reference) : null),
      cancel: (_: unknown, request: { reference: string }) => {
        asked.push({ call: 'cancel', request })
        return Promise.resolve()
      },
      labels: (_: unknown, parcels: { reference: string }[]) =>
        Promise.resolve({ contentType: 'text/plain', bytes: Buffer.from(parcels.map(({ reference }) => reference).join()) }),
    },
  }
  Object.assign(spine.runtime.connectors, { van })
  const config = {
    merchantId: '2000132',
    hashKey: '5294y06JbISpM5x9',
    hashIv: 'v77hoKGq4kWxNNIS',
    baseUrl: 'http://127.0.0.1:9',
    serverReplyUrl: 'http://127.0.0.1:8/webhooks/x',
  }
  await applyConnections(
    spine.runtime.pool,
    spine.runtime.secretKey,
    {
      connections: [{ name: 'van', connector: 'van', config }],
      locations: [
        {
          id: 'south',
          name: '南倉',
          kind: 'warehouse',
          priority: -1,
          courierHome: 'van',
          courierCvs: 'van',
          packing: { cutOffs: [] },
        },
      ],
      products: [
        { sku: 'CAP', name: '帽子', barcode: '471', sizeMm: [100, 100, 100], weightGrams: 200, shelves: { south: 'A-1' } },
        { sku: 'TEE-M', name: '上衣', barcode: '472', fragile: true },
      ],
      boxes: [
        { id: 'S', name: '小箱', innerMm: [400, 100, 100] },
        { id: 'F', name: '緩衝箱', innerMm: [400, 100, 100], fragile: true },
      ],
      policy: { mergeParcels: 'prepaid' },
    },
    spine.runtime.connectors,
  )
})
afterAll(() => spine?.stop())

let people = 0
/** Whoever buys in this test. */
let phone = ''
beforeEach(() => {
  phone = `+88691200${String(1_000 + ++people)}`
  asked.length = 0
})
const address = {
  postalCode: '110',
  city: '臺北市',
  district: '信義區',
  line: '市府路45號',
  raw: '台北市信義區市府路45號',
  country: 'TW',
}

async function ready(change: Change = {}): Promise<string> {
  const orderId = await spine.place({ lines: lines(['CAP', 1]), recipient: { name: '王小明', phone, address }, ...change })
  await spine.untilRouted(orderId)
  return orderId
}
const wave = async () => {
  const [id] = await makeWavesNow(spine.runtime, 'south')
  const boxes = await spine.db.pool.query<{ orders: string[] }>(
    `select array_agg(order_id order by id) as orders from units where wave_id = $1 group by coalesce(shared_box, id) order by min(id)`,
    [id],
  )
  return { id: id ?? '', boxes: boxes.rows.map(({ orders }) => orders) }
}
/** Orders of one box, the first (which leads) first. */
async function inOneBox(...changes: Change[]): Promise<string[]> {
  for (const change of changes) await ready(change)
  const { boxes } = await wave()
  expect(boxes).toHaveLength(1)
  return boxes[0] ?? []
}
const unitId = async (orderId: string) => (await spine.order(orderId)).units[0]?.id ?? ''
const numberOf = async (orderId: string) => (await spine.order(orderId)).doc.externalId
const scan = (code: string, station = `bench-${people}`): Promise<ScanAnswer> =>
  scanAt(spine.runtime, { station, code, who: 'test' })
const scans = async (...codes: string[]): Promise<ScanAnswer> => {
  let last: ScanAnswer | undefined
  for (const code of codes) last = await scan(code)
  if (last === undefined) throw new Error('no code')
  return last
}
const courier = (step: keyof CourierSteps, orderId: string, parcelId: string) =>
  new MockActivityEnvironment().run(createCourierSteps(spine.runtime)[step], orderId, parcelId)
/** As the workflow does it: intends, and books what it intends. */
async function ship(orderId: string): Promise<void> {
  await spine.steps.intendParcel(orderId, await unitId(orderId))
  for (const { id, state } of (await spine.order(orderId)).parcels) if (state === 'intended') await courier('book', orderId, id)
}
/** As the workflow does it. */
async function cancel(orderId: string): Promise<void> {
  await spine.command(orderId, 'cancel')
  await spine.steps.recall(orderId)
  for (const { id, state } of (await spine.order(orderId)).parcels)
    if (['intended', 'sent', 'booked'].includes(state)) await courier('cancelBooking', orderId, id)
  await spine.steps.releaseAll(orderId)
}
let reports = 0
const news = async (reference: string, meaning: ParcelMeaning) => {
  reports += 1
  const eventAt = new Date(Date.UTC(2026, 10, 22, 4, 0, reports)).toISOString()
  const report = { reference, courierBookingId: null, waybill: null, code: meaning, meaning, detail: '', eventAt }
  return await applyParcelReport(spine.db.pool, 5_000_000 + reports, report, 1_000)
}
const parcelOf = async (orderId: string) => (await spine.order(orderId)).parcels.at(-1)
const clean = async () => expect((await audit(spine.db.pool)).violations).toEqual([])
const calls = () => asked.map(({ call }) => call)

describe('one box', () => {
  it('has the paid orders of one recipient, however the address is written, and nobody else', async () => {
    const two = [
      await ready(),
      await ready({ recipient: { name: ' 王小明 ', phone, address: { ...address, line: '市府路４５號 ' } } }),
    ]
    const others = [
      await ready({ recipient: { name: '王大明', phone, address } }),
      await ready({ recipient: { name: '王小明', phone: '+886912999999', address } }),
      await ready({ recipient: { name: '王小明', phone, address: { ...address, line: '市府路46號' } } }),
      await ready({ lines: lines(['TEE-M', 1]) }),
      await ready({ notes: '請勿按門鈴' }),
      await ready({ payment: { method: 'cod', state: 'pending', amountDueMinor: 10_000 } }),
    ]
    const made = await wave()
    expect(made.boxes.filter((box) => box.length > 1)).toEqual([two.sort()])
    expect(made.boxes).toHaveLength(1 + others.length)
    expect(await getWave(spine.db.pool, made.id)).toMatchObject({
      units: 8,
      boxes: 7,
      packed: 0,
      kinds: { online: 8 },
      regions: { 臺北市: 8 },
      highestPriority: 0,
    })
  })

  it('holds no more than fits into one that there is', async () => {
    for (let order = 0; order < 4; order++) await ready()
    expect((await wave()).boxes.map((box) => box.length).sort((a, b) => a - b)).toEqual([1, 3])
  })

  it('is packed, booked, printed and handed over once; every order hears of it', async () => {
    const [first = '', second = ''] = await inOneBox({ lines: lines(['CAP', 1, 10_000]) }, { lines: lines(['CAP', 1, 20_000]) })
    const numbers = `${await numberOf(first)} + ${await numberOf(second)}`
    // Whichever of them is scanned.
    expect(await scan(await numberOf(second))).toMatchObject({ box: { orderNumber: numbers, bench: { lines: [{}, {}] } } })
    expect(await scan(await numberOf(first), 'elsewhere')).toMatchObject({
      box: null,
      message: { en: expect.stringContaining(`bench-${people}`) },
    })
    expect(await scans('471', 'DONE')).toMatchObject({ closed: null, message: { en: expect.stringContaining('CAP × 1') } })
    const { closed } = await scans('471', 'W:900', 'DONE')
    expect(closed).toBe(await unitId(first))
    for (const id of [first, second]) expect((await spine.order(id)).phase).toBe('packed')

    await ship(second)
    expect((await spine.order(second)).parcels).toEqual([])
    await ship(first)
    await ship(second)
    expect(calls()).toEqual(['book'])
    expect(asked[0]?.request).toMatchObject({
      goodsName: 'CAP CAP',
      goodsAmountMinor: 30_000,
      weightGrams: 900,
      amountDueMinor: 0,
    })
    const [lead, rider] = [await parcelOf(first), await parcelOf(second)]
    expect(rider).toMatchObject({ state: 'booked', ridesIn: lead?.id, waybill: lead?.waybill, labelAmountMinor: 0 })
    const told = await spine.db.pool.query(`select template from notices where order_id = any($1) and template = 'onItsWay'`, [
      [first, second],
    ])
    expect(told.rowCount).toBe(2)
    await clean()

    // The label of either is that of the box.
    const printed = await printLabels(spine.runtime, [first, rider?.id ?? '', lead?.waybill ?? ''])
    expect(printed).toMatchObject({ refused: [], documents: [{ parcels: [lead?.id] }] })
    expect(printed.documents[0]?.document.bytes.toString()).toBe(lead?.reference)
    expect(await stationView(spine.db.pool, `bench-${people}`)).toMatchObject({
      last: { orderNumber: numbers, waybill: lead?.waybill },
    })
    const note = (await deliveryNoteOf(spine.db.pool, await unitId(second), new Date())).toString('latin1')
    expect(note.match(/\/Type \/Page\b/g)).toHaveLength(2)
    expect(await getOrder(spine.db.pool, second)).toMatchObject({
      units: [{ sharesBoxWith: [await numberOf(first)] }],
      parcels: [{ ridesIn: lead?.id }],
    })

    const manifest = await createManifest(spine.runtime, { location: 'south', courier: 'van', who: 'test' })
    expect(await manifestParcels(spine.db.pool, manifest.id)).toMatchObject([{ parcelId: lead?.id, weightGrams: 900 }])
    expect(await getManifest(spine.db.pool, manifest.id)).toMatchObject({ parcels: 1 })
    await handedOver(spine.runtime, manifest.id, { who: 'test', proof: null })
    for (const id of [first, second]) expect((await spine.order(id)).phase).toBe('shipped')
    expect(await news(lead?.reference ?? '', 'delivered')).toMatchObject({ orderId: first, wake: true, beside: [second] })
    for (const id of [first, second]) expect((await spine.order(id)).phase).toBe('delivered')
    await clean()
  })

  it('whose courier spoke before the others were written down tells them then', async () => {
    const [first = '', second = ''] = await inOneBox({}, {})
    await scans(first, '*2', '471', 'DONE')
    await spine.steps.intendParcel(first, await unitId(first))
    const lead = await parcelOf(first)
    // The worker dies between the booking and the others' parcels.
    await spine.db.pool.query(`update units set shared_box = shared_box || '!' where order_id = $1`, [second])
    await courier('book', first, lead?.id ?? '')
    await news(lead?.reference ?? '', 'shipped')
    await spine.db.pool.query(`update units set shared_box = rtrim(shared_box, '!') where order_id = $1`, [second])
    expect((await spine.order(second)).parcels).toEqual([])
    await courier('book', first, lead?.id ?? '')
    expect(await parcelOf(second)).toMatchObject({ state: 'shipped', ridesIn: lead?.id })
    expect((await spine.order(second)).phase).toBe('shipped')
    expect(calls()).toEqual(['book'])
    await clean()
  })
})

describe('an order that is cancelled', () => {
  it('before it is packed is not in the box any more, and the other goes alone', async () => {
    const [first = '', second = ''] = await inOneBox({}, {})
    await cancel(first)
    expect(await scan(second)).toMatchObject({
      box: { orderNumber: await numberOf(second), bench: { lines: [{ quantity: 1 }] } },
    })
    await scans('471', 'DONE')
    await ship(second)
    expect(await parcelOf(second)).toMatchObject({ state: 'booked', ridesIn: null })
    expect(asked).toMatchObject([{ call: 'book', request: { goodsName: 'CAP' } }])
    await clean()
  })

  it.each([0, 1])(
    'while the box is on the bench has its pieces taken out, the rest goes on (number %i of two)',
    async (which) => {
      const both = await inOneBox({ lines: lines(['CAP', 1]) }, { lines: lines(['CAP', 1]) })
      const [gone = '', stays = ''] = [both[which], both[1 - which]]
      await scans(both[0] ?? '', '*2', '471')
      await cancel(gone)
      const told = await scan('DONE')
      expect(told).toMatchObject({ closed: null, message: { tone: 'stop', en: expect.stringContaining('take CAP × 1 out') } })
      expect(told.box).toMatchObject({ stopped: true, bench: { lines: [{ orderNumber: await numberOf(stays), scanned: 1 }] } })
      expect((await scan('DONE')).message.tone).toBe('stop')
      expect((await scans('UNDO', 'DONE')).closed).toBe(await unitId(stays))
      await ship(stays)
      expect(await parcelOf(stays)).toMatchObject({ state: 'booked', ridesIn: null })
      await clean()
    },
  )

  it('after packing, before it booked, leaves the booking to the next one', async () => {
    const [first = '', second = ''] = await inOneBox({}, {})
    await scans(first, '*2', '471', 'DONE')
    await ship(second)
    const before = (await spine.order(second)).course
    await cancel(first)
    // Its workflow waits for the first one: it must look again.
    expect((await spine.order(second)).course).toBeGreaterThan(before)
    await ship(second)
    expect(await parcelOf(second)).toMatchObject({ state: 'booked', ridesIn: null })
    expect(calls()).toEqual(['book'])
    const tasks = await spine.db.pool.query<{ detail: string }>(
      `select detail from tasks where kind = 'unit.putBack' and order_id = $1`,
      [first],
    )
    expect(tasks.rows[0]?.detail).toContain(`goes on with order ${await numberOf(second)}`)
    await clean()
  })

  it('after it booked leaves box, waybill and place on the manifest to the others; the courier hears nothing', async () => {
    const [first = '', second = '', third = ''] = await inOneBox({}, {}, {})
    await scans(first, '*3', '471', 'DONE')
    await ship(first)
    const lead = await parcelOf(first)
    const manifest = await createManifest(spine.runtime, { location: 'south', courier: 'van', who: 'test' })
    await cancel(first)
    expect((await spine.order(first)).phase).toBe('cancelled')
    expect(await parcelOf(first)).toMatchObject({ state: 'void', waybill: null })
    expect(await parcelOf(second)).toMatchObject({
      state: 'booked',
      ridesIn: null,
      waybill: lead?.waybill,
      reference: lead?.reference,
    })
    expect(await parcelOf(third)).toMatchObject({ ridesIn: (await parcelOf(second))?.id, waybill: lead?.waybill })
    expect(calls()).toEqual(['book'])
    const onManifest = await manifestParcels(spine.db.pool, manifest.id)
    expect(onManifest.filter(({ waybill }) => waybill === lead?.waybill)).toMatchObject([
      { orderId: second, label: { of: lead?.reference } },
    ])
    await clean()

    // And on to the last one: the courier still speaks of the box by the reference it was booked with.
    await cancel(second)
    await clean()
    await news(lead?.reference ?? '', 'inTransit')
    expect(await parcelOf(third)).toMatchObject({ state: 'shipped', ridesIn: null, reference: lead?.reference })
    expect(calls()).toEqual(['book'])
    await clean()
  })

  it('after it was booked along with another leaves that one as it is; the last one cancels the booking', async () => {
    const [first = '', second = ''] = await inOneBox({}, {})
    await scans(first, '*2', '471', 'DONE')
    await ship(first)
    await cancel(second)
    expect(await parcelOf(second)).toMatchObject({ state: 'void' })
    expect(await parcelOf(first)).toMatchObject({ state: 'booked' })
    expect(calls()).toEqual(['book'])
    await cancel(first)
    expect(calls()).toEqual(['book', 'cancel'])
    expect(asked[1]?.request.reference).toBe((await parcelOf(first))?.reference)
    await clean()
  })

  it.each(Array.from({ length: 4 }, (_, round) => round))(
    'at the same moment as the other leaves no booking behind (round %i)',
    async () => {
      const both = await inOneBox({}, {})
      await scans(both[0] ?? '', '*2', '471', 'DONE')
      await ship(both[0] ?? '')
      await Promise.all(both.map(cancel))
      for (const id of both) expect((await spine.order(id)).phase).toBe('cancelled')
      expect(calls()).toEqual(['book', 'cancel'])
      await clean()
    },
  )
})
