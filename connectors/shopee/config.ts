/** Configuration of one Shopee shop. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'
import { pulled } from '../kit/pulled.ts'

/** How a parcel of one logistics channel travels. `chain` is null when the channel is no single convenience-store chain. */
export const LogisticsChannel = z.strictObject({
  method: z.enum(['home', 'cvs']),
  chain: z.enum(['UNIMART', 'FAMI', 'HILIFE', 'OKMART']).nullable().default(null),
})
export type LogisticsChannel = z.infer<typeof LogisticsChannel>

export const ShopeeConfig = z.strictObject({
  baseUrl: z
    .url()
    .default('https://partner.shopeemobile.com')
    .describe('Production https://partner.shopeemobile.com, sandbox https://openplatform.sandbox.test-stable.shopee.sg.'),
  partnerId: z.number().int().positive().describe('Of the app in the Open Platform console.'),
  partnerKey: z.string().min(1).describe('Signs every request.'),
  shopId: z.number().int().positive().describe('The shop that authorised the app.'),
  accessToken: z
    .string()
    .default('')
    .describe("From the shop's authorisation; used until the first refresh, afterwards the token store holds the rotated ones."),
  refreshToken: z.string().min(1).describe('From the same authorisation; single use, valid for 30 days.'),
  pushPartnerKey: z.string().nullable().default(null).describe('Verifies pushes; without it every push is refused.'),
  callbackUrl: z
    .string()
    .nullable()
    .default(null)
    .describe('The address registered for pushes, exactly as Shopee calls it: it is part of what is signed.'),
  pageSize: z.number().int().min(1).max(100).default(100).describe('Orders a request; Shopee takes 1 to 100.'),
  ...pulled,
  readReturns: z
    .boolean()
    .default(true)
    .describe('Each pull also reads what buyers ask to give back; false where the app has no permission for returns.'),
  quota: Limits.optional(),
  ownCourier: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'The service to wish for when the seller ships with a courier of their own, e.g. `TCAT`; null leaves it to the location.',
    ),
  handOver: z
    .enum(['dropoff', 'pickup'])
    .default('dropoff')
    .describe("How Shopee's own logistics get the parcel where both ways are offered."),
  channels: z
    .record(z.string(), LogisticsChannel)
    .default({})
    .describe("Logistics channels of Shopee's own, by id; adds to and overrides the built-in table of Taiwan's channels."),
})
export type ShopeeConfig = z.infer<typeof ShopeeConfig>

export const secretFields = ['partnerKey', 'accessToken', 'refreshToken', 'pushPartnerKey'] as const
