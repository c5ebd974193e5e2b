/**
 * Levels both ways. What a customer can buy is what is stocked less what Medusa itself has reserved for placed orders: so a level to
 * show is written as stocked = level + reserved.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import { followPages } from '../kit/paging.ts'
import type { ExternalLevel, Listing, ListingLevel, ListingOutcome, StockSide } from '../kit/types.ts'
import {
  inventoryRequest,
  levelsRequest,
  parseInventory,
  parseLevels,
  parseStockLocations,
  parseVariants,
  stockLocationsRequest,
  variantsByIdRequest,
  variantsRequest,
  type MedusaCall,
  type Variant,
} from './api.ts'
import type { MedusaConfig } from './config.ts'
import { ask, type MedusaContext } from './session.ts'

/** Orders placed between reading and writing change what is reserved: then it is written again, so often at most. */
const MAX_WRITES = 3

/** @throws Misconfigured when it must be named, or does not exist. */
export async function writtenLocation(ctx: MedusaContext): Promise<string> {
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

const pages = <T>(
  ctx: MedusaContext,
  request: (at: { offset: number; limit: number }) => MedusaCall,
  parse: (json: unknown) => T[],
) => {
  const limit = ctx.connection.config.pageSize
  return followPages<T, number>(async (offset) => {
    const items = parse(await ask(ctx, request({ offset: offset ?? 0, limit })))
    return { items, next: items.length < limit ? null : (offset ?? 0) + limit }
  }, 'Medusa list')
}

async function* listListings(ctx: MedusaContext): AsyncGenerator<Listing[]> {
  for await (const page of pages(ctx, variantsRequest, parseVariants))
    yield page.map((variant) => ({
      listingId: variant.product_id,
      variantId: variant.id,
      externalSku: variant.sku?.trim() || null,
      title: [variant.product?.title, variant.title].filter(Boolean).join(' ') || null,
    }))
}

async function* read(ctx: MedusaContext): AsyncGenerator<ExternalLevel[]> {
  const { locations } = ctx.connection.config
  for await (const page of pages(ctx, inventoryRequest, parseInventory))
    yield page.flatMap(({ sku, location_levels: levels }) =>
      sku?.trim()
        ? (levels ?? []).map((level) => ({
            externalSku: sku.trim(),
            externalLocation: level.location_id,
            location: locations[level.location_id] ?? null,
            onHand: level.stocked_quantity,
            at: level.updated_at ?? null,
          }))
        : [],
    )
}

type Refusal = NonNullable<ListingOutcome['error']>
const refusal = (code: string, message: string): Refusal => ({ kind: 'Rejected', code, message })

/** The one item that a variant is counted by, and what is reserved of it; or why there is none. */
function itemOf(variant: Variant | undefined, location: string): { item: string; reserved: number } | Refusal {
  if (!variant) return refusal('no-variant', 'the shop has no such variant')
  const [only, ...others] = variant.inventory_items ?? []
  if (!variant.manage_inventory || !only) return refusal('not-tracked', 'the shop does not count stock of this variant')
  if (others.length > 0 || only.required_quantity !== 1)
    return refusal('kit', 'the shop counts this variant by the parts of a kit: push those')
  const level = only.inventory?.location_levels?.find(({ location_id: id }) => id === location)
  if (!level) return refusal('not-stocked', "the variant is not stocked at the shop's location")
  return { item: only.inventory_item_id, reserved: level.reserved_quantity }
}

async function push(ctx: MedusaContext, levels: ListingLevel[]): Promise<ListingOutcome[]> {
  const location = await writtenLocation(ctx)
  const ids = [...new Set(levels.flatMap(({ variantId }) => variantId ?? []))]
  const found = new Map(
    ids.length === 0 ? [] : parseVariants(await ask(ctx, variantsByIdRequest(ids))).map((variant) => [variant.id, variant]),
  )
  const parts = levels.map((level) => ({ level, part: itemOf(found.get(level.variantId ?? ''), location) }))
  let open = parts.flatMap(({ level, part }) => ('item' in part ? [{ ...part, quantity: level.quantity }] : []))
  for (let write = 0; open.length > 0 && write < MAX_WRITES; write++) {
    const update = open.map(({ item, quantity, reserved }) => ({
      inventory_item_id: item,
      location_id: location,
      stocked_quantity: Math.max(0, quantity + reserved),
    }))
    const written = new Map(parseLevels(await ask(ctx, levelsRequest(update))).map((level) => [level.inventory_item_id, level]))
    const reservedNow = (item: string, before: number) => written.get(item)?.reserved_quantity ?? before
    open = open
      .filter(({ item, reserved }) => reservedNow(item, reserved) !== reserved)
      .map((level) => ({ ...level, reserved: reservedNow(level.item, level.reserved) }))
  }
  return parts.map(({ level, part }) => ({
    listingId: level.listingId,
    variantId: level.variantId,
    error: 'item' in part ? null : part,
  }))
}

export const stock: StockSide<MedusaConfig> = { batchSize: 50, listListings, push, read }
