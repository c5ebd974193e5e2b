/** Group-buys: what is said of one when it is set up. */
import { z } from 'zod'

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')

export const CampaignEntry = z.strictObject({
  id: id.describe('What orders name as their `campaign`.'),
  title: z.string().min(1).max(200).nullable().default(null).describe('What customers know it as.'),
  minimum: z.number().int().min(0).max(1_000_000_000).describe('Under this at the closing all its orders are released and told.'),
  counts: z.enum(['pieces', 'orders']).default('pieces').describe('What the minimum counts: pieces held, or orders that hold.'),
  closesAt: z.iso.datetime({ offset: true }).describe('ISO 8601 with offset. Who was taken in before this moment is in time.'),
  allotments: z
    .array(
      z.strictObject({
        sku: z.string().min(1).max(100),
        location: z.string().min(1).max(60),
        quantity: z.number().int().min(0).max(1_000_000_000),
      }),
    )
    .max(500)
    .default([])
    .describe('The pieces kept for it; what is left at the closing goes back on sale.'),
})
export type CampaignEntry = z.infer<typeof CampaignEntry>

export type CampaignState = 'open' | 'reached' | 'failed'
/** Why an order had to leave its campaign. */
export type LeftBecause = 'failed' | 'missed'
