/** How orders stand, for what may be asked of them (domain/possible.ts). */
import type { FactName } from '../domain/facts.ts'
import { isPaid } from '../domain/paid.ts'
import type { Standing } from '../domain/possible.ts'
import type { Queryable } from './db.ts'
import type { OrderRecord } from './orderRecord.ts'

export function standingOf(record: OrderRecord): Standing {
  const { kind, delivery, onHold, payment } = record.doc
  return {
    closed: record.closed,
    kind,
    method: delivery.method,
    onHold: onHold === true,
    isPaid: isPaid(payment),
    facts: Object.keys(record.facts) as FactName[],
    units: record.units,
    parcels: record.parcels,
    shipped: record.lines.reduce((sum, line) => sum + line.shipped, 0),
    missing: record.lines.reduce((sum, line) => sum + record.missingOf(line), 0),
  }
}

/** The same of many, in one statement. */
export async function standings(db: Queryable, orderIds: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
  if (orderIds.length === 0) return new Map()
  const { rows } = await db.query<Standing & { id: string }>({
    name: 'order-standings',
    text: `select o.id, o.closed, o.kind, o.doc->'delivery'->>'method' as method, coalesce((o.doc->>'onHold')::boolean, false) as "onHold",
        o.doc->'payment'->>'state' in ('paid', 'collected', 'refunded') as "isPaid",
        array(select jsonb_object_keys(o.facts)) as facts,
        (select coalesce(json_agg(json_build_object('state', u.state) order by u.serial), '[]') from units u where u.order_id = o.id) as units,
        (select coalesce(json_agg(json_build_object('state', p.state, 'amountDueMinor', p.amount_due_minor) order by p.attempt), '[]')
          from parcels p where p.order_id = o.id) as parcels,
        (select coalesce(sum(l.shipped), 0)::int from order_lines l where l.order_id = o.id) as shipped,
        (select coalesce(sum(greatest(0, l.ordered - l.cancelled - coalesce((
          select sum(v.quantity - v.short) from unit_lines v join units u on u.id = v.unit_id
          where u.order_id = o.id and v.line_id = l.line_id and u.state <> 'cancelled'), 0))), 0)::int
          from order_lines l where l.order_id = o.id) as missing
      from orders o where o.id = any($1)`,
    values: [orderIds],
  })
  return new Map(rows.map(({ id, ...standing }) => [id, standing]))
}
