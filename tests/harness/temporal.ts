/** A real Temporal dev server of the test's own, to crash, to start again, to lose its database. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { startTemporal, type RunningTemporal } from '../../cli/embedded/temporalServer.ts'
import { root } from './paths.ts'
import { quietRuntime } from './temporalRuntime.ts'
import { removeTestFolder, testFolder } from './testFolders.ts'

export interface DevServer {
  /** host:port; stays the same through kill and start. */
  address: string
  namespace: string
  kill9(): Promise<void>
  /** Starts it again, with the database file as it lies there. */
  start(): Promise<void>
  /** Only between kill9 (or stop) and start: the engine forgets everything. */
  deleteDatabase(): void
  /** Stops it, if it runs, and removes its data. */
  stop(): Promise<void>
}

export async function devServer(): Promise<DevServer> {
  quietRuntime()
  const folder = testFolder()
  const launch = () => startTemporal({ dataDir: folder, root, ui: false, supervise: false, say: (line) => console.log(line) })
  let running: RunningTemporal = await launch()
  const { address, namespace } = running
  return {
    address,
    namespace,
    kill9: () => running.kill9(),
    start: async () => {
      running = await launch()
      if (running.address !== address) throw new Error(`port ${address} was taken by another process while Temporal was down`)
    },
    deleteDatabase: () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `temporal.db${suffix}`), { force: true })
    },
    stop: async () => {
      await running.stop()
      removeTestFolder(folder)
    },
  }
}
