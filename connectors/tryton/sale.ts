/**
 * Sales. Tryton takes a reference twice, so every write begins with a look-up; what was begun goes on from the state it is in.
 * draft -quote-> quotation -confirm-> confirmed -process-> processing, which makes the shipment.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { localTime } from '../../domain/localTime.ts'
import type { ErpDocument, ErpSale } from '../kit/types.ts'
import { addressFor, partyOf } from './party.ts'
import { create, dateOf, decimal, press, search, stateOf, write, type Context } from './rest.ts'

const MODEL = 'sale.sale'
const Sale = z.object({ id: z.number(), number: z.string().nullable(), state: z.string() })
type Sale = z.infer<typeof Sale>
const saleFields = ['number', 'state']

/** Of several with one reference the first counts; later ones that nobody went on with are cancelled. */
export async function findSale(ctx: Context, reference: string): Promise<Sale | null> {
  const domain = [
    ['reference', '=', reference],
    ['company', '=', ctx.connection.config.companyId],
  ]
  const found = await search(ctx, MODEL, { domain, fields: saleFields, order: [['id', 'ASC']] }, Sale)
  const [kept, ...others] = found.toSorted(
    (a, b) => Number(a.state === 'cancelled') - Number(b.state === 'cancelled') || a.id - b.id,
  )
  for (const { id, state } of others)
    if (state === 'draft' || state === 'quotation') await press(ctx, { model: MODEL, id, action: 'cancel', from: state })
  return kept ?? null
}

const Product = z.object({
  id: z.number(),
  code: z.string().nullable(),
  sale_uom: z.number().nullable(),
  default_uom: z.number(),
})
/** Products by code. @throws Invalid, code `unknown-product` or `ambiguous-product`. */
export async function productsOf(ctx: Context, codes: string[]): Promise<Map<string, { id: number; unit: number }>> {
  const found = await search(
    ctx,
    'product.product',
    { domain: [['code', 'in', [...new Set(codes)]]], fields: ['code', 'sale_uom', 'default_uom'] },
    Product,
  )
  const products = new Map<string, { id: number; unit: number }>()
  for (const code of codes) {
    const [product, second] = found.filter((each) => each.code === code)
    if (!product || second)
      throw new OmnisagaError('Invalid', `Tryton has ${product ? 'several products' : 'no product'} with the code ${code}`, {
        code: product ? 'ambiguous-product' : 'unknown-product',
        remedy: `Give exactly one product in Tryton the code ${code}, then retry.`,
      })
    products.set(code, { id: product.id, unit: product.sale_uom ?? product.default_uom })
  }
  return products
}

/** What is sold: the lines, and shipping and discount as services. */
export function soldOf(
  config: Context['connection']['config'],
  sale: ErpSale,
): { code: string; quantity: number; minor: number }[] {
  const service = (minor: number, code: string | null, key: string) => {
    if (minor === 0) return []
    if (code !== null) return [{ code, quantity: 1, minor }]
    throw new OmnisagaError('Misconfigured', `the order has an amount for which Tryton has no product: ${key}`, {
      code: 'no-service',
      remedy: `Create a service in Tryton and name its code as ${key} of the connection.`,
    })
  }
  return [
    ...sale.lines.map(({ sku, quantity, unitPriceMinor }) => ({ code: sku, quantity, minor: unitPriceMinor })),
    ...service(sale.shippingMinor, config.shippingProduct, 'shippingProduct'),
    ...service(-sale.discountMinor, config.discountProduct, 'discountProduct'),
  ]
}

const Id = z.object({ id: z.number() })

async function createSale(ctx: Context, sale: ErpSale): Promise<Sale> {
  const { config } = ctx.connection
  const sold = soldOf(config, sale)
  const products = await productsOf(
    ctx,
    sold.map(({ code }) => code),
  )
  const [currency] = await search(ctx, 'currency.currency', { domain: [['code', '=', sale.currency]], fields: ['id'] }, Id)
  if (!currency)
    throw new OmnisagaError('Misconfigured', `Tryton has no currency ${sale.currency}`, {
      code: 'no-currency',
      remedy: 'Create or activate the currency in Tryton.',
    })
  const warehouse = await warehouseOf(ctx, config.saleWarehouse ?? Object.keys(config.warehouses)[0] ?? '')
  const party = await partyOf(ctx, sale)
  const address = await addressFor(ctx, party, sale.recipient)
  const values = {
    reference: sale.reference,
    description: `${sale.channel} ${sale.externalId}`,
    company: config.companyId,
    currency: currency.id,
    party,
    invoice_address: address,
    shipment_address: address,
    warehouse: warehouse.id,
    ...(sale.placedAt ? { sale_date: dateOf(localTime(sale.placedAt, config.timeZone).date) } : {}),
    lines: [
      [
        'create',
        sold.map(({ code, quantity, minor }) => {
          const { id: product, unit } = products.get(code) ?? { id: 0, unit: 0 }
          return { product, unit, quantity, unit_price: decimal(minor) }
        }),
      ],
    ],
  }
  return create(ctx, MODEL, values, saleFields, Sale)
}

/** Brings a sale as far as Tryton will: quoted, confirmed, processed. @returns its state */
export async function advance(ctx: Context, sale: Sale): Promise<string> {
  const { id } = sale
  let { state } = sale
  if (state === 'draft') state = await press(ctx, { model: MODEL, id, action: 'quote', from: state })
  if (state === 'quotation') {
    await press(ctx, { model: MODEL, id, action: 'confirm', from: state })
    // Tryton processes what is confirmed by itself: at once, or in its queue.
    state = await stateOf(ctx, { model: MODEL, id })
  }
  if (state === 'confirmed') state = await press(ctx, { model: MODEL, id, action: 'process', from: state })
  return state
}

export async function writeSale(ctx: Context, sale: ErpSale): Promise<ErpDocument> {
  const written = (await findSale(ctx, sale.reference)) ?? (await createSale(ctx, sale))
  await advance(ctx, written)
  if (written.number !== null) return { id: String(written.id), number: written.number }
  // The number is given with the quotation.
  const [numbered] = await search(ctx, MODEL, { domain: [['id', '=', written.id]], fields: saleFields }, Sale)
  return { id: String(written.id), number: numbered?.number ?? null }
}

const Warehouse = z.object({
  id: z.number(),
  input_location: z.number(),
  output_location: z.number(),
  storage_location: z.number(),
  picking_location: z.number().nullable(),
})
/** The warehouse of one of our locations. @throws Misconfigured, code `unmapped-location` or `no-warehouse`. */
export async function warehouseOf(ctx: Context, location: string): Promise<z.infer<typeof Warehouse>> {
  const code = ctx.connection.config.warehouses[location]
  const fields = ['input_location', 'output_location', 'storage_location', 'picking_location']
  const domain = [
    ['type', '=', 'warehouse'],
    ['code', '=', code],
  ]
  const [found] = code === undefined ? [] : await search(ctx, 'stock.location', { domain, fields }, Warehouse)
  if (found) return found
  throw new OmnisagaError(
    'Misconfigured',
    code === undefined ? `location ${location} has no warehouse in Tryton` : `Tryton has no warehouse with the code ${code}`,
    { code: code === undefined ? 'unmapped-location' : 'no-warehouse', remedy: 'Correct warehouses of the connection.' },
  )
}

const Cancelling = Sale.extend({
  shipments: z.array(z.object({ id: z.number(), state: z.string() })),
  lines: z.array(
    z.object({
      id: z.number(),
      moves: z.array(z.object({ id: z.number(), state: z.string() })),
      moves_ignored: z.array(z.number()),
    }),
  ),
})
const cancellingFields = [...saleFields, 'shipments.state', 'lines.moves.state', 'lines.moves_ignored']

/**
 * A draft or quotation is cancelled. One in progress has its shipments cancelled and what they held let go, as a person would
 * do with the shipment exception; Tryton keeps such a sale, with nothing to ship.
 * @throws Rejected, code `shipped`: goods have left. Misconfigured, code `access`: the user is no Sales Administrator.
 */
export async function cancelSale(ctx: Context, args: { reference: string }): Promise<void> {
  const found = await findSale(ctx, args.reference)
  if (!found) return
  const record = { model: MODEL, id: found.id }
  let { state } = found
  if (state === 'confirmed') state = await press(ctx, { ...record, action: 'draft', from: state })
  if (state === 'draft' || state === 'quotation') state = await press(ctx, { ...record, action: 'cancel', from: state })
  if (state === 'cancelled') return
  const read = async () => {
    const [sale] = await search(ctx, MODEL, { domain: [['id', '=', found.id]], fields: cancellingFields }, Cancelling)
    if (!sale) throw new OmnisagaError('Transient', 'Tryton: the sale is not there any more', { code: 'gone' })
    return sale
  }
  const sale = await read()
  if (sale.shipments.some((shipment) => shipment.state === 'done' || shipment.state === 'shipped'))
    throw new OmnisagaError('Rejected', 'Tryton: goods of this sale have left', {
      code: 'shipped',
      remedy: 'Take the goods back as a return instead.',
    })
  for (const { id, state: from } of sale.shipments)
    if (from !== 'cancelled') await press(ctx, { model: 'stock.shipment.out', id, action: 'cancel', from })
  const lines = (await read()).lines.flatMap(({ id, moves, moves_ignored: ignored }) => {
    const left = moves.filter((move) => move.state === 'cancelled' && !ignored.includes(move.id))
    return left.length > 0 ? [['write', [id], { moves_ignored: [['add', left.map((move) => move.id)]] }]] : []
  })
  if (lines.length === 0) return
  await write(ctx, record, { lines }, saleFields, Sale)
  await press(ctx, { ...record, action: 'process', from: state })
}
