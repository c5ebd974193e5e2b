import { startWmsRestSimulator } from '../../../simulators/wms-rest/index.ts'
import { aWave, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

const advice = (over: Record<string, unknown>) => ({
  kind: 'shipmentAdvice' as const,
  externalId: 'unit-1',
  version: '1',
  eventAt: null,
  payload: { id: 'a1', unitId: 'unit-1', status: 'cancelled', eventAt: '2026-11-22T10:15:00+08:00', ...over },
})

export const subject: Subject = {
  name: 'wms-rest',
  async stage() {
    const sim = await startWmsRestSimulator()
    const known = aWave()
    const [unit] = known.units
    // Cancellations and labels are about a unit that the warehouse has.
    const before = { ...known, id: 'wave-0', units: unit ? [{ ...unit, unitId: 'unit-0' }] : [] }
    return {
      config: { baseUrl: sim.url, apiKey: sim.apiKey },
      secrets: [sim.apiKey],
      personalData: [RECIPIENT.name, RECIPIENT.phone, RECIPIENT.address],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { apiKey: 'wrong' }, says: /credentials/ },
        { name: 'no address', config: { baseUrl: 'nowhere' }, says: /baseUrl/ },
        { name: 'nobody there', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection/ },
      ],
      read: {
        run: (ctx, { warehouse }) => warehouse!.readAnswers(ctx),
        request: { path: '/answers', method: 'GET' },
      },
      writes: [
        {
          name: 'warehouse.sendWave',
          run: (ctx, { warehouse }) => warehouse!.sendWave(ctx, known),
          effects: () => sim.done('wave'),
          request: { path: '/waves', method: 'POST' },
        },
        {
          name: 'warehouse.sendCancel',
          run: async (ctx, { warehouse }) => {
            await warehouse!.sendWave(ctx, before)
            await warehouse!.sendCancel(ctx, { unitId: 'unit-0', reason: 'customer', key: 'c1' })
          },
          effects: () => sim.done('cancel'),
          request: { path: '/cancel', method: 'POST' },
        },
        {
          name: 'warehouse.sendLabel',
          run: async (ctx, { warehouse }) => {
            await warehouse!.sendWave(ctx, before)
            const label = { waybill: '900123456785', courier: 'TCAT', amountDueMinor: 0, notes: null }
            await warehouse!.sendLabel(ctx, { unitId: 'unit-0', key: 'l1', ...label })
          },
          effects: () => sim.done('label'),
          request: { path: '/label', method: 'POST' },
        },
      ],
      expireToken: { expire: sim.expireKey, refreshes: false },
      lenient: { masked: advice({}), malformed: advice({ status: 'vanished', id: 'a2' }) },
      stop: sim.stop,
    }
  },
}
