/** The pull's workflow and its Schedule on a real Temporal dev server, against the stand-in for Shopee. */
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPullActivities } from '../../activities/pull.ts'
import { ensurePullSchedules, startPull } from '../../activities/schedules.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import type { Connector } from '../../connectors/kit/types.ts'
import { shopee } from '../../connectors/shopee/index.ts'
import { seedOrders, startShopeeSimulator, type ShopeeSimulator } from '../../simulators/shopee/index.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'
import { devServer, type DevServer } from '../harness/temporal.ts'

const NAME = 'shopee-main'
const PARTNER = { partnerId: 2001887, partnerKey: 'a1b2c3partnerkey', shopId: 600000 }
const secretKey = Buffer.alloc(32, 7)
const taskQueue = 'pull-test'

let db: FreshDatabase
let sim: ShopeeSimulator
let temporal: DevServer
let connection: Connection
let client: Client
let worker: Worker
let running: Promise<void>

beforeAll(async () => {
  ;[db, sim, temporal] = await Promise.all([freshDatabase(), startShopeeSimulator({ ...PARTNER, pageCap: 20 }), devServer()])
  await db.pool.query(`insert into connections (name, connector, config) values ($1, 'shopee', $2)`, [
    NAME,
    {
      ...PARTNER,
      baseUrl: sim.url,
      accessToken: 'sim-access-0',
      refreshToken: 'sim-refresh-0',
      initialLookbackMs: 4 * 3_600_000,
      quota: { perSecond: 1000, burst: 1000 },
    },
  ])
  connection = await Connection.connect({ address: temporal.address })
  client = new Client({ connection, namespace: temporal.namespace })
  const silent = () => undefined
  const connectors = { shopee: shopee as Connector }
  worker = await Worker.create({
    connection: await NativeConnection.connect({ address: temporal.address }),
    namespace: temporal.namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('../../workflows/pull.ts', import.meta.url)),
    activities: {
      ...createPullActivities({
        pool: db.pool,
        connection: (name) => openConnection(db.pool, secretKey, name, { connectors }),
        log: { info: silent, warn: silent, error: silent },
      }),
    },
  })
  running = worker.run()
}, 120_000)

afterAll(async () => {
  worker?.shutdown()
  await running
  await connection?.close()
  await temporal?.stop()
  await sim?.stop()
  await db?.drop()
})

const schedules = async () => {
  const found: string[] = []
  for await (const schedule of client.schedule.list()) found.push(schedule.scheduleId)
  return found
}
const ensure = (connections: { name: string; paused: boolean; everyMs: number }[]) =>
  ensurePullSchedules(client, connections, { taskQueue })

it('a pull started by hand waits for its result, and survives failures that mend themselves', async () => {
  sim.seed(seedOrders(60))
  sim.faults.add({ kind: 'rateLimit', retryAfter: 1, path: 'get_order_list' })
  sim.expireTokens()
  expect(await (await startPull(client, NAME, { taskQueue })).result()).toEqual({ pages: 3, stored: 60, known: 0 })
}, 60_000)

it('a pull that no repeat mends fails with the kind of its error', async () => {
  await expect((await startPull(client, 'nobody', { taskQueue })).result()).rejects.toMatchObject({
    cause: { cause: { type: 'Misconfigured', message: expect.stringContaining('nobody') as string } },
  })
}, 60_000)

it('schedules follow the connections, and a second call touches nothing', async () => {
  const other = { name: 'shopee-other', paused: true, everyMs: 300_000 }
  expect(await ensure([{ name: NAME, paused: false, everyMs: 3_600_000 }, other])).toEqual([NAME, 'shopee-other'])
  expect(await ensure([{ name: NAME, paused: false, everyMs: 3_600_000 }, other])).toEqual([])

  const handle = client.schedule.getHandle(`pull/${NAME}`)
  await handle.trigger()
  await expect.poll(async () => (await handle.describe()).info.recentActions.length, { timeout: 20_000 }).toBeGreaterThan(0)
  const [action] = (await handle.describe()).info.recentActions
  const started = action?.action.type === 'startWorkflow' ? action.action.workflow.workflowId : ''
  expect(await client.workflow.getHandle(started).result()).toMatchObject({ stored: 0 })

  expect(await ensure([{ name: NAME, paused: true, everyMs: 60_000 }, other])).toEqual([NAME])
  const changed = await handle.describe()
  expect([changed.state.paused, changed.spec.intervals?.[0]?.every, changed.policies.overlap]).toEqual([true, 60_000, 'SKIP'])
  await expect.poll(schedules, { timeout: 20_000 }).toHaveLength(2)
  expect(await ensure([other])).toEqual([NAME])
  await expect.poll(schedules, { timeout: 20_000 }).toEqual(['pull/shopee-other'])
}, 90_000)
