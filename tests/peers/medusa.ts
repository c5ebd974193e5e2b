/** Medusa 2.21.2: a shop in Taiwan with three variants at one stock location, filled through its own Admin API. */
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOOPBACK, freePort } from '../../cli/embedded/processes.ts'
import { installNpm, peerSources, run, startDatabase, startServer } from './place.ts'
import type { Peer } from './peer.ts'
import { fillMedusa } from './fillMedusa.ts'

const NAME = 'medusa'
/** Of a shop that only this machine can reach, and that is filled once for many runs. */
const account = { email: 'omnisaga@example.com', password: 'a-peer-on-the-loopback' }

export const peer: Peer = {
  name: NAME,
  title: 'Medusa 2.21.2',
  async start(say) {
    const folder = await installNpm(NAME, say)
    const sources = ['medusa/medusa-config.js', 'medusa/package-lock.json', 'fillMedusa.ts'].map((file) =>
      join(peerSources(''), file),
    )
    copyFileSync(join(peerSources(NAME), 'medusa-config.js'), join(folder, 'medusa-config.js'))
    const medusa = join(folder, 'node_modules', '@medusajs', 'cli', 'cli.js')
    const environment = (databaseUrl: string) => ({
      DATABASE_URL: databaseUrl,
      NODE_ENV: 'production',
      MEDUSA_DISABLE_TELEMETRY: '1',
      DO_NOT_TRACK: '1',
      HOME: folder,
    })
    const serve = async (databaseUrl: string) => {
      const port = await freePort()
      const url = `http://${LOOPBACK}:${port}`
      const server = await startServer({
        name: NAME,
        command: process.execPath,
        args: [medusa, 'start', '--host', LOOPBACK, '--port', String(port)],
        cwd: folder,
        env: environment(databaseUrl),
        ready: async () => (await fetch(`${url}/health`)).ok,
      })
      return { url, stop: server.stop }
    }
    const database = await startDatabase(NAME, {
      version: sources.map((file) => readFileSync(file, 'utf8')).join('\n'),
      setUp: async (databaseUrl) => {
        say(`${NAME}: filling its database`)
        const log = join(folder, 'set-up.log')
        const command = (...args: string[]) =>
          run(process.execPath, [medusa, ...args], { cwd: folder, env: environment(databaseUrl), log })
        await command('db:migrate')
        await command('user', '-e', account.email, '-p', account.password)
        const server = await serve(databaseUrl)
        try {
          await fillMedusa(server.url, account)
        } finally {
          await server.stop()
        }
      },
    })
    try {
      const server = await serve(database.url)
      return {
        url: server.url,
        connection: { connector: NAME, config: { baseUrl: server.url, ...account } },
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
