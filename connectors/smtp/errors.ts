/** What a failure of SMTP means, mapped once. Servers repeat addresses in their words, so only codes are kept (RFC 5321 §4.2, RFC 3463). */
import { OmnisagaError } from '../../domain/errors.ts'

/** As nodemailer tells it. */
interface SmtpFailure {
  code?: string
  responseCode?: number
  response?: string
  message?: string
}

const words = ({ code, responseCode, response }: SmtpFailure): string => {
  const enhanced = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(response ?? '')?.[0]
  return [responseCode, enhanced].filter(Boolean).join(' ') || (code ?? 'no answer')
}

/** @param wasSent the whole message had left: without an answer nobody knows what became of it. */
export function smtpError(error: unknown, wasSent: boolean): OmnisagaError {
  if (error instanceof OmnisagaError) return error
  const failure = error as SmtpFailure
  const { code = 'unknown', responseCode = 0 } = failure
  const what = `mail server: ${words(failure)}`
  if (code === 'EAUTH' || code === 'ENOAUTH' || responseCode === 530 || responseCode === 535)
    return new OmnisagaError('Misconfigured', what, { code, remedy: 'Correct user and password of the connection.' })
  // What TLS says comes as a broken socket.
  if (code === 'ETLS' || code === 'EREQUIRETLS' || (!wasSent && /certificate|altnames|\bSSL\b/i.test(failure.message ?? '')))
    return new OmnisagaError('Misconfigured', `${what}: no trusted TLS`, {
      code,
      remedy: 'Check host, port and security of the connection, and the certificate of the server.',
    })
  if (responseCode >= 500)
    return new OmnisagaError('Rejected', what, { code: String(responseCode), remedy: 'Check the address of the customer.' })
  if (responseCode >= 400) return new OmnisagaError('Transient', what, { code: String(responseCode) })
  if (code === 'EENVELOPE') return new OmnisagaError('Rejected', what, { code, remedy: 'Check the address of the customer.' })
  if (wasSent) return new OmnisagaError('OutcomeUnknown', `${what} after the message was sent`, { code })
  return new OmnisagaError('Transient', what, {
    code,
    remedy: 'It is tried again by itself; check host and port if it never works.',
  })
}
