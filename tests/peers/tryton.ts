/** Tryton 8.2.1 with sales, stock and shipments: a company in TWD, three products, two warehouses; see tryton/setUp.py. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOOPBACK, freePort } from '../../cli/embedded/processes.ts'
import { installPython, peerSources, run, startDatabase, startServer } from './place.ts'
import type { Peer } from './peer.ts'

const NAME = 'tryton'
const SET_UP = join(peerSources(NAME), 'setUp.py')
const MODULES = ['sale', 'stock_supply', 'stock_package_shipping', 'sale_supply', 'product_measurements']
const LOGIN = 'omnisaga'
/** Of a system that only this machine can reach, and that is filled once for many runs. */
const key = 'a-user-application-key-on-the-loopback'
const adminPassword = 'a-peer-on-the-loopback'

/** @returns the configuration file; `{database}` is the database's name in Tryton's words: the last part of the URL */
function writeConfig(folder: string, databaseUrl: string, listen: string): { file: string; database: string } {
  const url = new URL(databaseUrl)
  const database = url.pathname.slice(1)
  url.pathname = '/'
  const file = join(folder, `${database}.conf`)
  writeFileSync(file, `[database]\nuri = ${url.href}\n\n[web]\nlisten = ${listen}\n`, { mode: 0o600 })
  return { file, database }
}

async function setUp(folder: string, databaseUrl: string): Promise<void> {
  const { file, database } = writeConfig(folder, databaseUrl, `${LOOPBACK}:0`)
  const log = join(folder, 'set-up.log')
  const passwordFile = join(folder, 'admin.password')
  writeFileSync(passwordFile, `${adminPassword}\n`, { mode: 0o600 })
  const env = { TRYTONPASSFILE: passwordFile, TRYTON_KEY: key }
  const bin = join(folder, 'venv', 'bin')
  const admin = ['-c', file, '-d', database]
  // With --email it would ask nothing; given a second time it would take the administrator's rights away.
  await run(join(bin, 'trytond-admin'), [...admin, '--email', 'admin@example.com', '--all'], { cwd: folder, env, log })
  await run(join(bin, 'trytond-admin'), [...admin, '-u', ...MODULES, '--activate-dependencies'], { cwd: folder, env, log })
  await run(join(bin, 'python'), [SET_UP, file, database, LOGIN], { cwd: folder, env, log })
}

export const peer: Peer = {
  name: NAME,
  title: 'Tryton 8.2.1',
  async start(say) {
    const folder = await installPython(NAME, say)
    const database = await startDatabase(NAME, {
      version: [SET_UP, join(peerSources(NAME), 'requirements.txt')].map((file) => readFileSync(file, 'utf8')).join('\n'),
      setUp: async (url) => {
        say(`${NAME}: filling its database (two minutes)`)
        await setUp(folder, url)
      },
    })
    try {
      const port = await freePort()
      const url = `http://${LOOPBACK}:${port}`
      const { file, database: name } = writeConfig(folder, database.url, `${LOOPBACK}:${port}`)
      const server = await startServer({
        name: NAME,
        command: join(folder, 'venv', 'bin', 'trytond'),
        args: ['-c', file, '-d', name],
        cwd: folder,
        ready: async () => {
          const answer = await fetch(`${url}/${name}/rest/model/company.company`, { headers: { authorization: `bearer ${key}` } })
          return answer.ok
        },
      })
      return {
        url,
        connection: {
          connector: NAME,
          config: {
            baseUrl: url,
            database: name,
            applicationKey: key,
            companyId: 1,
            shippingProduct: 'SHIPPING',
            discountProduct: 'DISCOUNT',
            warehouses: { main: 'WH', second: 'WH2' },
          },
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
