import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { devServer, type DevServer } from '../harness/temporal.ts'

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

test('several started at the same moment, which all find the same ports free, each get ports of their own', async () => {
  const started = await Promise.allSettled(Array.from({ length: 3 }, () => devServer()))
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  try {
    expect(started.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))).toEqual([])
    expect(new Set(servers.map(({ address }) => address)).size).toBe(3)
  } finally {
    await Promise.all(servers.map((one) => one.stop()))
  }
})
