/**
 * Stand-in for Tryton's REST protocol, written from trytond 8.2.1's answers as they were observed: statuses, shapes, messages. It
 * holds the models that sales and shipments need, and takes the same reference twice, as Tryton does.
 */
import type { Fault } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest, type SimServer } from '../kit/server.ts'
import { createButtons, UserError } from './buttons.ts'
import { createRecords, KeyError, type Row, type Values } from './records.ts'

export const DATABASE = 'tryton'
export const APPLICATION_KEY = '8f4e2b7c1d9a4f63b0e5application'

export interface TrytonSimulator extends SimServer {
  sales(reference: string): Row[]
  shipments(reference: string): Row[]
  returns(reference: string): Row[]
  onHand(warehouseCode: string, productCode: string): number
  revokeKey(): void
}

const page = (status: number, text: string): SimAnswer => ({
  status,
  body: `<!doctype html>\n<title>${status}</title>\n<p>${text}</p>\n`,
})
const refused = (message: string): SimAnswer => ({ status: 400, body: { status: 400, message, description: '' } })
const decode = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))

/** `products`: codes of goods besides those that are always there. */
export async function startTrytonSimulator(options: { port?: number; products?: string[] } = {}): Promise<TrytonSimulator> {
  const records = createRecords()
  const stock = new Map<string, number>()
  const buttons = createButtons(records, stock)
  let key = APPLICATION_KEY

  const currency = records.create('currency.currency', { code: 'TWD' })
  records.create('country.country', { code: 'TW' })
  const owner = records.create('party.party', { name: 'Simulated Company', code: '1' })
  const company = records.create('company.company', { party: owner.id, currency: currency.id })
  company.id = 1
  records.create('party.party', { name: 'Shop customers', code: 'SHOP', customer_location: 7 })
  const warehouses = ['WH', 'WH2'].map((code, at) =>
    records.create('stock.location', {
      code,
      name: code,
      type: 'warehouse',
      input_location: 20 + at * 3,
      output_location: 21 + at * 3,
      storage_location: 22 + at * 3,
    }),
  )
  const gram = records.create('product.uom', { symbol: 'g' })
  const goods = [...new Set(['SHIRT-S', 'SHIRT-M', 'MUG-01', ...(options.products ?? [])])].map((code) =>
    records.create('product.product', {
      code,
      name: code,
      type: 'goods',
      salable: true,
      sale_uom: 1,
      default_uom: 1,
      weight: 180,
      weight_uom: gram.id,
    }),
  )
  for (const code of ['SHIPPING', 'DISCOUNT'])
    records.create('product.product', { code, name: code, type: 'service', salable: true, sale_uom: 1, default_uom: 1 })
  for (const each of goods) for (const warehouse of warehouses) stock.set(`${warehouse.id} ${each.id}`, 100)

  const fieldsOf = (request: SimRequest): string[] => {
    const asked = new URLSearchParams(request.search).getAll('f')
    return asked.length > 0 ? asked : ['id']
  }
  function show(model: string, row: Row, fields: string[], context: Values): Values {
    const locations = (context.locations as number[] | undefined) ?? []
    return records.read(model, row, fields, (each, field) =>
      field === 'quantity' && model === 'product.product'
        ? locations.reduce((sum, location) => sum + (stock.get(`${location} ${each.id}`) ?? 0), 0)
        : undefined,
    )
  }

  function search(request: SimRequest, model: string, context: Values): SimAnswer {
    const domain = request.query.d ? (decode(request.query.d) as unknown[]) : []
    const order = request.query.o ? (decode(request.query.o) as [string, string][]) : []
    let found = records.search(model, domain)
    if (order[0]?.[0] === 'id') found = found.toSorted((a, b) => a.id - b.id)
    if (request.query.s) found = found.slice(0, Number(request.query.s))
    return { body: found.map((row) => show(model, row, fieldsOf(request), context)) }
  }

  function createOne(request: SimRequest, model: string, context: Values): SimAnswer {
    const values = (request.json ?? {}) as Values
    if (model === 'party.party') {
      if (values.code !== undefined && records.search(model, [['code', '=', values.code]]).length > 0)
        return refused('The code of the party must be unique.')
    }
    const defaults: Values = {}
    if (model === 'party.party') defaults.customer_location = 7
    if (model.endsWith('.return') || model === 'sale.sale') defaults.state = 'draft'
    if (model.endsWith('.return')) defaults.number = String(records.table(model).length + 1)
    const lines = ((values.lines as [string, Values[]][] | undefined) ?? []).flatMap(([, created]) => created)
    if (lines.some((line) => !Number.isInteger(line.quantity)))
      return refused(
        'The number of digits in the value "1.5" for field "Quantity" in record "x" of "Sale Line" exceeds the limit of "0".',
      )
    return { body: show(model, records.create(model, { ...defaults, ...values }), fieldsOf(request), context) }
  }

  function handle(request: SimRequest): SimAnswer {
    // Confirmed sales wait in the queue until the request that confirmed them was answered.
    buttons.settle()
    const found = /^\/([^/]+)\/rest\/model\/([\w.]+)(?:\/(\d+))?(?:\/(\w+))?$/.exec(request.path)
    const [, database, model = '', id, action] = found ?? []
    if (database !== DATABASE) return page(404, 'Not Found')
    if (request.headers.authorization !== `bearer ${key}`) return page(401, 'Unauthorized')
    const context = decode(request.headers['x-tryton-context'] ?? 'e30') as Values
    try {
      if (id === undefined)
        return request.method === 'POST' ? createOne(request, model, context) : search(request, model, context)
      const row = records.get(model, Number(id))
      if (!row) return page(404, 'Not Found')
      if (action !== undefined) {
        if (!buttons.known(model, action)) return page(403, 'Forbidden')
        buttons.press(model, row, action, context)
      } else if (request.method === 'PUT') records.apply(model, row, (request.json ?? {}) as Values)
      return { body: show(model, row, fieldsOf(request), context) }
    } catch (error) {
      if (error instanceof UserError) return refused(error.message)
      if (error instanceof KeyError) return page(500, `&#39;${error.message}&#39;`)
      throw error
    }
  }

  const server = await startSimServer({
    port: options.port,
    handle,
    refuse: (fault: Fault) => refused(fault.message ?? 'Refused'),
  })
  const byReference = (model: string, reference: string) =>
    records.table(model).filter((row) => String(row.reference ?? '').split(' ')[0] === reference)
  return {
    ...server,
    sales: (reference) => byReference('sale.sale', reference),
    shipments: (reference) => byReference('stock.shipment.out', reference),
    returns: (reference) => byReference('stock.shipment.out.return', reference),
    onHand: (warehouseCode, productCode) => {
      const warehouse = warehouses.find(({ code }) => code === warehouseCode)
      const product = goods.find(({ code }) => code === productCode)
      return stock.get(`${warehouse?.id} ${product?.id}`) ?? 0
    },
    revokeKey: () => {
      key = `${APPLICATION_KEY}-revoked`
    },
  }
}
