/** A layout taught by a small YAML document: which column is what, and what the words in them mean. */
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { normaliseHeader } from '../normalise/index.ts'
import { fingerprintOf } from './fingerprint.ts'
import { layoutProfile } from './mapping.ts'
import type { Field, Profile } from './types.ts'

const headers = z.union([z.string().min(1).max(200), z.array(z.string().min(1).max(200)).min(1).max(20)])
const words = z.union([z.string(), z.array(z.string()).max(100)]).transform((given) => (Array.isArray(given) ? given : [given]))

/** What a column can be, with what it means; the order is the one in which `profile new` proposes. */
export const FIELD_MEANINGS = {
  orderNumber: "the channel's order number; rows with the same one are one order",
  placedAt: 'when it was ordered',
  status: 'state of the order',
  paymentState: 'whether it is paid',
  cancelledAt: 'when it was cancelled; anything here cancels',
  recipientName: "the recipient's name",
  phone: "the recipient's phone",
  phone2: 'another phone, used when the first is empty or unreadable',
  postalCode: 'postal code',
  city: 'city or county',
  district: 'district',
  address: 'address, whole or what follows the district',
  address2: 'more of the address',
  country: 'country',
  delivery: 'how it is delivered',
  chain: "the convenience store's chain",
  storeId: 'number of the pickup store',
  askedTime: 'time the customer asked for',
  paymentMethod: 'how it is paid; 貨到付款, 取貨付款 or COD means on delivery',
  amountDue: 'what is to be collected on delivery',
  currency: 'ISO 4217 currency of the amounts',
  sku: 'the SKU, or the number that an alias makes one',
  sku2: 'used when the first is empty',
  itemId: "the channel's number of the article",
  modelId: "the channel's number of the variant",
  productName: 'name of the article',
  variant: 'its variant',
  quantity: 'pieces to be sent',
  unitPrice: 'price of a piece',
  lineTotal: 'sum of the line; checked against price and quantity',
  gift: 'whether the line is a gift',
  itemsTotal: 'sum of the goods',
  shippingFee: 'shipping fee',
  discount1: 'discount',
  discount2: 'further discount',
  orderTotal: "the order's total",
  buyerName: "the buyer's name",
  email: "the buyer's e-mail",
  notes: 'notes of the customer',
  notes2: 'notes of the shop',
  serial: "running number of the file's rows; not compared",
} as const satisfies Partial<Record<Field, string>>
export type TaughtField = keyof typeof FIELD_MEANINGS
export const TAUGHT_FIELDS = Object.keys(FIELD_MEANINGS) as TaughtField[]
export const NEEDED: readonly (readonly TaughtField[])[] = [
  ['orderNumber'],
  ['sku', 'sku2', 'itemId'],
  ['quantity'],
  ['recipientName'],
  ['phone', 'phone2'],
]

const columns = z.strictObject(
  Object.fromEntries(TAUGHT_FIELDS.map((field) => [field, headers.optional()])) as Record<
    TaughtField,
    z.ZodOptional<typeof headers>
  >,
)

export const LayoutDocument = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{1,39}$/, 'must be 2 to 40 small letters, digits or dashes'),
  title: z.string().min(1).max(100).optional(),
  channel: z.string().min(1).max(40).optional(),
  sheet: z.string().min(1).max(100).optional(),
  columns,
  ignored: z.array(z.string()).max(512).optional(),
  defaults: z
    .strictObject({
      delivery: z.enum(['home', 'cvs', 'storePickup', 'handOver']),
      payment: z.enum(['prepaid', 'cod']),
      currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as TWD'),
    })
    .partial()
    .optional(),
  words: z
    .strictObject({
      status: z
        .strictObject({ open: words, cancelled: words, onHold: words, unpaid: words, paid: words, shipped: words })
        .partial(),
      delivery: z
        .strictObject({
          UNIMART: words,
          FAMI: words,
          HILIFE: words,
          OKMART: words,
          TCAT: words,
          POST: words,
          home: words,
          storePickup: words,
          handOver: words,
          channel: words,
        })
        .partial(),
    })
    .partial()
    .optional(),
  writeBack: z
    .strictObject({
      waybill: headers,
      carrier: headers,
      status: z.strictObject({ column: headers, value: z.string().min(1).max(40) }).optional(),
    })
    .optional(),
})
export type LayoutDocument = z.infer<typeof LayoutDocument>

export interface LayoutProblem {
  /** Line of the YAML, 1-based; null when the place is not written there. */
  line: number | null
  path: string
  value: string
  message: string
  remedy: string
}

/** Every problem of the document at once. */
export class InvalidLayout extends OmnisagaError {
  readonly problems: LayoutProblem[]
  constructor(problems: LayoutProblem[]) {
    const told = problems.map(
      ({ line, path, value, message, remedy }) =>
        `${line === null ? '' : `line ${line}, `}${path}: ${message} (found ${value}). ${remedy}`,
    )
    super('Invalid', ['the profile cannot be used', ...told].join('\n  '), {
      code: 'profile',
      remedy: 'Correct the places named and apply the profile again.',
    })
    this.problems = problems
  }
}

const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
const list = (given: string | string[] | undefined): string[] =>
  given === undefined ? [] : Array.isArray(given) ? given : [given]

/** @param reserved names of the profiles that are built in. @throws InvalidLayout with line, path, value and remedy of each problem. */
export function parseLayout(yaml: string, reserved: ReadonlySet<string> = new Set()): LayoutDocument {
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines, uniqueKeys: true })
  const [broken] = document.errors
  if (broken) {
    const { line } = lines.linePos(broken.pos[0])
    throw new InvalidLayout([
      {
        line,
        path: '(file)',
        value: 'no YAML',
        message: broken.message.split('\n')[0] ?? 'cannot be read',
        remedy: 'Correct the line; values with : or # need quotation marks.',
      },
    ])
  }
  // Anchors that multiply themselves are refused by the parser (maxAliasCount).
  const root: unknown = document.toJS({ maxAliasCount: 20 })
  const lineOf = (path: PropertyKey[]): number | null => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined
      if (node?.range) return lines.linePos(node.range[0]).line
    }
    return null
  }
  const parsed = LayoutDocument.safeParse(root)
  const at = (path: PropertyKey[]) =>
    path.reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined),
      root,
    )
  if (!parsed.success) {
    throw new InvalidLayout(
      parsed.error.issues.map((issue) => ({
        line: lineOf(issue.path),
        path: issue.path.map(String).join('.') || '(file)',
        value: shown(at(issue.path)),
        message: issue.message,
        remedy:
          issue.code === 'unrecognized_keys'
            ? `Remove or correct ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}${issue.path[0] === 'columns' ? `; columns can be: ${TAUGHT_FIELDS.join(', ')}` : ''}.`
            : at(issue.path) === undefined
              ? 'Add it.'
              : 'Correct it.',
      })),
    )
  }
  const problems = contradictions(parsed.data, reserved, lineOf)
  if (problems.length > 0) throw new InvalidLayout(problems)
  return parsed.data
}

function contradictions(
  layout: LayoutDocument,
  reserved: ReadonlySet<string>,
  lineOf: (path: PropertyKey[]) => number | null,
): LayoutProblem[] {
  const problems: LayoutProblem[] = []
  if (reserved.has(layout.name))
    problems.push({
      line: lineOf(['name']),
      path: 'name',
      value: shown(layout.name),
      message: 'is the name of a profile that is built in',
      remedy: 'Choose another name.',
    })
  for (const group of NEEDED) {
    if (group.some((field) => layout.columns[field] !== undefined)) continue
    problems.push({
      line: lineOf(['columns']),
      path: `columns.${group[0]}`,
      value: 'nothing',
      message: `is needed: ${group[0] ? FIELD_MEANINGS[group[0]] : ''}`,
      remedy: `Name the column${group.length > 1 ? ` (${group.join(' or ')})` : ''}.`,
    })
  }
  const used = new Map<string, string>()
  for (const field of TAUGHT_FIELDS) {
    for (const header of list(layout.columns[field])) {
      const key = normaliseHeader(header)
      const before = used.get(key)
      if (before !== undefined)
        problems.push({
          line: lineOf(['columns', field]),
          path: `columns.${field}`,
          value: shown(header),
          message: `is the column of ${before} already`,
          remedy: 'A column can be one thing only: take one of the two out.',
        })
      else used.set(key, field)
    }
  }
  return problems
}

/** The profile that a layout describes. */
export function profileOfLayout(layout: LayoutDocument): Profile {
  const named = Object.fromEntries(
    TAUGHT_FIELDS.filter((field) => layout.columns[field] !== undefined).map((field) => [field, list(layout.columns[field])]),
  ) as Partial<Record<Field, string[]>>
  // Without a SKU of its own, the channel's article number is what an alias turns into one.
  const skuless = named.sku === undefined && named.sku2 === undefined && named.itemId !== undefined
  const { itemId, ...others } = named
  const { writeBack, defaults } = layout
  return layoutProfile({
    name: layout.name,
    title: layout.title ?? layout.name,
    channel: layout.channel ?? layout.name,
    ...(layout.sheet !== undefined && { preferredSheet: layout.sheet }),
    columns: skuless && itemId !== undefined ? { ...others, sku: itemId } : named,
    otherHeaders: [
      ...(layout.ignored ?? []),
      ...list(writeBack?.waybill),
      ...list(writeBack?.carrier),
      ...list(writeBack?.status?.column),
    ],
    required: skuless ? NEEDED.map((group) => (group.includes('sku') ? ['sku'] : group)) : NEEDED,
    ...(layout.words && { words: layout.words as NonNullable<Parameters<typeof layoutProfile>[0]['words']> }),
    ...(defaults?.delivery && { delivery: defaults.delivery }),
    ...(defaults?.payment && { payment: defaults.payment }),
    ...(defaults?.currency && { currency: defaults.currency }),
    ...(writeBack && {
      writeBack: {
        waybill: list(writeBack.waybill),
        carrier: list(writeBack.carrier),
        ...(writeBack.status && { status: { headers: list(writeBack.status.column), value: writeBack.status.value } }),
      },
    }),
  })
}

/** Of the headers that the document names: a file with just these is known at once. */
export const fingerprintOfLayout = (layout: LayoutDocument): string =>
  fingerprintOf([
    ...TAUGHT_FIELDS.flatMap((field) => list(layout.columns[field])),
    ...(layout.ignored ?? []),
    ...list(layout.writeBack?.waybill),
    ...list(layout.writeBack?.carrier),
    ...list(layout.writeBack?.status?.column),
  ])
