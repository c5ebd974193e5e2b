/** Composition: one process's database pool, ledger, engine client and connectors, from its environment. */
import { Client, Connection } from '@temporalio/client'
import pino from 'pino'
import { openConnection } from './connectors/kit/context.ts'
import type { Connector } from './connectors/kit/types.ts'
import { connectors as registry } from './connectors/registry.ts'
import type { EngineConnection, Runtime } from './activities/runtime.ts'
import { OmnisagaError } from './domain/errors.ts'
import { Policy } from './domain/policy.ts'
import { createPool } from './store/db.ts'
import { createReserver } from './store/ledger/reserver.ts'
import type { SecretKey } from './store/secrets.ts'

export type { Runtime } from './activities/runtime.ts'

export const TASK_QUEUE = 'omnisaga'

export interface RuntimeEnvironment {
  databaseUrl: string
  temporal: { connection: EngineConnection; namespace: string }
  secretKey: SecretKey
}

export interface RuntimeOptions {
  poolSize?: number
  taskQueue?: string
  logLevel?: string
  /** @default those of connectors/registry.ts */
  connectors?: Readonly<Record<string, Connector>>
}

/** Connects to PostgreSQL and (lazily) to Temporal. Close it when the process ends. */
export async function createRuntime(environment: RuntimeEnvironment, options: RuntimeOptions = {}): Promise<Runtime> {
  const pool = createPool(environment.databaseUrl, { max: options.poolSize ?? 20 })
  // For what a step reads while it holds a transaction: out of one pool, as many steps as it has connections would wait for one
  // another until they time out.
  const side = createPool(environment.databaseUrl, { max: 8, applicationName: 'omnisaga-settings' })
  // Its own default lets a server that was away for a while stay unnoticed for two minutes.
  const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 5_000 }
  const engine = Connection.lazy({ ...environment.temporal.connection, channelArgs })
  const policies = new Map<number, Promise<Policy>>()
  const reserver = createReserver(pool)
  const connectors = options.connectors ?? registry
  const log = pino(
    { level: options.logLevel ?? process.env.OMNISAGA_LOG ?? 'info', base: null },
    pino.destination({ dest: 2, sync: true }),
  )

  const policy = async (version?: number): Promise<Policy> => {
    const wanted = version ?? Number((await side.query<{ v: number }>('select max(version) as v from settings')).rows[0]?.v ?? 1)
    const known = policies.get(wanted)
    if (known !== undefined) return await known
    const read = side
      .query<{ policy: unknown }>('select policy from settings where version = $1', [wanted])
      .then((result) => Policy.parse(result.rows[0]?.policy ?? {}))
    policies.set(wanted, read)
    // A version that could not be read now is read again next time.
    read.catch(() => policies.delete(wanted))
    return await read
  }

  return {
    databaseUrl: environment.databaseUrl,
    engine: environment.temporal,
    pool,
    reserver,
    secretKey: environment.secretKey,
    publicUrl: process.env.OMNISAGA_PUBLIC_URL?.replace(/\/$/, '') || null,
    temporal: new Client({ connection: engine, namespace: environment.temporal.namespace }),
    taskQueue: options.taskQueue ?? TASK_QUEUE,
    connection: (name, asked = {}) => openConnection(side, environment.secretKey, name, { connectors, log, ...asked }),
    async connectorOf(name) {
      const rows = await side.query<{ connector: string }>('select connector from connections where name = $1', [name])
      const connector = connectors[rows.rows[0]?.connector ?? '']
      if (connector === undefined) throw new OmnisagaError('Misconfigured', `there is no connection named ${name}`)
      return connector
    },
    policy,
    connectors,
    log,
    async close() {
      await reserver.close()
      await engine.close().catch((error: Error) => log.warn({ error: error.name }, 'the engine was gone before it was closed'))
      await pool.end()
      await side.end()
    },
  }
}
