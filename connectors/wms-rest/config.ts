/** Configuration of one warehouse with the REST profile. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const WmsRestConfig = z.strictObject({
  baseUrl: z.url().describe('Where the paths of the profile begin, e.g. `https://wms.example/omnisaga`.'),
  apiKey: z.string().min(1).describe('Sent as a bearer token.'),
  pageSize: z.number().int().min(1).max(1000).default(200).describe('Answers asked for at a time.'),
  quota: Limits.optional(),
})
export type WmsRestConfig = z.infer<typeof WmsRestConfig>

export const secretFields = ['apiKey'] as const
