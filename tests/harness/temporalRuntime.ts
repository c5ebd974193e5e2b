import { DefaultLogger, Runtime } from '@temporalio/worker'

let installed = false

/** Warnings and errors of the SDK only, so that a test's own output can be read. Once a process. */
export function quietRuntime(): void {
  if (installed) return
  installed = true
  Runtime.install({ logger: new DefaultLogger('WARN') })
}
