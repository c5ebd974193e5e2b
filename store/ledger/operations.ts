/**
 * What happens to holds and goods after the reservation, each inside its caller's transaction. Whatever changes `stock.held` locks the
 * stock rows first, in key order; the holds are read again after that. Holds that expired on those rows are ended on the way.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import type { Pool, Queryable } from '../db.ts'
import { transaction } from '../db.ts'
import { rowKey } from './decide.ts'
import { databaseError } from './errors.ts'
import { change, doneBefore, lockRows, markDone, refuse } from './rows.ts'
import type { ConsumeLine, HoldPart, LedgerOperations, StockLevel } from './types.ts'

export { move, setOnHand, setSafety } from './onHand.ts'

interface Hold {
  id: number
  line_id: string
  sku: string
  location: string
  quantity: number
  state: string
  allotment_id: number | null
}

const activeHolds = async (db: Queryable, orderId: string): Promise<Hold[]> =>
  (
    await db.query<Hold>(
      `select id, line_id, sku, location, quantity, state, allotment_id from holds where order_id = $1 and state = 'active'
       order by kept_aside, id`,
      [orderId],
    )
  ).rows

/** The order's active holds, their stock rows locked and expired ones ended. */
async function lockHolds(db: Queryable, orderId: string, concerns: (hold: Hold) => boolean): Promise<Hold[]> {
  const seen = (await activeHolds(db, orderId)).filter(concerns)
  if (seen.length === 0) return []
  const locked = await lockRows(db, seen)
  return (await activeHolds(db, orderId)).filter((hold) => concerns(hold) && locked.has(rowKey(hold)))
}

/** Which part of each hold a list of wishes takes; a wish without a quantity takes all. */
function pick(holds: Hold[], parts: HoldPart[]): { hold: Hold; quantity: number }[] {
  const left = new Map(holds.map((hold) => [hold.id, hold.quantity]))
  for (const part of parts) {
    let wanted = part.quantity ?? Number.POSITIVE_INFINITY
    for (const hold of holds) {
      if (hold.line_id !== part.lineId || (part.location !== undefined && part.location !== hold.location)) continue
      const taken = Math.min(wanted, left.get(hold.id) ?? 0)
      left.set(hold.id, (left.get(hold.id) ?? 0) - taken)
      wanted -= taken
    }
  }
  return holds.map((hold) => ({ hold, quantity: hold.quantity - (left.get(hold.id) ?? 0) })).filter((taken) => taken.quantity > 0)
}

/** Ends the taken part of each hold; what is left of a hold stays active under its own id, the part that ended is a row of its own. */
async function end(db: Queryable, taken: { hold: Hold; quantity: number }[], state: 'released' | 'consumed'): Promise<void> {
  const whole = taken.filter(({ hold, quantity }) => quantity === hold.quantity).map(({ hold }) => hold.id)
  const parts = taken.filter(({ hold, quantity }) => quantity < hold.quantity)
  if (whole.length > 0) await db.query(`update holds set state = $2, ended_at = now() where id = any($1)`, [whole, state])
  if (state === 'released') await giveBack(db, taken)
  if (parts.length === 0) return
  await db.query(
    `with part as (select * from unnest($1::bigint[], $2::integer[]) as p(id, quantity)),
     lowered as (update holds h set quantity = h.quantity - p.quantity from part p where h.id = p.id)
     insert into holds (key, order_id, line_id, sku, location, quantity, state, kept_aside, allotment_id, created_at, ended_at)
     select h.key || '~' || gen_random_uuid(), h.order_id, h.line_id, h.sku, h.location, p.quantity, $3, h.kept_aside, h.allotment_id,
       h.created_at, now()
     from part p join holds h on h.id = p.id`,
    [parts.map(({ hold }) => hold.id), parts.map(({ quantity }) => quantity), state],
  )
}

/** What an allotment had sold and did not leave is sold by it again. The stock rows are locked, and with them their allotments. */
async function giveBack(db: Queryable, taken: { hold: Hold; quantity: number }[]): Promise<void> {
  const allotted = taken.filter(({ hold }) => hold.allotment_id !== null)
  if (allotted.length === 0) return
  await db.query(
    `update allotments a set used = a.used - b.quantity
     from (select id, sum(quantity)::integer as quantity from unnest($1::bigint[], $2::integer[]) as u(id, quantity) group by id) b
     where a.id = b.id`,
    [allotted.map(({ hold }) => hold.allotment_id), allotted.map(({ quantity }) => quantity)],
  )
}

export const release: LedgerOperations['release'] = async (db, { key, orderId, lines }) => {
  for (const { lineId, quantity } of lines ?? [])
    if (quantity !== undefined && (!Number.isInteger(quantity) || quantity <= 0))
      refuse(`release of line ${lineId} of order ${orderId}`, `quantity ${quantity}`)
  const holds = await lockHolds(db, orderId, (hold) => lines === undefined || lines.some((line) => line.lineId === hold.line_id))
  if (key !== undefined && (await doneBefore(db, `release/${key}`))) return { released: 0 }
  const taken = pick(holds, lines ?? [...new Set(holds.map((hold) => hold.line_id))].map((lineId) => ({ lineId })))
  if (key !== undefined) await markDone(db, `release/${key}`)
  await end(db, taken, 'released')
  await change(
    db,
    taken.map(({ hold, quantity }) => ({ sku: hold.sku, location: hold.location, held: -quantity, onHand: 0 })),
  )
  return { released: taken.reduce((sum, { quantity }) => sum + quantity, 0) }
}

// Neither of the next two changes a sum, so they lock the order's own holds only: a hot SKU's row is left to those who need it.

export const keepAside: LedgerOperations['keepAside'] = async (db, { orderId, lines }) => {
  await db.query(
    `update holds set kept_aside = true, expires_at = null
     where order_id = $1 and state = 'active' and (expires_at is null or expires_at > clock_timestamp())
       and ($2::text[] is null or line_id = any($2))`,
    [orderId, lines?.map((line) => line.lineId) ?? null],
  )
}

export const prolong: LedgerOperations['prolong'] = async (db, { orderId, expiresAt }) => {
  await db.query(
    `update holds set expires_at = $2
     where order_id = $1 and state = 'active' and not kept_aside and (expires_at is null or expires_at > clock_timestamp())`,
    [orderId, expiresAt],
  )
  const { rows } = await db.query<{ lineId: string; sku: string; location: string; quantity: number }>(
    `select line_id as "lineId", sku, location, sum(quantity)::integer as quantity from holds h
     where order_id = $1 and (state = 'expired' or (state = 'active' and expires_at <= clock_timestamp()))
       and not exists (select from holds n where n.order_id = h.order_id and n.line_id = h.line_id and n.id > h.id
         and left(n.key, length(h.key) + 1) <> h.key || '~' and left(h.key, length(n.key) + 1) <> n.key || '~')
     group by line_id, sku, location order by line_id, sku, location`,
    [orderId],
  )
  return { expired: rows }
}

export const consume: LedgerOperations['consume'] = async (db, { key, orderId, lines, reason, reference }) => {
  const what = `consumption ${key} of order ${orderId}`
  for (const line of lines)
    if (!Number.isInteger(line.quantity) || line.quantity <= 0) refuse(what, `line ${line.lineId}: quantity ${line.quantity}`)
  const goods = await skusOf(db, orderId, lines, what)
  const locked = await lockRows(db, goods)
  if (await doneBefore(db, `consume/${key}`)) return
  const holds = (await activeHolds(db, orderId)).filter((hold) => locked.has(rowKey(hold)))
  // Kept-aside holds go first: those are the goods in the parcel.
  const taken = pick(holds.reverse(), lines)

  const sums = new Map<string, { sku: string; location: string; onHand: number; held: number }>()
  const sumOf = (row: { sku: string; location: string }) => {
    const sum = sums.get(rowKey(row)) ?? { sku: row.sku, location: row.location, onHand: 0, held: 0 }
    sums.set(rowKey(row), sum)
    return sum
  }
  for (const line of goods) sumOf(line).onHand -= line.quantity
  for (const { hold, quantity } of taken) sumOf(hold).held -= quantity
  for (const [row, sum] of sums) {
    const level = locked.get(row) ?? { onHand: 0, held: 0 }
    const free = level.onHand - level.held
    if (sum.held - sum.onHand > free)
      refuse(
        what,
        `${-sum.onHand} of ${sum.sku} leave ${sum.location}, of which ${-sum.held} are held, but only ${free} more are free`,
        'count the stock there, or release other holds, then send it again',
      )
  }
  await markDone(db, `consume/${key}`)
  await end(db, taken, 'consumed')
  await db.query(
    `insert into movements (key, sku, location, quantity, reason, reference)
     select $1 || '/' || location || '/' || sku, sku, location, quantity, $2, $3
     from unnest($4::text[], $5::text[], $6::integer[]) as m(sku, location, quantity)`,
    [key, reason, reference, ...columns([...sums.values()])],
  )
  await change(db, [...sums.values()])
}

const columns = (rows: { sku: string; location: string; onHand: number }[]) => [
  rows.map((row) => row.sku),
  rows.map((row) => row.location),
  rows.map((row) => row.onHand),
]

/** The SKU of each line, from its holds in any state: held there, else held elsewhere. */
async function skusOf(db: Queryable, orderId: string, lines: ConsumeLine[], what: string) {
  const { rows } = await db.query<Hold>(
    `select id, line_id, sku, location, quantity, state, allotment_id from holds where order_id = $1
     order by (state = 'active') desc, id desc`,
    [orderId],
  )
  return lines.map((line) => {
    const ofLine = rows.filter((hold) => hold.line_id === line.lineId)
    const hold = ofLine.find((row) => row.location === line.location) ?? ofLine[0]
    if (hold === undefined) return refuse(what, `the order never held line ${line.lineId}`, 'reserve the line first')
    return { ...line, sku: hold.sku }
  })
}

export const levels: LedgerOperations['levels'] = async (db, filter = {}) => {
  const { rows } = await db.query<StockLevel>(
    `select s.sku, s.location, s.on_hand as "onHand", s.safety, s.held - e.quantity as held,
       case when not s.sells then 0
         when s.allotted then ledger_available(s.sku, s.location, s.on_hand - s.safety - s.held + e.quantity, $4, $5, $6)
         else greatest(0, s.on_hand - s.safety - s.held + e.quantity) end as available
     from stock s cross join lateral (
       select coalesce(sum(h.quantity), 0)::integer as quantity from holds h
       where h.sku = s.sku and h.location = s.location and h.state = 'active' and h.expires_at is not null and h.expires_at <= now()
     ) e
     where ($1::text is null or s.sku = $1) and ($2::text is null or s.location = $2) and ($3::text[] is null or s.sku = any($3))
     order by s.sku, s.location`,
    [
      filter.sku ?? null,
      filter.location ?? null,
      filter.skus ?? null,
      filter.channel ?? null,
      filter.campaign ?? null,
      filter.orderId ?? null,
    ],
  )
  return rows
}

export const sweep = async (pool: Pool, limit = 1_000): Promise<number> => {
  const { rows } = await pool.query<{ sku: string; location: string }>(
    `select distinct sku, location from (
       select sku, location from holds where state = 'active' and expires_at is not null and expires_at <= now() limit $1
     ) late order by sku, location`,
    [limit],
  )
  let ended = 0
  // One short transaction a row: a busy row delays only itself, and is swept the next time.
  for (const row of rows) {
    if (ended >= limit) break
    try {
      ended += await transaction(pool, async (tx) =>
        Number(
          (
            await tx.query<{ ended: number }>(`select ledger_expire(array[$1]::text[], array[$2]::text[], $3) as ended`, [
              row.sku,
              row.location,
              limit - ended,
            ])
          ).rows[0]?.ended,
        ),
      )
    } catch (error) {
      const mapped = databaseError(error, `sweep of ${row.sku} at ${row.location}`)
      if (!(mapped instanceof OmnisagaError) || mapped.kind !== 'Transient') throw mapped
    }
  }
  return ended
}
