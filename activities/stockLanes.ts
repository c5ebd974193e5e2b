/** Calls to other systems about stock, one at a time a connection: a slow one holds up neither the others nor the loop. */
import { dueSoon } from '../store/stockSides.ts'
import type { Runtime } from './runtime.ts'

const lanesOf = new WeakMap<Runtime, Map<string, Promise<void>>>()

function lanes(runtime: Runtime): Map<string, Promise<void>> {
  const known = lanesOf.get(runtime) ?? new Map<string, Promise<void>>()
  lanesOf.set(runtime, known)
  return known
}

/** Starts the work unless the connection's last one of this kind still runs. What goes wrong is logged; the next round tries again. */
export function inLane(runtime: Runtime, kind: string, connection: string, work: () => Promise<unknown>): void {
  const running = lanes(runtime)
  const name = `${kind}/${connection}`
  if (running.has(name)) return
  const done = work()
    .catch((error: unknown) => {
      const { name: what, code, message } = error as { name?: string; code?: string; message?: string }
      runtime.log.warn({ connection, kind, error: what, code }, `stock: ${message ?? 'failed'}; it will be tried again`)
    })
    .then(() => {
      running.delete(name)
    })
  running.set(name, done)
}

/** For rounds that come seldom. */
export async function soonerAfterFailure(
  runtime: Runtime,
  what: 'read' | 'list',
  connection: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    await dueSoon(runtime.pool, what, connection)
    throw error
  }
}

/** What is under way, to its end. */
export async function stockLanesDone(runtime: Runtime): Promise<void> {
  await Promise.all(lanes(runtime).values())
}
