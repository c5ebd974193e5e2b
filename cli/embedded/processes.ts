/** Processes and ports, as the supervisors of the embedded servers need them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export const LOOPBACK = '127.0.0.1'

/** True when a process of this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  // A process that ended but was not waited for (its parent was killed, nobody reaps here) does nothing any more.
  return !existsSync(`/proc/${pid}/stat`) || !/\) [ZX] /.test(readText(`/proc/${pid}/stat`))
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process ended between the two looks
  }
}

/** The command line of a process, or '' when it is gone. */
export function commandOf(pid: number): string {
  if (existsSync('/proc/self/cmdline')) return readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).trim()
  } catch {
    return '' // ps exits 1 when there is no such process
  }
}

/** Tells a process from a later one that was given the same id; '' when it is gone. */
export function startOf(pid: number): string {
  // Field 22 of /proc/PID/stat: start in clock ticks since boot; the name in field 2 may hold spaces.
  if (existsSync('/proc/self/stat'))
    return (
      readText(`/proc/${pid}/stat`)
        .replace(/^.*\) /, '')
        .split(' ')[19] ?? ''
    )
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'lstart='], { encoding: 'utf8' }).trim()
  } catch {
    return '' // ps exits 1 when there is no such process
  }
}

/** Ids of the direct children of a process. */
export function childrenOf(pid: number): number[] {
  const listed = existsSync(`/proc/${pid}/task/${pid}/children`)
    ? readText(`/proc/${pid}/task/${pid}/children`)
    : execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([parent]) => parent === String(pid))
        .map(([, child]) => child)
        .join(' ')
  return listed.split(/\s+/).filter(Boolean).map(Number)
}

/** Sends a signal; a process that is already gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Waits until `condition` holds. @returns false when it did not within `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 25): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (await condition()) return true
    if (Date.now() > deadline) return false
    await delay(everyMs)
  }
}

/** Asks a process to end, waits, and ends it with SIGKILL when it does not within `timeoutMs`. */
export async function endProcess(pid: number, polite: NodeJS.Signals, timeoutMs: number): Promise<void> {
  signal(pid, polite)
  if (await until(() => !isAlive(pid), timeoutMs)) return
  signal(pid, 'SIGKILL')
  if (!(await until(() => !isAlive(pid), 10_000)))
    throw new Error(`process ${pid} does not end, even with SIGKILL; end it by hand`)
}

/** True when the port can be bound on the loopback address. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => server.close(() => resolve(true)))
  })

/** True when something on the loopback address accepts connections at the port. */
export const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/**
 * `preferred` when it is free, or becomes free within `graceMs` (a killed server lets go of its port a moment later), else one
 * the system gives, not among `taken`.
 */
export async function freePort(preferred?: number, taken: readonly number[] = [], graceMs = 0): Promise<number> {
  if (preferred !== undefined && !taken.includes(preferred) && (await until(() => isFree(preferred), graceMs, 50)))
    return preferred
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen({ port: 0, host: LOOPBACK, exclusive: true }, () => {
        const address = server.address()
        server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port given'))))
      })
    })
    if (!taken.includes(port)) return port
  }
}
