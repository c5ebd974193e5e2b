import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker'

let installed = false

/**
 * Warnings and errors of the SDK only, so that a test's own output can be read. Once a process, the first caller's level.
 * `ERROR` suits tests that let activities fail on purpose.
 */
export function quietRuntime(level: 'WARN' | 'ERROR' = 'WARN'): void {
  if (installed) return
  installed = true
  Runtime.install({
    logger: new DefaultLogger(level),
    ...(level === 'ERROR'
      ? { telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } } }
      : {}),
  })
}
