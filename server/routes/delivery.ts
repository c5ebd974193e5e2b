/** What can be promised to a customer who is about to order. */
import { z } from 'zod'
import { deliveryOffer } from '../../activities/deliveryOptions.ts'
import { unknownProducts } from '../../store/products.ts'
import { Problem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const text = (most: number) => z.string().min(1).max(most)

export const DeliveryOptionSchema = z
  .object({
    option: z.enum(['sameDay', 'nextDay', 'home', 'cvs', 'storePickup']),
    location: z.string().nullable().meta({ description: 'Of storePickup: the store.' }),
    from: z.array(z.string()).meta({ description: 'The locations that would send it.' }),
    courier: z.string().nullable(),
    service: z.string().nullable(),
    freightMinor: z.int().nullable().meta({ description: 'What the courier asks; null where no tariff is configured.' }),
    arrivesOn: z.string().nullable().meta({ description: 'Local date; null where no tariff says how long it takes.' }),
  })
  .meta({ id: 'DeliveryOption' })

const noSuchProducts = (unknown: readonly string[], lines: readonly { sku: string }[]): Problem =>
  new Problem(422, 'Cannot be processed', `There is no product ${unknown.join(', ')}.`, {
    errors: unknown.map((sku) => ({
      path: `lines[${lines.findIndex((line) => line.sku === sku)}].sku`,
      value: sku,
      message: 'is no product here',
      remedy: 'Correct it, or add the product by `omnisaga connections apply FILE`.',
    })),
  })

export const deliveryRoutes: Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/v1/delivery-options',
    operationId: 'deliveryOptions',
    summary: 'The ways in which a basket can really be delivered',
    description: 'Judged now, by stock, routing rules, cut-offs, capacity and tariffs. Nothing is held.',
    access: 'key',
    body: z.strictObject({
      channel: text(60),
      postalCode: text(10).nullish(),
      lines: z
        .array(z.strictObject({ sku: text(100), quantity: z.int().positive().max(100_000) }))
        .min(1)
        .max(200),
      cod: z.boolean().default(false),
      valueMinor: z.int().min(0).default(0),
    }),
    responses: {
      200: {
        description: 'Best first.',
        schema: z.object({
          options: z.array(DeliveryOptionSchema),
          because: z.string().nullable().meta({ description: 'Why there is none; null when there is one.' }),
        }),
      },
      422: { description: 'A SKU that is no product.' },
    },
    handle: async ({ runtime, body }) => {
      const unknown = await unknownProducts(
        runtime.pool,
        body.lines.map(({ sku }) => sku),
      )
      if (unknown.length > 0) throw noSuchProducts(unknown, body.lines)
      return { status: 200, body: await deliveryOffer(runtime, { ...body, postalCode: body.postalCode ?? null }) }
    },
  }),
]
