/** What a channel's item means: listing and variant, the channel's own SKU, our SKUs with their quantity. The one place that says so. */
import { z } from 'zod'
import { OmnisagaError } from '../domain/errors.ts'
import type { Queryable } from './db.ts'

export const ListingEntry = z.strictObject({
  connection: z.string(),
  listingId: z.string().min(1),
  variantId: z.string().min(1).nullable().default(null),
  externalSku: z.string().min(1).nullable().default(null).describe("The channel's own SKU, as its orders name it."),
  title: z.string().nullable().default(null),
  skus: z
    .array(z.strictObject({ sku: z.string().min(1), quantity: z.number().int().positive().default(1) }))
    .min(1)
    .describe('Our SKUs in one piece of it; several, or more than one piece of one, are a bundle.'),
})
export type ListingEntry = z.infer<typeof ListingEntry>

export interface ListingRow {
  connection: string
  listingId: string
  variantId: string | null
  externalSku: string | null
  title: string | null
  state: 'mapped' | 'unmapped' | 'ignored'
  source: 'found' | 'file' | 'person'
  skus: { sku: string; quantity: number }[]
  /** What the channel shall show, null when it is not told. */
  quantity: number | null
  /** What it shows, as far as is known. */
  told: number | null
  error: string | null
  seenAt: string | null
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
const variantKey = (variantId: string | null | undefined) => variantId ?? ''

/** A person or a file says what a listing means; that holds until one of them says otherwise. */
export async function setListing(db: Queryable, entry: ListingEntry, source: 'file' | 'person'): Promise<void> {
  const key = [entry.connection, entry.listingId, variantKey(entry.variantId)]
  const seen = new Set<string>()
  for (const { sku } of entry.skus) {
    if (seen.has(sku))
      throw new OmnisagaError('Invalid', `listing ${entry.listingId} names ${sku} twice`, {
        code: 'listing',
        remedy: 'name each SKU once, with its quantity',
      })
    seen.add(sku)
  }
  await db.query(
    `insert into listings (connection, listing_id, variant_id, external_sku, title, source) values ($1, $2, $3, $4, $5, $6)
     on conflict (connection, listing_id, variant_id) do update set external_sku = coalesce(excluded.external_sku, listings.external_sku),
       title = coalesce(excluded.title, listings.title), source = excluded.source, ignored = false, updated_at = now()`,
    [...key, entry.externalSku, entry.title, source],
  )
  await db.query('delete from listing_parts where connection = $1 and listing_id = $2 and variant_id = $3 and sku <> all($4)', [
    ...key,
    entry.skus.map(({ sku }) => sku),
  ])
  await db.query(
    `insert into listing_parts (connection, listing_id, variant_id, sku, quantity, position)
     select $1, $2, $3, u.sku, u.quantity, u.position from unnest($4::text[], $5::integer[]) with ordinality as u(sku, quantity, position)
     on conflict (connection, listing_id, variant_id, sku) do update set quantity = excluded.quantity, position = excluded.position`,
    [...key, entry.skus.map(({ sku }) => sku), entry.skus.map((part) => part.quantity)],
  )
  await markChanged(
    db,
    entry.skus.map(({ sku }) => sku),
  )
}

/** Not ours to keep: it is neither told levels nor asked about again. @returns false when there is no such listing. */
export async function ignoreListing(
  db: Queryable,
  connection: string,
  listingId: string,
  variantId: string | null,
): Promise<boolean> {
  const key = [connection, listingId, variantKey(variantId)]
  await db.query('delete from listing_levels where connection = $1 and listing_id = $2 and variant_id = $3', key)
  const { rowCount } = await db.query(
    `update listings set ignored = true, source = 'person', updated_at = now()
     where connection = $1 and listing_id = $2 and variant_id = $3`,
    key,
  )
  return rowCount === 1
}

const markChanged = (db: Queryable, skus: string[]) =>
  db.query('insert into stock_changes (sku) select unnest($1::text[])', [skus])

/**
 * A page of what a channel offers. A listing that nobody has mapped means our SKU when it has the same, or one that is known as an alias
 * of the channel; the rest waits for a person.
 */
export async function seeListings(
  db: Queryable,
  connection: string,
  channel: string | null,
  page: { listingId: string; variantId: string | null; externalSku: string | null; title: string | null }[],
): Promise<void> {
  await db.query(
    `insert into listings as t (connection, listing_id, variant_id, external_sku, title, source, seen_at)
     select distinct on (u.listing_id, u.variant_id) $1, u.listing_id, u.variant_id, u.external_sku, u.title, 'found', clock_timestamp()
     from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as u(listing_id, variant_id, external_sku, title)
     order by u.listing_id, u.variant_id
     on conflict (connection, listing_id, variant_id) do update set seen_at = excluded.seen_at,
       external_sku = coalesce(case when t.source <> 'found' then t.external_sku end, excluded.external_sku, t.external_sku), title = coalesce(excluded.title, t.title)`,
    [
      connection,
      page.map((listing) => listing.listingId),
      page.map((listing) => variantKey(listing.variantId)),
      page.map((listing) => listing.externalSku),
      page.map((listing) => listing.title),
    ],
  )
  await acceptProposals(db, connection, channel)
}

/** Also when products or aliases came later than the listings. @returns how many now mean something. */
export async function acceptProposals(db: Queryable, connection: string, channel: string | null): Promise<number> {
  const { rows } = await db.query<{ sku: string }>(
    `with accepted as (
       insert into listing_parts (connection, listing_id, variant_id, sku, quantity)
       select l.connection, l.listing_id, l.variant_id, coalesce(a.sku, p.sku), 1 from listings l
       left join sku_aliases a on a.channel = $2 and a.external_sku = l.external_sku
       left join products p on p.sku = l.external_sku
       where l.connection = $1 and not l.ignored and l.external_sku is not null and coalesce(a.sku, p.sku) is not null
         and not exists (select from listing_parts q where q.connection = l.connection and q.listing_id = l.listing_id and q.variant_id = l.variant_id)
       returning sku
     ), changed as (insert into stock_changes (sku) select distinct sku from accepted)
     select sku from accepted`,
    [connection, channel],
  )
  // A stock row that was made at the same moment as a listing's meaning may have missed it.
  await db.query('select watch_stock(array(select distinct sku from listing_parts where connection = $1))', [connection])
  return rows.length
}

/** After a whole look through: what was only found there once and is not offered any more is forgotten. */
export async function forgetUnseen(db: Queryable, connection: string, since: Date): Promise<number> {
  const { rowCount } = await db.query(
    `delete from listings where connection = $1 and source = 'found' and not ignored and seen_at < $2`,
    [connection, since],
  )
  return rowCount ?? 0
}

export async function listListings(
  db: Queryable,
  filter: { connection?: string; listingId?: string; state?: ListingRow['state']; sku?: string; limit?: number } = {},
): Promise<ListingRow[]> {
  const { rows } = await db.query<ListingRow>(
    `select l.connection, l.listing_id as "listingId", nullif(l.variant_id, '') as "variantId", l.external_sku as "externalSku", l.title,
       case when l.ignored then 'ignored' when p.skus is null then 'unmapped' else 'mapped' end as state, l.source,
       coalesce(p.skus, '[]') as skus, v.quantity, v.told, v.error, ${ISO('l.seen_at')} as "seenAt"
     from listings l
     left join lateral (
       select jsonb_agg(jsonb_build_object('sku', q.sku, 'quantity', q.quantity) order by q.position, q.sku) as skus from listing_parts q
       where q.connection = l.connection and q.listing_id = l.listing_id and q.variant_id = l.variant_id
     ) p on true
     left join listing_levels v on v.connection = l.connection and v.listing_id = l.listing_id and v.variant_id = l.variant_id
     where ($1::text is null or l.connection = $1)
       and ($2::text is null or $2 = case when l.ignored then 'ignored' when p.skus is null then 'unmapped' else 'mapped' end)
       and ($3::text is null or exists (select from listing_parts q where q.sku = $3 and q.connection = l.connection
         and q.listing_id = l.listing_id and q.variant_id = l.variant_id))
       and ($5::text is null or l.listing_id = $5)
     order by l.connection, l.listing_id, l.variant_id limit $4`,
    [filter.connection ?? null, filter.state ?? null, filter.sku ?? null, filter.limit ?? 500, filter.listingId ?? null],
  )
  return rows
}

/**
 * What the channel's own numbers of order lines stand for, by number. Listings without an own SKU answer to their variant's or their
 * listing's number. Listings that share a number and disagree answer for none.
 */
export async function meaningsOf(
  db: Queryable,
  connection: string,
  numbers: string[],
): Promise<Map<string, { sku: string; quantity: number }[]>> {
  if (numbers.length === 0) return new Map()
  const { rows } = await db.query<{ number: string; meanings: { sku: string; quantity: number }[][] }>({
    name: 'listing-meanings',
    text: `select n.number, jsonb_agg(distinct m.parts) as meanings from unnest($2::text[]) as n(number)
           join listings l on l.connection = $1 and not l.ignored
             and (l.external_sku = n.number or (l.external_sku is null and (l.variant_id = n.number or (l.variant_id = '' and l.listing_id = n.number))))
           cross join lateral (
             select jsonb_agg(jsonb_build_object('sku', p.sku, 'quantity', p.quantity) order by p.position, p.sku) as parts
             from listing_parts p where p.connection = l.connection and p.listing_id = l.listing_id and p.variant_id = l.variant_id
           ) m where m.parts is not null group by n.number`,
    values: [connection, numbers],
  })
  return new Map(
    rows.flatMap(({ number, meanings }) => (meanings.length === 1 && meanings[0] ? [[number, meanings[0]] as const] : [])),
  )
}

/** Everything is told again: the channel may show something else than what it was told. */
export async function resendLevels(db: Queryable, connection: string): Promise<number> {
  const { rowCount } = await db.query(
    'update listing_levels set told = null, version = version + 1, due_at = now(), attempts = 0, error = null where connection = $1',
    [connection],
  )
  return rowCount ?? 0
}
