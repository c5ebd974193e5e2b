/** Where another system counts differently: kept by SKU and location until both agree again. */
import { OmnisagaError } from '../domain/errors.ts'
import { transaction, type Pool, type Queryable } from './db.ts'
import { move } from './ledger/operations.ts'

export interface ReadLevel {
  sku: string
  location: string
  onHand: number
  /** ISO 8601; null: as it is now. */
  at: string | null
}
export interface DriftRow {
  connection: string
  location: string
  sku: string
  theirs: number
  /** What the ledger had when they counted. */
  ours: number
  held: number
  difference: number
  readings: number
  /** `seen`: once, it may be under way. `open`: a person's. `refused`: repairing it would take goods that are held. */
  state: 'seen' | 'open' | 'refused'
  detail: string | null
  firstSeenAt: string
  seenAt: string
}

/** Older counts than this say nothing: the ledger's own movements are looked through back to then. */
const OLDEST_MS = 7 * 24 * 3_600_000

/**
 * Notes what one reading says. A difference counts once two readings in a row agree on it: what is on its way between the systems
 * (goods that left, and the word about it that has not come yet) is gone by then.
 * @returns the differences that count now.
 */
export async function noteDrift(
  pool: Pool,
  connection: string,
  levels: ReadLevel[],
  tolerance: number,
  now = new Date(),
): Promise<DriftRow[]> {
  const recent = levels.filter(({ at }) => at === null || now.getTime() - Date.parse(at) < OLDEST_MS)
  return await transaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = '60s'`)
    const arrays = [
      recent.map(({ sku }) => sku),
      recent.map(({ location }) => location),
      recent.map(({ onHand }) => onHand),
      recent.map(({ at }) => at),
    ]
    // On hand as it was at the time of their count: movements booked since are taken off.
    const compared = `
      select k.sku, k.location, k.theirs, coalesce(s.on_hand, 0) - coalesce(m.since, 0)::integer as ours, coalesce(s.held, 0) as held
      from unnest($2::text[], $3::text[], $4::integer[], $5::timestamptz[]) as k(sku, location, theirs, at)
      left join stock s on s.sku = k.sku and s.location = k.location
      left join lateral (
        select sum(m.quantity) as since from movements m where k.at is not null and m.sku = k.sku and m.location = k.location and m.at > k.at
      ) m on true`
    await tx.query(
      `delete from stock_drift d using (${compared}) c
       where d.connection = $1 and d.sku = c.sku and d.location = c.location and abs(c.theirs - c.ours) <= $6`,
      [connection, ...arrays, tolerance],
    )
    const { rows } = await tx.query<{ sku: string; location: string }>(
      `insert into stock_drift as d (connection, location, sku, theirs, ours, held)
       select $1, c.location, c.sku, c.theirs, c.ours, c.held from (${compared}) c where abs(c.theirs - c.ours) > $6
       order by c.location, c.sku
       on conflict (connection, location, sku) do update set theirs = excluded.theirs, ours = excluded.ours, held = excluded.held,
         readings = case when d.theirs - d.ours = excluded.theirs - excluded.ours then d.readings + 1 else 1 end,
         state = case when d.theirs - d.ours = excluded.theirs - excluded.ours then d.state else 'seen' end,
         seen_at = now()
       returning sku, location`,
      [connection, ...arrays, tolerance],
    )
    const seen = new Set(rows.map(({ sku, location }) => `${location}\u0000${sku}`))
    return (await listDrift(tx, { connection })).filter(
      ({ sku, location, readings }) => readings > 1 && seen.has(`${location}\u0000${sku}`),
    )
  })
}

/**
 * Makes the ledger say what was counted, by one movement.
 * @returns false when it cannot be: what is held for orders would not be there. A person decides then which order gives way.
 */
export async function repairDrift(pool: Pool, row: DriftRow): Promise<boolean> {
  const key = `drift:${row.connection}:${row.location}:${row.sku}:${row.firstSeenAt}:${row.readings}`
  try {
    await transaction(pool, async (tx) => {
      await move(tx, {
        key,
        sku: row.sku,
        location: row.location,
        quantity: row.difference,
        reason: 'drift',
        reference: row.connection,
      })
      await tx.query(
        `insert into stock_repairs (connection, location, sku, quantity, movement_key) values ($1, $2, $3, $4, $5)
         on conflict (movement_key) do nothing`,
        [row.connection, row.location, row.sku, row.difference, key],
      )
      await tx.query('delete from stock_drift where connection = $1 and location = $2 and sku = $3', [
        row.connection,
        row.location,
        row.sku,
      ])
    })
    return true
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Invalid') throw error
    await leaveDrift(pool, [row], 'refused', error.message)
    return false
  }
}

export async function leaveDrift(
  db: Queryable,
  rows: DriftRow[],
  state: 'open' | 'refused',
  detail: string | null,
): Promise<void> {
  await db.query(
    `update stock_drift d set state = $2, detail = $5 from unnest($3::text[], $4::text[]) as u(location, sku)
     where d.connection = $1 and d.location = u.location and d.sku = u.sku`,
    [rows[0]?.connection ?? '', state, rows.map(({ location }) => location), rows.map(({ sku }) => sku), detail],
  )
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

export async function listDrift(
  db: Queryable,
  filter: { connection?: string; sku?: string; location?: string; limit?: number } = {},
): Promise<DriftRow[]> {
  const { rows } = await db.query<DriftRow>(
    `select connection, location, sku, theirs, ours, held, theirs - ours as difference, readings, state, detail,
       ${ISO('first_seen_at')} as "firstSeenAt", ${ISO('seen_at')} as "seenAt"
     from stock_drift where ($1::text is null or connection = $1) and ($2::text is null or sku = $2) and ($3::text is null or location = $3)
     order by connection, location, sku limit $4`,
    [filter.connection ?? null, filter.sku ?? null, filter.location ?? null, filter.limit ?? 10_000],
  )
  return rows
}

export interface ReadingReport {
  connection: string
  at: string
  levels: number
  /** Told of places that the connection's configuration maps to none of our locations. */
  unmappedLocations: string[]
  /** At most 20 of the numbers that mean none of our SKUs. */
  unknownSkus: string[]
  unknownSkuCount: number
  drifting: number
  repaired: number
}

/** The last reading of each connection. */
export async function readings(db: Queryable): Promise<ReadingReport[]> {
  const { rows } = await db.query<{ connection: string; report: Omit<ReadingReport, 'connection'> }>(
    'select connection, last_read as report from stock_sides where last_read is not null order by connection',
  )
  return rows.map(({ connection, report }) => ({ connection, ...report }))
}
