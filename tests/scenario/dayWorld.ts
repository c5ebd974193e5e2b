/** The day of orders in one process: real PostgreSQL, a real Temporal dev server, the real HTTP server, a data folder of its own. */
import { DEMO_LOOPS } from '../../cli/demo/index.ts'
import { runDay } from '../../cli/demo/day.ts'
import { outside, type Outside } from '../../cli/demo/outside.ts'
import { openShop, type Shop } from '../../cli/demo/shop.ts'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { startServer } from '../../server/start.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { startWorker } from '../../worker.ts'
import { freshDatabase } from '../harness/postgres.ts'
import { devServer } from '../harness/temporal.ts'
import { removeTestFolder, testFolder } from '../harness/testFolders.ts'

export const SECRET = 'a passphrase for tests'

export interface DayWorld {
  runtime: Runtime
  shop: Shop
  api: Outside
  /** What the terminal showed. */
  said: string[]
  /** For commands of the command line, as a user's shell would have them. */
  env: Record<string, string>
  stop(): Promise<void>
}

/** Resolves when the day is over. */
export async function liveThroughTheDay(): Promise<DayWorld> {
  const db = await freshDatabase()
  const engine = await devServer()
  const folder = testFolder()
  const runtime = await createRuntime(
    {
      databaseUrl: db.url,
      temporal: { connection: { address: engine.address }, namespace: 'default' },
      secretKey: secretKeyFrom(SECRET),
    },
    { logLevel: process.env.OMNISAGA_LOG ?? 'silent' },
  )
  const server = await startServer(runtime, { port: 0 })
  const worker = await startWorker(runtime, { loops: { ...DEMO_LOOPS, wavesMs: 300 } })
  const shop = await openShop({ runtime, dataDir: folder, url: server.url })
  const said: string[] = []
  const stop = async () => {
    await shop.stop()
    await server.stop()
    await worker.stop()
    await runtime.close()
    await engine.stop()
    await db.drop()
    removeTestFolder(folder)
  }
  try {
    // Other tests may share the machine: more patience than a person at a terminal has.
    await runDay(shop, {
      say: (line) => {
        said.push(line)
      },
      patienceMs: 150_000,
    })
  } catch (error) {
    await stop()
    throw new Error(`the day stood still after: ${said.join(' | ')}`, { cause: error })
  }
  return {
    runtime,
    shop,
    api: outside(server.url),
    said,
    stop,
    env: { DATABASE_URL: db.url, TEMPORAL_ADDRESS: engine.address, OMNISAGA_SECRET_KEY: SECRET, OMNISAGA_DATA: folder },
  }
}
