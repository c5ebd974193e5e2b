/** A real HTTP server on a real database; the engine is a stand-in that obeys at once, or is away. */
import type { Client } from '@temporalio/client'
import pino from 'pino'
import { obey } from '../../activities/order/obey.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { connectors } from '../../connectors/registry.ts'
import { createRuntime } from '../../runtime.ts'
import { startServer, type RunningServer } from '../../server/start.ts'
import { getCommand } from '../../store/commands.ts'
import { applyConnections } from '../../store/configuration.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

export const ECPAY_KEY = { hashKey: '5294y06JbISpM5x9', hashIv: 'v77hoKGq4kWxNNIS' }

const configuration = {
  connections: [
    {
      name: 'ecpay',
      connector: 'ecpay',
      config: {
        merchantId: '2000132',
        ...ECPAY_KEY,
        baseUrl: 'http://127.0.0.1:9',
        serverReplyUrl: 'http://127.0.0.1:8/webhooks/ecpay',
      },
    },
    { name: 'store-taipei', connector: 'store', config: { shop: 'taipei', location: 'taipei-store' } },
    { name: 'momo', connector: 'file', config: { channel: 'momo', shop: 'TP001', profile: 'momo', paysBackItself: true } },
  ],
  locations: [
    { id: 'taipei', name: '台北倉', kind: 'warehouse', courierHome: 'ecpay', courierCvs: 'ecpay' },
    { id: 'taipei-store', name: '信義店', kind: 'store', ships: false },
  ],
  products: [
    { sku: 'TEE-S', name: '純棉上衣' },
    { sku: 'CAP', name: '帽子' },
  ],
}

export type EngineMode = 'obeys' | 'silent' | 'away'
export interface Fixture {
  db: FreshDatabase
  runtime: Runtime
  server: RunningServer
  /** Orders whose workflow was started. */
  started: string[]
  engine: { mode: EngineMode }
  logged: string[]
  call(path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; body: unknown; text: string }>
  post(path: string, body: unknown, headers?: Record<string, string>): ReturnType<Fixture['call']>
  stop(): Promise<void>
}

/** Only what the server uses of the client. */
function standIn(runtime: () => Runtime, started: string[], engine: { mode: EngineMode }): Client {
  const reach = () => {
    if (engine.mode === 'away') throw new Error('14 UNAVAILABLE')
  }
  return {
    workflow: {
      start: async (_type: string, { args }: { args: [string] }) => {
        reach()
        started.push(args[0])
      },
      signalWithStart: async () => {
        reach()
      },
      executeUpdateWithStart: async (_update: string, { args }: { args: [string] }) => {
        reach()
        if (engine.mode === 'silent') throw new Error('no answer within the deadline')
        const command = await getCommand(runtime().pool, args[0])
        const { state, answer } = await obey(runtime(), command?.orderId ?? '', args[0])
        return { state, answer }
      },
    },
    withDeadline: async (_deadline: number, work: () => Promise<unknown>) => await work(),
    connection: {
      workflowService: {
        getSystemInfo: async () => {
          reach()
        },
      },
    },
  } as unknown as Client
}

export async function startFixture(): Promise<Fixture> {
  const db = await freshDatabase()
  const engine: Fixture['engine'] = { mode: 'obeys' }
  const [started, logged]: [string[], string[]] = [[], []]
  const real = await createRuntime(
    {
      databaseUrl: db.url,
      temporal: { connection: { address: '127.0.0.1:9' }, namespace: 'default' },
      secretKey: secretKeyFrom('a passphrase for tests'),
    },
    { logLevel: 'silent' },
  )
  const runtime: Runtime = { ...real, temporal: standIn(() => runtime, started, engine) }
  await applyConnections(db.pool, runtime.secretKey, configuration, connectors)
  const server = await startServer(runtime, {
    port: 0,
    log: pino(
      { level: 'debug' },
      {
        write: (line: string) => {
          logged.push(line)
        },
      },
    ),
  })
  const call: Fixture['call'] = async (path, init) => {
    const response = await fetch(`${server.url}${path}`, init)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as unknown) : text,
    }
  }
  return {
    db,
    runtime,
    server,
    started,
    engine,
    logged,
    call,
    post: (path, body, headers = {}) =>
      call(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }),
    stop: async () => {
      await server.stop()
      await real.close()
      await db.drop()
    },
  }
}

export const inStoreOrder = (externalId: string, over: Record<string, unknown> = {}): Record<string, unknown> => ({
  connection: 'store-taipei',
  externalId,
  kind: 'store',
  placedAt: '2026-11-22T10:00:00+08:00',
  recipient: { name: '王小明', phone: '0912-345-678', address: { raw: '110台北市信義區市府路45號3樓' } },
  delivery: { method: 'home' },
  payment: { method: 'prepaid' },
  lines: [{ sku: 'TEE-S', name: '純棉上衣', quantity: 2, unitPriceMinor: 59_000 }],
  ...over,
})
