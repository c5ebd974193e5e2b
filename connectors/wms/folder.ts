/** Drop folders: whole files or none. The only file of this connector that does I/O. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, open, readFile, readdir, rename, stat, unlink } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { basename, join } from 'node:path'
import { OmnisagaError } from '../../domain/errors.ts'

const HOUR_MS = 3_600_000
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown'

/** What a person must mend, against what passes by itself. */
const MENDED_BY_PEOPLE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'ELOOP'])

/** Runs `work`; what the file system says becomes an OmnisagaError that names the folder. */
export async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof OmnisagaError) throw error
    const code = codeOf(error)
    if (MENDED_BY_PEOPLE.has(code))
      throw new OmnisagaError('Misconfigured', `drop folder ${folder}: ${code}`, {
        code,
        remedy: 'make the folder (or mount it) and let this process read and write it',
      })
    throw new OmnisagaError('Transient', `drop folder ${folder}: ${code}`, { code })
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const sameContent = async (path: string, content: Buffer): Promise<boolean> => {
  try {
    return (await readFile(path)).equals(content)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** What a killed process left of this very file. Younger ones may belong to another writer. */
async function removeLeftovers(folder: string, prefix: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue
    const path = join(folder, name)
    const stats = await statOrNull(path)
    if (stats !== null && nowMs - stats.mtimeMs > HOUR_MS) await unlink(path)
  }
}

/**
 * The file is there whole or not at all, also after a crash of the machine: hidden temporary name in the same folder, file
 * synced, renamed, folder synced. A file that already says the same is left alone, so that the warehouse does not see it anew.
 */
export async function writeWhole(folder: string, name: string, text: string | Buffer, nowMs: number): Promise<void> {
  const content = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  const target = join(folder, name)
  if (await sameContent(target, content)) return syncFolder(folder)
  const prefix = `.${name}.`
  const temporary = join(folder, `${prefix}${process.pid}-${randomBytes(4).toString('hex')}.tmp`)
  const handle = await open(temporary, 'wx', 0o640) // personal data: owner and group only
  try {
    await handle.writeFile(content)
    await handle.sync()
    await handle.close()
    await rename(temporary, target)
  } catch (error) {
    await handle.close().catch(() => undefined) // it may be closed; the first error is the one to tell
    await unlink(temporary).catch(() => undefined) // a full disk: what cannot be removed stays hidden
    throw error
  }
  await syncFolder(folder)
  await removeLeftovers(folder, prefix, nowMs)
}

export async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** Names in byte order; hidden and temporary names are somebody's unfinished work. */
export async function listFinished(folder: string, format: 'xml' | 'csv'): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith(`.${format}`) && !/^[.~]/.test(entry.name))
    .map(({ name }) => name)
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

/** A file as it was when it was read; another writer shows in any of these. */
export interface Seen {
  ino: number
  size: number
  mtimeMs: number
}
export const sameFile = (a: Seen, b: Seen): boolean => a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs

/** @returns null when the file went away or was written to meanwhile: it is read another time. */
export async function readStill(path: string): Promise<{ bytes: Buffer; seen: Seen } | null> {
  const before = await statOrNull(path)
  if (before === null) return null
  try {
    const bytes = await readFile(path)
    const after = await stat(path)
    return sameFile(before, after) && bytes.length === after.size ? { bytes, seen: after } : null
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** `advice.xml`, or `advice.2.xml` when another file of that name was put there before. */
async function freeName(folder: string, name: string): Promise<string> {
  const dot = name.lastIndexOf('.')
  for (let serial = 1; ; serial++) {
    const candidate = serial === 1 ? name : `${name.slice(0, dot)}.${serial}${name.slice(dot)}`
    if ((await statOrNull(join(folder, candidate))) === null) return candidate
  }
}

/**
 * Moves a file if it is still the one that was read; a reason is written beside it first, so that none is ever without.
 * One that was written to meanwhile, or that somebody else moved, is left alone.
 */
export async function moveAway(path: string, seen: Seen, folder: string, reason: string | null, nowMs: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  const now = await statOrNull(path)
  if (now === null || !sameFile(now, seen)) return
  const free = await freeName(folder, basename(path))
  if (reason !== null) await writeWhole(folder, `${free}.reason.txt`, `${reason}\n`, nowMs)
  try {
    await rename(path, join(folder, free))
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EXDEV') {
      await copyFile(path, join(folder, free)) // another file system
      await unlink(path)
    } else if (code !== 'ENOENT' || (await statOrNull(path)) !== null) throw error
  }
}

/** Makes sure of a folder by writing to it. @returns what is wrong, or null. */
export async function problemWith(folder: string, make: boolean): Promise<string | null> {
  const probe = join(folder, `.omnisaga-check-${randomBytes(4).toString('hex')}.tmp`)
  try {
    if (make) await mkdir(folder, { recursive: true })
    if (!(await stat(folder)).isDirectory()) return 'is not a folder'
    await readdir(folder)
    const handle = await open(probe, 'wx')
    await handle.close()
    await unlink(probe)
    return null
  } catch (error) {
    const code = codeOf(error)
    return code === 'ENOENT' ? 'does not exist' : `cannot be read and written (${code})`
  }
}
