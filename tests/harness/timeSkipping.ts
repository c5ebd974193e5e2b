/**
 * Temporal's test server, which skips time: weeks in seconds. Skipped time is global to a server, so each caller has one of its own.
 * It lacks ListWorkflowExecutions, CountWorkflowExecutions, CreateSchedule and ResetWorkflowExecution, and time does not skip by itself
 * while a client waits for an Update's result: `tests/harness/temporal.ts` has the real server.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { findTimeSkippingServer } from '../../scripts/time-skipping-server.mjs'
import { root } from './paths.ts'
import { quietRuntime } from './temporalRuntime.ts'

/** The SDK gives the server five seconds to listen, which a busy machine may not have: then it is started anew. */
const STARTS = 4

/** The caller ends it with `teardown()`. @throws when the server is absent and cannot be fetched, saying how to mend it. */
export async function timeSkippingEnv(): Promise<TestWorkflowEnvironment> {
  quietRuntime()
  const path = await findTimeSkippingServer({ root })
  const start = () => TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })
  for (let started = 1; started < STARTS; started++) {
    const env = await start().catch((error: Error) => console.warn(`the time-skipping server did not start: ${error.message}`))
    if (env) return env
  }
  return await start()
}
