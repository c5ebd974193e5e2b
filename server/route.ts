/** One table of routes is the source of everything: what is served, what is checked, what openapi.json says. */
import type { z } from 'zod'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Runtime } from '../activities/runtime.ts'
import type { InboxWriter } from './inboxWriter.ts'
import type { Metrics } from './metrics.ts'
import { pathText, unstorableText } from './issues.ts'
import { invalidInput, Problem } from './problem.ts'

/** `public`: health only. `signature`: the connector verifies the raw bytes. `key`: an API key, or loopback while there is none. */
export type Access = 'public' | 'signature' | 'key'
export type BodyKind = 'none' | 'json' | 'raw' | 'multipart'

export interface ServerContext {
  runtime: Runtime
  metrics: Metrics
  inbox: InboxWriter
  log: Logger
  /** Work that outlives its request; awaited at the stop. */
  background(work: Promise<unknown>): void
  openapi(): unknown
}

export interface Answer {
  status: number
  body?: unknown
  contentType?: string
  headers?: Record<string, string>
}

export interface Documented {
  description: string
  schema?: z.ZodType
  contentType?: string
}

export interface Call<P, Q, B> extends ServerContext {
  params: P
  query: Q
  body: B
  request: FastifyRequest
  who: string
}

interface Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  method: 'GET' | 'POST'
  /** OpenAPI style: `/api/v1/orders/{id}`. */
  path: string
  operationId: string
  summary: string
  description?: string
  access: Access
  params?: P
  query?: Q
  body?: B
  bodyKind?: BodyKind
  /** Bytes. */
  bodyLimit?: number
  responses: Record<number, Documented>
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>
}

export interface Route {
  method: 'GET' | 'POST'
  path: string
  operationId: string
  summary: string
  description: string | undefined
  access: Access
  params: z.ZodType | undefined
  query: z.ZodType | undefined
  body: z.ZodType | undefined
  bodyKind: BodyKind
  bodyLimit: number
  responses: Record<number, Documented>
  serve(context: ServerContext, request: FastifyRequest, who: string): Promise<Answer>
}

export const JSON_LIMIT_BYTES = 1024 * 1024
export const WEBHOOK_LIMIT_BYTES = 256 * 1024
export const UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024

function parse<S extends z.ZodType>(schema: S | undefined, input: unknown, place: string): z.output<S> {
  // Routes without a schema take nothing from that place.
  if (!schema) return undefined as z.output<S>
  const bad = unstorableText(input)
  if (bad) {
    throw new Problem(400, 'Invalid input', `The ${place} holds a character that cannot be stored.`, {
      errors: [
        {
          path: pathText(bad),
          value: null,
          message: 'holds NUL or half a surrogate pair',
          remedy: 'Remove the character.',
        },
      ],
    })
  }
  const result = schema.safeParse(input)
  if (!result.success) throw invalidInput(result.error, input, place)
  return result.data
}

export function defineRoute<
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(definition: Definition<P, Q, B>): Route {
  const bodyKind = definition.bodyKind ?? (definition.body ? 'json' : 'none')
  return {
    method: definition.method,
    path: definition.path,
    operationId: definition.operationId,
    summary: definition.summary,
    description: definition.description,
    access: definition.access,
    params: definition.params,
    query: definition.query,
    body: definition.body,
    bodyKind,
    bodyLimit: definition.bodyLimit ?? JSON_LIMIT_BYTES,
    responses: definition.responses,
    serve: async (context, request, who) =>
      definition.handle({
        ...context,
        request,
        who,
        params: parse(definition.params, request.params, 'path'),
        query: parse(definition.query, request.query, 'query'),
        body: bodyKind === 'json' ? parse(definition.body, request.body ?? {}, 'body') : (undefined as z.output<B>),
      }),
  }
}
