/** Fastify around the table of routes: limits, parsing, keys, problems, measures. No route is served that is not in the table. */
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Runtime } from '../activities/runtime.ts'
import { storeRaw } from '../store/inbox.ts'
import { InboxWriter } from './inboxWriter.ts'
import { authenticate } from './keys.ts'
import { createLogger, errorFields } from './logging.ts'
import { Metrics } from './metrics.ts'
import { buildOpenApi } from './openapi.ts'
import { PROBLEM_TYPE, Problem, problemOf } from './problem.ts'
import { UPLOAD_LIMIT_BYTES, type Answer, type ServerContext } from './route.ts'
import { routes } from './routes.ts'

export interface App {
  fastify: FastifyInstance
  settled(): Promise<void>
}

const fastifyPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1')
const routeOf = (request: FastifyRequest) => request.routeOptions.url ?? 'unknown'

/** @param told hears of every route as it is registered. */
export async function buildApp(
  runtime: Runtime,
  log: Logger = createLogger(),
  told?: (method: string, path: string) => void,
): Promise<App> {
  const metrics = new Metrics()
  const pending = new Set<Promise<unknown>>()
  const context: ServerContext = {
    runtime,
    metrics,
    log,
    inbox: new InboxWriter((connection, records) => storeRaw(runtime.pool, connection, records)),
    background: (work) => {
      const tracked = work
        .catch((error: unknown) => log.error(errorFields(error), 'background work failed'))
        .finally(() => pending.delete(tracked))
      pending.add(tracked)
    },
    openapi: () => buildOpenApi(routes),
  }
  const fastify = Fastify({
    logger: false,
    trustProxy: false,
    forceCloseConnections: 'idle',
    requestTimeout: 60_000,
    connectionTimeout: 120_000,
    routerOptions: { maxParamLength: 200 },
  })
  fastify.removeAllContentTypeParsers()
  if (told)
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) told(each, url)
    })
  fastify.addHook('onResponse', (request, reply, done) => {
    metrics.request(request.method, routeOf(request), reply.statusCode, reply.elapsedTime / 1000)
    log.debug(
      { method: request.method, route: routeOf(request), status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'request',
    )
    done()
  })
  fastify.setErrorHandler((error, request, reply) => sendProblem(reply, logged(error, request, log)))
  fastify.setNotFoundHandler((request, reply) => sendProblem(reply, unknownPath(request)))
  await fastify.register(multipart, {
    limits: { fileSize: UPLOAD_LIMIT_BYTES, files: 1, fields: 10, parts: 11, fieldSize: 1000 },
  })
  for (const kind of ['json', 'raw', 'multipart'] as const) await serveKind(fastify, kind, context)
  return {
    fastify,
    settled: async () => {
      await Promise.all(pending)
    },
  }
}

/** Parsers differ by kind of body, so each kind is served within a scope of its own. */
async function serveKind(fastify: FastifyInstance, kind: 'json' | 'raw' | 'multipart', context: ServerContext): Promise<void> {
  await fastify.register(async (scope) => {
    if (kind === 'json') parseJson(scope)
    if (kind === 'raw') scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    for (const route of routes.filter((each) => each.bodyKind === kind || (kind === 'json' && each.bodyKind === 'none'))) {
      scope.route({
        method: route.method,
        url: fastifyPath(route.path),
        bodyLimit: route.bodyLimit,
        // Before the body is read: who may not ask costs nothing, and uploads nothing.
        onRequest:
          route.access === 'key'
            ? async (request) => {
                callers.set(request, await authenticate(context.runtime.pool, request.ip, request.headers))
              }
            : [],
        handler: async (request, reply) => send(reply, await route.serve(context, request, callers.get(request) ?? 'world')),
      })
    }
  })
}

const callers = new WeakMap<FastifyRequest, string>()

function parseJson(scope: FastifyInstance): void {
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Clients that always set the header send an empty body where nothing is to be said.
    if (body.length === 0) done(null, undefined)
    // It answers through `done`.
    else void parse(request, body as string, done)
  })
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  void reply.code(answer.status).headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', ...answer.headers })
  void reply.type(answer.contentType ?? 'application/json; charset=utf-8')
  const ready = typeof answer.body === 'string' || Buffer.isBuffer(answer.body)
  return reply.send(ready ? answer.body : JSON.stringify(answer.body ?? {}))
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  void reply
    .code(problem.status)
    .headers({ 'x-content-type-options': 'nosniff', ...problem.headers })
    .type(PROBLEM_TYPE)
  return reply.send(JSON.stringify(problem.body))
}

function unknownPath(request: FastifyRequest): Problem {
  const path = request.url.split('?')[0] ?? ''
  const others = routes
    .filter((route) => new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
    .map((route) => route.method)
  if (others.length > 0) {
    return new Problem(405, 'Method not allowed', `${request.method} is not served here; ${others.join(', ')} is.`, {
      headers: { allow: others.join(', ') },
    })
  }
  return new Problem(404, 'Not found', 'No such route. The routes are listed in /openapi.json.')
}

function logged(error: unknown, request: FastifyRequest, log: Logger): Problem {
  const problem = problemOf(error)
  if (problem.status >= 500)
    log.error({ route: routeOf(request), status: problem.status, ...errorFields(error) }, 'request failed')
  return problem
}
