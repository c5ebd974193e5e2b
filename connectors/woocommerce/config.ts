/** Configuration of one WooCommerce shop. */
import { z } from 'zod'
import { CvsChain } from '../../domain/order.ts'
import { Limits } from '../kit/limits.ts'
import { pulled } from '../kit/pulled.ts'

export const WooConfig = z.strictObject({
  baseUrl: z
    .url()
    .describe("The site's address, e.g. https://shop.example; /wp-json/wc/v3 is added. With http:// requests are signed."),
  consumerKey: z.string().min(1).describe('ck_… of a key with the right to read and write.'),
  consumerSecret: z.string().min(1).describe('cs_… of the same key.'),
  webhookSecret: z.string().nullable().default(null).describe('What the webhooks are signed with; without it all are refused.'),
  pageSize: z.number().int().min(1).max(100).default(100).describe('Records a request; WordPress gives 100 at most.'),
  ...pulled,
  quota: Limits.optional().describe('Requests a second and so on; the limit is the site itself.'),
  statuses: z
    .record(z.string(), z.enum(['unpaid', 'ship', 'hold', 'fulfilled', 'cancelled']))
    .default({})
    .describe('What the statuses of plugins mean; adds to and overrides the built-in table.'),
  codMethods: z.array(z.string()).default(['cod']).describe('payment_method of orders that are paid on delivery.'),
  services: z
    .record(z.string(), z.string())
    .default({})
    .describe('Courier service to wish for, by method_id of the shipping line.'),
  cvsMethods: z
    .record(z.string(), CvsChain)
    .default({})
    .describe('Convenience-store chain by method_id, where its name does not tell.'),
  cvsStoreMeta: z
    .array(z.string())
    .default(['_shipping_cvs_store_ID', '_ecpay_logistic_cvs_store_id'])
    .describe("Meta keys in which plugins keep the number of the buyer's pick-up store; the first that is there counts."),
  pickupLocation: z.string().nullable().default(null).describe('Our location at which orders with local pick-up wait.'),
  shippedStatus: z.string().default('completed').describe('Status of an order whose goods have all left.'),
  deliveredStatus: z
    .string()
    .nullable()
    .default(null)
    .describe('Status of an order whose parcels have all arrived, where a plugin has one; null keeps it in the meta alone.'),
  trackingMetaKey: z
    .string()
    .nullable()
    .default(null)
    .describe('A meta key that shall hold the newest tracking number too, for a plugin or a template.'),
  trackingNote: z
    .string()
    .default('已出貨 {courier}：{waybill}')
    .describe('The note to the buyer (mailed by the shop); {courier} and {waybill} are replaced.'),
  refundPayment: z.boolean().default(false).describe("Whether a refund also asks the shop's payment gateway to pay back."),
  stockLocation: z.string().nullable().default(null).describe('Our location whose stock the shop counts, for reading levels.'),
})
export type WooConfig = z.infer<typeof WooConfig>

export const secretFields = ['consumerKey', 'consumerSecret', 'webhookSecret'] as const
