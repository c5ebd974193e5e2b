/** Sales orders: looked up by client_order_ref before anything is written, since Odoo takes one twice. draft -action_confirm-> sale. */
import { z } from 'zod'
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ErpDocument, ErpParty, ErpSale } from '../kit/types.ts'
import { create, run, search, type Context } from './api.ts'

const MODEL = 'sale.order'
const Sale = z.object({ id: z.number(), name: z.string(), state: z.string() })
type Sale = z.infer<typeof Sale>
const Id = z.object({ id: z.number() })

/** The first that is not cancelled; later ones that nobody confirmed are cancelled. */
export async function findSale(ctx: Context, reference: string): Promise<Sale | null> {
  const domain = [['client_order_ref', '=', reference]]
  const found = await search(ctx, MODEL, { domain, fields: ['name', 'state'], order: 'id asc' }, Sale)
  const [kept, ...others] = found.toSorted((a, b) => Number(a.state === 'cancel') - Number(b.state === 'cancel') || a.id - b.id)
  for (const { id, state } of others)
    if (state === 'draft' || state === 'sent') await run(ctx, { model: MODEL, ids: [id], method: 'action_cancel' })
  return kept ?? null
}

const first = async (ctx: Context, model: string, domain: unknown[]): Promise<number | null> =>
  (await search(ctx, model, { domain, fields: ['id'], limit: 1, order: 'id asc' }, Id))[0]?.id ?? null

/** Values of res.partner; the district goes before the street. */
export const partnerOf = (who: ErpParty, country: number | null) => ({
  name: who.name ?? '—',
  phone: who.phone ?? false,
  email: who.email ?? false,
  street: [who.address?.district, who.address?.line].filter(Boolean).join('') || false,
  city: who.address?.city ?? false,
  zip: who.address?.postalCode ?? false,
  country_id: country ?? false,
})

/** The contact a sale is booked on, and the one it goes to, below it. Who is masked gets one under the sale's reference. */
async function partnersOf(ctx: Context, sale: ErpSale): Promise<{ buyer: number; recipient: number }> {
  const shared = ctx.connection.config.customers[sale.channel] ?? ctx.connection.config.customers['*']
  const { phone, email } = sale.buyer
  const code = sale.recipient.address?.country
  const country = code ? await first(ctx, 'res.country', [['code', '=', code]]) : null
  let buyer: number | null
  if (shared !== undefined) buyer = await first(ctx, 'res.partner', [['ref', '=', shared]])
  else if (phone && email) buyer = await first(ctx, 'res.partner', ['|', ['phone', '=', phone], ['email', '=', email]])
  else if (phone) buyer = await first(ctx, 'res.partner', [['phone', '=', phone]])
  else if (email) buyer = await first(ctx, 'res.partner', [['email', '=', email]])
  else buyer = await first(ctx, 'res.partner', [['ref', '=', sale.reference]])
  if (buyer === null && shared !== undefined)
    throw new OmnisagaError('Misconfigured', `Odoo has no contact with the reference ${shared}`, {
      code: 'no-partner',
      remedy: 'Create the contact, or correct customers of the connection.',
    })
  buyer ??= await create(ctx, 'res.partner', {
    ...partnerOf(sale.buyer, country),
    ...(phone || email ? {} : { ref: sale.reference }),
  })
  const to = partnerOf(sale.recipient, country)
  const known = await first(ctx, 'res.partner', [
    ['parent_id', '=', buyer],
    ['type', '=', 'delivery'],
    ...(['name', 'street', 'zip'] as const).map((field) => [field, '=', to[field]]),
  ])
  return { buyer, recipient: known ?? (await create(ctx, 'res.partner', { ...to, parent_id: buyer, type: 'delivery' })) }
}

const Product = z.object({ id: z.number(), default_code: z.string() })
/** @throws Invalid, code `unknown-product` or `ambiguous-product` */
async function productsOf(ctx: Context, codes: string[]): Promise<Map<string, number>> {
  const domain = [['default_code', 'in', [...new Set(codes)]]]
  const found = await search(ctx, 'product.product', { domain, fields: ['default_code'] }, Product)
  return new Map(
    codes.map((code) => {
      const [product, second] = found.filter((each) => each.default_code === code)
      if (product && !second) return [code, product.id]
      throw new OmnisagaError('Invalid', `Odoo has ${product ? 'several products' : 'no product'} with the reference ${code}`, {
        code: product ? 'ambiguous-product' : 'unknown-product',
        remedy: `Give exactly one product in Odoo the internal reference ${code}, then retry.`,
      })
    }),
  )
}

async function createSale(ctx: Context, sale: ErpSale): Promise<Sale> {
  const { config } = ctx.connection
  const service = (minor: number, code: string | null, key: string) => {
    if (minor === 0) return []
    if (code !== null) return [{ code, quantity: 1, minor }]
    throw new OmnisagaError('Misconfigured', `the order has an amount for which Odoo has no product: ${key}`, {
      code: 'no-service',
      remedy: `Create a service in Odoo and name its internal reference as ${key} of the connection.`,
    })
  }
  const sold = [
    ...sale.lines.map(({ sku, quantity, unitPriceMinor }) => ({ code: sku, quantity, minor: unitPriceMinor })),
    ...service(sale.shippingMinor, config.shippingProduct, 'shippingProduct'),
    ...service(-sale.discountMinor, config.discountProduct, 'discountProduct'),
  ]
  const products = await productsOf(
    ctx,
    sold.map(({ code }) => code),
  )
  const { buyer, recipient } = await partnersOf(ctx, sale)
  const id = await create(ctx, MODEL, {
    client_order_ref: sale.reference,
    origin: `${sale.channel} ${sale.externalId}`,
    partner_id: buyer,
    partner_shipping_id: recipient,
    // Odoo's datetimes are UTC, without a zone.
    ...(sale.placedAt ? { date_order: new Date(sale.placedAt).toISOString().slice(0, 19).replace('T', ' ') } : {}),
    order_line: sold.map(({ code, quantity, minor }) => [
      0,
      0,
      { product_id: products.get(code), product_uom_qty: quantity, price_unit: minor / MINOR_PER_MAJOR },
    ]),
  })
  return await readSale(ctx, id)
}

async function readSale(ctx: Context, id: number): Promise<Sale> {
  const [sale] = await search(ctx, MODEL, { domain: [['id', '=', id]], fields: ['name', 'state'] }, Sale)
  if (sale) return sale
  throw new OmnisagaError('Transient', 'Odoo: the sale is not there any more', { code: 'gone' })
}

/** Confirms what is a quotation; confirmed already, by an attempt whose answer was lost, it is left as it is. */
export async function confirm(ctx: Context, sale: Sale): Promise<void> {
  if (sale.state === 'draft' || sale.state === 'sent') await run(ctx, { model: MODEL, ids: [sale.id], method: 'action_confirm' })
}

export async function writeSale(ctx: Context, sale: ErpSale): Promise<ErpDocument> {
  const written = (await findSale(ctx, sale.reference)) ?? (await createSale(ctx, sale))
  await confirm(ctx, written)
  return { id: String(written.id), number: written.name }
}
