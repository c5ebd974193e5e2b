/** Configuration of one Square seller. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'
import { pulled } from '../kit/pulled.ts'

export const SquareConfig = z.strictObject({
  baseUrl: z
    .url()
    .default('https://connect.squareup.com')
    .describe('Address of the API; https://connect.squareupsandbox.com to try.'),
  version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'YYYY-MM-DD')
    .default('2026-09-16')
    .describe('Square-Version that the answers shall have.'),
  merchantId: z.string().min(1).describe('Id of the seller; it names the shop in the identity of its orders.'),
  accessToken: z
    .string()
    .min(1)
    .describe('Access token with ORDERS, ITEMS, INVENTORY, PAYMENTS (read and write) and MERCHANT_PROFILE_READ.'),
  webhookSignatureKey: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Signature key of the webhook subscription; without it all webhooks are refused.'),
  notificationUrl: z
    .url()
    .nullable()
    .default(null)
    .describe('Address of the webhook exactly as the subscription has it: it is signed too.'),
  locations: z
    .record(z.string(), z.string())
    .refine((locations) => Object.keys(locations).length > 0, 'name at least one location of the seller')
    .describe("Our location by the id of Square's. Only the orders, sales and levels of these are read."),
  stockLocationId: z
    .string()
    .nullable()
    .default(null)
    .describe("Square's location that levels are written to; may be left out when there is only one."),
  services: z
    .record(z.string(), z.string())
    .default({})
    .describe('Courier service to wish for, by the shipping type or carrier of the fulfilment.'),
  trackingUrls: z
    .record(z.string(), z.string())
    .default({})
    .describe('Address where a parcel is followed, by our courier service; {waybill} is replaced.'),
  pageSize: z.number().int().min(1).max(1000).default(100).describe('Orders a page of a list.'),
  ...pulled,
  quota: Limits.optional().describe('Requests a second and so on, as for every connection.'),
})
export type SquareConfig = z.infer<typeof SquareConfig>

export const secretFields = ['accessToken', 'webhookSignatureKey'] as const
