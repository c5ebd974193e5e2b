/** The configuration file: what it may say, and what is wrong with it, told by path, value and remedy. */
import { z } from 'zod'
import { CampaignEntry } from '../domain/campaigns.ts'
import { OpeningHours } from '../domain/appointments.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { ListingEntry } from './listings.ts'
import { BoxEntry, packingOfLocation, packingOfProduct } from './packingConfiguration.ts'
import { StockSideEntry } from './stockSides.ts'
import { Policy } from '../domain/policy.ts'
import type { Sided } from './sides.ts'

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
const zone = z.string().refine((name) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false // Intl throws for a zone it does not know: that is the answer
  }
}, 'is not a time zone such as Asia/Taipei')

export const ConnectionEntry = z.strictObject({
  name: id,
  connector: z.string(),
  config: z.record(z.string(), z.unknown()).default({}),
  paused: z.boolean().optional(),
  /** How it takes part in stock; left out, it stays as it was. */
  stock: StockSideEntry.optional(),
})
export const LocationEntry = z.strictObject({
  id,
  name: z.string().min(1),
  /** Goods at a `consigned` (a marketplace's own warehouse) or a `transit` location are counted, and never held or shipped by us. */
  kind: z.enum(['warehouse', 'store', 'consigned', 'transit']),
  zone: zone.default('Asia/Taipei'),
  /** Whether parcels leave from here. */
  ships: z.boolean().default(true),
  /** Lower ships first. */
  priority: z.number().int().default(0),
  warehouseConnection: id.nullable().default(null),
  courierHome: id.nullable().default(null),
  courierCvs: id.nullable().default(null),
  sender: z
    .strictObject({
      name: z.string(),
      phone: z.string(),
      postalCode: z.string(),
      address: z.string(),
    })
    .partial()
    .default({}),
  openingHours: OpeningHours.nullish().describe(
    'When appointments are taken: null takes the hours away, left out they stay. `week` by ISO weekday, `days` that differ, `slotMinutes`, `staff`.',
  ),
  ...packingOfLocation,
})
export const ProductEntry = z.strictObject({
  sku: z.string().min(1),
  name: z.string().nullable().default(null),
  barcode: z.string().nullable().default(null),
  weightGrams: z.number().int().positive().nullable().default(null),
  temperature: z.enum(['ambient', 'chilled', 'frozen']).default('ambient'),
  stockPolicy: z
    .enum(['shared', 'strict', 'backorder'])
    .default('shared')
    .describe(
      "Whether a channel that has an allotment also sells what is nobody's (shared) or only its allotment (strict); backorder: shared, and sold before it is there.",
    ),
  backorderDays: z
    .number()
    .int()
    .min(1)
    .max(365)
    .nullable()
    .default(null)
    .describe('In so many days what is sold before it is there is promised; null: 14.'),
  holdTtlMs: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('How long an order that is not confirmed holds it, in milliseconds; null: as its kind of order does.'),
  lowStockQuantity: z
    .number()
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe('A task is opened once no more than this can be sold; null: never.'),
  category: z.string().min(1).nullable().default(null).describe('What kind of article it is; rules for returns go by it.'),
  family: z.string().min(1).nullable().default(null).describe('Articles that differ in size or colour alone share it.'),
  variant: z.string().min(1).nullable().default(null).describe('Which of its family it is, e.g. M / black.'),
  substitutes: z.array(z.string().min(1)).max(50).default([]).describe('SKUs to offer when this one is out, best first.'),
  ...packingOfProduct,
})
export const AliasEntry = z.strictObject({ channel: z.string().min(1), externalSku: z.string().min(1), sku: z.string().min(1) })

export const ConfigurationDocument = z.strictObject({
  connections: z.array(ConnectionEntry).default([]),
  locations: z.array(LocationEntry).default([]),
  products: z.array(ProductEntry).default([]),
  aliases: z.array(AliasEntry).default([]),
  listings: z.array(ListingEntry).default([]),
  campaigns: z.array(CampaignEntry).default([]),
  boxes: z.array(BoxEntry).default([]),
  policy: z.strictObject(Policy.shape).partial().optional(),
})
export type ConfigurationDocument = z.infer<typeof ConfigurationDocument>

/** What the store must know of a connector; connectors/registry.ts is a `Record<string, ConnectorDefinition>`. */
export interface ConnectorDefinition extends Sided {
  configSchema: z.ZodType<unknown>
  secretFields: readonly string[]
  stock?: { push?: unknown; read?: unknown } | undefined
}

export interface ConfigurationProblem {
  /** e.g. `connections[1].config.hashKey` or `locations[0].courierHome` */
  path: string
  /** As JSON, shortened; `(hidden)` for a secret. */
  value: string
  message: string
  remedy: string
}

/** Nothing was applied; every problem of the file at once. */
export class InvalidConfiguration extends OmnisagaError {
  readonly problems: ConfigurationProblem[]
  constructor(problems: ConfigurationProblem[]) {
    const lines = problems.map((p) => `${p.path}: ${p.message} (found ${p.value}). ${p.remedy}`)
    super('Invalid', ['the configuration was not applied', ...lines].join('\n  '), {
      code: 'configuration',
      remedy: 'Correct the places named and apply the file again.',
    })
    this.problems = problems
  }
}

const valueAt = (root: unknown, path: PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    root,
  )

const pathText = (prefix: string, path: PropertyKey[]) =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    prefix,
  )

const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** @param secretFields top-level fields whose values are not shown. */
export function problemsOf(
  error: z.ZodError,
  root: unknown,
  prefix = '',
  secretFields: readonly string[] = [],
): ConfigurationProblem[] {
  return error.issues.map((issue) => {
    const value = valueAt(root, issue.path)
    const secret = issue.path.length === 0 ? secretFields.length > 0 : secretFields.includes(String(issue.path[0]))
    const remedy =
      issue.code === 'unrecognized_keys'
        ? `Remove or correct ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}.`
        : value === undefined
          ? 'Add it.'
          : 'Correct it.'
    return {
      path: pathText(prefix, issue.path) || '(file)',
      value: secret && value !== undefined ? '(hidden)' : shown(value),
      message: issue.message,
      remedy,
    }
  })
}

/** A config value that is exactly `${NAME}` is read from the environment, so that a file can be shared without its secrets. */
export function fromEnvironment(
  value: unknown,
  path: string,
  env: Record<string, string | undefined>,
  problems: ConfigurationProblem[],
): unknown {
  if (typeof value === 'string') {
    const name = /^\$\{([A-Z][A-Z0-9_]*)\}$/.exec(value)?.[1]
    if (name === undefined) return value
    const found = env[name]
    if (found === undefined || found === '') {
      problems.push({
        path,
        value: JSON.stringify(value),
        message: `the environment variable ${name} is not set`,
        remedy: `Set ${name} or write the value.`,
      })
    }
    return found
  }
  if (Array.isArray(value)) return value.map((item, index) => fromEnvironment(item, `${path}[${index}]`, env, problems))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fromEnvironment(item, `${path}.${key}`, env, problems)]),
    )
  }
  return value
}
