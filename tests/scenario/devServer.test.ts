import { readFileSync, watch } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTemporal } from '../../cli/embedded/temporalServer.ts'
import { root } from '../harness/paths.ts'
import { devServer, type DevServer } from '../harness/temporal.ts'
import { removeTestFolder, testFolder } from '../harness/testFolders.ts'

let server: DevServer
let connection: Connection
let client: Client
beforeAll(async () => {
  server = await devServer()
  connection = await Connection.connect({ address: server.address })
  client = new Client({ connection })
})
afterAll(async () => {
  await connection.close()
  await server.stop()
})

const start = (workflowId: string) => client.workflow.start('nobodyRunsThis', { taskQueue: 'none', workflowId })
const status = async (workflowId: string) => (await client.workflow.getHandle(workflowId).describe()).status.name

test('a started workflow is there after SIGKILL, and is gone when the database file was deleted', async () => {
  await start('kept')
  await server.kill9()
  await server.start()
  expect(await status('kept')).toBe('RUNNING')

  await server.kill9()
  server.deleteDatabase()
  await server.start()
  await expect(status('kept')).rejects.toThrow('not found')
})

test('closed workflows are kept for the retention we set, not the server’s default', async () => {
  const { config } = await connection.workflowService.describeNamespace({ namespace: server.namespace })
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 24 * 60 * 60)
})

test('a port that another program takes between our look and the start is given up for another', async () => {
  const dataDir = testFolder()
  const ports = join(dataDir, 'temporal.ports.json')
  const squatter = createServer()
  let isTaken = false
  const watcher = watch(dataDir, (_event, file) => {
    if (file !== 'temporal.ports.json' || squatter.listening || isTaken) return
    const { frontend } = JSON.parse(readFileSync(ports, 'utf8') || '{}') as { frontend?: number }
    if (frontend !== undefined) squatter.listen(frontend, '127.0.0.1', () => (isTaken = true))
  })
  try {
    const running = await startTemporal({ dataDir, root, ui: false, supervise: false })
    await running.stop()
    expect(isTaken).toBe(true)
    expect(running.address).not.toBe(`127.0.0.1:${(squatter.address() as AddressInfo).port}`)
  } finally {
    watcher.close()
    squatter.close()
    removeTestFolder(dataDir)
  }
})
