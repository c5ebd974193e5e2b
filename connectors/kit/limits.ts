/** The `quota` key that every connector's config may have, under the same names. */
import { z } from 'zod'

export const Limits = z
  .strictObject({
    perSecond: z.number().positive().max(10_000).default(5).describe('Requests a second of the connection, over all processes.'),
    burst: z.number().int().positive().max(10_000).default(10).describe('Requests that may go at once after a pause.'),
    concurrency: z.number().int().positive().max(500).default(8).describe('Requests under way at the same time in one process.'),
    maxWaitMs: z
      .number()
      .int()
      .nonnegative()
      .max(300_000)
      .default(10_000)
      .describe('How long a request may wait for its turn before it fails with RateLimited.'),
    timeoutMs: z
      .number()
      .int()
      .positive()
      .max(300_000)
      .default(15_000)
      .describe('From the start of a request to the whole answer.'),
  })
  .describe('How fast it may be asked: requests a second, burst, concurrency, waiting time, time limit.')
export type Limits = z.infer<typeof Limits>
export const defaultLimits: Limits = Limits.parse({})
