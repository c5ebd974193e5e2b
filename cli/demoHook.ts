/** Where the demo hangs on: cli/demo/index.ts exports `startDemo`. */
import type { Runtime } from '../activities/runtime.ts'
import type { Environment } from './environment.ts'

export interface DemoContext {
  runtime: Runtime
  environment: Environment
  /** Of the HTTP server, e.g. http://127.0.0.1:8080 */
  url: string
  /** One line for the terminal. */
  say: (line: string) => void
  /** Run the day once more, though it was run before. */
  again: boolean
}

/** Resolves when the simulators run; the day itself goes on beside. `stop` waits until nothing of it runs any more. */
export type StartDemo = (context: DemoContext) => Promise<{ stop(): Promise<void> }>
