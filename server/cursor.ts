/** Cursors are opaque to callers; one that was not made here is refused instead of reaching the database. */
import { Problem } from './problem.ts'

/** A timestamp as PostgreSQL writes it, and an order id. */
const POSITION = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?[+-]\d{2}(:\d{2}){0,2}\|[\w-]{1,100}$/

export const cursorOf = (position: string): string => Buffer.from(position).toString('base64url')

/** @throws Problem 400 */
export function openCursor(cursor: string): string {
  const position = Buffer.from(cursor, 'base64url').toString()
  if (POSITION.test(position)) return position
  throw new Problem(400, 'Invalid input', 'The query is not valid: cursor was not made by this server', {
    errors: [
      {
        path: 'cursor',
        value: cursor.slice(0, 100),
        message: 'is no cursor',
        remedy: 'Send `next` of the page before, unchanged, or leave it out.',
      },
    ],
  })
}
