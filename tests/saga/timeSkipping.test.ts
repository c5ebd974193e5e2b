import { fileURLToPath } from 'node:url'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { timeSkippingEnv } from '../harness/timeSkipping.ts'
import type { sleeper } from './sleeper.workflow.ts'

let env: TestWorkflowEnvironment
beforeAll(async () => {
  env = await timeSkippingEnv()
})
afterAll(() => env.teardown())

test('a workflow sleeps thirty days while the test does not', async () => {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: 'sleep',
    workflowsPath: fileURLToPath(new URL('./sleeper.workflow.ts', import.meta.url)),
  })
  const slept = await worker.runUntil(
    env.client.workflow.execute<typeof sleeper>('sleeper', { taskQueue: 'sleep', workflowId: 'sleeper', args: [30] }),
  )
  expect(slept).toBeGreaterThanOrEqual(30 * 24 * 60 * 60 * 1000)
})
