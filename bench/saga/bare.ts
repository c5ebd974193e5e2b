/** Runs bare sagas: activities that do nothing, signals as the product is rung. */
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker'
import type { BareCourier, BareSteps } from './bare.workflow.ts'
import { each, type Contender } from './round.ts'

const QUEUE = 'bare'
const COURIER_QUEUE = 'bare-courier'

export async function startBare(address: string, namespace: string): Promise<Contender> {
  const queued: string[] = []
  const booked: string[] = []
  let closed = 0
  const steps: BareSteps = {
    step: async (orderId, name) => {
      if (name === 'queueForWave') queued.push(orderId)
      return null
    },
  }
  const courier: BareCourier = {
    bookNothing: async (orderId) => {
      booked.push(orderId)
      return null
    },
  }
  const quiet = () => undefined
  const bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./bare.workflow.ts', import.meta.url)),
    logger: {
      log: quiet,
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: (message) => process.stderr.write(`${message}\n`),
    },
  })
  const native = await NativeConnection.connect({ address })
  const connection = await Connection.connect({ address })
  const client = new Client({ connection, namespace })
  const common = { connection: native, namespace }
  const workers = [
    // The settings of worker.ts.
    await Worker.create({
      ...common,
      taskQueue: QUEUE,
      workflowBundle: bundle,
      activities: { ...steps },
      maxConcurrentLocalActivityExecutions: 16,
    }),
    await Worker.create({
      ...common,
      taskQueue: COURIER_QUEUE,
      activities: { ...courier },
      maxConcurrentActivityTaskExecutions: 20,
    }),
  ]
  const running = workers.map((worker) => worker.run())
  const start = { taskQueue: QUEUE }
  const ring = (orderId: string) =>
    client.workflow.signalWithStart('bare', {
      ...start,
      workflowId: orderId,
      args: [orderId, COURIER_QUEUE],
      signal: 'doorbell',
      signalArgs: [],
    })
  return {
    begin: async (serial) => {
      const workflowId = `bare/${serial}`
      const handle = await client.workflow.start('bare', { ...start, workflowId, args: [workflowId, COURIER_QUEUE] })
      void handle.result().then(() => closed++)
    },
    answer: () => each([...queued.splice(0), ...booked.splice(0)], ring),
    finished: async () => closed,
    stop: async () => {
      for (const worker of workers) worker.shutdown()
      await Promise.all(running)
      await native.close()
      await connection.close()
    },
  }
}
