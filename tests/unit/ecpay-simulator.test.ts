/** Our connector against the stand-in: two writings of the same rules must agree. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ecpay } from '../../connectors/ecpay/index.ts'
import type { ParcelReport, ParcelRequest } from '../../connectors/kit/types.ts'
import { startEcpaySimulator, type EcpaySimulator } from '../../simulators/ecpay/index.ts'
import { configOf, contextOf, cvs, home, NOW } from './ecpay-fixtures.ts'

const courier = ecpay.courier
if (!courier) throw new Error('no courier')

let sim: EcpaySimulator
let receiver: Server
let reports: ParcelReport[] = []
let refused = 0
let unanswered = 0
let replyUrl = ''
const context = (over: Record<string, unknown> = {}, limits = {}) =>
  contextOf(configOf({ baseUrl: sim.url, serverReplyUrl: replyUrl, ...over }), limits)

beforeEach(async () => {
  reports = []
  refused = 0
  unanswered = 0
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (unanswered > 0) {
        unanswered -= 1
        response.writeHead(503).end('busy')
        return
      }
      try {
        const { records, answer } = ecpay.receiveWebhook?.(context(), { headers: {}, rawBody: Buffer.concat(chunks) }) ?? {
          records: [],
          answer: { status: 500, body: '' },
        }
        reports.push(...records.map((record) => courier.mapReport(record)))
        response.writeHead(answer.status).end(answer.body)
      } catch {
        refused += 1 // what the connector refuses is counted; the test says how many
        response.writeHead(400).end('0|')
      }
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  replyUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks/ecpay`
  sim = await startEcpaySimulator({ now: () => NOW.getTime(), callbackRetryMs: 1 })
})
afterEach(async () => {
  await sim.stop()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

const control = (path: string, body?: unknown) =>
  fetch(
    `${sim.url}/_sim${path}`,
    body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
  )
const C2C = { merchantId: '2000933', hashKey: 'XBERn1YOvpM9nfZc', hashIv: 'h1ONHk4P4yqbl5LK' }
const seller = { ...cvs.sender, phone: '0911222333' }

describe('booking at the simulator', () => {
  it.each<[string, ParcelRequest, Record<string, unknown>]>([
    ['T-cat', home, {}],
    ['T-cat, frozen, afternoon, with notes', { ...home, temperature: 'frozen', askedTime: '下午', notes: '易碎 <小心>' }, {}],
    ['the post office', { ...home, service: 'POST' }, {}],
    ['7-ELEVEN collecting', { ...cvs, amountDueMinor: 65_000 }, {}],
    ['FamilyMart collecting', { ...cvs, service: 'FAMI', cvs: { chain: 'FAMI', storeId: '006598' }, amountDueMinor: 65_000 }, {}],
    ['Hi-Life', { ...cvs, service: 'HILIFE', cvs: { chain: 'HILIFE', storeId: '2001' } }, {}],
    ['7-ELEVEN store to store', { ...cvs, service: 'UNIMARTC2C', sender: seller, amountDueMinor: 65_000 }, C2C],
    ['OKmart store to store', { ...cvs, service: 'OKMARTC2C', sender: seller, cvs: { chain: 'OKMART', storeId: '1328' } }, C2C],
  ])('takes %s, and the look-up finds the same parcel', async (_name, parcel, account) => {
    const booking = await courier.book(context(account), parcel)
    expect(booking.waybill).toBeTruthy()
    expect(booking.labelAmountMinor).toBe(parcel.amountDueMinor)
    expect(await courier.lookUp(context(account), parcel)).toMatchObject({
      courierBookingId: booking.courierBookingId,
      labelAmountMinor: parcel.amountDueMinor,
    })
    expect(sim.parcels()).toHaveLength(1)
  })

  it('refuses a used number, and the connector asks to look it up instead of booking again', async () => {
    await courier.book(context(), home)
    await expect(courier.book(context(), home)).rejects.toMatchObject({ kind: 'OutcomeUnknown', code: 'duplicate' })
    expect(sim.parcels()).toHaveLength(1)
  })
  it('refuses store-to-store for a bulk account, collection at the door, and a wrong key', async () => {
    await expect(courier.book(context(), { ...cvs, service: 'UNIMARTC2C', sender: seller })).rejects.toMatchObject({
      kind: 'Rejected',
    })
    await expect(courier.book(context({ homeCollection: true }), { ...home, amountDueMinor: 59_000 })).rejects.toMatchObject({
      kind: 'Rejected',
    })
    await expect(courier.book(context({ hashKey: 'wrong' }), home)).rejects.toMatchObject({ kind: 'Misconfigured' })
    expect((await ecpay.check(context({ hashKey: 'wrong' }))).ok).toBe(false)
    expect((await ecpay.check(context())).ok).toBe(true)
  })
  it('remembers its parcels over a restart, and goes on with the same numbers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ecpay-sim-'))
    const options = { stateFile: join(folder, 'parcels.json'), now: () => NOW.getTime() }
    await sim.stop()
    sim = await startEcpaySimulator(options)
    const first = await courier.book(context(), home)
    await sim.advance(home.reference, { to: 'shipped' })
    await sim.stop()
    sim = await startEcpaySimulator(options)
    expect(await courier.lookUp(context(), home)).toMatchObject({ courierBookingId: first.courierBookingId })
    await expect(courier.book(context(), home)).rejects.toMatchObject({ code: 'duplicate' })
    expect((await courier.book(context(), { ...home, reference: 'OS2' })).courierBookingId).not.toBe(first.courierBookingId)
    await sim.advance(home.reference, { to: 'delivered' })
    expect(reports.map((report) => report.meaning)).toEqual(['announced', 'shipped', 'outForDelivery', 'delivered'])
    rmSync(folder, { recursive: true })
  })
  it('is not booked before it is sent', async () => {
    expect(await courier.lookUp(context(), home)).toBeNull()
  })
  it('cancels a store-to-store parcel before it is handed in, and not after', async () => {
    const parcel = { ...cvs, service: 'UNIMARTC2C', sender: seller }
    const { waybill, courierBookingId } = await courier.book(context(C2C), parcel)
    const args = { reference: parcel.reference, courierBookingId, waybill, service: parcel.service }
    await courier.cancel(context(C2C), args)
    expect(sim.parcels()[0]?.cancelled).toBe(true)
    await expect(courier.cancel(context(C2C), args)).rejects.toMatchObject({ kind: 'Rejected' })
  })
})

describe('faults', () => {
  it.each<[Record<string, unknown>, Record<string, unknown>, number]>([
    [{ kind: 'refuse', message: '餘額不足' }, { kind: 'Rejected', message: 'ECPay: 餘額不足' }, 0],
    [{ kind: 'rateLimit', retryAfter: 3 }, { kind: 'RateLimited', retryAfterMs: 3000 }, 0],
    [{ kind: 'serverError' }, { kind: 'OutcomeUnknown' }, 0],
    [{ kind: 'hang' }, { kind: 'OutcomeUnknown', code: 'timeout' }, 0],
    [{ kind: 'lostAnswer' }, { kind: 'OutcomeUnknown' }, 1],
    [{ kind: 'silentSuccess' }, { kind: 'OutcomeUnknown', code: 'timeout' }, 1],
    [{ kind: 'crashAfter' }, { kind: 'OutcomeUnknown' }, 1],
  ])('%j at Create is %j, with %i parcel booked', async (fault, expected, booked) => {
    await control('/faults', { path: '/Express/Create', fields: { ReceiverName: '^王小明$' }, ...fault })
    await expect(courier.book(context({}, { timeoutMs: 3_000 }), home)).rejects.toMatchObject(expected)
    expect(sim.parcels()).toHaveLength(booked)
    expect((await courier.lookUp(context(), home)) === null).toBe(booked === 0)
  })
  it('hits the nth matching request, as often as told', async () => {
    sim.faults.add({ kind: 'refuse', path: '/Express/Create', nth: 2, times: 1 })
    const numbered = (n: number) =>
      courier.book(context(), { ...home, reference: `OS${n}` }).then(
        () => 'booked',
        () => 'refused',
      )
    expect([await numbered(1), await numbered(2), await numbered(3)]).toEqual(['booked', 'refused', 'booked'])
  })
})

describe('status reports', () => {
  it('walks a parcel to its end and reports each step in order', async () => {
    await courier.book(context(), home)
    await control(`/parcels/${home.reference}/advance`, { to: 'delivered' })
    expect(reports.map((report) => report.meaning)).toEqual(['announced', 'shipped', 'outForDelivery', 'delivered'])
    expect(new Set(reports.map((report) => report.eventAt)).size).toBe(4)
    expect(reports[0]).toMatchObject({ reference: home.reference, courierBookingId: sim.parcels()[0]?.allPayLogisticsId })
  })
  it('goes on from where the parcel is', async () => {
    await courier.book(context(), cvs)
    await sim.advance(cvs.reference, { to: 'shipped' })
    await sim.advance(cvs.reference, { to: 'returned' })
    expect(reports.map((report) => report.meaning)).toEqual([
      'announced',
      'announced',
      'shipped',
      'arrivedAtPickup',
      'returning',
      'returning',
      'returned',
    ])
  })
  it('sends twice and out of order when told to', async () => {
    await courier.book(context(), home)
    await sim.advance(home.reference, { to: 'delivered', twice: true, shuffle: true })
    expect(reports.map((report) => report.code)).toEqual(['3003', '3003', '3006', '3006', '3001', '3001', '310', '310'])
  })
  it('sends single reports twice, late or after a forged one where the plan says so', async () => {
    await courier.book(context(), home)
    await control('/faults', [
      { kind: 'heldBack', fields: { RtnCode: '^310$' } },
      { kind: 'twice', fields: { RtnCode: '^3006$' } },
      { kind: 'forged', fields: { RtnCode: '^3003$' } },
    ])
    await sim.advance(home.reference, { to: 'delivered' })
    expect(reports.map((report) => report.code)).toEqual(['3001', '310', '3006', '3006', '3003'])
    expect(refused).toBe(1)
  })
  it('sends again until it is answered 1|OK, and gives up after a while', async () => {
    await courier.book(context(), home)
    unanswered = 2
    await sim.advance(home.reference, { code: '310' })
    expect(sim.callbacks().map(({ attempt, answer }) => [attempt, answer])).toEqual([
      [1, 'busy'],
      [2, 'busy'],
      [3, '1|OK'],
    ])
    unanswered = 99
    await sim.advance(home.reference, { code: '3001' })
    expect(sim.callbacks().filter(({ code }) => code === '3001')).toHaveLength(4)
  })
  it('sends a forged report, which is refused, and an unknown code, which is kept', async () => {
    await courier.book(context(), home)
    await sim.forge(home.reference)
    expect([refused, reports]).toEqual([1, []])
    await sim.advance(home.reference, { code: '8765' })
    expect(reports).toMatchObject([{ code: '8765', meaning: 'unknown' }])
  })
  it('walks every parcel by itself, each to its own outcome', async () => {
    await courier.book(context(), home)
    await courier.book(context(), { ...cvs, reference: 'OSRETURNED', recipient: { ...cvs.recipient, name: '陳退貨' } })
    await control('/auto', {
      speedMs: 2,
      twice: true,
      shuffle: true,
      outcomes: [{ fields: { ReceiverName: '退貨' }, outcome: 'returned' }],
    })
    const ended = () =>
      new Set(reports.filter((report) => ['delivered', 'returned'].includes(report.meaning)).map((report) => report.reference))
    await expect.poll(() => ended().size, { timeout: 5000 }).toBe(2)
    await sim.idle()
    expect(reports.filter((report) => report.reference === 'OSRETURNED').map((report) => report.meaning)).toContain('returned')
    expect(reports.filter((report) => report.reference === home.reference && report.meaning === 'delivered')).toHaveLength(2)
  })
})
