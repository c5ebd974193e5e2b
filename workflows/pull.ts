/** One pull of a marketplace connection: short, and ended when nothing is left. A Schedule starts it again and again. */
import { proxyActivities } from '@temporalio/workflow'
import type { PullActivities } from '../activities/pull.ts'

export interface PullResult {
  /** Pages that held records. */
  pages: number
  stored: number
  /** Records that were stored before. */
  known: number
  /** Why nothing was read. */
  skipped?: 'paused' | 'stopped'
}

/** What is left after so many slices (days of source time) is for the next pull. */
const MAX_SLICES = 60

const { pullSlice } = proxyActivities<PullActivities>({
  startToCloseTimeout: '20 minutes',
  heartbeatTimeout: '30 seconds',
  // Kinds that no repeat mends arrive as non-retryable; a vendor's delay arrives as the next retry's.
  retry: { initialInterval: '2 seconds', backoffCoefficient: 3, maximumInterval: '1 minute', maximumAttempts: 5 },
})

export async function pull(connection: string): Promise<PullResult> {
  const total: PullResult = { pages: 0, stored: 0, known: 0 }
  for (let slices = 0; slices < MAX_SLICES; slices++) {
    const slice = await pullSlice(connection)
    total.pages += slice.pages
    total.stored += slice.stored
    total.known += slice.known
    if (slice.skipped) total.skipped = slice.skipped
    if (slice.done) break
  }
  return total
}
