/** Every refusal is `application/problem+json` (RFC 9457): what was wrong, where, which value, and what to do about it. */
import { z } from 'zod'
import { OmnisagaError } from '../domain/errors.ts'
import { issuesOf, type FieldError } from './issues.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  errors: FieldError[]
}

interface ProblemExtra {
  errors?: FieldError[]
  headers?: Record<string, string>
  code?: string
}

/** A refusal that is meant for the caller; its detail never holds secrets or other people's data. */
export class Problem extends Error {
  readonly status: number
  readonly title: string
  readonly errors: FieldError[]
  readonly headers: Record<string, string>
  readonly code: string

  constructor(status: number, title: string, detail: string, extra: ProblemExtra = {}) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.title = title
    this.errors = extra.errors ?? []
    this.headers = extra.headers ?? {}
    this.code = extra.code ?? title.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  }

  get body(): ProblemBody {
    return {
      type: `urn:omnisaga:problem:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.message,
      errors: this.errors,
    }
  }
}

export const notFound = (what: string, id: string): Problem =>
  new Problem(404, 'Not found', `There is no ${what} '${id}'.`, {
    errors: [{ path: 'id', value: id, message: `unknown ${what}`, remedy: `List the ${what}s and use an id from there.` }],
  })

export const invalidInput = (error: z.ZodError, input: unknown, place: string): Problem => {
  const errors = issuesOf(error, input)
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const what = first === undefined ? 'is wrong' : [first.path || 'it', first.message].join(' ')
  return new Problem(400, 'Invalid input', `The ${place} is not valid: ${what}${more}`, {
    errors,
  })
}

/** Fastify's own refusals (FST_ERR_…), put into words; the rest keep the framework's message. */
const FRAMEWORK: Record<string, [status: number, title: string, detail: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'Too large', 'The body is larger than this route accepts.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'Unsupported media type', 'Send application/json; for imports multipart/form-data.'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'Invalid JSON', 'The body is not JSON, or holds a forbidden key such as __proto__.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'Invalid length', 'The body is not as long as its Content-Length says.'],
  FST_REQ_FILE_TOO_LARGE: [413, 'Too large', 'The file is larger than 50 MB. Split it.'],
  FST_FILES_LIMIT: [400, 'Too many files', 'Send one file at a time.'],
  FST_PARTS_LIMIT: [400, 'Too many parts', 'Send one file with connection and password only.'],
  FST_FIELDS_LIMIT: [400, 'Too many fields', 'Send connection and password only.'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: [415, 'Unsupported media type', 'Send the file as multipart/form-data.'],
}

/** PostgreSQL and sockets: nobody is there, or nobody has time. The same request may be sent again. */
const UNAVAILABLE = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|08|53|57P|57014|55P03|40001|40P01)/

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

const isUnavailable = (error: unknown): boolean =>
  UNAVAILABLE.test(codeOf(error)) ||
  (error instanceof AggregateError && error.errors.some(isUnavailable)) ||
  (error instanceof Error && /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message))

export const unavailable = (detail: string, retryAfterSeconds = 5): Problem =>
  new Problem(503, 'Unavailable', detail, { headers: { 'retry-after': String(retryAfterSeconds) } })

const ofOmnisaga = (error: OmnisagaError): Problem => {
  const errors = error.remedy === undefined ? [] : [{ path: '', value: null, message: error.message, remedy: error.remedy }]
  const extra = error.code === undefined ? { errors } : { errors, code: error.code }
  const seconds = String(Math.max(1, Math.ceil((error.retryAfterMs ?? 5_000) / 1000)))
  switch (error.kind) {
    case 'Invalid':
      return new Problem(422, 'Cannot be processed', error.message, extra)
    case 'Rejected':
      return error.code === 'forged' || error.code === 'expired'
        ? new Problem(401, 'Not verified', error.message, extra)
        : new Problem(409, 'Refused', error.message, extra)
    case 'Misconfigured':
      return new Problem(409, 'Misconfigured', error.message, extra)
    case 'RateLimited':
    case 'Transient':
    case 'OutcomeUnknown':
    case 'AuthExpired':
      return new Problem(503, 'Unavailable', error.message, { ...extra, headers: { 'retry-after': seconds } })
  }
}

/** Sorts anything thrown into what the caller may know. What is not known is a 500 that says nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof z.ZodError) return invalidInput(error, undefined, 'request')
  if (error instanceof OmnisagaError) return ofOmnisaga(error)
  const known = FRAMEWORK[codeOf(error)]
  if (known) return new Problem(...known)
  if (isUnavailable(error)) return unavailable('The database did not answer. Send the same request again.')
  // PostgreSQL class 22: the data itself cannot be stored, however often it is sent.
  if (/^22[0-9A-Z]{3}$/.test(codeOf(error)))
    return new Problem(400, 'Invalid input', 'Something in it cannot be stored (a NUL, or a value out of range).')
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  if (codeOf(error).startsWith('FST_') && typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(status, 'Bad request', (error as Error).message)
  }
  return new Problem(500, 'Internal error', 'Something went wrong here. It was logged; sending the same request again is safe.')
}
