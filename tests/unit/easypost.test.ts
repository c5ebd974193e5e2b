/** EasyPost: its published answers, its official client as oracle, and the stand-in. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import officialClient from '@easypost/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EasypostConfig } from '../../connectors/easypost/config.ts'
import { easypost } from '../../connectors/easypost/index.ts'
import { bookingOf, createRequest, insuranceOf, rateFor, shipmentOf, Tracker } from '../../connectors/easypost/shipments.ts'
import { buyRequest, comingOf, pickupOf, pickupRequest } from '../../connectors/easypost/pickups.ts'
import { DETAILS, meaningOf, STATUSES } from '../../connectors/easypost/status.ts'
import { recordsOf, signatureOf } from '../../connectors/easypost/trackers.ts'
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits } from '../../connectors/kit/limits.ts'
import type { BookedParcel, ConnectorContext, ParcelRequest, PickupRequest } from '../../connectors/kit/types.ts'
import { startEasypostSimulator, TEST_KEY, WEBHOOK_SECRET, type EasypostSimulator } from '../../simulators/easypost/index.ts'

/** What is used of the official client; its own types are of a CommonJS module that it is not. */
interface Made {
  id: string
  tracking_code: string
  rates: { id: string }[]
}
const EasyPostClient = officialClient as unknown as new (
  key: string,
  options: { baseUrl: string },
) => {
  Shipment: {
    create(shipment: unknown): Promise<Made>
    buy(id: string, rate: string): Promise<Made>
    retrieve(id: string): Promise<Made>
  }
  Pickup: {
    create(pickup: unknown): Promise<{ id: string; pickup_rates: { carrier: string; service: string }[] }>
    buy(id: string, carrier: string, service: string): Promise<{ confirmation: string }>
    retrieve(id: string): Promise<{ id: string; confirmation: string }>
  }
  Utils: { validateWebhook(body: Buffer, headers: Record<string, string>, secret: string): unknown }
}

const { courier } = easypost
if (!courier) throw new Error('no courier')
const file = (name: string) => readFileSync(new URL(`./easypost-answers/${name}`, import.meta.url), 'utf8')
const answer = (name: string) => file(`${name}.json`)

let sim: EasypostSimulator
beforeEach(async () => {
  sim = await startEasypostSimulator()
})
afterEach(() => sim.stop())
const config = (over: Record<string, unknown> = {}) =>
  EasypostConfig.parse({
    apiKey: TEST_KEY,
    webhookSecret: WEBHOOK_SECRET,
    baseUrl: sim.url,
    from: { company: 'Shop', street1: '19 Sanchong Rd', city: 'Taipei', zip: '115', country: 'TW', phone: '+886226550115' },
    ...over,
  })
const context = (over: Record<string, unknown> = {}): ConnectorContext<EasypostConfig> => ({
  connection: { name: 'easypost', connector: 'easypost', version: 1, config: config(over), paused: false },
  http: createHttpClient({
    connection: 'easypost',
    quota: { take: async () => undefined, pause: async () => undefined },
    limits: defaultLimits,
  }),
  tokens: {
    read: async () => null,
    refresh: async () => {
      throw new Error('EasyPost has no tokens')
    },
  },
  now: () => new Date(),
})
const parcel: ParcelRequest = {
  reference: 'OS0123456789ABCDEF01',
  service: 'USPS/GroundAdvantage',
  method: 'home',
  cvs: null,
  sender: { name: '', phone: '', postalCode: '', address: '' },
  recipient: {
    name: 'Wang Xiaoming',
    phone: '+886912345678',
    postalCode: '110',
    city: 'Taipei',
    district: 'Xinyi',
    address: '45 Shifu Rd',
  },
  goodsName: 'Shirt',
  goodsAmountMinor: 59_000,
  amountDueMinor: 0,
  weightGrams: 800,
  temperature: 'ambient',
  askedTime: null,
  notes: null,
  channelOrder: null,
}
const booked = async (over: Partial<ParcelRequest> = {}): Promise<BookedParcel> => {
  const request = { ...parcel, ...over }
  return { ...(await courier.book(context(), request)), reference: request.reference, service: request.service }
}

const HOUR_MS = 3_600_000
const inHours = (hours: number) => new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + hours * HOUR_MS).toISOString()
const asked = (parcels: BookedParcel[], over: Partial<PickupRequest> = {}): PickupRequest => ({
  reference: 'm-1',
  fromIso: inHours(20),
  untilIso: inHours(24),
  parcels,
  instructions: null,
  ...over,
})
const request = async (pickup: PickupRequest) => {
  if (!courier.requestPickup) throw new Error('asks for no pickups')
  return await courier.requestPickup(context(), pickup)
}

describe('published answers', () => {
  it('a shipment that was made is not booked; the one that was bought is', () => {
    expect(bookingOf(shipmentOf(JSON.parse(answer('shipments-create'))))).toBeNull()
    expect(bookingOf(shipmentOf(JSON.parse(answer('shipments-buy'))))).toMatchObject({
      waybill: '9434600208303109842228',
      courierBookingId: 'shp_40b6f049f00348b18de3804a26f7fd62',
      labelAmountMinor: 0,
      label: { carrier: 'USPS', service: 'GroundAdvantage', postage: '8.20' },
    })
  })
  it('the rate is the service asked for, or the cheapest; none is a refusal that names what there is', () => {
    const made = shipmentOf(JSON.parse(answer('shipments-create')))
    expect(made.rates?.find(({ id }) => id === rateFor(made, 'usps/priority').id)?.service).toBe('Priority')
    const cheapest = Math.min(...(made.rates ?? []).map(({ rate }) => Number(rate)))
    expect(Number(made.rates?.find(({ id }) => id === rateFor(made, 'cheapest').id)?.rate)).toBe(cheapest)
    expect(() => rateFor(made, 'DHL/Moon')).toThrow(
      expect.objectContaining({ kind: 'Rejected', remedy: expect.stringContaining('USPS/Express') as string }) as Error,
    )
  })
  it("a tracker's steps are records, whose versions stay the same when they are read again", () => {
    const tracker = Tracker.parse(JSON.parse(answer('trackers-create')))
    const records = recordsOf(tracker)
    expect(records.map(({ version }) => version)).toEqual([
      'pre_transit/status_update@2025-04-09T20:40:17Z',
      'pre_transit/status_update@2025-04-10T09:17:17Z',
    ])
    expect(recordsOf(tracker)).toEqual(records)
  })
})

describe('the official client agrees', () => {
  const client = () => new EasyPostClient(TEST_KEY, { baseUrl: `${sim.url}/v2/` })
  it("on the signature of an event, EasyPost's own vector included", () => {
    // The vector is over the text without the file's line break, whole weights written N.0.
    const body = file('event-body.txt').trim()
    const published = 'hmac-sha256-hex=38f3f53c103713df81616a0a186d77141957323ec21d5fe9363db93840f527db'
    expect(signatureOf(WEBHOOK_SECRET, body)).toBe(published)
    const validate = (text: string, secret: string) =>
      client().Utils.validateWebhook(Buffer.from(text), { 'X-Hmac-Signature': signatureOf(secret, text) }, secret)
    expect(validate(body, WEBHOOK_SECRET)).toMatchObject({ description: 'tracker.updated' })
    for (const text of ['{"weight": 614,"a":1}', '{"a":{"weight":0}}', '{"weight": 1.5}', '{"name":"王小明"}'])
      validate(text, 'ﬁ Å 密')
    expect(() =>
      client().Utils.validateWebhook(Buffer.from(body), { 'X-Hmac-Signature': signatureOf('other', body) }, WEBHOOK_SECRET),
    ).toThrow(/signature|secret/i)
  })
  it('on shipments: it finds ours by reference, and buys at the stand-in as we do', async () => {
    const ours = await booked()
    expect(await client().Shipment.retrieve(parcel.reference)).toMatchObject({
      id: ours.courierBookingId,
      tracking_code: ours.waybill,
    })
    const { shipment } = createRequest(config(), { ...parcel, reference: 'OS2' })
    const made = await client().Shipment.create(shipment)
    const theirs = await client().Shipment.buy(made.id, made.rates[0]?.id ?? '')
    expect(await courier.lookUp(context(), { ...parcel, reference: 'OS2' })).toMatchObject({ waybill: theirs.tracking_code })
  })
  it('on pickups: it finds ours by reference, and buys at the stand-in as we do', async () => {
    const one = await booked()
    const ours = await request(asked([one]))
    expect(await client().Pickup.retrieve('m-1')).toMatchObject({ id: ours.pickupId, confirmation: ours.confirmation })
    const { pickup } = pickupRequest(config(), asked([one], { reference: 'm-2' }), { shipment: { id: one.courierBookingId } })
    const made = await client().Pickup.create(pickup)
    const theirs = await client().Pickup.buy(made.id, made.pickup_rates[0]?.carrier ?? '', made.pickup_rates[0]?.service ?? '')
    expect(await courier.lookUpPickup?.(context(), 'm-2')).toMatchObject({ pickupId: made.id, confirmation: theirs.confirmation })
  })
  it('on the statuses there are, and their details', () => {
    const types = createRequire(import.meta.url)
      .resolve('@easypost/api')
      .replace(/dist\/.*$/, 'types/Tracker/')
    const listed = (file: string) =>
      [...readFileSync(`${types}${file}.d.ts`, 'utf8').matchAll(/\| '(\w+)'/g)].map((match) => match[1] ?? '').toSorted()
    expect(Object.keys(STATUSES).toSorted()).toEqual(listed('TrackerStatus'))
    expect(Object.keys(DETAILS).toSorted()).toEqual(listed('TrackerStatusDetail'))
  })
})

describe('statuses', () => {
  it.each([
    ['unknown', null, 'announced'],
    ['pre_transit', 'label_created', 'announced'],
    ['in_transit', 'received_at_origin_facility', 'shipped'],
    ['in_transit', 'arrived_at_facility', 'inTransit'],
    ['in_transit', 'lost', 'lost'],
    ['out_for_delivery', 'out_for_delivery', 'outForDelivery'],
    ['available_for_pickup', 'arrived_at_pickup_location', 'arrivedAtPickup'],
    ['delivered', 'arrived_at_destination', 'delivered'],
    ['return_to_sender', 'return', 'returning'],
    ['failure', 'delivery_exception', 'attemptFailed'],
    ['failure', 'some_new_detail', 'problem'],
    ['teleported', null, 'unknown'],
  ])('%s %s means %s', (status, detail, meaning) => {
    expect(meaningOf(status, detail)).toBe(meaning)
  })
})

describe('insurance', () => {
  const dear = { ...parcel, insured: { valueMinor: 800_000, currency: 'TWD' } }
  it('is bought with the postage, in US dollars rounded up, where the rate is known', async () => {
    expect(insuranceOf(config({ usdRate: 32 }), dear)).toBe('250.00')
    expect(insuranceOf(config({ usdRate: 31.7 }), dear)).toBe('252.37')
    expect(insuranceOf(config(), { insured: { valueMinor: 24_999, currency: 'USD' } })).toBe('249.99')
    expect(insuranceOf(config({ usdRate: 32 }), parcel)).toBeNull()
    const booking = await courier.book(context({ usdRate: 32 }), dear)
    expect(booking.insuredMinor).toBe(800_000)
    expect((await courier.lookUp(context({ usdRate: 32 }), dear))?.insuredMinor).toBe(800_000)
    const bought = await fetch(`${sim.url}/v2/shipments/${booking.courierBookingId}`, {
      headers: { authorization: `Basic ${Buffer.from(`${TEST_KEY}:`).toString('base64')}` },
    })
    expect(await bought.json()).toMatchObject({ insurance: '250.00' })
  })
  it('is not, where no rate is known: nobody says that it is', async () => {
    expect((await courier.book(context(), dear)).insuredMinor).toBeNull()
    expect([courier.insures?.(config({ usdRate: 32 })), courier.insures?.(config())]).toEqual([true, false])
  })
  it('is read from an answer as EasyPost publishes it', () => {
    const published = shipmentOf(JSON.parse(answer('shipments-buy')))
    expect([published.insurance, bookingOf(published, dear)?.insuredMinor]).toEqual(['249.99', 800_000])
  })
})

describe('at the stand-in', () => {
  it('books once: a shipment that was made and not bought is bought, not made again', async () => {
    sim.faults.add({ kind: 'lostAnswer', path: '/v2/shipments', method: 'POST' })
    await expect(courier.book(context(), parcel)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    expect(await courier.lookUp(context(), parcel)).toBeNull()
    const booking = await courier.book(context(), parcel)
    expect(sim.shipments()).toHaveLength(1)
    expect(await courier.lookUp(context(), parcel)).toEqual(booking)
    expect(await courier.book(context(), parcel)).toEqual(booking)
    expect(sim.purchases()).toBe(1)
  })
  it('abroad needs customs papers; cash, a missing weight and stores are refused before anything is sent', async () => {
    const abroad = { ...parcel, service: 'cheapest', recipient: { ...parcel.recipient, country: 'US', province: 'CA' } }
    await expect(courier.book(context(), abroad)).rejects.toMatchObject({ kind: 'Invalid', code: 'customs_info' })
    const customs = { signer: 'Chen', hsTariffNumber: '6109.10' }
    expect((await courier.book(context({ customs }), abroad)).label).toMatchObject({ carrier: 'DHLExpress' })
    for (const over of [
      { amountDueMinor: 100 },
      { weightGrams: null },
      { recipient: { ...parcel.recipient, address: null, district: null } },
    ])
      await expect(courier.book(context(), { ...parcel, reference: 'OS3', ...over })).rejects.toMatchObject({ kind: 'Invalid' })
    expect(sim.shipments()).toHaveLength(1)
    expect(() => courier.serviceFor(config(), { method: 'cvs', chain: 'FAMI', wished: null })).toThrow('no convenience stores')
    expect(courier.serviceFor(config(), { method: 'home', chain: null, wished: 'USPS/Express' })).toBe('USPS/Express')
  })
  it("a refusal is told in EasyPost's words without the customer", async () => {
    sim.faults.add({ kind: 'refuse', path: '/buy', message: 'Unable to deliver to Wang Xiaoming, 45 Shifu Rd' })
    const error = await courier.book(context(), parcel).catch((caught: unknown) => caught as Error)
    expect(error).toMatchObject({ kind: 'Rejected', code: 'SHIPMENT.POSTAGE.FAILURE' })
    expect(String(error)).not.toContain('Wang')
    expect(String(error)).not.toContain('Shifu')
  })
  it('gives a label back once, and not when the parcel has left', async () => {
    const [one, two] = [await booked(), await booked({ reference: 'OS2' })]
    const cancel = (of: BookedParcel) => courier.cancel(context(), of)
    await cancel(one)
    await cancel(one)
    expect(sim.shipments()[0]?.refund_status).toBe('submitted')
    sim.track(two.courierBookingId, {})
    await expect(cancel(two)).rejects.toMatchObject({ kind: 'Rejected', code: 'rejected' })
  })
  it('prints a label as it is, several on one page, and again without a purchase', async () => {
    const [one, two] = [await booked(), await booked({ reference: 'OS2' })]
    const label = await courier.labels?.(context(), [one])
    expect(label?.contentType).toBe('image/png')
    expect(label?.bytes.subarray(1, 4).toString('latin1')).toBe('PNG')
    const sheet = await courier.labels?.(context(), [one, two])
    expect(sheet?.bytes.toString('utf8').match(/data:image\/png;base64/g)).toHaveLength(2)
    expect(sim.purchases()).toBe(2)
  })
  it('makes one scan form, and gives it again', async () => {
    const parcels = [await booked(), await booked({ reference: 'OS2' })]
    for (const _again of [1, 2])
      expect(await courier.manifest?.(context(), parcels)).toMatchObject({ contentType: 'application/pdf' })
    expect(sim.scanForms()).toBe(1)
  })
  it('the event and the tracker tell the same news, of the parcel that was booked', async () => {
    const one = await booked()
    sim.track(one.courierBookingId, { status: 'pre_transit', status_detail: 'label_created' })
    sim.track(one.courierBookingId, { status: 'in_transit', status_detail: 'received_at_origin_facility' })
    const asked = await courier.track?.(context(), [one])
    expect(easypost.receiveWebhook?.(context(), sim.event(one.courierBookingId)).records).toEqual(asked)
    expect(asked?.map((record) => courier.mapReport(record))).toMatchObject([
      { courierBookingId: one.courierBookingId, waybill: one.waybill, meaning: 'announced' },
      { courierBookingId: one.courierBookingId, meaning: 'shipped', code: 'in_transit/received_at_origin_facility' },
    ])
  })
  it('a wrong key stops the connection; without a secret no event is taken', async () => {
    const one = await booked()
    expect(() => easypost.receiveWebhook?.(context({ webhookSecret: '' }), sim.event(one.courierBookingId))).toThrow(
      expect.objectContaining({ code: 'forged' }) as Error,
    )
    sim.revoke()
    await expect(courier.lookUp(context(), parcel)).rejects.toMatchObject({ kind: 'Misconfigured' })
    expect(await easypost.check(context())).toMatchObject({ ok: false })
  })
})

describe('a carrier is asked to come', () => {
  it('is asked with the address of the configuration, and of the rates the cheapest of its own is bought', () => {
    expect(pickupRequest(config(), asked([], { instructions: 'Gate 2' }), { batch: { id: 'batch_1' } }).pickup).toEqual({
      reference: 'm-1',
      min_datetime: inHours(20),
      max_datetime: inHours(24),
      address: config().from,
      is_account_address: false,
      instructions: 'Gate 2',
      batch: { id: 'batch_1' },
    })
    const answer = {
      id: 'pickup_1',
      status: 'unknown',
      min_datetime: '2026-11-23T02:00:00Z',
      max_datetime: '2026-11-23T06:00:00Z',
      confirmation: null,
      messages: [{ carrier: 'USPS', type: 'rate_error', message: 'did not meet the cutoff for today' }],
      pickup_rates: [
        { carrier: 'UPS', service: 'Future-day Pickup', rate: '1.00' },
        { carrier: 'USPS', service: 'Same-day', rate: '12.50' },
        { carrier: 'USPS', service: 'NextDay', rate: '9.00' },
      ],
    }
    const made = pickupOf(answer)
    expect(comingOf(made)).toBeNull()
    expect(buyRequest(made, 'usps')).toEqual({ carrier: 'USPS', service: 'NextDay' })
    expect(() => buyRequest({ ...made, pickup_rates: [] }, 'USPS')).toThrow(/did not meet the cutoff/)
    expect(() => buyRequest({ ...made, status: 'canceled' }, 'USPS')).toThrow(/called off/)
    expect(comingOf(pickupOf({ ...answer, status: 'scheduled', confirmation: 'WTC63814704' }))).toEqual({
      pickupId: 'pickup_1',
      confirmation: 'WTC63814704',
      fromIso: '2026-11-23T02:00:00.000Z',
      untilIso: '2026-11-23T06:00:00.000Z',
    })
    expect(() => pickupOf({ id: 'pickup_1', status: 'scheduled' })).toThrow(/min_datetime/)
  })
  it('comes once for one parcel and for several, however often it is asked', async () => {
    const parcels = [await booked(), await booked({ reference: 'OS2' }), await booked({ reference: 'OS3' })]
    const [single, all] = [asked([parcels[0]!], { reference: 'm-0' }), asked(parcels)]
    for (const each of [single, all]) {
      const first = await request(each)
      expect(await request(each)).toEqual(first)
      expect(first).toMatchObject({ fromIso: each.fromIso, untilIso: each.untilIso })
      expect(await courier.lookUpPickup?.(context(), each.reference)).toEqual(first)
    }
    expect(sim.pickups().map(({ shipments }) => shipments)).toEqual([
      [parcels[0]?.courierBookingId],
      parcels.map(({ courierBookingId }) => courierBookingId),
    ])
    expect(sim.collections()).toBe(2)
  })
  it.each(['/pickups', '/buy', '/batches'])('is bought once when the answer of %s was lost', async (path) => {
    const parcels = [await booked(), await booked({ reference: 'OS2' })]
    sim.faults.add({ kind: 'lostAnswer', path, method: 'POST' })
    await expect(request(asked(parcels))).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    const found = await courier.lookUpPickup?.(context(), 'm-1')
    expect(found === null).toBe(path !== '/buy')
    expect(await request(asked(parcels))).toMatchObject({ confirmation: sim.pickups()[0]?.confirmation })
    expect(sim.collections()).toBe(1)
    expect(sim.pickups()).toHaveLength(1)
  })
  it('is not asked for what EasyPost refuses, and says why', async () => {
    const one = await booked()
    const dhl = await booked({ reference: 'OS4', service: 'DHLExpress/ExpressWorldwide' })
    await expect(request(asked([one, dhl]))).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'carriers',
      remedy: expect.stringContaining('telephone') as string,
    })
    await expect(request(asked([one], { fromIso: inHours(-30), untilIso: inHours(-20) }))).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'no-rate',
      message: expect.stringContaining('in the past') as string,
    })
    const backwards = asked([one], { reference: 'm-3', untilIso: inHours(2) })
    await expect(request(backwards)).rejects.toMatchObject({ kind: 'Rejected', code: 'PICKUP.REQUEST.INVALID' })
    await expect(request(asked([{ ...one, courierBookingId: 'shp_0' }], { reference: 'm-4' }))).rejects.toMatchObject({
      kind: 'Rejected',
    })
    await expect(request(asked([], { reference: 'm-6' }))).rejects.toMatchObject({ kind: 'Invalid', code: 'shipments' })
    sim.faults.add({ kind: 'refuse', path: '/buy', code: 'PICKUP.BUY.NO_MATCHING_RATES', message: 'no rates matching' })
    const refused = asked([one], { reference: 'm-5' })
    await expect(request(refused)).rejects.toMatchObject({ kind: 'Rejected', code: 'PICKUP.BUY.NO_MATCHING_RATES' })
    expect(sim.collections()).toBe(0)
    expect(await courier.lookUpPickup?.(context(), 'm-5')).toBeNull()
  })
  it('one that was called off at EasyPost is not asked again for the same time', async () => {
    const one = await booked()
    await request(asked([one]))
    const [pickup] = sim.pickups()
    if (pickup) Object.assign(pickup, { status: 'canceled' })
    expect(await courier.lookUpPickup?.(context(), 'm-1')).toBeNull()
    await expect(request(asked([one]))).rejects.toMatchObject({ code: 'canceled' })
    expect(sim.collections()).toBe(1)
  })
})
