/** Configuration of one Medusa shop. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'
import { pulled } from '../kit/pulled.ts'

export const MedusaConfig = z
  .strictObject({
    baseUrl: z.url().describe('Address of the server, e.g. https://shop.example.com.'),
    shop: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Names the shop in the identity of its orders; the host of baseUrl when left out. Never change it later.'),
    apiKey: z
      .string()
      .nullable()
      .default(null)
      .describe('A secret API key of the shop (sk_...). Preferred; else email and password.'),
    email: z.string().nullable().default(null).describe('A user of the shop, when there is no apiKey.'),
    password: z
      .string()
      .nullable()
      .default(null)
      .describe('Their password. The session that it opens is kept and shared by all processes.'),
    paidWhen: z
      .enum(['captured', 'authorized'])
      .default('captured')
      .describe('Whether goods may leave once a payment is authorised, or only once it is captured.'),
    codProviders: z
      .array(z.string())
      .default([])
      .describe('Ids of payment providers with which the courier collects the money, e.g. ["pp_cod"].'),
    services: z
      .record(z.string(), z.string())
      .default({})
      .describe('Courier service to wish for, by the name of the shipping method, e.g. {"Home delivery": "TCAT"}.'),
    trackingUrl: z
      .string()
      .default('')
      .describe('Where a customer follows a parcel; {waybill} is filled in. Medusa shows it beside the number.'),
    notifyCustomer: z.boolean().default(true).describe('Whether the shop tells the customer of the shipment.'),
    stockLocationId: z
      .string()
      .nullable()
      .default(null)
      .describe(
        "Id of the shop's stock location that ships and whose levels are written; may be left out when there is only one.",
      ),
    locations: z
      .record(z.string(), z.string())
      .default({})
      .describe("Our location by the id of the shop's stock location, for reading levels."),
    pageSize: z.number().int().min(1).max(100).default(50).describe('Records a request.'),
    ...pulled,
    quota: Limits.optional().describe('Requests a second and so on, as for every connection.'),
  })
  .refine(({ apiKey, email, password }) => apiKey !== null || (email !== null && password !== null), {
    message: 'give apiKey, or email and password',
    path: ['apiKey'],
  })
export type MedusaConfig = z.infer<typeof MedusaConfig>

export const secretFields = ['apiKey', 'password'] as const
