/** Vendure 3.7.3: a shop with three products and one shipping method; see vendure/main.mjs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOOPBACK, freePort } from '../../cli/embedded/processes.ts'
import { installNpm, peerSources, run, startDatabase, startServer } from './place.ts'
import type { Peer } from './peer.ts'

const NAME = 'vendure'
/** Of a shop that only this machine can reach, and that is filled once for many runs. */
const password = 'a-peer-on-the-loopback'
const MAIN = join(peerSources(NAME), 'main.mjs')

export const peer: Peer = {
  name: NAME,
  title: 'Vendure 3.7.3',
  async start(say) {
    const folder = await installNpm(NAME, say)
    const environment = (databaseUrl: string, port: number) => ({
      DATABASE_URL: databaseUrl,
      PORT: String(port),
      SUPERADMIN_PASSWORD: password,
      VENDURE_DISABLE_TELEMETRY: 'true',
    })
    const database = await startDatabase(NAME, {
      version: [MAIN, join(peerSources(NAME), 'products.csv'), join(peerSources(NAME), 'package-lock.json')]
        .map((file) => readFileSync(file, 'utf8'))
        .concat(password)
        .join('\n'),
      setUp: async (url) => {
        say(`${NAME}: filling its database`)
        const log = join(folder, 'set-up.log')
        await run(process.execPath, [MAIN, 'set-up'], { cwd: folder, env: environment(url, await freePort()), log })
      },
    })
    try {
      const port = await freePort()
      const url = `http://${LOOPBACK}:${port}`
      const server = await startServer({
        name: NAME,
        command: process.execPath,
        args: [MAIN, 'serve'],
        cwd: folder,
        env: environment(database.url, port),
        ready: async () => (await fetch(`${url}/health`)).ok,
      })
      return {
        url,
        connection: {
          connector: NAME,
          config: { baseUrl: url, username: 'superadmin', password },
        },
        stop: async () => {
          await server.stop()
          await database.stop()
        },
      }
    } catch (error) {
      await database.stop()
      throw error
    }
  },
}
