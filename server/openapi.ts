/** OpenAPI 3.1 from the table of routes. Committed as openapi.json; a test proves that the two are equal. */
import { z } from 'zod'
import type { Route } from './route.ts'
import { ProblemSchema } from './schemas.ts'

type Json = Record<string, unknown>

/** Schemas with an id are put once under components. */
class Components {
  readonly schemas: Record<string, Json> = {}

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const made = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any', reused: 'inline' }) as Json
    const { $schema: _schema, $defs, ...rest } = made
    for (const [name, definition] of Object.entries(($defs ?? {}) as Record<string, Json>)) this.#add(name, definition)
    const id = rest['id']
    if (typeof id !== 'string') return moved(rest) as Json
    this.#add(id, rest)
    return { $ref: `#/components/schemas/${id}` }
  }

  #add(name: string, definition: Json): void {
    const { id: _id, $schema: _schema, ...rest } = definition
    this.schemas[name] = moved(rest) as Json
  }
}

/** References made by zod point below `$defs`; ours are components. */
const moved = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(moved)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !(key === 'id' && typeof inner === 'string'))
      .map(([key, inner]) => [
        key,
        key === '$ref' && typeof inner === 'string' ? inner.replace('#/$defs/', '#/components/schemas/') : moved(inner),
      ]),
  )
}

const parametersOf = (components: Components, schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] => {
  if (!schema) return []
  const made = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(made.properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = property
    return {
      name,
      in: place,
      required: place === 'path' || (made.required ?? []).includes(name),
      ...(description === undefined ? {} : { description }),
      schema: moved(rest),
    }
  })
}

const BODY_TYPES = { json: 'application/json', multipart: 'multipart/form-data', raw: '*/*', none: '' } as const

function bodyOf(components: Components, route: Route): Json {
  if (route.bodyKind === 'none') return {}
  if (route.bodyKind === 'raw') return { requestBody: { content: { '*/*': { schema: { type: 'string', format: 'binary' } } } } }
  if (!route.body) return {}
  const optional = route.bodyKind === 'json' && route.body.safeParse({}).success
  return {
    requestBody: {
      required: !optional,
      content: { [BODY_TYPES[route.bodyKind]]: { schema: components.of(route.body, 'input') } },
    },
  }
}

/** What any route of its kind may answer beside its own. */
const commonStatuses = (route: Route): [string, string][] => [
  ...(route.params || route.query || route.body
    ? [['400', 'Invalid input: path, value and remedy of each error.'] as [string, string]]
    : []),
  ...(route.access === 'key'
    ? ([
        ['401', 'No key, or one that is not known.'],
        ['403', 'No key is configured and the caller is not this machine.'],
      ] as [string, string][])
    : []),
  ...(route.bodyKind === 'none' ? [] : ([['413', `More than ${route.bodyLimit} bytes.`]] as [string, string][])),
  ...(route.bodyKind === 'json' || route.bodyKind === 'multipart'
    ? ([['415', 'Wrong content type.']] as [string, string][])
    : []),
  ...(route.access === 'public' ? [] : ([['503', 'Not able to just now; Retry-After says when.']] as [string, string][])),
]

function responsesOf(components: Components, route: Route): Json {
  const problem = { 'application/problem+json': { schema: components.of(ProblemSchema, 'output') } }
  const responses: Record<string, Json> = {}
  for (const [status, description] of commonStatuses(route)) responses[status] = { description, content: problem }
  for (const [status, documented] of Object.entries(route.responses)) {
    const content = documented.schema
      ? {
          [documented.contentType ??
          (Number(status) >= 400 && status !== '503' ? 'application/problem+json' : 'application/json')]: {
            schema: components.of(documented.schema, 'output'),
          },
        }
      : documented.contentType
        ? { [documented.contentType]: { schema: { type: 'string' } } }
        : Number(status) >= 400
          ? problem
          : undefined
    responses[status] = content ? { description: documented.description, content } : { description: documented.description }
  }
  return Object.fromEntries(Object.entries(responses).sort(([a], [b]) => a.localeCompare(b)))
}

export function buildOpenApi(routes: readonly Route[]): Json {
  const components = new Components()
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const parameters = [...parametersOf(components, route.params, 'path'), ...parametersOf(components, route.query, 'query')]
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: {
        operationId: route.operationId,
        summary: route.summary,
        ...(route.description === undefined ? {} : { description: route.description }),
        tags: [tagOf(route.path)],
        security: route.access === 'key' ? [{ apiKey: [] }] : [],
        ...(parameters.length > 0 ? { parameters } : {}),
        ...bodyOf(components, route),
        responses: responsesOf(components, route),
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Omnisaga',
      version: '0.1.0',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Orders, stock, imports and tasks. Times are ISO 8601 with offset; amounts are ISO 4217 minor units (NT$ 590 is 59000).',
    },
    servers: [{ url: 'http://127.0.0.1:8080' }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(components.schemas).sort(([a], [b]) => a.localeCompare(b))),
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'Made by `omnisaga keys add NAME`. While there is none, only loopback is answered.',
        },
      },
    },
  }
}

const tagOf = (path: string): string =>
  /^\/api\/v1\/([a-z]+)/.exec(path)?.[1] ?? (path.startsWith('/webhooks') ? 'webhooks' : 'system')
