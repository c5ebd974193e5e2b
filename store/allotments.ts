/** Allotments: pieces of a SKU at a location kept for a channel or a campaign. What they mean is decided in the ledger. */
import type { Pool, Queryable } from './db.ts'
import { transaction } from './db.ts'
import { ensureRow } from './ledger/onHand.ts'
import { lockRows, refuse } from './ledger/rows.ts'

export interface NewAllotment {
  sku: string
  location: string
  /** Exactly one of the two. */
  channel?: string | null
  campaign?: string | null
  /** What is kept in all, from when the allotment was first made; what was sold of it counts. */
  quantity: number
  /** Lower is covered first when there are fewer goods than allotments. @default 0 */
  priority?: number
  /** ISO 8601; what is left then is everybody's again. Null: never. */
  closesAt?: string | null
}
export interface Allotment extends Required<NewAllotment> {
  id: number
  /** Held or sold from it. */
  used: number
  /** What it keeps now: no more than there is. */
  kept: number
  open: boolean
}

const MAX = 2 ** 31 - 1

/** Makes the allotment, or changes the open one of the same claimant. @throws Invalid. */
export async function setAllotment(db: Queryable, wanted: NewAllotment): Promise<number> {
  const { sku, location, quantity, channel = null, campaign = null, priority = 0, closesAt = null } = wanted
  const what = `allotment of ${sku} at ${location}`
  if ((channel === null) === (campaign === null)) refuse(what, 'it is for a channel or for a campaign', 'name one of the two')
  if (!Number.isInteger(quantity) || quantity < 0 || quantity > MAX) refuse(what, `${quantity} is no whole number of pieces`)
  if (!Number.isInteger(priority)) refuse(what, `priority ${priority} is no whole number`)
  if (closesAt !== null && Number.isNaN(Date.parse(closesAt))) refuse(what, `${closesAt} is no time`)
  await ensureRow(db, { sku, location })
  await lockRows(db, [{ sku, location }])
  const { rows } = await db.query<{ id: number }>(
    `insert into allotments (sku, location, channel, campaign, quantity, priority, closes_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (sku, location, channel, campaign) where closed_at is null do update
       set quantity = excluded.quantity, priority = excluded.priority, closes_at = excluded.closes_at
     returning id`,
    [sku, location, channel, campaign, quantity, priority, closesAt],
  )
  await markRow(db, sku, location)
  return rows[0]?.id ?? 0
}

/** The fast path of a reservation is for rows without open allotments. The row is locked. */
const markRow = (db: Queryable, sku: string, location: string) =>
  db.query(
    `update stock s set allotted = exists (
       select from allotments a where a.sku = s.sku and a.location = s.location and a.closed_at is null)
       or exists (select from backorders b where b.sku = s.sku and b.state = 'open')
     where s.sku = $1 and s.location = $2`,
    [sku, location],
  )

/** Ends an allotment now. @returns false when it is not open. */
export async function closeAllotment(pool: Pool, id: number): Promise<boolean> {
  const { rows } = await pool.query<{ sku: string; location: string }>(
    'select sku, location from allotments where id = $1 and closed_at is null',
    [id],
  )
  const row = rows[0]
  if (row === undefined) return false
  return await transaction(pool, async (tx) => {
    await lockRows(tx, [row])
    const closed = await tx.query('update allotments set closed_at = now() where id = $1 and closed_at is null', [id])
    await markRow(tx, row.sku, row.location)
    return closed.rowCount === 1
  })
}

/** Ends a campaign's allotments, in the caller's transaction: what is left is everybody's. */
export async function closeAllotmentsOf(db: Queryable, campaign: string): Promise<void> {
  const { rows } = await db.query<{ sku: string; location: string }>(
    'select sku, location from allotments where campaign = $1 and closed_at is null order by sku, location',
    [campaign],
  )
  await lockRows(db, rows)
  await db.query('update allotments set closed_at = now() where campaign = $1 and closed_at is null', [campaign])
  for (const { sku, location } of rows) await markRow(db, sku, location)
}

/** Tidies what its closing time has ended; the ledger judges by the time itself. It makes the channels hear of it. @returns how many. */
export async function closeDueAllotments(pool: Pool, limit = 500): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    'select id from allotments where closed_at is null and closes_at <= now() order by closes_at limit $1',
    [limit],
  )
  let closed = 0
  for (const { id } of rows) if (await closeAllotment(pool, id)) closed++
  return closed
}

export async function listAllotments(
  db: Queryable,
  filter: { sku?: string; location?: string; channel?: string; campaign?: string; closed?: boolean } = {},
): Promise<Allotment[]> {
  const { rows } = await db.query<Allotment>(
    `select a.id, a.sku, a.location, a.channel, a.campaign, a.quantity, a.priority,
       to_char(a.closes_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "closesAt",
       a.used - e.own as used, coalesce(k.kept, 0) as kept, k.id is not null as open
     from allotments a join stock s on s.sku = a.sku and s.location = a.location
     cross join lateral (
       select coalesce(sum(h.quantity), 0)::integer as quantity,
         coalesce(sum(h.quantity) filter (where h.allotment_id = a.id), 0)::integer as own
       from holds h where h.sku = s.sku and h.location = s.location and h.state = 'active' and h.expires_at <= now()
     ) e
     left join lateral ledger_kept(s.sku, s.location, s.on_hand - s.safety - s.held + e.quantity) k on k.id = a.id
     where ($1::text is null or a.sku = $1) and ($2::text is null or a.location = $2) and ($3::text is null or a.channel = $3)
       and ($4::text is null or a.campaign = $4) and ($5 or a.closed_at is null)
     order by a.sku, a.location, a.priority, a.id`,
    [filter.sku ?? null, filter.location ?? null, filter.channel ?? null, filter.campaign ?? null, filter.closed ?? false],
  )
  return rows
}
