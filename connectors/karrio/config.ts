/** Configuration of one karrio server and the carriers that are booked through it. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const KarrioConfig = z.strictObject({
  baseUrl: z.url().describe('Where the karrio API answers, e.g. `https://api.karrio.example`.'),
  apiKey: z.string().min(1).describe('Secret: an API key of the account (`key_...`); a test key books with test connections.'),
  webhookSecret: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Secret: of the webhook in karrio (`whsec_...`), which karrio sends along; without it every webhook is refused.'),
  services: z
    .record(z.string(), z.strictObject({ carrierId: z.string().min(1), service: z.string().min(1) }))
    .refine((services) => Object.keys(services).length > 0, 'at least one service')
    .describe(
      'Our services by name: karrio\'s carrier id and service code, e.g. `{"EXPRESS": {"carrierId": "dhl-main", "service": "dhl_express"}}`.',
    ),
  homeService: z.string().nullable().default(null).describe('Service for home deliveries that wish for none; none: the first.'),
  cvsService: z.string().nullable().default(null).describe('Service for deliveries to a pick-up point; none: refused.'),
  cashOnDelivery: z
    .boolean()
    .default(false)
    .describe('The carriers collect cash (`cash_on_delivery`); false: a parcel with an amount due is refused.'),
  insurance: z
    .boolean()
    .default(false)
    .describe('The carriers insure what a parcel is worth (`insurance`) where the policy asks; false: none is asked for.'),
  countryCode: z.string().length(2).default('TW').describe('ISO 3166 country of senders and recipients.'),
  currency: z.string().length(3).default('TWD').describe('ISO 4217 currency of amounts to collect.'),
  defaultWeightGrams: z.number().int().positive().default(1000).describe('Weight of a parcel whose weight is not known.'),
  labelType: z.enum(['PDF', 'ZPL', 'PNG']).default('PDF').describe('Form of the labels.'),
  timeZone: z.string().default('Asia/Taipei').describe('Zone of tracking events that come without one.'),
  quota: Limits.optional().describe('Requests a second and so on, as for every connection.'),
})
export type KarrioConfig = z.infer<typeof KarrioConfig>
