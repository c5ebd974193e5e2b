/** The Temporal worker: the sagas, their steps, one queue a connector kind for calls to other systems, and the loops. */
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime as TemporalRuntime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker'
import { startLoops, type LoopTimes, defaultTimes } from './activities/loops.ts'
import { createCourierSteps } from './activities/order/courier.ts'
import { createOrderSteps } from './activities/order/steps.ts'
import { createPullActivities } from './activities/pull.ts'
import type { Runtime } from './activities/runtime.ts'
import { refreshSides } from './store/sides.ts'
import { workflowBundlePath } from './workflowBundle.ts'

const REBUILD_AFTER_MS = 1_000

export interface WorkerSettings {
  loops?: Partial<LoopTimes> | false
  tuning?: Partial<WorkerOptions>
}

/** @returns how to stop; resolves when every queue is polled. Stopping waits for what is under way. */
export async function startWorker(runtime: Runtime, settings: WorkerSettings = {}): Promise<{ stop(): Promise<void> }> {
  installOnce(runtime)
  await refreshSides(runtime.pool, (name) => runtime.connectorOf(name))
  const connection = await NativeConnection.connect(runtime.engine.connection)
  const { namespace } = runtime.engine
  const pull = createPullActivities(runtime)
  const courier = createCourierSteps(runtime)
  const queues: WorkerOptions[] = [
    {
      connection,
      namespace,
      taskQueue: runtime.taskQueue,
      workflowBundle: { codePath: await workflowBundlePath() },
      activities: { ...createOrderSteps(runtime), ...pull },
      maxConcurrentLocalActivityExecutions: 16,
      shutdownGraceTime: '5 seconds',
      ...settings.tuning,
    },
  ]
  for (const connector of Object.values(runtime.connectors).filter(
    ({ courier, pullOrders, pullSales }) => courier ?? pullOrders ?? pullSales,
  )) {
    queues.push({
      connection,
      namespace,
      taskQueue: `connector-${connector.name}`,
      activities: { ...courier, ...pull },
      maxConcurrentActivityTaskExecutions: 20,
      shutdownGraceTime: '5 seconds',
    })
  }
  const polled: PolledQueue[] = []
  try {
    for (const options of queues) polled.push(await pollQueue(runtime, options))
  } catch (error) {
    await Promise.all(polled.map((queue) => queue.stop()))
    await connection.close()
    throw error
  }
  const loops = settings.loops === false ? null : startLoops(runtime, { ...defaultTimes, ...settings.loops })
  return {
    async stop() {
      await loops?.stop()
      await Promise.all(polled.map((queue) => queue.stop()))
      // A worker that was given up may hold it for ever; the process ends all the same.
      await connection
        .close()
        .catch((error: Error) => runtime.log.warn({ error: error.name }, 'the connection to the engine is still held'))
    },
  }
}

interface PolledQueue {
  stop(): Promise<void>
}

/**
 * A queue that is polled until it is stopped. The SDK's worker ends for good when the engine refuses a poll, as one does that has
 * lost its database and does not know the namespace yet: then a new one is made, again and again until it stays.
 */
async function pollQueue(runtime: Runtime, options: WorkerOptions): Promise<PolledQueue> {
  let worker = await Worker.create(options)
  let running = worker.run()
  let stopped = false
  let wake: () => void = () => undefined
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, REBUILD_AFTER_MS)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const say = (reason: string) => runtime.log.error({ queue: options.taskQueue, reason }, 'a worker ended and is made anew')
  /** Also when `run` never settles: after a refused poll the SDK waits without end for its own shutdown. */
  const ended = async () => {
    let over = false
    const settled = running
      .catch((error: Error) => say(error.message))
      .finally(() => {
        over = true
      })
    while (!over && worker.getState() !== 'FAILED') await Promise.race([settled, pause()])
    wake()
    if (!over) say('a poll was refused')
  }
  const madeAnew = async () => {
    while (!stopped) {
      await pause()
      const made = await Worker.create(options).catch((error: Error) => say(error.message))
      if (!made) continue
      worker = made
      running = made.run()
      if (stopped) made.shutdown()
      return
    }
  }
  const done = (async () => {
    do {
      await ended()
      await madeAnew()
    } while (!stopped)
    await ended()
  })()
  return {
    async stop() {
      stopped = true
      wake()
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await done
    },
  }
}

/** The SDK's own log goes where ours goes, warnings and worse; one native runtime a process, and the first one stays. */
function installOnce(runtime: Runtime): void {
  if (TemporalRuntime._instance !== undefined) return
  TemporalRuntime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      if (message.startsWith('No workflows registered')) return // the connectors' queues hold activities only
      const fields = {
        source: 'engine',
        workflowId: meta?.workflowId,
        error: meta?.error instanceof Error ? meta.error.message : undefined,
      }
      if (level === 'ERROR') runtime.log.error(fields, message)
      else runtime.log.warn(fields, message)
    }),
    // Without forwarding, the native part writes to the terminal past every setting of ours.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
    shutdownSignals: [],
  })
}
