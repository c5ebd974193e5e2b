/** server */
import { startServer } from '../../server/start.ts'
import { resolveEnvironment } from '../environment.ts'
import type { ExitCode } from '../exit.ts'
import { complain } from '../output/text.ts'
import { withRuntime } from '../session.ts'
import { untilAskedToStop } from '../untilAsked.ts'

export async function server({ port }: { port?: number }): Promise<ExitCode> {
  const wished = port ?? resolveEnvironment().httpPort
  return await withRuntime<ExitCode>(
    async (runtime) => {
      const running = await startServer(runtime, { port: wished })
      if (running.notice) complain(running.notice)
      complain(`Listening on ${running.url}`)
      await untilAskedToStop()
      await running.stop()
      return 0
    },
    { lasting: true },
  )
}
