/** PostgreSQL's errors, mapped once. https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { OmnisagaError } from '../../domain/errors.ts'

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' ? code : ''
}

/** The five-character SQLSTATE, or '' when the error is not the database's. */
export const sqlState = (error: unknown): string => (/^[0-9A-Z]{5}$/.test(codeOf(error)) ? codeOf(error) : '')

const SOCKET = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'])

/** The server or the way to it is gone, whatever the request was. `pg` gives a lost or late connection no code, only words. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error)
  if (state.startsWith('08') || state.startsWith('57P') || state.startsWith('53')) return true
  if (SOCKET.has(codeOf(error))) return true
  return state === '' && error instanceof Error && /connection|timeout exceeded/i.test(error.message)
}

const TRANSIENT = new Set(['40001', '40P01', '55P03', '57014'])
/** A check, a foreign key, a duplicate, a value out of range, text the database cannot hold. */
const INVALID = new Set(['23514', '23503', '23505', '22003', '22021', '22P02', '22P05', '22007', '22008'])

/** @param what names the thing that was tried; ids only, no personal data. */
export function databaseError(error: unknown, what: string): Error {
  if (error instanceof OmnisagaError) return error
  const state = sqlState(error)
  const detail = error as { message?: string; constraint?: string }
  const kind = isConnectionLoss(error) || TRANSIENT.has(state) ? 'Transient' : INVALID.has(state) ? 'Invalid' : null
  if (kind === null) return error instanceof Error ? error : new Error(String(error))
  const constraint = detail.constraint ? ` (${detail.constraint})` : ''
  return new OmnisagaError(kind, `${what}: ${detail.message ?? 'refused'}${constraint}`, {
    code: state || 'connection',
    remedy: kind === 'Transient' ? 'try again with the same key' : 'correct the request; nothing was changed',
  })
}
