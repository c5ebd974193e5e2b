/** Configuration of one CYBERBIZ shop, as a web shop and as its tills. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'
import { pulled } from '../kit/pulled.ts'

const shared = {
  baseUrl: z.url().default('https://app-store-api.cyberbiz.io').describe('Address of the API; the same for every shop.'),
  shopDomain: z
    .string()
    .min(1)
    .describe('The domain CYBERBIZ gave the shop, e.g. example.cyberbiz.co; names the shop in the identity of its orders.'),
  token: z.string().min(1).describe("The shop's API token (a JWT); it has no refresh."),
  appSecret: z.string().nullable().default(null).describe("The app's secret that signs webhooks; without it all are refused."),
  pageSize: z.number().int().min(1).max(50).default(50).describe('Records a request; CYBERBIZ takes 1 to 50.'),
  ...pulled,
  /** The vendor allows five requests a second for each token. */
  quota: Limits.prefault({ perSecond: 4, burst: 4 }).describe('Requests a second and so on; CYBERBIZ allows five a second.'),
}

export const CyberbizConfig = z.strictObject({
  ...shared,
  remittedIsPaid: z
    .boolean()
    .default(false)
    .describe('Whether a transfer that the buyer reported (remitted) counts as paid before the shop confirmed it.'),
  acknowledge: z.boolean().default(false).describe('Set an order to `preparing` once it is stored here.'),
  notifyCustomer: z.boolean().default(true).describe('Whether CYBERBIZ mails the buyer when a tracking number is written.'),
  services: z
    .record(z.string(), z.string())
    .default({})
    .describe('Courier service to wish for, by shipping_vendor.type or shipping_type; adds to ezcat: TCAT and postserv: POST.'),
  carriers: z
    .record(z.string(), z.string())
    .default({})
    .describe("CYBERBIZ' tracking_company by our courier service; adds to the built-in table, whose rest is `other`."),
  locations: z.record(z.string(), z.string()).default({}).describe('Our location by the store_no of a pick-up store.'),
  stockLocation: z
    .string()
    .nullable()
    .default(null)
    .describe('Our location whose stock the web shop counts, for reading levels.'),
  stockBy: z
    .enum(['variant', 'adjustment'])
    .default('variant')
    .describe('How levels are written: `adjustment` for shops with CYBERBIZ POS, where a variant takes no level.'),
})
export type CyberbizConfig = z.infer<typeof CyberbizConfig>

export const CyberbizPosConfig = z.strictObject({
  ...shared,
  posShops: z.record(z.string(), z.string()).default({}).describe('Our location by the id of a POS shop.'),
})
export type CyberbizPosConfig = z.infer<typeof CyberbizPosConfig>

export const secretFields = ['token', 'appSecret'] as const
