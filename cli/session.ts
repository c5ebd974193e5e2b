/** What a command works with: the parts that the environment names, or those that `omnisaga up` runs; closed when it is done. */
import type { Runtime } from '../activities/runtime.ts'
import { createRuntime } from '../runtime.ts'
import { databaseUrlOf, resolveEnvironment } from './environment.ts'

/** Commands that end soon need few connections and log only what went wrong. */
const SHORT = { poolSize: 4, logLevel: process.env['OMNISAGA_LOG'] ?? 'error' }

export async function withRuntime<T>(work: (runtime: Runtime) => Promise<T>, options: { lasting?: boolean } = {}): Promise<T> {
  const runtime = await createRuntime(resolveEnvironment(), options.lasting ? {} : SHORT)
  try {
    return await work(runtime)
  } finally {
    await runtime.close()
  }
}

/** `migrate` needs the database alone. */
export const databaseUrl = (): string => databaseUrlOf(process.env) ?? resolveEnvironment().databaseUrl
