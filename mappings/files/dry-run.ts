/** `import --dry-run`: what a file would do, in the JSON that design.md promises. */
import { orderIdOf } from '../../domain/ids.ts'
import { CanonicalOrder } from '../../domain/order.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import type { RowError } from '../profiles/types.ts'
import type { FileOrders } from './read.ts'

export interface DryRun {
  profile: string
  rows: number
  orders: CanonicalOrder[]
  errors: RowError[]
  /** Orders that are known already and unchanged, and rows repeated within the file. */
  duplicates: number
  /** Known orders that the file would change. */
  changed: number
  /** Orders that would not go on as the file says: being picked already, or held by the check for a person. */
  blocked: number
}

/** Asks the database about orders; without one, nothing is known. */
export type DryRunLookup = (
  orders: { id: string; order: IncomingOrder; hash: string }[],
) => Promise<{ duplicates: number; changed: number; blocked: number }>

export function canonicalOrderOf(order: IncomingOrder): CanonicalOrder {
  const { cancelled, onHold: _, fulfilled: __, ...rest } = order
  return CanonicalOrder.parse({
    id: orderIdOf(order.channel, order.shop, order.externalId),
    ...rest,
    phase: cancelled ? 'cancelled' : 'received',
  })
}

export async function dryRun(file: FileOrders, lookup?: DryRunLookup): Promise<DryRun> {
  const known = lookup
    ? await lookup(
        file.orders.map(({ order, hash }) => ({ id: orderIdOf(order.channel, order.shop, order.externalId), order, hash })),
      )
    : { duplicates: 0, changed: 0, blocked: 0 }
  return {
    profile: file.profile,
    rows: file.rows,
    orders: file.orders.map(({ order }) => canonicalOrderOf(order)),
    errors: file.errors,
    duplicates: known.duplicates + file.duplicates.length,
    changed: known.changed,
    blocked: known.blocked,
  }
}
