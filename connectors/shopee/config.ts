/** Configuration of one Shopee shop. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

const day = 24 * 60 * 60_000

/** How a parcel of one logistics channel travels. `chain` is null when the channel is no single convenience-store chain. */
export const LogisticsChannel = z.object({
  method: z.enum(['home', 'cvs']),
  chain: z.enum(['UNIMART', 'FAMI', 'HILIFE', 'OKMART']).nullable().default(null),
})
export type LogisticsChannel = z.infer<typeof LogisticsChannel>

export const ShopeeConfig = z.object({
  /** Production https://partner.shopeemobile.com, sandbox https://openplatform.sandbox.test-stable.shopee.sg. */
  baseUrl: z.url().default('https://partner.shopeemobile.com'),
  partnerId: z.number().int().positive(),
  /** Secret: signs every request. */
  partnerKey: z.string().min(1),
  shopId: z.number().int().positive(),
  /** Secret, from the shop's authorisation; used until the first refresh, afterwards the token store holds the rotated ones. */
  accessToken: z.string().default(''),
  /** Secret, single use, valid for 30 days. */
  refreshToken: z.string().min(1),
  /** Secret: verifies pushes; without it every push is refused. */
  pushPartnerKey: z.string().nullable().default(null),
  /** The address registered for pushes, exactly as Shopee calls it: it is part of what is signed. */
  callbackUrl: z.string().nullable().default(null),
  /** Every pull reads this much of the past again. */
  overlapMs: z
    .number()
    .int()
    .nonnegative()
    .default(10 * 60_000),
  /** How far the first pull looks back. */
  initialLookbackMs: z
    .number()
    .int()
    .positive()
    .default(3 * day),
  /** Orders a request; Shopee takes 1 to 100. */
  pageSize: z.number().int().min(1).max(100).default(100),
  /** How often the shop is pulled. */
  pullEveryMs: z
    .number()
    .int()
    .min(10_000)
    .default(5 * 60_000),
  quota: Limits.optional(),
  /** The service to wish for when the seller ships with a courier of their own, e.g. `TCAT`; null leaves it to the location. */
  ownCourier: z.string().nullable().default(null),
  /** How Shopee's own logistics get the parcel where both ways are offered. */
  handOver: z.enum(['dropoff', 'pickup']).default('dropoff'),
  /** Logistics channels of Shopee's own, by id; adds to and overrides the built-in table of Taiwan's channels. */
  channels: z.record(z.string(), LogisticsChannel).default({}),
})
export type ShopeeConfig = z.infer<typeof ShopeeConfig>

export const secretFields = ['partnerKey', 'accessToken', 'refreshToken', 'pushPartnerKey'] as const
