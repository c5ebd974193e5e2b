import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isAlive } from '../../cli/embedded/processes.ts'
import { startEmbedded, type Service } from '../../cli/embedded/up.ts'
import { resolveEnvironment } from '../../cli/environment.ts'
import { createPool } from '../../store/db.ts'
import { root } from '../harness/paths.ts'
import { removeTestFolder, testFolder } from '../harness/testFolders.ts'

let folder: string
let env: NodeJS.ProcessEnv
const said: string[] = []
const say = (line: string) => {
  said.push(line)
}
beforeEach(() => {
  folder = testFolder()
  env = { OMNISAGA_DATA: folder, OMNISAGA_PORT: '0' }
  said.length = 0
})
afterEach(() => removeTestFolder(folder))

const postgresPid = () => Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
const temporalPid = () => Number(readFileSync(join(folder, 'temporal.pid'), 'utf8'))

test('services stop in the reverse order, then Temporal and PostgreSQL, and no process is left', async () => {
  const log: string[] = []
  const service = (name: string): Service => ({
    name,
    start: async (environment) => {
      log.push(`start ${name}`)
      return async () => {
        const pool = createPool(environment.databaseUrl, { max: 1 })
        await pool.query('select 1') // the database is still there
        await pool.end()
        log.push(`stop ${name}`)
      }
    },
  })
  const system = await startEmbedded({ env, say, services: [service('server'), service('worker')] })
  const pids = [postgresPid(), temporalPid()]
  expect(resolveEnvironment(env)).toEqual(system.environment)
  await expect(startEmbedded({ env, say, services: [] })).rejects.toThrow('runs already')
  await system.stop()
  expect(log).toEqual(['start server', 'start worker', 'stop worker', 'stop server'])
  expect(pids.filter(isAlive)).toEqual([])
  expect(() => resolveEnvironment(env)).toThrow('nothing runs')
})

test('a service that does not start takes the others down with it', async () => {
  const log: string[] = []
  const good: Service = {
    name: 'server',
    start: async () => async () => {
      log.push('stop server')
    },
  }
  const bad: Service = {
    name: 'worker',
    start: async () => {
      throw new Error('no workflows')
    },
  }
  await expect(startEmbedded({ env, say, services: [good, bad] })).rejects.toThrow('no workflows')
  expect(log).toEqual(['stop server'])
  await (await startEmbedded({ env, say, services: [] })).stop()
})

test('a busy port moves to a free one, and that is said', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const system = await startEmbedded({ env: { ...env, OMNISAGA_PORT: String(port) }, say, services: [] })
  expect(system.environment.httpPort).not.toBe(port)
  expect(said).toContainEqual(`port ${port} is busy: the HTTP server listens on ${system.environment.httpPort}`)
  await system.stop()
  other.close()
})

test('after SIGKILL to Node, PostgreSQL and Temporal the next start goes on with rows and workflows', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('./up.child.ts', import.meta.url))], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const before = JSON.parse(line.toString()) as { databaseUrl: string; temporal: { connection: { address: string } } }
  const pool = createPool(before.databaseUrl, { max: 1 })
  await pool.query(`insert into products (sku) values ('S1')`)
  await pool.end()
  const connection = await Connection.connect(before.temporal.connection)
  await new Client({ connection }).workflow.start('nobodyRunsThis', { taskQueue: 'none', workflowId: 'w1' })
  await connection.close()

  const gone = once(child, 'exit')
  for (const pid of [child.pid ?? 0, postgresPid(), temporalPid()]) process.kill(pid, 'SIGKILL')
  await gone

  const system = await startEmbedded({ env, say, services: [] })
  expect(system.environment.databaseUrl).toBe(before.databaseUrl)
  const again = createPool(system.environment.databaseUrl, { max: 1 })
  expect((await again.query('select sku from products')).rows).toEqual([{ sku: 'S1' }])
  await again.end()
  const reconnected = await Connection.connect(system.environment.temporal.connection)
  expect((await new Client({ connection: reconnected }).workflow.getHandle('w1').describe()).status.name).toBe('RUNNING')
  await reconnected.close()
  await system.stop()
})

test('after SIGKILL to Node alone the orphans are ended and the next start goes on', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('./up.child.ts', import.meta.url))], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  const orphans = [postgresPid(), temporalPid()]
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  const system = await startEmbedded({ env, say, services: [] })
  expect(orphans.filter(isAlive)).toEqual([])
  await system.stop()
})
