/** The one HTTP client of every connector; see HttpClient in types.ts for what it promises. */
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import axios from 'axios'
import { OmnisagaError } from '../../domain/errors.ts'
import { safePath, type ObservedCall } from './meter.ts'
import type { HttpClient, HttpRequest, HttpResponse } from './types.ts'
import type { Limits } from './limits.ts'
import type { Quota } from './quota.ts'

export interface HttpClientOptions {
  connection: string
  /** Hears of every request that was sent, once it is over. */
  observe?: (call: Omit<ObservedCall, 'connection' | 'connector'>) => void
  quota: Quota
  limits: Limits
  now?: () => Date
}

const MAX_ANSWER_BYTES = 32 * 1024 * 1024
/** The request never left: trying again is safe even for a write. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])
const BAD_CERTIFICATE = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|ERR_TLS_CERT)/

/** Method, host and path (see safePath); every query value is hidden, since signatures, tokens and personal data travel there. */
export function describeRequest(request: { method: string; url: string }): string {
  const url = URL.canParse(request.url) ? new URL(request.url) : null
  if (!url) return `${request.method} (not a URL)`
  const names = [...new Set(url.searchParams.keys())]
  return `${request.method} ${url.origin}${safePath(url.pathname)}${names.length ? `?${names.map((name) => `${name}=…`).join('&')}` : ''}`
}

/** RFC 9110 §10.2.3: seconds or an HTTP date. @returns milliseconds, undefined when absent or unreadable. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000)
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime())
}

/** At most `limit` at once; the others wait in line. */
function createGate(limit: number) {
  let free = limit
  const waiting: (() => void)[] = []
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1
    else
      await new Promise<void>((go) => {
        waiting.push(go)
      })
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}

/** A failure without an answer. Nothing of the original error but its code is kept: it carries headers and body. */
function transportError(error: unknown, request: HttpRequest, timeoutMs: number): OmnisagaError {
  const { code = 'unknown', syscall } = error as { code?: string; syscall?: string }
  const what = describeRequest(request)
  if (BAD_CERTIFICATE.test(code)) {
    return new OmnisagaError('Misconfigured', `${what}: its certificate is not trusted (${code})`, {
      code,
      remedy: 'Check baseUrl, the clock of this machine and its certificate authorities.',
    })
  }
  if (code === 'ERR_INVALID_URL') {
    return new OmnisagaError('Misconfigured', `${what}: not a usable address`, {
      code,
      remedy: 'Check baseUrl of the connection.',
    })
  }
  if (NOT_SENT.has(code) || syscall === 'connect') {
    return new OmnisagaError('Transient', `${what}: no connection (${code})`, {
      code,
      remedy: 'It is tried again by itself; check baseUrl if it never works.',
    })
  }
  const late = code === 'ECONNABORTED' || code === 'ETIMEDOUT' || code === 'ERR_CANCELED'
  const why = late ? `no answer within ${timeoutMs} ms` : `the connection broke before the answer (${code})`
  return new OmnisagaError(request.write ? 'OutcomeUnknown' : 'Transient', `${what}: ${why}`, { code: late ? 'timeout' : code })
}

function judge(response: HttpResponse, request: HttpRequest, now: Date): OmnisagaError | null {
  const { status } = response
  const what = `${describeRequest(request)}: HTTP ${status}`
  const delay = retryAfterMs(response.headers['retry-after'], now)
  if (status === 401)
    return new OmnisagaError('AuthExpired', what, {
      code: '401',
      remedy: 'If a refresh does not help, check the credentials of the connection.',
    })
  if (status === 429 || status === request.rateLimit?.status) {
    return new OmnisagaError('RateLimited', what, {
      code: String(status),
      retryAfterMs: delay ?? (status === 429 ? undefined : request.rateLimit?.retryAfterMs),
      remedy: 'It goes on by itself. If it comes often, lower quota.perSecond of the connection.',
    })
  }
  if (status >= 500) {
    const kind = request.write && !request.serverErrorMeansNotDone ? 'OutcomeUnknown' : 'Transient'
    return new OmnisagaError(kind, what, { code: String(status), retryAfterMs: delay })
  }
  return null
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { connection, quota, limits, now = () => new Date() } = options
  const agent = { keepAlive: true, maxSockets: limits.concurrency, maxFreeSockets: limits.concurrency, timeout: 60_000 }
  const gate = createGate(limits.concurrency)
  const client = axios.create({
    adapter: 'http',
    httpAgent: new http.Agent(agent),
    httpsAgent: new https.Agent(agent),
    maxRedirects: 0,
    maxContentLength: MAX_ANSWER_BYTES,
    responseType: 'arraybuffer',
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
    validateStatus: () => true,
    headers: { 'user-agent': 'omnisaga', accept: '*/*' },
  })

  async function send(request: HttpRequest): Promise<HttpResponse> {
    const timeoutMs = request.timeoutMs ?? limits.timeoutMs
    const json = request.body !== undefined && typeof request.body !== 'string'
    const deadline = AbortSignal.timeout(timeoutMs)
    try {
      const answer = await client.request<Buffer>({
        method: request.method,
        url: request.url,
        data: json ? JSON.stringify(request.body) : request.body,
        headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...request.headers },
        timeout: timeoutMs,
        signal: deadline, // axios' own time-out does not cover an answer that trickles
      })
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && value !== null)
          headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : String(value)
      }
      const bytes = Buffer.from(answer.data)
      return { status: answer.status, headers, body: bytes.toString('utf8'), bytes }
    } catch (error) {
      throw transportError(error, request, timeoutMs)
    }
  }

  /** One request, counted and traced however it ends. @throws what transportError says. */
  async function observed(request: HttpRequest): Promise<{ response: HttpResponse; problem: OmnisagaError | null }> {
    const begun = performance.now()
    let status: number | null = null
    let outcome = 'unknown'
    try {
      const response = await send(request)
      const problem = judge(response, request, now())
      status = response.status
      outcome = problem?.kind ?? (status < 400 ? 'ok' : 'refused')
      return { response, problem }
    } catch (error) {
      if (error instanceof OmnisagaError) outcome = error.kind
      throw error
    } finally {
      const { origin, pathname } = new URL(request.url)
      options.observe?.({
        method: request.method,
        path: `${origin}${safePath(pathname)}`,
        status,
        outcome,
        seconds: (performance.now() - begun) / 1000,
        attempt: randomBytes(6).toString('hex'),
      })
    }
  }

  return {
    async request(request) {
      if (!URL.canParse(request.url)) {
        throw new OmnisagaError('Misconfigured', `connection ${connection}: ${describeRequest(request)}`, {
          code: 'ERR_INVALID_URL',
          remedy: 'Check baseUrl of the connection.',
        })
      }
      await quota.take()
      const { response, problem } = await gate(() => observed(request))
      if (!problem) return response
      if (problem.kind === 'RateLimited' && problem.retryAfterMs) await quota.pause(problem.retryAfterMs)
      throw problem
    },
  }
}
