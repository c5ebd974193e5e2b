import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { afterAll, beforeAll, it } from 'vitest'
import { createRuntime, TASK_QUEUE, type Runtime } from '../../runtime.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { startWorker } from '../../worker.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'
import { devServer, type DevServer } from '../harness/temporal.ts'

/** Unlike `default`, the dev server does not make it by itself. */
const NAMESPACE = 'a-namespace-of-our-own'

let db: FreshDatabase
let engine: DevServer
let runtime: Runtime
let connection: Connection
const ended: string[] = []

beforeAll(async () => {
  db = await freshDatabase()
  engine = await devServer()
  const temporal = { connection: { address: engine.address }, namespace: NAMESPACE }
  const made = await createRuntime(
    { databaseUrl: db.url, temporal, secretKey: secretKeyFrom('a passphrase for tests') },
    { logLevel: 'silent' },
  )
  const error = (_fields: object, message: string) => {
    ended.push(message)
  }
  runtime = { ...made, log: { info: () => undefined, warn: () => undefined, error } }
  connection = await Connection.connect({ address: engine.address })
})
afterAll(async () => {
  await connection?.close()
  await runtime?.close()
  await engine?.stop()
  await db?.drop()
})

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await reached().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 100)
    }) // between two looks at the condition
  }
}

const makeNamespace = () =>
  connection.workflowService.registerNamespace({
    namespace: NAMESPACE,
    workflowExecutionRetentionPeriod: msToTs(86_400_000),
  })

const isPolled = async (): Promise<boolean> =>
  (
    (
      await connection.workflowService.describeTaskQueue({
        namespace: NAMESPACE,
        taskQueue: { name: TASK_QUEUE },
        taskQueueType: 1,
      })
    ).pollers ?? []
  ).length > 0

it('a worker whose namespace the engine has forgotten is made anew until the namespace is known again', async () => {
  await makeNamespace()
  await until(
    'the namespace is known',
    async () => (await connection.workflowService.describeNamespace({ namespace: NAMESPACE })) !== null,
  )
  const worker = await startWorker(runtime, { loops: false })
  try {
    await until('the queue is polled', isPolled)
    await engine.kill9()
    engine.deleteDatabase()
    await engine.start()
    // The SDK itself tries for a minute before it gives a refused poll up.
    await until('a poll was refused', () => Promise.resolve(ended.some((message) => message.includes('is made anew'))))
    await makeNamespace()
    await until('the queue is polled again', isPolled)
  } finally {
    await worker.stop()
  }
})
