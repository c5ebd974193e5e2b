/** Levels both ways. What buyers can buy is `available`, what lies there `on_hand`; the shop keeps both by inventory item and location. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import { followPages } from '../kit/paging.ts'
import type { ExternalLevel, Listing, ListingLevel, ListingOutcome, StockSide } from '../kit/types.ts'
import { ask, gid, numberOf, UserErrors, type GraphqlCall, type ShopifyContext } from './api.ts'
import type { ShopifyConfig } from './config.ts'
import { PageInfo, parseShop, shopRequest } from './queries.ts'

/** Orders placed between reading and writing make a level stale: then it is read and written again, so often at most. */
const MAX_WRITES = 4

const query = (operation: string, text: string, variables: Record<string, unknown>): GraphqlCall => ({
  operation,
  query: `query ${operation}${text}`,
  variables,
  write: false,
})

// ── What is offered ─────────────────────────────────────────────────────────────────────────────────────────────
export const variantsRequest = (first: number, after: string | null): GraphqlCall =>
  query(
    'variants',
    `($first: Int!, $after: String) { productVariants(first: $first, after: $after) { nodes { id sku displayName product { id } } pageInfo { hasNextPage endCursor } } }`,
    { first, after },
  )
const Variants = z.object({
  productVariants: z.object({
    nodes: z.array(
      z.object({
        id: z.string(),
        sku: z.string().nullish(),
        displayName: z.string().nullish(),
        product: z.object({ id: z.string() }),
      }),
    ),
    pageInfo: PageInfo,
  }),
})
async function* listListings(ctx: ShopifyContext): AsyncGenerator<Listing[]> {
  const { pageSize } = ctx.connection.config
  const pages = followPages(async (after: string | null) => {
    const data = await ask(ctx, variantsRequest(pageSize, after))
    const { nodes, pageInfo } = readShape(Variants, data, 'Shopify productVariants').productVariants
    return { items: nodes, next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null }
  }, 'Shopify productVariants')
  for await (const page of pages)
    yield page.map(({ id, sku, displayName, product }) => ({
      listingId: numberOf(product.id),
      variantId: numberOf(id),
      externalSku: sku?.trim() || null,
      title: displayName?.trim() || null,
    }))
}

// ── What lies there ─────────────────────────────────────────────────────────────────────────────────────────────
export const levelsRequest = (locationId: string, first: number, after: string | null): GraphqlCall =>
  query(
    'levels',
    `($id: ID!, $first: Int!, $after: String) { location(id: $id) { inventoryLevels(first: $first, after: $after) { nodes { item { sku tracked } quantities(names: ["on_hand"]) { name quantity updatedAt } } pageInfo { hasNextPage endCursor } } } }`,
    { id: gid('Location', locationId), first, after },
  )
const Quantities = z.array(z.object({ name: z.string(), quantity: z.number().int(), updatedAt: z.string().nullish() }))
const Levels = z.object({
  location: z
    .object({
      inventoryLevels: z.object({
        nodes: z.array(z.object({ item: z.object({ sku: z.string().nullish(), tracked: z.boolean() }), quantities: Quantities })),
        pageInfo: PageInfo,
      }),
    })
    .nullable(),
})
async function* read(ctx: ShopifyContext): AsyncGenerator<ExternalLevel[]> {
  const { locations, pageSize } = ctx.connection.config
  for (const { id } of parseShop(await ask(ctx, shopRequest())).locations.nodes) {
    const externalLocation = numberOf(id)
    const pages = followPages(async (after: string | null) => {
      const data = await ask(ctx, levelsRequest(id, pageSize, after))
      const found = readShape(Levels, data, 'Shopify inventoryLevels').location?.inventoryLevels
      return { items: found?.nodes ?? [], next: found?.pageInfo.hasNextPage ? (found.pageInfo.endCursor ?? null) : null }
    }, 'Shopify inventoryLevels')
    for await (const page of pages)
      yield page.flatMap(({ item, quantities }) => {
        const sku = item.sku?.trim()
        const [onHand] = quantities
        if (!sku || !item.tracked || !onHand) return []
        const location = locations[externalLocation] ?? null
        return [{ externalSku: sku, externalLocation, location, onHand: onHand.quantity, at: onHand.updatedAt ?? null }]
      })
  }
}

// ── What shall be shown ─────────────────────────────────────────────────────────────────────────────────────────
export const currentRequest = (variantIds: string[], locationId: string): GraphqlCall =>
  query(
    'currentLevels',
    `($ids: [ID!]!, $locationId: ID!) { nodes(ids: $ids) { ... on ProductVariant { id inventoryItem { id tracked inventoryLevel(locationId: $locationId) { quantities(names: ["available"]) { name quantity updatedAt } } } } } }`,
    { ids: variantIds.map((id) => gid('ProductVariant', id)), locationId: gid('Location', locationId) },
  )
const Current = z.object({
  nodes: z.array(
    z
      .object({
        id: z.string(),
        inventoryItem: z.object({
          id: z.string(),
          tracked: z.boolean(),
          inventoryLevel: z.object({ quantities: Quantities }).nullable(),
        }),
      })
      .nullable(),
  ),
})

export interface Change {
  variantId: string
  inventoryItemId: string
  quantity: number
  changeFromQuantity: number
}
/** Compare-and-swap: refused when it is not `changeFromQuantity` any more, so that a sale made meanwhile is not undone. */
export const setRequest = (locationId: string, changes: Change[], key: string): GraphqlCall => ({
  operation: 'inventorySetQuantities',
  query: `mutation inventorySetQuantities($input: InventorySetQuantitiesInput!, $key: String!) { inventorySetQuantities(input: $input) @idempotent(key: $key) { inventoryAdjustmentGroup { id } userErrors { field message code } } }`,
  variables: {
    key,
    input: {
      name: 'available',
      reason: 'correction',
      referenceDocumentUri: `omnisaga://levels/${key}`,
      quantities: changes.map(({ inventoryItemId, quantity, changeFromQuantity }) => ({
        inventoryItemId,
        locationId: gid('Location', locationId),
        quantity,
        changeFromQuantity,
      })),
    },
  },
  write: true,
})
export const parseSet = (data: unknown): UserErrors =>
  readShape(z.object({ inventorySetQuantities: z.object({ userErrors: UserErrors }) }), data, 'Shopify inventorySetQuantities')
    .inventorySetQuantities.userErrors

/** Of `input.quantities.3.quantity` 3. */
const indexOf = (field: string[] | null | undefined): number | null => {
  const at = field?.indexOf('quantities') ?? -1
  const index = at < 0 ? Number.NaN : Number(field?.[at + 1])
  return Number.isInteger(index) ? index : null
}
const BUSY = new Set(['CHANGE_FROM_QUANTITY_STALE', 'COMPARE_QUANTITY_STALE', 'IDEMPOTENCY_CONCURRENT_REQUEST'])

/** @throws Misconfigured when it must be named, or does not exist. */
export async function writtenLocation(ctx: ShopifyContext): Promise<string> {
  const found = parseShop(await ask(ctx, shopRequest())).locations.nodes
  const wished = ctx.connection.config.stockLocationId
  const [only] = found
  if (wished === null && found.length === 1 && only) return numberOf(only.id)
  if (wished !== null && found.some(({ id }) => numberOf(id) === numberOf(wished))) return numberOf(wished)
  throw new OmnisagaError('Misconfigured', `location ${wished ?? '(none named)'} is not one of the shop's ${found.length}`, {
    code: 'stock-location',
    remedy: `Set stockLocationId to one of ${found.map(({ id, name }) => `${numberOf(id)} (${name})`).join(', ')}.`,
  })
}

const refusal = (code: string, message: string): ListingOutcome['error'] => ({ kind: 'Rejected', code, message })

async function push(ctx: ShopifyContext, levels: ListingLevel[]): Promise<ListingOutcome[]> {
  const location = await writtenLocation(ctx)
  const errors = new Map<string, ListingOutcome['error']>()
  const fail = (variantId: string, code: string, message: string) => errors.set(variantId, refusal(code, message))
  let open = new Map(levels.flatMap(({ variantId, quantity }) => (variantId === null ? [] : [[variantId, quantity] as const])))
  for (let write = 0; open.size > 0; write++) {
    if (write === MAX_WRITES)
      throw new OmnisagaError('Transient', `Shopify: ${open.size} levels keep changing while they are written`, {
        code: 'moving',
      })
    const asked = [...open.keys()]
    const { nodes } = readShape(Current, await ask(ctx, currentRequest(asked, location)), 'Shopify nodes')
    const changes = asked.flatMap((variantId, at): Change[] => {
      const item = nodes[at]?.inventoryItem
      const quantity = open.get(variantId) ?? 0
      const now = item?.inventoryLevel?.quantities[0]?.quantity
      if (!item) fail(variantId, 'no-variant', 'the shop has no such variant')
      else if (!item.tracked) fail(variantId, 'not-tracked', 'the shop does not count stock of this variant')
      else if (now === undefined) fail(variantId, 'not-stocked', 'the variant is not stocked at the location')
      else if (now !== quantity) return [{ variantId, inventoryItemId: item.id, quantity, changeFromQuantity: now }]
      return []
    })
    if (changes.length === 0) break
    // A new key each time: an answer that was lost is found by reading, and a key that failed is not taken again.
    const told = parseSet(await ask(ctx, setRequest(location, changes, randomUUID())))
    if (told.length === 0) break
    // All or nothing: what is refused for good is left out, the rest is read and written again.
    open = new Map(changes.map(({ variantId, quantity }) => [variantId, quantity]))
    for (const { field, message, code } of told) {
      if (BUSY.has(code ?? '')) continue
      const index = indexOf(field)
      const refused = index === null ? changes : changes.slice(index, index + 1)
      for (const { variantId } of refused) {
        fail(variantId, code ?? 'refused', message.slice(0, 200))
        open.delete(variantId)
      }
    }
  }
  return levels.map(({ listingId, variantId }) => ({
    listingId,
    variantId,
    error: variantId === null ? refusal('no-variant', 'Shopify keeps levels by variant') : (errors.get(variantId) ?? null),
  }))
}

export const stock: StockSide<ShopifyConfig> = { batchSize: 100, listListings, push, read }
