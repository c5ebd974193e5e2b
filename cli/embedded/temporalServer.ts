/**
 * Supervisor of the embedded Temporal server: the CLI's dev server with its database file in the data folder and WAL on (off,
 * the default, it runs three to four times slower). Dies it, it is started again at the same ports.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { OmnisagaError } from '../../domain/errors.ts'
import { findTemporal } from '../../scripts/temporal-cli.mjs'
import { LOOPBACK, commandOf, endProcess, freePort, isAlive, isListening, signal, until } from './processes.ts'

export interface TemporalServerOptions {
  /** The data folder; `temporal.db`, its log, pid and ports lie in it. */
  dataDir: string
  /** Root of the clone, where a fetched Temporal CLI is kept. */
  root: string
  say?: (line: string) => void
  /** Also serve the web page of Temporal. @default true */
  ui?: boolean
  /** Start it again when it dies. @default true */
  supervise?: boolean
  /** How long closed workflows stay to be looked at. @default 7 days */
  retentionMs?: number
}

export interface RunningTemporal {
  /** host:port for clients and workers. */
  address: string
  namespace: string
  uiUrl: string | null
  /** Changes when it was started again. */
  pid(): number
  stop(): Promise<void>
  /** SIGKILL; a supervised one comes back by itself. For tests. */
  kill9(): Promise<void>
}

interface Ports {
  frontend: number
  http: number
  metrics: number
  ui: number
}
const NAMESPACE = 'default'
const START_TIMEOUT_MS = 60_000
/** A port may be taken between our look at it and the server's own. */
const MAX_STARTS = 5
const DAY_MS = 24 * 60 * 60 * 1000

/** Starts the dev server; an orphan of an earlier run is stopped first. Resolves when it answers. */
export async function startTemporal(options: TemporalServerOptions): Promise<RunningTemporal> {
  const { dataDir, root, say = () => undefined, ui = true, supervise = true } = options
  const found = await findTemporal({ root, say, env: {} })
  if (!('binary' in found)) throw new Error('a program was asked for, an address was found')
  mkdirSync(dataDir, { recursive: true })
  const files = {
    pid: join(dataDir, 'temporal.pid'),
    ports: join(dataDir, 'temporal.ports.json'),
    log: resolve(dataDir, 'temporal.log'),
  }
  await stopOrphan(files.pid, resolve(dataDir))

  let stopping = false
  const first = await launchOnFreePorts(found.binary, resolve(dataDir), files, ui)
  const { ports, address } = first
  let current = first.launched

  const watch = (): void => {
    const watched = current
    void watched.exited.then(async () => {
      if (stopping || !supervise || watched !== current) return
      say(`Temporal ended (${watched.how()}); it is started again`)
      // It may die at once again and again (a full disk): then no faster than once a second.
      await until(() => stopping, 1_000, 100)
      if (stopping) return
      current = launch(found.binary, resolve(dataDir), ports, files, ui)
      watch()
    })
  }

  try {
    await setRetention(address, options.retentionMs ?? 7 * DAY_MS)
  } catch (error) {
    stopping = true
    await endProcess(current.pid, 'SIGTERM', 10_000)
    throw error
  }
  watch()
  return {
    address,
    namespace: NAMESPACE,
    uiUrl: ui ? `http://${LOOPBACK}:${ports.ui}` : null,
    pid: () => current.pid,
    stop: async () => {
      stopping = true
      await endProcess(current.pid, 'SIGTERM', 15_000)
      rmSync(files.pid, { force: true })
    },
    kill9: async () => {
      signal(current.pid, 'SIGKILL')
      await current.exited
    },
  }
}

interface Launched {
  pid: number
  exited: Promise<void>
  hasEnded(): boolean
  how(): string
}

function launch(binary: string, dataDir: string, ports: Ports, files: { pid: string; log: string }, ui: boolean): Launched {
  const log = openSync(files.log, 'a', 0o600)
  try {
    const child = spawn(
      binary,
      [
        'server',
        'start-dev',
        '--ip',
        LOOPBACK,
        '--port',
        String(ports.frontend),
        '--http-port',
        String(ports.http),
        '--metrics-port',
        String(ports.metrics),
        ...(ui ? ['--ui-port', String(ports.ui), '--ui-disable-news-fetch'] : ['--headless']),
        '--db-filename',
        join(dataDir, 'temporal.db'),
        '--sqlite-pragma',
        'journal_mode=wal',
        '--sqlite-pragma',
        'synchronous=1',
        '--log-level',
        'error',
        '--log-format',
        'json',
      ],
      {
        cwd: dataDir,
        stdio: ['ignore', log, log],
        // A group of its own: Ctrl-C reaches us alone, and we stop things in order.
        detached: true,
        // TEMPORAL_* of the caller's shell are a client's settings for other servers.
        env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'))),
      },
    )
    let ended: string | null = null
    const exited = new Promise<void>((done) => {
      child.once('exit', (code, by) => {
        ended = by ?? `exit code ${code}`
        done()
      })
      child.once('error', (error) => {
        ended = error.message
        done()
      })
    })
    const pid = child.pid ?? -1
    writeFileSync(files.pid, `${pid}\n`)
    return { pid, exited, hasEnded: () => ended !== null, how: () => ended ?? 'running' }
  } finally {
    closeSync(log)
  }
}

async function stopOrphan(pidFile: string, dataDir: string): Promise<void> {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8'))
  if (pid > 0 && isAlive(pid) && commandOf(pid).includes(join(dataDir, 'temporal.db'))) await endProcess(pid, 'SIGTERM', 15_000)
  rmSync(pidFile)
}

async function launchOnFreePorts(
  binary: string,
  dataDir: string,
  files: { pid: string; ports: string; log: string },
  ui: boolean,
): Promise<{ ports: Ports; address: string; launched: Launched }> {
  for (let start = 1; ; start++) {
    const ports = await choosePorts(files.ports)
    const address = `${LOOPBACK}:${ports.frontend}`
    const launched = launch(binary, dataDir, ports, files, ui)
    try {
      await waitUntilHealthy(address, launched, files.log)
      return { ports, address, launched }
    } catch (error) {
      await endProcess(launched.pid, 'SIGTERM', 10_000)
      if (start === MAX_STARTS || !(error instanceof OmnisagaError && error.code === 'port-taken')) throw error
    }
  }
}

/** The ports of the last time where they are free: a worker of another terminal, a bookmark of the web page go on working. */
async function choosePorts(file: string): Promise<Ports> {
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Ports>) : {}
  const taken: number[] = []
  const choose = async (preferred: number | undefined): Promise<number> => {
    const port = await freePort(preferred, taken, before.frontend ? 1_000 : 0)
    taken.push(port)
    return port
  }
  const ports: Ports = {
    frontend: await choose(before.frontend ?? 7233),
    http: await choose(before.http),
    metrics: await choose(before.metrics),
    ui: await choose(before.ui ?? 8233),
  }
  writeFileSync(file, JSON.stringify(ports))
  return ports
}

async function waitUntilHealthy(address: string, server: Launched, log: string): Promise<void> {
  const port = Number(address.split(':')[1])
  const ready = await until(
    async () => server.hasEnded() || ((await isListening(port)) && (await serves(address))),
    START_TIMEOUT_MS,
    50,
  )
  if (ready && !server.hasEnded()) return
  const said = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-2).join(' | ') : ''
  throw new OmnisagaError('Misconfigured', `Temporal did not start (${server.how()}): ${said}`, {
    remedy: `read ${log}`,
    ...(server.hasEnded() && said.includes('address already in use') ? { code: 'port-taken' } : {}),
  })
}

/** True when the namespace can be used; a server that listens is not there yet. */
async function serves(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 2_000 })
    try {
      await connection.workflowService.describeNamespace({ namespace: NAMESPACE })
      return true
    } finally {
      await connection.close()
    }
  } catch {
    return false // not yet; the caller asks again until its time is over
  }
}

async function setRetention(address: string, retentionMs: number): Promise<void> {
  const connection = await Connection.connect({ address })
  try {
    await connection.workflowService.updateNamespace({
      namespace: NAMESPACE,
      config: { workflowExecutionRetentionTtl: msToTs(retentionMs) },
    })
  } finally {
    await connection.close()
  }
}
