/** Configuration of one Vendure shop. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'
import { day, pulled } from '../kit/pulled.ts'

export const VendureConfig = z.strictObject({
  baseUrl: z.url().describe('Address of the server, without a path, e.g. https://shop.example.com.'),
  adminApiPath: z.string().default('admin-api').describe('Path of the Admin API, as the shop configured it.'),
  shop: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Names the shop in the identity of its orders; the host of baseUrl when left out. Never change it later.'),
  username: z
    .string()
    .min(1)
    .describe('An administrator of the shop with the rights to read and update orders and the catalogue.'),
  password: z.string().min(1).describe('Their password. The session that it opens is kept and shared by all processes.'),
  channelToken: z.string().nullable().default(null).describe("The channel's token; the default channel when left out."),
  codMethods: z
    .array(z.string())
    .default([])
    .describe('Codes of payment methods with which the courier collects the money, e.g. ["cash-on-delivery"].'),
  services: z
    .record(z.string(), z.string())
    .default({})
    .describe('Courier service to wish for, by the code of the shipping method, e.g. {"home-delivery": "TCAT"}.'),
  fulfillmentHandler: z
    .string()
    .default('manual-fulfillment')
    .describe('Handler that takes our tracking number in its arguments `method` and `trackingCode`.'),
  stockLocationId: z
    .string()
    .nullable()
    .default(null)
    .describe("Id of the shop's stock location that levels are written to; may be left out when there is only one."),
  locations: z
    .record(z.string(), z.string())
    .default({})
    .describe("Our location by the id of the shop's stock location, for reading levels."),
  pageSize: z.number().int().min(1).max(100).default(100).describe('Records a request.'),
  ...pulled,
  watchMs: z
    .number()
    .int()
    .positive()
    .default(30 * day)
    .describe('So old an order may be for its payment still to be noticed: Vendure gives an order no new time when it is paid.'),
  quota: Limits.optional().describe('Requests a second and so on, as for every connection.'),
})
export type VendureConfig = z.infer<typeof VendureConfig>

export const secretFields = ['password', 'channelToken'] as const
