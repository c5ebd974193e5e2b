/** The `quota` key that every connector's config may have, under the same names. */
import { z } from 'zod'

export const Limits = z.object({
  /** Requests a second of the connection, over all processes. */
  perSecond: z.number().positive().max(10_000).default(5),
  /** Requests that may go at once after a pause. */
  burst: z.number().int().positive().max(10_000).default(10),
  /** Requests under way at the same time in one process. */
  concurrency: z.number().int().positive().max(500).default(8),
  /** How long a request may wait for its turn before it fails with RateLimited. */
  maxWaitMs: z.number().int().nonnegative().max(300_000).default(10_000),
  /** From the start of a request to the whole answer. */
  timeoutMs: z.number().int().positive().max(300_000).default(15_000),
})
export type Limits = z.infer<typeof Limits>
export const defaultLimits: Limits = Limits.parse({})
