/**
 * What each channel shall show, and what it was told: levels with a version a listing, computed from the ledger where it changed,
 * leased to who tells them. Absolute values: telling one again is harmless, so what is not known to have arrived is told again.
 */
import { transaction, type Pool, type Queryable } from './db.ts'

/** SKUs taken in one round; the next round takes what is left. */
const ROUND = 20_000

/**
 * Takes the SKUs that changed and computes every level that may have changed with them, in one transaction.
 * @returns the SKUs, and how many levels are new.
 */
export async function computeLevels(pool: Pool): Promise<{ skus: string[]; changed: number }> {
  return await transaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = '60s'`)
    const taken = await tx.query<{ sku: string }>(
      `with taken as (delete from stock_changes where ctid = any (array (select ctid from stock_changes limit $1)) returning sku)
       select distinct sku from taken`,
      [ROUND],
    )
    const skus = taken.rows.map(({ sku }) => sku)
    // Only where the channel's name is known: its allotments are kept under it.
    const anew = await tx.query<{ connection: string }>(
      `update stock_sides set recompute = false where recompute and push and channel is not null returning connection`,
    )
    if (skus.length === 0 && anew.rows.length === 0) return { skus, changed: 0 }
    const levels = await tx.query(
      `insert into listing_levels as t (connection, listing_id, variant_id, quantity)
       select l.connection, l.listing_id, l.variant_id, l.quantity from (
         select a.*, listing_quantity(a.connection, a.listing_id, a.variant_id) as quantity from (
           select distinct l.connection, l.listing_id, l.variant_id from listings l
           join stock_sides d on d.connection = l.connection and d.push and d.channel is not null
           join listing_parts p on p.connection = l.connection and p.listing_id = l.listing_id and p.variant_id = l.variant_id
           where not l.ignored and (p.sku = any($1) or l.connection = any($2))
           order by 1, 2, 3
         ) a
       ) l where l.quantity is not null
       on conflict (connection, listing_id, variant_id) do update set quantity = excluded.quantity, version = t.version + 1,
         -- Back to what it shows before anybody was told.
         told_version = case when t.told = excluded.quantity then t.version + 1 else t.told_version end,
         -- What the channel has refused keeps its pause.
         due_at = case when t.error is null then now() else t.due_at end
       where t.quantity <> excluded.quantity`,
      [skus, anew.rows.map(({ connection }) => connection)],
    )
    return { skus, changed: levels.rowCount ?? 0 }
  })
}

/** Connections whose levels cannot be computed before their channel's name is known. */
export async function namelessSides(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ connection: string }>('select connection from stock_sides where push and channel is null')
  return rows.map(({ connection }) => connection)
}

export async function nameChannel(db: Queryable, connection: string, channel: string): Promise<void> {
  await db.query(`update stock_sides set channel = $2, recompute = true where connection = $1 and channel is distinct from $2`, [
    connection,
    channel,
  ])
}

/** Connections that have levels due and may be asked now. */
export async function connectionsToTell(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ connection: string }>({
    name: 'connections-to-tell',
    text: `select d.connection from stock_sides d join connections c on c.name = d.connection
           left join connection_state s on s.connection = d.connection
           where d.push and d.push_after <= now() and not c.paused and s.stopped_reason is null and exists (
             select from listing_levels t where t.connection = d.connection and t.version > t.told_version and t.due_at <= now()
               and (t.lease_until is null or t.lease_until < now()))`,
  })
  return rows.map(({ connection }) => connection)
}

export interface DueLevel {
  listingId: string
  variantId: string | null
  externalSku: string | null
  title: string | null
  quantity: number
  version: number
  attempts: number
}

/** Takes levels of one connection, those due for longest first. From now on it is not known what the channel shows of them. */
export async function leaseLevels(
  db: Queryable,
  args: { connection: string; lease: string; limit: number; leaseMs: number },
): Promise<DueLevel[]> {
  const { rows } = await db.query<DueLevel>({
    name: 'lease-levels',
    text: `with due as (
             select t.connection, t.listing_id, t.variant_id from listing_levels t
             where t.connection = $1 and t.version > t.told_version and t.due_at <= now() and (t.lease_until is null or t.lease_until < now())
             order by t.due_at, t.listing_id, t.variant_id limit $3 for update skip locked
           ), taken as (
             update listing_levels t set lease = $2, lease_until = now() + $4 * interval '1 millisecond', told = null
             from due d where t.connection = d.connection and t.listing_id = d.listing_id and t.variant_id = d.variant_id
             returning t.connection, t.listing_id, t.variant_id, t.quantity, t.version, t.attempts
           )
           select t.listing_id as "listingId", nullif(t.variant_id, '') as "variantId", l.external_sku as "externalSku", l.title,
             t.quantity, t.version, t.attempts
           from taken t join listings l on l.connection = t.connection and l.listing_id = t.listing_id and l.variant_id = t.variant_id
           order by t.listing_id, t.variant_id`,
    values: [args.connection, args.lease, args.limit, args.leaseMs],
  })
  return rows
}

const keys = (levels: DueLevel[]) => [levels.map(({ listingId }) => listingId), levels.map(({ variantId }) => variantId ?? '')]

/**
 * The channel has taken these. What is newer by now stays due. Whose lease has passed to somebody else may have overwritten a newer
 * level at the channel: that listing is told once more.
 */
export async function acknowledgeLevels(db: Queryable, connection: string, lease: string, levels: DueLevel[]): Promise<void> {
  if (levels.length === 0) return
  await db.query({
    name: 'acknowledge-levels',
    text: `update listing_levels t set
             told = case when t.lease = $2 then u.quantity end,
             told_version = case when t.lease = $2 then u.version else t.told_version end,
             told_at = now(), attempts = 0, error = null,
             version = case when t.lease = $2 then t.version else t.version + 1 end,
             due_at = now(),
             lease = case when t.lease = $2 then null else t.lease end,
             lease_until = case when t.lease = $2 then null else t.lease_until end
           from unnest($3::text[], $4::text[], $5::integer[], $6::bigint[]) as u(listing_id, variant_id, quantity, version)
           where t.connection = $1 and t.listing_id = u.listing_id and t.variant_id = u.variant_id`,
    values: [connection, lease, ...keys(levels), levels.map(({ quantity }) => quantity), levels.map(({ version }) => version)],
  })
}

/** Nobody knows whether these arrived. Those whose lease has passed on may still overwrite a newer level: they are told once more. */
export async function doubtLevels(db: Queryable, connection: string, lease: string, levels: DueLevel[]): Promise<void> {
  await db.query(
    `update listing_levels t set told = null, version = t.version + 1, due_at = now()
     from unnest($3::text[], $4::text[]) as u(listing_id, variant_id)
     where t.connection = $1 and t.listing_id = u.listing_id and t.variant_id = u.variant_id and t.lease is distinct from $2`,
    [connection, lease, ...keys(levels)],
  )
}

/** Not taken: each comes again after its own pause. */
export async function postponeLevels(
  db: Queryable,
  connection: string,
  lease: string,
  refused: { level: DueLevel; error: string; delayMs: number }[],
): Promise<void> {
  if (refused.length === 0) return
  await db.query(
    `update listing_levels t set lease = null, lease_until = null, attempts = t.attempts + 1, error = u.error,
       due_at = now() + u.delay_ms * interval '1 millisecond'
     from unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) as u(listing_id, variant_id, error, delay_ms)
     where t.connection = $1 and t.listing_id = u.listing_id and t.variant_id = u.variant_id and t.lease = $2`,
    [
      connection,
      lease,
      ...keys(refused.map(({ level }) => level)),
      refused.map(({ error }) => error.slice(0, 500)),
      refused.map(({ delayMs }) => delayMs),
    ],
  )
}

/** Nothing was learnt of single levels: they are due as before, and the whole connection waits. */
export async function connectionWaits(db: Queryable, connection: string, lease: string, delayMs: number | null): Promise<void> {
  await db.query('update listing_levels set lease = null, lease_until = null where connection = $1 and lease = $2', [
    connection,
    lease,
  ])
  // 1 s, 2 s, 4 s … 5 minutes, unless the vendor names a pause.
  await db.query(
    `update stock_sides set push_failures = push_failures + 1,
       push_after = now() + coalesce($2, least(300000, 1000 * 2 ^ least(push_failures, 10))) * interval '1 millisecond' where connection = $1`,
    [connection, delayMs],
  )
}

export async function connectionAnswers(db: Queryable, connection: string): Promise<void> {
  await db.query('update stock_sides set push_failures = 0 where connection = $1 and push_failures > 0', [connection])
}

/** Listings that the channel has refused so often that a person should look. */
export async function refusedListings(
  db: Queryable,
  connection: string,
  attempts: number,
): Promise<{ count: number; some: { listingId: string; variantId: string | null; error: string }[] }> {
  const { rows } = await db.query<{ listingId: string; variantId: string | null; error: string; count: number }>(
    `select listing_id as "listingId", nullif(variant_id, '') as "variantId", error, count(*) over () as count from listing_levels
     where connection = $1 and attempts >= $2 and error is not null order by listing_id, variant_id limit 20`,
    [connection, attempts],
  )
  return {
    count: Number(rows[0]?.count ?? 0),
    some: rows.map(({ listingId, variantId, error }) => ({ listingId, variantId, error })),
  }
}
