/** Backorder claims, and what is asked for because of orders that wait: purchase requests. The ledger keeps goods for open claims. */
import type { Queryable, Tx } from './db.ts'
import { lockRows } from './ledger/rows.ts'

export interface Backorder {
  orderId: string
  externalId: string
  lineId: string
  sku: string
  quantity: number
  /** ISO 8601, UTC. */
  promisedAt: string
  state: 'open' | 'served' | 'cancelled'
  openedAt: string
  endedAt: string | null
}
export interface NewClaim {
  lineId: string
  sku: string
  quantity: number
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/**
 * The order's open claims become these; one that stays keeps its promise. The stock rows are locked first, so that the ledger's next
 * decision sees them.
 */
export async function claim(
  tx: Tx,
  order: { id: string; rank: number; priority: number },
  claims: NewClaim[],
  promisedAt: Date,
): Promise<void> {
  const skus = [...new Set(claims.map(({ sku }) => sku))]
  const rows = await tx.query<{ sku: string; location: string }>(
    'select sku, location from stock where sku = any($1) order by sku, location',
    [skus],
  )
  await lockRows(tx, rows.rows)
  await tx.query(
    `update backorders set state = 'cancelled', ended_at = now() where order_id = $1 and state = 'open' and not line_id = any($2)`,
    [order.id, claims.map(({ lineId }) => lineId)],
  )
  await tx.query(
    `insert into backorders (order_id, line_id, sku, quantity, rank, priority, ordered_at, promised_at)
     select o.id, c."lineId", c.sku, c.quantity, $3, $4, o.created_at, $5
     from orders o cross join jsonb_to_recordset($2::jsonb) as c("lineId" text, sku text, quantity int) where o.id = $1
     on conflict (order_id, line_id) where state = 'open' do update set sku = excluded.sku, quantity = excluded.quantity,
       rank = excluded.rank, priority = excluded.priority`,
    [order.id, JSON.stringify(claims), order.rank, order.priority, promisedAt],
  )
  await tx.query('update stock set allotted = true where sku = any($1) and not allotted', [skus])
}

/** What it holds it need not claim any more. */
export async function endClaims(db: Queryable, orderId: string, as: 'served' | 'cancelled'): Promise<void> {
  await db.query({
    name: 'end-claims',
    text: `update backorders set state = $2, ended_at = now() where order_id = $1 and state = 'open'`,
    values: [orderId, as],
  })
}

export async function hasClaims(db: Queryable, orderId: string): Promise<boolean> {
  const { rows } = await db.query<{ any: boolean }>({
    name: 'has-claims',
    text: `select exists (select from backorders where order_id = $1 and state = 'open') as any`,
    values: [orderId],
  })
  return rows[0]?.any ?? false
}

export async function listBackorders(
  db: Queryable,
  filter: { state?: Backorder['state']; sku?: string; orderId?: string; limit?: number } = {},
): Promise<Backorder[]> {
  const { rows } = await db.query<Backorder>(
    `select b.order_id as "orderId", o.external_id as "externalId", b.line_id as "lineId", b.sku, b.quantity,
       ${ISO('b.promised_at')} as "promisedAt", b.state, ${ISO('b.opened_at')} as "openedAt", ${ISO('b.ended_at')} as "endedAt"
     from backorders b join orders o on o.id = b.order_id
     where ($1::text is null or b.state = $1) and ($2::text is null or b.sku = $2) and ($3::text is null or b.order_id = $3)
     order by b.sku, b.rank, b.priority desc, b.ordered_at, b.order_id, b.id limit $4`,
    [filter.state ?? null, filter.sku ?? null, filter.orderId ?? null, filter.limit ?? 500],
  )
  return rows
}

/** Claims of orders that do not wait any more end, and rows that nobody claims are fast again. Repeating it changes nothing. */
export async function tidyClaims(db: Queryable, transact: (work: (tx: Tx) => Promise<void>) => Promise<void>): Promise<void> {
  await db.query(
    `update backorders b set state = case when o.facts ? 'reserved' then 'served' else 'cancelled' end, ended_at = now()
     from orders o where o.id = b.order_id and b.state = 'open' and (o.closed or o.facts ?| array['reserved', 'cancelled'])`,
  )
  const { rows } = await db.query<{ sku: string; location: string }>(
    `select s.sku, s.location from stock s where s.allotted <> (
       exists (select from allotments a where a.sku = s.sku and a.location = s.location and a.closed_at is null)
       or exists (select from backorders b where b.sku = s.sku and b.state = 'open')) order by s.sku, s.location limit 200`,
  )
  for (const row of rows)
    await transact(async (tx) => {
      await lockRows(tx, [row])
      await tx.query(
        `update stock s set allotted = exists (select from allotments a where a.sku = s.sku and a.location = s.location and a.closed_at is null)
           or exists (select from backorders b where b.sku = s.sku and b.state = 'open')
         where s.sku = $1 and s.location = $2`,
        [row.sku, row.location],
      )
    })
}

export interface Need {
  sku: string
  quantity: number
}

/** What is to be bought for the order is this and nothing else. @returns the SKUs whose requests are to be written anew. */
export async function setNeeds(tx: Tx, orderId: string, needs: Need[]): Promise<string[]> {
  const before = await tx.query<{ sku: string }>('delete from supply_needs where order_id = $1 returning sku', [orderId])
  for (const { sku, quantity } of needs)
    await tx.query('insert into supply_needs (order_id, sku, quantity) values ($1, $2, $3)', [orderId, sku, quantity])
  return [...new Set([...before.rows.map(({ sku }) => sku), ...needs.map(({ sku }) => sku)])].sort()
}

/** One open purchase request a SKU, of all pieces that waiting orders need; none when nobody needs any. */
export async function writePurchase(tx: Tx, sku: string): Promise<void> {
  const { rows } = await tx.query<{ quantity: number; orders: number }>(
    'select coalesce(sum(quantity), 0)::integer as quantity, count(*)::integer as orders from supply_needs where sku = $1',
    [sku],
  )
  const { quantity = 0, orders = 0 } = rows[0] ?? {}
  if (quantity === 0)
    await tx.query(`update purchase_requests set state = 'closed', closed_at = now() where sku = $1 and state = 'open'`, [sku])
  else
    await tx.query(
      `insert into purchase_requests as p (sku, quantity, orders) values ($1, $2, $3)
       on conflict (sku) where state = 'open' do update set quantity = excluded.quantity, orders = excluded.orders, updated_at = now()
         where (p.quantity, p.orders) is distinct from (excluded.quantity, excluded.orders)`,
      [sku, quantity, orders],
    )
}

export interface PurchaseRequest {
  id: number
  sku: string
  name: string | null
  quantity: number
  orders: number
  /** The pieces that buyers were asked for; null: not asked yet. */
  toldQuantity: number | null
  state: 'open' | 'closed'
  openedAt: string
  updatedAt: string
  closedAt: string | null
}

export async function listPurchaseRequests(
  db: Queryable,
  filter: { state?: PurchaseRequest['state']; sku?: string } = {},
): Promise<PurchaseRequest[]> {
  const { rows } = await db.query<PurchaseRequest>(
    `select r.id, r.sku, p.name, r.quantity, r.orders, r.told_quantity as "toldQuantity", r.state, ${ISO('r.opened_at')} as "openedAt",
       ${ISO('r.updated_at')} as "updatedAt", ${ISO('r.closed_at')} as "closedAt"
     from purchase_requests r left join products p on p.sku = r.sku
     where ($1::text is null or r.state = $1) and ($2::text is null or r.sku = $2) order by r.id desc limit 5000`,
    [filter.state ?? null, filter.sku ?? null],
  )
  return rows
}

/** Buyers know of these quantities; what they knew of more stays known. */
export async function toldBuyers(db: Queryable, told: readonly Pick<PurchaseRequest, 'id' | 'quantity'>[]): Promise<void> {
  await db.query(
    `update purchase_requests r set told_quantity = greatest(r.told_quantity, t.quantity)
     from jsonb_to_recordset($1::jsonb) as t(id bigint, quantity int) where r.id = t.id`,
    [JSON.stringify(told.map(({ id, quantity }) => ({ id, quantity })))],
  )
}
