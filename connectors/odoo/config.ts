/** Configuration of one Odoo database. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const OdooConfig = z.strictObject({
  baseUrl: z.url().describe('Where Odoo 19 answers, e.g. `https://shop.odoo.com`.'),
  database: z.string().nullable().default(null).describe('Name of the database, where the host serves several.'),
  apiKey: z.string().min(1).describe('Secret: API key of the user, from the preferences of the account.'),
  warehouses: z
    .record(z.string(), z.string())
    .refine((warehouses) => Object.keys(warehouses).length > 0, 'at least one location')
    .describe('Code of the warehouse in Odoo for each of our locations, e.g. `{"taipei": "WH"}`.'),
  customers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Internal reference of the contact on which all sales of a channel are booked, `*` for every other channel.'),
  shippingProduct: z
    .string()
    .nullable()
    .default(null)
    .describe('Internal reference of the service for what the buyer pays for shipping.'),
  discountProduct: z
    .string()
    .nullable()
    .default(null)
    .describe('Internal reference of the service for discounts, at a negative price.'),
  trackingField: z
    .string()
    .nullable()
    .default('carrier_tracking_ref')
    .describe('Field of a transfer for the waybill (module stock_delivery); none where that module is not installed.'),
  pageSize: z.number().int().min(1).max(1000).default(200).describe('Records a request when lists are read.'),
  quota: Limits.optional().describe('Requests a second and so on, as for every connection.'),
})
export type OdooConfig = z.infer<typeof OdooConfig>
