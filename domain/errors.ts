/** Errors, sorted by what recovers them (not by where they came from). */
export type ErrorKind = 'Transient' | 'RateLimited' | 'AuthExpired' | 'Rejected' | 'Invalid' | 'OutcomeUnknown' | 'Misconfigured'

export interface ErrorDetail {
  /** Vendor's or our own machine-readable code. */
  code?: string
  /** How long the vendor asks to wait. */
  retryAfterMs?: number
  /** What a person can do about it, in plain words. */
  remedy?: string
}

/** The one error that crosses module borders. Its message never holds secrets or personal data. */
export class OmnisagaError extends Error {
  readonly kind: ErrorKind
  readonly code: string | undefined
  readonly retryAfterMs: number | undefined
  readonly remedy: string | undefined

  constructor(kind: ErrorKind, message: string, detail: ErrorDetail = {}) {
    super(message)
    this.name = kind
    this.kind = kind
    this.code = detail.code
    this.retryAfterMs = detail.retryAfterMs
    this.remedy = detail.remedy
  }
}

const RETRIABLE: ReadonlySet<ErrorKind> = new Set(['Transient', 'RateLimited', 'AuthExpired', 'OutcomeUnknown'])

/** True when trying the same thing again (after a look-up for OutcomeUnknown) can help. */
export const isRetriable = (kind: ErrorKind): boolean => RETRIABLE.has(kind)
