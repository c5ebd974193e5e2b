/** What a running `omnisaga up` tells the other commands (run.json), and the lock that keeps a second one out of its data folder. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { OmnisagaError } from '../../domain/errors.ts'
import { isAlive, startOf } from './processes.ts'

interface Owner {
  pid: number
  start: string
}

export interface RunFile extends Owner {
  /** Holds the password of the embedded database: the file is readable by its owner alone. */
  databaseUrl: string
  /** host:port; null when Temporal's own variables name the server. */
  temporalAddress: string | null
  temporalNamespace: string
  temporalUi: string | null
  httpPort: number
}

const me = (): Owner => ({ pid: process.pid, start: startOf(process.pid) })
const lives = ({ pid, start }: Owner): boolean => pid > 0 && isAlive(pid) && startOf(pid) === start
const pathOf = (dataDir: string) => join(dataDir, 'run.json')

function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return null // absent, or cut off by a crash: as good as absent
  }
}

/** @returns the addresses of the system that runs on this data folder, or null when none does. */
export function readRunFile(dataDir: string): RunFile | null {
  const found = readJson<RunFile>(pathOf(dataDir))
  return found && lives(found) ? found : null
}

export function writeRunFile(dataDir: string, content: Omit<RunFile, keyof Owner>): void {
  const half = `${pathOf(dataDir)}.${process.pid}`
  writeFileSync(half, JSON.stringify({ ...me(), ...content }, null, 2), { mode: 0o600 })
  renameSync(half, pathOf(dataDir))
}

export const removeRunFile = (dataDir: string): void => rmSync(pathOf(dataDir), { force: true })

/** @returns the release. @throws OmnisagaError Misconfigured when another `up` runs on this data folder. */
export function lock(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true })
  const path = join(dataDir, 'up.lock')
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify(me()), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = readJson<Owner>(path)
    if (owner && lives(owner)) {
      throw new OmnisagaError('Misconfigured', `Omnisaga runs already on ${resolve(dataDir)} (process ${owner.pid})`, {
        code: 'alreadyRunning',
        remedy: 'use that one, stop it with Ctrl-C first, or set OMNISAGA_DATA to another folder',
      })
    }
    if (existsSync(path)) rmSync(path, { force: true }) // of a run that was killed
  }
}
