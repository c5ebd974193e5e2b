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

const remedyOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return `Send a value of type ${issue.expected}.`
    case 'invalid_value':
      return `Send one of: ${issue.values.map(String).join(', ')}.`
    case 'too_small':
      return `Send at least ${String(issue.minimum)}${issue.origin === 'string' ? ' characters' : ''}.`
    case 'too_big':
      return `Send at most ${String(issue.maximum)}${issue.origin === 'string' ? ' characters' : ''}.`
    case 'unrecognized_keys':
      return `Leave out ${issue.keys.join(', ')}.`
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'Send ISO 8601 with an offset, e.g. 2026-03-01T10:00:00+08:00.'
        : `Send a valid ${issue.format}.`
    case 'custom':
      return typeof issue.params?.['remedy'] === 'string' ? issue.params['remedy'] : 'Correct this field.'
    case 'not_multiple_of':
      return `Send a multiple of ${String(issue.divisor)}.`
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return 'Send one of the shapes in /openapi.json.'
  }
}

export const issuesOf = (error: z.ZodError, input: unknown): FieldError[] =>
  error.issues.map((issue) => ({
    path: pathText(issue.path),
    value: shown(valueAt(input, issue.path)),
    message: issue.message,
    remedy: remedyOf(issue),
  }))

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
