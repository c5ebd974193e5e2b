/** The connector against a running karrio and its carrier `generic`. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { karrio } from '../../connectors/karrio/index.ts'
import type { ParcelRequest } from '../../connectors/kit/types.ts'
import { contextOf } from './contextOf.ts'
import { peer, type RunningKarrio } from './karrio.ts'
import { startLossyProxy, type LossyProxy } from './lossyProxy.ts'

let running: RunningKarrio
let proxy: LossyProxy
let hooks: Server
const received: { headers: Record<string, string>; rawBody: Buffer }[] = []
const courier = karrio.courier!

beforeAll(async () => {
  running = await peer.start(() => undefined)
  proxy = await startLossyProxy(running.url)
  hooks = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers as Record<string, string>, rawBody: Buffer.concat(chunks) })
      response.end('ok')
    })
  })
  await new Promise<void>((done) => hooks.listen(0, '127.0.0.1', done))
}, 600_000)
afterAll(async () => {
  hooks?.close()
  await proxy?.stop()
  await running?.stop()
})

const context = (config: Record<string, unknown> = {}) =>
  contextOf(karrio, { ...running.connection.config, baseUrl: proxy.url, ...config })
async function ask(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const { apiKey } = running.connection.config as { apiKey: string }
  const headers = { authorization: `Token ${apiKey}`, 'content-type': 'application/json' }
  return (await (await fetch(`${running.url}${path}`, { ...init, headers })).json()) as Record<string, unknown>
}
const shipmentsOf = async (reference: string) =>
  ((await ask(`/v1/shipments?reference=${reference}`)).results as Record<string, unknown>[]).map(({ status }) => status)

let serial = 0
const parcel = (more: Partial<ParcelRequest> = {}): ParcelRequest => ({
  reference: `OSPEER${String(++serial).padStart(14, '0')}`,
  service: 'EXPRESS',
  method: 'home',
  cvs: null,
  sender: { name: 'Omnisaga', phone: '+886227000000', postalCode: '100', address: '臺北市中正區倉庫路1號' },
  recipient: {
    name: '王小明',
    phone: '+886912345678',
    postalCode: '110',
    city: '臺北市',
    district: '信義區',
    address: '信義路五段7號',
  },
  goodsName: 'Linen shirt',
  goodsAmountMinor: 59_000,
  amountDueMinor: 0,
  weightGrams: 180,
  temperature: 'ambient',
  askedTime: null,
  notes: null,
  channelOrder: null,
  ...more,
})

describe('karrio, live', () => {
  it('checks good and bad configurations', async () => {
    expect(await karrio.check(context())).toEqual({ ok: true, problems: [] })
    for (const [config, says] of [
      [{ apiKey: 'key_wrong' }, /API key/],
      [{ services: { EXPRESS: { carrierId: 'nobody', service: 'x' } } }, /no active connection nobody.*peer-express/s],
      [{ homeService: 'SLOW' }, /no service SLOW/],
    ] as const) {
      const { ok, problems } = await karrio.check(context(config))
      expect(ok).toBe(false)
      expect(problems.map(({ message, remedy }) => `${message} ${remedy}`).join('\n')).toMatch(says)
    }
  })

  it('books: a waybill, a label as PDF, found again by our reference, cancelled once', async () => {
    const wanted = parcel()
    expect(await courier.lookUp(context(), wanted)).toBeNull()
    const booking = await courier.book(context(), wanted)
    expect(booking).toMatchObject({ waybill: expect.stringMatching(/\S/), labelAmountMinor: 0 })
    expect(await courier.book(context(), wanted), 'asked again').toEqual(booking)
    expect(await courier.lookUp(context(), wanted)).toEqual(booking)
    expect(await shipmentsOf(wanted.reference)).toEqual(['created'])

    const booked = { ...booking, reference: wanted.reference, service: 'EXPRESS' }
    const label = await courier.labels!(context(), [booked])
    expect(label.contentType).toBe('application/pdf')
    expect(label.bytes.subarray(0, 5).toString()).toBe('%PDF-')
    expect(label.bytes.subarray(-8).toString()).toContain('%%EOF')
    await expect(courier.labels!(context(), [booked, booked])).rejects.toMatchObject({ kind: 'Rejected', code: 'one-label' })

    const cancelling = { ...booked, service: 'EXPRESS' }
    await courier.cancel(context(), cancelling)
    await courier.cancel(context(), cancelling)
    expect(await shipmentsOf(wanted.reference)).toEqual(['cancelled'])
    expect(await courier.lookUp(context(), wanted)).toBeNull()
  })

  it.each([
    ['the draft', '/v1/shipments'],
    ['the purchase', '/purchase'],
  ])('books once when the answer to %s is lost', async (what, path) => {
    const wanted = parcel()
    proxy.loseNext('POST', path)
    await expect(courier.book(context(), wanted)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    const known = await courier.lookUp(context(), wanted)
    expect(known === null).toBe(what === 'the draft')
    const booking = await courier.book(context(), wanted)
    if (known) expect(booking).toEqual(known)
    expect(await shipmentsOf(wanted.reference)).toEqual(['created'])
  })

  it('cancels once when the answer is lost', async () => {
    const wanted = parcel()
    const booking = await courier.book(context(), wanted)
    const cancelling = { reference: wanted.reference, service: 'EXPRESS', ...booking }
    proxy.loseNext('POST', '/cancel')
    await expect(courier.cancel(context(), cancelling)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    await courier.cancel(context(), cancelling)
    expect(await shipmentsOf(wanted.reference)).toEqual(['cancelled'])
  })

  it('takes refusals: a wrong country, an unknown carrier, a service that the carrier does not offer, cash, cold goods', async () => {
    for (const [config, more, expected] of [
      [{ countryCode: 'XX' }, {}, { kind: 'Rejected', code: 'validation' }],
      [{ services: { EXPRESS: { carrierId: 'nobody', service: 'x' } } }, {}, { kind: 'Rejected', code: 'not_found' }],
      [{ services: { EXPRESS: { carrierId: 'peer-express', service: 'x' } } }, {}, { kind: 'Rejected', code: 'no-rate' }],
      [{}, { amountDueMinor: 59_000 }, { kind: 'Rejected', code: 'no-cod' }],
      [{}, { temperature: 'frozen' as const }, { kind: 'Rejected', code: 'temperature' }],
      [{}, { service: 'SLOW' }, { kind: 'Misconfigured', code: 'no-service' }],
      [{ apiKey: 'key_wrong' }, {}, { kind: 'Misconfigured', code: 'key' }],
    ] as const) {
      const wanted = parcel(more)
      const error = await courier.book(context(config), wanted).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject(expected)
      expect(String(error)).not.toMatch(/王小明|信義路|912345678|key_/)
      expect((await shipmentsOf(wanted.reference)).filter((status) => status !== 'draft')).toEqual([])
    }
  })

  it('refuses to cancel what the carrier has', async () => {
    const wanted = parcel()
    const booking = await courier.book(context(), wanted)
    const at = new Date().toISOString()
    await running.carrierReports(booking.waybill!, { status: 'in_transit', description: 'Left the hub', at })
    await expect(
      courier.cancel(context(), { reference: wanted.reference, service: 'EXPRESS', ...booking }),
    ).rejects.toMatchObject({ kind: 'Rejected', code: 'state_error' })
  })

  it('follows a parcel to the door, asked and told by webhook', async () => {
    const { secret } = await ask('/v1/webhooks', {
      method: 'POST',
      body: JSON.stringify({
        url: `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/`,
        enabled_events: ['all'],
      }),
    })
    const wanted = parcel()
    const booking = await courier.book(context(), wanted)
    const booked = { ...booking, reference: wanted.reference, service: 'EXPRESS' }
    expect(await courier.track!(context(), [booked])).toEqual([])
    for (const [status, at] of [
      ['picked_up', '2026-11-22T01:00:00.000Z'],
      ['out_for_delivery', '2026-11-22T02:00:00.000Z'],
      ['delivered', '2026-11-22T03:00:00.000Z'],
    ] as const)
      await running.carrierReports(booking.waybill!, { status, description: `It is ${status}`, at })

    const records = await courier.track!(context(), [booked])
    const reports = records.map((record) => courier.mapReport(record)).toSorted((a, b) => a.eventAt.localeCompare(b.eventAt))
    expect(reports.filter(({ meaning }) => meaning !== 'announced')).toMatchObject([
      { meaning: 'shipped', waybill: booking.waybill, eventAt: '2026-11-22T01:00:00.000Z' },
      { meaning: 'outForDelivery', eventAt: '2026-11-22T02:00:00.000Z' },
      { meaning: 'delivered', code: 'delivered', eventAt: '2026-11-22T03:00:00.000Z' },
    ])
    const versions = records.map(({ version }) => version)
    expect((await courier.track!(context(), [booked])).map(({ version }) => version)).toEqual(versions)

    expect(received.length).toBeGreaterThan(3)
    const told = received.flatMap((request) => karrio.receiveWebhook!(context({ webhookSecret: secret }), request).records)
    expect(told.some((record) => courier.mapReport(record).meaning === 'delivered')).toBe(true)
    expect(versions).toEqual(
      expect.arrayContaining(told.filter(({ externalId }) => externalId === booking.waybill).map(({ version }) => version)),
    )
    expect(JSON.stringify([...records, ...told])).not.toMatch(/王小明|信義路|912345678/)
    for (const config of [{ webhookSecret: 'whsec_other' }, {}])
      expect(() => karrio.receiveWebhook!(context(config), received[0]!)).toThrow(/webhook refused/)
  })

  it('books a return from the customer to us', async () => {
    const { sender, recipient, ...rest } = parcel()
    const from = { name: recipient.name, phone: recipient.phone, postalCode: '110', address: '臺北市信義區信義路五段7號' }
    const to = { ...recipient, name: sender.name, phone: sender.phone, address: sender.address, district: null }
    const booking = await courier.bookReturn!(context(), { ...rest, sender: from, recipient: to, original: null })
    expect(booking.waybill).toMatch(/\S/)
    const shipment = await ask(`/v1/shipments/${booking.courierBookingId}`)
    expect(shipment).toMatchObject({
      status: 'created',
      shipper: { person_name: '王小明' },
      recipient: { person_name: 'Omnisaga' },
    })
  })
})
