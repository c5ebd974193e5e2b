/** What waiting orders need that is nowhere to be had: one purchase request a SKU over all of them, while it is needed. */
import type { Tx } from '../../store/db.ts'
import { setNeeds, writePurchase, type Need } from '../../store/backorders.ts'

/** Two orders that need one SKU at once write its request one after the other. */
const LOCK = 7_401_931

/** @param wanted what this order still needs; empty when it needs nothing any more. */
export async function needs(tx: Tx, orderId: string, wanted: Need[]): Promise<void> {
  const { rows } = await tx.query('select from supply_needs where order_id = $1 limit 1', [orderId])
  if (wanted.length === 0 && rows.length === 0) return
  for (const sku of await setNeeds(tx, orderId, wanted)) {
    await tx.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCK, sku])
    await writePurchase(tx, sku)
  }
}
