/** What an EasyPost connection is configured with. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

const country = z.string().regex(/^[A-Z]{2}$/, 'two capital letters (ISO 3166-1)')

export const EasypostConfig = z.strictObject({
  apiKey: z.string().min(8).describe('Test or production API key; test keys buy labels that cost nothing and go nowhere'),
  webhookSecret: z
    .string()
    .default('')
    .describe('The secret given when the webhook was made; without it every webhook is refused'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.easypost.com')
    .describe('The API; an address on this machine is taken for a simulator'),
  from: z
    .strictObject({
      company: z.string().min(1),
      street1: z.string().min(1),
      street2: z.string().optional(),
      city: z.string().min(1),
      state: z.string().optional(),
      zip: z.string().min(1),
      country,
      phone: z.string().min(5),
    })
    .describe('Where parcels are sent from, in Latin letters, as the carriers want it'),
  service: z
    .string()
    .regex(/^(cheapest|[^/]+\/[^/]+)$/, 'cheapest, or CARRIER/SERVICE')
    .default('cheapest')
    .describe('The rate that is bought: CARRIER/SERVICE as EasyPost names them (USPS/GroundAdvantage), or cheapest'),
  carrierAccounts: z.array(z.string()).default([]).describe('Ask only these carrier accounts (ca_…) for rates; none: all'),
  labelFormat: z.enum(['PNG', 'PDF']).default('PNG').describe('Of labels; only PNG can be printed several on one sheet'),
  defaultCountry: country.default('TW').describe('Of recipients whose address names none'),
  usdRate: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      "EasyPost insures in US dollars: how many of the orders' currency one is, e.g. 32; none: parcels are not insured, but for orders in USD",
    ),
  customs: z
    .strictObject({ signer: z.string().min(1), hsTariffNumber: z.string().min(4), originCountry: country.default('TW') })
    .optional()
    .describe('For parcels that leave the country: who signs, the tariff number of the goods, where they were made'),
  quota: Limits.prefault({}).describe('Requests of this connection over all processes'),
})
export type EasypostConfig = z.infer<typeof EasypostConfig>
