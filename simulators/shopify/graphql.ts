/** So much of GraphQL as a stand-in needs: reads a document of one operation, and gives of an object what was selected. */
export interface Field {
  name: string
  args: Record<string, unknown>
  directives: Record<string, Record<string, unknown>>
  /** Null: a leaf. */
  fields: Field[] | null
  /** Of an inline fragment. */
  on: string | null
}
export interface Operation {
  kind: 'query' | 'mutation'
  name: string
  /** Declared variables: name -> type. */
  variables: Record<string, string>
  fields: Field[]
}
export class GraphqlError extends Error {
  readonly code: string
  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}
const TOKEN = /\s+|,|#[^\n]*|(\.\.\.|[{}()[\]:!=@$]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_]\w*)/gy

export function parseOperation(source: string, given: Record<string, unknown>): Operation {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(source)
    if (!match) throw new GraphqlError(`syntax error at ${at}: ${source.slice(at, at + 20)}`, 'parseError')
    if (match[1] !== undefined) tokens.push(match[1])
  }
  let next = 0
  const peek = () => tokens[next]
  const take = (wanted?: string): string => {
    const token = tokens[next++]
    if (token === undefined || (wanted !== undefined && token !== wanted))
      throw new GraphqlError(`syntax error: ${wanted ?? 'more'} expected, ${token ?? 'the end'} found`, 'parseError')
    return token
  }
  const variables: Record<string, string> = {}

  function value(): unknown {
    const token = take()
    if (token === '$') {
      const name = take()
      if (!(name in variables)) throw new GraphqlError(`Variable $${name} is not declared`, 'variableNotDefined')
      return given[name] ?? null
    }
    if (token === '[') {
      const list: unknown[] = []
      while (peek() !== ']') list.push(value())
      take(']')
      return list
    }
    return token.startsWith('"') ? (JSON.parse(token) as string) : /^-?\d/.test(token) ? Number(token) : token
  }
  function args(): Record<string, unknown> {
    const read: Record<string, unknown> = {}
    if (peek() !== '(') return read
    take('(')
    while (peek() !== ')') {
      const name = take()
      take(':')
      read[name] = value()
    }
    take(')')
    return read
  }
  function selection(): Field[] {
    take('{')
    const fields: Field[] = []
    while (peek() !== '}') {
      if (peek() === '...') {
        take()
        take('on')
        fields.push({ name: '...', args: {}, directives: {}, on: take(), fields: selection() })
        continue
      }
      const field: Field = { name: take(), args: args(), directives: {}, fields: null, on: null }
      while (peek() === '@') {
        take()
        field.directives[take()] = args()
      }
      if (peek() === '{') field.fields = selection()
      fields.push(field)
    }
    take('}')
    return fields
  }
  const kind = take()
  if (kind !== 'query' && kind !== 'mutation') throw new GraphqlError(`syntax error at ${kind}`, 'parseError')
  const name = take()
  if (peek() === '(') {
    take('(')
    while (peek() !== ')') {
      take('$')
      const variable = take()
      take(':')
      let type = ''
      while (peek() !== '$' && peek() !== ')') type += take()
      variables[variable] = type
      if (type.endsWith('!') && (given[variable] ?? null) === null)
        throw new GraphqlError(`Variable $${variable} of type ${type} was provided invalid value`, 'INVALID_VARIABLE')
    }
    take(')')
  }
  const fields = selection()
  if (next !== tokens.length) throw new GraphqlError('syntax error: one operation expected', 'parseError')
  return { kind, name, variables, fields }
}

/** What a field with arguments holds. */
export type Resolver = (args: Record<string, unknown>) => unknown

/** @throws GraphqlError, code undefinedField, for what the object does not know; a leaf with parts, or an object without. */
export function project(value: unknown, fields: Field[] | null, path: string): unknown {
  if (Array.isArray(value)) return value.map((each) => project(each, fields, path))
  if (value === null || typeof value !== 'object') {
    if (fields && value !== null) throw new GraphqlError(`Selections can't be made on scalars (${path})`, 'selectionMismatch')
    return value
  }
  if (!fields) throw new GraphqlError(`Field must have selections (${path})`, 'selectionMismatch')
  const type = (value as { __typename?: string }).__typename
  const result: Record<string, unknown> = {}
  for (const field of fields) {
    if (field.on !== null) {
      if (field.on === type) Object.assign(result, project(value, field.fields, path))
      continue
    }
    if (!(field.name in value)) throw new GraphqlError(`Field '${field.name}' doesn't exist on ${path}`, 'undefinedField')
    const known = (value as Record<string, unknown>)[field.name]
    const found = typeof known === 'function' ? (known as Resolver)(field.args) : known
    if (typeof known !== 'function' && Object.keys(field.args).length > 0)
      throw new GraphqlError(`Field '${field.name}' doesn't accept arguments (${path})`, 'argumentNotAccepted')
    result[field.name] = project(found, field.fields, `${path}.${field.name}`)
  }
  return result
}

/** A connection over a list, by position; at most 250 at once, as everywhere in this API. */
export const connection =
  <T>(items: T[], idOf: (item: T) => string): Resolver =>
  ({ first, after }) => {
    if (typeof first !== 'number' || first < 1 || first > 250)
      throw new GraphqlError('first must be between 1 and 250', 'BAD_REQUEST')
    const start = after ? items.findIndex((item) => `cursor:${idOf(item)}` === after) + 1 : 0
    const nodes = items.slice(start, start + first)
    const last = nodes.at(-1)
    return {
      nodes,
      pageInfo: {
        hasNextPage: start + nodes.length < items.length,
        endCursor: last === undefined ? null : `cursor:${idOf(last)}`,
      },
    }
  }
