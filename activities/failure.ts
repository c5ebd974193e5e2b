/** Our errors in the engine's words: what may be retried, after how long, and nothing secret in the message. */
import { ApplicationFailure } from '@temporalio/common'
import { isRetriable, OmnisagaError } from '../domain/errors.ts'

export function toFailure(error: unknown): unknown {
  if (!(error instanceof OmnisagaError)) return error
  return ApplicationFailure.create({
    type: error.kind,
    message: error.message,
    nonRetryable: !isRetriable(error.kind),
    ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
  })
}
