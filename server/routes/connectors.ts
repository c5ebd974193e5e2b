/** What this version can be connected to: for whoever builds a form for it. */
import { z } from 'zod'
import { capabilityNames } from '../../connectors/kit/capabilities.ts'
import { describeConnector } from '../../connectors/kit/describe.ts'
import { connectors } from '../../connectors/registry.ts'
import { notFound } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const Summary = z.object({
  name: z.string(),
  title: z.string(),
  kind: z.string(),
  capabilities: z.array(z.enum(capabilityNames)),
})
const Description = Summary.extend({
  configSchema: z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema of `config` in a connection.' }),
  secretFields: z.array(z.string()).meta({ description: 'Keys of `config` that are stored encrypted and never shown.' }),
}).meta({ id: 'Connector' })
const Name = z.object({ name: z.string().min(1).max(100) })

export const connectorRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/connectors',
    operationId: 'listConnectors',
    summary: 'Every connector there is',
    access: 'key',
    responses: { 200: { description: 'By name.', schema: z.object({ connectors: z.array(Summary) }) } },
    handle: async () => ({
      status: 200,
      body: {
        connectors: Object.values(connectors).map((connector) => {
          const { name, title, kind, capabilities } = describeConnector(connector)
          return { name, title, kind, capabilities }
        }),
      },
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/connectors/{name}',
    operationId: 'getConnector',
    summary: 'One connector: capabilities, JSON Schema of its configuration, secret fields',
    access: 'key',
    params: Name,
    responses: {
      200: { description: 'The connector.', schema: Description },
      404: { description: 'There is no such connector.' },
    },
    handle: async ({ params }) => {
      const connector = Object.hasOwn(connectors, params.name) ? connectors[params.name] : undefined
      if (!connector) throw notFound('connector', params.name)
      return { status: 200, body: describeConnector(connector) }
    },
  }),
]
