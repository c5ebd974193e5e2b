/** How long an order that nobody has confirmed holds its goods. */
import type { Policy } from '../../domain/policy.ts'
import type { Queryable } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'

/** The shortest that one of its articles names, else its kind's, else everybody's. Milliseconds. */
export async function holdTtlMs(db: Queryable, policy: Policy, record: OrderRecord): Promise<number> {
  const { rows } = await db.query<{ ms: number | null }>({
    name: 'hold-ttl',
    text: 'select min(hold_ttl_ms) as ms from products where sku = any($1) and hold_ttl_ms is not null',
    values: [record.lines.map(({ sku }) => sku ?? '')],
  })
  return Number(rows[0]?.ms ?? policy.holdTtlMsByKind[record.doc.kind] ?? policy.holdTtlMs)
}
