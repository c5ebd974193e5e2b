/** An order wants more than there is: what can be held is held and the rest claimed, or it is asked for elsewhere, or a person decides. */
import type { Demand } from '../../domain/routing/types.ts'
import { remediesOf, type Missing, type Remedy } from '../../domain/shortage.ts'
import { claim, endClaims, hasClaims } from '../../store/backorders.ts'
import type { Queryable, Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { claimantOf } from '../order/place.ts'
import type { Runtime } from '../runtime.ts'
import { placeOrBring } from '../store/elsewhere.ts'
import { needs } from './supply.ts'

const DAY_MS = 24 * 60 * 60_000
const DEFAULT_DAYS = 14

export { hasClaims }

/** What of the demand is not held yet. Null: the holds are not of this demand, and cannot be kept. */
export async function unheld(db: Queryable, orderId: string, demand: Demand[]): Promise<Demand[] | null> {
  const held = await heldByLine(db, orderId)
  if ([...held].some(([lineId, quantity]) => quantity > (demand.find((line) => line.lineId === lineId)?.quantity ?? 0)))
    return null
  return demand
    .map((line) => ({ ...line, quantity: line.quantity - (held.get(line.lineId) ?? 0) }))
    .filter(({ quantity }) => quantity > 0)
}

async function heldByLine(db: Queryable, orderId: string): Promise<Map<string, number>> {
  const { rows } = await db.query<{ lineId: string; quantity: number }>(
    `select line_id as "lineId", sum(quantity)::int as quantity from holds
     where order_id = $1 and state = 'active' and (expires_at is null or expires_at > now()) group by line_id`,
    [orderId],
  )
  return new Map(rows.map(({ lineId, quantity }) => [lineId, quantity]))
}

export interface Short {
  remedies: Remedy[]
  /** Whether the missing pieces become claims; then what is there was held. */
  isBackordered: boolean
}

/** @param demand what is not held; @param lacking of it, by article, with what there is. */
export async function judgeShortage(
  runtime: Runtime,
  record: OrderRecord,
  lacking: readonly { sku: string; available: number }[],
  demand: Demand[],
): Promise<Short> {
  const policy = await runtime.policy(record.settingsVersion)
  const wanted = new Map<string, number>()
  for (const { sku, quantity } of demand) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
  const skus = [...new Set(lacking.map(({ sku }) => sku))]
  const products = await runtime.pool.query<{ sku: string }>(
    `select sku from products where sku = any($1) and stock_policy = 'backorder'`,
    [skus],
  )
  // A group-buy sells what is kept for it, and a try-on needs the goods themselves.
  const mayWait = record.doc.kind !== 'tryOn' && (record.doc.campaign ?? null) === null
  const missing: Missing[] = []
  for (const sku of skus) {
    const available = lacking.find((each) => each.sku === sku)?.available ?? 0
    const quantity = Math.max(1, (wanted.get(sku) ?? 0) - Math.max(0, available))
    const mayBeBackordered = mayWait && products.rows.some((row) => row.sku === sku)
    missing.push({ sku, quantity, mayBeBackordered })
  }
  const remedies = remediesOf(policy.shortage, missing)
  return { remedies, isBackordered: remedies.some(({ way }) => way === 'backorder') }
}

/** Holds what there is of an order whose rest is claimed. Nothing is held when the rules of routing allow no part of it. */
export async function holdWhatThereIs(
  runtime: Runtime,
  record: OrderRecord,
  demand: Demand[],
  { remedies }: Short,
  hold: { expiresAt: Date | null; locations: string[] | null },
): Promise<void> {
  const lacking = new Map(remedies.filter(({ way }) => way === 'backorder').map(({ sku, quantity }) => [sku, quantity]))
  const part = [...demand].reverse().map((line) => {
    const out = Math.min(line.quantity, lacking.get(line.sku) ?? 0)
    lacking.set(line.sku, (lacking.get(line.sku) ?? 0) - out)
    return { ...line, quantity: line.quantity - out }
  })
  const there = part.reverse().filter(({ quantity }) => quantity > 0)
  if (there.length === 0) return
  const placing = await placeOrBring(runtime, record, there, hold.locations)
  if (placing.missing.length > 0) return
  const given = await runtime.pool.query<{ n: number }>('select count(*) as n from reservations where order_id = $1', [record.id])
  await runtime.reserver.reserve({
    key: `${record.id}/part/${Number(given.rows[0]?.n ?? 0)}`,
    orderId: record.id,
    lines: placing.lines,
    mode: 'allOrNothing',
    expiresAt: hold.expiresAt,
    ...claimantOf(record),
  })
}

/**
 * Written with the order: the claims for what is not held, with the promise; what is to be bought.
 * @returns false when a person has to decide.
 */
export async function settleShortage(
  runtime: Runtime,
  tx: Tx,
  record: OrderRecord,
  demand: Demand[],
  short: Short,
): Promise<boolean> {
  await needs(
    tx,
    record.id,
    short.remedies.filter(({ way }) => way === 'purchase'),
  )
  if (!short.isBackordered) {
    await endClaims(tx, record.id, 'cancelled')
    if (short.remedies.some(({ way }) => way === 'task')) return false
    record.record('shortage', { skus: short.remedies.map(({ sku }) => sku) })
    return true
  }
  const held = await heldByLine(tx, record.id)
  for (const line of record.lines) line.held = held.get(line.lineId) ?? 0
  const products = await tx.query<{ sku: string; days: number | null }>(
    `select sku, backorder_days as days from products where sku = any($1) and stock_policy = 'backorder'`,
    [demand.map(({ sku }) => sku)],
  )
  const claims = demand
    .map((line) => ({ ...line, quantity: line.quantity - (held.get(line.lineId) ?? 0) }))
    .filter(({ sku, quantity }) => quantity > 0 && products.rows.some((row) => row.sku === sku))
  const days = Math.max(
    ...products.rows.filter(({ sku }) => claims.some((each) => each.sku === sku)).map((row) => row.days ?? DEFAULT_DAYS),
  )
  const promisedAt = new Date(Date.now() + days * DAY_MS)
  const policy = await runtime.policy()
  const rank = policy.claimPriority[record.doc.kind] ?? 0
  await claim(tx, { id: record.id, rank, priority: record.doc.priority }, claims, promisedAt)
  const skus = claims.map(({ sku }) => sku)
  record.record('shortage', { skus, promisedBy: promisedAt.toISOString() })
  record.tellCustomer({ key: `${record.id}:backordered`, template: 'backordered', data: { until: promisedAt.toISOString() } })
  return true
}

/** It holds all it wants, or wants nothing any more. */
export async function endShortage(tx: Tx, record: OrderRecord, as: 'served' | 'cancelled'): Promise<void> {
  await endClaims(tx, record.id, as)
  await needs(tx, record.id, [])
}
