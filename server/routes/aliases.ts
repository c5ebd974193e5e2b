/** What the articles of a channel are called here. */
import { z } from 'zod'
import { chooseSku } from '../../activities/aliases.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { listAliases } from '../../store/aliases.ts'
import { Problem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const text = (most: number) => z.string().min(1).max(most)
const AliasBody = z.strictObject({ channel: text(60), externalSku: text(200), sku: text(100) })
const AliasAnswer = AliasBody.extend({ changed: z.boolean(), orders: z.array(z.string()) }).meta({ id: 'Alias' })

export const aliasRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/aliases',
    operationId: 'listAliases',
    summary: "Channels' article numbers and what they are called here",
    access: 'key',
    query: z.object({ channel: text(60).optional() }),
    responses: { 200: { description: 'At most 10,000.', schema: z.object({ aliases: z.array(AliasBody) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { aliases: await listAliases(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/aliases',
    operationId: 'setAlias',
    summary: 'Say what an article of a channel is called here; remembered, and the orders that wait for it go on',
    access: 'key',
    body: AliasBody,
    responses: {
      200: { description: 'Remembered; `orders` are those that waited for it.', schema: AliasAnswer },
      400: { description: 'There is no such product here.' },
    },
    handle: async ({ runtime, body, who }) => {
      try {
        return { status: 200, body: await chooseSku(runtime, body, who) }
      } catch (error) {
        if (!(error instanceof OmnisagaError) || error.kind !== 'Invalid') throw error
        throw new Problem(400, 'Invalid input', error.message, {
          errors: [{ path: 'body.sku', value: body.sku, message: error.message, remedy: error.remedy ?? '' }],
        })
      }
    },
  }),
]
