/** Changes of on hand and of safety stock. Every change of on hand is a movement. */
import type { Queryable } from '../db.ts'
import { rowKey } from './decide.ts'
import { databaseError } from './errors.ts'
import { change, doneBefore, lockRows, markDone, refuse } from './rows.ts'
import type { LedgerOperations } from './types.ts'

type Row = { sku: string; location: string }

const MAX = 2 ** 31 - 1
const isCount = (value: number) => Number.isInteger(value) && value >= 0 && value <= MAX

/** @throws Invalid when the location is unknown. */
export async function ensureRow(db: Queryable, { sku, location }: Row): Promise<void> {
  const known = await db.query('select from locations where id = $1', [location])
  if (known.rowCount === 0)
    refuse(`stock of ${sku}`, `location ${location} is unknown`, 'apply a configuration that names the location')
  await db.query('insert into stock (sku, location) values ($1, $2) on conflict do nothing', [sku, location])
}

async function lockRow(db: Queryable, row: Row) {
  const found = (await lockRows(db, [row])).get(rowKey(row))
  if (found) return found
  await ensureRow(db, row)
  return (await lockRows(db, [row])).get(rowKey(row)) ?? { onHand: 0, safety: 0, held: 0 }
}

const isBooked = async (db: Queryable, key: string) =>
  (await db.query('select from movements where key = $1', [key])).rowCount === 1

async function book(
  db: Queryable,
  args: Row & { key: string; quantity: number; reason: string; reference?: string },
): Promise<void> {
  await db
    .query('insert into movements (key, sku, location, quantity, reason, reference) values ($1, $2, $3, $4, $5, $6)', [
      args.key,
      args.sku,
      args.location,
      args.quantity,
      args.reason,
      args.reference ?? null,
    ])
    .catch((error: unknown) => {
      throw databaseError(error, `movement ${args.key} of ${args.sku} at ${args.location}`)
    })
  await change(db, [{ sku: args.sku, location: args.location, onHand: args.quantity, held: 0 }])
}

export const move: LedgerOperations['move'] = async (db, args) => {
  const { key, sku, location, quantity } = args
  const what = `movement ${key} of ${sku} at ${location}`
  if (!Number.isInteger(quantity) || quantity === 0 || Math.abs(quantity) > MAX) refuse(what, `quantity ${quantity}`)
  const level = await lockRow(db, args)
  if (await isBooked(db, key)) return false
  const after = level.onHand + quantity
  if (after < 0) refuse(what, `${-quantity} go out but only ${level.onHand} are on hand`, 'count the stock there first')
  if (after < level.held) refuse(what, `${after} would be left, but ${level.held} are held`, 'release holds first')
  await book(db, args)
  return true
}

export const setOnHand: LedgerOperations['setOnHand'] = async (db, { key, sku, location, onHand, reason }) => {
  const what = `count ${key} of ${sku} at ${location}`
  if (!isCount(onHand)) refuse(what, `${onHand} is no whole number of pieces`)
  const level = await lockRow(db, { sku, location })
  if (await doneBefore(db, `count/${key}`)) return
  if (onHand < level.held) refuse(what, `${onHand} counted, but ${level.held} are held`, 'release holds first')
  // A count that changes nothing books no movement, but a repeat of it later must change nothing either.
  await markDone(db, `count/${key}`)
  const quantity = onHand - level.onHand
  if (quantity !== 0) await book(db, { key, sku, location, quantity, reason })
}

export const setSafety: LedgerOperations['setSafety'] = async (db, { sku, location, safety }) => {
  if (!isCount(safety)) refuse(`safety stock of ${sku} at ${location}`, `${safety} is no whole number of pieces`)
  await ensureRow(db, { sku, location })
  await db.query('update stock set safety = $3 where sku = $1 and location = $2', [sku, location, safety])
}
