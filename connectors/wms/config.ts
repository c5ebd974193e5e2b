import { join } from 'node:path'
import { z } from 'zod'

export const WmsConfig = z.object({
  outFolder: z
    .string()
    .min(1)
    .describe('Where the warehouse looks for our files. Must exist: a missing mount is an error, not an empty folder.'),
  inFolder: z.string().min(1).describe('Where the warehouse puts its answers. Must exist.'),
  doneFolder: z.string().min(1).optional().describe('Where read files go; made when absent. Default: `done` within inFolder.'),
  rejectedFolder: z
    .string()
    .min(1)
    .optional()
    .describe('Where unreadable files go, each with its reason; made when absent. Default: `rejected` within inFolder.'),
  encoding: z.literal('utf-8').default('utf-8').describe('Both ways; the format knows no other.'),
  unfinishedFileMs: z
    .number()
    .int()
    .positive()
    .default(60_000)
    .describe('A file that is not whole is waited for until nobody has written to it for so long.'),
  maxFileBytes: z
    .number()
    .int()
    .positive()
    .default(5_000_000)
    .describe('Larger answers are set aside unread: reading stops the process for about a second per 5 MB.'),
})
export type WmsConfig = z.infer<typeof WmsConfig>

export const doneFolderOf = (config: WmsConfig): string => config.doneFolder ?? join(config.inFolder, 'done')
export const rejectedFolderOf = (config: WmsConfig): string => config.rejectedFolder ?? join(config.inFolder, 'rejected')
