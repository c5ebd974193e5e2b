/** Levels both ways, by variation and location: IN_STOCK is what can be sold. */
import { randomUUID } from 'node:crypto'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import { followPages } from '../kit/paging.ts'
import type { ExternalLevel, Listing, ListingLevel, ListingOutcome, StockSide } from '../kit/types.ts'
import { ask, exchange, refusal, type Call, type SquareContext } from './api.ts'
import type { SquareConfig } from './config.ts'
import { skusOf } from './pull.ts'
import { Catalog, Counts } from './schemas.ts'

const listRequest = (cursor: string | null): Call => ({
  method: 'GET',
  path: '/v2/catalog/list',
  query: { types: 'ITEM', cursor: cursor ?? undefined },
})
export const countsRequest = (args: { ids?: string[]; locations: string[]; cursor: string | null }): Call => ({
  method: 'POST',
  path: '/v2/inventory/counts/batch-retrieve',
  body: {
    ...(args.ids ? { catalog_object_ids: args.ids } : {}),
    location_ids: args.locations,
    states: ['IN_STOCK'],
    ...(args.cursor === null ? {} : { cursor: args.cursor }),
  },
})
export const parseCounts = (json: unknown) => {
  const { counts, cursor } = readShape(Counts, json, 'Square inventory counts')
  return { items: (counts ?? []).filter(({ state }) => state === 'IN_STOCK'), next: cursor || null }
}

async function* listListings(ctx: SquareContext): AsyncGenerator<Listing[]> {
  const pages = followPages(async (cursor: string | null) => {
    const { objects, cursor: next } = readShape(Catalog, await ask(ctx, listRequest(cursor)), 'Square catalog')
    return { items: objects ?? [], next: next || null }
  }, 'Square catalog')
  for await (const page of pages)
    yield page.flatMap(({ id, item_data: item }) =>
      (item?.variations ?? []).map(({ id: variantId, item_variation_data: variation }) => ({
        listingId: id,
        variantId,
        externalSku: variation?.sku?.trim() || null,
        title: [item?.name, variation?.name].filter(Boolean).join(' ') || null,
      })),
    )
}

async function* read(ctx: SquareContext): AsyncGenerator<ExternalLevel[]> {
  const { locations } = ctx.connection.config
  const asked = Object.keys(locations)
  const pages = followPages(async (cursor: string | null) =>
    parseCounts(await ask(ctx, countsRequest({ locations: asked, cursor }))),
  )
  for await (const page of pages) {
    const skus = await skusOf(
      ctx,
      page.map((count) => count.catalog_object_id),
    )
    yield page.flatMap(({ catalog_object_id: id, location_id: externalLocation, quantity, calculated_at: at }) => {
      const sku = skus.get(id)
      const onHand = Number(quantity)
      if (!sku || !externalLocation || !Number.isInteger(onHand)) return []
      return [{ externalSku: sku, externalLocation, location: locations[externalLocation] ?? null, onHand, at: at ?? null }]
    })
  }
}

/** Absolute counts; `occurredAt` may be at most a day old. */
export const setRequest = (args: {
  key: string
  location: string
  occurredAt: Date
  levels: { variantId: string; quantity: number; version: number }[]
}): Call => ({
  method: 'POST',
  path: '/v2/inventory/changes/batch-create',
  body: {
    idempotency_key: args.key,
    changes: args.levels.map(({ variantId, quantity, version }) => ({
      type: 'PHYSICAL_COUNT',
      physical_count: {
        reference_id: `omnisaga-${version}`,
        catalog_object_id: variantId,
        state: 'IN_STOCK',
        location_id: args.location,
        quantity: String(quantity),
        occurred_at: args.occurredAt.toISOString(),
      },
    })),
    ignore_unchanged_counts: true,
  },
  write: true,
})

/** @throws Misconfigured when it must be named. */
export function writtenLocation({ stockLocationId, locations }: SquareConfig): string {
  const [only, ...others] = Object.keys(locations)
  if (stockLocationId !== null && stockLocationId in locations) return stockLocationId
  if (stockLocationId === null && only !== undefined && others.length === 0) return only
  throw new OmnisagaError('Misconfigured', `stockLocationId ${stockLocationId ?? '(none)'} is not one of locations`, {
    code: 'stock-location',
    remedy: `Set stockLocationId to one of ${Object.keys(locations).join(', ')}.`,
  })
}

const refused = (code: string, message: string): ListingOutcome['error'] => ({ kind: 'Rejected', code, message })
/** Of `changes[3].physical_count.catalog_object_id` 3. */
const indexOf = (field: string | null | undefined): number | null => {
  const at = /^changes\[(\d+)\]/.exec(field ?? '')?.[1]
  return at === undefined ? null : Number(at)
}

async function push(ctx: SquareContext, levels: ListingLevel[]): Promise<ListingOutcome[]> {
  const location = writtenLocation(ctx.connection.config)
  const errors = new Map<string, ListingOutcome['error']>()
  const newest = new Map(
    levels.flatMap(({ variantId, quantity, version }) =>
      variantId === null ? [] : [[variantId, { variantId, quantity, version }] as const],
    ),
  )
  // What is shown already is not counted again: a count whose answer was lost, and a sale since, are both seen so.
  const shown = new Map<string, string>()
  const pages = followPages(async (cursor: string | null) =>
    parseCounts(await ask(ctx, countsRequest({ ids: [...newest.keys()], locations: [location], cursor }))),
  )
  if (newest.size > 0)
    for await (const page of pages) for (const count of page) shown.set(count.catalog_object_id, count.quantity)
  let open = [...newest.values()].filter(({ variantId, quantity }) => shown.get(variantId) !== String(quantity))
  while (open.length > 0) {
    const call = setRequest({ key: randomUUID(), location, occurredAt: ctx.now(), levels: open })
    const { status, errors: told } = await exchange(ctx, call)
    if (status < 400 && told.length === 0) break
    // All or nothing: what is refused is left out, the rest is written again.
    const indexes = new Set(told.map(({ field }) => indexOf(field)))
    const known = open.filter((_, at) => indexes.has(at))
    if (known.length === 0 || status === 403) throw refusal(status, `Square ${call.method} ${call.path}`, told)
    for (const [at, { variantId }] of open.entries()) {
      const error = told.find(({ field }) => indexOf(field) === at)
      if (error) errors.set(variantId, refused(error.code, `Square refuses it: ${error.code}`))
    }
    open = open.filter((level) => !known.includes(level))
  }
  return levels.map(({ listingId, variantId }) => ({
    listingId,
    variantId,
    error: variantId === null ? refused('no-variant', 'Square keeps levels by variation') : (errors.get(variantId) ?? null),
  }))
}

export const stock: StockSide<SquareConfig> = { batchSize: 100, listListings, push, read }
