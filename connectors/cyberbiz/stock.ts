/** The web shop's levels: what is listed, what it shows, what it shall show. */
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { ConnectorContext, ExternalLevel, Listing, ListingLevel, ListingOutcome, StockSide } from '../kit/types.ts'
import { pages, send, type Call } from './api.ts'
import type { CyberbizConfig } from './config.ts'
import { Products, UpdatedVariant, Variants } from './schemas.ts'

type Context = ConnectorContext<CyberbizConfig>
type Outcome = ListingOutcome['error']

const PRODUCTS = '/v1/products'
const parseProducts = (json: unknown) => readShape(Products, json, `CYBERBIZ GET ${PRODUCTS}`)
const variantsPath = (productId: string) => `${PRODUCTS}/${encodeURIComponent(productId)}/product_variants`

export const updateVariantRequest = (listingId: string, variantId: string, quantity: number): Call => ({
  method: 'PUT',
  path: `${variantsPath(listingId)}/${encodeURIComponent(variantId)}`,
  body: { inventory_quantity: quantity },
  write: true,
})
/** `pos_shop_id` 0 is the web shop; an adjustment is a difference and names its reason. */
export const adjustmentRequest = (items: { sku: string; difference: number }[]): Call => ({
  method: 'POST',
  path: '/v1/stock_adjustments',
  body: {
    pos_shop_id: 0,
    items: items.map(({ sku, difference }) => ({
      sku,
      quantity: Math.abs(difference),
      type: difference > 0 ? 'surplus' : 'loss',
    })),
  },
  write: true,
})

/** Products of the web shop; those of a POS shop are the tills'. */
async function* products(ctx: Context) {
  for await (const page of pages(ctx, PRODUCTS, parseProducts)) yield page.filter((product) => !product.pos_shop?.id)
}

async function* listListings(ctx: Context): AsyncGenerator<Listing[]> {
  for await (const page of products(ctx))
    yield page.flatMap((product) =>
      (product.product_variants ?? []).map((variant) => ({
        listingId: String(product.id),
        variantId: String(variant.id),
        externalSku: variant.sku?.trim() || null,
        title: [product.title, variant.name].filter(Boolean).join(' ') || null,
      })),
    )
}

async function* read(ctx: Context): AsyncGenerator<ExternalLevel[]> {
  const location = ctx.connection.config.stockLocation
  for await (const page of products(ctx))
    yield page.flatMap((product) =>
      (product.product_variants ?? []).flatMap((variant) => {
        const counted = variant.inventory_management !== false && typeof variant.inventory_quantity === 'number'
        if (!counted || !variant.sku?.trim()) return []
        const onHand = variant.inventory_quantity ?? 0
        return [{ externalSku: variant.sku.trim(), externalLocation: 'ec', location, onHand, at: null }]
      }),
    )
}

const refused = (code: string, message: string): Outcome => ({ kind: 'Rejected', code, message })
/** What the vendor says no to is the listing's outcome; everything else ends the push. */
async function outcomeOf(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof OmnisagaError) || (error.kind !== 'Rejected' && error.kind !== 'Invalid')) throw error
    return { kind: error.kind, code: error.code ?? 'refused', message: error.message }
  }
}

const setVariant = (ctx: Context, level: ListingLevel) =>
  outcomeOf(async () => {
    if (level.variantId === null) return refused('no-variant', 'CYBERBIZ keeps levels by variant')
    const { json } = await send(ctx, updateVariantRequest(level.listingId, level.variantId, level.quantity))
    const now = UpdatedVariant.safeParse(json).data?.inventory_quantity
    if (typeof now !== 'number' || now === level.quantity) return null
    return refused('level-ignored', `CYBERBIZ answers with ${now}: a shop with POS takes levels by adjustment (stockBy)`)
  })

/** The difference to the level of this moment; repeated after a lost answer it is nothing, or what is still missing. */
const adjust = (ctx: Context, level: ListingLevel) =>
  outcomeOf(async () => {
    const path = variantsPath(level.listingId)
    const { json } = await send(ctx, { method: 'GET', path })
    const variant = readShape(Variants, json ?? [], `CYBERBIZ GET ${path}`).find((each) => String(each.id) === level.variantId)
    const sku = variant?.sku?.trim()
    if (!variant || !sku) return refused('no-variant', 'CYBERBIZ has no such variant, or it has no SKU')
    const difference = level.quantity - (variant.inventory_quantity ?? 0)
    if (difference !== 0) await send(ctx, adjustmentRequest([{ sku, difference }]))
    return null
  })

async function push(ctx: Context, levels: ListingLevel[]): Promise<ListingOutcome[]> {
  const set = ctx.connection.config.stockBy === 'adjustment' ? adjust : setVariant
  const outcomes: ListingOutcome[] = []
  for (const level of levels)
    outcomes.push({ listingId: level.listingId, variantId: level.variantId, error: await set(ctx, level) })
  return outcomes
}

/** One request a level: a push of 20 takes five seconds of the shop's quota. */
export const stock: StockSide<CyberbizConfig> = { batchSize: 20, listListings, push, read }
