/** Odoo 19 by its JSON-2 API, written from its documents: no running Odoo was to be had. See docs/connectors/odoo.md. */
import { z } from 'zod'
import { checkBy } from '../kit/call.ts'
import type { CheckResult, Connector, ErpProduct, ExternalLevel } from '../kit/types.ts'
import { many2one, optional, pages, search, type Context } from './api.ts'
import { OdooConfig } from './config.ts'
import { cancelSale, writeShipment } from './picking.ts'
import { writeSale } from './sale.ts'

const Warehouse = z.object({ id: z.number(), code: z.string(), view_location_id: many2one })
const warehousesOf = (ctx: Context) =>
  search(ctx, 'stock.warehouse', { domain: [], fields: ['code', 'view_location_id'], order: 'id asc' }, Warehouse)

async function check(ctx: Context): Promise<CheckResult> {
  const { config } = ctx.connection
  const problems: CheckResult['problems'] = []
  const result = await checkBy(async () => {
    const known = (await warehousesOf(ctx)).map(({ code }) => code)
    for (const code of Object.values(config.warehouses))
      if (!known.includes(code))
        problems.push({ message: `Odoo has no warehouse with the code ${code}`, remedy: `Use one of: ${known.join(', ')}.` })
    const services = [config.shippingProduct, config.discountProduct].filter((code) => code !== null)
    const domain = [['default_code', 'in', services]]
    const found = await search(
      ctx,
      'product.product',
      { domain, fields: ['default_code'] },
      z.object({ default_code: z.string() }),
    )
    for (const code of services)
      if (!found.some((each) => each.default_code === code))
        problems.push({
          message: `Odoo has no product with the reference ${code}`,
          remedy: 'Create a service with this internal reference.',
        })
    await search(ctx, 'sale.order', { domain: [], fields: ['state'], limit: 1 }, z.object({ id: z.number() }))
  })
  const all = [...problems, ...result.problems]
  return { ok: all.length === 0, problems: all }
}

const Product = z.object({
  id: z.number(),
  default_code: optional(z.string()),
  name: optional(z.string()),
  barcode: optional(z.string()),
  weight: z.number().nullish(),
})
const Coded = z.object({ id: z.number(), default_code: optional(z.string()) })
const Quant = z.object({ product_id: many2one, quantity: z.number() })

/** What lies in the internal locations of each warehouse, summed over shelves and lots. */
async function* readStock(ctx: Context): AsyncGenerator<ExternalLevel[]> {
  const ours = new Map(Object.entries(ctx.connection.config.warehouses).map(([location, code]) => [code, location]))
  for (const warehouse of await warehousesOf(ctx)) {
    const goods = { domain: [['default_code', '!=', false]], fields: ['default_code'] }
    for await (const page of pages(ctx, 'product.product', goods, Coded)) {
      const domain = [
        ['product_id', 'in', page.map(({ id }) => id)],
        ['location_id', 'child_of', warehouse.view_location_id],
        ['location_id.usage', '=', 'internal'],
      ]
      const quants = await search(ctx, 'stock.quant', { domain, fields: ['product_id', 'quantity'] }, Quant)
      const at = ctx.now().toISOString()
      yield page.map(({ id, default_code: code }) => ({
        externalSku: code ?? '',
        externalLocation: warehouse.code,
        location: ours.get(warehouse.code) ?? null,
        onHand: Math.floor(quants.reduce((sum, quant) => sum + (quant.product_id === id ? quant.quantity : 0), 0)),
        at,
      }))
    }
  }
}

/** Odoo's weights are kilograms (unless the database is set to pounds). */
async function* readProducts(ctx: Context): AsyncGenerator<ErpProduct[]> {
  const query = {
    domain: [
      ['sale_ok', '=', true],
      ['default_code', '!=', false],
      ['type', '!=', 'service'],
    ],
    fields: ['default_code', 'name', 'barcode', 'weight'],
  }
  for await (const page of pages(ctx, 'product.product', query, Product))
    yield page.map(({ default_code: code, name, barcode, weight }) => ({
      sku: code ?? '',
      name,
      barcode,
      weightGrams: weight ? Math.round(weight * 1000) : null,
    }))
}

export const odoo: Connector<OdooConfig> = {
  name: 'odoo',
  title: 'Odoo 19 (JSON-2)',
  kind: 'erp',
  configSchema: OdooConfig,
  secretFields: ['apiKey'],
  check,
  stock: { batchSize: 1, read: readStock },
  erp: { writeSale, writeShipment, cancelSale, readProducts },
}
