/**
 * Everything on one machine: PostgreSQL and Temporal (those that the environment does not name), migrations, then the services
 * it is given, and all of it down again in the right order.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPool } from '../../store/db.ts'
import { migrate } from '../../store/migrate.ts'
import {
  DEFAULT_PORT,
  databaseUrlOf,
  dataDirOf,
  httpPortOf,
  root,
  secretKeyOf,
  temporalOf,
  type Environment,
  type TemporalEnvironment,
} from '../environment.ts'
import { startPostgres, type PostgresOptions, type RunningPostgres } from './postgres.ts'
import { freePort, isFree, until } from './processes.ts'
import { lock, removeRunFile, writeRunFile } from './runFile.ts'
import { startTemporal, type RunningTemporal } from './temporalServer.ts'

/** Started in the order of the list, stopped in the reverse order, before Temporal and PostgreSQL. */
export interface Service {
  name: string
  /** @returns how to stop it; resolves when it is ready. */
  start(environment: Environment): Promise<() => Promise<void>>
}

export interface EmbeddedOptions {
  /** @default process.env */
  env?: NodeJS.ProcessEnv
  services: Service[]
  /** Tells one line to whoever looks at the terminal. */
  say: (line: string) => void
  /** Aborted: what is being started is given up, and what was started is stopped. */
  signal?: AbortSignal
}

export interface RunningSystem {
  environment: Environment
  /** Null when Temporal is not the embedded one. */
  temporalUi: string | null
  /** Services in reverse order, Temporal, PostgreSQL. Calling it again waits for the first call. */
  stop(): Promise<void>
}

const STOP_LIMIT_MS = 60_000

interface Stoppable {
  name: string
  stop(): Promise<void>
}

export async function startEmbedded(options: EmbeddedOptions): Promise<RunningSystem> {
  const { env = process.env, services, say, signal } = options
  const dataDir = dataDirOf(env)
  // Whatever is wrong with the environment is told before anything starts.
  const [databaseUrl, temporal, wishedPort, secretKey] = [
    databaseUrlOf(env),
    temporalOf(env),
    httpPortOf(env),
    secretKeyOf(env, dataDir),
  ]
  const started: Stoppable[] = [{ name: 'lock', stop: async () => unlock() }]
  const unlock = lock(dataDir)
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= stopAll(started, say))
  try {
    // Both are begun at once; what did start is stopped even when the other did not.
    const [postgres, engine] = await Promise.allSettled([
      databaseUrl ? null : keepPostgres({ dataDir, say }),
      temporal ? null : startTemporal({ dataDir, root, say }),
    ])
    if (postgres.status === 'fulfilled' && postgres.value) started.push({ name: 'PostgreSQL', stop: postgres.value.stop })
    if (engine.status === 'fulfilled' && engine.value) started.push({ name: 'Temporal', stop: engine.value.stop })
    const [database, dev] = [settled(postgres), settled(engine)]
    const environment: Environment = {
      mode: databaseUrl && temporal ? 'external' : 'embedded',
      databaseUrl: databaseUrl ?? required(database).url,
      temporal: temporal ?? temporalEnvironment(required(dev)),
      httpPort: await chooseHttpPort(dataDir, wishedPort, say),
      dataDir,
      secretKey,
    }
    await migrateDatabase(environment.databaseUrl, say)
    for (const service of services) {
      signal?.throwIfAborted()
      started.push({ name: service.name, stop: await service.start(environment) })
    }
    signal?.throwIfAborted()
    started.push({ name: 'run.json', stop: async () => removeRunFile(dataDir) })
    writeRunFile(dataDir, {
      databaseUrl: environment.databaseUrl,
      temporalAddress: dev?.address ?? null,
      temporalNamespace: environment.temporal.namespace,
      temporalUi: dev?.uiUrl ?? null,
      httpPort: environment.httpPort,
    })
    return { environment, temporalUi: dev?.uiUrl ?? null, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function migrateDatabase(databaseUrl: string, say: (line: string) => void): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1 })
  try {
    const applied = await migrate(pool)
    if (applied.length > 0) say(`database: ${applied.length} migrations applied`)
  } finally {
    await pool.end()
  }
}

function settled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

function required<T>(value: T | null): T {
  if (value === null) throw new Error('a part was neither named nor started')
  return value
}

const temporalEnvironment = (dev: RunningTemporal): TemporalEnvironment => ({
  connection: { address: dev.address },
  namespace: dev.namespace,
})

/** The wished port, or the one of the last time, or 8080; when that is busy a free one, and that is said. */
async function chooseHttpPort(dataDir: string, wished: number | undefined, say: (line: string) => void): Promise<number> {
  const file = join(dataDir, 'http.port')
  const before = existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined
  const preferred = wished ?? before ?? DEFAULT_PORT
  const port = await freePort(preferred === 0 ? undefined : preferred)
  if (preferred !== 0 && port !== preferred) say(`port ${preferred} is busy: the HTTP server listens on ${port}`)
  writeFileSync(file, `${port}\n`)
  return port
}

/** PostgreSQL that is started again, at the same port, when it dies. */
async function keepPostgres(options: PostgresOptions & { say: (line: string) => void }): Promise<RunningPostgres> {
  const first = await startPostgres(options)
  let current = first
  let stopping = false
  let restarting: Promise<void> = Promise.resolve()
  const restart = async (): Promise<void> => {
    options.say('PostgreSQL ended; it is started again')
    try {
      await until(() => isFree(first.port), 10_000)
      current = await startPostgres(options)
      if (current.port !== first.port)
        options.say(`PostgreSQL's port ${first.port} was taken meanwhile: stop with Ctrl-C and start again`)
      watch()
    } catch (error) {
      options.say(`PostgreSQL does not start again: ${(error as Error).message}`)
    }
  }
  const watch = (): void => {
    void current.exited.then(() => {
      if (!stopping) restarting = restart()
    })
  }
  watch()
  return {
    ...first,
    stop: async () => {
      stopping = true
      await restarting
      await current.stop()
    },
  }
}

async function stopAll(started: Stoppable[], say: (line: string) => void): Promise<void> {
  for (const { name, stop } of started.reverse()) {
    let over = false
    const done = stop().then(
      () => {
        over = true
      },
      (error: unknown) => {
        over = true
        say(`${name} did not stop cleanly: ${(error as Error).message}`)
      },
    )
    void done
    if (!(await until(() => over, STOP_LIMIT_MS))) say(`${name} did not stop within ${STOP_LIMIT_MS / 1000} s and is left`)
  }
}

/**
 * Runs until SIGINT, SIGTERM or SIGHUP, then stops everything in order. A second Ctrl-C, a second later or more, ends this process at
 * once; the next start then finds and ends what it left.
 * @returns the exit code: 0 after a clean stop.
 */
export async function runEmbedded(
  options: Omit<EmbeddedOptions, 'signal'>,
  whenUp: (system: RunningSystem, signal: AbortSignal) => void | Promise<void>,
): Promise<number> {
  const controller = new AbortController()
  let terminalGone = false
  const say = (line: string): void => {
    if (!terminalGone) options.say(line)
  }
  let askedAt = 0
  const ask = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP') terminalGone = true
    // npm passes a Ctrl-C on that the terminal has sent us already: that is one, not two.
    if (askedAt > 0 && Date.now() - askedAt > 1_000) process.exit(130)
    if (askedAt > 0) return
    askedAt = Date.now()
    say('stopping …')
    controller.abort(new Error('stopped while starting'))
  }
  const hangUp = (): void => {
    if (askedAt === 0) ask('SIGHUP')
    terminalGone = true
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, ask)
  // A closed terminal or pipe must not end us before the servers are stopped: it is a wish to stop.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', hangUp)
  const asked = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve(), { once: true }))
  // Keeps the process alive, whatever the services hold open.
  const alive = setInterval(() => undefined, 60_000)
  try {
    const system = await startEmbedded({ ...options, say, signal: controller.signal })
    try {
      // What goes on while it is up (a day of orders) is not waited for once a stop was asked for.
      const work = Promise.resolve(whenUp(system, controller.signal)).catch((error: unknown) => {
        if (!controller.signal.aborted) throw error
      })
      await Promise.race([work.then(() => asked), asked])
    } finally {
      await system.stop()
    }
    say('stopped')
    return 0
  } catch (error) {
    if (!controller.signal.aborted) throw error
    say('stopped')
    return 0
  } finally {
    clearInterval(alive)
    for (const name of signals) process.off(name, ask)
  }
}
