import { startTrack17Simulator, TEST_KEY } from '../../../simulators/17track/index.ts'
import type { Subject } from '../subject.ts'

const WAYBILL = 'RR123456789TW'

export const subject: Subject = {
  name: '17track',
  async stage() {
    const sim = await startTrack17Simulator()
    const parcel = { waybill: 'RR987654321TW', courier: 'ecpay', service: 'TCAT', reference: 'OSACCEPTANCE00000001' }
    await fetch(`${sim.url}/track/v2.4/register`, {
      method: 'POST',
      headers: { '17token': TEST_KEY, 'content-type': 'application/json' },
      body: JSON.stringify([{ number: WAYBILL, tag: 'OSACCEPTANCE00000002' }]),
    })
    sim.news(WAYBILL, { description: 'Out for delivery' })
    return {
      config: { apiKey: TEST_KEY, baseUrl: sim.url },
      secrets: [TEST_KEY],
      personalData: [],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { apiKey: 'not the key at all' }, says: /key|-18010002/i },
        { name: 'nobody there', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection|baseUrl/ },
      ],
      read: { run: (ctx, { tracker }) => tracker!.poll!(ctx, [WAYBILL]), request: { path: '/gettrackinfo' } },
      writes: [
        {
          name: 'tracker.register',
          run: async (ctx, { tracker }) => {
            const refused = await tracker!.register(ctx, [parcel])
            if (refused.length > 0) throw new Error(refused[0]?.error)
          },
          effects: () => sim.numbers().filter(({ number }) => number === parcel.waybill).length,
          request: { path: '/register' },
        },
      ],
      webhook: {
        genuine: () => sim.push(WAYBILL),
        records: 1,
        signatureHeader: 'sign',
        withoutSecret: null,
      },
      expireToken: { expire: () => sim.revoke(), refreshes: false },
      lenient: {
        unknownStatus: {
          record: {
            kind: 'courierStatus',
            externalId: WAYBILL,
            version: '1',
            eventAt: '2026-11-22T10:00:00+08:00',
            payload: { status: 'InTransit', subStatus: 'InTransit_QuantumTunnelling', description: '' },
          },
          seen: (mapped) =>
            (mapped as { code: string; meaning: string }).code === 'InTransit_QuantumTunnelling' &&
            (mapped as { meaning: string }).meaning === 'unknown',
        },
        malformed: { kind: 'courierStatus', externalId: WAYBILL, version: '2', eventAt: null, payload: { description: '' } },
      },
      stop: () => sim.stop(),
    }
  },
}
