/** What a 17TRACK connection is configured with. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const Track17Config = z.strictObject({
  apiKey: z.string().min(8).describe('The security key of the account (sent as `17token`); webhooks are signed with it too'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.17track.net')
    .describe('The API; an address on this machine is taken for a simulator'),
  carriers: z
    .record(z.string(), z.int().positive())
    .default({})
    .describe(
      '17TRACK\'s carrier key by our courier connection or its service, e.g. {"SERVICE": 3011}; absent: 17TRACK detects it',
    ),
  follows: z.array(z.string().min(1)).default([]).describe('Courier connections whose parcels are registered here'),
  trackEveryMs: z.int().min(60_000).optional().describe('How often live parcels are asked for; absent: webhooks alone'),
  utcOffset: z
    .string()
    .regex(/^[+-]\d{2}:\d{2}$/)
    .default('+08:00')
    .describe('For times that a carrier reports without a zone'),
  quota: Limits.prefault({ perSecond: 3, burst: 3 }).describe('17TRACK allows 3 requests a second'),
})
export type Track17Config = z.infer<typeof Track17Config>
