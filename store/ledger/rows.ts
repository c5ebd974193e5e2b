/** Stock rows: locked in key order, changed together. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { Queryable } from '../db.ts'
import { rowKey } from './decide.ts'
import { databaseError } from './errors.ts'

export interface RowChange {
  sku: string
  location: string
  onHand: number
  held: number
}
export interface LockedLevel {
  onHand: number
  safety: number
  held: number
}

export function refuse(what: string, detail: string, remedy = 'correct the request; nothing was changed'): never {
  throw new OmnisagaError('Invalid', `${what}: ${detail}`, { code: 'stock', remedy })
}

/** Locks the rows that exist, in key order, and ends expired holds on them. @returns fresh levels by {@link rowKey}. */
export async function lockRows(db: Queryable, rows: { sku: string; location: string }[]): Promise<Map<string, LockedLevel>> {
  if (rows.length === 0) return new Map()
  const result = await db.query<{ sku: string; location: string; on_hand: number; safety: number; held: number }>(
    'select * from ledger_lock($1::text[], $2::text[])',
    [rows.map((row) => row.sku), rows.map((row) => row.location)],
  )
  return new Map(result.rows.map((row) => [rowKey(row), { onHand: row.on_hand, safety: row.safety, held: row.held }]))
}

/** True when the key was used before. Asked after the rows are locked, so that a concurrent call with the same key is over. */
export async function doneBefore(db: Queryable, key: string): Promise<boolean> {
  return (await db.query('select from ledger_calls where key = $1', [key])).rowCount === 1
}

/** Written last before the change itself: a call that was refused, in a transaction that goes on, may be made again. */
export async function markDone(db: Queryable, key: string): Promise<void> {
  await db.query('insert into ledger_calls (key) values ($1)', [key]).catch((error: unknown) => {
    throw databaseError(error, `ledger call ${key}`)
  })
}

/** Adds to rows that this transaction has locked. @throws Invalid when a constraint of the table says no. */
export async function change(db: Queryable, changes: RowChange[]): Promise<void> {
  if (changes.length === 0) return
  try {
    await db.query(
      `update stock s set on_hand = s.on_hand + c.on_hand, held = s.held + c.held
       from (select sku, location, sum(on_hand)::integer as on_hand, sum(held)::integer as held
             from unnest($1::text[], $2::text[], $3::integer[], $4::integer[]) as u(sku, location, on_hand, held) group by sku, location) c
       where s.sku = c.sku and s.location = c.location`,
      [changes.map((c) => c.sku), changes.map((c) => c.location), changes.map((c) => c.onHand), changes.map((c) => c.held)],
    )
  } catch (error) {
    throw databaseError(error, `stock of ${[...new Set(changes.map((c) => `${c.sku} at ${c.location}`))].join(', ')}`)
  }
}
