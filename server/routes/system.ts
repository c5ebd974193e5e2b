/** Health, measures and the description of everything else. */
import { z } from 'zod'
import { defineRoute, type Route } from '../route.ts'

const READY_WITHIN_MS = 3_000

/** @throws Error when nothing came in time; the work itself is left to its own time-outs. */
async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const Ready = z
  .object({ ready: z.boolean(), database: z.enum(['up', 'down']), temporal: z.enum(['up', 'down']) })
  .meta({ id: 'Ready' })

const isUp = async (probe: () => Promise<unknown>): Promise<'up' | 'down'> =>
  within(probe(), READY_WITHIN_MS).then(
    () => 'up' as const,
    () => 'down' as const,
  )

export const systemRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/healthz',
    operationId: 'health',
    summary: 'The process is alive',
    access: 'public',
    responses: { 200: { description: 'Alive.', schema: z.object({ alive: z.literal(true) }) } },
    handle: async () => ({ status: 200, body: { alive: true } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/readyz',
    operationId: 'readiness',
    summary: 'Database and Temporal can be reached',
    access: 'public',
    responses: {
      200: { description: 'Both answer.', schema: Ready },
      503: { description: 'Names which does not.', schema: Ready },
    },
    handle: async ({ runtime }) => {
      const [database, temporal] = await Promise.all([
        isUp(() => runtime.pool.query('select 1')),
        isUp(() => runtime.temporal.connection.workflowService.getSystemInfo({})),
      ])
      const ready = database === 'up' && temporal === 'up'
      const body = { ready, database, temporal }
      return ready ? { status: 200, body } : { status: 503, headers: { 'retry-after': '5' }, body }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/metrics',
    operationId: 'metrics',
    summary: 'Prometheus text',
    access: 'key',
    responses: {
      200: {
        description: 'Requests, webhooks, inbox, outbox, tasks and orders by phase.',
        contentType: 'text/plain; version=0.0.4',
      },
    },
    handle: async ({ runtime, metrics }) => ({
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: await metrics.text(runtime.pool),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/openapi.json',
    operationId: 'openapi',
    summary: 'This description',
    access: 'public',
    responses: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
    handle: async ({ openapi }) => ({ status: 200, body: openapi() }),
  }),
]
