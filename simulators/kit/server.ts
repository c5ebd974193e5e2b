/** A small HTTP server for simulators: loopback only, faults applied around the work, control routes as JSON under /_sim. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFaultPlan, type Fault, type FaultPlan, type FaultRule } from './faults.ts'

export interface SimRequest {
  method: string
  path: string
  query: Record<string, string>
  /** The query as it was sent, with its question mark: a name may stand in it more than once. */
  search: string
  headers: Record<string, string>
  rawBody: Buffer
  /** Query, form fields and top-level JSON values as text: what fault rules look at. */
  fields: Record<string, string>
  /** The JSON body, null when there is none. */
  json: unknown
}
export interface SimAnswer {
  status?: number
  headers?: Record<string, string>
  body: string | Buffer | Record<string, unknown> | unknown[]
}

export interface SimServerOptions {
  /** 0 or absent: a free one. */
  port?: number
  /** The vendor's API. */
  handle(request: SimRequest): SimAnswer | Promise<SimAnswer>
  /** The vendor's own way to say no. */
  refuse(fault: Fault, request: SimRequest): SimAnswer
  /** Control routes below /_sim, e.g. `/parcels`; null: there is none. */
  control?(request: SimRequest & { route: string }): SimAnswer | null | Promise<SimAnswer | null>
  faults?: FaultPlan
}
export interface SimServer {
  url: string
  port: number
  faults: FaultPlan
  stop(): Promise<void>
}

const MAX_BODY_BYTES = 8 * 1024 * 1024
/** How long `late` and friends may wait in the background; the timers never keep the process alive. */
const later = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref()
  })

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new RangeError('body too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

async function toSimRequest(request: IncomingMessage): Promise<SimRequest> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const rawBody = await readBody(request)
  const query = Object.fromEntries(url.searchParams)
  const type = request.headers['content-type'] ?? ''
  let json: unknown = null
  let fields: Record<string, string> = { ...query }
  if (type.includes('json') && rawBody.length > 0) {
    json = JSON.parse(rawBody.toString('utf8'))
    if (typeof json === 'object' && json !== null) {
      fields = { ...fields, ...Object.fromEntries(Object.entries(json).map(([name, value]) => [name, asText(value)])) }
    }
  } else if (type.includes('form-urlencoded')) {
    fields = { ...fields, ...Object.fromEntries(new URLSearchParams(rawBody.toString('utf8'))) }
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
  return { method: request.method ?? 'GET', path: url.pathname, query, search: url.search, headers, rawBody, fields, json }
}

function send(response: ServerResponse, answer: SimAnswer): void {
  if (response.destroyed) return
  const { body } = answer
  const raw = typeof body === 'string' || Buffer.isBuffer(body)
  response.writeHead(answer.status ?? 200, {
    'content-type': raw ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    ...answer.headers,
  })
  response.end(raw ? body : JSON.stringify(body))
}

/** Answers one request under its fault, if any. `work` is run at most once, and not at all for faults in which nothing is done. */
export async function serveWithFault(
  response: ServerResponse,
  fault: Fault | null,
  work: () => Promise<SimAnswer>,
  refuse: (fault: Fault) => SimAnswer,
): Promise<void> {
  switch (fault?.kind) {
    case undefined:
    case 'twice': // of reports only: the plan never gives them to a request
    case 'heldBack':
    case 'forged':
      return send(response, await work())
    case 'refuse':
      return send(response, refuse(fault))
    case 'rateLimit':
      return send(response, { status: 429, headers: { 'retry-after': String(fault.retryAfter ?? 1) }, body: 'Too Many Requests' })
    case 'serverError':
      return send(response, { status: fault.status ?? 500, body: 'Internal Server Error' })
    case 'hang':
      return
    case 'silentSuccess':
      await work()
      return
    case 'lostAnswer':
      await work()
      response.destroy()
      return
    case 'late': {
      const answer = await work()
      await later(fault.delayMs ?? 1000)
      return send(response, answer)
    }
    case 'crashAfter':
      await work()
      return send(response, { status: fault.status ?? 500, body: 'Internal Server Error' })
  }
}

/** /_sim/faults: GET lists, POST adds one rule or a list of them, DELETE clears. */
function controlFaults(request: SimRequest, plan: FaultPlan): SimAnswer {
  if (request.method === 'DELETE') {
    plan.clear()
    return { body: { ok: true } }
  }
  if (request.method !== 'POST') return { body: { faults: plan.list() } }
  const rules = Array.isArray(request.json) ? (request.json as FaultRule[]) : [request.json as FaultRule]
  return { body: { ids: rules.map((rule) => plan.add(rule)) } }
}

export async function startSimServer(options: SimServerOptions): Promise<SimServer> {
  const faults = options.faults ?? createFaultPlan()
  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await toSimRequest(incoming)
    if (request.path.startsWith('/_sim/')) {
      const route = request.path.slice('/_sim'.length)
      const known = route === '/faults' ? controlFaults(request, faults) : await options.control?.({ ...request, route })
      return send(response, known ?? { status: 404, body: { error: `no control route ${route}` } })
    }
    await serveWithFault(
      response,
      faults.next(request),
      async () => options.handle(request),
      (fault) => options.refuse(fault, request),
    )
  }
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      const bad = error instanceof SyntaxError || error instanceof RangeError // unreadable body or pattern
      if (!bad) process.stderr.write(`simulator: ${error instanceof Error ? error.stack : String(error)}\n`)
      send(response, { status: bad ? 400 : 500, body: { error: error instanceof Error ? error.message : String(error) } })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    faults,
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}
