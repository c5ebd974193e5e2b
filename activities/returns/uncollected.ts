/** Who leaves cash-on-delivery parcels at the store: counted by member and phone, and a person's matter from a number on. */
import type { Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { uncollectedOf } from '../../store/uncollected.ts'
import { openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'

/** Before goods are picked for them once more. */
export async function warnOfUncollected(runtime: Runtime, tx: Tx, record: OrderRecord): Promise<void> {
  const { uncollectedLimit } = await runtime.policy()
  if (uncollectedLimit === null || record.doc.payment.method !== 'cod') return
  const count = await uncollectedOf(tx, record.doc.buyer, record.doc.recipient)
  if (count < uncollectedLimit) return
  await openTask(tx, {
    kind: 'order.uncollected',
    key: `order:${record.id}:confirm`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'This customer has left parcels uncollected',
    detail: `${count} cash-on-delivery parcels of the buyer of ${record.doc.externalId} came back uncollected. Nothing is picked before a person confirms.`,
    remedy: 'Call the customer; then confirm, ask for payment first (change), or cancel.',
    actions: ['confirm', 'change', 'cancel'],
  })
}
