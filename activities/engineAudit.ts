/** What the audit must ask of Temporal. */
import { ServiceError, type Client } from '@temporalio/client'
import { OmnisagaError } from '../domain/errors.ts'
import { workflowIdOf } from '../domain/ids.ts'
import type { EngineAudit } from '../store/audit.ts'

const RUNNING = `WorkflowType = 'order' AND ExecutionStatus = 'Running'`
/** Set by servers that report it, after several failures in a row. https://docs.temporal.io/search-attribute#default-search-attribute */
const REPORTED = `TemporalReportedProblems IN ('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut') AND ExecutionStatus = 'Running'`
const PREFIX = workflowIdOf('')
const AT_ONCE = 16

/**
 * @param describeAtMost visibility says nothing about pending workflow tasks on servers that do not report problems, so this many
 * running workflows, the newest first, are described one by one.
 */
export function createEngineAudit(client: Client, { describeAtMost = 1_000 }: { describeAtMost?: number } = {}): EngineAudit {
  return {
    async runningOrderIds() {
      const ids = new Set<string>()
      for await (const { workflowId } of client.workflow.list({ query: RUNNING }))
        if (workflowId.startsWith(PREFIX)) ids.add(workflowId.slice(PREFIX.length))
      return ids
    },

    async failingWorkflows() {
      const failing = new Map<string, string>()
      for (const workflowId of await reported(client))
        failing.set(workflowId, 'its workflow tasks fail again and again, the server reports')
      const queue: string[] = []
      for await (const { workflowId } of client.workflow.list({ query: `ExecutionStatus = 'Running'` })) {
        if (queue.length === describeAtMost) break
        if (!failing.has(workflowId)) queue.push(workflowId)
      }
      const describe = async () => {
        for (let workflowId = queue.pop(); workflowId !== undefined; workflowId = queue.pop()) {
          const attempt = await pendingAttempt(client, workflowId)
          if (attempt > 1) failing.set(workflowId, `its workflow task is at attempt ${attempt}`)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, describe))
      return [...failing].map(([workflowId, detail]) => ({ workflowId, detail }))
    },
  }
}

async function reported(client: Client): Promise<string[]> {
  const ids: string[] = []
  try {
    for await (const { workflowId } of client.workflow.list({ query: REPORTED })) ids.push(workflowId)
  } catch (error) {
    // An older server does not know the attribute; the description of each workflow still tells.
    if (!(error instanceof ServiceError) || !/invalid|search attribute/i.test(String(error.cause ?? error.message)))
      throw engineDown(error)
  }
  return ids
}

/** 0 when nothing is pending or the workflow has ended meanwhile. */
async function pendingAttempt(client: Client, workflowId: string): Promise<number> {
  try {
    const { raw } = await client.workflow.getHandle(workflowId).describe()
    return raw.workflowExecutionInfo?.status === 1 ? (raw.pendingWorkflowTask?.attempt ?? 0) : 0
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return 0
    throw engineDown(error)
  }
}

const engineDown = (error: unknown) =>
  new OmnisagaError(
    'Transient',
    `the workflow engine did not answer the audit: ${error instanceof Error ? error.message : String(error)}`,
    {
      code: 'engine',
      remedy: 'see that the Temporal server is up, then run the audit again',
    },
  )
