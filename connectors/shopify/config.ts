/** Configuration of one Shopify shop. */
import { z } from 'zod'
import { CvsChain } from '../../domain/order.ts'
import { Limits } from '../kit/limits.ts'
import { day, pulled } from '../kit/pulled.ts'

export const ShopifyConfig = z
  .strictObject({
    shop: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*\.myshopify\.com$/, 'NAME.myshopify.com')
      .describe("The shop's own domain, NAME.myshopify.com. It names the shop in the identity of its orders."),
    baseUrl: z.url().nullable().default(null).describe('Another address than https://SHOP, for stand-ins.'),
    apiVersion: z
      .string()
      .regex(/^20(2[6-9]|[3-9]\d)-(01|04|07|10)$/, 'YYYY-MM, 2026-01 or later')
      .default('2026-07')
      .describe('Version of the Admin API; 2026-01 or later, since levels are written with `changeFromQuantity`.'),
    accessToken: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Admin API access token (shpat_…) of an app that has a lasting one; else leave it out and give clientId.'),
    clientId: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe("The app's client id: with clientSecret, tokens that last a day are fetched by themselves."),
    clientSecret: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe("The app's client secret (API secret key): signs its webhooks. Without it all webhooks are refused."),
    pageSize: z.number().int().min(1).max(250).default(100).describe('Orders and variants a page of a list.'),
    ...pulled,
    overlapMs: pulled.overlapMs.describe("Every pull reads this much of the past again; the shop's search index lags behind."),
    initialLookbackMs: z
      .number()
      .int()
      .positive()
      .max(60 * day)
      .default(3 * day)
      .describe('How far the first pull looks back, by update time; Shopify shows 60 days without read_all_orders.'),
    shipWhenAuthorized: z
      .boolean()
      .default(false)
      .describe('Whether an order whose money is only reserved (AUTHORIZED) may leave; else it waits for the capture.'),
    codGateways: z
      .array(z.string())
      .default(['Cash on Delivery (COD)'])
      .describe('Names of payment methods with which the courier collects the money.'),
    services: z
      .record(z.string(), z.string())
      .default({})
      .describe('Courier service to wish for, by code or title of the shipping line.'),
    cvsMethods: z
      .record(z.string(), CvsChain)
      .default({})
      .describe('Convenience-store chain by code or title of the shipping line.'),
    cvsStoreAttributes: z
      .array(z.string())
      .default([])
      .describe(
        "Attributes of the order in which the shop's app keeps the number of the pick-up store; the first that is there.",
      ),
    pickupLocations: z
      .record(z.string(), z.string())
      .default({})
      .describe("Our location by the id of the shop's, for orders that are picked up."),
    carriers: z
      .record(z.string(), z.string())
      .default({})
      .describe("Shopify's name of the carrier by our courier service; adds to and overrides the built-in names."),
    trackingUrls: z
      .record(z.string(), z.string())
      .default({})
      .describe('Address where a parcel is followed, by our courier service; {waybill} is replaced.'),
    notifyCustomer: z.boolean().default(false).describe('Whether Shopify itself writes to the buyer about what it is told.'),
    refundOnCancel: z
      .boolean()
      .default(false)
      .describe('Whether a cancellation pays back at once. Leave it off where refunds are asked for by themselves.'),
    stockLocationId: z
      .string()
      .nullable()
      .default(null)
      .describe("Number of the shop's location that levels are written to; may be left out when there is only one."),
    locations: z
      .record(z.string(), z.string())
      .default({})
      .describe("Our location by the number of the shop's, for reading levels."),
    quota: Limits.optional().describe('Requests a second and so on; the shop itself counts points a second by its plan.'),
  })
  .refine((config) => config.accessToken !== null || (config.clientId !== null && config.clientSecret !== null), {
    path: ['accessToken'],
    message: 'give accessToken, or clientId and clientSecret',
  })
export type ShopifyConfig = z.infer<typeof ShopifyConfig>

export const secretFields = ['accessToken', 'clientSecret'] as const
