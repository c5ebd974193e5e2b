/** Logs hold ids, routes, counts and kinds of error; never bodies, headers, queries or people. */
import pino, { type Logger } from 'pino'

/** Writes to standard error, so that what a command prints stays clean. Level: `OMNISAGA_LOG` (default `info`). */
export const createLogger = (level: string = process.env['OMNISAGA_LOG'] ?? 'info'): Logger =>
  pino({ level, base: { app: 'omnisaga' }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }))

/** Names and places only: a message may quote what a customer wrote. */
export const errorFields = (error: unknown): Record<string, unknown> => {
  const { name, code, kind, stack } = (error ?? {}) as { name?: string; code?: string; kind?: string; stack?: string }
  return {
    error: name,
    code,
    kind,
    at: stack
      ?.split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 6)
      .map((line) => line.trim()),
  }
}
