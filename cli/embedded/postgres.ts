/**
 * Supervisor of the embedded PostgreSQL: one cluster in the data folder, on the loopback address, started and stopped by us.
 * (The npm package's own class ends Node before a clean drain, and fails without a word after Node was killed.)
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { OmnisagaError } from '../../domain/errors.ts'
import { choosePlace, type Place } from './postgresBinaries.ts'
import { LOOPBACK, childrenOf, commandOf, endProcess, freePort, isAlive, signal, until } from './processes.ts'

export interface PostgresOptions {
  /** The data folder; the cluster lies in `postgres` below it unless its user cannot reach it. */
  dataDir: string
  /** Tells one line to whoever started it. @default silent */
  say?: (line: string) => void
  /** False for throw-away databases of tests: no fsync. @default true */
  durable?: boolean
  /** @default 200 */
  maxConnections?: number
}

export interface RunningPostgres {
  /** Connection string of the database `omnisaga`, password included. */
  url: string
  port: number
  pid: number
  /** PostgreSQL's own data folder. */
  cluster: string
  /** Settles when the server has ended, for whatever reason. */
  exited: Promise<void>
  /** Ends connections, writes a checkpoint ("fast" shutdown) and waits. */
  stop(): Promise<void>
  /** Crashes it: SIGKILL to the postmaster and its children. For tests. */
  kill9(): Promise<void>
}

const NAME = 'omnisaga'
const START_TIMEOUT_MS = 120_000

/** Starts the cluster of a data folder, creating it at the first time. An orphan of an earlier run is stopped first. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const place = await choosePlace(options.dataDir, options.say ?? (() => undefined))
  const { cluster } = place
  await stopOrphan(cluster)
  if (!existsSync(join(cluster, 'PG_VERSION')) || wasRemoved(place, options.dataDir)) createCluster(place, options)
  checkOwner(place)
  const password = readFileSync(passwordFile(options.dataDir), 'utf8').trim()
  const portFile = join(options.dataDir, 'postgres.port')
  const remembered = existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) || undefined : undefined
  const { pid, port, exited } = await launch(place, options, remembered)
  writeFileSync(portFile, `${port}\n`)
  const url = (database: string) => `postgresql://${NAME}:${password}@${LOOPBACK}:${port}/${database}`
  const running: RunningPostgres = {
    url: url(NAME),
    port,
    pid,
    cluster,
    exited,
    stop: async () => {
      await endProcess(pid, 'SIGINT', 30_000)
      await exited
    },
    kill9: async () => {
      const children = childrenOf(pid)
      for (const victim of [pid, ...children]) signal(victim, 'SIGKILL')
      await exited
      await until(() => !children.some(isAlive), 10_000)
    },
  }
  try {
    await ensureDatabase(url('postgres'))
  } catch (error) {
    await running.stop()
    throw error
  }
  return running
}

/**
 * A cluster that had to be put outside the data folder goes with it: its password lies in the data folder, and whoever
 * removes that wants to begin anew.
 */
function wasRemoved({ cluster }: Place, dataDir: string): boolean {
  if (existsSync(passwordFile(dataDir))) return false
  if (resolve(cluster, '..') !== resolve(dataDir)) return true
  throw new OmnisagaError('Misconfigured', `${passwordFile(dataDir)} is missing, the database cannot be opened without it`, {
    remedy: `restore the file, or remove ${resolve(dataDir)} to begin with an empty database`,
  })
}

const passwordFile = (dataDir: string) => join(dataDir, 'postgres.password')

function createCluster({ user, binaries, cluster }: Place, { dataDir, durable }: PostgresOptions): void {
  // What a first start that was killed half-way left behind is not yet a cluster.
  if (existsSync(cluster)) for (const name of readdirSync(cluster)) rmSync(join(cluster, name), { recursive: true })
  mkdirSync(cluster, { recursive: true, mode: 0o700 })
  const password = randomBytes(24).toString('base64url')
  writeFileSync(passwordFile(dataDir), `${password}\n`, { mode: 0o600 })
  chmodSync(passwordFile(dataDir), 0o600)
  const forInitdb = join(cluster, '..', `postgres.${process.pid}.initdb`)
  writeFileSync(forInitdb, password, { mode: 0o600 })
  if (user) for (const path of [cluster, forInitdb]) chownSync(path, user.uid, user.gid)
  const made = spawnSync(
    binaries.initdb,
    [
      '-D',
      cluster,
      '-U',
      NAME,
      `--pwfile=${forInitdb}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      ...(durable === false ? ['--no-sync'] : []),
    ],
    { cwd: cluster, encoding: 'utf8', env: serverEnv(), ...(user ? { uid: user.uid, gid: user.gid } : {}) },
  )
  rmSync(forInitdb)
  if (made.status !== 0) {
    for (const name of readdirSync(cluster)) rmSync(join(cluster, name), { recursive: true })
    throw new OmnisagaError('Misconfigured', `initdb failed: ${(made.error?.message ?? made.stderr).trim()}`, {
      remedy: `see that ${cluster} is writable and the disk has room, or set DATABASE_URL`,
    })
  }
}

/** PG* variables of the caller's shell are meant for other servers. */
const serverEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env)
      .filter(([name]) => !name.startsWith('PG'))
      .concat([
        ['LC_ALL', 'C'],
        ['TZ', 'UTC'],
      ]),
  )

function checkOwner({ user, cluster }: Place): void {
  const owner = statSync(cluster).uid
  const me = user?.uid ?? process.getuid?.()
  if (me !== undefined && owner !== me) {
    throw new OmnisagaError(
      'Misconfigured',
      `${cluster} belongs to user id ${owner}, PostgreSQL would run as ${user?.name ?? me}`,
      { remedy: 'start as the user who started it first, or choose another OMNISAGA_DATA' },
    )
  }
}

interface PidFile {
  pid: number
  port: number
  ready: boolean
}

/** Lines of postmaster.pid: pid, data folder, start time, port, socket folder, address, shared memory, status. */
function readPidFile(cluster: string): PidFile | null {
  const path = join(cluster, 'postmaster.pid')
  if (!existsSync(path)) return null
  const lines = readFileSync(path, 'utf8').split('\n')
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

/** Stops the server that an earlier run left behind; the pid file of a dead one is PostgreSQL's own business. */
async function stopOrphan(cluster: string): Promise<void> {
  const file = readPidFile(cluster)
  if (!file || !(file.pid > 0)) return
  // One that was just killed has no command line any more, and is gone in a moment.
  await until(() => !isAlive(file.pid) || commandOf(file.pid) !== '', 5_000)
  if (!isAlive(file.pid)) return
  if (commandOf(file.pid).includes(cluster)) await endProcess(file.pid, 'SIGINT', 30_000)
  // The id was given to another process meanwhile: PostgreSQL would refuse to start beside it.
  else rmSync(join(cluster, 'postmaster.pid'))
}

async function launch(place: Place, options: PostgresOptions, preferred: number | undefined) {
  const logFile = resolve(options.dataDir, 'postgres.log')
  let wished = preferred
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(wished, [], 2_000)
    const logStart = existsSync(logFile) ? statSync(logFile).size : 0
    const { pid, exited } = spawnServer(place, options, port, logFile)
    let ended = false
    void exited.then(() => {
      ended = true
    })
    const up = await until(() => {
      const file = readPidFile(place.cluster)
      return ended || (file?.pid === pid && file.ready)
    }, START_TIMEOUT_MS)
    if (up && !ended) return { pid, port, exited }
    if (!ended) await endProcess(pid, 'SIGQUIT', 5_000)
    const said = readFileSync(logFile).subarray(logStart).toString('utf8').trim()
    const portTaken = /Address already in use|could not bind/.test(said)
    // Backends of a killed server have not yet noticed that it is gone; they will, once their statement ends.
    const notYetGone = /shared memory block|lock file "postmaster.pid" already exists/.test(said)
    if (attempt < 20 && (portTaken || notYetGone)) {
      if (portTaken) wished = undefined
      else await delay(250)
      continue
    }
    throw new OmnisagaError(
      'Misconfigured',
      `PostgreSQL did not start: ${said.split('\n').slice(-3).join(' | ') || 'it said nothing'}`,
      { remedy: `read ${logFile}` },
    )
  }
}

function spawnServer({ user, binaries, cluster }: Place, options: PostgresOptions, port: number, logFile: string) {
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    max_connections: options.maxConnections ?? 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    // The log is on disk for years and must hold no personal data: no statements, no parameters, no failing rows.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  }
  const log = openSync(logFile, 'a', 0o600)
  try {
    const child = spawn(
      binaries.postgres,
      ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        cwd: cluster,
        env: serverEnv(),
        stdio: ['ignore', log, log],
        // A group of its own: Ctrl-C reaches us alone, and we stop things in order.
        detached: true,
        ...(user ? { uid: user.uid, gid: user.gid } : {}),
      },
    )
    const exited = new Promise<void>((done) => {
      child.once('exit', () => done())
      child.once('error', () => done())
    })
    return { pid: child.pid ?? -1, exited }
  } finally {
    closeSync(log)
  }
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [NAME])
    if (rowCount === 0) await client.query(`create database ${NAME}`)
  } finally {
    await client.end()
  }
}
