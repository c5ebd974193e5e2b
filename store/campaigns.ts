/** Campaigns: set up, joined under a share lock, closed under an exclusive one; what closing means is carried out by activities/campaigns. */
import type { CampaignEntry, CampaignState } from '../domain/campaigns.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { closeAllotmentsOf, setAllotment } from './allotments.ts'
import { transaction, type Pool, type Queryable, type Tx } from './db.ts'

export interface Campaign {
  id: string
  title: string | null
  minimum: number
  counts: 'pieces' | 'orders'
  /** ISO 8601, UTC. */
  closesAt: string
  state: CampaignState
  /** Members that hold now; once it is closed, what `counted` says is what was judged. */
  orders: number
  pieces: number
  counted: number | null
  settledAt: string | null
}

/** How long orders that came in time may still be on their way to the stock; then the closing waits no longer. */
const ON_THE_WAY = `interval '1 minute'`

/** Paid, or to be paid at the door, and holding all it wants: `m` is of campaign_members. */
const HOLDING = `
  select count(distinct o.id)::integer as orders, coalesce(sum(h.quantity), 0)::integer as pieces
  from campaign_members m join orders o on o.id = m.order_id
  join holds h on h.order_id = o.id and h.state = 'active' and (h.expires_at is null or h.expires_at > now())
  where m.campaign = c.id and o.facts ? 'reserved' and not o.facts ?| array['cancelRequested', 'cancelled', 'closed']
    and (o.doc->'payment'->>'method' = 'cod' or o.doc->'payment'->>'state' = 'paid')`

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/**
 * Sets it up, or changes it while it is open; its allotments are set anew.
 * @returns false, and changes nothing, when it is closed. @throws Invalid for an unknown location.
 */
export async function setCampaign(tx: Tx, entry: CampaignEntry): Promise<boolean> {
  const { id, title, minimum, counts, closesAt, allotments } = entry
  const set = await tx.query(
    `insert into campaigns as c (id, title, minimum, counts, closes_at) values ($1, $2, $3, $4, $5)
     on conflict (id) do update set title = excluded.title, minimum = excluded.minimum, counts = excluded.counts,
       closes_at = excluded.closes_at where c.state = 'open' returning id`,
    [id, title, minimum, counts, closesAt],
  )
  if (set.rowCount === 0) return false
  // In key order: two that are set at once lock the same rows.
  const inOrder = [...allotments].sort((a, b) => (a.sku + a.location < b.sku + b.location ? -1 : 1))
  for (const allotment of inOrder) await setAllotment(tx, { ...allotment, campaign: id, closesAt: null })
  return true
}

export async function listCampaigns(db: Queryable, filter: { id?: string; state?: CampaignState } = {}): Promise<Campaign[]> {
  const { rows } = await db.query<Campaign>(
    `select c.id, c.title, c.minimum, c.counts, ${ISO('c.closes_at')} as "closesAt", c.state, n.orders, n.pieces, c.counted,
       ${ISO('c.settled_at')} as "settledAt"
     from campaigns c cross join lateral (${HOLDING}) n
     where ($1::text is null or c.id = $1) and ($2::text is null or c.state = $2) order by c.closes_at, c.id`,
    [filter.id ?? null, filter.state ?? null],
  )
  return rows
}

/** How an order stands to the campaign it names. */
export interface Standing {
  campaign: string
  title: string | null
  state: CampaignState
  isMember: boolean
  /** It was taken in before the closing time. */
  inTime: boolean
}

/** @param lock keeps the campaign from being closed until the transaction ends. @returns null when its campaign is none of ours. */
export async function standingOf(
  db: Queryable,
  order: { id: string; campaign: string | null },
  lock = false,
): Promise<Standing | null> {
  if (order.campaign === null) return null
  if (lock) await db.query('select from campaigns where id = $1 for share', [order.campaign])
  // A statement of its own: it sees what was written until the lock was had.
  const { rows } = await db.query<Standing>(
    `select c.id as campaign, c.title, c.state, o.created_at < c.closes_at as "inTime",
       exists (select from campaign_members m where m.campaign = c.id and m.order_id = o.id) as "isMember"
     from campaigns c join orders o on o.id = $2 where c.id = $1`,
    [order.campaign, order.id],
  )
  return rows[0] ?? null
}

export async function addMember(tx: Tx, campaign: string, orderId: string): Promise<void> {
  await tx.query('insert into campaign_members (campaign, order_id) values ($1, $2) on conflict do nothing', [campaign, orderId])
}

/** Its closing time is now; the next round closes it. @throws Invalid when it is not open. */
export async function endCampaign(db: Queryable, id: string): Promise<void> {
  const ended = await db.query(
    `update campaigns set closes_at = least(closes_at, now()) where id = $1 and state = 'open' returning id`,
    [id],
  )
  if (ended.rowCount === 0)
    throw new OmnisagaError('Invalid', `there is no open campaign ${id}`, {
      code: 'campaign',
      remedy: 'GET /api/v1/campaigns lists them.',
    })
}

/**
 * Closes every campaign whose time is up: counted alone, reached or failed, and what is left of its allotments is everybody's, in one
 * transaction. One whose orders are still on their way to the stock waits for them. Repeating it changes nothing.
 * @returns how many.
 */
export async function closeDueCampaigns(pool: Pool): Promise<number> {
  const due = await pool.query<{ id: string }>(
    `select id from campaigns where state = 'open' and closes_at <= now() order by closes_at limit 100`,
  )
  let closed = 0
  for (const { id } of due.rows) if (await transaction(pool, (tx) => closeOne(tx, id))) closed++
  return closed
}

async function closeOne(tx: Tx, id: string): Promise<boolean> {
  await tx.query(`select from campaigns where id = $1 for update`, [id])
  const { rows } = await tx.query<{ waits: boolean; minimum: number; counted: number }>(
    `select c.minimum, case c.counts when 'orders' then n.orders else n.pieces end as counted,
       c.closes_at > now() - ${ON_THE_WAY} and exists (
         select from orders o where o.doc->>'campaign' = c.id and not o.closed and o.created_at < c.closes_at
           and not o.facts ?| array['reserved', 'blocked', 'shortage', 'cancelRequested', 'cancelled']) as waits
     from campaigns c cross join lateral (${HOLDING}) n where c.id = $1 and c.state = 'open' and c.closes_at <= now()`,
    [id],
  )
  const row = rows[0]
  if (row === undefined || row.waits) return false
  const state: CampaignState = row.counted >= row.minimum ? 'reached' : 'failed'
  await tx.query('update campaigns set state = $2, counted = $3, settled_at = now() where id = $1', [id, state, row.counted])
  await closeAllotmentsOf(tx, id)
  return true
}

/** Open orders that have not heard what became of their campaign: those that wait for it, and those that must leave it. */
export async function unheardOf(db: Queryable, limit: number): Promise<{ id: string }[]> {
  const { rows } = await db.query<{ id: string }>(
    `select o.id from campaigns c join orders o on o.doc->>'campaign' = c.id
     left join campaign_members m on m.campaign = c.id and m.order_id = o.id
     where c.state <> 'open' and not o.closed and not o.facts ?| array['cancelRequested', 'cancelled', 'closed']
       and (o.facts->'confirmAsked'->>'for' = 'campaign' or ((c.state = 'failed' or m.order_id is null) and not o.facts ? 'confirmed'))
     order by o.created_at limit $1`,
    [limit],
  )
  return rows
}
