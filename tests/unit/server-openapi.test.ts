import { readFileSync } from 'node:fs'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import type { Runtime } from '../../activities/runtime.ts'
import { buildApp } from '../../server/app.ts'
import { buildOpenApi } from '../../server/openapi.ts'
import { routes } from '../../server/routes.ts'

interface Operation {
  operationId: string
  security: unknown[]
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>
  parameters?: { name: string; in: string }[]
}
interface Description {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}
const description = JSON.parse(JSON.stringify(buildOpenApi(routes))) as Description
const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

/** The outside surface that is kept stable. */
const PROMISED = [
  'POST /webhooks/{connection}',
  'POST /api/v1/imports',
  'GET /api/v1/imports/{id}',
  'GET /api/v1/imports/{id}/workbook',
  'POST /api/v1/orders',
  'GET /api/v1/orders',
  'GET /api/v1/orders/{id}',
  ...['confirm', 'cancel', 'change', 'arrived', 'decide', 'retry'].map((verb) => `POST /api/v1/orders/{id}/${verb}`),
  'GET /api/v1/stock',
  'POST /api/v1/stock',
  'GET /api/v1/tasks',
  'GET /api/v1/tasks/{id}',
  'POST /api/v1/tasks/{id}/{action}',
  'GET /api/v1/connectors',
  'GET /api/v1/connectors/{name}',
  'GET /openapi.json',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
]

describe('openapi.json', () => {
  it('as committed is what the routes say (npx tsx server/printOpenApi.ts > openapi.json)', () => {
    expect(JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'))).toEqual(description)
  })

  it('has every route that was promised', () => {
    expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`)).toEqual(expect.arrayContaining(PROMISED))
  })

  it('has every route that is served, and no other', async () => {
    const served: string[] = []
    const { fastify } = await buildApp({} as Runtime, pino({ level: 'silent' }), (method, url) =>
      served.push(`${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`),
    )
    await fastify.ready()
    await fastify.close()
    const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    expect(served.filter((route) => !route.startsWith('HEAD ')).sort()).toEqual(described.sort())
  })

  it('names each operation once, says who may ask, and declares every path parameter', () => {
    expect(description.openapi).toBe('3.1.0')
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect((operation.parameters ?? []).filter((each) => each.in === 'path').map((each) => each.name)).toEqual(named)
      expect(operation.security).toEqual(path.startsWith('/api/') || path === '/metrics' ? [{ apiKey: [] }] : [])
    }
  })

  it('points only to schemas that it holds', () => {
    const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(references.length).toBeGreaterThan(20)
    for (const reference of new Set(references))
      expect(description.components.schemas).toHaveProperty(reference.replace('#/components/schemas/', ''))
  })

  it('answers every refusal as application/problem+json, but a customer who opens a link gets a page', () => {
    const forCustomers = ['GET /webhooks/{connection}/map/{id}']
    const refusals = operations
      .filter(({ path, method }) => path !== '/readyz' && !forCustomers.includes(`${method.toUpperCase()} ${path}`))
      .flatMap(({ operation }) => Object.entries(operation.responses).filter(([status]) => Number(status) >= 400))
    expect(refusals.length).toBeGreaterThan(50)
    for (const [, response] of refusals) expect(Object.keys(response.content ?? {})).toEqual(['application/problem+json'])
  })
})
