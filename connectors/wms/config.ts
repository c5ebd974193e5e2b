import { join } from 'node:path'
import { z } from 'zod'

export const WmsConfig = z.object({
  /** Where the warehouse looks for our files. Must exist: a missing mount is an error, not an empty folder. */
  outFolder: z.string().min(1),
  /** Where the warehouse puts its answers. Must exist. */
  inFolder: z.string().min(1),
  /** Where read files go; made when absent. @default `done` within inFolder */
  doneFolder: z.string().min(1).optional(),
  /** Where unreadable files go, each with its reason; made when absent. @default `rejected` within inFolder */
  rejectedFolder: z.string().min(1).optional(),
  /** Both ways; the format knows no other. */
  encoding: z.literal('utf-8').default('utf-8'),
  /** A file that is not whole is waited for until nobody has written to it for so long. */
  unfinishedFileMs: z.number().int().positive().default(60_000),
  /** Larger answers are set aside unread: reading stops the process for about a second per 5 MB. */
  maxFileBytes: z.number().int().positive().default(5_000_000),
})
export type WmsConfig = z.infer<typeof WmsConfig>

export const doneFolderOf = (config: WmsConfig): string => config.doneFolder ?? join(config.inFolder, 'done')
export const rejectedFolderOf = (config: WmsConfig): string => config.rejectedFolder ?? join(config.inFolder, 'rejected')
