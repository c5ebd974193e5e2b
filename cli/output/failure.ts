/** What went wrong, in one line, and what to do. */
import { OmnisagaError } from '../../domain/errors.ts'
import { red, safe } from './text.ts'

const withRemedy = (message: string, remedy: string | undefined): string =>
  `${red('error:')} ${message}${remedy === undefined ? '' : `\n  ${remedy}`}`

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

const unreachable = (error: unknown): boolean =>
  /^(ECONNREFUSED|ENOTFOUND|ETIMEDOUT|57P03)$/.test(codeOf(error)) ||
  (error instanceof AggregateError && error.errors.some(unreachable))

export function explain(error: unknown): string {
  if (error instanceof OmnisagaError) return withRemedy(error.message, error.remedy)
  if (unreachable(error)) {
    return withRemedy(
      'the database cannot be reached',
      'Start the system with `omnisaga up` (or npm start), or correct DATABASE_URL.',
    )
  }
  if (codeOf(error) === '42P01') return withRemedy('the database has no tables of this version', 'Run `omnisaga migrate`.')
  if (/^(ENOENT|EACCES|EISDIR)$/.test(codeOf(error))) {
    return withRemedy(
      `cannot read or write ${safe((error as NodeJS.ErrnoException).path)} (${codeOf(error)})`,
      'Correct the path.',
    )
  }
  if (error instanceof Error) {
    const { errors } = error as { errors?: { path: string; message: string; remedy: string }[] }
    const details = (Array.isArray(errors) ? errors : [])
      .filter((each) => typeof each?.remedy === 'string')
      .map((each) => `\n  ${each.remedy}`)
    return `${red('error:')} ${error.message}${details.join('')}`
  }
  return `${red('error:')} ${safe(error)}`
}
