import { API_KEY, CARRIER_ID, SERVICE, startKarrioSimulator, WEBHOOK_SECRET } from '../../../simulators/karrio/index.ts'
import { aParcel, bookOnce, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

const report = (payload: Record<string, unknown>) => ({
  kind: 'courierStatus' as const,
  externalId: 'SIM0000000001',
  version: '1',
  eventAt: '2026-11-22T03:00:00.000Z',
  payload: { waybill: 'SIM0000000001', ...payload },
})

export const subject: Subject = {
  name: 'karrio',
  async stage() {
    const sim = await startKarrioSimulator()
    const parcel = aParcel({ service: 'EXPRESS' })
    const bought = () => sim.shipments(parcel.reference).filter(({ status }) => status === 'created').length
    const webhook = () =>
      sim.carrierReports('SIM0000000001', {
        status: 'delivered',
        description: 'Left with the guard',
        at: '2026-11-22T03:00:00.000Z',
      })
    return {
      config: {
        baseUrl: sim.url,
        apiKey: API_KEY,
        webhookSecret: WEBHOOK_SECRET,
        services: { EXPRESS: { carrierId: CARRIER_ID, service: SERVICE } },
      },
      secrets: [API_KEY, WEBHOOK_SECRET],
      personalData: [RECIPIENT.name, RECIPIENT.phone, RECIPIENT.address],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { apiKey: 'key_wrong' }, says: /API key/ },
        {
          name: 'a carrier that is not there',
          config: { services: { A: { carrierId: 'nobody', service: 'x' } } },
          says: /nobody/,
        },
        { name: 'a service that is not there', config: { homeService: 'SLOW' }, says: /no service SLOW/ },
        { name: 'no service', config: { services: {} }, says: /services/ },
        { name: 'nobody there', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection/ },
      ],
      read: {
        run: (ctx, { courier }) => courier!.lookUp(ctx, parcel),
        request: { path: '/v1/shipments', method: 'GET' },
      },
      writes: [
        {
          name: 'courier.book',
          run: (ctx, connector) => bookOnce(ctx, connector, parcel),
          effects: bought,
          request: { path: '/purchase', method: 'POST' },
        },
        {
          name: 'courier.book draft',
          run: (ctx, connector) => bookOnce(ctx, connector, parcel),
          effects: bought,
          request: { path: '/v1/shipments', method: 'POST' },
        },
        {
          name: 'courier.bookReturn',
          run: (ctx, { courier }) => courier!.bookReturn!(ctx, { ...parcel, original: null }),
          effects: bought,
          request: { path: '/purchase', method: 'POST' },
        },
      ],
      webhook: {
        genuine: webhook,
        records: 2,
        signatureHeader: null,
        forge: () => ({ ...webhook(), headers: { 'content-type': 'application/json', 'x-event-id': 'whsec_forged' } }),
        withoutSecret: { webhookSecret: null },
      },
      expireToken: { expire: sim.revokeKey, refreshes: false },
      lenient: {
        unknownStatus: {
          record: report({ status: 'teleported', code: 'T1' }),
          seen: (mapped) =>
            (mapped as { code: string; meaning: string }).code === 'teleported' &&
            (mapped as { meaning: string }).meaning === 'unknown',
        },
        malformed: report({ waybill: '' }),
      },
      stop: sim.stop,
    }
  },
}
