/** A Temporal Schedule for every connection that is pulled, kept as the configuration says. */
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client'
import type { Connector } from '../connectors/kit/types.ts'
import type { ConnectionSummary } from '../store/connections.ts'
import type { PullResult } from '../workflows/pull.ts'

export interface PullConnection {
  name: string
  paused: boolean
  everyMs: number
}

const PREFIX = 'pull/'
const DEFAULT_EVERY_MS = 5 * 60_000
/** A pull that was missed needs no catching up: the cursor remembers. */
const CATCH_UP_MS = 60_000

/** The connections whose connector can be pulled; a stopped one is paused too. */
export function pullConnections(
  connections: Pick<ConnectionSummary, 'name' | 'connector' | 'config' | 'paused' | 'stoppedReason'>[],
  connectors: Readonly<Record<string, Connector>>,
): PullConnection[] {
  return connections
    .filter(({ connector }) => {
      const known = Object.hasOwn(connectors, connector) ? connectors[connector] : undefined
      return known?.pullOrders !== undefined || known?.pullSales !== undefined
    })
    .map((connection) => {
      const everyMs = connection.config.pullEveryMs
      return {
        name: connection.name,
        paused: connection.paused || connection.stoppedReason !== null,
        everyMs: typeof everyMs === 'number' && everyMs >= 1_000 ? everyMs : DEFAULT_EVERY_MS,
      }
    })
}

function scheduleOf(connection: PullConnection, taskQueue: string): ScheduleOptions {
  return {
    scheduleId: PREFIX + connection.name,
    // Jitter keeps the connections from calling all at the same second.
    spec: { intervals: [{ every: connection.everyMs }], jitter: Math.min(30_000, Math.round(connection.everyMs / 10)) },
    action: {
      type: 'startWorkflow',
      workflowType: 'pull',
      workflowId: PREFIX + connection.name,
      taskQueue,
      args: [connection.name],
      workflowExecutionTimeout: '2 hours',
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS, pauseOnFailure: false },
    state: {
      paused: connection.paused,
      note: connection.paused ? 'the connection is paused or stopped' : 'the connection is active',
    },
  }
}

function isAsWanted(found: ScheduleDescription, wanted: PullConnection, taskQueue: string): boolean {
  return (
    found.state.paused === wanted.paused &&
    found.spec.intervals?.[0]?.every === wanted.everyMs &&
    found.action.type === 'startWorkflow' &&
    found.action.taskQueue === taskQueue &&
    found.policies.overlap === ScheduleOverlapPolicy.SKIP &&
    found.policies.catchupWindow === CATCH_UP_MS
  )
}

async function ensure(client: Client, connection: PullConnection, taskQueue: string): Promise<boolean> {
  const options = scheduleOf(connection, taskQueue)
  const handle = client.schedule.getHandle(options.scheduleId)
  const found = await handle.describe().catch((error: unknown) => {
    if (error instanceof ScheduleNotFoundError) return null
    throw error
  })
  if (found === null) {
    try {
      await client.schedule.create(options)
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error // another worker was quicker
    }
    return true
  }
  if (isAsWanted(found, connection, taskQueue)) return false
  await handle.update((previous) => ({
    spec: options.spec,
    action: options.action as typeof previous.action,
    policies: options.policies,
    state: { ...previous.state, ...options.state },
  }))
  return true
}

/**
 * Creates, updates and removes schedules so that there is one for each of `connections`, paused as its connection is.
 * Safe to call at every worker start and every half minute, by any number of workers.
 * @returns the connections whose schedule was touched; a schedule removed meanwhile is made again by the next call.
 */
export async function ensurePullSchedules(
  client: Client,
  connections: PullConnection[],
  options: { taskQueue: string },
): Promise<string[]> {
  const touched: string[] = []
  const wanted = new Set(connections.map((connection) => PREFIX + connection.name))
  for await (const { scheduleId } of client.schedule.list()) {
    if (!scheduleId.startsWith(PREFIX) || wanted.has(scheduleId)) continue
    await client.schedule.getHandle(scheduleId).delete()
    touched.push(scheduleId.slice(PREFIX.length))
  }
  for (const connection of connections) if (await ensure(client, connection, options.taskQueue)) touched.push(connection.name)
  return touched
}

/** Starts a pull now, or joins the one that was started so before; a scheduled pull beside it does no harm. */
export async function startPull(
  client: Client,
  connection: string,
  options: { taskQueue: string },
): Promise<{ result(): Promise<PullResult> }> {
  const handle = await client.workflow.start<(name: string) => Promise<PullResult>>('pull', {
    workflowId: `${PREFIX}${connection}/now`,
    taskQueue: options.taskQueue,
    args: [connection],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowExecutionTimeout: '2 hours',
  })
  return { result: () => handle.result() }
}
