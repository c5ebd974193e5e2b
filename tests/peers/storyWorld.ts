/** Omnisaga in one process between four real systems: two shops, a courier, the books; the warehouse alone is a stand-in. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngineAudit } from '../../activities/engineAudit.ts'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { startServer } from '../../server/start.ts'
import { startWmsSimulator, type WmsSimulator } from '../../simulators/wms/index.ts'
import { audit, type AuditResult } from '../../store/audit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { startWorker } from '../../worker.ts'
import { freshDatabase } from '../harness/postgres.ts'
import { devServer } from '../harness/temporal.ts'
import type { RunningKarrio } from './karrio.ts'
import type { RunningPeer } from './peer.ts'

export const SHELVES: Record<string, number> = { 'SHIRT-S': 20, 'SHIRT-M': 30, 'MUG-01': 40 }
const FAST = {
  inboxMs: 200,
  outboxMs: 200,
  wavesMs: 500,
  feedsMs: 200,
  sweepMs: 500,
  missingMs: 2_000,
  levelsMs: 500,
  stockMs: 1_000,
}

export interface StoryOrder {
  id: string
  externalId: string
  phase: string
  closed: boolean
  parcels: { state: string; courier: string; waybill: string | null; events: { code: string; meaning: string }[] }[]
  participants: {
    connection: string | null
    fact: string
    state: string
    reason: string | null
    document: { number: string | null } | null
  }[]
}

export interface StoryWorld {
  runtime: Runtime
  /** Of our own server. */
  url: string
  wms: WmsSimulator
  until<T>(what: string, read: () => Promise<T | null | undefined | false>, timeoutMs?: number): Promise<T>
  /** By the shop's own number; null: not here yet. */
  order(channel: string, externalId: string): Promise<StoryOrder | null>
  ledger(sku: string): Promise<{ onHand: number; available: number }>
  tasks(): Promise<string[]>
  audit(): Promise<AuditResult>
  stop(): Promise<void>
}

/** karrio tells its news by webhook: registered there, as its owner would. @returns its secret */
async function registerWebhook(karrio: RunningKarrio, url: string): Promise<string> {
  const { apiKey } = karrio.connection.config as { apiKey: string }
  const answer = await fetch(`${karrio.url}/v1/webhooks`, {
    method: 'POST',
    headers: { authorization: `Token ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url, enabled_events: ['all'] }),
  })
  if (!answer.ok) throw new Error(`karrio: no webhook: HTTP ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { secret: string }).secret
}

export async function startStory(peers: {
  vendure: RunningPeer
  medusa: RunningPeer
  tryton: RunningPeer
  karrio: RunningKarrio
}): Promise<StoryWorld> {
  const ends: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ends.toReversed()) await end()
  }
  try {
    const db = await freshDatabase()
    ends.push(() => db.drop())
    const engine = await devServer()
    ends.push(() => engine.stop())
    const folder = await mkdtemp(join(tmpdir(), 'omnisaga-story-'))
    ends.push(() => rm(folder, { recursive: true, force: true }))
    const [outFolder, inFolder] = [join(folder, 'to-warehouse'), join(folder, 'from-warehouse')]
    await mkdir(outFolder)
    await mkdir(inFolder)
    const runtime = await createRuntime(
      {
        databaseUrl: db.url,
        temporal: { connection: { address: engine.address }, namespace: 'default' },
        secretKey: secretKeyFrom('a passphrase for peers'),
      },
      { logLevel: process.env.OMNISAGA_LOG ?? 'silent' },
    )
    ends.push(() => runtime.close())
    const server = await startServer(runtime, { port: 0 })
    ends.push(() => server.stop())
    const webhookSecret = await registerWebhook(peers.karrio, `${server.url}/webhooks/karrio`)
    const shop = ({ connection }: RunningPeer) => ({
      name: connection.connector,
      connector: connection.connector,
      config: { ...connection.config, shop: 'peer', pullEveryMs: 10_000 },
      stock: { push: true, listEveryMs: 5_000 },
    })
    await applyConnections(
      runtime.pool,
      runtime.secretKey,
      {
        connections: [
          shop(peers.vendure),
          shop(peers.medusa),
          { name: 'tryton', connector: 'tryton', config: peers.tryton.connection.config },
          { name: 'karrio', connector: 'karrio', config: { ...peers.karrio.connection.config, webhookSecret } },
          { name: 'warehouse', connector: 'wms-dropfolder', config: { outFolder, inFolder } },
        ],
        locations: [
          {
            id: 'main',
            name: '總倉',
            kind: 'warehouse',
            warehouseConnection: 'warehouse',
            courierHome: 'karrio',
            courierCvs: 'karrio',
            sender: { name: '林小倉', phone: '+886227000000', postalCode: '100', address: '臺北市中正區倉庫路1號' },
          },
        ],
        products: Object.keys(SHELVES).map((sku) => ({ sku, name: sku, weightGrams: 300 })),
      },
      runtime.connectors,
    )
    for (const [sku, onHand] of Object.entries(SHELVES))
      await transaction(runtime.pool, (tx) =>
        setOnHand(tx, { key: `count:main:${sku}`, sku, location: 'main', onHand, reason: 'count' }),
      )
    const wms = await startWmsSimulator({ inFolder: outFolder, outFolder: inFolder, pollMs: 200 })
    ends.push(() => wms.stop())
    const worker = await startWorker(runtime, { loops: FAST })
    ends.push(() => worker.stop())

    const get = async <T>(path: string): Promise<T> => {
      const answer = await fetch(`${server.url}${path}`)
      if (!answer.ok) throw new Error(`GET ${path}: HTTP ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as T
    }
    return {
      runtime,
      url: server.url,
      wms,
      stop,
      async until(what, read, timeoutMs = 90_000) {
        const deadline = Date.now() + timeoutMs
        for (;;) {
          const seen = await read()
          if (seen !== null && seen !== undefined && seen !== false) return seen
          if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
          await new Promise((look) => {
            setTimeout(look, 200)
          }) // between two looks at the condition
        }
      },
      async order(channel, externalId) {
        const { rows } = await runtime.pool.query<{ id: string }>(
          'select id from orders where channel = $1 and external_id = $2',
          [channel, externalId],
        )
        return rows[0] ? await get<StoryOrder>(`/api/v1/orders/${rows[0].id}`) : null
      },
      async ledger(sku) {
        const { stock } = await get<{ stock: { onHand: number; available: number }[] }>(`/api/v1/stock?sku=${sku}&location=main`)
        if (!stock[0]) throw new Error(`the ledger has no ${sku}`)
        return stock[0]
      },
      tasks: async () =>
        (
          await runtime.pool.query<{ text: string }>(
            `select kind || ': ' || title || ': ' || detail as text from tasks where state = 'open'`,
          )
        ).rows.map(({ text }) => text),
      audit: () => audit(runtime.pool, { engine: createEngineAudit(runtime.temporal) }),
    }
  } catch (error) {
    await stop()
    throw error
  }
}
