import { join } from 'node:path'
import { z } from 'zod'

export const WmsConfig = z
  .strictObject({
    format: z.enum(['xml', 'csv']).default('xml').describe('Both ways.'),
    delimiter: z.string().length(1).default(',').describe('Of CSV: between the columns.'),
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
    encoding: z
      .enum(['utf-8', 'big5'])
      .default('utf-8')
      .describe('Both ways. XML is always UTF-8; CSV may be Big5, and what Big5 cannot write is refused.'),
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
  .refine(({ format, encoding }) => format === 'csv' || encoding === 'utf-8', {
    path: ['encoding'],
    message: 'XML is written in UTF-8 alone: use utf-8, or format csv',
  })
export type WmsConfig = z.infer<typeof WmsConfig>

export const doneFolderOf = (config: WmsConfig): string => config.doneFolder ?? join(config.inFolder, 'done')
export const rejectedFolderOf = (config: WmsConfig): string => config.rejectedFolder ?? join(config.inFolder, 'rejected')
