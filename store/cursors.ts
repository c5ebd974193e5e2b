/** How far each connection has been read. A cursor moves only after what lies behind it is durable. */
import type { Queryable } from './db.ts'

export async function readCursor(db: Queryable, connection: string, stream: string): Promise<Date | null> {
  const { rows } = await db.query<{ value: Date }>('select value from cursors where connection = $1 and stream = $2', [
    connection,
    stream,
  ])
  return rows[0]?.value ?? null
}

/**
 * Call it after the records up to `to` are stored. Never moves back: a slower pull that ends after a faster one changes nothing.
 * @returns false when the cursor stands at a later time already.
 */
export async function moveCursor(db: Queryable, connection: string, stream: string, to: Date): Promise<boolean> {
  if (Number.isNaN(to.getTime())) throw new RangeError(`cursor ${connection}/${stream}: not a time`)
  const { rowCount } = await db.query(
    `insert into cursors as c (connection, stream, value) values ($1, $2, $3)
     on conflict (connection, stream) do update set value = excluded.value, updated_at = now() where c.value <= excluded.value`,
    [connection, stream, to],
  )
  return rowCount === 1
}

export interface Slice {
  from: Date
  to: Date
  /** Nothing is left after it, as of `now`. */ last: boolean
}

/**
 * What to read next: from the cursor, less the overlap, at most `sliceMs` of new time. Pure.
 * @param cursor null before the first pull, which looks back `initialLookbackMs`.
 */
export function nextSlice(
  cursor: Date | null,
  now: Date,
  options: { overlapMs: number; initialLookbackMs: number; sliceMs: number },
): Slice {
  // A cursor from the future (a clock that was wrong) is read as now; it moves on when time has caught up.
  const start = cursor === null ? now.getTime() - options.initialLookbackMs : Math.min(cursor.getTime(), now.getTime())
  const to = Math.min(now.getTime(), start + options.sliceMs)
  return { from: new Date(start - (cursor === null ? 0 : options.overlapMs)), to: new Date(to), last: to === now.getTime() }
}
