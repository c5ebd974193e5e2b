/** Cash-on-delivery parcels that a customer did not collect, or refused. */
import type { Buyer, Recipient } from '../domain/order.ts'
import type { Queryable } from './db.ts'

/** By member or phone; a customer without either has no record. */
export async function uncollectedOf(db: Queryable, buyer: Buyer, recipient: Pick<Recipient, 'phone'>): Promise<number> {
  const phones = [...new Set([buyer.phone, recipient.phone].filter((phone) => phone !== null))]
  if (phones.length === 0 && buyer.memberId === null) return 0
  const rows = await db.query<{ n: number }>(
    `select count(*)::int as n from parcels p join orders o on o.id = p.order_id
     where p.state = 'returned' and p.amount_due_minor > 0
       -- A closed store, and an address that nobody finds, are not their refusal.
       and (p.back_because is null or p.back_because = 'refused')
       and (o.doc->'buyer'->>'memberId' = $1 or o.doc->'buyer'->>'phone' = any($2) or o.doc->'recipient'->>'phone' = any($2))`,
    [buyer.memberId, phones],
  )
  return rows.rows[0]?.n ?? 0
}
