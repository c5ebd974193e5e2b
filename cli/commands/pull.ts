/** pull CONNECTION */
import { startPull } from '../../activities/schedules.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ExitCode } from '../exit.ts'
import { complain, dim, print, printJson, red } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export async function pull(name: string, { json }: { json?: boolean }): Promise<ExitCode> {
  return await withRuntime(async (runtime) => {
    const { connector, context } = await runtime.connection(name)
    if (!connector.pullOrders) {
      throw new OmnisagaError('Invalid', `connection ${name} is of the connector ${connector.name}, which cannot be pulled`, {
        code: 'no-pull',
        remedy: 'Pull a marketplace connection; omnisaga connections list shows them.',
      })
    }
    if (context.connection.paused) {
      complain(`${red('refused')}  connection ${name} is paused`)
      return 1
    }
    if (!json) print(dim(`Pulling ${name}; the worker does it.`))
    const pulling = await startPull(runtime.temporal, name, { taskQueue: runtime.taskQueue })
    const result = await pulling.result()
    if (json) printJson(result)
    else print(`${result.stored} new or changed records, ${result.known} known, ${result.pages} pages.`)
    return 0
  })
}
