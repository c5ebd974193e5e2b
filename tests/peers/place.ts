/** Where peers live, and how they are installed, given a database and started. See peer.ts. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../../cli/embedded/postgres.ts'
import { endProcess, isAlive, startOf, until } from '../../cli/embedded/processes.ts'
import { root } from '../harness/paths.ts'

/** What is installed and kept: .cache/peers/NAME. */
export function peerFolder(name: string): string {
  const folder = join(root, '.cache', 'peers', name)
  mkdirSync(folder, { recursive: true })
  return folder
}
/** What is written and committed: tests/peers/NAME. */
export const peerSources = (name: string): string => join(root, 'tests', 'peers', name)

const tail = (path: string, lines = 15): string =>
  existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '(no log)'

export interface RunOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** Output is appended here; its end is shown when the command fails. */
  log: string
}

/** Runs a command to its end. @throws Error with the end of its log when it fails. */
export async function run(command: string, args: string[], { cwd, env, log }: RunOptions): Promise<void> {
  const out = openSync(log, 'a')
  try {
    const code = await new Promise<number | string | null>((done, failed) => {
      const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', out, out] })
      child.once('error', failed)
      child.once('exit', (status, signal) => done(status ?? signal))
    })
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${tail(log)}`)
  } finally {
    closeSync(out)
  }
}

/** Does `install` unless the same `pinned` files were installed before. */
async function installOnce(name: string, pinned: string[], install: (folder: string, log: string) => Promise<void>) {
  const folder = peerFolder(name)
  const hash = createHash('sha256')
  for (const file of pinned) hash.update(readFileSync(join(peerSources(name), file)))
  const wanted = hash.digest('hex')
  const note = join(folder, 'installed')
  if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return folder
  rmSync(note, { force: true })
  for (const file of pinned) copyFileSync(join(peerSources(name), file), join(folder, file))
  await install(folder, join(folder, 'install.log'))
  writeFileSync(note, wanted)
  return folder
}

/**
 * npm, by tests/peers/NAME/package-lock.json. Not `npm ci`: that refuses a lock without the packages for other platforms, which
 * are left out when the registry that it was written from lacks one of them.
 * @returns the folder that holds node_modules.
 */
export const installNpm = (name: string, say: (line: string) => void): Promise<string> =>
  installOnce(name, ['package.json', 'package-lock.json'], async (folder, log) => {
    say(`${name}: installing its packages (npm, some minutes)`)
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, log })
  })

/** pip, of tests/peers/NAME/requirements.txt (every version exact). @returns the folder; its Python is venv/bin/python. */
export const installPython = (name: string, say: (line: string) => void): Promise<string> =>
  installOnce(name, ['requirements.txt'], async (folder, log) => {
    say(`${name}: installing its packages (pip, some minutes)`)
    rmSync(join(folder, 'venv'), { recursive: true, force: true })
    await run('python3', ['-m', 'venv', 'venv'], { cwd: folder, log })
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '-r', 'requirements.txt']
    await run(join(folder, 'venv', 'bin', 'python'), pip, { cwd: folder, log })
  })

export interface PeerDatabase {
  /** Connection string of a fresh copy of what `setUp` made. */
  url: string
  stop(): Promise<void>
}

async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const withDatabase = (url: string, database: string): string => {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

/**
 * The peer's own PostgreSQL on the loopback address. `setUp` runs once for each `version` against an empty database; every run
 * is given a copy of that.
 * @param options.version changes when the set-up does, e.g. a hash of its files
 */
export async function startDatabase(
  name: string,
  options: { version: string; setUp(url: string): Promise<void> },
): Promise<PeerDatabase> {
  const release = alone(name)
  try {
    const postgres = await startPostgres({ dataDir: join(peerFolder(name), 'db'), durable: false })
    try {
      const made = `made_${createHash('sha256').update(options.version).digest('hex').slice(0, 12)}`
      const known = await asAdmin(postgres.url, (client) => client.query('select from pg_database where datname = $1', [made]))
      if (known.rowCount === 0) {
        await asAdmin(postgres.url, (client) => client.query('drop database if exists making with (force)'))
        await asAdmin(postgres.url, (client) => client.query('create database making'))
        await options.setUp(withDatabase(postgres.url, 'making'))
        await asAdmin(postgres.url, (client) => client.query(`alter database making rename to ${made}`))
      }
      await asAdmin(postgres.url, (client) => client.query('drop database if exists peer with (force)'))
      await asAdmin(postgres.url, (client) => client.query(`create database peer template ${made}`))
      return {
        url: withDatabase(postgres.url, 'peer'),
        stop: async () => {
          await postgres.stop()
          release()
        },
      }
    } catch (error) {
      await postgres.stop()
      throw error
    }
  } catch (error) {
    release()
    throw error
  }
}

/** Two runs of one peer would stop each other's database. */
function alone(name: string): () => void {
  const lock = join(peerFolder(name), 'run.lock')
  if (existsSync(lock)) {
    const [pid, start] = readFileSync(lock, 'utf8').split(' ')
    if (isAlive(Number(pid)) && startOf(Number(pid)) === start)
      throw new Error(`${name} is in use by process ${pid}: wait until it has ended`)
  }
  writeFileSync(lock, `${process.pid} ${startOf(process.pid)}`)
  return () => rmSync(lock, { force: true })
}

export interface ServerOptions {
  name: string
  command: string
  args: string[]
  cwd: string
  env?: NodeJS.ProcessEnv
  /** True once it answers; an error means not yet. */
  ready(): Promise<boolean>
  /** @default 120 s */
  timeoutMs?: number
}

/** Starts a server in a process group of its own and waits until it is ready. Its output goes to .cache/peers/NAME/server.log. */
export async function startServer(options: ServerOptions): Promise<{ pid: number; stop(): Promise<void> }> {
  const log = join(peerFolder(options.name), 'server.log')
  const out = openSync(log, 'w')
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', out, out],
    detached: true,
  })
  closeSync(out)
  let ended: string | null = null
  child.once('error', (error) => (ended = error.message))
  child.once('exit', (code, signal) => (ended = `it ended with ${code ?? signal}`))
  const pid = child.pid ?? -1
  const stop = async () => {
    if (pid > 0 && isAlive(pid)) await endProcess(pid, 'SIGTERM', 15_000)
  }
  const answers = () => options.ready().catch(() => false) // it is not listening yet
  const up = await until(async () => ended !== null || (await answers()), options.timeoutMs ?? 120_000, 200)
  if (up && ended === null) return { pid, stop }
  await stop()
  throw new Error(`${options.name} did not start: ${ended ?? 'no answer in time'}\n${tail(log)}`)
}
