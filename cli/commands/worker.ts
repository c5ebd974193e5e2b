/** worker */
import { serveWorkerMetrics } from '../../server/workerMetrics.ts'
import { startWorker } from '../../worker.ts'
import type { ExitCode } from '../exit.ts'
import { complain } from '../output/text.ts'
import { withRuntime } from '../session.ts'
import { untilAskedToStop } from '../untilAsked.ts'

export async function worker({ metricsPort }: { metricsPort?: number }): Promise<ExitCode> {
  return await withRuntime<ExitCode>(
    async (runtime) => {
      const metrics = metricsPort === undefined ? null : await serveWorkerMetrics(metricsPort)
      const running = await startWorker(runtime)
      complain(metrics ? `The worker runs; its measures: ${metrics.url}` : 'The worker runs.')
      await untilAskedToStop()
      await running.stop()
      await metrics?.stop()
      return 0
    },
    { lasting: true },
  )
}
