import { startAftershipSimulator } from '../../../simulators/aftership/index.ts'
import type { Subject } from '../subject.ts'
import { RECIPIENT } from '../samples.ts'

const WAYBILL = 'JP-4005-1122-3344'
const TRACKINGS = '/tracking/2026-07/trackings'
const aRecord = (version: string, payload: Record<string, unknown>) => ({
  kind: 'courierStatus' as const,
  externalId: WAYBILL,
  version,
  eventAt: '2026-11-22T10:00:00+08:00',
  payload,
})

export const subject: Subject = {
  name: 'aftership',
  async stage() {
    const sim = await startAftershipSimulator({ signing: true })
    const parcel = { waybill: '400511223355', courier: 'yamato', service: 'YAMATO', reference: 'OSACCEPTANCE00000001' }
    sim.add(WAYBILL, { order_id: 'OSACCEPTANCE00000002' })
    sim.news(WAYBILL, { tag: 'InTransit', checkpoint_time: '2026-11-22T09:30:00+09:00', message: `To ${RECIPIENT.name}` })
    const { apiKey, apiSecret, webhookSecret } = sim
    return {
      config: { baseUrl: sim.url, apiKey, apiSecret, webhookSecret, slugs: { YAMATO: 'taqbin-jp' } },
      secrets: [apiKey, apiSecret, webhookSecret],
      personalData: [RECIPIENT.name],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { apiKey: 'wrong' }, says: /credentials/ },
        { name: 'a wrong secret', config: { apiSecret: 'wrong' }, says: /credentials/ },
        { name: 'no address', config: { baseUrl: 'nowhere' }, says: /baseUrl/ },
        { name: 'a key that is not known', config: { folows: ['yamato'] }, says: /folows/ },
      ],
      read: { run: (ctx, { tracker }) => tracker!.poll!(ctx, [WAYBILL]), request: { path: TRACKINGS, method: 'GET' } },
      writes: [
        {
          name: 'tracker.register',
          run: async (ctx, { tracker }) => {
            const [refused] = await tracker!.register(ctx, [parcel])
            if (refused) throw new Error(refused.error)
          },
          effects: () => sim.trackings().filter(({ tracking_number }) => tracking_number === parcel.waybill).length,
          request: { path: TRACKINGS, method: 'POST' },
        },
      ],
      webhook: {
        genuine: () => sim.push(WAYBILL),
        records: 1,
        signatureHeader: 'aftership-hmac-sha256',
        withoutSecret: { webhookSecret: undefined },
        wrongEncoding: () => sim.signed(Buffer.from([0x22, 0xff, 0xfe, 0x22])),
      },
      expireToken: { expire: sim.revoke, refreshes: false },
      lenient: {
        unknownStatus: {
          record: aRecord('1', { tag: 'Teleported', subtag: 'Teleported_001', message: '' }),
          seen: (mapped) => {
            const { code, meaning } = mapped as { code: string; meaning: string }
            return code === 'Teleported_001' && meaning === 'unknown'
          },
        },
        masked: aRecord('2', { tag: 'InTransit', subtag: null, orderId: null }),
        malformed: aRecord('3', { message: 'no status' }),
      },
      stop: sim.stop,
    }
  },
}
