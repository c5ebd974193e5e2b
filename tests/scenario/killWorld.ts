/**
 * A system whose parts may be killed: PostgreSQL and Temporal of its own, HTTP server and workers as child processes; the outside
 * (courier, warehouse, the clients that place orders) lives in the test's process and keeps trying, as the outside does.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { createEngineAudit } from '../../activities/engineAudit.ts'
import { freePort } from '../../cli/embedded/processes.ts'
import { connectors } from '../../connectors/registry.ts'
import { startEcpaySimulator, type EcpaySimulator } from '../../simulators/ecpay/index.ts'
import { startWmsSimulator, type WmsSimulator } from '../../simulators/wms/index.ts'
import { audit, type AuditResult } from '../../store/audit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { createPool, transaction, type Pool } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { devServer, type DevServer } from '../harness/temporal.ts'
import { ownPostgres, type OwnPostgres } from '../harness/postgres.ts'
import { LOST_ANSWER_NAME, ORDERS, STOCK, type KillOrder } from './killOrders.ts'
import { partOf, type Part } from './killParts.ts'

const PASSPHRASE = 'a passphrase for tests'
const LOOPS = {
  inboxMs: 100,
  outboxMs: 100,
  wavesMs: 200,
  feedsMs: 100,
  sweepMs: 500,
  missingMs: 1_000,
  inboxLeaseMs: 4_000,
  outboxLeaseMs: 6_000,
}

export interface Answered {
  status: number
  body: { id: string; phase: string; state?: string; detail?: string }
}

export interface KillWorld {
  pool: Pool
  postgres: OwnPostgres
  engine: DevServer
  temporal: Client
  server: Part
  workers: Part[]
  ecpay: EcpaySimulator
  wms: WmsSimulator
  /** Asks again until somebody is there and has time. */
  send(method: 'GET' | 'POST', path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
  /** Sends the order until it is taken, and confirms it where it is cash on delivery. @returns its id */
  place(order: KillOrder): Promise<string>
  placeAll(orders: KillOrder[], atOnce: number): Promise<void>
  /** Ids that clients were told, by external id. */
  told: Map<string, string>
  /** Requests that broke before their answer. */
  unanswered(): number
  statusOf(path: string): Promise<number>
  booked(): Promise<number>
  until(what: string, reached: () => Promise<boolean>, timeoutMs?: number): Promise<void>
  audit(): Promise<AuditResult>
  stop(): Promise<void>
}

const LOOK_EVERY_MS = 150

const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms)
  }) // between two looks at a condition

export async function killWorld(options: { workers?: number } = {}): Promise<KillWorld> {
  const [postgres, engine] = await Promise.all([ownPostgres(), devServer()])
  const folder = await mkdtemp(join(tmpdir(), 'omnisaga-kill-'))
  const [toWarehouse, fromWarehouse] = [join(folder, 'to-warehouse'), join(folder, 'from-warehouse')]
  await mkdir(toWarehouse)
  await mkdir(fromWarehouse)
  // ECPay repeats a report until it is taken; a day's repeats happen here within a minute.
  const ecpay = await startEcpaySimulator({ callbackRetryMs: 250, callbackAttempts: 400, homeCollection: true })
  ecpay.faults.add({ kind: 'lostAnswer', path: '/Express/Create', fields: { ReceiverName: LOST_ANSWER_NAME } })
  ecpay.auto({ speedMs: 150, twice: true })
  const wms = await startWmsSimulator({ inFolder: toWarehouse, outFolder: fromWarehouse, pollMs: 100 })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const pool = createPool(postgres.url, { max: 4 })
  await configure(pool, { ecpayUrl: ecpay.url, url, toWarehouse, fromWarehouse })
  const settings = { databaseUrl: postgres.url, temporalAddress: engine.address, passphrase: PASSPHRASE, port, loops: LOOPS }
  const server = partOf('server', { ...settings, part: 'server' })
  const workers = Array.from({ length: options.workers ?? 1 }, (_, index) =>
    partOf(`worker ${index + 1}`, { ...settings, part: 'worker' }),
  )
  const connection = Connection.lazy({ address: engine.address })
  const temporal = new Client({ connection })
  await Promise.all([server, ...workers].map((part) => part.start()))

  const told = new Map<string, string>()
  let unanswered = 0
  const send: KillWorld['send'] = async (method, path, body, headers = {}) => {
    const deadline = Date.now() + 90_000
    for (;;) {
      const answer = await once(`${url}${path}`, method, body, headers).catch((error: Error) => error)
      if (answer instanceof Error) unanswered += 1
      else if (answer.status < 500) return answer
      if (Date.now() > deadline)
        throw new Error(`${method} ${path} was never answered: ${answer instanceof Error ? answer.message : answer.status}`)
      await pause(200)
    }
  }
  const until: KillWorld['until'] = async (what, reached, timeoutMs = 120_000) => {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      // The database may be away: then it is not reached yet.
      if (await reached().catch(() => false)) return
      if (Date.now() > deadline)
        throw new Error(
          [`waited ${timeoutMs} ms in vain until ${what}`, ...[server, ...workers].map((part) => part.said())].join('\n'),
        )
      await pause(LOOK_EVERY_MS)
    }
  }
  const place: KillWorld['place'] = async (order) => {
    const taken = await send('POST', '/api/v1/orders', order.body)
    if (taken.status >= 300) throw new Error(`${order.externalId}: ${taken.status} ${JSON.stringify(taken.body)}`)
    told.set(order.externalId, taken.body.id)
    if (!order.cod) return taken.body.id
    const path = `/api/v1/orders/${taken.body.id}`
    await until(`${order.externalId} asks for confirmation`, async () => (await send('GET', path)).body.phase === 'confirming')
    const confirmed = await send('POST', `${path}/confirm`, {}, { 'idempotency-key': `confirm-${order.externalId}` })
    if (confirmed.status >= 300) throw new Error(`${order.externalId} was not confirmed: ${JSON.stringify(confirmed.body)}`)
    return taken.body.id
  }
  return {
    pool,
    postgres,
    engine,
    temporal,
    server,
    workers,
    ecpay,
    wms,
    send,
    until,
    place,
    told,
    async placeAll(orders, atOnce) {
      const queue = [...orders]
      const client = async () => {
        for (let order = queue.shift(); order !== undefined; order = queue.shift()) await place(order)
      }
      await Promise.all(Array.from({ length: atOnce }, client))
    },
    unanswered: () => unanswered,
    statusOf: async (path) => (await fetch(`${url}${path}`, { signal: AbortSignal.timeout(15_000) })).status,
    booked: async () =>
      Number((await pool.query<{ n: number }>('select count(*) as n from parcels where booked_at is not null')).rows[0]?.n),
    audit: () => audit(pool, { engine: createEngineAudit(temporal) }),
    async stop() {
      await Promise.allSettled([server, ...workers].map((part) => part.stop()))
      await wms.stop()
      await ecpay.stop()
      await connection.close()
      await pool.end()
      await engine.stop()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function once(url: string, method: string, body: unknown, headers: Record<string, string>): Promise<Answered> {
  const answer = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  })
  return { status: answer.status, body: (await answer.json()) as Answered['body'] }
}

interface Places {
  ecpayUrl: string
  url: string
  toWarehouse: string
  fromWarehouse: string
}

async function configure(pool: Pool, { ecpayUrl, url, toWarehouse, fromWarehouse }: Places): Promise<void> {
  const ecpay = {
    merchantId: '2000132',
    hashKey: '5294y06JbISpM5x9',
    hashIv: 'v77hoKGq4kWxNNIS',
    baseUrl: ecpayUrl,
    serverReplyUrl: `${url}/webhooks/ecpay`,
    homeCollection: true,
    quota: { perSecond: 100, burst: 20 },
  }
  const sender = { name: '林小倉', phone: '+886912000111', postalCode: '251', address: '新北市淡水區中正路1號' }
  await applyConnections(
    pool,
    secretKeyFrom(PASSPHRASE),
    {
      connections: [
        { name: 'ecpay', connector: 'ecpay', config: ecpay },
        { name: 'warehouse', connector: 'wms-dropfolder', config: { outFolder: toWarehouse, inFolder: fromWarehouse } },
        { name: 'store-taipei', connector: 'store', config: { shop: 'taipei', location: 'store-taipei' } },
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
          sender,
        },
        { id: 'store-taipei', name: '信義店', kind: 'store', ships: false, priority: 9 },
      ],
      products: Object.keys(STOCK).map((sku) => ({ sku, name: `商品 ${sku}` })),
    },
    connectors,
  )
  for (const [sku, onHand] of Object.entries(STOCK)) {
    await transaction(pool, (tx) => setOnHand(tx, { key: `count:${sku}`, sku, location: 'wh-north', onHand, reason: 'count' }))
  }
}

/** Everything has happened: every order closed, everybody told, nothing left to be mapped. */
export async function settled(world: KillWorld): Promise<boolean> {
  const { rows } = await world.pool.query<{ closed: number; waiting: number }>(
    `select (select count(*) from orders where closed) as closed,
       (select count(*) from outbox where state = 'due') + (select count(*) from inbox where state = 'new')
         + (select count(*) from commands where state = 'waiting') as waiting`,
  )
  return rows[0]?.closed === ORDERS.length && rows[0].waiting === 0
}
