/** Configuration of one AfterShip organisation. Each description becomes a row of docs/connectors/aftership.md. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const AftershipConfig = z.strictObject({
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.aftership.com')
    .describe('The API, without a path; an address on this machine is taken for a simulator.'),
  apiKey: z.string().min(1).describe('Sent as `as-api-key`.'),
  apiSecret: z
    .string()
    .min(1)
    .optional()
    .describe('Of a key of the kind AES: every request is signed with it. Absent: not signed.'),
  webhookSecret: z.string().min(1).optional().describe('Webhooks are signed with it; absent: all are refused.'),
  slugs: z
    .record(z.string(), z.string().min(1))
    .default({})
    .describe(
      'AfterShip\'s courier code by our service or courier connection, e.g. {"YAMATO": "taqbin-jp"}; absent: AfterShip detects it.',
    ),
  follows: z.array(z.string().min(1)).default([]).describe('Courier connections whose parcels are registered here.'),
  trackEveryMs: z.int().min(60_000).optional().describe('How often live parcels are asked for; absent: webhooks alone.'),
  utcOffset: z
    .string()
    .regex(/^[+-]\d{2}:\d{2}$/)
    .default('+08:00')
    .describe('For times that a carrier reports without a zone.'),
  quota: Limits.prefault({ perSecond: 10, burst: 10 }).describe('AfterShip allows 10 requests a second by default.'),
})
export type AftershipConfig = z.infer<typeof AftershipConfig>

export const secretFields = ['apiKey', 'apiSecret', 'webhookSecret'] as const
