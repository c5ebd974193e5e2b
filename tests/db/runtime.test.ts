import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { transaction } from '../../store/db.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

let db: FreshDatabase
let runtime: Runtime
beforeAll(async () => {
  db = await freshDatabase()
  const temporal = { connection: { address: '127.0.0.1:1' }, namespace: 'default' }
  runtime = await createRuntime(
    { databaseUrl: db.url, temporal, secretKey: secretKeyFrom('a passphrase for tests') },
    { poolSize: 2, logLevel: 'silent' },
  )
  await db.pool.query(`insert into connections (name, connector, config) values ('store-1', 'store', '{}')`)
})
afterAll(async () => {
  await runtime.close()
  await db.drop()
})

it('steps that hold every connection of the pool can still read the policy and whose connection it is', async () => {
  let inside = 0
  let everybody: () => void = () => undefined
  const all = new Promise<void>((resolve) => {
    everybody = resolve
  })
  const step = () =>
    transaction(runtime.pool, async () => {
      inside += 1
      if (inside === 2) everybody()
      await all
      return [(await runtime.connectorOf('store-1')).name, (await runtime.policy()).bookingRetryMs.length]
    })
  expect(await Promise.all([step(), step()])).toEqual([
    ['store', 1],
    ['store', 1],
  ])
})
