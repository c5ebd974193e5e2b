/** What a LINE connection is configured with. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const LineConfig = z.strictObject({
  channelAccessToken: z.string().min(1).describe('Long-lived channel access token, from the LINE Developers console'),
  channelSecret: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Channel secret: webhooks are signed with it; without it every webhook is refused'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.line.me')
    .describe('Address of the Messaging API'),
  priority: z.number().default(10).describe('Which way customers are told first: lower is earlier'),
  channels: z.array(z.string().min(1)).optional().describe('Sales channels whose customers are told; absent: all'),
  quota: Limits.prefault({ perSecond: 20, burst: 50 }).describe('Requests of this connection over all processes'),
})
export type LineConfig = z.infer<typeof LineConfig>
