/** What a channel offers, looked through: listings whose number is our SKU, or a known alias, mean it; the rest waits for a person. */
import { OmnisagaError } from '../domain/errors.ts'
import { transaction } from '../store/db.ts'
import { refuseUnknownProducts } from '../store/products.ts'
import {
  acceptProposals,
  forgetUnseen,
  ignoreListing,
  listListings,
  resendLevels,
  seeListings,
  setListing,
  type ListingEntry,
  type ListingRow,
} from '../store/listings.ts'
import { takeDue } from '../store/stockSides.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import type { Runtime } from './runtime.ts'
import { inLane, soonerAfterFailure } from './stockLanes.ts'
import { nameOf } from './stockLevels.ts'

export interface ListingRound {
  seen: number
  forgotten: number
  unmapped: number
}

export async function startLooking(runtime: Runtime): Promise<number> {
  for (const connection of await takeDue(runtime.pool, 'list'))
    inLane(runtime, 'list', connection, () =>
      soonerAfterFailure(runtime, 'list', connection, () => findListings(runtime, connection)),
    )
  return 0
}

/** The same because a person asks for it. @throws Invalid when the other system has no list of what it offers. */
export async function lookThrough(runtime: Runtime, connection: string): Promise<ListingRound> {
  const connector = await runtime.connectorOf(connection)
  if (connector.stock?.listListings !== undefined) return await findListings(runtime, connection)
  throw new OmnisagaError(
    'Invalid',
    `${connection} (${connector.name}) has no list of what it offers, so it cannot be looked through`,
    {
      code: 'listings',
      remedy: `Say what each listing means: omnisaga listings map ${connection} LISTING --sku SKU, or "listings" in the configuration file.`,
    },
  )
}

/** Every listing of the channel, page by page, each page stored before the next is asked for. */
export async function findListings(runtime: Runtime, connection: string): Promise<ListingRound> {
  const { connector, context } = await runtime.connection(connection)
  const channel = connector.identity?.(context.connection).channel ?? connector.name
  const [clock] = (await runtime.pool.query<{ now: Date }>('select clock_timestamp() as now')).rows
  let seen = 0
  let forgotten = 0
  if (connector.stock?.listListings !== undefined) {
    for await (const page of connector.stock.listListings(context)) {
      await seeListings(runtime.pool, connection, channel, page)
      seen += page.length
    }
    // An account that suddenly offers nothing is more likely to be a fault than an empty shop.
    if (seen > 0 && clock) forgotten = await forgetUnseen(runtime.pool, connection, clock.now)
  }
  // What came by file may have become known since.
  await acceptProposals(runtime.pool, connection, channel)
  await nameOf(runtime, connection)
  const unmapped = await tellUnmapped(runtime, connection)
  await runtime.pool.query('update stock_sides set last_list = $2 where connection = $1', [
    connection,
    { at: new Date().toISOString(), seen, forgotten, unmapped },
  ])
  return { seen, forgotten, unmapped }
}

/** One task a connection, not one a listing. */
export async function tellUnmapped(runtime: Runtime, connection: string): Promise<number> {
  const key = `stock:${connection}:unmapped`
  const count = Number(
    (
      await runtime.pool.query<{ n: number }>(
        `select count(*) as n from listings l where l.connection = $1 and not l.ignored and not exists (
           select from listing_parts p where p.connection = l.connection and p.listing_id = l.listing_id and p.variant_id = l.variant_id)`,
        [connection],
      )
    ).rows[0]?.n ?? 0,
  )
  if (count === 0) {
    await closeTasks(runtime.pool, { key }, 'every listing means something')
    return 0
  }
  const some = await listListings(runtime.pool, { connection, state: 'unmapped', limit: 20 })
  const named = some.map(({ listingId, variantId, externalSku, title }) =>
    [[listingId, variantId].filter(Boolean).join('/'), externalSku, title].filter(Boolean).join(' '),
  )
  await openTask(runtime.pool, {
    kind: 'listings.unmapped',
    key,
    connection,
    subject: connection,
    title: `${count} ${count === 1 ? 'listing' : 'listings'} of ${connection} mean none of our SKUs`,
    detail: named.join('; ') + (count > some.length ? `; and ${count - some.length} more` : ''),
    remedy: `Say what each means (omnisaga listings map ${connection} LISTING --sku SKU), or ignore it. They are told no stock level until then.`,
    field: 'listings',
    value: some.map(({ listingId }) => listingId).join(', '),
    actions: ['skip'],
  })
  return count
}

type Named = { connection: string; listingId: string; variantId: string | null }

async function named(runtime: Runtime, { connection, listingId, variantId }: Named): Promise<ListingRow | undefined> {
  const rows = await listListings(runtime.pool, { connection, listingId, limit: 10_000 })
  return rows.find((row) => row.variantId === variantId)
}

/** A person says what a listing means. @throws Invalid: no such connection, or a SKU that is no product. */
export async function mapListing(runtime: Runtime, entry: ListingEntry): Promise<ListingRow | undefined> {
  await runtime.connectorOf(entry.connection)
  await refuseUnknownProducts(
    runtime.pool,
    entry.skus.map(({ sku }) => sku),
  )
  await transaction(runtime.pool, (tx) => setListing(tx, entry, 'person'))
  await tellUnmapped(runtime, entry.connection)
  return await named(runtime, entry)
}

/** A person says that a listing is not ours to keep. @throws Invalid when there is no such listing. */
export async function leaveListing(runtime: Runtime, which: Named): Promise<ListingRow | undefined> {
  const found = await transaction(runtime.pool, (tx) => ignoreListing(tx, which.connection, which.listingId, which.variantId))
  if (!found)
    throw new OmnisagaError(
      'Invalid',
      `${which.connection} has no listing ${[which.listingId, which.variantId].filter(Boolean).join('/')}`,
      {
        code: 'listing',
        remedy: 'See them with `omnisaga listings`, or look through the channel with `omnisaga listings find`.',
      },
    )
  await tellUnmapped(runtime, which.connection)
  return await named(runtime, which)
}

/** Computes and tells everything anew, as when somebody has edited levels at the channel. @returns how many it will be told. */
export async function tellAgain(runtime: Runtime, connection: string): Promise<number> {
  const side = await runtime.pool.query(
    'update stock_sides set recompute = true, push_after = now() where connection = $1 and push',
    [connection],
  )
  if (side.rowCount === 0)
    throw new OmnisagaError('Invalid', `${connection} is told no stock levels`, {
      code: 'no-push',
      remedy: 'Set "push": true in its section "stock" and apply the file.',
    })
  return await resendLevels(runtime.pool, connection)
}
