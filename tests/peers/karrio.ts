/** karrio 2026.1.32: one connection of its `generic` carrier, whose labels and numbers karrio makes itself; see karrio/setUp.py. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOOPBACK, freePort } from '../../cli/embedded/processes.ts'
import { installPython, peerSources, run, startDatabase, startServer } from './place.ts'
import type { Peer, RunningPeer } from './peer.ts'

const NAME = 'karrio'
const SET_UP = join(peerSources(NAME), 'setUp.py')
const ADD_TRACKER = join(peerSources(NAME), 'addTracker.py')
/** Of a system that only this machine can reach, and that is filled once for many runs. */
const token = 'key_a_token_on_the_loopback'

function environment(folder: string, databaseUrl: string): NodeJS.ProcessEnv {
  const url = new URL(databaseUrl)
  const work = join(folder, 'work')
  mkdirSync(work, { recursive: true })
  return {
    DJANGO_SETTINGS_MODULE: 'karrio.server.settings',
    SECRET_KEY: 'a-peer-on-the-loopback',
    DEBUG_MODE: 'False',
    ALLOWED_HOSTS: LOOPBACK,
    WORK_DIR: work,
    STATIC_ROOT_DIR: join(work, 'static'),
    USER_RATE_LIMIT: '6000/minute',
    CARRIER_REQUEST_RATE_LIMIT: '6000/minute',
    // Events go out before the call that caused them is answered: no worker beside the server, and nothing to wait for.
    WORKER_IMMEDIATE_MODE: 'True',
    DETACHED_WORKER: 'True',
    DATABASE_ENGINE: 'postgresql',
    DATABASE_HOST: url.hostname,
    DATABASE_PORT: url.port,
    DATABASE_NAME: url.pathname.slice(1),
    DATABASE_USERNAME: url.username,
    DATABASE_PASSWORD: decodeURIComponent(url.password),
    KARRIO_TOKEN: token,
    KARRIO_PASSWORD: 'a-peer-on-the-loopback',
  }
}

/** What the carrier's own tracking would report. */
export interface CarrierNews {
  /** karrio's TrackerStatus, e.g. `delivered`. */
  status: string
  description: string
  /** ISO 8601 */
  at: string
}
export interface RunningKarrio extends RunningPeer {
  /**
   * The carrier tells karrio how a parcel is. The carrier `generic` has no tracking of its own: its tracker is made as karrio
   * makes one at the purchase for carriers that have, and the news comes by karrio's endpoint for it.
   */
  carrierReports(waybill: string, news: CarrierNews): Promise<void>
}

export const peer: Peer<RunningKarrio> = {
  name: NAME,
  title: 'karrio 2026.1.32',
  async start(say) {
    const folder = await installPython(NAME, say)
    const bin = join(folder, 'venv', 'bin')
    const database = await startDatabase(NAME, {
      version: [SET_UP, join(peerSources(NAME), 'requirements.txt')].map((file) => readFileSync(file, 'utf8')).join('\n'),
      setUp: async (url) => {
        say(`${NAME}: filling its database (two minutes)`)
        const options = { cwd: folder, env: environment(folder, url), log: join(folder, 'set-up.log') }
        await run(join(bin, 'karrio'), ['migrate', '--noinput'], options)
        await run(join(bin, 'karrio'), ['shell', '-c', readFileSync(SET_UP, 'utf8')], options)
      },
    })
    try {
      const port = await freePort()
      const url = `http://${LOOPBACK}:${port}`
      const server = await startServer({
        name: NAME,
        command: join(bin, 'gunicorn'),
        args: ['--bind', `${LOOPBACK}:${port}`, '--workers', '1', '--threads', '4', 'karrio.server.wsgi:application'],
        cwd: folder,
        env: environment(folder, database.url),
        ready: async () => (await fetch(`${url}/v1/shipments`, { headers: { authorization: `Token ${token}` } })).ok,
      })
      return {
        url,
        connection: {
          connector: NAME,
          config: {
            baseUrl: url,
            apiKey: token,
            services: { EXPRESS: { carrierId: 'peer-express', service: 'standard_service' } },
          },
        },
        carrierReports: async (waybill, { status, description, at }) => {
          const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
            const headers = { authorization: `Token ${token}`, 'content-type': 'application/json' }
            const answer = await fetch(`${url}${path}`, { ...init, headers })
            if (!answer.ok) throw new Error(`karrio ${path}: HTTP ${answer.status} ${await answer.text()}`)
            return await answer.json()
          }
          const trackers = async () =>
            ((await call(`/v1/trackers?tracking_number=${waybill}`)) as { results: { id: string }[] }).results
          if ((await trackers()).length === 0) {
            const env = { ...environment(folder, database.url), WAYBILL: waybill }
            const log = join(folder, 'add-tracker.log')
            await run(join(bin, 'karrio'), ['shell', '-c', readFileSync(ADD_TRACKER, 'utf8')], { cwd: folder, env, log })
          }
          const [tracker] = await trackers()
          const [date, time] = [at.slice(0, 10), at.slice(11, 16)]
          const event = { date, time, timestamp: new Date(at).toISOString(), status, code: status.toUpperCase(), description }
          await call(`/v1/trackers/${tracker?.id}/inject-events`, {
            method: 'POST',
            body: JSON.stringify({ events: [event], status, ...(status === 'delivered' ? { delivered: true } : {}) }),
          })
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
