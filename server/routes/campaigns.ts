/** Group-buys: set up, shown, closed early. */
import { z } from 'zod'
import { closeCampaigns } from '../../activities/campaigns/round.ts'
import { CampaignEntry } from '../../domain/campaigns.ts'
import { endCampaign, listCampaigns, setCampaign } from '../../store/campaigns.ts'
import { transaction } from '../../store/db.ts'
import { Problem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const CampaignSchema = z
  .object({
    id: z.string(),
    title: z.string().nullable(),
    minimum: z.int(),
    counts: z.enum(['pieces', 'orders']),
    closesAt: z.string(),
    state: z.enum(['open', 'reached', 'failed']),
    orders: z.int().meta({ description: 'Members that hold all they want now, paid or to be paid at the door.' }),
    pieces: z.int(),
    counted: z.int().nullable().meta({ description: 'What was judged at the closing.' }),
    settledAt: z.string().nullable(),
  })
  .meta({ id: 'Campaign' })

export const campaignRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/campaigns',
    operationId: 'listCampaigns',
    summary: 'Group-buys: what holds, what is needed, when they close',
    access: 'key',
    query: z.strictObject({ state: z.enum(['open', 'reached', 'failed']).optional() }),
    responses: { 200: { description: 'By closing time.', schema: z.object({ campaigns: z.array(CampaignSchema) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { campaigns: await listCampaigns(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/campaigns',
    operationId: 'setCampaign',
    summary: 'Set up a group-buy, or change it while it is open',
    access: 'key',
    description:
      'Orders that name it as their `campaign` hold from its allotments in order of time and wait. At `closesAt` all of them go on, or, ' +
      'under the minimum, all are released, refunded and told; what is left of its allotments goes back on sale.',
    body: CampaignEntry.meta({ id: 'CampaignRequest' }),
    responses: {
      200: { description: 'The campaign as it is now.', schema: CampaignSchema },
      409: { description: 'It is closed.' },
      422: { description: 'Unknown location.' },
    },
    handle: async ({ runtime, body }) => {
      if (!(await transaction(runtime.pool, (tx) => setCampaign(tx, body))))
        throw new Problem(409, 'Refused', `The campaign ${body.id} is closed; set up another one.`)
      return { status: 200, body: (await listCampaigns(runtime.pool, { id: body.id }))[0] }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/campaigns/{id}/close',
    operationId: 'closeCampaign',
    summary: 'Close a group-buy now',
    access: 'key',
    params: z.strictObject({ id: z.string().min(1).max(64) }),
    responses: {
      200: {
        description: 'Closed; or still open for a moment, while orders that came in time are on their way to the stock.',
        schema: CampaignSchema,
      },
      422: { description: 'It is not open.' },
    },
    handle: async ({ runtime, params }) => {
      await endCampaign(runtime.pool, params.id)
      // What cannot be rung now is rung by the sweep.
      await closeCampaigns(runtime).catch((error: unknown) =>
        runtime.log.warn({ error: (error as Error).name }, 'not all were rung'),
      )
      return { status: 200, body: (await listCampaigns(runtime.pool, { id: params.id }))[0] }
    },
  }),
]
