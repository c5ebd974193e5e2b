/** What every verb shares: how it is refused, and where an order stands. */
import type { Command } from '../../store/commands.ts'
import type { Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'

/** Why not, in plain words. */
export class Refusal extends Error {}

/** A change that can still be made once its goods are called back. */
export class TooLate extends Refusal {}

/** Changes what is true under the order's lock. @returns the answer. @throws Refusal; then nothing of it stays. */
export type Obedience = (record: OrderRecord, tx: Tx, command: Command) => Promise<string>

export const shipped = (record: OrderRecord) =>
  record.parcels.some((parcel) => ['shipped', 'delivered', 'returning', 'returned'].includes(parcel.state)) ||
  record.lines.some((line) => line.shipped > 0)
export const atWarehouse = (record: OrderRecord) =>
  record.units.some((unit) => ['handedOver', 'picked', 'packed', 'recalling'].includes(unit.state))
