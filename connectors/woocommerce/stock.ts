/** Levels of products and of their variations. */
import { readShape } from '../kit/json.ts'
import type { ExternalLevel, Listing, ListingLevel, ListingOutcome, StockSide } from '../kit/types.ts'
import { pages, send, type Call, type WooContext } from './api.ts'
import type { WooConfig } from './config.ts'
import { plainText } from './order.ts'
import { Batch, Products, Variations } from './schemas.ts'

/** The most of one batch. */
const MAX_BATCH = 100
const parseProducts = (json: unknown) => readShape(Products, json, 'WooCommerce GET /products')
const parseVariations = (json: unknown) => readShape(Variations, json, 'WooCommerce GET /products/…/variations')
const variationsPath = (productId: string) => `/products/${encodeURIComponent(productId)}/variations`

/** `productId` null: products; else variations of that one. At most 100. */
export const batchRequest = (productId: string | null, levels: { id: number; quantity: number }[]): Call => ({
  method: 'POST',
  path: `${productId === null ? '/products' : variationsPath(productId)}/batch`,
  body: { update: levels.map(({ id, quantity }) => ({ id, manage_stock: true, stock_quantity: quantity })) },
  write: true,
})

const titleOf = (name: string | null | undefined) => (name ? plainText(name) : null)

/** Products that are variable are sold as their variations; groups and links elsewhere are not sold here. */
async function* listed(ctx: WooContext) {
  for await (const products of pages(ctx, '/products', parseProducts)) {
    for (const product of products) {
      if (product.type === 'grouped' || product.type === 'external') continue
      if (product.type !== 'variable' && product.type !== 'variable-subscription') yield { product, variations: null }
      else
        for await (const variations of pages(ctx, variationsPath(String(product.id)), parseVariations))
          yield { product, variations }
    }
  }
}

async function* listListings(ctx: WooContext): AsyncGenerator<Listing[]> {
  for await (const { product, variations } of listed(ctx)) {
    const listingId = String(product.id)
    const title = titleOf(product.name)
    if (variations === null) yield [{ listingId, variantId: null, externalSku: product.sku?.trim() || null, title }]
    else
      yield variations.map((variation) => ({
        listingId,
        variantId: String(variation.id),
        externalSku: variation.sku?.trim() || null,
        title: [title, ...(variation.attributes ?? []).map((attribute) => attribute.option)].filter(Boolean).join(' ') || null,
      }))
  }
}

async function* read(ctx: WooContext): AsyncGenerator<ExternalLevel[]> {
  const location = ctx.connection.config.stockLocation
  for await (const { product, variations } of listed(ctx)) {
    const levels = (variations ?? [product]).flatMap((each) => {
      const sku = each.sku?.trim()
      // `parent`: the product counts for all its variations, which then have no level of their own.
      if (!sku || each.manage_stock !== true || typeof each.stock_quantity !== 'number') return []
      const onHand = Math.trunc(each.stock_quantity)
      return [{ externalSku: sku, externalLocation: 'shop', location, onHand, at: null }]
    })
    if (levels.length > 0) yield levels
  }
}

/** One batch for the products, one for each product with variations. Absolute levels: repeating a batch changes nothing. */
async function push(ctx: WooContext, levels: ListingLevel[]): Promise<ListingOutcome[]> {
  const outcomes = new Map<ListingLevel, ListingOutcome['error']>()
  const groups = new Map<string | null, ListingLevel[]>()
  for (const level of levels) {
    const key = level.variantId === null ? null : level.listingId
    groups.set(key, [...(groups.get(key) ?? []), level])
  }
  for (const [productId, group] of groups) {
    const asked = group.map((level) => ({ id: Number(level.variantId ?? level.listingId), quantity: level.quantity }))
    const { json } = await send(ctx, batchRequest(productId, asked))
    const answers = readShape(Batch, json, 'WooCommerce POST …/batch').update ?? []
    for (const [at, level] of group.entries()) {
      const answer = answers.find((each) => each.id === asked[at]?.id)
      const refused = answer ? answer.error : { code: 'no-answer', message: 'the batch does not answer for it' }
      outcomes.set(level, refused ? { kind: 'Rejected', code: refused.code, message: refused.message ?? refused.code } : null)
    }
  }
  return levels.map((level) => ({ listingId: level.listingId, variantId: level.variantId, error: outcomes.get(level) ?? null }))
}

export const stock: StockSide<WooConfig> = { batchSize: MAX_BATCH, listListings, push, read }
