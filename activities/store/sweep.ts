/** What time alone makes true at a store. */
import type { Runtime } from '../runtime.ts'
import { sweepAppointments } from './appointments.ts'
import { sweepPickups } from './pickups.ts'
import { sweepTransfers } from './transfers.ts'

export async function sweepStore(runtime: Runtime): Promise<void> {
  const failures: unknown[] = []
  for (const part of [() => sweepAppointments(runtime), () => sweepTransfers(runtime), () => sweepPickups(runtime)])
    await part().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
