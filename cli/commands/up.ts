/** up: everything on one machine, until Ctrl-C. */
import { existsSync } from 'node:fs'
import type { LoopTimes } from '../../activities/loops.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { createRuntime } from '../../runtime.ts'
import { startServer, type RunningServer } from '../../server/start.ts'
import { startWorker } from '../../worker.ts'
import type { StartDemo } from '../demoHook.ts'
import { runEmbedded, type Service } from '../embedded/up.ts'
import type { Environment } from '../environment.ts'
import type { ExitCode } from '../exit.ts'
import { bold, dim, print, yellow } from '../output/text.ts'

interface Parts {
  environment: Environment
  runtime: Runtime
  server: RunningServer
}

export async function up({ demo, again }: { demo?: boolean; again?: boolean }): Promise<ExitCode> {
  const say = (line: string) => print(dim(line))
  // Who looks at the day of orders wants its lines; records of the log for machines are for asking.
  if (demo) process.env['OMNISAGA_LOG'] ??= 'error'
  const loaded = demo ? await loadDemo() : null
  const parts: Partial<Parts> = {}
  const services = [runtimeService(parts), workerService(parts, loaded?.DEMO_LOOPS), serverService(parts)]
  if (loaded) services.push(demoService(parts, loaded.startDemo, again ?? false))
  const code = await runEmbedded({ services, say }, ({ temporalUi }) => {
    const { server, environment } = whole(parts)
    print(
      [
        '',
        bold('Omnisaga is up.'),
        `  API           ${server.url}   ${dim(`${server.url}/openapi.json`)}`,
        ...(temporalUi ? [`  Temporal UI   ${temporalUi}`] : []),
        `  data          ${environment.dataDir}`,
        ...(server.notice ? [`  ${yellow(server.notice)}`] : []),
        dim('  In another terminal: npx omnisaga orders | tasks | stock | audit.   Ctrl-C stops all of it.'),
        '',
      ].join('\n'),
    )
  })
  return code === 0 ? 0 : 1
}

interface Demo {
  startDemo: StartDemo
  DEMO_LOOPS: Partial<LoopTimes>
}

async function loadDemo(): Promise<Demo> {
  const file = new URL('../demo/index.ts', import.meta.url)
  if (!existsSync(file))
    throw new OmnisagaError('Misconfigured', 'the demo is not part of this installation', {
      remedy: 'Run `omnisaga up` without --demo.',
    })
  return (await import(file.href)) as Demo
}

function whole(parts: Partial<Parts>): Parts {
  const { environment, runtime, server } = parts
  if (!environment || !runtime || !server) throw new Error('the services were started out of order')
  return { environment, runtime, server }
}

const runtimeService = (parts: Partial<Parts>): Service => ({
  name: 'runtime',
  start: async (environment) => {
    const runtime = await createRuntime(environment)
    Object.assign(parts, { environment, runtime })
    return () => runtime.close()
  },
})

const workerService = (parts: Partial<Parts>, loops: Partial<LoopTimes> | undefined): Service => ({
  name: 'worker',
  start: async () => {
    if (!parts.runtime) throw new Error('the worker needs the runtime')
    const worker = await startWorker(parts.runtime, loops === undefined ? {} : { loops })
    return () => worker.stop()
  },
})

/** The port was free a moment ago; another copy that starts at the same time may have taken it since. */
async function listen(runtime: Runtime, environment: Environment): Promise<RunningServer> {
  try {
    return await startServer(runtime, { port: environment.httpPort })
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.code !== 'portBusy') throw error
    const server = await startServer(runtime, { port: 0 })
    print(dim(`port ${environment.httpPort} was taken meanwhile: the HTTP server listens on ${server.port}`))
    environment.httpPort = server.port
    return server
  }
}

const serverService = (parts: Partial<Parts>): Service => ({
  name: 'server',
  start: async (environment) => {
    if (!parts.runtime) throw new Error('the server needs the runtime')
    const server = await listen(parts.runtime, environment)
    parts.server = server
    return () => server.stop()
  },
})

const demoService = (parts: Partial<Parts>, startDemo: StartDemo, again: boolean): Service => ({
  name: 'demo',
  start: async () => {
    const { environment, runtime, server } = whole(parts)
    const demo = await startDemo({ runtime, environment, url: server.url, say: print, again })
    return () => demo.stop()
  },
})
