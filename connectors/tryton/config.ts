/** Configuration of one company in one Tryton database. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const TrytonConfig = z.strictObject({
  baseUrl: z.url().describe('Where trytond answers, e.g. `https://erp.example.com`.'),
  database: z.string().min(1).describe('Name of the database, as in the address of the client.'),
  applicationKey: z
    .string()
    .min(1)
    .describe(
      'Secret: key of a user application of kind REST (`res.user.application`), validated in the preferences of its user.',
    ),
  companyId: z.number().int().positive().describe('Id of the company that sells; `check` lists those that there are.'),
  warehouses: z
    .record(z.string(), z.string())
    .refine((warehouses) => Object.keys(warehouses).length > 0, 'at least one location')
    .describe('Code of the warehouse in Tryton for each of our locations, e.g. `{"taipei": "WH"}`.'),
  saleWarehouse: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'Our location whose warehouse a new sale names, until its units say where they leave; none: the first of warehouses.',
    ),
  channels: z.array(z.string()).optional().describe('Sales channels whose orders are booked here; absent: all.'),
  customers: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Code of the party on which all sales of a channel are booked, `*` for every other channel; without one each buyer is found or created.',
    ),
  shippingProduct: z
    .string()
    .nullable()
    .default(null)
    .describe('Code of the service that stands for what the buyer pays for shipping; needed once an order has such an amount.'),
  discountProduct: z
    .string()
    .nullable()
    .default(null)
    .describe('Code of the service that stands for discounts, sold at a negative price; needed once an order has one.'),
  timeZone: z.string().default('Asia/Taipei').describe('Zone in which the day of a sale is told.'),
  forceAssignment: z
    .boolean()
    .default(true)
    .describe('Take goods that left from Tryton even where its own count says that there are none; false: a task.'),
  skipWarnings: z
    .boolean()
    .default(true)
    .describe('Answer the questions that Tryton asks a person at the screen (UserWarning) with yes; false: each becomes a task.'),
  waybillField: z
    .enum(['shipping_reference', 'reference'])
    .default('shipping_reference')
    .describe(
      'Where a shipment shows its waybill: its own field (module stock_package_shipping), or behind the unit in `reference`.',
    ),
  readWeights: z
    .boolean()
    .default(true)
    .describe('Read the weight of products; needs the module product_measurements, without it set false.'),
  pageSize: z.number().int().min(1).max(1000).default(200).describe('Records a request when lists are read.'),
  quota: Limits.optional().describe('Requests a second and so on, as for every connection.'),
})
export type TrytonConfig = z.infer<typeof TrytonConfig>
