/** A connector described for people and forms: what it can do, and what its configuration wants. */
import { z } from 'zod'
import { capabilitiesOf, type Capability } from './capabilities.ts'
import type { Connector, ConnectorKind } from './types.ts'

export interface ConnectorDescription {
  name: string
  title: string
  kind: ConnectorKind
  capabilities: Capability[]
  /** JSON Schema (2020-12) of the `config` of a connection, as it is written in a file. */
  configSchema: Record<string, unknown>
  /** Keys of the configuration that are stored encrypted and never shown. */
  secretFields: string[]
}

export interface ConfigField {
  name: string
  type: string
  required: boolean
  /** As JSON; null when there is none. */
  default: string | null
  secret: boolean
  description: string
}

/** What JSON Schema cannot say (a transform, a custom check) is left open: the zod schema judges when it is applied. */
export const configJsonSchema = (connector: Pick<Connector, 'configSchema'>): Record<string, unknown> =>
  z.toJSONSchema(connector.configSchema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>

export const describeConnector = (connector: Connector): ConnectorDescription => ({
  name: connector.name,
  title: connector.title,
  kind: connector.kind,
  capabilities: capabilitiesOf(connector),
  configSchema: configJsonSchema(connector),
  secretFields: [...connector.secretFields],
})

type Json = Record<string, unknown>

function typeOf(schema: Json): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  if (Array.isArray(schema.anyOf)) return [...new Set(schema.anyOf.map((each) => typeOf(each as Json)))].join(' or ')
  if (schema.type === 'array') return `list of ${typeOf((schema.items ?? {}) as Json)}`
  if (schema.type === 'integer') return 'whole number'
  if (schema.type === 'string' && schema.format === 'uri') return 'URL'
  return typeof schema.type === 'string' ? schema.type : 'anything'
}

/** The top level of the configuration, for a table. */
export function configFields(connector: Connector): ConfigField[] {
  const schema = configJsonSchema(connector)
  const required = new Set(schema.required as string[] | undefined)
  return Object.entries((schema.properties ?? {}) as Record<string, Json>).map(([name, field]) => ({
    name,
    type: typeOf(field),
    required: required.has(name),
    default: field.default === undefined ? null : JSON.stringify(field.default),
    secret: connector.secretFields.includes(name),
    description: typeof field.description === 'string' ? field.description : '',
  }))
}
