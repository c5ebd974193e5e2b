import { startEasypostSimulator, TEST_KEY, WEBHOOK_SECRET } from '../../../simulators/easypost/index.ts'
import { aParcel, bookOnce, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

const SEEDED = 'OSACCEPTANCE00000002'
const parcel = aParcel({ service: 'USPS/GroundAdvantage' })

export const subject: Subject = {
  name: 'easypost',
  async stage() {
    const sim = await startEasypostSimulator()
    const from = {
      company: '測試商店',
      street1: '重慶南路一段1號',
      city: '臺北市',
      zip: '100',
      country: 'TW',
      phone: '+886223456789',
    }
    const api = async (path: string, body: unknown) =>
      (await (
        await fetch(`${sim.url}/v2${path}`, {
          method: 'POST',
          headers: {
            authorization: `Basic ${Buffer.from(`${TEST_KEY}:`).toString('base64')}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify(body),
        })
      ).json()) as { id: string; rates: { id: string; carrier: string }[] }
    const to = { name: RECIPIENT.name, street1: RECIPIENT.address, city: '新北市', country: 'TW' }
    const seeded = await api('/shipments', {
      shipment: { reference: SEEDED, to_address: to, from_address: from, parcel: { weight: 10 } },
    })
    await api(`/shipments/${seeded.id}/buy`, { rate: { id: seeded.rates[0]?.id } })
    sim.track(seeded.id, {})
    const before = sim.purchases()
    const tomorrow = Date.now() + 86_400_000
    const pickup = {
      reference: 'm-acceptance',
      fromIso: new Date(tomorrow).toISOString(),
      untilIso: new Date(tomorrow + 14_400_000).toISOString(),
      parcels: [
        {
          reference: SEEDED,
          courierBookingId: seeded.id,
          waybill: null,
          service: '',
          label: { carrier: seeded.rates[0]?.carrier },
        },
      ],
      instructions: null,
    }
    return {
      config: { apiKey: TEST_KEY, webhookSecret: WEBHOOK_SECRET, baseUrl: sim.url, from },
      secrets: [TEST_KEY, WEBHOOK_SECRET, Buffer.from(`${TEST_KEY}:`).toString('base64')],
      personalData: [RECIPIENT.name, RECIPIENT.phone, RECIPIENT.address],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { apiKey: 'not the key at all' }, says: /API key/ },
        { name: 'nobody there', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection|baseUrl/ },
      ],
      read: {
        run: (ctx, { courier }) => courier!.lookUp(ctx, aParcel({ reference: SEEDED })),
        request: { path: '/v2/shipments/', method: 'GET' },
      },
      writes: [
        {
          name: 'courier.book',
          run: (ctx, connector) => bookOnce(ctx, connector, parcel),
          effects: () => sim.purchases() - before,
          request: { path: '/buy', method: 'POST' },
        },
        {
          name: 'courier.book, made and not bought yet',
          run: (ctx, connector) => bookOnce(ctx, connector, parcel),
          effects: () => sim.purchases() - before,
          request: { path: '/v2/shipments', method: 'POST' },
        },
        {
          name: 'courier.requestPickup',
          run: async (ctx, { courier }) =>
            (await courier!.lookUpPickup!(ctx, pickup.reference)) ?? (await courier!.requestPickup!(ctx, pickup)),
          effects: () => sim.collections(),
          request: { path: '/buy', method: 'POST' },
        },
      ],
      webhook: {
        genuine: () => sim.event(SEEDED),
        records: 1,
        signatureHeader: 'x-hmac-signature',
        withoutSecret: { webhookSecret: '' },
      },
      expireToken: { expire: () => sim.revoke(), refreshes: false },
      lenient: {
        unknownStatus: {
          record: {
            kind: 'courierStatus',
            externalId: 'trk_1',
            version: '1',
            eventAt: '2026-11-22T10:00:00Z',
            payload: { status: 'teleported', statusDetail: null, trackingCode: '9400', shipmentId: null },
          },
          seen: (mapped) =>
            (mapped as { code: string }).code === 'teleported' && (mapped as { meaning: string }).meaning === 'unknown',
        },
        malformed: { kind: 'courierStatus', externalId: 'trk_1', version: '2', eventAt: null, payload: { trackingCode: '9400' } },
      },
      stop: () => sim.stop(),
    }
  },
}
