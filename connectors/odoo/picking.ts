/**
 * Deliveries of a sale: the transfer that Odoo made for it is given the unit's quantities, its name and waybill, and validated; the
 * rest becomes a backorder. Which quantities a transfer takes is general knowledge of Odoo 17 and later, not of the documents.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ErpDocument, ErpShipment } from '../kit/types.ts'
import { many2one, optional, run, search, type Context } from './api.ts'
import { confirm, findSale } from './sale.ts'

const MODEL = 'stock.picking'
const Picking = z.object({ id: z.number(), name: z.string(), state: z.string(), origin: optional(z.string()) })
const Move = z.object({ id: z.number(), product_id: many2one, product_uom_qty: z.number() })
const Product = z.object({ id: z.number(), default_code: optional(z.string()) })

const pickingsOf = (ctx: Context, saleId: number) =>
  search(
    ctx,
    MODEL,
    {
      domain: [
        ['sale_id', '=', saleId],
        ['picking_type_code', '=', 'outgoing'],
      ],
      fields: ['name', 'state', 'origin'],
      order: 'id asc',
    },
    Picking,
  )

export async function writeShipment(ctx: Context, unit: ErpShipment): Promise<ErpDocument> {
  const sale = await findSale(ctx, unit.saleReference)
  if (!sale) throw new OmnisagaError('Transient', 'Odoo: the sale is not written yet', { code: 'no-sale' })
  if (sale.state === 'cancel')
    throw new OmnisagaError('Rejected', 'Odoo: the sale is cancelled', {
      code: 'sale-cancelled',
      remedy: 'Enter the delivery by hand and skip.',
    })
  await confirm(ctx, sale)
  const pickings = await pickingsOf(ctx, sale.id)
  const origin = `${sale.name} ${unit.reference}`
  const mine = pickings.find((each) => each.origin === origin)
  const picking =
    mine ?? pickings.find(({ state, origin: of }) => state !== 'done' && state !== 'cancel' && !of?.startsWith(`${sale.name} `))
  if (!picking)
    throw new OmnisagaError('Rejected', 'Odoo: the sale has no open delivery', {
      code: 'nothing-to-ship',
      remedy: 'See the deliveries of the sale in Odoo; skip if it was delivered there.',
    })
  if (picking.state === 'done') return { id: String(picking.id), number: picking.name }

  const moves = await search(
    ctx,
    'stock.move',
    { domain: [['picking_id', '=', picking.id]], fields: ['product_id', 'product_uom_qty'] },
    Move,
  )
  const ids = [...new Set(moves.map((move) => move.product_id))]
  const products = await search(ctx, 'product.product', { domain: [['id', 'in', ids]], fields: ['default_code'] }, Product)
  const wanted = new Map<string, number>()
  for (const { sku, quantity } of unit.lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
  const quantities = moves.map((move) => {
    const code = products.find(({ id }) => id === move.product_id)?.default_code ?? ''
    const quantity = Math.min(move.product_uom_qty, wanted.get(code) ?? 0)
    wanted.set(code, (wanted.get(code) ?? 0) - quantity)
    return [1, move.id, { quantity, picked: quantity > 0 }]
  })
  if ([...wanted.values()].some((left) => left > 0))
    throw new OmnisagaError('Rejected', 'Odoo: the open delivery holds less than what has left', {
      code: 'nothing-to-ship',
      remedy: 'Compare the deliveries of the sale in Odoo with the order.',
    })
  const { trackingField } = ctx.connection.config
  const vals = { origin, move_ids: quantities, ...(trackingField && unit.waybill ? { [trackingField]: unit.waybill } : {}) }
  await run(ctx, { model: MODEL, ids: [picking.id], method: 'write' }, { vals })
  await run(
    ctx,
    { model: MODEL, ids: [picking.id], method: 'button_validate' },
    { context: { skip_backorder: true, skip_sms: true } },
  )
  const after = (await pickingsOf(ctx, sale.id)).find(({ id }) => id === picking.id)
  if (after?.state !== 'done')
    throw new OmnisagaError('Rejected', `Odoo keeps the delivery ${after?.state ?? 'unknown'} after it was validated`, {
      code: 'not-validated',
      remedy: 'Open the delivery in Odoo: it asks a question that a person must answer.',
    })
  return { id: String(picking.id), number: picking.name }
}

/** @throws Rejected, code `shipped`: a delivery is done. */
export async function cancelSale(ctx: Context, args: { reference: string }): Promise<void> {
  const sale = await findSale(ctx, args.reference)
  if (!sale || sale.state === 'cancel') return
  if ((await pickingsOf(ctx, sale.id)).some(({ state }) => state === 'done'))
    throw new OmnisagaError('Rejected', 'Odoo: goods of this sale have left', {
      code: 'shipped',
      remedy: 'Take the goods back as a return instead.',
    })
  await run(ctx, { model: 'sale.order', ids: [sale.id], method: 'action_cancel' }, { context: { disable_cancel_warning: true } })
  const after = await findSale(ctx, args.reference)
  if (after && after.state !== 'cancel')
    throw new OmnisagaError('Rejected', 'Odoo did not cancel the sale', { code: 'not-cancelled', remedy: 'Cancel it in Odoo.' })
}
