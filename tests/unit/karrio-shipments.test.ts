/** Requests and answers of karrio's API as karrio 2026.1.32 gave them. */
import { describe, expect, it } from 'vitest'
import { KarrioConfig } from '../../connectors/karrio/config.ts'
import { karrio } from '../../connectors/karrio/index.ts'
import { bookingOf, draftRequest, joinLabels, parseFound, parseLabel, rateOf, told } from '../../connectors/karrio/shipments.ts'
import { mapReport, parseTrackers, readWebhook, TRACKER_STATUS } from '../../connectors/karrio/tracking.ts'
import type { ParcelRequest } from '../../connectors/kit/types.ts'

const config = KarrioConfig.parse({
  baseUrl: 'https://karrio.example',
  apiKey: 'key_secret',
  webhookSecret: 'whsec_1',
  services: { EXPRESS: { carrierId: 'peer-express', service: 'standard_service' } },
})
const parcel: ParcelRequest = {
  reference: 'OS123456789012345678',
  service: 'EXPRESS',
  method: 'home',
  cvs: null,
  sender: { name: '商店', phone: '+886227000000', postalCode: '100', address: '臺北市中正區倉庫路1號' },
  recipient: {
    name: '王小明',
    phone: '+886912345678',
    postalCode: '110',
    city: '臺北市',
    district: '信義區',
    address: '信義路五段7號',
  },
  goodsName: '服飾',
  goodsAmountMinor: 59_000,
  amountDueMinor: 0,
  weightGrams: 180,
  temperature: 'ambient',
  askedTime: null,
  notes: null,
  channelOrder: null,
}
const now = new Date('2026-11-22T12:00:00Z')
const tracker = {
  id: 'trk_1',
  tracking_number: 'W1',
  status: 'delivered',
  delivered: true,
  delivery_image: 'aGVsbG8=',
  info: { customer_name: '王小明' },
  events: [
    {
      date: '2026-11-22',
      time: '11:00',
      timestamp: '2026-11-22T03:00:00.000Z',
      status: 'delivered',
      code: 'DEL',
      description: 'Left',
    },
    { date: '2026-11-22', time: '09:30 AM', status: 'out_for_delivery', code: 'OFD', description: 'On the van' },
    { date: '2026-11-21', time: '08:00 PM', code: 'X', description: 'no status of its own' },
  ],
}

describe('booking', () => {
  it('drafts under our reference, names one carrier and service, and buys nothing yet', () => {
    const made = draftRequest(config, parcel)
    expect(made).toMatchObject({ method: 'POST', url: 'https://karrio.example/v1/shipments', write: true })
    expect(made.body).toMatchObject({
      reference: parcel.reference,
      carrier_ids: ['peer-express'],
      services: ['standard_service'],
      recipient: { person_name: '王小明', city: '臺北市', address_line1: '信義區信義路五段7號', country_code: 'TW' },
      parcels: [{ weight: 0.18, weight_unit: 'KG', reference_number: parcel.reference }],
    })
    expect(made.body).not.toHaveProperty('service')
  })

  it('collects cash only where the carriers do, and believes what karrio says of it', () => {
    const cod = { ...parcel, amountDueMinor: 59_000 }
    expect(() => draftRequest(config, cod)).toThrow(expect.objectContaining({ kind: 'Rejected', code: 'no-cod' }) as Error)
    expect(draftRequest({ ...config, cashOnDelivery: true }, cod).body).toMatchObject({ options: { cash_on_delivery: 590 } })
    expect(bookingOf({ id: 'shp_1', status: 'created', options: { cash_on_delivery: 590 } }, cod).labelAmountMinor).toBe(59_000)
    expect(bookingOf({ id: 'shp_1', status: 'created', options: {} }, cod).labelAmountMinor).toBe(0)
  })

  it('asks the carriers to insure only where they do, in the currency of the shipment, and believes what karrio says of it', () => {
    const dear = { ...parcel, insured: { valueMinor: 1_250_000, currency: 'TWD' } }
    expect(draftRequest(config, dear).body).not.toHaveProperty('options.insurance')
    const insuring = { ...config, insurance: true }
    expect(draftRequest(insuring, dear).body).toMatchObject({ options: { insurance: 12_500, currency: 'TWD' } })
    expect(draftRequest(insuring, parcel).body).not.toHaveProperty('options.insurance')
    const dollars = { ...parcel, insured: { valueMinor: 40_000, currency: 'USD' } }
    expect(draftRequest(insuring, dollars).body).not.toHaveProperty('options.insurance')
    expect(bookingOf({ id: 'shp_1', status: 'created', options: { insurance: 12_500 } }, dear).insuredMinor).toBe(1_250_000)
    expect(bookingOf({ id: 'shp_1', status: 'created', options: {} }, dear).insuredMinor).toBeNull()
  })

  it('refuses a masked recipient in words', () => {
    const masked = { ...parcel, recipient: { ...parcel.recipient, address: null } }
    expect(() => draftRequest(config, masked)).toThrow(
      expect.objectContaining({ kind: 'Invalid', code: 'missing-address' }) as Error,
    )
  })

  it('buys exactly the service that was asked for', () => {
    const rates = [
      { id: 'rat_1', carrier_id: 'peer-express', service: 'premium' },
      { id: 'rat_2', carrier_id: 'peer-express', service: 'standard_service' },
    ]
    expect(rateOf(config, parcel, { id: 'shp_1', status: 'draft', rates })).toBe('rat_2')
    const draft = { id: 'shp_1', status: 'draft', rates: [], messages: [{ code: '1', message: "no route to '信義路'" }] }
    expect(() => rateOf(config, parcel, draft)).toThrow('karrio: peer-express offers no standard_service: no route to …')
  })

  it('finds what is exactly ours: karrio also finds parts of a reference', () => {
    const results = [
      { id: 'shp_1', status: 'draft', reference: 'A1' },
      { id: 'shp_2', status: 'cancelled', reference: 'A1' },
      { id: 'shp_3', status: 'created', reference: 'A12' },
      { id: 'shp_4', status: 'created', reference: 'A1' },
    ]
    expect(parseFound({ results }, 'A1').map(({ id }) => id)).toEqual(['shp_4', 'shp_1'])
  })

  it('tells refusals of karrio and of the carrier without what they quote', () => {
    expect(told({ errors: [{ code: 'validation', message: 'recipient.country_code: "XX" is not a valid choice.' }] })).toEqual({
      code: 'validation',
      message: 'recipient.country_code: … is not a valid choice.',
    })
    expect(told({ messages: [{ code: 'SHIPPING_SDK', message: 'this operation is not supported.' }] }).code).toBe('SHIPPING_SDK')
    expect(told('<html>')).toEqual({})
  })

  it('reads labels as bytes; ZPL follows one another, PDF does not', () => {
    const pdf = parseLabel({ format: 'PDF', base64: Buffer.from([0x25, 0xff, 0x00]).toString('base64') })
    expect(pdf).toEqual({ contentType: 'application/pdf', bytes: Buffer.from([0x25, 0xff, 0x00]) })
    const zpl = parseLabel({ format: 'ZPL', base64: Buffer.from('^XA^XZ').toString('base64') })
    expect(joinLabels([zpl, zpl]).bytes.toString()).toBe('^XA^XZ^XA^XZ')
    expect(() => joinLabels([pdf, pdf])).toThrow(/one sheet/)
  })

  it('chooses the service by wish, else by method', () => {
    const { serviceFor } = karrio.courier!
    expect(serviceFor(config, { method: 'home', chain: null, wished: 'TCAT' })).toBe('EXPRESS')
    expect(serviceFor(config, { method: 'home', chain: null, wished: 'EXPRESS' })).toBe('EXPRESS')
    expect(() => serviceFor(config, { method: 'cvs', chain: 'FAMI', wished: null })).toThrow(/pick-up point/)
  })
})

describe('tracking', () => {
  it('makes a record of each event that says its status, at its own time or that of its place', () => {
    const records = parseTrackers({ results: [{ ...tracker, tracking_number: 'W12' }, tracker] }, { waybill: 'W1', config, now })
    expect(records?.map((record) => mapReport(record))).toMatchObject([
      { waybill: 'W1', meaning: 'delivered', code: 'delivered', detail: 'DEL Left', eventAt: '2026-11-22T03:00:00.000Z' },
      { meaning: 'outForDelivery', eventAt: '2026-11-22T01:30:00.000Z' },
    ])
    expect(JSON.stringify(records)).not.toMatch(/王小明|aGVsbG8/)
    expect(parseTrackers({ results: [] }, { waybill: 'W1', config, now })).toBeNull()
  })

  it("tells the parcel's own status where no event says it, under the same version each time", () => {
    const silent = { ...tracker, status: 'on_hold', updated_at: '2026-11-22T05:00:00Z', events: [] }
    const read = (at: Date) => parseTrackers({ results: [silent] }, { waybill: 'W1', config, now: at })?.[0]
    expect(mapReport(read(now)!)).toMatchObject({ meaning: 'problem', eventAt: '2026-11-22T05:00:00.000Z' })
    expect(read(new Date('2027-01-01T00:00:00Z'))?.version).toBe(read(now)?.version)
  })

  it('knows every status of karrio, and keeps one that it does not know', () => {
    const all =
      'pending picked_up unknown on_hold cancelled delivered in_transit delivery_delayed out_for_delivery ready_for_pickup delivery_failed return_to_sender'
    for (const status of all.split(' ')) expect(TRACKER_STATUS).toHaveProperty(status)
    const record = { payload: { waybill: 'W1', status: 'constructor' }, eventAt: '2026-11-22T05:00:00Z' }
    expect(mapReport(record)).toMatchObject({ meaning: 'unknown', code: 'constructor' })
  })
})

describe('webhook', () => {
  const rawBody = Buffer.from(JSON.stringify({ event: 'tracker_updated', data: tracker }))
  const hook = (headers: Record<string, string>, body = rawBody, secret: string | null = 'whsec_1') =>
    readWebhook({ ...config, webhookSecret: secret }, { headers, rawBody: body, now })

  it('is taken with the secret in its header, and holds no news of other things', () => {
    expect(hook({ 'X-Event-Id': 'whsec_1' })).toHaveLength(2)
    const bought = Buffer.from(JSON.stringify({ event: 'shipment_purchased', data: { id: 'shp_1' } }))
    expect(hook({ 'x-event-id': 'whsec_1' }, bought)).toEqual([])
  })

  it('is refused with another secret, without a header, and where the connection has none', () => {
    const forged = expect.objectContaining({ kind: 'Rejected', code: 'forged' }) as Error
    expect(() => hook({ 'x-event-id': 'whsec_2' })).toThrow(forged)
    expect(() => hook({})).toThrow(forged)
    expect(() => hook({ 'x-event-id': '' }, rawBody, null)).toThrow(forged)
  })
})
