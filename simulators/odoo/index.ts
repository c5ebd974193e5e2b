/**
 * Stand-in for Odoo's JSON-2 API, written from odoo/documentation 19.0 (external_api): path, bearer key, named arguments, errors as
 * JSON {name, message, arguments, context, debug}. The models are as small as sales and deliveries need, after general knowledge of
 * Odoo. One client_order_ref is taken twice.
 */
import type { Fault } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest, type SimServer } from '../kit/server.ts'

export const API_KEY = 'b1f0e6c2a94d47simulatedodoo'
export const DATABASE = 'shop'

type Row = Record<string, unknown> & { id: number }
export interface OdooSimulator extends SimServer {
  sales(reference: string): Row[]
  /** Deliveries that are done and whose origin ends with this. */
  delivered(reference: string): Row[]
  onHand(sku: string): number
  revokeKey(): void
}

const failure = (status: number, name: string, message: string): SimAnswer => ({
  status,
  body: { name, message, arguments: [message], context: {}, debug: 'Traceback …' },
})

export async function startOdooSimulator(options: { port?: number } = {}): Promise<OdooSimulator> {
  let key = API_KEY
  let lastId = 100
  const tables: Record<string, Row[]> = {
    'res.partner': [{ id: 1, ref: 'SHOP', name: 'Shop customers' }],
    'res.country': [{ id: 229, code: 'TW' }],
    'stock.warehouse': [{ id: 1, code: 'WH', view_location_id: [7, 'WH'] }],
    'product.product': ['SHIRT-S', 'SHIRT-M', 'MUG-01', 'SHIPPING', 'DISCOUNT'].map((code, at) => ({
      id: at + 1,
      default_code: code,
      name: code,
      barcode: false,
      weight: 0.18,
      sale_ok: true,
      type: at < 3 ? 'consu' : 'service',
    })),
    'stock.quant': [1, 2, 3].map((product) => ({
      id: product,
      product_id: [product, 'x'],
      location_id: 8,
      'location_id.usage': 'internal',
      quantity: 100,
    })),
    'sale.order': [],
    'stock.picking': [],
    'stock.move': [],
  }
  const table = (model: string): Row[] => tables[model] ?? []
  const idOf = (value: unknown): unknown => (Array.isArray(value) ? value[0] : (value ?? false))

  function holds(row: Row, [field, operator, operand]: [string, string, unknown]): boolean {
    const value = idOf(row[field])
    if (operator === '=') return value === operand
    if (operator === '!=') return value !== operand
    if (operator === '>') return Number(value) > Number(operand)
    if (operator === 'in') return (operand as unknown[]).includes(value)
    return operator === 'child_of' // everything lies in the one warehouse
  }
  /** Polish notation: `|` joins the two clauses after it. */
  function matches(row: Row, domain: unknown[]): boolean {
    if (domain[0] === '|') return holds(row, domain[1] as never) || holds(row, domain[2] as never)
    return domain.every((clause) => holds(row, clause as never))
  }
  function search(args: Record<string, unknown>, model: string): Row[] {
    const found = table(model).filter((row) => matches(row, (args.domain as unknown[]) ?? []))
    return found.toSorted((a, b) => a.id - b.id).slice(0, (args.limit as number | undefined) ?? found.length)
  }

  function create(model: string, values: Record<string, unknown>): number {
    const row: Row = { ...values, id: ++lastId }
    if (model === 'sale.order') Object.assign(row, { name: `S${String(lastId).padStart(5, '0')}`, state: 'draft' })
    table(model).push(row)
    return row.id
  }
  function deliver(sale: Row, lines: { product: unknown; quantity: number }[]): void {
    const id = ++lastId
    const picking = {
      id,
      name: `WH/OUT/${id}`,
      state: 'assigned',
      origin: sale.name,
      sale_id: [sale.id, sale.name],
      picking_type_code: 'outgoing',
    }
    table('stock.picking').push(picking)
    for (const { product, quantity } of lines)
      table('stock.move').push({
        id: ++lastId,
        picking_id: [id, 'x'],
        product_id: [product, 'x'],
        product_uom_qty: quantity,
        quantity: 0,
        picked: false,
      })
  }
  function confirm(sale: Row): SimAnswer {
    if (sale.state !== 'draft' && sale.state !== 'sent')
      return failure(422, 'odoo.exceptions.UserError', 'Some orders are not in a state requiring confirmation: S0001')
    sale.state = 'sale'
    const goods = (sale.order_line as [number, number, Record<string, unknown>][]).flatMap(([, , line]) => {
      const product = table('product.product').find(({ id }) => id === line.product_id)
      return product?.type === 'service' ? [] : [{ product: line.product_id, quantity: Number(line.product_uom_qty) }]
    })
    deliver(sale, goods)
    return { body: 'true', headers: { 'content-type': 'application/json' } }
  }
  function validate(picking: Row): SimAnswer {
    if (picking.state === 'done') return failure(422, 'odoo.exceptions.UserError', 'This transfer is done already.')
    const moves = table('stock.move').filter((move) => idOf(move.picking_id) === picking.id)
    for (const move of moves) {
      const quant = table('stock.quant').find((each) => idOf(each.product_id) === idOf(move.product_id))
      if (quant) quant.quantity = Number(quant.quantity) - Number(move.quantity)
    }
    picking.state = 'done'
    const rest = moves.flatMap((move) => {
      const left = Number(move.product_uom_qty) - Number(move.quantity)
      return left > 0 ? [{ product: idOf(move.product_id), quantity: left }] : []
    })
    const sale = table('sale.order').find(({ id }) => id === idOf(picking.sale_id))
    if (sale && rest.length > 0) deliver(sale, rest)
    return { body: 'true', headers: { 'content-type': 'application/json' } }
  }
  function write(row: Row, vals: Record<string, unknown>): SimAnswer {
    const { move_ids: commands, ...plain } = vals
    Object.assign(row, plain)
    for (const [, id, values] of (commands as [number, number, object][] | undefined) ?? []) {
      const move = table('stock.move').find((each) => each.id === id)
      if (move) Object.assign(move, values)
    }
    return { body: 'true', headers: { 'content-type': 'application/json' } }
  }

  function handle(request: SimRequest): SimAnswer {
    const [, model = '', method = ''] = /^\/json\/2\/([\w.]+)\/(\w+)$/.exec(request.path) ?? []
    if (request.method !== 'POST' || !tables[model]) return failure(404, 'werkzeug.exceptions.NotFound', 'Not Found')
    if (request.headers.authorization !== `bearer ${key}`)
      return failure(401, 'werkzeug.exceptions.Unauthorized', 'Invalid apikey')
    if (request.headers['x-odoo-database'] !== DATABASE) return failure(404, 'werkzeug.exceptions.NotFound', 'No database')
    const args = (request.json ?? {}) as Record<string, unknown>
    if (method === 'search_read') {
      const fields = ['id', ...((args.fields as string[] | undefined) ?? [])]
      return { body: search(args, model).map((row) => Object.fromEntries(fields.map((field) => [field, row[field] ?? false]))) }
    }
    if (method === 'create') return { body: (args.vals_list as Record<string, unknown>[]).map((values) => create(model, values)) }
    const row = table(model).find(({ id }) => id === (args.ids as number[] | undefined)?.[0])
    if (!row) return failure(404, 'odoo.exceptions.MissingError', 'Record does not exist or has been deleted.')
    if (method === 'write') return write(row, args.vals as Record<string, unknown>)
    if (method === 'action_confirm') return confirm(row)
    if (method === 'button_validate') return validate(row)
    if (method === 'action_cancel') {
      row.state = 'cancel'
      for (const picking of table('stock.picking')) if (idOf(picking.sale_id) === row.id) picking.state = 'cancel'
      return { body: 'true', headers: { 'content-type': 'application/json' } }
    }
    return failure(404, 'werkzeug.exceptions.NotFound', `no method ${method}`)
  }

  const server = await startSimServer({
    port: options.port,
    handle,
    refuse: (fault: Fault) => failure(422, fault.code ?? 'odoo.exceptions.UserError', fault.message ?? 'Refused'),
  })
  return {
    ...server,
    sales: (reference) => table('sale.order').filter((row) => row.client_order_ref === reference),
    delivered: (reference) =>
      table('stock.picking').filter((row) => row.state === 'done' && String(row.origin).endsWith(` ${reference}`)),
    onHand: (sku) => {
      const product = table('product.product').find((row) => row.default_code === sku)
      return Number(table('stock.quant').find((row) => idOf(row.product_id) === product?.id)?.quantity ?? 0)
    },
    revokeKey: () => {
      key = `${API_KEY}-revoked`
    },
  }
}
