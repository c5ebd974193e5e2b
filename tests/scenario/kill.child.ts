/** One part of the system in a process of its own, to be killed: the HTTP server or the worker. Prints `ready`, then runs until SIGTERM. */
import { createRuntime } from '../../runtime.ts'
import { startServer } from '../../server/start.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { startWorker } from '../../worker.ts'
import type { ChildSettings } from './killParts.ts'

const settings = JSON.parse(process.env.KILL_SETTINGS ?? '{}') as ChildSettings
const runtime = await createRuntime({
  databaseUrl: settings.databaseUrl,
  temporal: { connection: { address: settings.temporalAddress }, namespace: 'default' },
  secretKey: secretKeyFrom(settings.passphrase),
})
const part =
  settings.part === 'server'
    ? await startServer(runtime, { port: settings.port })
    : await startWorker(runtime, { loops: settings.loops })
console.log('ready')
await new Promise((resolve) => process.once('SIGTERM', resolve))
await part.stop()
await runtime.close()
