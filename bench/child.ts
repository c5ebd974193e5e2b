/** A process beside the one that measures. It ends when its standard input closes, so none is left behind by a run that was killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Child {
  /** The first line it printed. */
  said: string
  end(): Promise<void>
}

/** @param script relative to this folder. @throws when it ends before it has printed a line. */
export async function startChild(script: string, args: string[] = [], env: Record<string, string> = {}): Promise<Child> {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(script, import.meta.url)), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const said = await Promise.race([once(lines, 'line').then(([line]) => line as string), exited.then(() => null)])
  if (said === null) throw new Error(`${script} ended before it was ready`)
  return {
    said,
    end: async () => {
      child.stdin.end()
      await exited
    },
  }
}
