/** Child processes that a test may kill: what they are told, how they are started, and what they last said. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LoopTimes } from '../../activities/loops.ts'

export interface ChildSettings {
  part: 'server' | 'worker'
  databaseUrl: string
  temporalAddress: string
  passphrase: string
  port: number
  loops: Partial<LoopTimes>
}

const PROGRAM = fileURLToPath(new URL('kill.child.ts', import.meta.url))
const KEPT_LINES = 60

export interface Part {
  readonly name: string
  /** Resolves when it serves. */
  start(): Promise<void>
  kill9(): Promise<void>
  stop(): Promise<void>
  /** How it ended without having been asked to; null while all is well. */
  crashed(): string | null
  /** The last lines of its log. */
  said(): string
}

export function partOf(name: string, settings: ChildSettings): Part {
  let child: ChildProcess | undefined
  let crashed: string | null = null
  const lines: string[] = []
  const ended = (process: ChildProcess) => process.exitCode !== null || process.signalCode !== null
  const end = async (signal: NodeJS.Signals) => {
    const ending = child
    child = undefined
    if (ending === undefined || ended(ending)) return
    const gone = new Promise<void>((resolve) => {
      ending.once('exit', () => resolve())
    })
    ending.kill(signal)
    await gone
  }
  return {
    name,
    start: () =>
      new Promise((resolve, reject) => {
        const started = spawn(process.execPath, ['--import', 'tsx', PROGRAM], {
          env: { ...process.env, KILL_SETTINGS: JSON.stringify(settings), OMNISAGA_LOG: process.env.OMNISAGA_LOG ?? 'warn' },
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        child = started
        started.stdout.on('data', (said: Buffer) => {
          if (said.toString().includes('ready')) resolve()
        })
        started.stderr.on('data', (said: Buffer) => {
          lines.push(...said.toString().trimEnd().split('\n'))
          lines.splice(0, Math.max(0, lines.length - KEPT_LINES))
        })
        started.once('exit', (code, signal) => {
          if (child !== started) return
          crashed = `${name} ended by itself (${signal ?? `exit code ${code}`})`
          reject(new Error(`${crashed}: ${lines.join('\n')}`))
        })
      }),
    kill9: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    crashed: () => crashed,
    said: () => `${name} said last:\n${lines.join('\n')}`,
  }
}
