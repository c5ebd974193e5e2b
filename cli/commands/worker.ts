/** worker */
import { startWorker } from '../../worker.ts'
import type { ExitCode } from '../exit.ts'
import { complain } from '../output/text.ts'
import { withRuntime } from '../session.ts'
import { untilAskedToStop } from '../untilAsked.ts'

export async function worker(): Promise<ExitCode> {
  return await withRuntime<ExitCode>(
    async (runtime) => {
      const running = await startWorker(runtime)
      complain('The worker runs.')
      await untilAskedToStop()
      await running.stop()
      return 0
    },
    { lasting: true },
  )
}
