/**
 * Levels both ways. What a customer can buy is on hand less what Vendure itself has allocated to placed orders (less its
 * threshold): so a level to show is written as on hand = level + allocated.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { pullKeyset } from '../kit/keyset.ts'
import { readShape } from '../kit/json.ts'
import type { ExternalLevel, Listing, ListingLevel, ListingOutcome, StockSide } from '../kit/types.ts'
import type { GraphqlCall } from './api.ts'
import type { VendureConfig } from './config.ts'
import { ask, type VendureContext } from './session.ts'

const MAX_TAKE = 1000
/** Orders placed between reading and writing change what is allocated: then it is written again, so often at most. */
const MAX_WRITES = 3

const Level = z.object({
  stockLocationId: z.string(),
  stockOnHand: z.number().int(),
  stockAllocated: z.number().int(),
  updatedAt: z.string(),
})
const Variant = z.object({
  id: z.string(),
  createdAt: z.string(),
  sku: z.string().nullish(),
  name: z.string().nullish(),
  trackInventory: z.string(),
  product: z.object({ id: z.string() }),
  stockLevels: z.array(Level),
})
type Variant = z.infer<typeof Variant>
const FIELDS = `id createdAt sku name trackInventory product { id }
  stockLevels { stockLocationId stockOnHand stockAllocated updatedAt }`
const LIST = `query variants($options: ProductVariantListOptions) { productVariants(options: $options) { items { ${FIELDS} } } }`

export const variantsRequest = (args: { start: Date; take: number }): GraphqlCall => ({
  operation: 'variants',
  query: LIST,
  variables: { options: { filter: { createdAt: { after: args.start } }, sort: { createdAt: 'ASC' }, take: args.take } },
  write: false,
})
export const variantsByIdRequest = (ids: string[]): GraphqlCall => ({
  operation: 'variants',
  query: LIST,
  variables: { options: { filter: { id: { in: ids } }, take: ids.length } },
  write: false,
})
export const parseVariants = (data: unknown): Variant[] =>
  readShape(z.object({ productVariants: z.object({ items: z.array(Variant) }) }), data, 'Vendure variants').productVariants.items

export const updateVariantsRequest = (stockLocationId: string, levels: { id: string; stockOnHand: number }[]): GraphqlCall => ({
  operation: 'updateProductVariants',
  query: `mutation updateProductVariants($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { ${FIELDS} } }`,
  variables: { input: levels.map(({ id, stockOnHand }) => ({ id, stockLevels: [{ stockLocationId, stockOnHand }] })) },
  write: true,
})
export const parseUpdateVariants = (data: unknown): Variant[] =>
  readShape(
    z.object({ updateProductVariants: z.array(Variant.nullable()) }),
    data,
    'Vendure updateProductVariants',
  ).updateProductVariants.filter((variant) => variant !== null)

export const stockLocationsRequest = (): GraphqlCall => ({
  operation: 'stockLocations',
  query: 'query stockLocations { stockLocations { items { id name } } }',
  variables: {},
  write: false,
})
export const parseStockLocations = (data: unknown): { id: string; name: string }[] =>
  readShape(
    z.object({ stockLocations: z.object({ items: z.array(z.object({ id: z.string(), name: z.string() })) }) }),
    data,
    'Vendure stockLocations',
  ).stockLocations.items

/** @throws Misconfigured when it must be named, or does not exist. */
export async function writtenLocation(ctx: VendureContext): Promise<string> {
  const found = parseStockLocations(await ask(ctx, stockLocationsRequest()))
  const wished = ctx.connection.config.stockLocationId
  if (wished === null && found.length === 1 && found[0]) return found[0].id
  if (wished !== null && found.some(({ id }) => id === wished)) return wished
  throw new OmnisagaError(
    'Misconfigured',
    `the shop's stock location ${wished ?? '(none named)'} is not one of its ${found.length}`,
    {
      code: 'stock-location',
      remedy: `Set stockLocationId to one of ${found.map(({ id, name }) => `${id} (${name})`).join(', ')}.`,
    },
  )
}

/** By the time they were made, which never changes. `after` leaves out its own instant, so a page begins a millisecond before it. */
const variants = (ctx: VendureContext): AsyncGenerator<Variant[]> =>
  pullKeyset(
    {
      what: 'Vendure variants',
      page: async (start, take) =>
        parseVariants(await ask(ctx, variantsRequest({ start: new Date(Math.max(0, start.getTime() - 1)), take }))),
      idOf: ({ id }) => id,
      timeOf: ({ createdAt }) => new Date(createdAt),
      take: ctx.connection.config.pageSize,
      maxTake: MAX_TAKE,
    },
    new Date(0),
  )

async function* listListings(ctx: VendureContext): AsyncGenerator<Listing[]> {
  for await (const page of variants(ctx))
    yield page.map(({ id, sku, name, product }) => ({
      listingId: product.id,
      variantId: id,
      externalSku: sku?.trim() || null,
      title: name?.trim() || null,
    }))
}

async function* read(ctx: VendureContext): AsyncGenerator<ExternalLevel[]> {
  const { locations } = ctx.connection.config
  for await (const page of variants(ctx))
    yield page.flatMap(({ sku, trackInventory, stockLevels }) =>
      trackInventory === 'FALSE' || !sku?.trim()
        ? []
        : stockLevels.map(({ stockLocationId, stockOnHand, updatedAt }) => ({
            externalSku: sku.trim(),
            externalLocation: stockLocationId,
            location: locations[stockLocationId] ?? null,
            onHand: stockOnHand,
            at: updatedAt,
          })),
    )
}

const refusal = (code: string, message: string): ListingOutcome['error'] => ({ kind: 'Rejected', code, message })

async function push(ctx: VendureContext, levels: ListingLevel[]): Promise<ListingOutcome[]> {
  const location = await writtenLocation(ctx)
  const allocatedOf = ({ stockLevels }: Variant) =>
    stockLevels.find(({ stockLocationId }) => stockLocationId === location)?.stockAllocated ?? 0
  const ids = levels.flatMap(({ variantId }) => variantId ?? [])
  const found = new Map(parseVariants(await ask(ctx, variantsByIdRequest(ids))).map((variant) => [variant.id, variant]))
  const errorOf = ({ variantId }: ListingLevel): ListingOutcome['error'] => {
    const variant = variantId === null ? undefined : found.get(variantId)
    if (!variant) return refusal('no-variant', 'the shop has no such variant')
    return variant.trackInventory === 'FALSE' ? refusal('not-tracked', 'the shop does not count stock of this variant') : null
  }
  const outcomes = levels.map((level) => ({ listingId: level.listingId, variantId: level.variantId, error: errorOf(level) }))
  // One unknown variant would refuse the whole batch; those are out already.
  let open = levels.flatMap((level, at) => {
    const variant = outcomes[at]?.error === null ? found.get(level.variantId ?? '') : undefined
    return variant ? [{ id: variant.id, quantity: level.quantity, allocated: allocatedOf(variant) }] : []
  })
  for (let write = 0; open.length > 0 && write < MAX_WRITES; write++) {
    const wanted = open.map(({ id, quantity, allocated }) => ({ id, stockOnHand: quantity + allocated }))
    const written = parseUpdateVariants(await ask(ctx, updateVariantsRequest(location, wanted)))
    const now = new Map(written.map((variant) => [variant.id, allocatedOf(variant)]))
    open = open
      .filter(({ id, allocated }) => (now.get(id) ?? allocated) !== allocated)
      .map((level) => ({ ...level, allocated: now.get(level.id) ?? level.allocated }))
  }
  return outcomes
}

export const stock: StockSide<VendureConfig> = { batchSize: 100, listListings, push, read }
