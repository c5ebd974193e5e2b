/**
 * A small part of Tryton's model layer: records by model, relations, domains, fields by dotted path, One2Many commands. Of trytond
 * 8.2.1: an unknown model or field is a KeyError (HTTP 500), a Many2One without a path is its id, with one an object.
 */
export type Values = Record<string, unknown>
export interface Row extends Values {
  id: number
}
type Relation = { model: string; many: boolean; inverse?: string }

/** Fields of each model; the relations among them. */
const FIELDS: Record<string, string[]> = {
  'company.company': ['party', 'currency'],
  'party.party': ['name', 'code', 'addresses', 'contact_mechanisms', 'customer_location'],
  'party.address': ['party', 'party_name', 'street_unstructured', 'postal_code', 'city', 'country'],
  'party.contact_mechanism': ['party', 'type', 'value'],
  'country.country': ['code'],
  'currency.currency': ['code'],
  'stock.location': ['code', 'name', 'type', 'input_location', 'output_location', 'storage_location', 'picking_location'],
  'product.product': [
    'code',
    'name',
    'type',
    'salable',
    'sale_uom',
    'default_uom',
    'identifiers',
    'weight',
    'weight_uom',
    'quantity',
  ],
  'product.identifier': ['type', 'code'],
  'product.uom': ['symbol'],
  'sale.sale': [
    'reference',
    'number',
    'description',
    'state',
    'company',
    'currency',
    'party',
    'invoice_address',
    'shipment_address',
    'warehouse',
    'sale_date',
    'lines',
    'shipments',
  ],
  'sale.line': ['sale', 'product', 'unit', 'quantity', 'unit_price', 'moves', 'moves_ignored'],
  'stock.shipment.out': [
    'sale',
    'number',
    'reference',
    'shipping_reference',
    'state',
    'warehouse',
    'warehouse_storage',
    'warehouse_output',
    'outgoing_moves',
    'moves',
  ],
  'stock.move': [
    'shipment',
    'origin',
    'product',
    'unit',
    'quantity',
    'state',
    'from_location',
    'to_location',
    'company',
    'unit_price',
    'currency',
  ],
  'stock.shipment.out.return': [
    'number',
    'reference',
    'state',
    'company',
    'customer',
    'contact_address',
    'warehouse',
    'warehouse_storage',
    'warehouse_input',
    'moves',
  ],
}
const one = (model: string): Relation => ({ model, many: false })
const many = (model: string, inverse?: string): Relation => ({ model, many: true, inverse })
const RELATIONS: Record<string, Record<string, Relation>> = {
  'company.company': { party: one('party.party') },
  'party.party': { addresses: many('party.address', 'party'), contact_mechanisms: many('party.contact_mechanism', 'party') },
  'product.product': { identifiers: many('product.identifier'), weight_uom: one('product.uom') },
  'sale.sale': { lines: many('sale.line', 'sale'), shipments: many('stock.shipment.out', 'sale') },
  'sale.line': { product: one('product.product'), moves: many('stock.move', 'origin'), moves_ignored: many('stock.move') },
  'stock.shipment.out': { outgoing_moves: many('stock.move', 'shipment'), moves: many('stock.move', 'shipment') },
  'stock.move': { product: one('product.product') },
  'stock.shipment.out.return': { moves: many('stock.move', 'shipment') },
}

/** What trytond answers with status 500: the key that it did not find. */
export class KeyError extends Error {}

export function createRecords() {
  const tables = new Map<string, Row[]>(Object.keys(FIELDS).map((model) => [model, []]))
  let lastId = 100

  function table(model: string): Row[] {
    const rows = tables.get(model)
    if (!rows) throw new KeyError(model)
    return rows
  }
  const get = (model: string, id: unknown): Row | undefined => table(model).find((row) => row.id === id)
  function related(model: string, row: Row, field: string): Row[] {
    const relation = RELATIONS[model]?.[field]
    if (!relation) throw new KeyError(field)
    const { inverse } = relation
    if (inverse) return table(relation.model).filter((each) => each[inverse] === row.id)
    const ids = relation.many ? ((row[field] as number[] | undefined) ?? []) : [row[field]]
    return ids.flatMap((id) => get(relation.model, id) ?? [])
  }
  function knows(model: string, field: string): void {
    if (field !== 'id' && !FIELDS[model]?.includes(field)) throw new KeyError(field)
  }

  function valuesAt(model: string, row: Row, path: string[]): unknown[] {
    const [field = '', ...rest] = path
    knows(model, field)
    if (rest.length === 0) return [row[field] ?? null]
    const target = RELATIONS[model]?.[field]?.model ?? ''
    return related(model, row, field).flatMap((each) => valuesAt(target, each, rest))
  }
  function matches(model: string, row: Row, domain: unknown[]): boolean {
    if (typeof domain[0] === 'string') {
      const [path, operator, operand] = domain as [string, string, unknown]
      const values = valuesAt(model, row, path.split('.'))
      if (operator === '=') return values.some((value) => value === operand)
      if (operator === 'in') return values.some((value) => (operand as unknown[]).includes(value))
      if (operator === '>') return values.some((value) => Number(value) > Number(operand))
      throw new KeyError(operator)
    }
    return (domain as unknown[][]).every((clause) => matches(model, row, clause))
  }

  function read(model: string, row: Row, fields: string[], computed: (row: Row, field: string) => unknown): Values {
    const shown: Values = { id: row.id, __name__: model }
    for (const path of fields) {
      const [field = '', ...rest] = path.split('.')
      knows(model, field)
      const relation = RELATIONS[model]?.[field]
      if (rest.length === 0) {
        const own =
          computed(row, field) ?? (relation?.many ? related(model, row, field).map(({ id }) => id) : (row[field] ?? null))
        shown[field] ??= own
        continue
      }
      if (!relation) throw new KeyError(field)
      const nested = fields.flatMap((each) => (each.startsWith(`${field}.`) ? [each.slice(field.length + 1)] : []))
      const rows = related(model, row, field).map((each) => read(relation.model, each, nested, computed))
      shown[field] = relation.many ? rows : (rows[0] ?? null)
    }
    return shown
  }

  /** One2Many and Many2Many commands: create, write, delete, add. */
  function apply(model: string, row: Row, values: Values): void {
    for (const [field, value] of Object.entries(values)) {
      knows(model, field)
      const relation = RELATIONS[model]?.[field]
      if (!relation?.many) {
        row[field] = value
        continue
      }
      for (const [command, first, second] of value as [string, unknown[], Values][]) {
        if (command === 'create')
          for (const each of first as Values[]) create(relation.model, { ...each, [relation.inverse ?? '']: row.id })
        if (command === 'write') for (const id of first) apply(relation.model, get(relation.model, id) ?? { id: 0 }, second)
        if (command === 'delete') {
          const left = table(relation.model).filter(({ id }) => !first.includes(id))
          tables.set(relation.model, left)
        }
        if (command === 'add') row[field] = [...((row[field] as number[] | undefined) ?? []), ...(first as number[])]
      }
    }
  }
  function create(model: string, values: Values): Row {
    const row: Row = { id: ++lastId }
    table(model).push(row)
    apply(model, row, Object.fromEntries(Object.entries(values).filter(([field]) => field !== '')))
    return row
  }

  return {
    table,
    get,
    related,
    apply,
    create,
    read,
    search: (model: string, domain: unknown[]): Row[] =>
      table(model).filter((row) => domain.length === 0 || matches(model, row, domain)),
  }
}
export type Records = ReturnType<typeof createRecords>
