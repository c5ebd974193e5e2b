/**
 * What left and what came back. Tryton makes the customer shipment of a sale itself; the lines of one unit are what the shipment
 * is made to hold, the rest of the sale gets a new one by itself. waiting -assign-> assigned -pick-> picked -pack-> packed -do-> done.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ErpDocument, ErpLine, ErpReturn, ErpShipment } from '../kit/types.ts'
import { create, decimal, press, search, write, type Context } from './rest.ts'
import { advance, findSale, productsOf, warehouseOf } from './sale.ts'

const OUT = 'stock.shipment.out'
const RETURN = 'stock.shipment.out.return'

const Shipment = z.object({
  id: z.number(),
  number: z.string().nullable(),
  state: z.string(),
  reference: z.string().nullable(),
  warehouse_storage: z.number(),
  warehouse_output: z.number(),
  outgoing_moves: z.array(z.object({ id: z.number(), quantity: z.number(), product: z.object({ code: z.string().nullable() }) })),
})
type Shipment = z.infer<typeof Shipment>
const shipmentFields = [
  'number',
  'state',
  'reference',
  'warehouse_storage',
  'warehouse_output',
  'outgoing_moves.quantity',
  'outgoing_moves.product.code',
]

const belongsTo = ({ reference }: Shipment, unitId: string) =>
  reference === unitId || reference?.startsWith(`${unitId} `) === true

/**
 * What becomes of a shipment's moves so that they hold exactly these lines.
 * @returns One2Many commands, null when the shipment holds less than that.
 */
export function trimMoves(moves: Shipment['outgoing_moves'], lines: ErpLine[], output: number): unknown[] | null {
  const wanted = new Map<string, number>()
  for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
  const commands: unknown[] = []
  const gone: number[] = []
  for (const { id, quantity, product } of moves) {
    const code = product.code ?? ''
    const taken = Math.min(quantity, wanted.get(code) ?? 0)
    if (taken === 0) gone.push(id)
    else commands.push(['write', [id], { from_location: output, ...(taken < quantity ? { quantity: taken } : {}) }])
    wanted.set(code, (wanted.get(code) ?? 0) - taken)
  }
  if ([...wanted.values()].some((left) => left > 0)) return null
  return gone.length > 0 ? [...commands, ['delete', gone]] : commands
}

/** Makes an open shipment the unit's: its lines, its warehouse, its name, all in one request. */
async function claim(ctx: Context, shipment: Shipment, unit: ErpShipment): Promise<Shipment> {
  const inHand = shipment.state === 'picked' || shipment.state === 'packed'
  let { state } = shipment
  const { id } = shipment
  if (state === 'assigned') state = await press(ctx, { model: OUT, id, action: 'wait', from: state })
  if (state === 'waiting') await press(ctx, { model: OUT, id, action: 'draft', from: state })
  const ownField = ctx.connection.config.waybillField === 'shipping_reference'
  const names = ownField
    ? { reference: unit.reference, shipping_reference: unit.waybill }
    : { reference: [unit.reference, unit.waybill].filter(Boolean).join(' ') }
  if (inHand) return write(ctx, { model: OUT, id }, names, shipmentFields, Shipment)
  const warehouse = await warehouseOf(ctx, unit.location)
  const values = {
    ...names,
    warehouse: warehouse.id,
    warehouse_storage: warehouse.picking_location ?? warehouse.storage_location,
    warehouse_output: warehouse.output_location,
    moves: trimMoves(shipment.outgoing_moves, unit.lines, warehouse.output_location) ?? [],
  }
  return write(ctx, { model: OUT, id }, values, shipmentFields, Shipment)
}

const NEXT: Record<string, string> = { draft: 'wait', waiting: 'assign_try', picked: 'pack', packed: 'do', shipped: 'do' }

async function finish(ctx: Context, shipment: Shipment): Promise<void> {
  const { id } = shipment
  const picksNothing = shipment.warehouse_storage === shipment.warehouse_output
  for (let { state } = shipment; state !== 'done';) {
    const action = state === 'assigned' ? (picksNothing ? 'pack' : 'pick') : NEXT[state]
    if (action === undefined)
      throw new OmnisagaError('Rejected', `Tryton: the shipment of this unit is ${state}`, { code: `shipment-${state}` })
    let after = await press(ctx, { model: OUT, id, action, from: state })
    if (after === 'waiting' && action === 'assign_try') {
      if (!ctx.connection.config.forceAssignment)
        throw new OmnisagaError('Rejected', 'Tryton counts fewer goods than have left', {
          code: 'no-stock',
          remedy: 'Correct the stock in Tryton and retry, or set forceAssignment.',
        })
      after = await press(ctx, { model: OUT, id, action: 'assign_force', from: after })
    }
    if (after === state)
      throw new OmnisagaError('Rejected', `Tryton keeps the shipment ${state} after ${action}`, { code: 'stuck' })
    state = after
  }
}

const OfSale = z.object({
  id: z.number(),
  party: z.number(),
  shipment_address: z.number().nullable(),
  currency: z.number(),
  shipments: z.array(Shipment),
})
async function saleOf(ctx: Context, reference: string): Promise<z.infer<typeof OfSale>> {
  const found = await findSale(ctx, reference)
  if (!found) throw new OmnisagaError('Transient', 'Tryton: the sale is not written yet', { code: 'no-sale' })
  if (found.state === 'cancelled')
    throw new OmnisagaError('Rejected', 'Tryton: the sale is cancelled', {
      code: 'sale-cancelled',
      remedy: 'Set the sale to draft in Tryton and retry, or enter the movement by hand and skip.',
    })
  await advance(ctx, found)
  const fields = ['party', 'shipment_address', 'currency', ...shipmentFields.map((field) => `shipments.${field}`)]
  const [sale] = await search(ctx, 'sale.sale', { domain: [['id', '=', found.id]], fields }, OfSale)
  if (!sale) throw new OmnisagaError('Transient', 'Tryton: the sale is not there any more', { code: 'no-sale' })
  return sale
}

const isOpen = ({ state, reference }: Shipment) => !reference && state !== 'done' && state !== 'cancelled' && state !== 'shipped'

export async function writeShipment(ctx: Context, unit: ErpShipment): Promise<ErpDocument> {
  const { shipments } = await saleOf(ctx, unit.saleReference)
  let shipment = shipments.find((each) => belongsTo(each, unit.reference))
  if (!shipment) {
    const fitting = shipments.find((each) => isOpen(each) && trimMoves(each.outgoing_moves, unit.lines, 0) !== null)
    if (!fitting)
      throw new OmnisagaError('Rejected', 'Tryton: no open shipment of the sale holds what has left', {
        code: 'nothing-to-ship',
        remedy: 'See the shipments of the sale in Tryton: ship it there and skip, or open one that holds the goods and retry.',
      })
    shipment = await claim(ctx, fitting, unit)
  }
  await finish(ctx, shipment)
  return { id: String(shipment.id), number: shipment.number }
}

const Party = z.object({ id: z.number(), customer_location: z.number() })
const Returned = z.object({ id: z.number(), number: z.string().nullable(), state: z.string() })

/** A customer return shipment, received and put into storage. The credit note stays with the accountant. */
export async function writeReturn(ctx: Context, goods: ErpReturn): Promise<ErpDocument> {
  const domain = [['reference', '=', goods.reference]]
  const fields = ['number', 'state']
  const [known] = await search(ctx, RETURN, { domain, fields }, Returned)
  const written = known ?? (await createReturn(ctx, goods, fields))
  const { id } = written
  let { state } = written
  if (state === 'draft') state = await press(ctx, { model: RETURN, id, action: 'receive', from: state })
  if (state === 'received') await press(ctx, { model: RETURN, id, action: 'do', from: state })
  return { id: String(id), number: written.number }
}

async function createReturn(ctx: Context, goods: ErpReturn, fields: string[]) {
  const sale = await saleOf(ctx, goods.saleReference)
  const warehouse = await warehouseOf(ctx, goods.location)
  const products = await productsOf(
    ctx,
    goods.lines.map(({ sku }) => sku),
  )
  const domain = [['id', '=', sale.party]]
  const [party] = await search(ctx, 'party.party', { domain, fields: ['customer_location'] }, Party)
  const moves = goods.lines.map(({ sku, quantity, unitPriceMinor }) => ({
    product: products.get(sku)?.id,
    unit: products.get(sku)?.unit,
    quantity,
    from_location: party?.customer_location,
    to_location: warehouse.input_location,
    company: ctx.connection.config.companyId,
    unit_price: decimal(unitPriceMinor),
    currency: sale.currency,
  }))
  const values = {
    reference: goods.reference,
    company: ctx.connection.config.companyId,
    customer: sale.party,
    contact_address: sale.shipment_address,
    warehouse: warehouse.id,
    warehouse_storage: warehouse.storage_location,
    warehouse_input: warehouse.input_location,
    moves: [['create', moves]],
  }
  return create(ctx, RETURN, values, fields, Returned)
}
