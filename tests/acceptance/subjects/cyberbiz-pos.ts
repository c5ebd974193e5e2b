import type { RawRecord } from '../../../connectors/kit/types.ts'
import { seedOrders, startCyberbizSimulator } from '../../../simulators/cyberbiz/index.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { token: 'acceptance-jwt-token', appSecret: 'acceptance-app-secret', shopDomain: 'example.cyberbiz.co' }
const MINUTE = 60_000

const sale = (over: Record<string, unknown>): RawRecord => ({
  kind: 'sale',
  externalId: '9002',
  version: '1',
  eventAt: null,
  payload: { id: 9002, created_at: '2026-11-22 10:00:00', updated_at: '2026-11-22 10:00:00', ...over },
})

export const subject: Subject = {
  name: 'cyberbiz-pos',
  async stage() {
    const sim = await startCyberbizSimulator({ ...ACCOUNT, pageCap: 6 })
    const until = Date.now() - 10 * MINUTE
    const sales = seedOrders(8, { newest: new Date(until), posShopId: 3 })
    sim.seed(sales)
    sim.stock([], [{ id: 3, name: '信義店' }])
    return {
      config: { ...ACCOUNT, baseUrl: sim.url, posShops: { 3: 'store-taipei' } },
      secrets: [ACCOUNT.token, ACCOUNT.appSecret],
      personalData: sales.flatMap((order) => [
        (order.receiver as { phone: string }).phone,
        (order.buyer as { email: string }).email,
      ]),
      faults: sim.faults,
      bad: [
        { name: 'a wrong token', config: { token: 'wrong' }, says: /token/ },
        { name: 'a shop that is not there', config: { posShops: { 9: 'store-taipei' } }, says: /POS shop 9/ },
      ],
      read: {
        request: { path: '/v1/orders', method: 'GET' },
        async run(ctx, { pullSales }) {
          const window = { from: new Date(until - 60 * MINUTE), to: new Date(until + MINUTE) }
          for await (const page of pullSales!(ctx, window)) if (page.length === 0) throw new Error('an empty page')
        },
      },
      webhook: {
        genuine() {
          const { headers, body } = sim.signedWebhook('orders/create', sales[0]!.id)
          return { headers, rawBody: Buffer.from(body) }
        },
        records: 1,
        signatureHeader: 'x-cyberbiz-hmac-sha256',
        withoutSecret: { appSecret: null },
      },
      expireToken: { expire: () => sim.refuseToken(Number.POSITIVE_INFINITY), refreshes: false },
      lenient: { malformed: sale({ line_items: 'none' }) },
      stop: sim.stop,
    }
  },
}
