/** Starts and stops the HTTP server. */
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { Runtime } from '../activities/runtime.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { buildApp } from './app.ts'
import { anyKey } from './keys.ts'
import { createLogger } from './logging.ts'

const LOOPBACK = '127.0.0.1'
const SWEEP_MS = 100

export interface ServerOptions {
  /** 0: any free port. */
  port: number
  /** Other than loopback only when an API key exists. Default: `OMNISAGA_HOST`, else loopback. */
  host?: string | undefined
  log?: Logger
}

export interface RunningServer {
  url: string
  port: number
  /** Null, or why the server listens on loopback only. */
  notice: string | null
  /** Finishes what is under way, takes nothing new. */
  stop(): Promise<void>
}

const NO_KEY = 'No API key is configured: only this machine is answered. Make one with: npx omnisaga keys add NAME'

/** @throws OmnisagaError Misconfigured with code `portBusy` when the port is taken. */
export async function startServer(runtime: Runtime, options: ServerOptions): Promise<RunningServer> {
  const log = options.log ?? createLogger()
  const wished = options.host ?? process.env['OMNISAGA_HOST'] ?? ''
  const open = await anyKey(runtime.pool)
  const host = open && wished !== '' ? wished : LOOPBACK
  const app = await buildApp(runtime, log)
  try {
    await app.fastify.listen({ port: options.port, host })
  } catch (error) {
    await app.fastify.close()
    throw listenError(error, host, options.port)
  }
  const { port } = app.fastify.server.address() as AddressInfo
  const notice = open ? null : wished === '' || wished === LOOPBACK ? NO_KEY : `${NO_KEY} (OMNISAGA_HOST=${wished} is not used.)`
  if (notice) log.warn({ host, port }, notice)
  log.info({ host, port }, 'server listens')
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    notice,
    stop: async () => {
      // A kept-alive connection is idle again once its last answer is out; the framework closes only those that were idle before.
      const sweep = setInterval(() => app.fastify.server.closeIdleConnections(), SWEEP_MS)
      await app.fastify.close().finally(() => clearInterval(sweep))
      await app.settled()
      log.info({ port }, 'server stopped')
    },
  }
}

function listenError(error: unknown, host: string, port: number): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new OmnisagaError('Misconfigured', `port ${port} on ${host} is in use`, {
        code: 'portBusy',
        remedy: 'Set OMNISAGA_PORT to a free port, or stop what uses it.',
      })
    case 'EACCES':
      return new OmnisagaError('Misconfigured', `port ${port} on ${host} may not be used`, {
        code: 'portForbidden',
        remedy: 'Set OMNISAGA_PORT to a port above 1023.',
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new OmnisagaError('Misconfigured', `this machine has no address ${host}`, {
        code: 'hostUnknown',
        remedy: 'Correct OMNISAGA_HOST.',
      })
    default:
      return error
  }
}
