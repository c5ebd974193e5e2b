/** How a connection takes part in stock: what it is told, what is read of it. Said by the section `stock` of a connection. */
import { z } from 'zod'
import { resendLevels } from './listings.ts'
import type { Queryable, Tx } from './db.ts'

const quantity = z.number().int().min(0)
const everyMs = z.number().int().min(1_000)

export const StockSideEntry = z.strictObject({
  push: z
    .boolean()
    .default(false)
    .describe('Levels are told to the channel. Off unless said: it overwrites what the channel shows.'),
  locations: z
    .array(z.string())
    .min(1)
    .nullable()
    .default(null)
    .describe('Locations whose stock the channel may sell; null: all that ship.'),
  safetyQuantity: quantity.default(0).describe('Pieces of each SKU that the channel never sees.'),
  sharePercent: z.number().int().min(0).max(100).default(100).describe('Of what is left, how much the channel sees.'),
  maxQuantity: quantity.nullable().default(null).describe('The channel never shows more than this of a listing.'),
  listEveryMs: everyMs.default(3_600_000).describe("How often the channel's listings are looked through for new ones."),
  read: z.boolean().default(false).describe('What the system counts is read and compared with the ledger.'),
  readEveryMs: everyMs.default(900_000).describe('How often it is read.'),
  drift: z
    .strictObject({
      mode: z
        .enum(['report', 'repair'])
        .default('report')
        .describe('What becomes of a difference that two readings agree on: a task, or a movement that makes the ledger right.'),
      toleranceQuantity: quantity.default(0).describe('A difference up to this is none.'),
    })
    .default({ mode: 'report', toleranceQuantity: 0 }),
})
export type StockSideEntry = z.infer<typeof StockSideEntry>

/** A connection as the rounds over stock know it. */
export interface StockSideRow {
  connection: string
  push: boolean
  channel: string | null
  recompute: boolean
}

/** Every level of the connection is computed anew; one that is told for the first time, or again, is told everything. */
export async function applyStockSide(tx: Tx, connection: string, entry: StockSideEntry): Promise<void> {
  const before = await tx.query<{ push: boolean }>('select push from stock_sides where connection = $1', [connection])
  await tx.query(
    `insert into stock_sides (connection, push, locations, safety, share_percent, max_quantity, drift_mode, drift_tolerance, read,
       read_every_ms, list_every_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (connection) do update set push = excluded.push, locations = excluded.locations, safety = excluded.safety,
       share_percent = excluded.share_percent, max_quantity = excluded.max_quantity, drift_mode = excluded.drift_mode,
       drift_tolerance = excluded.drift_tolerance, read = excluded.read, read_every_ms = excluded.read_every_ms,
       list_every_ms = excluded.list_every_ms, recompute = true, push_after = now(), push_failures = 0,
       read_due_at = least(stock_sides.read_due_at, now() + excluded.read_every_ms * interval '1 millisecond'), list_due_at = now()`,
    [
      connection,
      entry.push,
      entry.locations,
      entry.safetyQuantity,
      entry.sharePercent,
      entry.maxQuantity,
      entry.drift.mode,
      entry.drift.toleranceQuantity,
      entry.read,
      entry.readEveryMs,
      entry.listEveryMs,
    ],
  )
  if (entry.push && before.rows[0]?.push === false) await resendLevels(tx, connection)
}

/** A round that failed is made again after a minute, not after the whole interval. */
export async function dueSoon(db: Queryable, what: 'read' | 'list', connection: string): Promise<void> {
  await db.query(
    `update stock_sides set ${what}_due_at = least(${what}_due_at, now() + interval '1 minute') where connection = $1`,
    [connection],
  )
}

/** Connections whose turn it is to be read or looked through; taking it moves the turn on, so that one worker does it. */
export async function takeDue(db: Queryable, what: 'read' | 'list'): Promise<string[]> {
  const due = what === 'read' ? 'd.read and d.read_due_at <= now()' : 'd.list_due_at <= now()'
  const { rows } = await db.query<{ connection: string }>(
    `update stock_sides t set ${what}_due_at = now() + t.${what}_every_ms * interval '1 millisecond'
     where t.connection in (
       select d.connection from stock_sides d join connections c on c.name = d.connection
       left join connection_state s on s.connection = d.connection
       where ${due} and not c.paused and s.stopped_reason is null for update of d skip locked)
     returning t.connection`,
  )
  return rows.map(({ connection }) => connection)
}
