import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { temporal } from '@temporalio/proto'
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleOption } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import { describe, expect, it } from 'vitest'
import { quietRuntime } from '../harness/temporalRuntime.ts'
import { workflowBundlePath } from '../../workflowBundle.ts'

const folder = new URL('../saga/histories/', import.meta.url)
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()

const { History } = temporal.api.history.v1
const { EventType } = temporal.api.enums.v1
const read = (name: string) =>
  History.fromObject(JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, unknown>)
const replay = (workflowBundle: WorkflowBundleOption, history: temporal.api.history.v1.History) =>
  Worker.runReplayHistory(
    { workflowBundle },
    history,
    history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? undefined,
  )

quietRuntime('ERROR')

describe('recorded histories', () => {
  it('are there, with local activities, calls, timers, signals and updates in them', () => {
    expect(recorded.length).toBeGreaterThanOrEqual(6)
    const types = new Set(recorded.flatMap((name) => read(name).events.map((event) => event.eventType)))
    expect([...types]).toEqual(
      expect.arrayContaining([
        EventType.EVENT_TYPE_MARKER_RECORDED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        EventType.EVENT_TYPE_TIMER_FIRED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
      ]),
    )
  })

  it.each(recorded)('%s is replayed by the workflows as they are now', async (name) => {
    await replay({ codePath: await workflowBundlePath() }, read(name))
  })

  it('are refused by a workflow that takes its steps in another order', async () => {
    const workflowBundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('different.workflow.ts', folder)),
      logger: new DefaultLogger('ERROR'),
    })
    await expect(replay(workflowBundle, read(recorded[0] ?? ''))).rejects.toThrow(DeterminismViolationError)
  }, 60_000)
})
