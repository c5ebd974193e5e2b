/** The keys that the config of every connection which is pulled has, under the same names; spread them into it. */
import { z } from 'zod'

const minute = 60_000
export const day = 24 * 60 * minute

export const pulled = {
  pullEveryMs: z
    .number()
    .int()
    .min(10_000)
    .default(5 * minute)
    .describe('How often the shop is pulled.'),
  overlapMs: z
    .number()
    .int()
    .nonnegative()
    .default(10 * minute)
    .describe('Every pull reads this much of the past again.'),
  initialLookbackMs: z
    .number()
    .int()
    .positive()
    .default(3 * day)
    .describe('How far the first pull looks back, by update time.'),
}
