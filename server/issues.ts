/** What zod found, as the caller needs it: path, value, message, remedy. */
import type { z } from 'zod'

export interface FieldError {
  path: string
  value: unknown
  message: string
  remedy: string
}

const LONGEST_VALUE = 100

export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  )

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    input,
  )

/** A value short enough to be shown: scalars as they are, the rest by its type. */
export const shown = (value: unknown): unknown => {
  if (typeof value === 'string') return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value
  if (value === undefined || value === null) return null
  if (typeof value === 'object') return Array.isArray(value) ? `list of ${value.length}` : 'object'
  return value
}

/** As `expected` of zod names them. */
const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
}
const FORMATS: Record<string, [what: string, example: string]> = {
  datetime: ['a time', 'ISO 8601 with an offset, e.g. 2026-03-01T10:00:00+08:00'],
  date: ['a date', 'YYYY-MM-DD, e.g. 2026-03-01'],
  email: ['an e-mail address', 'e.g. name@example.com'],
}
const typeOf = (expected: string): string => TYPES[expected] ?? `a value of type ${expected}`
const isThere = (value: unknown): boolean => value !== undefined

/** Of texts characters, of lists entries, of numbers themselves. */
const sizeOf = (origin: string, count: number | bigint): string =>
  origin === 'string'
    ? `${count} ${count === 1 ? 'character' : 'characters'}`
    : origin === 'array'
      ? `${count} ${count === 1 ? 'entry' : 'entries'}`
      : String(count)

interface Words {
  message: string
  remedy: string
}

function wordsOf(issue: z.core.$ZodIssue, value: unknown): Words {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = typeOf(issue.expected)
      return { message: isThere(value) ? `is not ${wanted}` : 'is missing', remedy: `Send ${wanted}.` }
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String).join(', ')
      return {
        message: isThere(value) ? (issue.values.length === 1 ? `is not ${allowed}` : `is not one of ${allowed}`) : 'is missing',
        remedy: issue.values.length === 1 ? `Send ${allowed}.` : `Send one of: ${allowed}.`,
      }
    }
    case 'too_small': {
      const least = sizeOf(issue.origin, issue.minimum)
      if (issue.inclusive === false) return { message: `is not more than ${least}`, remedy: `Send more than ${least}.` }
      const isEmpty = value === '' || (Array.isArray(value) && value.length === 0)
      return { message: isEmpty ? 'is empty' : `is less than ${least}`, remedy: `Send at least ${least}.` }
    }
    case 'too_big': {
      const most = sizeOf(issue.origin, issue.maximum)
      if (issue.inclusive === false) return { message: `is not less than ${most}`, remedy: `Send less than ${most}.` }
      return { message: `is more than ${most}`, remedy: `Send at most ${most}.` }
    }
    case 'unrecognized_keys':
      return { message: `holds what is not known here: ${issue.keys.join(', ')}`, remedy: `Leave out ${issue.keys.join(', ')}.` }
    case 'invalid_format': {
      const [what, how] = FORMATS[issue.format] ?? ['written as it must be', 'the form that /openapi.json says']
      return { message: `is not ${what}`, remedy: `Send ${how}.` }
    }
    case 'not_multiple_of':
      return { message: `is no multiple of ${issue.divisor}`, remedy: `Send a multiple of ${issue.divisor}.` }
    case 'custom':
      return {
        message: issue.message,
        remedy: typeof issue.params?.['remedy'] === 'string' ? issue.params['remedy'] : 'Correct it.',
      }
    case 'invalid_union':
      return {
        message: isThere(value) ? 'has none of the shapes that are allowed' : 'is missing',
        remedy: 'Send one of the shapes in /openapi.json.',
      }
    case 'invalid_key':
    case 'invalid_element':
      return { message: 'holds a wrong key or entry', remedy: 'Send the shape in /openapi.json.' }
  }
}

/** Of several shapes the one that fits best says what is wrong; where none fits better than the others, that none does. */
function closest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const deep = issue.errors.filter((each) => each.some(({ path }) => path.length > 0))
  const [best, ...others] = deep.sort((a, b) => a.length - b.length)
  if (best === undefined || others.some((each) => each.length === best.length)) return [issue]
  return best.flatMap((each) => closest({ ...each, path: [...issue.path, ...each.path] }))
}

export const issuesOf = (error: z.ZodError, input: unknown): FieldError[] =>
  error.issues.flatMap(closest).map((issue) => {
    const value = valueAt(input, issue.path)
    return { path: pathText(issue.path), value: shown(value), ...wordsOf(issue, value) }
  })

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
const UNSTORABLE = /\u0000|\p{Surrogate}/u

/** @returns the path of the first text that could not be stored, or null. */
export function unstorableText(value: unknown, path: PropertyKey[] = []): PropertyKey[] | null {
  if (typeof value === 'string') return UNSTORABLE.test(value) ? path : null
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    if (UNSTORABLE.test(key)) return path
    const found = unstorableText(inner, [...path, Array.isArray(value) ? Number(key) : key])
    if (found) return found
  }
  return null
}
