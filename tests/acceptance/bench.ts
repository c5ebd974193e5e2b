/** Where one connector is examined: a real connection in a real PostgreSQL, and everything that was said while it was. */
import { inspect } from 'node:util'
import type { Client } from '@temporalio/client'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import pino from 'pino'
import { createPullActivities, type PullSlice } from '../../activities/pull.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import { configJsonSchema } from '../../connectors/kit/describe.ts'
import type { Connector, ConnectorContext, HttpClient, TokenStore } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { Policy } from '../../domain/policy.ts'
import { applyConnections } from '../../store/configuration.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import type { FreshDatabase } from '../harness/postgres.ts'
import type { Stage, Subject } from './subject.ts'

const secretKey = secretKeyFrom('a passphrase for acceptance')
/** A pull that is not at its end after so many slices does not move on. */
const MAX_SLICES = 40

export interface Scene {
  stage: Stage
  /** The connection's name. */
  name: string
  ctx: ConnectorContext
  runtime: Runtime
  /** The same stand-in under changed keys of the configuration. @throws what applying or opening it says */
  reopen(config: Record<string, unknown>): Promise<ConnectorContext>
  /** The activity that pulls, until nothing is left. */
  pull(): Promise<PullSlice[]>
}
export interface SceneOptions {
  /** No request may take longer, whatever the connector asks for. @default 20 s */
  timeoutMs?: number
  /** How long a request may wait for its turn. @default 10 s */
  maxWaitMs?: number
}

export interface Bench {
  subject: Subject
  connector: Connector
  db: FreshDatabase
  /** A fresh stand-in and a connection to it, under a name of its own. */
  scene(options?: SceneOptions): Promise<Scene>
  /** What it failed with, kept for the last check; undefined when it did not fail. Other errors than ours pass. */
  caught(work: () => Promise<unknown>): Promise<OmnisagaError | undefined>
  /** Keeps what was said, to be searched for secrets and people. */
  heard(what: unknown): void
  /** Ends what this check has begun. */
  clear(): Promise<void>
  /** Everything heard so far, and what must not be in it. */
  everything(): { said: string[]; hidden: { kind: string; value: string }[] }
  /** Whether the connector ever asked for stored tokens. */
  usesTokens(): boolean
}

/** Errors with all they carry, the hidden properties and the causes too. */
const asText = (what: unknown): string =>
  typeof what === 'string' ? what : inspect(what, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null })

const engineAway = {
  withDeadline: async (_deadline: number, work: () => Promise<unknown>) => await work(),
  workflow: {
    start: async () => undefined,
    signalWithStart: async () => undefined,
  },
} as unknown as Client

export function createBench(subject: Subject, connector: Connector, db: FreshDatabase): Bench {
  const connectors = { [subject.name]: connector }
  const keys = Object.keys((configJsonSchema(connector).properties ?? {}) as object)
  const said: string[] = []
  const hidden = new Map<string, string>()
  const engineLog = new DefaultLogger('TRACE', (entry) => void said.push(asText(entry)))
  const log = pino({ level: 'trace' }, { write: (line: string) => void said.push(line) })
  /** Too short a text would be found everywhere. */
  const hide = (value: unknown) => {
    if (typeof value === 'string' && value.length >= 6) hidden.set(value, 'secret')
  }
  let tokensUsed = false
  let serial = 0
  let stages: Stage[] = []

  function wrapped(context: ConnectorContext, timeoutMs: number): ConnectorContext {
    const http: HttpClient = {
      request: (request) => context.http.request({ ...request, timeoutMs: Math.min(request.timeoutMs ?? timeoutMs, timeoutMs) }),
    }
    const tokens: TokenStore = {
      read: () => {
        tokensUsed = true
        return context.tokens.read()
      },
      refresh: async (stale, exchange) => {
        tokensUsed = true
        const fresh = await context.tokens.refresh(stale, exchange)
        for (const value of [fresh.accessToken, fresh.refreshToken]) hide(value)
        return fresh
      },
    }
    return { ...context, http, tokens }
  }

  async function scene({ timeoutMs = 20_000, maxWaitMs = 10_000 }: SceneOptions = {}): Promise<Scene> {
    const stage = await subject.stage()
    stages.push(stage)
    for (const value of stage.secrets) hidden.set(value, 'secret')
    for (const field of connector.secretFields) hide(stage.config[field])
    for (const value of stage.personalData) hidden.set(value, 'personal data')
    const name = `${subject.name}-${++serial}`
    const quota = { perSecond: 1000, burst: 1000, concurrency: 8, maxWaitMs, timeoutMs }
    const own = {
      ...(keys.includes('quota') ? { quota } : {}),
      // The pull of the suite looks back as far as the stand-in's records lie.
      ...(stage.orders && keys.includes('initialLookbackMs')
        ? { initialLookbackMs: Math.max(60_000, Date.now() - stage.orders.window.from.getTime() + 1_000) }
        : {}),
    }

    async function open(config: Record<string, unknown>, as: string): Promise<ConnectorContext> {
      const entry = { name: as, connector: subject.name, config: { ...stage.config, ...own, ...config } }
      await applyConnections(db.pool, secretKey, { connections: [entry] }, connectors)
      return wrapped((await openConnection(db.pool, secretKey, as, { connectors, log })).context, timeoutMs)
    }
    const ctx = await open({}, name)
    const runtime: Runtime = {
      databaseUrl: db.url,
      engine: { connection: {}, namespace: 'default' },
      pool: db.pool,
      reserver: undefined as unknown as Runtime['reserver'],
      publicUrl: null,
      secretKey,
      temporal: engineAway,
      taskQueue: 'acceptance',
      connection: async (asked, options) => {
        const found = await openConnection(db.pool, secretKey, asked, { connectors, log, ...options })
        return { connector: found.connector, context: wrapped(found.context, timeoutMs) }
      },
      connectorOf: async () => connector,
      connectors,
      policy: async () => Policy.parse({}),
      log,
      close: async () => undefined,
    }
    return {
      stage,
      name,
      ctx,
      runtime,
      reopen: (config) => open(config, `${subject.name}-${++serial}`),
      async pull() {
        const slices: PullSlice[] = []
        const { pullSlice } = createPullActivities(runtime)
        try {
          do slices.push(await new MockActivityEnvironment({}, { logger: engineLog }).run(pullSlice, name))
          while (slices.at(-1)?.done === false && slices.length < MAX_SLICES)
        } catch (error) {
          said.push(asText(error)) // as the engine would keep it in the workflow's history
          throw error
        }
        said.push(asText(slices))
        return slices
      },
    }
  }

  return {
    subject,
    connector,
    db,
    scene,
    async caught(work) {
      try {
        await work()
        return undefined
      } catch (error) {
        said.push(asText(error))
        if (error instanceof OmnisagaError) return error
        throw error
      }
    },
    heard: (what) => void said.push(asText(what)),
    async clear() {
      const ended = stages
      stages = []
      for (const stage of ended) await stage.stop()
    },
    everything: () => ({ said, hidden: [...hidden].map(([value, kind]) => ({ kind, value })) }),
    usesTokens: () => tokensUsed,
  }
}
