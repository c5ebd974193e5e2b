/** Tryton 8.2 (modules sale and stock) by its REST protocol; see docs/connectors/tryton.md. */
import { z } from 'zod'
import { checkBy } from '../kit/call.ts'
import type { CheckResult, Connector, ErpProduct, ExternalLevel } from '../kit/types.ts'
import { TrytonConfig } from './config.ts'
import { pages, search, type Context } from './rest.ts'
import { cancelSale, writeSale } from './sale.ts'
import { writeReturn, writeShipment } from './shipment.ts'

const Company = z.object({ id: z.number(), party: z.object({ name: z.string().nullable() }) })
const Coded = z.object({ id: z.number(), code: z.string().nullable() })

async function check(ctx: Context): Promise<CheckResult> {
  const { config } = ctx.connection
  const problems: CheckResult['problems'] = []
  const result = await checkBy(async () => {
    const companies = await search(ctx, 'company.company', { domain: [], fields: ['party.name'] }, Company)
    if (!companies.some(({ id }) => id === config.companyId)) {
      const known = companies.map(({ id, party }) => `${id} (${party.name})`).join(', ')
      problems.push({ message: `Tryton has no company ${config.companyId}`, remedy: `Set companyId to one of: ${known}.` })
    }
    const missing = async (model: string, codes: string[], what: string, remedy: string) => {
      const found = await search(ctx, model, { domain: [['code', 'in', codes]], fields: ['code'] }, Coded)
      for (const code of new Set(codes))
        if (!found.some((each) => each.code === code))
          problems.push({ message: `Tryton has no ${what} with the code ${code}`, remedy })
    }
    await missing('stock.location', Object.values(config.warehouses), 'warehouse', 'Correct warehouses of the connection.')
    const services = [config.shippingProduct, config.discountProduct].filter((code) => code !== null)
    await missing('product.product', services, 'product', 'Create a service with this code that can be sold.')
    await missing('party.party', Object.values(config.customers), 'party', 'Correct customers of the connection.')
    await search(ctx, 'sale.sale', { domain: [], fields: ['state'], limit: 1 }, z.object({ id: z.number() }))
  })
  const all = [...problems, ...result.problems]
  return { ok: all.length === 0, problems: all }
}

const Level = z.object({ id: z.number(), code: z.string().nullable(), quantity: z.number() })

/** Every warehouse, shelves and output zone together: goods leave the count when their shipment is done. */
async function* readStock(ctx: Context): AsyncGenerator<ExternalLevel[]> {
  const ours = new Map(Object.entries(ctx.connection.config.warehouses).map(([location, code]) => [code, location]))
  const warehouses = await search(
    ctx,
    'stock.location',
    { domain: [['type', '=', 'warehouse']], fields: ['code'], order: [['id', 'ASC']] },
    Coded,
  )
  for (const warehouse of warehouses) {
    const externalLocation = warehouse.code ?? String(warehouse.id)
    const query = { domain: [['type', '=', 'goods']], fields: ['code', 'quantity'], context: { locations: [warehouse.id] } }
    for await (const page of pages(ctx, 'product.product', query, Level)) {
      const at = ctx.now().toISOString()
      // A product without a code cannot be any of ours.
      yield page.flatMap(({ code, quantity }) =>
        code === null
          ? []
          : [
              {
                externalSku: code,
                externalLocation,
                location: ours.get(externalLocation) ?? null,
                onHand: Math.floor(quantity),
                at,
              },
            ],
      )
    }
  }
}

const GRAMS: Record<string, number> = { mg: 0.001, g: 1, kg: 1000, oz: 28.349523125, lb: 453.59237 }
const Product = z.object({
  id: z.number(),
  code: z.string().nullable(),
  name: z.string().nullable(),
  identifiers: z.array(z.object({ type: z.string().nullable(), code: z.string() })),
  weight: z.number().nullish(),
  weight_uom: z.object({ symbol: z.string() }).nullish(),
})

/** Pure. Of several identifiers an EAN is the barcode, else none. */
export function productOf(product: z.infer<typeof Product>): ErpProduct[] {
  if (product.code === null) return []
  const grams = product.weight_uom ? GRAMS[product.weight_uom.symbol] : undefined
  return [
    {
      sku: product.code,
      name: product.name,
      barcode: product.identifiers.find(({ type }) => type === 'ean')?.code ?? null,
      weightGrams: grams !== undefined && product.weight ? Math.round(product.weight * grams) : null,
    },
  ]
}

async function* readProducts(ctx: Context): AsyncGenerator<ErpProduct[]> {
  const weights = ctx.connection.config.readWeights ? ['weight', 'weight_uom.symbol'] : []
  const query = {
    domain: [
      ['salable', '=', true],
      ['type', '=', 'goods'],
    ],
    fields: ['code', 'name', 'identifiers.type', 'identifiers.code', ...weights],
  }
  for await (const page of pages(ctx, 'product.product', query, Product)) yield page.flatMap(productOf)
}

export const tryton: Connector<TrytonConfig> = {
  name: 'tryton',
  title: 'Tryton 8.2 (REST)',
  kind: 'erp',
  configSchema: TrytonConfig,
  secretFields: ['applicationKey'],
  check,
  stock: { batchSize: 1, read: readStock },
  erp: { writeSale, writeShipment, cancelSale, writeReturn, readProducts },
}
