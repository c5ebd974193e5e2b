/** Answers in JSON: read, and judged where the vendor gives only an HTTP status. */
import type { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { HttpResponse } from './types.ts'

/** @throws Transient (OutcomeUnknown of a write): something in between answered, not the vendor. */
export function jsonOf(response: HttpResponse, args: { what: string; write?: boolean }): unknown {
  try {
    return JSON.parse(response.body) as unknown
  } catch {
    throw new OmnisagaError(
      args.write ? 'OutcomeUnknown' : 'Transient',
      `${args.what}: HTTP ${response.status} with no JSON answer`,
      {
        code: `http-${response.status}`,
      },
    )
  }
}

/** @throws Invalid, code `answer-shape`, that names the field; its value is not repeated, it may be personal. */
export function readShape<T>(schema: z.ZodType<T>, json: unknown, what: string): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new OmnisagaError(
    'Invalid',
    `${what}: answer not understood at ${issue?.path.join('.') || '(answer)'}: ${issue?.message}`,
    {
      code: 'answer-shape',
      remedy: "Compare the answer with the vendor's current document; the connector may need an update.",
    },
  )
}

/**
 * The body of a webhook, after its signature was verified.
 * @throws Invalid, code `malformed`, for what is not JSON in UTF-8.
 */
export function webhookJson(rawBody: Buffer, vendor: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody)) as unknown
  } catch {
    throw new OmnisagaError('Invalid', `${vendor} webhook: the body is not JSON in UTF-8`, {
      code: 'malformed',
      remedy: "Compare what it sends with the vendor's current document.",
    })
  }
}

/**
 * What a 4xx means when the vendor gives no better code (401, 429 and 5xx are judged by the HTTP client already).
 * @param told the vendor's own words, without personal data
 */
export function refusalOf(status: number, what: string, told: { code?: string; message?: string } = {}): OmnisagaError {
  const words = told.message ? `: ${told.message.slice(0, 200)}` : ''
  const code = told.code ?? `http-${status}`
  if (status === 403)
    return new OmnisagaError('Misconfigured', `${what} is not allowed${words}`, {
      code,
      remedy: 'Give the account or its key the right that the call needs.',
    })
  if (status === 408 || status === 425) return new OmnisagaError('Transient', `${what}: HTTP ${status}${words}`, { code })
  return new OmnisagaError('Rejected', `${what} was refused with HTTP ${status}${words}`, { code })
}
