/** Goods that change place, and holds made inside a caller's transaction; stock rows are locked in key order first. */
import type { Queryable } from '../db.ts'
import { rowKey } from './decide.ts'
import { levels } from './operations.ts'
import { ensureRow, move } from './onHand.ts'
import { change, lockRows } from './rows.ts'

type Row = { sku: string; location: string }

/** Rows that are about to get goods exist, and all of them are locked at once: later locks of the same rows wait for nobody. */
export async function lockPlaces(db: Queryable, rows: Row[]): Promise<void> {
  const distinct = [...new Map(rows.map((row) => [rowKey(row), row])).values()]
  for (const row of distinct) await ensureRow(db, row)
  await lockRows(db, distinct)
}

/** @returns pieces on hand that nobody holds; the rows should be locked. */
export async function freeOnHand(db: Queryable, row: Row): Promise<number> {
  const level = (await lockRows(db, [row])).get(rowKey(row))
  return Math.max(0, (level?.onHand ?? 0) - (level?.held ?? 0))
}

/** Out of one place and into another, by a movement each; the same key moves once. @throws Invalid when held goods would go. */
export async function moveBetween(
  db: Queryable,
  args: { key: string; reason: string; reference: string; from: string; to: string; lines: { sku: string; quantity: number }[] },
): Promise<void> {
  const { key, reason, reference, from, to } = args
  const sums = new Map<string, number>()
  for (const { sku, quantity } of args.lines) if (quantity > 0) sums.set(sku, (sums.get(sku) ?? 0) + quantity)
  const skus = [...sums.keys()].sort()
  await lockPlaces(
    db,
    skus.flatMap((sku) => [
      { sku, location: from },
      { sku, location: to },
    ]),
  )
  for (const sku of skus) {
    const quantity = sums.get(sku) ?? 0
    await move(db, { key: `${key}/${from}/${sku}`, sku, location: from, quantity: -quantity, reason, reference })
    await move(db, { key: `${key}/${to}/${sku}`, sku, location: to, quantity, reason, reference })
  }
}

interface NewHold extends Row {
  /** Whose doing it is; the caller sees to it that it is done once. */
  key: string
  orderId: string
  lineId: string
  quantity: number
  /** Physically set apart: does not end by time. */
  keptAside: boolean
  /** Null: does not end by time. */
  expiresAt: Date | null
}

/** Holds goods that this transaction has brought or found free under the row's lock. @throws Invalid when there are not so many. */
export async function insertHold(db: Queryable, hold: NewHold): Promise<void> {
  await db.query(
    `insert into holds (key, order_id, line_id, sku, location, quantity, state, kept_aside, expires_at)
     values ($1, $2, $3, $4, $5, $6, 'active', $7, $8)`,
    [
      hold.key,
      hold.orderId,
      hold.lineId,
      hold.sku,
      hold.location,
      hold.quantity,
      hold.keptAside,
      hold.keptAside ? null : hold.expiresAt,
    ],
  )
  await change(db, [{ sku: hold.sku, location: hold.location, onHand: 0, held: hold.quantity }])
}

/** Holds all of it at the first of these places that has it, of what is kept for nobody. @returns where, or null and nothing is held. */
export async function holdAtFirst(
  db: Queryable,
  wanted: Omit<NewHold, 'location' | 'keptAside'>,
  locations: readonly string[],
): Promise<string | null> {
  await lockRows(
    db,
    locations.map((location) => ({ sku: wanted.sku, location })),
  )
  const there = new Map((await levels(db, { sku: wanted.sku })).map((level) => [level.location, level.available]))
  const location = locations.find((each) => (there.get(each) ?? 0) >= wanted.quantity)
  if (location === undefined) return null
  await insertHold(db, { ...wanted, location, keptAside: false })
  return location
}
