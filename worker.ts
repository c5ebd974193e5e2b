/** The Temporal worker: the sagas, their steps, one queue a connector kind for calls to other systems, and the loops. */
import { NativeConnection, Runtime as TemporalRuntime, Worker, DefaultLogger, type WorkerOptions } from '@temporalio/worker'
import { startLoops, type LoopTimes, defaultTimes } from './activities/loops.ts'
import { createCourierSteps } from './activities/order/courier.ts'
import { createOrderSteps } from './activities/order/steps.ts'
import { createPullActivities } from './activities/pull.ts'
import type { Runtime } from './activities/runtime.ts'
import { connectors } from './connectors/registry.ts'
import { workflowBundlePath } from './workflowBundle.ts'

export interface WorkerSettings { loops?: Partial<LoopTimes> | false; tuning?: Partial<WorkerOptions> }

/** @returns how to stop; resolves when every queue is polled. Stopping waits for what is under way. */
export async function startWorker(runtime: Runtime, settings: WorkerSettings = {}): Promise<{ stop(): Promise<void>; failed: Promise<never> }> {
  installOnce(runtime)
  const connection = await NativeConnection.connect(runtime.engine.connection)
  const { namespace } = runtime.engine
  const pull = createPullActivities(runtime)
  const courier = createCourierSteps(runtime)
  const workers = [
    await Worker.create({
      connection, namespace, taskQueue: runtime.taskQueue,
      workflowBundle: { codePath: await workflowBundlePath() },
      activities: { ...createOrderSteps(runtime), ...pull },
      maxConcurrentLocalActivityExecutions: 16,
      shutdownGraceTime: '5 seconds',
      ...settings.tuning,
    }),
  ]
  for (const connector of Object.values(connectors).filter((candidate) => candidate.courier ?? candidate.pullOrders)) {
    workers.push(await Worker.create({
      connection, namespace, taskQueue: `connector-${connector.name}`, activities: { ...courier, ...pull },
      maxConcurrentActivityTaskExecutions: 20, shutdownGraceTime: '5 seconds',
    }))
  }
  const running = workers.map((worker) => worker.run())
  const loops = settings.loops === false ? null : startLoops(runtime, { ...defaultTimes, ...settings.loops })
  const failed = Promise.race(running.map((run) => run.then(() => new Promise<never>(() => undefined))))
  failed.catch((error: Error) => runtime.log.error({ error: error.name }, `the worker has failed: ${error.message}`))
  return {
    failed,
    async stop() {
      await loops?.stop()
      for (const worker of workers.filter((candidate) => candidate.getState() === 'RUNNING')) worker.shutdown()
      await Promise.allSettled(running)
      await connection.close()
    },
  }
}

/** The SDK's own log goes where ours goes, warnings and worse; one native runtime a process, and the first one stays. */
function installOnce(runtime: Runtime): void {
  if (TemporalRuntime._instance !== undefined) return
  TemporalRuntime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const fields = { source: 'engine', workflowId: meta?.workflowId, error: meta?.error instanceof Error ? meta.error.message : undefined }
      if (level === 'ERROR') runtime.log.error(fields, message)
      else runtime.log.warn(fields, message)
    }),
    shutdownSignals: [],
  })
}
