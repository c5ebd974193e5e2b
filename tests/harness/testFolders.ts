/** Throw-away data folders of test servers; those of a run that was killed are swept, with their servers, by the next run. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandOf, endProcess, isAlive } from '../../cli/embedded/processes.ts'

const PREFIX = 'omnisaga-test-'

export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), PREFIX))
  chmodSync(folder, 0o755) // the user that runs PostgreSQL must pass
  writeFileSync(join(folder, 'owner.pid'), String(process.pid))
  return folder
}

export const removeTestFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })

const pidIn = (path: string): number => (existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n')[0]) || 0 : 0)

/** Ends the servers and removes the folders whose owner is gone. */
export async function sweepTestFolders(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name)
    const owner = pidIn(join(folder, 'owner.pid'))
    if (owner === 0 || isAlive(owner)) continue
    for (const pid of [pidIn(join(folder, 'postgres', 'postmaster.pid')), pidIn(join(folder, 'temporal.pid'))]) {
      if (pid > 0 && isAlive(pid) && commandOf(pid).includes(folder)) await endProcess(pid, 'SIGKILL', 5_000)
    }
    removeTestFolder(folder)
  }
}
