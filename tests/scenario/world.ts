/** The whole system in one process for scenario tests: real PostgreSQL, real Temporal dev server, real HTTP, real folders. */
import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Policy } from '../../domain/policy.ts'
import type { Connector } from '../../connectors/kit/types.ts'
import { connectors as registry } from '../../connectors/registry.ts'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { startServer } from '../../server/start.ts'
import { startEcpaySimulator, type EcpaySimulator } from '../../simulators/ecpay/index.ts'
import { startShopeeSimulator, type ShopeeSimulator } from '../../simulators/shopee/index.ts'
import { startWmsSimulator, type WmsSimulator } from '../../simulators/wms/index.ts'
import { audit, type AuditResult } from '../../store/audit.ts'
import { createEngineAudit } from '../../activities/engineAudit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { startWorker } from '../../worker.ts'
import { devServer, type DevServer } from '../harness/temporal.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

export const SKUS = ['TEE-S', 'TEE-M', 'CAP', 'MUG', 'RARE']
const FAST = {
  levelsMs: 100,
  stockMs: 200,
  inboxMs: 100,
  outboxMs: 100,
  wavesMs: 300,
  feedsMs: 150,
  sweepMs: 500,
  missingMs: 1_000,
  trackMs: 300,
}

/** What the scenarios read of an order's JSON. */
export interface OrderBody {
  id: string
  phase: string
  closed: boolean
  lines: { lineId: string; sku: string | null }[]
  parcels: { id: string; unitId: string; reference: string; state: string; waybill: string | null }[]
}

export interface World {
  runtime: Runtime
  engine: DevServer
  url: string
  ecpay: EcpaySimulator
  shopee: ShopeeSimulator
  wms: WmsSimulator
  /** Waits until `read` gives something other than null or undefined; the error tells what was seen last. */
  until<T>(what: string, read: () => Promise<T | null | undefined | false>, timeoutMs?: number): Promise<T>
  /** The answer's JSON is taken for what the caller says it is. */
  get<T = unknown>(path: string): Promise<{ status: number; body: T }>
  post<T = unknown>(path: string, body: unknown): Promise<{ status: number; body: T }>
  phase(orderId: string): Promise<string>
  untilPhase(orderId: string, phase: string, timeoutMs?: number): Promise<void>
  stock(sku: string, location?: string): Promise<{ onHand: number; held: number; available: number }>
  audit(): Promise<AuditResult>
  stop(): Promise<void>
}

export async function startWorld(
  options: {
    policy?: Partial<Policy>
    stock?: Record<string, number>
    secondWarehouse?: Record<string, number>
    /** Stand-ins beside the connectors that there are. */
    connectors?: Record<string, Connector>
    /** Beside those of every world. */
    connections?: { name: string; connector: string; config: Record<string, unknown> }[]
    /** Migrated and empty, for callers that are no test; a fresh one of the test run's when it is left out. */
    database?: Pick<FreshDatabase, 'url' | 'drop'>
  } = {},
): Promise<World> {
  const db = options.database ?? (await freshDatabase())
  const engine = await devServer()
  const folder = await mkdtemp(join(tmpdir(), 'omnisaga-world-'))
  const [toWarehouse, fromWarehouse] = [join(folder, 'to-warehouse'), join(folder, 'from-warehouse')]
  await mkdir(toWarehouse)
  await mkdir(fromWarehouse)
  const runtime = await createRuntime(
    {
      databaseUrl: db.url,
      temporal: { connection: { address: engine.address }, namespace: 'default' },
      secretKey: secretKeyFrom('a passphrase for tests'),
    },
    { logLevel: process.env.OMNISAGA_LOG ?? 'silent', connectors: { ...registry, ...options.connectors } },
  )
  const ecpay = await startEcpaySimulator({ callbackRetryMs: 100, homeCollection: true })
  const server = await startServer(runtime, { port: 0 })
  const push = { callbackUrl: `${server.url}/webhooks/shopee`, partnerKey: 'push-key' }
  const shopee = await startShopeeSimulator({ partnerId: 2001887, partnerKey: 'partner-key', shopId: 600000, pageCap: 20, push })
  await applyConnections(
    runtime.pool,
    runtime.secretKey,
    {
      connections: [
        {
          name: 'ecpay',
          connector: 'ecpay',
          config: {
            merchantId: '2000132',
            hashKey: '5294y06JbISpM5x9',
            hashIv: 'v77hoKGq4kWxNNIS',
            baseUrl: ecpay.url,
            serverReplyUrl: `${server.url}/webhooks/ecpay`,
            homeCollection: true,
          },
        },
        { name: 'warehouse', connector: 'wms-dropfolder', config: { outFolder: toWarehouse, inFolder: fromWarehouse } },
        { name: 'store-taipei', connector: 'store', config: { shop: 'taipei', location: 'store-taipei' } },
        { name: 'momo', connector: 'file', config: { channel: 'momo', shop: 'TP001', profile: 'momo', paysBackItself: true } },
        {
          name: 'shopee',
          connector: 'shopee',
          config: {
            partnerId: 2001887,
            partnerKey: 'partner-key',
            shopId: 600000,
            baseUrl: shopee.url,
            pushPartnerKey: push.partnerKey,
            callbackUrl: push.callbackUrl,
            ...shopee.tokens(),
          },
        },
        ...(options.connections ?? []),
      ],
      locations: [
        {
          id: 'wh-north',
          name: '北倉',
          kind: 'warehouse',
          priority: 0,
          warehouseConnection: 'warehouse',
          courierHome: 'ecpay',
          courierCvs: 'ecpay',
          sender: { name: '林小倉', phone: '+886912000111', postalCode: '251', address: '新北市淡水區中正路1號' },
        },
        ...(options.secondWarehouse
          ? [
              {
                id: 'wh-south',
                name: '南倉',
                kind: 'warehouse',
                priority: 1,
                warehouseConnection: 'warehouse',
                courierHome: 'ecpay',
                courierCvs: 'ecpay',
                sender: { name: '林小倉', phone: '+886912000222', postalCode: '802', address: '高雄市苓雅區四維路2號' },
              },
            ]
          : []),
        { id: 'store-taipei', name: '信義店', kind: 'store', ships: false, priority: 9 },
      ],
      products: SKUS.map((sku) => ({ sku, name: `商品 ${sku}` })),
      ...(options.policy ? { policy: options.policy } : {}),
    },
    runtime.connectors,
  )
  const stockUp = async (location: string, levels: Record<string, number>) => {
    for (const [sku, onHand] of Object.entries(levels))
      await transaction(runtime.pool, (tx) =>
        setOnHand(tx, { key: `count:${location}:${sku}`, sku, location, onHand, reason: 'count' }),
      )
  }
  await stockUp('wh-north', options.stock ?? { 'TEE-S': 100, 'TEE-M': 100, CAP: 100, MUG: 100 })
  await stockUp('store-taipei', { 'TEE-S': 10, 'TEE-M': 10 })
  if (options.secondWarehouse) await stockUp('wh-south', options.secondWarehouse)
  const wms = await startWmsSimulator({ inFolder: toWarehouse, outFolder: fromWarehouse, pollMs: 100 })
  const worker = await startWorker(runtime, { loops: FAST })

  const call = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${server.url}${path}`, init)
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }
  const until: World['until'] = async (what, read, timeoutMs = 60_000) => {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const seen = await read()
      if (seen !== null && seen !== undefined && seen !== false) return seen
      if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
      await new Promise((resolve) => {
        setTimeout(resolve, 50)
      }) // between two looks at the condition
    }
  }
  const get = (path: string) => call(path)
  const phase = async (orderId: string) => (await get(`/api/v1/orders/${orderId}`)).body.phase as string
  return {
    runtime,
    engine,
    url: server.url,
    ecpay,
    shopee,
    wms,
    until,
    get,
    phase,
    post: (path, body) =>
      call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    async untilPhase(orderId, wanted, timeoutMs) {
      let last = ''
      await until(`order ${orderId} is ${wanted}`, async () => (last = await phase(orderId)) === wanted, timeoutMs).catch(
        (error: Error) => {
          throw new Error(`${error.message}; it is ${last}`)
        },
      )
    },
    async stock(sku, location = 'wh-north') {
      const levels = (await get(`/api/v1/stock?sku=${sku}&location=${location}`)).body
      return (levels.stock ?? levels.levels ?? levels)[0]
    },
    audit: () => audit(runtime.pool, { engine: createEngineAudit(runtime.temporal) }),
    async stop() {
      await wms.stop()
      await ecpay.stop()
      await shopee.stop()
      await server.stop()
      await worker.stop()
      await runtime.close()
      await engine.stop()
      await db.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

let serial = 0
/** An in-store order as a store's own system sends it. */
export function storeOrder(change: Record<string, unknown> = {}): Record<string, unknown> {
  serial += 1
  return {
    connection: 'store-taipei',
    externalId: `S-${String(serial).padStart(5, '0')}`,
    kind: 'store',
    placedAt: '2026-11-22T10:00:00+08:00',
    buyer: { name: '陳測試', phone: '0912345678' },
    recipient: { name: '陳測試', phone: '0912345678', address: { raw: '台北市信義區市府路45號' } },
    delivery: { method: 'home' },
    payment: { method: 'prepaid', state: 'paid' },
    lines: [{ sku: 'TEE-S', quantity: 1, unitPriceMinor: 59_000 }],
    ...change,
  }
}
